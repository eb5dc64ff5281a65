"""Everything that happened to one user, in order, each with what it came of.

What follows from a decision, such as a receipt, stands in no log: the fold over the user's records
decides it again.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from segue.engine.draft import Act
from segue.engine.plan import Plan
from segue.engine.watching import Watch
from segue.model.events import ScheduleCame, SendRetried, SendSettled
from segue.model.interactions import ACTS
from segue.model.log_records import Record, UserErased
from segue.model.state import UserState
from segue.model.verdicts import Verdict
from segue.runtime.history import Refold
from segue.runtime.log_reader import deferrals_of
from segue.runtime.moments import Moment, PutOff, moments_of
from segue.storage.ports import Journal, Snapshot


class Told(Struct, eq=False):
    """A moment of the story; `number` is its place, from 1 for the oldest."""

    moment: Moment
    because: "Told | None" = None
    led_to: "list[Told]" = field(default_factory=list)
    number: int = 0


class Story(Struct):
    """The moments of one user in order; what was before `begins_at` the log has lost."""

    told: list[Told]
    plan: Plan
    state: UserState
    now: int
    begins_at: int | None


class _Acts(Watch):
    """Notes what happens and what follows from it, and none of what was looked at meanwhile."""

    def is_about(self, campaign: str) -> bool:
        """Decisions come by themselves, and checks are not told."""
        return False


def story_of(journal: Journal, snapshot: Snapshot, user_id: str, now: int) -> Story:
    """Return the user's story up to `now`; what came before an erasure is not told.

    Only blocks in which the user occurs are read, and those that concern everybody.
    """
    watch = _Acts()
    refold = Refold(journal, snapshot, user_id, watch)
    teller = _Teller(refold, watch)
    for record, ordinal in refold.records:
        teller.take(record, ordinal)
    teller.end(now)
    told = _with_put_offs(journal, user_id, teller)
    for number, one in enumerate(told, 1):
        one.number = number
        if one.because is not None:
            one.because.led_to.append(one)
    fold = refold.fold
    return Story(told, fold.plan, fold.states.get(user_id), fold.now, refold.begins_at)


class _Teller:
    def __init__(self, refold: Refold, watch: Watch) -> None:
        self.told: list[Told] = []
        self.sends: dict[str, Told] = {}  # by their id
        self._fold = refold.fold
        self._refold = refold
        self._watch = watch
        self._acts: dict[str, Told] = {}  # by the id that causes are named with
        self._newest_sends: dict[str, Told] = {}  # by campaign
        self._settled: dict[tuple[str, str], Told] = {}  # by send and channel
        self._retries: dict[str, Told] = {}  # by send, until it is decided about

    def take(self, record: Record, ordinal: int) -> None:
        self._fold.advance(record.received_at)
        self._follow([])
        if isinstance(record, UserErased):
            self._forget()
        self._fold.apply(record, ordinal)
        self._follow([self._tell(moment) for moment in moments_of(record, ordinal)])

    def end(self, now: int) -> None:
        self._fold.advance(now)
        self._follow([])

    def _forget(self) -> None:
        for kept in (
            self.told,
            self.sends,
            self._acts,
            self._newest_sends,
            self._settled,
            self._retries,
        ):
            kept.clear()

    def _tell(self, moment: Moment) -> Told:
        told = Told(moment, self._cause_of(moment))
        self.told.append(told)
        match moment.what:
            case Act() as act:
                self._acts[act.id] = told
            case Verdict(decision="send", send_id=str() as send_id, campaign=campaign):
                self.sends[send_id] = self._newest_sends[campaign] = told
            case SendSettled() as settled:
                self._settled[settled.send_id, settled.channel] = told
            case SendRetried(deliver=deliver):
                self._retries[deliver.send_id] = told
        return told

    def _cause_of(self, moment: Moment) -> Told | None:
        match moment.what:
            case Verdict(send_id=str() as send_id) if send_id in self._retries:
                return self._retries.pop(send_id)
            case Verdict(cause=cause):
                return self._acts.get(cause)
            case SendSettled(send_id=send_id):
                return self.sends.get(send_id)
            case SendRetried(deliver=deliver):
                return self.sends.get(deliver.send_id)
            case Act(event=event) if event.campaign is not None and event.name in ACTS:
                # What is done with a message came of its send; if it does not say of which, of
                # the newest.
                sent = self.sends.get(event.send_id) if event.send_id is not None else None
                return sent or self._newest_sends.get(event.campaign)
            case _:
                return None

    def _follow(self, begun: list[Told]) -> None:
        """Tell what was decided since the last call, and what followed from it.

        `begun` was told already, and was decided about.
        """
        verdicts = self._refold.take_verdicts()
        acts = list(self._derived())
        ids = {act.id for act in acts}
        for verdict in verdicts:
            if verdict.cause not in ids:
                self._tell(Moment(verdict.at, verdict))
        for act in acts:
            told = self._tell(Moment(act.now, act))
            told.because = self._source_of(act, begun)
            for verdict in verdicts:
                if verdict.cause == act.id:
                    self._tell(Moment(verdict.at, verdict))

    def _derived(self) -> Iterator[Act]:
        """Yield the acts that no record says; a schedule's gets the campaign it came with."""
        seen, self._watch.seen = self._watch.seen, []
        slug: str | None = None
        for one in seen:
            if isinstance(one, ScheduleCame):
                slug = one.campaign
            elif isinstance(one, Act) and one.derived_id is not None:
                if one.event.campaign is None:
                    one = replace(one, event=replace(one.event, campaign=slug))  # noqa: PLW2901
                yield one

    def _source_of(self, act: Act, begun: list[Told]) -> Told | None:
        event = act.event
        settled = self._settled.get((event.send_id or "", event.channel or ""))
        return settled or (begun[0] if begun else None)


def _with_put_offs(journal: Journal, user_id: str, teller: _Teller) -> list[Told]:
    """Return the story with what the log tells by the ids of sends alone."""
    put_offs = []
    for record in deferrals_of(journal, teller.sends.keys()):
        for send_id, channel, again_at, detail in record.deferred:
            sent = teller.sends[send_id]
            slug = sent.moment.campaign or ""
            put_off = PutOff(user_id, slug, send_id, channel, again_at, detail)
            put_offs.append(Told(Moment(record.received_at, put_off), sent))
    return _merged(teller.told, put_offs)


def _merged(told: list[Told], more: Iterable[Told]) -> list[Told]:
    """Return both in order of time; what was told in an order stays in it."""
    added = list(more)
    return sorted([*told, *added], key=lambda one: one.moment.at) if added else told
