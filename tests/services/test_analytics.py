"""Numbers of several campaigns: added up, compared with the period before, by channel and tag."""

from collections.abc import Iterable
from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.model.instants import DAY, FOREVER, HOUR, parse_instant, to_datetime
from segue.model.limits import ANALYTICS_CAMPAIGNS_MAX, ANALYTICS_DAYS_MAX
from segue.model.problems import InvalidError
from segue.services.analytics import Analytics, Wish, analytics_of, series
from segue.services.analytics_funnel import funnel_steps
from segue.services.analytics_periods import Spans, read_spans
from segue.services.analytics_words import change_words, missing_words
from segue.services.comparisons import Compared, compare
from segue.storage.ports import Checkpoint, Counter, Position, StoredCampaign
from tests.support.live import LiveRuntime
from tests.support.story import campaign

NOW = parse_instant("2026-11-10T10:20:00Z")
TODAY = parse_instant("2026-11-10T00:00:00Z")

Counts = list[tuple[Counter, float]]


def counted(
    metric: str,
    amount: float = 1,
    at: int = TODAY,
    *,
    of: str = "c",
    variant: str = "A",
    detail: str = "",
    channel: str = "",
) -> tuple[Counter, float]:
    return Counter(of, at, variant, metric, detail, channel), amount


def stored(slug: str, version: int = 1, **document: Any) -> StoredCampaign:
    written = decode_campaign(campaign(slug, {"event": "go"}, **document))
    return StoredCampaign(f"id-{slug}", written, "active", version, 0, 0, version or None)


def days(text: str = "7", zone: str = "UTC", now: int = NOW) -> Spans:
    return read_spans(text, "", "", zone, now)


async def numbers(
    counts: Iterable[tuple[Counter, float]],
    *campaigns: StoredCampaign,
    wish: Wish | None = None,
    spans: Spans | None = None,
    waiting: dict[str, int] | None = None,
) -> Analytics:
    """Return the numbers as they are once a checkpoint has these counters."""
    live = LiveRuntime(NOW)
    live.stores.snapshot.commit(Checkpoint(Position(now=NOW), counts=list(counts)))
    await live.start()
    found = await analytics_of(
        live.runtime, campaigns or [stored("c")], waiting or {}, wish or Wish(), spans or days()
    )
    await live.stop()
    return found


# Periods


def test_the_period_ends_today_and_the_one_before_is_as_long() -> None:
    spans = days("7")
    assert (spans.period.from_at, spans.period.to_at) == (TODAY - 6 * DAY, FOREVER)
    assert spans.before_from == TODAY - 13 * DAY
    # As much of it as has passed of the period: eleven hours of its last day.
    assert spans.before_to == TODAY - 7 * DAY + 11 * HOUR
    assert (spans.period.by, days("1").period.by) == ("day", "hour")


def test_a_period_of_dates_that_are_over_is_compared_with_all_of_as_many_days() -> None:
    spans = read_spans("", "2026-11-01", "2026-11-03", "UTC", NOW)
    assert spans.period.from_at == parse_instant("2026-11-01T00:00:00Z")
    assert spans.period.to_at == parse_instant("2026-11-04T00:00:00Z")
    assert spans.before_from == parse_instant("2026-10-29T00:00:00Z")
    assert spans.before_to == spans.period.from_at
    assert (spans.days, str(spans.first), str(spans.last)) == ("", "2026-11-01", "2026-11-03")


def test_days_are_those_of_the_workspaces_time_zone_also_over_a_clock_change() -> None:
    now = parse_instant("2026-10-26T10:00:00Z")  # clocks went back on the 25th
    spans = days("7", "Europe/Paris", now)
    assert spans.period.from_at == parse_instant("2026-10-19T22:00:00Z")
    assert spans.before_from == parse_instant("2026-10-12T22:00:00Z")
    assert spans.before_to <= spans.period.from_at


