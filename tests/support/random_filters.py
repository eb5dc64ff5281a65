"""Random audiences, and random users that are in them about as often as not."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from segue.engine.audience import RETARGETING_KINDS
from segue.engine.past import past_of, tracker_of, with_occurrence
from segue.engine.references import leaves_of
from segue.model.channels import CHANNELS
from segue.model.filters import Filter
from segue.model.instants import DAY, HOUR, format_instant
from segue.model.interactions import INTERACTIONS
from segue.model.state import Done, History, Membership, UserState
from segue.model.workspace import Segment

AT = 1_800_000_000_000_000  # T of every question: a day in January 2027
SLUGS = ("one", "two", "gone")
TAGS = ("red", "blue")
SPANS = ("1h", "1d", "30d")
MOMENTS = tuple(AT - ago for ago in (0, HOUR, HOUR + 1, DAY, 2 * DAY, 40 * DAY))
VALUES = ("FR", "DE", "", 7, 7.5, True, None, ["FR", 7], format_instant(AT - HOUR), "soon")

values = st.sampled_from(VALUES)
scalars = st.sampled_from([one for one in VALUES if not isinstance(one, list)])
spans = st.sampled_from(SPANS)
instants = st.sampled_from([format_instant(at) for at in MOMENTS])
numbers = st.sampled_from((0, 1, 7, 7.5))

operators = st.one_of(
    st.fixed_dictionaries({"eq": scalars}),
    st.fixed_dictionaries({"ne": scalars}),
    st.fixed_dictionaries({"in": st.lists(scalars, max_size=3)}),
    st.fixed_dictionaries({"not_in": st.lists(scalars, max_size=3)}),
    st.fixed_dictionaries({"gte": numbers, "lt": numbers}),
    st.fixed_dictionaries({"gt": numbers}),
    st.fixed_dictionaries({"lte": numbers}),
    st.fixed_dictionaries({"contains": scalars}),
    st.fixed_dictionaries({"not_contains": scalars}),
    st.fixed_dictionaries({"matches": st.sampled_from(("^F", "o+"))}),
    st.fixed_dictionaries({"before": instants}),
    st.fixed_dictionaries({"after": instants, "is_not_blank": st.booleans()}),
    st.fixed_dictionaries({"in_last": spans}),
    st.fixed_dictionaries({"not_in_last": spans}),
    st.fixed_dictionaries({"is_blank": st.booleans()}),
)
counts = st.sampled_from(({"gte": 2}, {"eq": 0}, {"gt": 0, "lt": 3}, {"lte": 1}, {}))
moments = st.one_of(
    st.fixed_dictionaries({"before": instants}),
    st.fixed_dictionaries({"after": instants}),
    st.fixed_dictionaries({"in_last": spans}),
    st.fixed_dictionaries({"not_in_last": spans}),
)
past = st.fixed_dictionaries(
    {}, optional={"count": counts, "within": spans, "first": moments, "last": moments}
)
campaigns = st.one_of(
    st.sampled_from((*SLUGS, "any", "id-of-two", "nowhere")),
    st.builds(lambda tag: {"tag": tag}, st.sampled_from(TAGS)),
)
options = {"campaign": campaigns, "within": spans, "variant": st.sampled_from(("A", "B"))}


@st.composite
def retargeting(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(RETARGETING_KINDS))
    more = {"channel": st.sampled_from(CHANNELS)} if kind in ("received", "opened") else {}
    more |= {"alias": st.sampled_from(("cta", "footer"))} if kind == "clicked" else {}
    return {kind: draw(st.fixed_dictionaries({}, optional={**options, **more}))}


@st.composite
def interactions(draw: st.DrawFn) -> dict[str, Any]:
    row = INTERACTIONS[draw(st.sampled_from(sorted(INTERACTIONS)))]
    spec = {"interaction": row.name, **draw(st.fixed_dictionaries({}, optional=options))}
    if "alias" in row.options:
        spec["alias"] = draw(st.sampled_from(("cta", "footer")))
    if "button" in row.options and draw(st.booleans()):
        spec["button"] = "yes"
    if "body_only" in row.options:
        spec["body_only"] = draw(st.booleans())
    if "outcome" in row.options and draw(st.booleans()):
        spec["outcome"] = "delivered"
    return {"interact_with_campaign": spec}


leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda name, written: {"attribute": name, **written},
        st.sampled_from(("country", "nested.city", "missing")),
        operators,
    ),
    st.builds(lambda written: {"event": {"name": "go", **written}}, past),
    st.just({"event": "go"}),
    st.builds(lambda written: {"purchase": {"product_id": "sku", **written}}, past),
    st.builds(lambda written: {"session": written}, past),
    retargeting(),
    interactions(),
    st.builds(lambda slug: {"segment": slug}, st.sampled_from(("french", "missing"))),
    st.builds(
        lambda state: {"subscription": {"email": state, "news": "subscribed"}},
        st.sampled_from(("opted_in", "subscribed", "unsubscribed")),
    ),
    st.builds(lambda channel: {"reachable": channel}, st.sampled_from(("email", "sms"))),
)
trees = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(lambda some: {"all": some}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda some: {"any": some}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, parts),
    ),
    max_leaves=6,
)
filters = trees.map(lambda tree: msgspec.convert(tree, Filter))
SEGMENTS = {
    "french": Segment(
        slug="french",
        name="French",
        filter=msgspec.convert({"attribute": "country", "eq": "FR"}, Filter),
    )
}

done = st.builds(
    Done,
    act=st.sampled_from(sorted({row.act for row in INTERACTIONS.values()} | {"email_delivered"})),
    detail=st.sampled_from(("", "cta", "yes", "A")),
    variant=st.sampled_from(("A", "B", "control", "")),
    is_machine=st.booleans(),
    last_at=st.sampled_from(MOMENTS),
    receipt_count=st.just(1),
)
memberships = st.dictionaries(
    st.sampled_from(SLUGS),
    st.builds(lambda some: Membership(done=some), st.lists(done, max_size=4)),
)


@st.composite
def users(draw: st.DrawFn, audience: Filter) -> UserState:
    """Draw a user of whom everything that the audience asks about may be known."""
    histories: dict[str, History] = {}
    for leaf, _path in leaves_of(audience, ""):
        asked = past_of(leaf)
        for at in draw(st.lists(st.sampled_from(MOMENTS), max_size=4)) if asked else ():
            key = tracker_of(asked).key
            histories[key] = with_occurrence(histories.get(key), at)
    return UserState(
        attributes=draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "country": values,
                    "nested": st.builds(lambda one: {"city": one}, values),
                },
            )
        ),
        memberships=draw(memberships),
        subscriptions=draw(
            st.dictionaries(
                st.sampled_from(("email", "news", "sms")),
                st.sampled_from(("opted_in", "subscribed", "unsubscribed")),
            )
        ),
        dead_addresses=draw(st.dictionaries(st.sampled_from(("email", "sms")), st.just("x@y.z"))),
        histories=histories,
    )
