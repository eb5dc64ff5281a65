"""What publishing campaigns together meets: each among the set as it will be."""

from typing import Any

import pytest
from tests.support.documents import campaign, did_not, follower, interaction, push

from segue.engine.checks import decode_campaign
from segue.engine.publication_checks import (
    Findings,
    Surroundings,
    check_edit,
    check_publication,
)
from segue.engine.target_checks import KnownCampaign
from segue.model.instants import parse_instant
from segue.model.problems import Problem
from segue.model.workspace import Workspace

NOW = "2026-11-01T12:00:00Z"
SPEC = "delivery.triggers[0].interact_with_campaign"


def known(document: dict[str, Any], status: str = "draft") -> KnownCampaign:
    slug = document["slug"]
    return KnownCampaign(slug, f"id-of-{slug}", status, decode_campaign(document))


def around(*others: KnownCampaign, now: str = NOW, time_zone: str = "UTC") -> Surroundings:
    workspace = Workspace(time_zone=time_zone)
    return Surroundings({one.slug: one for one in others}, {}, workspace, parse_instant(now))


def published(*documents: dict[str, Any], among: Surroundings | None = None) -> Findings:
    return check_publication([known(one) for one in documents], among or around())


def errors(found: Findings) -> list[tuple[str, str]]:
    return [(one.slug, one.problem.message) for one in found.errors]


def warnings(found: Findings) -> list[tuple[str, str]]:
    return [(one.slug, one.problem.message) for one in found.warnings]


def opens(slug: str, *targets: Any, **parts: Any) -> dict[str, Any]:
    html = [{"email": {"subject": "Hello", "html": "<p>Hello</p>"}}]
    triggers = [interaction("email_open", target) for target in targets]
    return follower(slug, *triggers, **{"messages": html, **parts})


def receives(slug: str, target: str) -> dict[str, Any]:
    return follower(slug, interaction("email_receive", target))


# The set as it will be


def test_references_to_what_is_published_too_are_fine() -> None:
    found = published(opens("second", "first"), opens("first", "zero"), opens("zero"))
    assert (found.errors, found.warnings) == ([], [])


def test_every_fault_of_every_campaign_is_told_with_the_campaign() -> None:
    found = published(opens("one", "gone"), opens("two", "one", "lost"), opens("three"))
    assert [(one.slug, one.problem.path) for one in found.errors] == [
        ("one", f"{SPEC}.campaign"),
        ("two", "delivery.triggers[1].interact_with_campaign.campaign"),
    ]


def test_a_stopped_target_is_a_warning_unless_it_is_published_along() -> None:
    sale = opens("sale")
    found = published(opens("resend", "sale"), among=around(known(sale, "stopped")))
    assert warnings(found) == [("resend", "sale is stopped: it sends nothing new to react to")]
    stopped = [known(opens("resend", "sale")), known(sale, "stopped")]
    assert check_publication(stopped, around()).warnings == []


def test_an_archived_target_is_an_error() -> None:
    found = published(opens("resend", "sale"), among=around(known(opens("sale"), "archived")))
    assert errors(found) == [("resend", "sale is archived; its interactions fire nothing")]


def test_a_loop_within_the_set_is_told_once() -> None:
    found = published(opens("a", "b"), opens("b", "a"))
    assert warnings(found) == [("a", "closes a loop of campaigns: a → b → a")]


def test_an_endless_loop_within_the_set_is_an_error() -> None:
    [(slug, message)] = errors(published(receives("a", "b"), receives("b", "a")))
    assert slug == "a"
    assert "a loop that nothing ever stops: a → b → a" in message


def test_a_loop_is_closed_with_what_sends_and_not_with_drafts() -> None:
    b = receives("b", "a")
    [(_, message)] = errors(published(receives("a", "b"), among=around(known(b, "active"))))
    assert "nothing ever stops" in message
    found = published(receives("a", "b"), among=around(known(b)))
    assert found.errors == []


# The order of publication


