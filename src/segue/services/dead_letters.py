"""Messages that failed: list them, count them, have them tried again, or let go of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from segue.engine.retrying import obstacle_to_retry
from segue.errors import BusyError, NotFoundError
from segue.model.channels import CHANNELS, Channel
from segue.model.decoding import decode_document
from segue.model.instants import from_datetime, to_datetime
from segue.model.limits import (
    DEAD_LETTERS_MAX,
    LETTERS_NAMED_MAX,
    OUTBOX_MAX,
    RETRIES_PER_BLOCK,
)
from segue.model.log_records import LettersDismissed, SendsRetried
from segue.model.problems import InvalidError, Problem
from segue.model.reasons import MENDABLE, REASONS, Mendable
from segue.runtime.dead_letters import DeadLetters as Letters
from segue.runtime.dead_letters import send_again
from segue.runtime.runtime import Runtime
from segue.storage.outbox_items import DeadLetter

MAY_DOUBLE_WHY: Final = (
    'It may have arrived, and would arrive twice then; "may_double": true says that it may.'
)


class LetterFilter(Struct, frozen=True):
    """Which letters are meant: those of a campaign (slug or id), a channel, a reason; or all."""

    campaign: str | None = None
    channel: str | None = None
    reason: str | None = None


class ShownLetter(Struct, frozen=True, omit_defaults=True):
    """A message that failed, as the API shows one."""

    id: str
    user_id: str
    campaign: str
    variant: str
    channel: Channel
    send_id: str
    reason: Mendable
    why: str
    attempts: int
    decided_at: datetime
    failed_at: datetime
    detail: str = ""
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    may_double: bool = False  # to try it again may be to send it twice


class LetterGroup(Struct, frozen=True):
    """Letters of one campaign, channel and reason: how many, from when to when, the newest."""

    campaign: str
    channel: Channel
    reason: Mendable
    why: str
    count: int
    first_failed_at: datetime
    last_failed_at: datetime
    example: ShownLetter


class LettersSummary(Struct, frozen=True):
    """All letters in groups, the largest first; the list holds no more than `count_max`."""

    count: int
    count_max: int
    groups: list[LetterGroup]


class RetryWish(Struct, forbid_unknown_fields=True):
    """Which letters to try again: by their ids, or all that a filter finds."""

    ids: list[str] | None = None
    campaign: str | None = None
    channel: str | None = None
    reason: str | None = None
    may_double: bool = False


class NotPutBack(Struct, frozen=True):
    """How many letters stay in the list, for one reason, and the id of one of them."""

    reason: str
    why: str
    count: int
    example: str


class Retried(Struct, frozen=True):
    """How many messages are in the outbox again; `gone` are ids that name no letter any more."""

    put_back: int
    not_put_back: list[NotPutBack] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Dismissed(Struct, frozen=True):
    """How many letters are gone from the list."""

    dismissed: int


class DeadLetters:
    """The verbs on messages that failed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def _letters(self) -> Letters:
        return self._runtime.outcomes.outbox.letters

    def page(self, wanted: LetterFilter, cursor: str, limit: int) -> list[ShownLetter]:
        """Return letters, the newest first, behind a cursor (`cursor_of`) if there is one.

        Raises:
            InvalidError: the filter, or the cursor, is none.
        """
        found = self._found(wanted)
        if cursor:
            behind = _read_cursor(cursor)
            found = [one for one in found if _place(one) < behind]
        return [shown(one) for one in found[:limit]]

    def summary(self, wanted: LetterFilter) -> LettersSummary:
        """Return the letters in groups.

        Raises:
            InvalidError: the filter is none.
        """
        groups: dict[tuple[str, Channel, Mendable], list[DeadLetter]] = {}
        found = self._found(wanted)
        for letter in found:
            item = letter.item
            key = item.deliver.campaign, item.channel, letter.reason
            groups.setdefault(key, []).append(letter)
        told = [
            LetterGroup(
                campaign,
                channel,
                reason,
                REASONS[reason],
                len(letters),
                to_datetime(letters[-1].settled_at),
                to_datetime(letters[0].settled_at),
                shown(letters[0]),
            )
            for (campaign, channel, reason), letters in groups.items()
        ]
        told.sort(key=lambda one: (-one.count, one.campaign, one.channel, one.reason))
        return LettersSummary(len(found), DEAD_LETTERS_MAX, told)

    async def retry(self, raw: object) -> Retried:
        """Put messages back into the outbox, as far as they may go now.

        Each keeps the id of its send, so that a provider who knows it does not take it twice.

        Raises:
            InvalidError: the wish is none.
            BusyError: the outbox, or what is to be decided, is full.
        """
        wish = decode_document(raw, RetryWish)
        self._refuse_when_busy()
        letters, gone = self._wanted(wish)
        taken = self._letters.claim(letters)
        gone += [_id(one) for one in letters if one not in taken]
        report = _Report()
        try:
            for start in range(0, len(taken), RETRIES_PER_BLOCK):
                await self._retry(taken[start : start + RETRIES_PER_BLOCK], wish, report)
        finally:
            self._letters.release(taken)
        return report.retried(gone if wish.ids is not None else [])

    async def dismiss(self, letter_id: str) -> None:
        """Let go of a letter.

        Raises:
            NotFoundError: there is none of this id, or somebody is retrying it just now.
        """
        letter = self._letters.find(_key(letter_id))
        if letter is None or not await self._dismiss([letter]):
            message = f"there is no dead letter {letter_id!r}; it was retried, dismissed or too old"
            raise NotFoundError(message)

    async def dismiss_all(self, wanted: LetterFilter) -> Dismissed:
        """Let go of all letters that a filter finds.

        Raises:
            InvalidError: the filter is none.
        """
        return Dismissed(await self._dismiss(self._found(wanted)))

    async def _dismiss(self, letters: Sequence[DeadLetter]) -> int:
        taken = self._letters.claim(letters)
        named = [(one.item.deliver.send_id, one.item.channel) for one in taken]
        try:
            if named:
                await self._runtime.commits.hand_in(lambda at: LettersDismissed(at, named))
        finally:
            self._letters.release(taken)
        return len(taken)

    async def _retry(
        self, letters: Sequence[DeadLetter], wish: RetryWish, report: "_Report"
    ) -> None:
        """Log those that may go, wait for what the engine makes of them, and note it."""
        states = self._runtime.states
        states.prefetch(one.item.deliver.user_id for one in letters)
        going: list[DeadLetter] = []
        for letter in letters:
            if letter.reason == "unknown_outcome" and not wish.may_double:
                report.stays(letter, letter.reason, MAY_DOUBLE_WHY)
            elif (reason := self._obstacle(letter)) is not None:
                report.stays(letter, reason, REASONS[reason])
            else:
                going.append(letter)
        if not going:
            return
        sends = [send_again(one, wish.may_double) for one in going]
        await self._runtime.decided(
            self._runtime.commits.hand_in(lambda at: SendsRetried(at, sends))
        )
        for letter in going:
            left = self._letters.find(letter.key)
            if left is None or left.settled_at != letter.settled_at:
                report.put_back += 1
            else:  # what holds has changed in between
                reason = self._obstacle(letter) or "already_waiting"
                report.stays(letter, reason, REASONS[reason])

    def _obstacle(self, letter: DeadLetter) -> str | None:
        runtime, deliver = self._runtime, letter.item.deliver
        state = runtime.states.get(deliver.user_id)
        return obstacle_to_retry(state, deliver, runtime.plan, runtime.clock.now())

    def _refuse_when_busy(self) -> None:
        self._runtime.ingest.refuse_when_busy()
        waiting = len(self._runtime.outcomes.outbox)
        if waiting > OUTBOX_MAX:
            message = f"{waiting} messages wait to be handed over; try again when they are gone"
            raise BusyError(message, retry_after_s=60)

    def _wanted(self, wish: RetryWish) -> tuple[list[DeadLetter], list[str]]:
        """Return the letters of a wish, and those of its ids that name none."""
        wanted = LetterFilter(wish.campaign, wish.channel, wish.reason)
        if wish.ids is None:
            return self._found(wanted), []
        if wanted != LetterFilter():
            message = "name letters, or the campaign, channel and reason of letters, and not both"
            raise InvalidError([Problem("ids", message)], "The body")
        if len(wish.ids) > LETTERS_NAMED_MAX:
            message = f"has {len(wish.ids)} entries; at most {LETTERS_NAMED_MAX}, or use a filter"
            raise InvalidError([Problem("ids", message)], "The body")
        there = {_id(one): one for one in self._letters.newest(self._runtime.clock.now())}
        ids = list(dict.fromkeys(wish.ids))
        letters = [there[one] for one in ids if one in there]
        return letters, [one for one in ids if one not in there]

    def _found(self, wanted: LetterFilter) -> list[DeadLetter]:
        """Return the letters that a filter finds, the newest first."""
        problems = [
            Problem(name, f"{value!r} is none of {', '.join(known)}")
            for name, value, known in (
                ("channel", wanted.channel, CHANNELS),
                ("reason", wanted.reason, MENDABLE),
            )
            if value is not None and value not in known
        ]
        if problems:
            raise InvalidError(problems, "The filter")
        campaign = wanted.campaign
        if campaign is not None:
            published = self._runtime.plan.find(campaign)
            campaign = published.slug if published is not None else campaign
        found = [
            one
            for one in self._letters.newest(self._runtime.clock.now())
            if campaign in (None, one.item.deliver.campaign)
            and wanted.channel in (None, one.item.channel)
            and wanted.reason in (None, one.reason)
        ]
        return sorted(found, key=_place, reverse=True)


