"""Every reason, produced by the shortest story that does, and explained from the log alone.

Each is told by its check or by the answer of the provider, with the values that were compared.
"""

from textwrap import wrap
from typing import Any

import pytest
from inline_snapshot import snapshot
from tests.support.reason_stories import STORIES, explained

from segue.engine.watching import CHECK_REASONS
from segue.model.explanations import ExplainedCheck
from segue.model.instants import parse_instant, to_datetime
from segue.model.reasons import REASONS

WIDTH = 80

# Of the failed check, what it compared; instants of November 2026 as text.
COMPARED: dict[str, dict[str, Any]] = {
    "published_after_event": {
        "happened_at": "2026-11-01T09:00:00Z",
        "published_at": "2026-11-04T09:00:00Z",
        "received_at": "2026-11-05T09:00:00Z",
    },
    "outside_window": {"at": "2026-11-01T09:00:00Z", "start": "2026-11-02T00:00:00Z"},
    "not_in_audience": {},  # its tree is looked at below
    "not_re_eligible": {"last_at": "2026-11-01T09:00:00Z", "again_at": "2026-12-01T09:00:00Z"},
    "already_waiting": {
        "waits_since": "2026-11-01T09:00:00Z",
        "due_at": "2026-11-03T09:00:00Z",
    },
    "chain_limit": {"hops": 10, "hops_max": 10, "entries": 0},
    "control_group": {"bucket": 74, "control_percent": 99},
    "outside_time_of_day": {"local_time": "04:00", "time_zone": "America/New_York"},
    "quiet_hours": {"local_time": "10:00", "time_zone": "Europe/Paris"},
    "unsubscribed": {"channel": "email", "subscription": "unsubscribed"},
    "not_opted_in": {"channel": "email", "subscription": "subscribed"},
    "unreachable": {"channel": "email", "dead_address": "ann@people.test"},
    "frequency_cap": {"channel": "email"},  # its caps are looked at below
}
SUMMARIES = snapshot(
    {
        "published_after_event": [
            'ann did not get “The offer”: ann did "go" on 1 Nov 09:00, but it happened 3 days',
            "before the campaign was published on 4 Nov 09:00 (it reached Segue 4 days after",
            "it happened).",
        ],
        "outside_window": [
            'ann did not get “The offer”: ann did "go" on 1 Nov 09:00, but 1 Nov 09:00 is 15',
            "hours before the campaign's window, from 2 Nov 00:00 until 9 Nov 00:00.",
        ],
        "not_in_audience": [
            'ann did not get “The offer”: ann did "go" on 1 Nov 11:00, but ann was not in the',
            'audience: it asks that country is one of "FR", "BE" (it is "DE") and it leaves',
            'out users of whom it holds that the event "bought" happened at least once in the',
            "last 30 days (it happened once, on 1 Nov 10:00).",
        ],
        "not_re_eligible": [
            'ann did not get “The offer”: ann did "go" on 3 Nov 09:00, but ann fell in its',
            "control group, which gets nothing, on 1 Nov 09:00, and may enter again only",
            "after 30 days, from 1 Dec 09:00.",
        ],
        "already_waiting": [
            'ann waits for “The offer” until 3 Nov 09:00, because ann did "go" on 1 Nov',
            '09:00. It is cancelled by the event "stop" before then.',
        ],
        "chain_limit": [
            "ann got “The offer” 5 times, last on 1 Nov 09:00, because ann received “ping” by",
            "push notification on 1 Nov 09:00. Since then: ann received “ping” by push",
            "notification on 1 Nov 09:00, but 10 sends led to it with nobody acting in",
            "between, and fewer than 10 may.",
        ],
        "control_group": [
            'ann did not get “The offer”: ann did "go" on 1 Nov 09:00, but ann falls in its',
            "control group, which gets nothing: of the numbers 0 to 99, ann has 74 in this",
            "campaign, and the control group 0 to 98.",
        ],
        "exception_event": [
            'ann did not get “The offer”: ann did "stop" on 3 Nov 09:00, while waiting for 8',
            "Nov 09:00.",
        ],
        "campaign_stopped": [
            "ann did not get “The offer”: it was stopped on 3 Nov 09:00, while ann was",
            "waiting for 8 Nov 09:00.",
        ],
        "campaign_archived": [
            "ann did not get “The offer”: it was archived on 3 Nov 09:00, while ann was",
            "waiting for 8 Nov 09:00.",
        ],
        "outside_time_of_day": [
            "ann did not get “The offer”: it was due on 1 Nov 09:00, but it was 04:00 for ann",
            "(America/New_York), and it sends only from 12:00 to 21:00.",
        ],
        "quiet_hours": [
            "ann did not get “The offer”: it was due on 1 Nov 10:00, but it was 10:00 for ann",
            "(Europe/Paris), and quiet hours are from 08:00 to 11:00.",
        ],
        "unsubscribed": [
            "ann did not get “The offer”: it was due on 2 Nov 09:00, but ann has unsubscribed",
            "from email.",
        ],
        "not_opted_in": [
            "ann did not get “The offer”: it was due on 2 Nov 09:00, but it goes to those",
            "alone who opted in to email, and ann has not.",
        ],
        "suppressed": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the address is",
            "on the suppression list (a complaint).",
        ],
        "unreachable": [
            "ann did not get “The offer”: it was due on 2 Nov 09:00, but the email address",
            '"ann@people.test" takes no messages any more.',
        ],
        "frequency_cap": [
            'ann did not get “The offer”: it was due on 1 Nov 11:00, but the cap "weekly" is',
            "reached: ann has had 2 of at most 2 email messages in 7 days, since 26 Oct",
            "00:00.",
        ],
        "recipients_max": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the campaign",
            "had been sent to as many users as it may reach (recipients_max is 1).",
        ],
        "rate_limited": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but its turn did",
            "not come in time: the campaign sends few a minute (sends_per_minute_max is 5).",
        ],
        "no_address": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the profile of",
            "ann has no address for email (no email).",
        ],
        "aborted": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the template",
            "of the email aborted it for ann (nothing left in the cart).",
        ],
        "template_error": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the template",
            "of the email failed for ann (email.text:1: divided by 0).",
        ],
        "refused": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the provider",
            "refused the email (554 5.7.1 looks like spam).",
        ],
        "gave_up": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but the provider",
            "could not be reached in the time allowed (451 4.3.2 try later).",
        ],
        "unknown_outcome": [
            "ann did not get “The offer”: it was to go out on 1 Nov 09:00, but Segue was cut",
            "off during hand-over, and cannot know whether it went out.",
        ],
    }
)


