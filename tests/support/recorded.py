"""A log in memory as a server writes it, told step by step, and explained from the log alone."""

from collections.abc import Iterable
from typing import Any

import msgspec

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.model.effects import Count, Deliver
from segue.model.events import AttributeChange, Event, SendSettled
from segue.model.explanations import Explanation
from segue.model.filters import Filter
from segue.model.ids import derive_id
from segue.model.instants import SECOND, format_instant, parse_duration, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    Block,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    HandOver,
    PlanChange,
    Recipient,
    Record,
    SegmentSet,
    SendsDeferred,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    UserErased,
    WorkspaceSet,
    entry_count,
)
from segue.model.verdicts import Verdict
from segue.model.workspace import Segment, Workspace
from segue.runtime.fold import Fold
from segue.runtime.in_memory import DictStates
from segue.runtime.log_reader import UserIndex
from segue.runtime.recipients import Recipients
from segue.runtime.schedules import Schedules
from segue.runtime.waits import TimerHeap
from segue.services.explanations.service import explain
from segue.storage.memory import MemoryJournal
from segue.storage.memory_snapshot import MemorySnapshot
from segue.storage.open import Stores
from segue.storage.ports import Checkpoint, Journal, Position, StoredCampaign
from tests.support.plain_worlds import START
from tests.support.random_worlds import World

# What becomes of a message: how it is settled, why, and the provider's or template's word.
Answer = tuple[Any, str | None, str | None]
ACCEPTED: Answer = ("accepted", None, None)