class _Report:
    """What has become of a retry so far."""

    def __init__(self) -> None:
        self.put_back = 0
        self._stays: dict[str, NotPutBack] = {}

    def stays(self, letter: DeadLetter, reason: str, why: str) -> None:
        known = self._stays.get(reason, NotPutBack(reason, why, 0, _id(letter)))
        self._stays[reason] = replace(known, count=known.count + 1)

    def retried(self, gone: list[str]) -> Retried:
        return Retried(self.put_back, list(self._stays.values()), gone)


def shown(letter: DeadLetter) -> ShownLetter:
    """Return a letter as the API shows it."""
    item, deliver = letter.item, letter.item.deliver
    first, last = item.first_attempt_at, item.last_attempt_at
    return ShownLetter(
        id=_id(letter),
        user_id=deliver.user_id,
        campaign=deliver.campaign,
        variant=deliver.variant,
        channel=item.channel,
        send_id=deliver.send_id,
        reason=letter.reason,
        why=REASONS[letter.reason],
        attempts=item.attempts,
        decided_at=to_datetime(deliver.decided_at),
        failed_at=to_datetime(letter.settled_at),
        detail=letter.detail,
        first_attempt_at=to_datetime(first) if first is not None else None,
        last_attempt_at=to_datetime(last) if last is not None else None,
        may_double=letter.reason == "unknown_outcome",
    )


def cursor_of(letter: ShownLetter) -> str:
    """Return what asks for the letters behind one; it holds when that one is gone."""
    return f"{from_datetime(letter.failed_at)}:{letter.id}"


def _id(letter: DeadLetter) -> str:
    return letter.key.replace("/", ":")


def _key(letter_id: str) -> str:
    return letter_id.replace(":", "/")


def _place(letter: DeadLetter) -> tuple[int, str]:
    return letter.settled_at, letter.key


def _read_cursor(cursor: str) -> tuple[int, str]:
    at, _, letter_id = cursor.partition(":")
    if not at.isdecimal() or not letter_id:
        message = f"{cursor!r} is none; give the next_cursor of the page before"
        raise InvalidError([Problem("cursor", message)], "The request")
    return int(at), _key(letter_id)
