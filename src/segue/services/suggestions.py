"""Names that a filter can be written with: what is known of, as far as a quick look finds it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from msgspec import UNSET, Struct, field

from segue.engine.references import leaves_of
from segue.model.events import PURCHASE, SESSION_START
from segue.model.filters import Filter
from segue.model.interactions import ACTS
from segue.model.limits import (
    SUGGESTED_MAX,
    SUGGESTION_BLOCKS_MAX,
    SUGGESTION_EVENTS_MAX,
    SUGGESTION_LIFE,
    SUGGESTION_USERS_MAX,
)
from segue.model.log_records import EventsReceived
from segue.runtime.runtime import Runtime
from segue.services.campaigns import known_campaign
from segue.services.interaction_choices import InteractionChoices

Pairs = list[tuple[str, str]]
_ENDS: Final = {"active": "", "draft": " (draft)", "stopped": " (stopped)"}


class Suggestions(Struct, frozen=True):
    """What there is to choose from, each by name; pairs are of value and words."""

    attributes: list[str]
    events: list[str]
    campaigns: Pairs  # archived ones too: what was done with them was done
    tags: list[str]
    segments: Pairs
    groups: Pairs
    choices: InteractionChoices  # what of a campaign can be named: links, buttons, variants


class _Seen(Struct):
    """What the last look at users and log found."""

    at: int
    attributes: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)


class NameSuggestions:
    """Looks for names; at users and the log only from time to time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen: _Seen | None = None

    def all(self) -> Suggestions:
        """Return everything that can be suggested."""
        runtime = self._runtime
        plan, stored = runtime.plan, runtime.journal.list_campaigns()
        seen = self._look()
        filters = [one.filter for one in plan.segments.values()]
        filters += [one.document.audience for one in stored if one.document.audience is not None]
        listened = {key for key in plan.interests if key not in ACTS}
        events = (seen.events | listened) - {PURCHASE, SESSION_START}
        campaigns = [(one.slug, one.document.name + _end(one.status)) for one in stored]
        return Suggestions(
            attributes=_first(seen.attributes | _asked(filters)),
            events=_first(events),
            campaigns=sorted(campaigns, key=lambda pair: (pair[1].lower(), pair[0])),
            tags=sorted({tag for one in stored for tag in one.document.tags}),
            segments=[(slug, one.name) for slug, one in sorted(plan.segments.items())],
            groups=[(one.slug, one.name) for one in plan.workspace.subscription_groups],
            choices=InteractionChoices([known_campaign(one) for one in stored]),
        )

    def _look(self) -> _Seen:
        runtime, now = self._runtime, self._runtime.clock.now()
        if self._seen is None or not 0 <= now - self._seen.at < SUGGESTION_LIFE:
            self._seen = _Seen(now)
            for _, state in runtime.snapshot.list_users(limit=SUGGESTION_USERS_MAX):
                self._seen.attributes.update(_paths(state.attributes))
            self._seen.events.update(islice(self._logged(), SUGGESTION_EVENTS_MAX))
        return self._seen

    def _logged(self) -> Iterator[str]:
        """Yield the names of custom events at the end of the log, newest block first."""
        journal = self._runtime.journal
        last = journal.log_end().seq
        for seq in range(last, max(last - SUGGESTION_BLOCKS_MAX, 0), -1):
            for block in journal.read_blocks([seq]):
                for record in block.records:
                    if isinstance(record, EventsReceived):
                        yield from (one.name for one in record.events if one.name not in ACTS)


def _paths(attributes: dict[str, Any]) -> Iterator[str]:
    """Yield the names of attributes, and of those in them, as filters write them."""
    for name, value in attributes.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)


def _asked(filters: Iterable[Filter]) -> set[str]:
    """Return the attributes that filters ask about already."""
    leaves = (leaf for node in filters for leaf, _ in leaves_of(node, ""))
    return {leaf.attribute for leaf in leaves if leaf.attribute is not UNSET}


def _first(names: set[str]) -> list[str]:
    return sorted(names, key=str.lower)[:SUGGESTED_MAX]


def _end(status: str) -> str:
    return _ENDS.get(status, f" ({status})")
