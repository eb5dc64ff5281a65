"""Checks of what a campaign listens to: triggers, exceptions, conversions."""

from collections.abc import Iterator

from segue.engine.value_checks import check_where
from segue.model.campaigns import CustomEvent, DidNot, Happening, Trigger
from segue.model.decoding import did_you_mean, shown
from segue.model.events import PURCHASE, SESSION_START
from segue.model.filters import InteractionSpec
from segue.model.instants import DAY, parse_duration
from segue.model.interactions import ACTS, INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.limits import DELAY_MAX, NAME_LENGTH_MAX
from segue.model.problems import Problem

_KINDS = ("event", "purchase", "session_start", "interact_with_campaign", "did_not")
_OPTIONS = ("alias", "button", "page", "conversion_event", "body_only", "outcome")
_NAMES = ("campaign", "variant", "alias", "button", "page")
# What did_not can wait for: it begins at the receipt, so not the receipt itself.
WAITABLE = tuple(
    row.name
    for row in INTERACTIONS.values()
    if row.name == "conversion"
    or (row.channel is not None and row.act != RECEIVE_BY_CHANNEL[row.channel])
)


def check_happening(happening: Happening, path: str, own_slug: str = "") -> Iterator[Problem]:
    """Yield what is wrong with one; a campaign of `own_slug` may not be triggered by itself."""
    kinds = [kind for kind in _KINDS if getattr(happening, kind, None) is not None]
    if len(kinds) != 1:
        found = f"has {', '.join(kinds)}" if kinds else "has none"
        allowed = _KINDS if isinstance(happening, Trigger) else _KINDS[:-1]
        yield Problem(path, f"must be exactly one of {', '.join(allowed)}; it {found}")
    if happening.event is not None:
        yield from _check_event(happening.event, f"{path}.event")
    if happening.purchase is not None:
        yield from check_where(happening.purchase.where, f"{path}.purchase.where")
    if (spec := happening.interact_with_campaign) is not None:
        yield from check_interaction(spec, f"{path}.interact_with_campaign", own_slug)
    if isinstance(happening, Trigger) and happening.did_not is not None:
        yield from _check_did_not(happening.did_not, f"{path}.did_not", own_slug)


def _check_event(event: str | CustomEvent, path: str) -> Iterator[Problem]:
    name = event if isinstance(event, str) else event.name
    name_path = path if isinstance(event, str) else f"{path}.name"
    if name in ACTS or name in INTERACTIONS:
        message = f'"{name}" is an interaction; write interact_with_campaign instead of event'
        yield Problem(name_path, message)
    elif name in (PURCHASE, SESSION_START):
        yield Problem(name_path, f'"{name}" is a kind of its own; write `{name}: {{}}`')
    elif not 1 <= len(name) <= NAME_LENGTH_MAX:
        message = f"must have 1 to {NAME_LENGTH_MAX} characters, not {len(name)}"
        yield Problem(name_path, message)
    if isinstance(event, CustomEvent):
        yield from check_where(event.where, f"{path}.where")


def check_interaction(spec: InteractionSpec, path: str, own_slug: str = "") -> Iterator[Problem]:
    """Yield what is wrong with an interaction and its options."""
    if spec.interaction not in INTERACTIONS:
        hint = did_you_mean(spec.interaction, [*INTERACTIONS])
        yield Problem(f"{path}.interaction", f"{shown(spec.interaction)} is no interaction{hint}")
    elif spec.include_control and spec.interaction != "conversion":
        message = f"{spec.interaction} takes no include_control; conversion does"
        yield Problem(f"{path}.include_control", message)
    yield from _check_options(spec, path, own_slug)


def _check_did_not(spec: DidNot, path: str, own_slug: str) -> Iterator[Problem]:
    if spec.interaction not in WAITABLE:
        hint = did_you_mean(spec.interaction, [*WAITABLE])
        message = f"{shown(spec.interaction)} is no interaction to wait for{hint}"
        yield Problem(f"{path}.interaction", message)
    yield from _check_options(spec, path, own_slug)
    yield from check_length(spec.within, f"{path}.within", DELAY_MAX, may_be_nothing=False)


def _check_options(spec: InteractionSpec | DidNot, path: str, own_slug: str) -> Iterator[Problem]:
    if own_slug and spec.campaign == own_slug:
        yield Problem(f"{path}.campaign", "a campaign cannot be triggered by itself")
    for name in _NAMES:
        if getattr(spec, name) == "":
            yield Problem(f"{path}.{name}", "must not be empty")
    interaction = INTERACTIONS.get(spec.interaction)
    if interaction is None:
        return
    for option in _OPTIONS:
        is_given = getattr(spec, option, None) not in (None, False)
        if is_given and option not in interaction.options:
            takes = " or ".join(interaction.options) or "no options"
            message = f"{interaction.name} takes no {option}; it takes {takes}"
            yield Problem(f"{path}.{option}", message)
        if not is_given and option in interaction.required:
            yield Problem(f"{path}.{option}", f"is missing; {interaction.name} needs it")


def check_length(
    written: str, path: str, most: int, *, may_be_nothing: bool = True
) -> Iterator[Problem]:
    """Yield what is wrong with the length of a time."""
    length = parse_duration(written)
    if length > most:
        yield Problem(path, f"must be at most {most // DAY} days, not {shown(written)}")
    elif not length and not may_be_nothing:
        yield Problem(path, f"must be longer than nothing, not {shown(written)}")