def test_every_reason_has_its_story() -> None:
    assert STORIES.keys() == REASONS.keys()


@pytest.mark.parametrize("reason", STORIES)
def test_a_reason_is_explained_by_its_step_and_in_the_answer(reason: str) -> None:
    found = explained(reason)
    step = next(
        step for step in found.steps if any(one.get("reason") == reason for one in step.decisions)
    )
    assert step.lines or step.kind in ("settled", "stopped", "archived")
    # Whoever waits, or got it all the same, has no reason for not getting it.
    assert found.reason == (reason if found.standing not in ("waiting", "sent") else None)
    assert wrap(found.summary, WIDTH) == SUMMARIES[reason]


@pytest.mark.parametrize("reason", COMPARED)
def test_the_failed_check_says_what_it_compared(reason: str) -> None:
    found = explained(reason)
    failed = [one for step in found.steps for one in step.checks() if not one.is_passed]
    check = next(one for one in failed if one.reason == reason)
    compared = {
        name: to_datetime(parse_instant(value)) if str(value).startswith("2026-") else value
        for name, value in COMPARED[reason].items()
    }
    assert check.facts.items() >= compared.items()


def test_every_check_of_the_engine_is_among_them() -> None:
    assert {*COMPARED, "campaign_stopped", "campaign_archived"} == set(CHECK_REASONS)


def failed_check(reason: str) -> ExplainedCheck:
    lines = [line for step in explained(reason).steps for line in step.checks()]
    return next(line for line in lines if line.reason == reason and not line.is_passed)


def test_the_audience_shows_each_filter_with_its_answer_and_what_it_found() -> None:
    trace = failed_check("not_in_audience").facts["audience"]
    country, others = trace.parts
    assert [trace.is_passed, country.is_passed, others.is_passed] == [False, False, False]
    assert (country.found, others.parts[0].found["count"]) == ("DE", 1)
    assert country.sentence == 'country is one of "FR", "BE"; it is "DE"'
    assert others.parts[0].sentence == (
        'the event "bought" happened at least once in the last 30 days; '
        "it happened once, on 1 Nov 10:00"
    )


def test_a_cap_shows_its_count_and_since_when() -> None:
    [cap] = failed_check("frequency_cap").facts["caps"]
    assert (cap["slug"], cap["count"], cap["messages_max"]) == ("weekly", 2, 2)
    assert cap["since"] == to_datetime(parse_instant("2026-10-26T00:00:00Z"))


def test_the_cancelling_act_names_the_exception_and_the_wait_it_ended() -> None:
    step = explained("exception_event").steps[-1]
    [heard] = step.hearings()
    assert (heard.path, heard.outcome) == ("delivery.exceptions[0]", "cancelled")
    assert heard.facts["due_at"] == to_datetime(parse_instant("2026-11-08T09:00:00Z"))
    assert step.event is not None
    assert step.event["name"] == "stop"


@pytest.mark.parametrize("reason", ["aborted", "template_error", "refused", "gave_up"])
def test_what_the_provider_or_the_template_said_is_told(reason: str) -> None:
    step = next(step for step in explained(reason).steps if step.kind == "settled")
    [decision] = step.decisions
    assert decision["detail"] in step.sentence
