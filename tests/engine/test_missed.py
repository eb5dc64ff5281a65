"""Who was too early for a campaign, by trigger and in all (semantics.md 2, "Missed users")."""

from typing import Any

import pytest
from tests.support.documents import did_not, email, follower, interaction, push

from segue.engine.checks import decode_campaign
from segue.engine.matching import Target
from segue.engine.missed import MissedUsers, missed_users
from segue.model.instants import FOREVER
from segue.model.state import CONTROL_VARIANT, Done, Membership, UserState

PUBLISHED_AT = 1_000
SPEC = "delivery.triggers[0].interact_with_campaign"
BODIES = [email(html="<p>Hello</p>"), push(buttons=[{"id": "claim", "text": "Claim"}])]
TARGETS = {
    slug: Target(
        slug,
        f"id-of-{slug}",
        decode_campaign(
            follower(slug, messages=BODIES, tags=["sale"] if slug != "news" else [], **parts)
        ),
    )
    for slug, parts in {
        "spring": {"conversions": [{"purchase": {}}], "control_percent": 10},
        "summer": {},
        "news": {},
    }.items()
}


def done(act: str, at: int = 500, detail: str = "", **more: Any) -> Done:
    parts = {"variant": "A", "is_machine": False, "receipt_count": 1, **more}
    return Done(act=act, detail=detail, last_at=at, **parts)


def user(**done_by_slug: list[Done]) -> UserState:
    members = {slug: Membership(done=acts) for slug, acts in done_by_slug.items()}
    return UserState(memberships=members)


def count(
    *states: UserState,
    campaigns: dict[str, list[dict[str, Any]]],
    past: tuple[tuple[int, int], ...] = (),
) -> MissedUsers:
    documents = [decode_campaign(follower(slug, *those)) for slug, those in campaigns.items()]
    lives = (*past, (PUBLISHED_AT, FOREVER))
    counted = missed_users([(document, lives) for document in documents], TARGETS)
    for number, state in enumerate(states):
        counted.visit(f"user-{number}", state)
    return counted


CLICK = interaction("email_click", "spring")
ALIAS = interaction("email_alias_click", "spring", alias="a")
DELIVERED = interaction("email_receive", "spring", outcome="delivered")


@pytest.mark.parametrize(
    ("trigger", "acts", "is_missed"),
    [
        (CLICK, [done("email_click")], True),
        (CLICK, [done("email_open")], False),
        (CLICK, [], False),
        # What came at the instant of the publication, or later, had its chance.
        (CLICK, [done("email_click", PUBLISHED_AT - 1)], True),
        (CLICK, [done("email_click", PUBLISHED_AT)], False),
        (CLICK, [done("email_click", 5, "a"), done("email_click", PUBLISHED_AT, "b")], False),
        # Options and readings
        (
            ALIAS,
            [done("email_click", 5, "a")],
            True,
        ),
        (
            ALIAS,
            [done("email_click", 5, "b")],
            False,
        ),
        (interaction("email_other_open", "spring"), [done("email_open", is_machine=True)], False),
        (interaction("email_machine_open", "spring"), [done("email_open", is_machine=True)], True),
        (
            interaction("push_button_click", "spring", button="claim"),
            [done("push_button_click")],
            False,
        ),
        (interaction("email_click", "spring", variant="B"), [done("email_click")], False),
        (
            DELIVERED,
            [done("email_receive")],
            False,
        ),
        (
            DELIVERED,
            [done("email_delivered")],
            True,
        ),
        (
            interaction("conversion", "spring"),
            [done("conversion", 5, "A", variant=CONTROL_VARIANT)],
            False,
        ),
        (
            interaction("conversion", "spring", include_control=True),
            [done("conversion", 5, "A", variant=CONTROL_VARIANT)],
            True,
        ),
        (
            interaction("control_group_enroll", "spring"),
            [done("control_group_enroll", variant=CONTROL_VARIANT)],
            True,
        ),
        # A did_not waits from the receipt, whatever came after.
        (did_not("email_other_open", "spring"), [done("email_receive")], True),
        (did_not("email_other_open", "spring"), [done("push_receive")], False),
        (did_not("push_direct_open", "spring"), [done("push_receive")], True),
        # The campaign by other names
        (interaction("email_click", "id-of-spring"), [done("email_click")], True),
        (interaction("email_click", {"tag": "sale"}), [done("email_click")], True),
        (interaction("email_click", {"tag": "none"}), [done("email_click")], False),
        (interaction("email_click", "any"), [done("email_click")], True),
        (interaction("email_click", "summer"), [done("email_click")], False),
    ],
)
def test_a_user_is_missed_who_did_it_before_and_not_since(
    trigger: dict[str, Any], acts: list[Done], is_missed: bool
) -> None:
    counted = count(user(spring=acts), campaigns={"resend": [trigger]})
    assert counted.user_count == is_missed


def test_users_are_counted_by_trigger_and_once_in_all() -> None:
    opened, clicked = [done("email_open")], [done("email_open"), done("email_click")]
    triggers = [interaction("email_open", "spring"), CLICK]
    counted = count(
        user(spring=opened),
        user(spring=clicked),
        user(spring=clicked, summer=opened),
        user(summer=opened),
        user(),
        campaigns={"one": triggers, "two": [interaction("email_open", "summer")]},
    )
    one, two = counted.campaigns
    assert [trigger.user_count for trigger in one.triggers] == [3, 2]
    assert (one.user_count, two.user_count) == (3, 2)
    assert counted.user_count == 4


@pytest.mark.parametrize(("at", "is_missed"), [(99, True), (100, False), (299, False), (300, True)])
def test_what_was_done_while_the_campaign_was_active_before_was_not_missed(
    at: int, is_missed: bool
) -> None:
    """A campaign that was stopped and is published again had its users then."""
    state = user(spring=[done("email_click", at)])
    counted = count(state, campaigns={"resend": [CLICK]}, past=((100, 200), (200, 300)))
    assert counted.user_count == is_missed


def test_a_campaign_that_follows_nothing_published_is_left_out() -> None:
    counted = count(
        campaigns={"one": [interaction("email_open", "later")], "two": [{"event": "x"}]}
    )
    assert counted.campaigns == []
