"""Words of explanations: none is missing, and the small ones are right."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from segue.engine.plan import EMPTY_PLAN
from segue.engine.watching import CHECK_REASONS, Hearing
from segue.model.channels import CHANNELS
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, from_datetime
from segue.model.interactions import ACTS
from segue.model.reasons import REASONS
from segue.services.explanations.act_words import ACT_WORDS
from segue.services.explanations.check_words import CHECK_WORDS
from segue.services.explanations.hearing_words import HEARING_WORDS
from segue.services.explanations.result_words import ACCEPTED, CANCELLED, SETTLED_WORDS
from segue.services.explanations.words import Words, span, times

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def words(user: str = "ann") -> Words:
    return Words(user, EMPTY_PLAN, from_datetime(NOON), {"c": "The offer"})


def test_every_check_has_its_words_for_passed_and_failed() -> None:
    assert set(CHECK_WORDS) == set(CHECK_REASONS)
    assert all(callable(said.passed) and callable(said.failed) for said in CHECK_WORDS.values())


def test_every_reason_is_told_by_a_check_an_answer_or_a_cancellation() -> None:
    assert set(REASONS) == {*CHECK_WORDS, *SETTLED_WORDS, *CANCELLED}


def test_every_way_of_hearing_has_its_words() -> None:
    assert set(HEARING_WORDS) == set(get_args(Hearing))


def test_every_act_and_every_accepted_channel_has_its_words() -> None:
    assert set(ACT_WORDS) == ACTS
    assert set(ACCEPTED) == set(CHANNELS)


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (0, "0 milliseconds"),
        (200_000, "200 milliseconds"),
        (SECOND, "1 second"),
        (MINUTE + 30 * SECOND, "1 minute 30 seconds"),
        (3 * DAY + 4 * HOUR + MINUTE, "3 days 4 hours"),
        (3 * DAY + 20 * SECOND, "3 days"),
        (7 * DAY, "7 days"),
    ],
)
def test_a_duration_is_told_by_its_two_largest_units(duration: int, said: str) -> None:
    assert span(duration) == said


def test_a_time_shows_seconds_and_year_where_they_tell_something() -> None:
    said = words()
    assert said.at(NOON) == "3 Nov 12:00"
    assert said.at(NOON + timedelta(seconds=7)) == "3 Nov 12:00:07"
    assert said.at(NOON.replace(year=2025)) == "3 Nov 2025 12:00"


def test_a_users_id_keeps_its_spelling_at_the_beginning_of_a_sentence() -> None:
    assert words("ann").sentence("ann opened it") == "ann opened it."
    assert words("ann").sentence("the wait is over") == "The wait is over."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        (True, "true"),
        (100.0, "100"),
        (7.5, "7.5"),
        ("a\nb", '"a\\nb"'),
        (["FR", 7, None], '"FR", 7, nothing'),
        ([], "an empty list"),
        (list(range(10)), "0, 1, 2, 3, 4, 5, 6, 7, …"),
        ("x" * 80, '"' + "x" * 58 + '…"'),
        ({"a": 1}, '{"a": 1}'),
        (NOON, "3 Nov 12:00"),
    ],
)
def test_a_value_is_shown_as_it_is_written_and_cut_if_it_is_long(value: object, said: str) -> None:
    assert words().value(value) == said


def test_a_campaign_goes_by_its_name_and_an_unknown_one_by_its_slug() -> None:
    assert words().campaign("c") == "“The offer”"
    assert words().campaign("other") == "“other”"


def test_never_once_and_twice_are_words() -> None:
    assert [times(count) for count in range(4)] == ["never", "once", "twice", "3 times"]
