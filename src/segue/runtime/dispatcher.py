"""Hands messages over: fill in, record the attempt, hand over, record what came of it.

An attempt is in the log before the provider sees the message, and its outcome after; so a crash
in between is known for what it is, and settled by the channel's `on_unknown` policy.
"""

import asyncio
from collections import Counter, OrderedDict
from functools import partial
from typing import Protocol

import structlog
from msgspec.structs import replace

from segue.channels.backoff import next_attempt
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.clock import Clock
from segue.errors import SegueError, StorageError
from segue.model.devices import DevicesTried
from segue.model.events import SendSettled, SettledAs
from segue.model.instants import SECOND
from segue.model.limits import MACHINE_OPEN_WINDOW, SENDERS_MAX, WEBHOOK_ATTEMPTS_MAX
from segue.model.log_records import SendsAttempted, SendsDeferred, SendsSettled
from segue.model.rendered import Rendered
from segue.runtime.group_commit import GroupCommit
from segue.runtime.hold import SendingHold
from segue.runtime.outbox import Outbox
from segue.runtime.send_limits import SendLimits
from segue.storage.outbox_items import OutboxItem

_log = structlog.get_logger(__name__)
_IDLE_WAIT_MAX_S = 1.0
_SHARE = 3  # one campaign gets 30 of 40 places, two get 17 each, and so on
_STORAGE_PAUSE = SECOND  # until a hand-over is begun again that could not be recorded
_HAND_OVERS_REMEMBERED = 10_000  # of the last seconds, to tell a scanner's open from a person's


class NotSentError(SegueError):
    """The message was not made; `reason` is one of `segue.model.reasons`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Renders(Protocol):
    """Fills a message in for its user, with the newest content."""

    def render(self, item: OutboxItem) -> Rendered:
        """Return the message.

        Raises:
            NotSentError: there is no message for this user.
        """


class Sends(Protocol):
    """All senders behind one face."""

    async def send(self, message: Rendered) -> Answer:
        """Hand over to the sender of the message's channel."""

    def turn(self, message: Rendered, now: int) -> int:
        """Return when its provider takes the message, `now` or later; the turn is kept for it."""


class _Slots:
    """The places for hand-overs: some stay free for campaigns that have few under way.

    A campaign may have as many under way as `_SHARE` times the places that are free. So one
    alone gets three quarters, and however large it is, another finds a place at once.
    """

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def take(self, campaign: str) -> bool:
        """Take a place, if the campaign may have one more."""
        if self.taken[campaign] >= _SHARE * (SENDERS_MAX - self.taken.total()):
            return False
        self.taken[campaign] += 1
        return True

    def give_back(self, campaign: str) -> None:
        """Let others have a place."""
        self.taken[campaign] -= 1
        if not self.taken[campaign]:
            del self.taken[campaign]


