"""What a link in a message stands for: opens, clicks and unsubscribes become events."""

from typing import Final

from segue.clock import Clock
from segue.content.tokens import TokenKind, TokenSigner, Tracked
from segue.model.events import Event
from segue.model.ids import random_id
from segue.runtime.runtime import Runtime

# Programs that load a message's images or links before a person does, by their User-Agent.
_PREFETCHERS: Final = (
    "googleimageproxy",
    "yahoomailproxy",
    "bingpreview",
    "barracuda",
    "mimecast",
    "proofpoint",
    "microsoft office existence discovery",
    "safelinks",
    "symantec",
    "trendmicro",
    "bitdefender",
    "bot",
    "crawler",
    "spider",
    "scanner",
)
# Apple's mail privacy proxy loads with a bare agent that no browser sends.
_BARE_AGENTS: Final = ("mozilla/5.0", "")
_ACTS: Final[dict[TokenKind, str]] = {
    "open": "email_open",
    "click": "email_click",
    "unsubscribe": "email_unsubscribe",
}


def is_prefetcher(user_agent: str) -> bool:
    """Return whether the agent is a known prefetcher or scanner rather than a person."""
    agent = user_agent.lower()
    return any(word in agent for word in _PREFETCHERS)


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

    async def opened(self, tracked: Tracked, user_agent: str) -> None:
        """Record that the pixel was loaded, by a machine or a person."""
        is_machine = (
            is_prefetcher(user_agent)
            or user_agent.strip().lower() in _BARE_AGENTS
            or self._runtime.dispatcher.is_just_handed_over(tracked.send_id)
        )
        await self._record(tracked, machine=True if is_machine else None)

    async def clicked(self, tracked: Tracked, user_agent: str) -> None:
        """Record a click; a scanner's is no click (semantics.md 2)."""
        if not is_prefetcher(user_agent):
            await self._record(tracked)

    async def unsubscribed(self, tracked: Tracked) -> None:
        """Record that the user wants no more email."""
        await self._record(tracked)

    async def _record(self, tracked: Tracked, machine: bool | None = None) -> None:
        event = Event(
            tracked.user_id,
            _ACTS[tracked.kind],
            id=random_id(self._clock.now(), self._clock.token(10)),
            campaign=tracked.campaign,
            channel="email",
            variant=tracked.variant,
            alias=tracked.alias,
            link=tracked.link,
            machine=machine,
            send_id=tracked.send_id,
        )
        await self._runtime.ingest.take_events([event])
