"""A draft in a random world: the record of the others without it, and a fold that has it too."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from segue.engine.plan import Plan
from segue.model.campaigns import Campaign
from segue.model.effects import Deliver
from segue.model.events import SendSettled
from segue.model.log_records import CampaignPublished, PlanChange
from segue.model.workspace import Segment
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates, RunOutcomes
from segue.runtime.line_records import all_filters
from segue.runtime.schedules import Schedules
from segue.runtime.waits import TimerHeap
from tests.support.random_worlds import World
from tests.support.recorder import Recorder

# What follows from a decision at once, and not by a record that comes later.
AT_ONCE = ("control_group_enroll", "conversion", "exception_event")
RETARGETING = ("received", "opened", "clicked", "converted", "in_control")
OTHER = "c0"  # what is named instead of a draft


def record_without(world: World, draft: str) -> Recorder:
    """Return what is recorded of a world in which a campaign is a draft that was never published.

    A program may have asked for it all the same.
    """
    lines = [
        line
        for line in world.lines
        if "control" not in line or line.get("campaign") != draft or line["control"] == "send"
    ]
    return Recorder().take_world(replaced(world, lines=lines), draft)


def alone(world: World, draft: str, may_name_itself: bool = True) -> World:
    """Return the world in which nothing of the draft matters to others.

    Nobody names it, and no cap of theirs counts its messages. The draft may still name itself,
    but for what follows at once: among others that takes its place among what follows from them.
    """
    renaming = _Renaming(world, draft)
    campaigns = {
        slug: renaming.own(one, may_name_itself) if slug == draft else renaming.other(one)
        for slug, one in world.campaigns.items()
    }
    segments = {
        slug: msgspec.convert(renaming.in_all(msgspec.to_builtins(one)), Segment)
        for slug, one in world.segments.items()
    }
    lines = [renaming.line(line) for line in world.lines if line.get("control") != "erase"]
    return World(campaigns, lines, world.until, segments, world.workspace)


def replaced(world: World, *, lines: list[dict[str, Any]]) -> World:
    return World(world.campaigns, lines, world.until, world.segments, world.workspace)


class _Renaming:
    """Lets documents name another campaign in the draft's place."""

    def __init__(self, world: World, draft: str) -> None:
        documents = [world.campaigns[draft]]
        self.draft = draft
        self.tags = {tag for one in documents for tag in one.tags}
        self.ids = {
            line["campaign_id"]
            for line in world.lines
            if line.get("campaign") == draft and "campaign_id" in line
        }

    def other(self, document: Campaign) -> Campaign:
        """Return a document that does not name the draft, and whose sends no cap holds back."""
        written = self.in_all(msgspec.to_builtins(document))
        return msgspec.convert({**written, "frequency_caps": "ignore_but_count"}, Campaign)

    def own(self, document: Campaign, may_name_itself: bool) -> Campaign:
        """Return the draft's document; in its filters it may name itself in any case."""
        written = msgspec.to_builtins(document)
        for name in ("delivery", "conversions"):
            if name in written:
                written[name] = self._in(written[name], None if not may_name_itself else AT_ONCE)
        return msgspec.convert(written, Campaign)

    def line(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return a line whose documents do not name the draft."""
        if "document" in line and line.get("campaign") != self.draft:
            document = self.in_all(line["document"])
            return {**line, "document": {**document, "frequency_caps": "ignore_but_count"}}
        return self.in_all(line) if "segment" in line else line

    def in_all(self, value: Any) -> Any:
        """Return a value in which nothing names the draft."""
        return self._in(value, None)

    def _in(self, value: Any, only: tuple[str, ...] | None) -> Any:
        if isinstance(value, list):
            return [self._in(one, only) for one in value]
        if not isinstance(value, dict):
            return value
        if "interaction" in value and (only is None or value["interaction"] in only):
            return self._named(value)
        return {
            key: self._named(one) if key in RETARGETING and only is None else self._in(one, only)
            for key, one in value.items()
        }

    def _named(self, spec: dict[str, Any]) -> dict[str, Any]:
        reference = spec.get("campaign", "any")
        is_draft = reference in (self.draft, "any", *self.ids)
        if isinstance(reference, dict):
            is_draft = reference["tag"] in self.tags
        return {**spec, "campaign": OTHER} if is_draft else spec


class Mixed(RunOutcomes):
    """Sends of the draft are accepted at once; those of the others end by the log."""

    def __init__(self, draft: str, plan: Callable[[], Plan]) -> None:
        super().__init__("accepted", plan)
        self.draft = draft

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        return super().deliver(deliver) if deliver.campaign == self.draft else ()


class Together:
    """One fold that has the draft among the others, published at an instant."""

    def __init__(self, draft: Campaign, recorder: Recorder, since: int) -> None:
        self.outcomes = Mixed(draft.slug, lambda: self.fold.plan)
        self.fold = Fold(DictStates(), TimerHeap(), self.outcomes)
        self._slug = draft.slug
        self._schedules = Schedules()
        published = CampaignPublished(since, "", 1, draft)
        log = [(block.first_ordinal, *block.records) for block in recorder.journal.read_log()]
        changes = [record for _, record in log if isinstance(record, PlanChange)]
        self.fold.foresee(all_filters([published, *changes]))
        is_published = False
        for ordinal, record in log:
            if record.received_at >= since and not is_published:
                is_published = True
                self.fold.apply(published, -1)
            if record.received_at != self.fold.now:
                self._walk(record.received_at)
            self.fold.apply(record, ordinal)

    def _walk(self, until: int) -> None:
        """Come to all users with the draft; the others' walks stand in the log."""
        plan = self.fold.plan
        if self._slug in plan.campaigns:
            alone = replace(plan, campaigns={self._slug: plan.campaigns[self._slug]})
            while (walk := self._schedules.next_walk(alone, self.fold.walks)) is not None:
                if walk.walk_at > until:
                    return
                self.fold.apply(walk, -1)
