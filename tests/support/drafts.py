"""A draft in a random world: the record of the others without it, and a fold that has it too."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from segue.engine.plan import Plan
from segue.model.campaigns import Campaign
from segue.model.effects import Deliver
from segue.model.events import SendSettled
from segue.model.log_records import CampaignPublished, PlanChange
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates, RunOutcomes
from segue.runtime.line_records import all_filters
from segue.runtime.waits import TimerHeap
from tests.support.random_worlds import World
from tests.support.recorder import Recorder

AT_ONCE = ("control_group_enroll", "conversion", "exception_event")


def alone(world: World, draft: str, may_name_itself: bool = True) -> World:
    """Return the world with all that names the draft naming another campaign instead.

    The draft may still name itself, but for what follows at once: among other campaigns that
    takes its place among what follows from them.
    """
    names: list[Any] = [draft, "any", *({"tag": tag} for tag in world.campaigns[draft].tags)]

    def renamed(value: Any, is_own: bool) -> Any:
        if isinstance(value, list):
            return [renamed(one, is_own) for one in value]
        if not isinstance(value, dict):
            return value
        if "interaction" in value and value.get("campaign", "any") in names:
            if not is_own or not may_name_itself or value["interaction"] in AT_ONCE:
                return {**value, "campaign": "c0"}
            return value
        return {key: renamed(one, is_own) for key, one in value.items()}

    documents = {
        slug: msgspec.convert(renamed(msgspec.to_builtins(one), slug == draft), Campaign)
        for slug, one in world.campaigns.items()
    }
    return World(documents, world.lines, world.until)


def record_without(world: World, draft: str) -> Recorder:
    others = {slug: one for slug, one in world.campaigns.items() if slug != draft}
    is_its_own = [line.get("campaign") == draft and "control" in line for line in world.lines]
    lines = [line for line, skip in zip(world.lines, is_its_own, strict=True) if not skip]
    return Recorder().take_lines(others, lines)


class Mixed(RunOutcomes):
    """Sends of the draft are accepted at once; those of the others end by the log."""

    def __init__(self, draft: str, plan: Callable[[], Plan]) -> None:
        super().__init__("accepted", plan)
        self.draft = draft

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        return super().deliver(deliver) if deliver.campaign == self.draft else ()


def fold_with(draft: Campaign, recorder: Recorder, since: int) -> tuple[Fold, RunOutcomes]:
    """Return one fold that has the draft among the others, and what it decided about the log."""
    outcomes = Mixed(draft.slug, lambda: fold.plan)
    fold = Fold(DictStates(), TimerHeap(), outcomes)
    published = CampaignPublished(since, "", 1, draft)
    log = [(block.first_ordinal, *block.records) for block in recorder.journal.read_log()]
    changes = [record for _, record in log if isinstance(record, PlanChange)]
    fold.foresee(all_filters([published, *changes]))
    is_published = False
    for ordinal, record in log:
        if record.received_at >= since and not is_published:
            is_published = True
            fold.apply(published, -1)
        fold.apply(record, ordinal)
    return fold, outcomes
