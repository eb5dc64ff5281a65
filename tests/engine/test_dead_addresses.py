"""Who a channel can reach: dead addresses, and the subscription that a campaign asks for."""

import pytest

from segue.engine.audience import Audiences
from segue.engine.decide import decide
from segue.engine.plan import EMPTY_PLAN
from segue.engine.reachability import channels_that_reach
from segue.engine.sending import obstacle_to
from segue.model.campaigns import Subscription
from segue.model.channels import Channel
from segue.model.events import AttributesSet, Cause, SendSettled, Settlement
from segue.model.filters import Filter
from segue.model.state import Handed, Membership, UserState


def after(state: UserState, *causes: Cause) -> UserState:
    for cause in causes:
        state = decide(state, cause, EMPTY_PLAN).state
    return state


@pytest.mark.parametrize(
    ("channel", "attribute", "address"),
    [("email", "email", "ada@people.test"), ("sms", "phone", "+33600000000")],
)
def test_a_dead_address_stays_dead_until_another_one_is_set(
    channel: Channel, attribute: str, address: str
) -> None:
    def sets(value: str) -> AttributesSet:
        return AttributesSet("ada", {attribute: value}, 5)

    handed = Handed("s", "A", 0, "e", [channel])
    refusal = SendSettled("ada", "c", "s", channel, "refused", "unreachable")
    state = UserState(memberships={"c": Membership(handed=handed)})
    state = after(state, sets(address), Settlement(refusal, 6))
    assert obstacle_to(state, channel) == "unreachable"
    assert obstacle_to(after(state, sets(address)), channel) == "unreachable"
    assert obstacle_to(after(state, sets("another")), channel) is None


# Of a channel: what a campaign asks for, what the user is, and what stands in the way.
OBSTACLES: list[tuple[Subscription, str, str | None]] = [
    ("subscribed", "opted_in", None),
    ("subscribed", "subscribed", None),
    ("subscribed", "unsubscribed", "unsubscribed"),
    ("opted_in", "opted_in", None),
    ("opted_in", "subscribed", "not_opted_in"),
    ("opted_in", "unsubscribed", "unsubscribed"),
    ("all", "opted_in", None),
    ("all", "subscribed", None),
    ("all", "unsubscribed", None),
]


@pytest.mark.parametrize(("wanted", "subscription", "obstacle"), OBSTACLES)
@pytest.mark.parametrize("channel", ["email", "push", "sms"])
def test_a_campaign_goes_to_those_whose_subscription_it_asks_for(
    channel: Channel, wanted: Subscription, subscription: str, obstacle: str | None
) -> None:
    state = UserState(subscriptions={channel: subscription})
    assert obstacle_to(state, channel, None, wanted) == obstacle


def test_what_cannot_be_subscribed_to_goes_to_those_who_opted_in_elsewhere_too() -> None:
    for channel in ("webhook", "in_app_message", "content_card"):
        assert obstacle_to(UserState(), channel, None, "opted_in") is None  # type: ignore[arg-type]


def test_a_group_is_left_by_who_never_joined_it_whatever_they_opted_in_to() -> None:
    state = UserState(subscriptions={"email": "opted_in"})
    assert obstacle_to(state, "email", "news", "opted_in") == "unsubscribed"
    joined = UserState(subscriptions={"email": "opted_in", "news": "subscribed"})
    assert obstacle_to(joined, "email", "news", "opted_in") is None


def test_a_dead_address_gets_nothing_that_goes_to_all_either() -> None:
    dead = UserState(dead_addresses={"email": "a@b.test"}, subscriptions={"email": "unsubscribed"})
    assert obstacle_to(dead, "email", None, "all") == "unreachable"


@pytest.mark.parametrize("subscription", ["opted_in", "subscribed", "unsubscribed"])
def test_who_opted_in_counts_as_reachable(subscription: str) -> None:
    state = UserState(attributes={"email": "a@b.test"}, subscriptions={"email": subscription})
    is_reachable = subscription != "unsubscribed"
    assert ("email" in channels_that_reach(state)) == is_reachable
    assert Audiences({}, {}).compile(Filter(reachable="email"))(state, 0) == is_reachable
