"""An address that refused a message for good takes no other, until it changes."""

import pytest

from segue.engine.decide import decide
from segue.engine.plan import EMPTY_PLAN
from segue.engine.sending import obstacle_to
from segue.model.channels import Channel
from segue.model.events import AttributesSet, Cause, SendSettled, Settlement
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