class _Outcomes:
    """Keeps what is to be delivered until the story settles it."""

    def __init__(self) -> None:
        self.delivers: list[Deliver] = []
        self.verdicts: list[Verdict] = []

    def decided(self, verdicts: list[Verdict]) -> None:
        self.verdicts.extend(verdicts)

    def count(self, count: Count, now: int) -> None:
        """Nobody counts here."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        self.delivers.append(deliver)
        return ()

    def handing_over(self, record: HandOver) -> None:
        """The story writes these itself."""


class Recorded:
    """A server without a server: the log, a fold over it, and sends that come to an end."""

    def __init__(
        self,
        *documents: dict[str, Any] | Campaign,
        start: str = "2026-11-01T09:00:00Z",
        journal: Journal | None = None,
    ) -> None:
        self.stores = Stores(journal or MemoryJournal(), MemorySnapshot())
        self.now = parse_instant(start)
        self.answers: dict[str, Answer | None] = {}  # by campaign; None: no answer comes
        self._outcomes = _Outcomes()
        self._timers = TimerHeap()
        self._fold = Fold(DictStates(), self._timers, self._outcomes)
        self._schedules, self._recipients = Schedules(), Recipients()
        self._open: dict[str, Deliver] = {}
        self._sent: list[Deliver] = []
        for document in documents:
            self._save(document, "draft", 0)

    @property
    def journal(self) -> Journal:
        return self.stores.journal

    @property
    def verdicts(self) -> list[Verdict]:
        """What was decided while the log was written."""
        return self._outcomes.verdicts

    # What people do with campaigns

    def publish(self, *slugs: str) -> "Recorded":
        for slug in slugs:
            stored = self._stored(slug)
            published = self._save(stored.document, "active", stored.version + 1)
            self._log(CampaignPublished(self.now, stored.id, published.version, stored.document))
        return self

    def edit(self, document: dict[str, Any]) -> "Recorded":
        stored = self._stored(document["slug"])
        edited = self._save(document, "active", stored.version + 1)
        return self._log(
            CampaignPublished(self.now, edited.id, edited.version, edited.document, is_edit=True)
        )

    def stop(self, slug: str) -> "Recorded":
        self._save(self._stored(slug).document, "stopped", self._stored(slug).version)
        return self._log(CampaignStopped(self.now, slug))

    def archive(self, slug: str) -> "Recorded":
        self._save(self._stored(slug).document, "archived", self._stored(slug).version)
        return self._log(CampaignStopped(self.now, slug, is_archived=True))

    def workspace(self, **fields: Any) -> "Recorded":
        return self._log(WorkspaceSet(self.now, decode_document(fields, Workspace)))

    def segment(self, slug: str, written: dict[str, Any]) -> "Recorded":
        filter_ = msgspec.convert(written, Filter)
        return self._log(SegmentSet(self.now, Segment(slug=slug, name=slug, filter=filter_)))

    # What happens to users

    def happens(self, user_id: str, name: str, *, ago: str = "0s", **more: Any) -> "Recorded":
        """Something happens now, or is reported now and happened a while `ago`."""
        at = format_instant(self.now - parse_duration(ago))
        return self._log(EventsReceived(self.now, [_event(user_id, name, at, more)]))

    def happens_often(self, user_id: str, name: str, count: int) -> "Recorded":
        """Something happens many times at once, in one call."""
        event = _event(user_id, name, format_instant(self.now), {})
        return self._log(EventsReceived(self.now, [event] * count))

    def knows(self, user_id: str, **attributes: Any) -> "Recorded":
        return self._log(AttributesReceived(self.now, [AttributeChange(user_id, attributes)]))

    def asks(self, slug: str, *user_ids: str) -> "Recorded":
        return self._log(SendsRequested(self.now, slug, [Recipient(one) for one in user_ids]))

    def backfills(self, slug: str, user_id: str, name: str, ago: str, **more: Any) -> "Recorded":
        at = format_instant(self.now - parse_duration(ago))
        return self._log(Backfilled(self.now, slug, [_event(user_id, name, at, more)]))

    def erases(self, user_id: str) -> "Recorded":
        return self._log(UserErased(self.now, user_id))

    # What becomes of sends

    def defers(self, slug: str, again_in: str, detail: str) -> "Recorded":
        deliver = self._open[slug]
        again_at = self.now + parse_duration(again_in)
        deferred = [(deliver.send_id, one, again_at, detail) for one in deliver.channels]
        return self._log(SendsDeferred(self.now, deferred))

    def retries(self, user_id: str, slug: str) -> "Recorded":
        """Have the last message to a user tried once more."""
        sent = [one for one in self._sent if (one.user_id, one.campaign) == (user_id, slug)]
        return self._log(SendsRetried(self.now, [sent[-1]]))

    def answer(self, slug: str, answer: Answer = ACCEPTED) -> "Recorded":
        """Let the provider answer at last."""
        return self._settle(self._open.pop(slug), answer)

    # Time, and the explanation

    def waits(self, duration: str) -> "Recorded":
        until = self.now + parse_duration(duration)
        while (at := self._next_instant()) is not None and at <= until:
            self.now = at
            self._fold.advance(at)
            self._let_settle()
            walk = self._schedules.next_walk(self._fold.plan, self._fold.walks)
            if walk is not None and walk.walk_at <= at:
                self._log(walk)
        self.now = until
        return self

    def index(self) -> "Recorded":
        """Note users in the index, as the background does."""
        end = self.journal.log_end().seq
        index = UserIndex(self.journal)
        while index.step(end):
            pass
        return self

    def checkpoint(self) -> "Recorded":
        """Write down what a snapshot needs to explain a log that is forgotten."""
        changes = [
            record
            for block in self.journal.read_log()
            for record in block.records
            if isinstance(record, PlanChange)
        ]
        end = self.journal.log_end()
        position = Position(end.seq, end.next_ordinal, self.now)
        self.stores.snapshot.commit(Checkpoint(position, plan_changes=changes))
        return self

    def explain(self, user_id: str, slug: str) -> Explanation:
        return explain(self.journal, self.stores.snapshot, user_id, slug, self.now)

    def _next_instant(self) -> int | None:
        walk = self._schedules.next_walk(self._fold.plan, self._fold.walks)
        coming = [self._timers.next_due(), walk.walk_at if walk is not None else None]
        return min((at for at in coming if at is not None), default=None)

    def _log(self, record: Record) -> "Recorded":
        end = self.journal.log_end()
        block = Block(end.seq + 1, end.next_ordinal, [record])
        self.journal.append(block)
        self._fold.apply(record, block.first_ordinal)
        assert entry_count(record)
        self._let_settle()
        return self

    def _let_settle(self) -> None:
        delivers, self._outcomes.delivers = self._outcomes.delivers, []
        self._sent += delivers
        for deliver in delivers:
            answer = self.answers.get(deliver.campaign, ACCEPTED)
            if answer is None:
                self._open[deliver.campaign] = deliver
            else:
                self._settle(deliver, answer)

    def _settle(self, deliver: Deliver, answer: Answer) -> "Recorded":
        slug, send_id = deliver.campaign, deliver.send_id
        for channel in deliver.channels:
            if not self._recipients.may_send(self._fold.plan, slug, send_id, channel):
                answer = ("skipped", "recipients_max", None)
            settled = SendSettled(deliver.user_id, slug, send_id, channel, *answer)
            self._log(SendsSettled(self.now, [settled]))
        return self

    def _stored(self, slug: str) -> StoredCampaign:
        found = self.journal.find_campaign(slug)
        assert found is not None
        return found

    def _save(self, document: Any, status: Any, version: int) -> StoredCampaign:
        decoded = decode_campaign(document) if isinstance(document, dict) else document
        campaign_id = derive_id(0, "campaign", decoded.slug)
        stored = StoredCampaign(campaign_id, decoded, status, version, self.now, self.now, self.now)
        self.journal.save_campaign(stored)
        return stored


def of_world(world: World) -> Recorded:
    """Return the log of a random world."""
    story = Recorded(*world.campaigns.values(), start=format_instant(START))
    told = {line["campaign"] for line in world.lines if line.get("control") == "publish"}
    story.publish(*(slug for slug in world.campaigns if slug not in told))
    for line in world.lines:
        fields = {name: value for name, value in line.items() if name != "received_at"}
        at = parse_instant(line.get("received_at") or line["time"])
        story.waits(f"{(at - story.now) // SECOND}s")
        control = fields.get("control")
        if control in ("publish", "stop", "archive"):
            getattr(story, control)(fields["campaign"])
        elif "attributes" in fields:
            story.knows(fields["user_id"], **fields["attributes"])
        elif control is None:
            ago = max(at - parse_instant(fields.pop("time")), 0)
            story.happens(ago=f"{ago // SECOND}s", **fields)
    return story.waits(
        f"{max(parse_instant(world.until) - story.now, 0) // SECOND}s" if world.until else "0s"
    )


def _event(user_id: str, name: str, at: str, more: dict[str, Any]) -> Event:
    return msgspec.convert({"user_id": user_id, "name": name, "time": at, **more}, Event)


def heard(explanation: Explanation) -> list[tuple[str, str]]:
    """Return what was heard: its place in the document, and what came of it."""
    return [(one.path, one.outcome) for step in explanation.steps for one in step.hearings()]


def sentences(explanation: Explanation) -> list[str]:
    """Return what each step begins with."""
    return [step.sentence for step in explanation.steps]