@pytest.mark.parametrize(
    "trigger",
    [
        interaction("email_open", "sale"),
        interaction("email_open", "id-of-sale"),
        interaction("email_open", {"tag": "spring"}),
        interaction("email_open", "any"),
        did_not("email_other_open", "sale"),
    ],
)
def test_a_draft_that_follows_is_a_warning(trigger: dict[str, Any]) -> None:
    draft = known(follower("draft", trigger))
    found = published(opens("sale", tags=["spring"]), among=around(draft))
    [(slug, message)] = warnings(found)
    assert slug == "sale"
    assert message.startswith("draft follows this campaign and is a draft")


@pytest.mark.parametrize(
    "other",
    [
        known(opens("other", "sale"), "active"),
        known(opens("other", "else")),
        known(follower("other", interaction("push_direct_open", "any"))),
        known(
            campaign("other", overrides={"delivery.exceptions[0]": interaction("email_open", "x")})
        ),
    ],
)
def test_what_is_active_or_does_not_follow_is_no_warning(other: KnownCampaign) -> None:
    assert published(opens("sale"), among=around(other)).warnings == []


def test_a_draft_that_is_published_along_is_no_warning() -> None:
    assert published(opens("resend", "sale"), opens("sale")).warnings == []


# Time


def scheduled(**schedule: Any) -> dict[str, Any]:
    delivery = {"type": "scheduled", "schedule": schedule}
    return campaign("news", delivery=delivery, messages=[push()])


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ({"at": "2026-11-01T11:59:59Z"}, '"2026-11-01T11:59:59Z" is past'),
        # Paris is an hour ahead of UTC in November: there it is 13:00.
        ({"at": "2026-11-01T12:30:00", "time_zone": "Europe/Paris"}, "is past"),
        # Where clocks are 14 hours ahead it is 02:00 of the 2nd.
        (
            {"at": "2026-11-02T01:59:00", "local": True},
            "came at 2026-11-01T11:59:00Z to the first users",
        ),
    ],
)
def test_a_schedule_that_has_passed_is_refused(schedule: dict[str, Any], sentence: str) -> None:
    [one] = published(scheduled(**schedule)).errors
    assert one.problem.path == "delivery.schedule.at"
    assert sentence in one.problem.message


@pytest.mark.parametrize(
    "schedule",
    [
        {"at": "2026-11-01T12:00:00Z"},
        {"at": "2026-11-01T13:01:00", "time_zone": "Europe/Paris"},
        {"at": "2026-11-02T02:00:00", "local": True},
        {"cron": "0 9 * * MON"},
        {"cron": "0 9 1 1 *", "local": True},
    ],
)
def test_a_schedule_that_is_to_come_is_no_problem(schedule: dict[str, Any]) -> None:
    assert published(scheduled(**schedule)).errors == []


def test_the_workspaces_zone_says_when_a_schedule_is() -> None:
    document = scheduled(at="2026-11-01T12:30:00")
    assert published(document).errors == []
    assert len(published(document, among=around(time_zone="Europe/Paris")).errors) == 1


def test_an_edit_of_a_campaign_whose_schedule_has_come_is_fine() -> None:
    assert check_edit(known(scheduled(at="2026-10-01T12:00:00Z"), "active"), around()) == []


def test_an_edit_is_held_against_the_others() -> None:
    [problem] = check_edit(known(opens("resend", "gone"), "active"), around())
    assert problem == Problem(f"{SPEC}.campaign", 'there is no campaign "gone"; there are: none')


@pytest.mark.parametrize(
    ("window", "is_over"),
    [
        ({"end": "2026-11-01T12:00:00Z"}, True),
        ({"end": "2026-11-01T12:00:01Z"}, False),
        ({"end": "2026-11-01T13:00:00"}, True),  # the workspace is in Paris
        ({"end": "2026-11-01T13:00:01"}, False),
        # Behind everybody else, at UTC-12, it has just become midnight.
        ({"end": "2026-11-01T00:00:00", "local": True}, True),
        ({"end": "2026-11-01T00:00:01", "local": True}, False),
        ({"start": "2020-01-01T00:00:00Z"}, False),
    ],
)
def test_a_window_that_is_over_is_a_warning(window: dict[str, Any], is_over: bool) -> None:
    document = opens("sale")
    document["delivery"]["window"] = window
    found = published(document, among=around(time_zone="Europe/Paris"))
    assert found.errors == []
    paths = [one.problem.path for one in found.warnings]
    assert paths == (["delivery.window.end"] if is_over else [])
