"""Checks of an audience's tree of filters (semantics.md 4)."""

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from segue.engine.audience import RETARGETING_KINDS
from segue.engine.happening_checks import check_interaction, check_length
from segue.engine.past import past_of
from segue.engine.retargeting import channels_of
from segue.engine.value_checks import check_moment, check_operators, check_where
from segue.model.channels import CHANNELS
from segue.model.decoding import shown
from segue.model.events import PURCHASE, SESSION_START
from segue.model.filters import (
    KINDS,
    CountCondition,
    Filter,
    PastEvent,
    PastPurchase,
    PastSession,
    Retargeting,
)
from segue.model.instants import DAY
from segue.model.interactions import ACTS, INTERACTIONS
from segue.model.limits import FILTER_DEPTH_MAX
from segue.model.problems import Problem

_PAST_MAX: Final = 10_000 * DAY  # a filter looks back as far as there is a log
_KIND_NAMES: Final = tuple(name.rstrip("_") for name in KINDS)


def check_audience(node: Filter | None, path: str, depth: int = 1) -> Iterator[Problem]:
    """Yield what is wrong with a filter tree by itself."""
    if node is None:
        return
    if depth > FILTER_DEPTH_MAX:
        yield Problem(path, f"is nested deeper than {FILTER_DEPTH_MAX} levels")
        return
    written = node.kinds()
    if len(written) != 1:
        found = ", ".join(name.rstrip("_") for name in written) or "none"
        yield Problem(path, f"must be exactly one of {', '.join(_KIND_NAMES)}; it has {found}")
        return
    operators = node.operators()
    if operators and written != ["attribute"]:
        yield Problem(path, f"{operators[0][0].rstrip('_')} needs an `attribute` beside it")
        return
    for name in ("all", "any"):
        parts = getattr(node, name)
        if parts is not UNSET and not parts:
            yield Problem(f"{path}.{name}", "is empty; name at least one filter")
        for index, part in enumerate(() if parts is UNSET else parts):
            yield from check_audience(part, f"{path}.{name}[{index}]", depth + 1)
    if node.not_ is not UNSET:
        yield from check_audience(node.not_, f"{path}.not", depth + 1)
    if written[0] not in ("all", "any", "not_"):
        yield from _check_leaf(node, written[0], f"{path}.{written[0]}", path)


def _check_leaf(node: Filter, kind: str, path: str, node_path: str) -> Iterator[Problem]:
    if kind == "attribute":
        if not node.attribute:
            yield Problem(path, "must not be empty")
        yield from check_operators(node, node_path)
    elif (past := past_of(node)) is not None:
        name_path = path if isinstance(node.event, str) else f"{path}.name"
        yield from _check_past(past, path, name_path)
    elif kind in RETARGETING_KINDS:
        yield from _check_retargeting(kind, getattr(node, kind), path)
    elif node.interact_with_campaign is not UNSET:
        spec = node.interact_with_campaign
        yield from check_interaction(spec, path)
        yield from _check_within(spec.within, path)
    elif node.subscription is not UNSET and not node.subscription:
        yield Problem(path, "is empty; name a channel or a subscription group")


def _check_past(
    past: PastEvent | PastPurchase | PastSession, path: str, name_path: str
) -> Iterator[Problem]:
    if isinstance(past, PastEvent):
        if not past.name:
            yield Problem(name_path, "must not be empty")
        elif past.name in ACTS or past.name in INTERACTIONS:
            message = f'"{past.name}" is an interaction; write interact_with_campaign instead'
            yield Problem(name_path, message)
        elif past.name in (PURCHASE, SESSION_START):
            kind = "purchase" if past.name == PURCHASE else "session"
            yield Problem(name_path, f'"{past.name}" is a kind of its own; write `{kind}: {{}}`')
    if not isinstance(past, PastSession):
        yield from check_where(past.where, f"{path}.where")
    if past.count is not None and past.count == CountCondition():
        yield Problem(f"{path}.count", "compares with nothing; add eq, gt, gte, lt or lte")
    yield from _check_within(past.within, path)
    for name in ("first", "last"):
        moment = getattr(past, name)
        if moment is not None:
            yield from check_moment(moment, f"{path}.{name}")


def _check_retargeting(kind: str, spec: Retargeting, path: str) -> Iterator[Problem]:
    channels = channels_of(kind)
    if spec.channel is not None and spec.channel not in channels:
        can = " or ".join(channels) if channels else "no channel"
        yield Problem(f"{path}.channel", f"{kind} takes {can}, not {shown(spec.channel)}")
    if spec.alias is not None and (kind != "clicked" or spec.channel not in (None, "email")):
        yield Problem(f"{path}.alias", "only clicks in emails have aliases")
    for name in ("campaign", "variant", "alias"):
        if getattr(spec, name) == "":
            yield Problem(f"{path}.{name}", "must not be empty")
    yield from _check_within(spec.within, path)


def _check_within(within: str | None, path: str) -> Iterator[Problem]:
    if within is not None:
        yield from check_length(within, f"{path}.within", _PAST_MAX, may_be_nothing=False)


def check_groups(node: Filter, path: str, groups: set[str]) -> Iterator[Problem]:
    """Yield the names in a subscription filter that are neither channel nor known group."""
    if node.subscription is UNSET:
        return
    for name in node.subscription:
        if name not in CHANNELS and name not in groups:
            known = ", ".join((*CHANNELS, *sorted(groups)))
            message = f"{shown(name)} is neither a channel nor a subscription group; there are: "
            yield Problem(f"{path}.subscription.{name}", message + known)