@pytest.mark.parametrize(
    ("begin", "end", "path"),
    [
        ("yesterday", "", "from"),
        ("", "2026-13-01", "to"),
        ("2026-11-03", "2026-11-01", "to"),
        ("2040-01-01", "", "from"),
        ("1901-01-01", "", "from"),
        ("2020-01-01", "2026-11-01", "from"),
    ],
)
def test_dates_that_are_none_or_too_many_are_faults_at_their_field(
    begin: str, end: str, path: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        read_spans("", begin, end, "UTC", NOW)
    assert [one.path for one in caught.value.problems] == [path]


def test_the_longest_period_is_taken() -> None:
    begin = str(to_datetime(TODAY - (ANALYTICS_DAYS_MAX - 1) * DAY).date())
    spans = read_spans("", begin, "2026-11-10", "UTC", NOW)
    assert (spans.last - spans.first).days + 1 == ANALYTICS_DAYS_MAX


# Numbers


async def test_what_was_counted_in_each_period_stands_side_by_side() -> None:
    found = await numbers(
        [
            counted("sent", 5, TODAY, channel="email"),
            counted("sent", 2, TODAY - 6 * DAY, channel="sms"),
            counted("sent", 3, TODAY - 8 * DAY, channel="email"),
            counted("sent", 100, TODAY - 7 * DAY + 12 * HOUR, channel="email"),  # in neither
            counted("sent", 900, TODAY - 20 * DAY, channel="email"),
            counted("entered", 9),
        ]
    )
    assert (found.all.now["sent"], found.all.before["sent"]) == (7, 3)
    assert found.all.now["entered"] == 9
    assert [(row.key, row.pair.now["sent"], row.pair.before["sent"]) for row in found.channels] == [
        ("email", 5, 3),
        ("sms", 2, 0),
    ]


async def test_campaigns_and_tags_have_their_own_rows_and_the_largest_come_first() -> None:
    found = await numbers(
        [
            counted("sent", 1, of="a", channel="email"),
            counted("sent", 4, of="b", channel="email"),
            counted("sent", 7, of="draft", channel="email"),
        ],
        stored("a", tags=["offers", "spring"]),
        stored("b", tags=["offers"]),
        stored("draft", version=0),
    )
    assert [(row.key, row.pair.now["sent"]) for row in found.campaigns] == [("b", 4), ("a", 1)]
    assert [(row.key, row.pair.now["sent"]) for row in found.tags] == [("offers", 5), ("spring", 1)]
    assert found.all.now["sent"] == 5


async def test_a_campaign_a_channel_or_a_tag_alone_may_be_asked_for() -> None:
    counts = [
        counted("sent", 1, of="a", channel="email"),
        counted("sent", 2, of="a", channel="sms"),
        counted("entered", 3, of="a"),
        counted("sent", 4, of="b", channel="email"),
    ]
    campaigns = stored("a", tags=["offers"]), stored("b")
    for wish, sent, entered in (
        (Wish(campaign="b"), 4, 0),
        (Wish(channel="email"), 5, 0),
        (Wish(tag="offers"), 3, 3),
        (Wish(tag="offers", channel="sms"), 2, 0),
        (Wish(campaign="none"), 0, 0),
    ):
        found = await numbers(counts, *campaigns, wish=wish)
        assert (found.all.now["sent"], found.all.now["entered"]) == (sent, entered), wish


async def test_conversions_are_those_of_treated_users_by_the_first_event() -> None:
    found = await numbers(
        [
            counted("unique_conversions", 3, detail="A"),
            counted("unique_conversions", 2, detail="A", variant="B"),
            counted("unique_conversions", 50, detail="A", variant="control"),
            counted("unique_conversions", 70, detail="B"),
        ]
    )
    assert found.all.now["unique_conversions"] == 5
    assert series(found.days, "unique_conversions") == [0, 0, 0, 0, 0, 0, 5]


async def test_what_arrived_is_known_channel_by_channel() -> None:
    """A provider that reports arrivals is believed; else what did not come back arrived."""
    found = await numbers(
        [
            counted("sent", 10, channel="email"),
            counted("unique_delivered", 7, channel="email"),
            counted("sent", 4, channel="sms"),
            counted("unique_bounced", 1, channel="sms"),
        ]
    )
    assert found.all.now["arrived"] == 7 + 3


async def test_every_day_has_its_place_also_where_nothing_happened() -> None:
    found = await numbers(
        [counted("sent", 2, TODAY - 2 * DAY + HOUR, channel="email"), counted("sent", 1, TODAY)]
    )
    assert [one.label for one in found.days] == [f"{day} Nov" for day in range(4, 11)]
    assert series(found.days, "sent") == [0, 0, 0, 0, 2, 0, 1]
    hours = await numbers([counted("sent", 2, TODAY + HOUR)], spans=days("1"))
    assert [one.label for one in hours.days][:2] == ["00:00", "01:00"]
    assert len(hours.days) == 11
    assert series(hours.days, "sent")[1] == 2


async def test_the_funnel_tells_who_did_not_go_on_and_why() -> None:
    found = await numbers(
        [
            counted("entered", 6),
            counted("refused", 3, detail="not_in_audience"),
            counted("refused", 1, detail="already_waiting"),
            counted("refused", 99, TODAY - 9 * DAY, detail="already_waiting"),
            counted("control", 2, variant="control"),
            counted("cancelled", 2, detail="exception_event"),
            counted("sent", 4, channel="email"),
            counted("failed", 1, channel="email", detail="refused"),
            counted("unique_opens", 3, channel="email"),
            counted("unique_received", 4),
            counted("unique_conversions", 1, detail="A"),
        ],
        waiting={"c": 5},
    )
    steps = {step.name: step for step in funnel_steps(found)}
    assert {name: step.count for name, step in steps.items()} == {
        "Triggered": 12,
        "Entered": 6,
        "Waiting now": 5,
        "Sent": 4,
        "Delivered": 4,
        "Opened": 3,
        "Clicked": 0,
        "Converted": 1,
    }
    assert [(one.reason, one.count) for one in steps["Triggered"].losses] == [
        ("not_in_audience", 3),
        ("already_waiting", 1),
        ("control_group", 2),
    ]
    assert [one.metric for one in steps["Entered"].losses] == ["cancelled"]
    assert steps["Opened"].share == 0.75
    assert steps["Triggered"].share is None
    assert steps["Converted"].share == 0.25


async def test_beyond_the_bound_the_campaigns_published_last_are_counted() -> None:
    many = [
        StoredCampaign(f"id-{n}", stored(f"c{n}").document, "active", 1, 0, 0, n)
        for n in range(ANALYTICS_CAMPAIGNS_MAX + 2)
    ]
    found = await numbers([counted("sent", 1, of="c0"), counted("sent", 1, of="c5")], *many)
    assert found.left_off == 2
    assert found.all.now["sent"] == 1


# Words


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (120, 100, "20 % more than 100 before"),
        (50, 100, "50 % less than 100 before"),
        (1_001, 1_000, "under 1 % more than 1,000 before"),
        (7, 7, "as before"),
        (0, 0, "none before either"),
        (7, 0, "none before"),
        (0, 4, "100 % less than 4 before"),
    ],
)
def test_a_change_is_told_in_words(now: int, before: int, words: str) -> None:
    assert change_words(now, before) == words


