"""Whether a user is in an audience at a moment (semantics.md 4)."""

from collections.abc import Callable

from msgspec import UNSET

from segue.model import interactions as catalogue
from segue.model.filters import (
    Filter,
    PastEvent,
    PastInteraction,
    PastPurchase,
    PastSession,
    Retargeting,
)
from segue.model.instants import parse_duration
from tests.support.oracle.matching import interaction_matches, purchase_matches
from tests.support.oracle.memory import Act, Knowledge, User
from tests.support.oracle.values import (
    comparison_holds,
    count_holds,
    look_up,
    moment_holds,
    where_holds,
)

# The interactions that the short filters stand for
MEANT = {
    "received": tuple(catalogue.RECEIVE_BY_CHANNEL.values()),
    "opened": ("email_open", "push_direct_open"),
    "clicked": (
        "email_click",
        "push_button_click",
        "push_story_page_click",
        "sms_short_link_click",
        "in_app_message_click",
        "content_card_click",
    ),
    "converted": ("conversion",),
    "in_control": ("control_group_enroll",),
}


def audience_holds(node: Filter, user: User, at: int, knowledge: Knowledge) -> bool:
    """Say whether a filter holds for a user at an instant; the filter has one kind."""
    kind = node.kinds()[0]
    holds: bool
    if kind == "all":
        holds = all(audience_holds(part, user, at, knowledge) for part in node.all or ())
    elif kind == "any":
        holds = any(audience_holds(part, user, at, knowledge) for part in node.any or ())
    elif kind == "not_":
        assert node.not_ is not UNSET
        holds = not audience_holds(node.not_, user, at, knowledge)
    elif kind == "segment":
        segment = knowledge.segments.get(str(node.segment))
        holds = segment is not None and audience_holds(segment.filter, user, at, knowledge)
    else:
        holds = _leaf_holds(node, kind, user, at, knowledge)
    knowledge.seen[f"filter {kind.rstrip('_')} {holds}"] += 1
    return holds


def _leaf_holds(node: Filter, kind: str, user: User, at: int, knowledge: Knowledge) -> bool:
    value = getattr(node, kind)
    holds: bool
    if kind == "attribute":
        holds = comparison_holds(node, look_up(user.attributes, value), at)
    elif kind == "subscription":
        holds = all(user.subscription(name) == wanted for name, wanted in value.items())
    elif kind == "reachable":
        is_dead = value in user.dead_channels
        holds = user.subscription(value) != "unsubscribed" and not is_dead
    elif kind == "interact_with_campaign":
        holds = _has_done(value, user, at, knowledge)
    elif kind in MEANT:
        holds = any(_has_done(each, user, at, knowledge) for each in _meant_by(kind, value))
    else:
        past = PastEvent(name=value) if isinstance(value, str) else value
        holds = _past_holds(past, user, at)
    return holds


def _has_done(spec: PastInteraction, user: User, at: int, knowledge: Knowledge) -> bool:
    return any(
        interaction_matches(spec, act, knowledge)
        and (spec.within is None or act.happened_at >= at - parse_duration(spec.within))
        for act in user.acts
    )


def _meant_by(kind: str, short: Retargeting) -> list[PastInteraction]:
    """Return the interactions of which any will do."""
    if short.alias is not None:
        names: tuple[str, ...] = ("email_alias_click",)
    else:
        names = MEANT[kind]
    return [
        PastInteraction(name, short.campaign, short.variant, short.alias, within=short.within)
        for name in names
        if short.channel in (None, catalogue.INTERACTIONS[name].channel)
    ]


def _past_holds(past: PastEvent | PastPurchase | PastSession, user: User, at: int) -> bool:
    is_meant = _test_of(past)
    moments = [act.happened_at for act in user.events if is_meant(act)]
    counted = [
        moment
        for moment in moments
        if past.within is None or moment >= at - parse_duration(past.within)
    ]
    return (
        count_holds(past.count, len(counted))
        and moment_holds(past.first, sorted(moments), at)
        and moment_holds(past.last, sorted(moments, reverse=True), at)
    )


def _test_of(past: PastEvent | PastPurchase | PastSession) -> Callable[[Act], bool]:
    if isinstance(past, PastEvent):
        return lambda act: (
            act.name == past.name and where_holds(past.where, act.properties, act.happened_at)
        )
    if isinstance(past, PastPurchase):
        return lambda act: purchase_matches(past.product_id, past.where, act)
    return lambda act: act.name == "session_start"
