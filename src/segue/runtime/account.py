"""One user and one campaign: everything in the log that touched the two, folded again and watched.

The account has the facts and no words; `segue.services.explanations` makes sentences of it.
"""

from typing import Final, TypeGuard

from msgspec import Struct, field
from msgspec.structs import replace

from segue.engine.draft import Act
from segue.engine.hearing import variant_done_with
from segue.engine.plan import Plan
from segue.engine.profile_changes import Change, changes_between, profile_read_by
from segue.engine.unheard import Unheard
from segue.engine.watching import Check, Heard, Remark, Watch
from segue.model.campaigns import Campaign
from segue.model.events import (
    API_TRIGGER,
    AttributesSet,
    Event,
    Occurrence,
    SendRetried,
    Settlement,
    TimerFired,
)
from segue.model.instants import to_datetime
from segue.model.interactions import DERIVED_ACTS
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    Record,
    ScheduleWalked,
    SendsRequested,
    UserErased,
)
from segue.model.state import Membership, UserState
from segue.model.traces import Facts
from segue.model.verdicts import Verdict
from segue.runtime.fold import is_known
from segue.runtime.history import Refold
from segue.runtime.log_reader import deferrals_of
from segue.storage.ports import Journal, Snapshot

_NONE: Final = Membership()


class Deferral(Struct, frozen=True):
    """A message was not taken, and is tried again at an instant."""

    channel: str
    again_at: int
    detail: str


# What a step begins with.
Touch = (
    Act
    | TimerFired
    | Settlement
    | SendRetried
    | Deferral
    | CampaignPublished
    | CampaignStopped
    | ScheduleWalked  # it found nobody: of a user who was found, the arrival is told
    | AttributesSet
    | UserErased
)
Note = Heard | Check | Remark | Verdict


class Step(Struct):
    """One thing that touched the pair at an instant, and everything that came of it."""

    at: int
    touch: Touch
    notes: list[Note] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def verdicts(self) -> list[Verdict]:
        """Return what was decided."""
        return [note for note in self.notes if isinstance(note, Verdict)]


class Account(Struct):
    """The steps in order, and how things stand at their end.

    `document` is the newest published one, else the draft's; `begins_at` is set where the log
    has lost its beginning.
    """

    user_id: str
    document: Campaign
    steps: list[Step]
    plan: Plan
    state: UserState
    now: int
    begins_at: int | None
    is_user_seen: bool

    @property
    def slug(self) -> str:
        """The campaign's."""
        return self.document.slug

    @property
    def membership(self) -> Membership:
        """What user and campaign have to do with each other at the end."""
        return self.state.memberships.get(self.slug, _NONE)


def account_of(
    journal: Journal, snapshot: Snapshot, user_id: str, document: Campaign, now: int
) -> Account:
    """Fold the user's records again and return what touched the campaign, up to `now`.

    `document` is the campaign's present one. Only blocks in which the user occurs are read, and
    those that concern everybody.
    """
    watch = Watch(document.slug)
    refold = Refold(journal, snapshot, user_id, watch)
    teller = _Teller(refold, watch, user_id, document)
    teller.begin()
    for record, ordinal in refold.records:
        teller.take(record, ordinal)
    steps = _with_deferrals(journal, teller.end(now))
    published = refold.fold.plan.campaigns.get(document.slug)
    return Account(
        user_id=user_id,
        document=published.newest.document if published is not None else document,
        steps=steps,
        plan=refold.fold.plan,
        state=refold.fold.states.get(user_id),
        now=refold.fold.now,
        begins_at=refold.begins_at,
        is_user_seen=teller.is_user_seen,
    )