def compared(treated: tuple[int, int], control: tuple[int, int]) -> Compared:
    document = stored("c", control_percent=50, conversions=[{"purchase": {}, "within": "1d"}])
    users = {"A": treated[0], "control": control[0]}
    converted = {("A", "A"): treated[1], ("control", "A"): control[1]}
    [found] = compare(document.document, ["A"], users, converted)
    return found


def test_how_many_more_users_are_needed_is_told_while_chance_may_explain_it() -> None:
    """Fleiss: 5 % against 6 % takes 8,158 users in each arm."""
    of = compared((1_000, 60), (1_000, 50))
    assert missing_words(of.comparisons[0], of) == (
        "Not enough data yet: about 14,000 more users needed to tell a difference like this from "
        "chance."
    )


@pytest.mark.parametrize(
    ("treated", "control"),
    [
        ((10_000, 900), (10_000, 500)),  # sure already
        ((1_000, 50), (1_000, 50)),  # no difference at all
        ((1_000, 1), (1_000, 0)),  # of a rate of nought nothing can be planned
        ((50, 5), (50, 1)),  # said by the comparison itself
    ],
)
def test_nothing_is_told_where_no_number_of_users_would_help(
    treated: tuple[int, int], control: tuple[int, int]
) -> None:
    of = compared(treated, control)
    assert missing_words(of.comparisons[0], of) == ""


def test_a_difference_that_would_take_millions_is_said_to_be_none() -> None:
    of = compared((1_000_000, 50_001), (1_000_000, 50_000))
    assert missing_words(of.comparisons[0], of).startswith("So small a difference")
