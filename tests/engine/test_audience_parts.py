"""A count reads of each state only what its filter looks at, and comes to the same."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.engine.audience import Audiences
from segue.engine.audience_parts import leaves_among, parts_read
from segue.engine.past import past_of, tracker_of
from segue.engine.reachability import channels_that_reach
from segue.engine.workspace_checks import decode_segment
from segue.model.devices import RegisteredDevice
from segue.model.filters import KINDS, Filter
from segue.model.instants import DAY
from segue.model.state import STATE_PARTS, Done, History, Membership, UserState
from segue.model.workspace import Segment
from segue.storage.encoding import encode
from segue.storage.partial_states import decoder_of_parts, is_empty

NOW = 1_760_000_000_000_000
LEAVES: dict[str, dict[str, Any]] = {
    "attribute": {"attribute": "country", "in": ["FR", "BE"]},
    "event": {"event": {"name": "bought", "count": {"gte": 2}}},
    "purchase": {"purchase": {"within": "2d"}},
    "session": {"session": {"last": {"in_last": "1d"}}},
    "received": {"received": {"campaign": "sale", "channel": "email"}},
    "opened": {"opened": {"campaign": "any"}},
    "clicked": {"clicked": {"campaign": "sale", "alias": "cta"}},
    "converted": {"converted": {"campaign": "sale"}},
    "in_control": {"in_control": {"campaign": "sale"}},
    "interact_with_campaign": {"interact_with_campaign": {"interaction": "email_other_open"}},
    "segment": {"segment": "fans"},
    "subscription": {"subscription": {"email": "subscribed", "news": "opted_in"}},
    "reachable": {"reachable": "email"},
}
FANS = decode_segment({"slug": "fans", "name": "Fans", "filter": {"event": "bought"}})
SEGMENTS = {"fans": FANS}
PHONE = RegisteredDevice("phone", "ios", "token")


def filter_of(node: dict[str, Any]) -> Filter:
    return decode_segment({"slug": "x", "name": "X", "filter": node}).filter


def state_of(seed: int) -> UserState:
    """Return a state in which anything may be there or not."""
    random = Random(seed)
    pasts = [past_of(filter_of(LEAVES[kind])) for kind in ("event", "purchase", "session")]
    keys = [tracker_of(past).key for past in (*pasts, past_of(FANS.filter)) if past is not None]
    acts = ["email_receive", "email_open", "email_click", "conversion", "control_group_enroll"]
    done = [
        Done(act, random.choice(("", "cta")), random.choice(("A", "control")), False, NOW, 1)
        for act in random.sample(acts, random.randrange(4))
    ]
    subscriptions = {"email": random.choice(("unsubscribed", "opted_in")), "news": "opted_in"}
    return UserState(
        attributes=random.choice(({}, {"country": "FR"}, {"country": "DE", "email": "a@b.test"})),
        memberships={"sale": Membership(done=done)} if random.random() < 0.7 else {},
        subscriptions=subscriptions if random.random() < 0.5 else {},
        dead_addresses={"email": "a@b.test"} if random.random() < 0.3 else {},
        histories={
            key: History(2, NOW - 3 * DAY, [NOW - 3 * DAY, NOW - random.choice((0, 2)) * DAY])
            for key in random.sample(keys, random.randrange(4))
        },
        devices=random.choice(([], [PHONE])),
    )


def trees() -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        st.sampled_from(list(LEAVES.values())),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=5,
    )


def test_every_kind_of_leaf_is_among_those_tried() -> None:
    assert set(LEAVES) == set(KINDS) - {"all", "any", "not_"}


@given(node=trees(), seed=st.integers(0, 10_000))
def test_an_audience_decides_by_the_parts_it_reads_as_by_all(
    node: dict[str, Any], seed: int
) -> None:
    tree, state = filter_of(node), state_of(seed)
    holds = Audiences({}, SEGMENTS).compile(tree)
    partial = decoder_of_parts(parts_read(tree, SEGMENTS)).decode(encode(state))
    assert holds(partial, NOW) == holds(state, NOW)


@given(seed=st.integers(0, 10_000))
def test_a_part_that_is_not_read_can_still_be_asked_whether_it_is_empty(seed: int) -> None:
    state = state_of(seed)
    partial = decoder_of_parts(()).decode(encode(state))
    for part in STATE_PARTS:
        assert is_empty(getattr(partial, part)) == (not getattr(state, part))


def test_segments_are_looked_into_and_a_circle_of_them_ends() -> None:
    first = Segment(slug="first", name="First", filter=filter_of({"segment": "second"}))
    second = Segment(
        slug="second",
        name="Second",
        filter=filter_of({"any": [{"segment": "first"}, {"attribute": "a", "eq": 1}]}),
    )
    segments = {"first": first, "second": second}
    tree = filter_of({"not": {"segment": "first"}})
    assert [leaf.kinds() for leaf in leaves_among(tree, segments)] == [["attribute"]]
    assert parts_read(tree, segments) == {"attributes"}
    assert parts_read(filter_of({"segment": "gone"}), segments) == set()


@pytest.mark.parametrize(
    ("state", "reached"),
    [
        (UserState(), set()),
        (UserState(attributes={"email": "a@b.test", "phone": "+331"}), {"email", "sms"}),
        (UserState(attributes={"email": "a@b.test"}, dead_addresses={"email": "a@b.test"}), set()),
        (UserState(devices=[PHONE]), {"push"}),
        (UserState(devices=[PHONE], subscriptions={"push": "unsubscribed"}), set()),
        (
            UserState(
                attributes={"email": "a@b.test", "phone": ""},
                subscriptions={"push": "unsubscribed", "email": "opted_in"},
            ),
            {"email"},
        ),
    ],
)
def test_a_channel_reaches_whom_it_has_a_live_address_of_and_who_did_not_leave(
    state: UserState, reached: set[str]
) -> None:
    always = {"webhook", "in_app_message", "content_card"}  # they need no address
    assert set(channels_that_reach(state)) == reached | always
