"""The list of metrics is whole, and says of each what the engine does."""

from typing import get_args

import pytest
from tests.support.counted_run import CountedRun, CountKey
from tests.support.counted_worlds import run_of_seed
from tests.support.story import campaign

from segue.engine.checks import decode_campaign
from segue.engine.counting import COUNTED_ONCE
from segue.model.metrics import METRICS, MetricName

SEEDS = range(100)
PAGE = {"id": "p", "image_url": "https://shop.test/1.png"}
STORY = campaign(
    "c",
    {"event": "go"},
    messages=[{"push": {"title": "Hello", "pages": [PAGE]}}],
    conversions=[{"purchase": {}, "within": "1d"}],
)
# What does not happen in these worlds, or too seldom.
RARE = [
    {"user_id": "ann", "name": "go"},
    {"user_id": "ann", "name": "push_story_page_click", "campaign": "c", "page": "p"},
    {"user_id": "ann", "name": "purchase", "product_id": "sku", "price": 5, "currency": "EUR"},
]


@pytest.fixture(scope="module")
def counts() -> list[CountKey]:
    """Everything that was ever counted in random worlds, and of a story beside them."""
    found = list(CountedRun({"c": decode_campaign(STORY)}, RARE).all().counts)
    for seed in SEEDS:
        found += run_of_seed(seed).counts
    return found


def test_every_name_has_its_metric_and_every_metric_its_name() -> None:
    assert list(get_args(MetricName)) == list(METRICS)


def test_the_engine_counts_every_metric_and_nothing_else(counts: list[CountKey]) -> None:
    # Nothing else is what the type of a count's metric says; the gauge may be back at nothing.
    assert {key.metric for key in counts} | {"waiting"} == set(METRICS)


def test_a_count_has_a_detail_and_a_channel_where_its_metric_has(counts: list[CountKey]) -> None:
    for key in counts:
        metric = METRICS[key.metric]
        assert bool(key.detail) == (metric.detail is not None), key
        assert bool(key.channel) == metric.has_channel, key


def test_a_unique_metric_is_like_the_one_it_belongs_to() -> None:
    pairs = [(one, METRICS[one.unique]) for one in METRICS.values() if one.unique is not None]
    assert {unique.name for _, unique in pairs} == {
        one.name for one in METRICS.values() if one.kind == "unique"
    }
    for one, unique in pairs:
        assert unique.name == f"unique_{one.name}"
        assert (unique.detail, unique.has_channel) == (one.detail, one.has_channel)


def test_what_is_counted_once_keeps_its_place_in_states() -> None:
    places = {pair: place for place, pair in enumerate(COUNTED_ONCE)}
    assert len(places) == len(COUNTED_ONCE)
    assert places["opens", "email"] == 0
    assert places["spam_reports", "email"] == 16
