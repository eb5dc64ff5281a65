"""Rehearsals: the whole program once more, in memory, with virtual phones and a clock to skip.

Each is an application of its own, with a runtime, a log and secrets of its own, that has no sender
but the phone. Nothing of it touches the live log, and it is gone with the process.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from segue.channels.registry import Senders
from segue.channels.settings import ChannelSettings, EmailSettings, SmsSettings
from segue.clock import Clock, SkippingClock
from segue.errors import BusyError, NotFoundError
from segue.model.instants import HOUR, MINUTE, SECOND
from segue.model.limits import (
    REHEARSAL_IDLE_MAX,
    REHEARSAL_LIFE_MAX,
    REHEARSAL_LOG_BYTES_MAX,
    REHEARSALS_MAX,
)
from segue.services.actors import Actor
from segue.services.rehearsal_cast import Cast, RehearsalWish, cast_of, put_on
from segue.services.rehearsal_time import RehearsalTime
from segue.services.secrets import secrets_of
from segue.services.settings import SdkSettings, Settings
from segue.storage.open import Stores, open_memory

if TYPE_CHECKING:
    from segue.services.application import Application

_log = structlog.get_logger(__name__)
PATH: Final = "/rehearsals"  # where its pages and its public addresses stand
_LOOK_EVERY_S: Final = 20.0
_ID_BYTES: Final = 6  # it stands in every link, and texts pay for theirs
MakeApplication = Callable[[Settings, Stores, Senders, Clock], "Application"]
_ENDED: Final = (
    "This rehearsal has ended: somebody closed it, it was not used for "
    f"{REHEARSAL_IDLE_MAX // MINUTE} minutes, was open for {REHEARSAL_LIFE_MAX // HOUR} hours, "
    "or the server was started anew. Nothing that happened in it was real, so nothing is lost but "
    "the try. Begin another one."
)


class RehearsalEndedError(NotFoundError):
    """There is no such rehearsal any more."""


class Rehearsal(Struct, eq=False):
    """One rehearsal: what it is of, whose it is, and the application that it runs in."""

    id: str
    owner_id: str
    owner_name: str
    wish: RehearsalWish
    application: "Application"
    time: RehearsalTime
    cast: Cast
    begun_at: float  # by the live clock, in seconds
    used_at: float
    notes: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where its page stands."""
        return f"{PATH}/{self.id}"