class Dispatcher:
    """Works the outbox off, a bounded number of messages at a time."""

    def __init__(
        self,
        outbox: Outbox,
        commits: GroupCommit,
        renders: Renders,
        senders: Sends,
        limits: SendLimits,
        hold: SendingHold,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._limits = limits
        self._hold = hold
        self._commits = commits
        self._renders = renders
        self._senders = senders
        self._clock = clock
        # A message may be due at the log's instant, though the clock is not there.
        self._now = commits.now
        self._under_way: set[asyncio.Task[None]] = set()
        self._slots = _Slots()
        self._handed_over: OrderedDict[str, float] = OrderedDict()
        self._wake = asyncio.Event()
        self._is_closing = False

    def nudge(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    @property
    def under_way_count(self) -> int:
        """How many hand-overs are under way."""
        return len(self._under_way)

    @property
    def is_busy(self) -> bool:
        """Whether hand-overs are under way."""
        return bool(self._under_way)

    def is_just_handed_over(self, send_id: str) -> bool:
        """Return whether the hand-over was under two seconds ago, or is still under way."""
        at = self._handed_over.get(send_id)
        return at is not None and self._clock.monotonic() - at < MACHINE_OPEN_WINDOW / SECOND

    def settle_cut_off(self) -> None:
        """After a crash: decide about attempts whose outcome is not known (semantics.md 8)."""
        for item in self._outbox.cut_off():
            if self._limits.resends_on_unknown(item.channel):
                self._outbox.retry(item.key, self._now())
            else:
                self._settle(item, "skipped", "unknown_outcome", None)

    async def run(self) -> None:
        """Hand over what is ready, until closed; what is under way then is waited for."""
        while not self._is_closing:
            is_held = self._hold.is_on
            ready = [] if is_held else self._outbox.take_ready(self._now(), self._slots.take)
            if ready:
                await self._begin(ready)
            else:
                await self._sleep()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=1.0)
        for task in self._under_way:
            task.cancel()

    def close(self) -> None:
        """Let `run` end."""
        self._is_closing = True
        self._wake.set()

    async def _begin(self, items: list[OutboxItem]) -> None:
        """Hand over what may go, each in the place that was taken for it."""
        begun: list[OutboxItem] = []
        try:
            begun = await self._begin_what_may_go(items)
        finally:
            keys = {item.key for item in begun}
            for item in items:
                if item.key not in keys:
                    self._slots.give_back(item.deliver.campaign)

    async def _begin_what_may_go(self, items: list[OutboxItem]) -> list[OutboxItem]:
        """Begin the hand-overs that may begin, and return their messages."""
        rendered: list[tuple[OutboxItem, Rendered]] = []
        for item in items:
            if (message := self._ready_message(item)) is not None:
                rendered.append((item, message))
            await asyncio.sleep(0)
        if self._hold.is_on:
            for item, _ in rendered:
                self._outbox.retry(item.key, self._now())
            return []
        if not rendered:
            return []
        attempts = [(item.deliver.send_id, item.channel) for item, _ in rendered]
        try:
            await self._commits.hand_in(lambda at: SendsAttempted(at, attempts))
        except StorageError:
            # Nothing goes out that the log does not know of; it says itself what is wrong.
            for item, _ in rendered:
                self._outbox.retry(item.key, self._now() + _STORAGE_PAUSE)
            return []
        for item, message in rendered:
            task = asyncio.create_task(self._hand_over(item, message))
            self._under_way.add(task)
            task.add_done_callback(partial(self._finished, item.deliver.campaign))
        return [item for item, _ in rendered]

    def _ready_message(self, item: OutboxItem) -> Rendered | None:
        """Return the message if it may go now; else it is put off, or comes to its end."""
        slot = self._limits.slot(item, self._now())
        if slot is None:
            self._settle(item, "skipped", "rate_limited", None)
            return None
        if slot > self._now():
            self._outbox.retry(item.key, slot)
            return None
        try:
            message = self._renders.render(item)
        except NotSentError as error:
            self._settle(item, "skipped", error.reason, str(error))
            return None
        if (why := self._limits.suppressed(item, message)) is not None:
            self._settle(item, "skipped", "suppressed", why)
            return None
        return message if self._is_its_turn(item, message) else None

    def _is_its_turn(self, item: OutboxItem, message: Rendered) -> bool:
        """Return whether provider and campaign take the message now."""
        now = self._now()
        turn = self._limits.turn(item, now, lambda: self._senders.turn(message, now))
        if turn is None:
            self._settle(item, "skipped", "rate_limited", None)
            return False
        if turn > now:
            self._outbox.retry(item.key, turn)
            return False
        if not self._limits.may_send(item):
            self._settle(item, "skipped", "recipients_max", None)
            return False
        return True

    def _finished(self, campaign: str, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._slots.give_back(campaign)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a hand-over could not be recorded", error=str(error))

    async def _hand_over(self, item: OutboxItem, message: Rendered) -> None:
        self._remember(item)
        try:
            answer = await self._senders.send(message)
        except Exception as error:  # noqa: BLE001 - told as an unknown outcome
            # A sender that breaks its promise not to raise: nobody knows what went out.
            _log.exception("a sender failed", channel=item.channel)
            answer = Unknown(f"{type(error).__name__}: {error}")
        self._remember(item)
        await self._take(item, answer)

    async def _take(self, item: OutboxItem, answer: Answer) -> None:
        """Log an answer. A push that some device has got is received, whatever others say."""
        tried = answer.tried
        if tried.unknown and self._limits.resends_on_unknown(item.channel):
            tried = replace(tried, unknown=[])
        item = replace(item, tried=item.tried + tried)
        match answer:
            case Accepted():
                await self._settle(item, "accepted", None, None)
            case Refused():
                reason = "unreachable" if answer.is_address_dead else "refused"
                await self._settle(item, "refused", reason, answer.detail)
            case TryLater():
                await self._put_off(item, tried, answer)
            case Unknown() if self._limits.resends_on_unknown(item.channel):
                await self._put_off(item, tried, TryLater(answer.detail))
            case Unknown():
                await self._settle(item, "skipped", "unknown_outcome", answer.detail)

    async def _put_off(self, item: OutboxItem, tried: DevicesTried, answer: TryLater) -> None:
        now, attempts = self._now(), item.attempts + 1
        if not answer.was_asked:
            # Nothing is given up because others found the provider down; only when time is up.
            attempts = min(attempts, WEBHOOK_ATTEMPTS_MAX - 1)
        again_at = next_attempt(
            item.channel,
            attempts,
            item.first_attempt_at if item.first_attempt_at is not None else now,
            now,
            answer.retry_after_s,
            self._clock.jitter(),
        )
        if again_at is None and item.tried.unknown:
            await self._settle(item, "skipped", "unknown_outcome", answer.detail)
            return
        if again_at is None:
            await self._settle(item, "refused", "gave_up", answer.detail)
            return
        send_id, channel, detail = item.deliver.send_id, item.channel, answer.detail
        await self._commits.insist(
            lambda at: SendsDeferred(
                at, [(send_id, channel, again_at, detail)], [(send_id, tried)] if tried else []
            )
        )

    def _settle(
        self, item: OutboxItem, settled_as: SettledAs, reason: str | None, detail: str | None
    ) -> "asyncio.Future[int]":
        """Log what became of a message; from here on it is out of the outbox."""
        deliver = item.deliver
        if item.tried.accepted:
            settled_as, reason, detail = "accepted", None, None
        self._limits.settled(item, is_accepted=settled_as == "accepted")
        settled = SendSettled(
            deliver.user_id,
            deliver.campaign,
            deliver.send_id,
            item.channel,
            settled_as,
            reason,
            detail,
            item.tried.dead,
        )
        return self._commits.insist(lambda at: SendsSettled(at, [settled]))

    def _remember(self, item: OutboxItem) -> None:
        self._handed_over[item.deliver.send_id] = self._clock.monotonic()
        self._handed_over.move_to_end(item.deliver.send_id)
        while len(self._handed_over) > _HAND_OVERS_REMEMBERED:
            self._handed_over.popitem(last=False)

    async def _sleep(self) -> None:
        self._wake.clear()
        next_at = self._outbox.next_ready_at()
        pause = _IDLE_WAIT_MAX_S
        # What may go by now and did not waits for a place: who gives one back wakes this.
        is_crowded = bool(self._under_way) and next_at is not None and next_at <= self._now()
        if next_at is not None and not is_crowded and not self._hold.is_on:
            pause = min(pause, max((next_at - self._now()) / SECOND, 0.001))
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return