class _Teller:
    """Feeds the fold record by record, and makes steps of what the watch saw."""

    def __init__(self, refold: Refold, watch: Watch, user_id: str, document: Campaign) -> None:
        self.is_user_seen = False
        self._refold = refold
        self._fold = refold.fold
        self._watch = watch
        self._user_id = user_id
        self._slug = document.slug
        changes = refold.plan_changes()
        self._own = [one for one in changes if _is_about(one, document.slug)]
        first = next((one for one in self._own if isinstance(one, CampaignPublished)), None)
        self._draft = first.document if first is not None else document
        self._published_at = first.received_at if first is not None else None
        self._steps: list[Step] = []
        self._last_wait: Facts | None = None
        self._unheard_in: tuple[Plan, Unheard] | None = None

    def begin(self) -> None:
        """Tell of the campaign's changes that the log has lost."""
        for change in self._refold.forgotten:
            if _is_about(change, self._slug):
                self._steps.append(Step(change.received_at, change))

    def take(self, record: Record, ordinal: int) -> None:
        """Fold one record."""
        self._fold.advance(record.received_at)
        self._take_seen([])
        before = self._fold.states.get(self._user_id)
        opened = self._open(record)
        self._fold.apply(record, ordinal)
        opened += self._ignored(record, ordinal)
        self._take_seen(opened, before)

    def end(self, now: int) -> list[Step]:
        """Let time pass to `now` and return the steps."""
        self._fold.advance(now)
        self._take_seen([])
        return self._steps

    def _open(self, record: Record) -> list[Step]:
        """Return the step that a record is by itself, whatever the engine makes of it."""
        at = record.received_at
        match record:
            case UserErased():
                self._erase(Step(at, record))
            case CampaignPublished() | CampaignStopped() if _is_about(record, self._slug):
                return [Step(at, record)]
            case ScheduleWalked(campaign=slug) if slug == self._slug:
                if not is_known(self._fold.states.get(self._user_id)):
                    return [Step(at, record)]
            case EventsReceived() | AttributesReceived() | SendsRequested():
                self.is_user_seen = True
        return []

    def _erase(self, erased: Step) -> None:
        """Forget what was told of the user, and keep what was told of the campaign."""
        kept = [
            Step(step.at, step.touch)
            for step in self._steps
            if isinstance(step.touch, CampaignPublished | CampaignStopped)
        ]
        self._steps = [*kept, erased]
        self._last_wait = None
        self.is_user_seen = False

    def _ignored(self, record: Record, ordinal: int) -> list[Step]:
        """Return the steps of acts that the engine did not look at: nobody was interested."""
        if any(isinstance(one, Act) for one in self._watch.seen):
            return []
        now = record.received_at
        match record:
            case EventsReceived(events=[event]):
                occurrence = Occurrence(event, now, ordinal)
                act = Act(event, occurrence.happened_at, now, ordinal=ordinal)
            case SendsRequested(campaign=slug, recipients=[one]) if slug == self._slug:
                act = Act(Event(one.user_id, API_TRIGGER), now, now, ordinal=ordinal)
            case _:
                return []
        return [Step(now, act)]

    def _take_seen(self, opened: list[Step], before: UserState | None = None) -> None:
        """Make steps of what was seen since the last call, and keep those that touch the pair."""
        seen, self._watch.seen = self._watch.seen, []
        steps = list(opened)
        for one in seen:
            match one:
                case Act():
                    steps.append(Step(one.now, one))
                case TimerFired(campaign=slug) if slug == self._slug:
                    steps.append(Step(one.now, one))
                case Settlement(settled=settled) if settled.campaign == self._slug:
                    steps.append(Step(one.now, one))
                case SendRetried(deliver=deliver) if deliver.campaign == self._slug:
                    steps.append(Step(one.now, one))
                case Heard() | Check() | Remark() | Verdict():
                    steps[-1].notes.append(self._completed(one))
        if before is not None and (opened or seen):
            self._note_changes(steps, before)
        for step in steps:
            if isinstance(step.touch, Act):
                step.notes += self._unheard(step.touch)
        self._steps += [step for step in steps if self._is_told(step)]

    def _completed(self, note: Note) -> Note:
        """Return a note; an exception that found nobody waiting is told when somebody last did."""
        match note:
            case Remark(what="entered", facts=facts):
                self._last_wait = {"since": facts["since"], "due_at": facts["due_at"]}
            case Remark(what="held", facts=facts) if self._last_wait is not None:
                self._last_wait = {**self._last_wait, "due_at": facts["until"]}
            case Verdict(decision="cancel" | "skip" | "send") if self._last_wait is not None:
                ended = {"ended_at": to_datetime(note.at), "ended_by": note.decision}
                self._last_wait = {**self._last_wait, **ended}
            case Heard(outcome="nobody_waiting"):
                return replace(note, facts={**note.facts, "last_wait": self._last_wait})
        return note

    def _note_changes(self, steps: list[Step], before: UserState) -> None:
        """Note what changed of the profile, as far as the campaign reads it."""
        after = self._fold.states.get(self._user_id)
        if after is before:
            return
        plan = self._fold.plan
        campaign = plan.campaigns.get(self._slug)
        document = campaign.newest.document if campaign is not None else self._draft
        changes = changes_between(before, after, profile_read_by(document, plan.segments))
        if changes and not steps:
            steps.append(Step(self._fold.now, AttributesSet(self._user_id, {}, self._fold.now)))
        if changes:
            steps[0].changes = changes

    def _unheard(self, act: Act) -> list[Heard]:
        """Return what the campaign would have heard in an act, had it listened."""
        plan = self._fold.plan
        campaign = plan.campaigns.get(self._slug)
        facts: Facts = {}
        if campaign is None and self._published_at is not None:
            facts["published_at"] = to_datetime(self._published_at)
        elif campaign is not None and campaign.status != "active":
            ends = [one.received_at for one in self._own if isinstance(one, CampaignStopped)]
            facts["ended_at"] = to_datetime(max(at for at in ends if at <= act.now))
        if act.event.name == API_TRIGGER and campaign is None:
            facts["happened_at"] = to_datetime(act.happened_at)
            return [Heard(self._slug, "trigger", "delivery", "not_published", facts)]
        memberships = self._fold.states.get(self._user_id).memberships
        own = memberships.get(self._slug, _NONE)
        variant = variant_done_with(act.event, memberships)
        found = self._deaf().of(act, variant, own.receipt is not None)
        return [replace(one, facts={**one.facts, **facts}) for one in found]

    def _deaf(self) -> Unheard:
        """Return what the campaign does not hear at present; it changes with the plan only."""
        plan = self._fold.plan
        if self._unheard_in is None or self._unheard_in[0] is not plan:
            campaign = plan.campaigns.get(self._slug)
            document = campaign.newest.document if campaign is not None else self._draft
            self._unheard_in = plan, Unheard(document, plan)
        return self._unheard_in[1]

    def _is_told(self, step: Step) -> bool:
        """Return whether a step touches the pair, and is not told by another already."""
        match step.touch:
            case Act(event=event):
                with_it = self._fold.plan.find(event.campaign) if event.campaign else None
                is_own = with_it is not None and with_it.slug == self._slug
                is_own = is_own and event.name not in DERIVED_ACTS
                return bool(step.notes or step.changes) or is_own
            case TimerFired() | SendRetried():
                return bool(step.notes)
            case _:
                return True


def _is_about(record: Record, slug: str) -> TypeGuard[CampaignPublished | CampaignStopped]:
    match record:
        case CampaignPublished():
            return record.document.slug == slug
        case CampaignStopped():
            return record.campaign == slug
        case _:
            return False


def _with_deferrals(journal: Journal, steps: list[Step]) -> list[Step]:
    """Return the steps with those that the log tells by the ids of sends alone."""
    sent = {
        verdict.send_id: verdict
        for step in steps
        for verdict in step.verdicts()
        if verdict.send_id is not None
    }
    deferrals = [
        Step(record.received_at, Deferral(channel, again_at, detail))
        for record in deferrals_of(journal, sent.keys())
        for _send_id, channel, again_at, detail in record.deferred
    ]
    return sorted([*steps, *deferrals], key=lambda step: step.at) if deferrals else steps