class Rehearsals:
    """The verbs on rehearsals. Each person has one at a time."""

    def __init__(self, live: "Application", make_application: MakeApplication) -> None:
        self._live = live
        self._make_application = make_application
        self._open: dict[str, Rehearsal] = {}
        self._turn = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    def all(self) -> list[Rehearsal]:
        """Return those that go on, the oldest first."""
        return [one for one in self._open.values() if self._is_on(one)]

    def of(self, owner_id: str) -> Rehearsal | None:
        """Return somebody's own rehearsal, if they have one."""
        return next((one for one in self.all() if one.owner_id == owner_id), None)

    def find(self, rehearsal_id: str) -> Rehearsal:
        """Return a rehearsal that goes on.

        Raises:
            RehearsalEndedError: there is none of this id, or no longer.
        """
        found = self._open.get(rehearsal_id)
        if found is None or not self._is_on(found):
            raise RehearsalEndedError(_ENDED)
        return found

    def use(self, rehearsal: Rehearsal) -> None:
        """Note that somebody does something with it."""
        rehearsal.used_at = self._live.clock.monotonic()

    async def begin(self, wish: RehearsalWish, owner: Actor) -> Rehearsal:
        """Begin a rehearsal; the one that its owner had ends.

        Raises:
            NotFoundError: there is no such campaign, or nothing is being written under that id.
            InvalidError: it cannot be published yet; with every fault.
            ConflictError: it is archived, or too much is active.
            BusyError: as many go on as are allowed.
        """
        async with self._turn:
            await self._end_those_over()
            others = [one for one in self._open.values() if one.owner_id != owner.id]
            if len(others) >= REHEARSALS_MAX:
                names = ", ".join(sorted({one.owner_name for one in others}))
                message = (
                    f"{REHEARSALS_MAX} rehearsals go on already ({names}), each in memory; one has "
                    f"to be closed, or ends by itself {REHEARSAL_IDLE_MAX // MINUTE} minutes after "
                    "it was used last"
                )
                raise BusyError(message, retry_after_s=60)
            rehearsal = await self._begun(self._new_id(), wish, owner.id, owner.name)
            for one in list(self._open.values()):
                if one.owner_id == owner.id:
                    await self._end(one)
            self._open[rehearsal.id] = rehearsal
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch(), name="rehearsals")
            return rehearsal

    async def begin_anew(self, rehearsal_id: str) -> Rehearsal:
        """Begin a rehearsal from the beginning, under its address, with what is live now.

        Raises:
            SegueError: as `begin`; the old one goes on then.
        """
        async with self._turn:
            old = self.find(rehearsal_id)
            wish = self._still(old)
            new = await self._begun(old.id, wish, old.owner_id, old.owner_name)
            await self._end(old)
            self._open[new.id] = new
            return new

    async def end(self, rehearsal_id: str) -> None:
        """End a rehearsal; harmless when repeated."""
        async with self._turn:
            found = self._open.get(rehearsal_id)
            if found is not None:
                await self._end(found)

    async def end_those_over(self) -> None:
        """End those that nobody uses, that are too old, or with a copy of a user who is gone."""
        async with self._turn:
            await self._end_those_over()

    async def close(self) -> None:
        """End all."""
        async with self._turn:
            if self._watching is not None:
                self._watching.cancel()  # not while it ends one
            for one in list(self._open.values()):
                await self._end(one)

    async def _watch(self) -> None:
        while self._open:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self.end_those_over()

    async def _end_those_over(self) -> None:
        for one in list(self._open.values()):
            if not self._is_on(one):
                await self._end(one)

    def _is_on(self, rehearsal: Rehearsal) -> bool:
        now, known = self._live.clock.monotonic(), rehearsal.cast.known_ids
        return (
            now - rehearsal.used_at < REHEARSAL_IDLE_MAX / SECOND
            and now - rehearsal.begun_at < REHEARSAL_LIFE_MAX / SECOND
            # Who is erased has no copy anywhere either.
            and all(self._live.runtime.state_of(one) is not None for one in known)
        )

    async def _begun(
        self, rehearsal_id: str, wish: RehearsalWish, owner_id: str, owner_name: str
    ) -> Rehearsal:
        cast = await cast_of(self._live, wish)
        settings, stores = self._settings(rehearsal_id), open_memory()
        clock = SkippingClock(self._live.clock)
        senders = Senders(settings.channels, clock, secrets_of(stores.journal, clock))
        stage = self._make_application(settings, stores, senders, clock)
        await stage.start()
        try:
            notes = await put_on(stage, cast)
        except BaseException:
            await stage.stop()
            raise
        now = self._live.clock.monotonic()
        return Rehearsal(
            rehearsal_id,
            owner_id,
            owner_name,
            wish,
            stage,
            RehearsalTime(stage.runtime, clock),
            replace(cast, campaigns=[], segments=[]),  # the stage has them
            now,
            now,
            notes,
        )

    def _settings(self, rehearsal_id: str) -> Settings:
        """Return settings without any provider: all that is said of how messages look is kept."""
        live = self._live.settings
        return Settings(
            host=live.host,
            port=live.port,
            data="memory:",
            public_url=f"{live.base_url}{PATH}/{rehearsal_id}",
            log_bytes_max=REHEARSAL_LOG_BYTES_MAX,
            channels=ChannelSettings(
                email=EmailSettings(from_=live.channels.email.from_),
                sms=SmsSettings(replies=live.channels.sms.replies),
                to_phone="everybody",
            ),
            sdk=SdkSettings(session_timeout_s=live.sdk.session_timeout_s),
        )

    def _still(self, rehearsal: Rehearsal) -> RehearsalWish:
        """Return what a rehearsal is of; what was being written may be a campaign by now."""
        wish, drafts = rehearsal.wish, rehearsal.cast.drafts
        if wish.composition and self._live.runtime.journal.compositions.find(wish.composition):
            return wish
        slug = drafts[0].slug if drafts else wish.campaign
        is_there = self._live.runtime.journal.find_campaign(slug) is not None
        return replace(wish, composition="", campaign=slug if is_there else "")

    async def _end(self, rehearsal: Rehearsal) -> None:
        if self._open.get(rehearsal.id) is rehearsal:
            del self._open[rehearsal.id]
        try:
            await rehearsal.application.stop()
        except Exception:  # noqa: BLE001 - it is gone either way, and the others go on
            _log.exception("a rehearsal did not end well", rehearsal=rehearsal.id)

    def _new_id(self) -> str:
        return self._live.clock.token(_ID_BYTES).hex()
