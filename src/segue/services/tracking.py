"""What a link in a message stands for: opens and clicks become events."""

import asyncio
from typing import Final

from segue.channels.user_agents import is_machine_open, is_prefetcher, is_previewer
from segue.clock import Clock
from segue.content.codes import LINK_CODE_LENGTH, is_code
from segue.content.short_links import PREFERENCES_ALIAS
from segue.content.tokens import TokenKind, TokenSigner, Tracked
from segue.model.events import Event
from segue.model.ids import random_id
from segue.runtime.runtime import Runtime

_ACTS: Final[dict[TokenKind, str]] = {
    "open": "email_open",
    "click": "email_click",
    "short_link": "sms_short_link_click",
}


class Tracking:
    """Turns a followed link into an event of the log."""

    def __init__(self, runtime: Runtime, signer: TokenSigner, clock: Clock) -> None:
        self._runtime = runtime
        self._signer = signer
        self._clock = clock
        self.forged_count = 0

    def read(self, token: str, kind: TokenKind) -> Tracked | None:
        """Return what a token stands for; None, and counted, if we did not sign it."""
        tracked = self._signer.read(token, kind)
        if tracked is None:
            self.forged_count += 1
        return tracked

    async def find(self, code: str) -> Tracked | None:
        """Return what the code of a short link stands for; None, and counted, if for nothing.

        Of a user who was erased it stands for nothing, even if it was kept a moment later.
        """
        tracked = None
        if is_code(code, LINK_CODE_LENGTH):
            codes, now = self._runtime.journal.codes, self._clock.now()
            tracked = await asyncio.to_thread(codes.find, code, now)
        if (
            tracked is None
            or tracked.kind != "short_link"
            or self._runtime.state_of(tracked.user_id) is None
        ):
            self.forged_count += 1
            return None
        return tracked

    def sign(self, tracked: Tracked) -> str:
        """Return a token for a link of ours to another."""
        return self._signer.sign(tracked)

    async def opened(self, tracked: Tracked, user_agent: str) -> None:
        """Record that the pixel was loaded, by a machine or a person."""
        is_machine = is_machine_open(user_agent) or self._runtime.dispatcher.is_just_handed_over(
            tracked.send_id
        )
        await self._record(tracked, machine=True if is_machine else None)

    async def clicked(self, tracked: Tracked, user_agent: str) -> None:
        """Record a click; that of a scanner or a link preview is none (semantics.md 2).

        Nor is one on the way to the user's own preferences.
        """
        is_to_preferences = tracked.kind == "short_link" and tracked.alias == PREFERENCES_ALIAS
        if not (is_to_preferences or is_prefetcher(user_agent) or is_previewer(user_agent)):
            await self._record(tracked)

    async def _record(self, tracked: Tracked, machine: bool | None = None) -> None:
        event = Event(
            tracked.user_id,
            _ACTS[tracked.kind],
            id=random_id(self._clock.now(), self._clock.token(10)),
            campaign=tracked.campaign,
            channel=tracked.channel,
            variant=tracked.variant,
            alias=tracked.alias,
            link=tracked.link,
            machine=machine,
            send_id=tracked.send_id,
        )
        await self._runtime.ingest.take_events([event])
