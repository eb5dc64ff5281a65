"""What devices ask for: the messages that are due to a user; and what they report of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from segue.channels.inbox import InboxSender
from segue.channels.watchers import Watchers
from segue.content.tokens import TokenSigner, Tracked
from segue.model.events import SESSION_START, AttributeChange, Event
from segue.model.instants import format_instant
from segue.model.interactions import ACTS, DERIVED_ACTS
from segue.runtime.ingest import Rejected, Taken
from segue.runtime.runtime import Runtime
from segue.services.device_messages import shown
from segue.services.device_reports import ENDING, Report, event_of
from segue.services.settling import is_settled, wait_until_settled
from segue.storage.ports import InboxItem

_PRIORITIES: Final = ("high", "medium", "low")


class Due(Struct):
    """What a user's devices are to show, in the order to show it; `now` puts their clocks right."""

    now: str
    in_app_messages: list[dict[str, Any]]
    content_cards: list[dict[str, Any]]


class Devices:
    """The verbs of devices. Whether one may speak for the user was checked before."""

    def __init__(self, runtime: Runtime, sender: InboxSender, signer: TokenSigner) -> None:
        self._runtime = runtime
        self._sender = sender
        self._signer = signer

    async def due(self, user_id: str) -> Due:
        """Return what is due to a user: not expired, not ended, of campaigns that are active."""
        now = self._runtime.clock.now()
        kept = await asyncio.to_thread(self._sender.inbox.of_user, user_id)
        items = [
            item
            for item in kept
            if self._is_due(item, now) and is_settled(self._runtime, item.send_id, item.channel)
        ]
        in_app = [item for item in items if item.channel == "in_app_message"]
        cards = [item for item in items if item.channel == "content_card"]
        # Both are newest first already, and stay so within a priority.
        in_app.sort(key=lambda item: _PRIORITIES.index(item.content.get("priority", "medium")))
        cards.sort(key=lambda item: not item.content.get("pinned", False))
        return Due(
            format_instant(now), [shown(item) for item in in_app], [shown(item) for item in cards]
        )

    async def start_session(
        self, user_id: str, session_id: str | None, began_at: datetime | None
    ) -> Due:
        """Record that a session started, let that be decided about, and return what is due."""
        await self.take_events([Event(user_id, SESSION_START, began_at, session_id)])
        await self._runtime.processor.wait_for(self._runtime.commits.last_seq)
        await self.settle(user_id)
        return await self.due(user_id)

    async def change(self, user_id: str, attributes: dict[str, Any]) -> None:
        """Set attributes of a profile; an event that is reported next finds them."""
        await self._runtime.ingest.take_attributes([AttributeChange(user_id, attributes)])

    async def take_events(self, events: Sequence[Event | Rejected]) -> Taken:
        """Take custom events, purchases and sessions; interactions are reported as such."""
        entries = [
            Rejected(index, f'"{one.name}" is an interaction; report it by /sdk/v1/interactions')
            if isinstance(one, Event) and one.name in ACTS | DERIVED_ACTS
            else one
            for index, one in enumerate(events)
        ]
        return await self._runtime.ingest.take_events(entries)

    async def take_reports(self, user_id: str, reports: Sequence[Report | Rejected]) -> Taken:
        """Take what the user did with messages of their inbox; a repeat is taken once.

        The event is durable before the message ends, so that a repeat after a crash ends it.
        """
        kept = await asyncio.to_thread(self._sender.inbox.of_user, user_id)
        items = {(item.channel, item.send_id): item for item in kept}
        state = self._runtime.state_of(user_id)
        entries = [
            one
            if isinstance(one, Rejected)
            else event_of(index, user_id, one, items, state, self._tracked(one))
            for index, one in enumerate(reports)
        ]
        taken = await self._runtime.ingest.take_events(entries)
        ended = [
            (one.channel, one.send_id)
            for one in entries
            if isinstance(one, Event) and one.name in ENDING and one.channel and one.send_id
        ]
        if ended:
            now = self._runtime.clock.now()
            await asyncio.to_thread(self._sender.inbox.end, user_id, ended, now)
        return taken

    def watch(self, user_id: str) -> "Watch":
        """Return a watch on what comes for a user.

        Raises:
            BusyError: as many look on as are allowed.
        """
        self._sender.watchers.check_room()
        return Watch(self, self._sender.watchers, user_id)

    async def settle(self, user_id: str) -> None:
        """Wait until what was just kept for a user is in the log as handed over."""
        kept = await asyncio.to_thread(self._sender.inbox.of_user, user_id)
        await wait_until_settled(self._runtime, [(item.send_id, item.channel) for item in kept])

    def _tracked(self, report: Report) -> Tracked | None:
        return self._signer.read(report.token, "report") if report.token else None

    def _is_due(self, item: InboxItem, now: int) -> bool:
        campaign = self._runtime.plan.campaigns.get(item.campaign)
        is_active = campaign is not None and campaign.status == "active"
        return is_active and item.ended_at is None and item.expires_at > now


class Watch:
    """Tells when something new came for a user; it looks on from `with` to its end.

    A stream whose client is gone before it begins has nothing to give back.
    """

    def __init__(self, devices: Devices, watchers: Watchers, user_id: str) -> None:
        self._devices = devices
        self._watchers = watchers
        self._user_id = user_id
        self._event = asyncio.Event()

    async def first(self) -> Due:
        """Return what is due now: with what came just before, of which nothing was told here."""
        await self._devices.settle(self._user_id)
        return await self._devices.due(self._user_id)

    async def news(self, timeout_s: float) -> Due | None:
        """Return what is due once something new came; None when nothing came in time."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return None
        self._event.clear()
        await self._devices.settle(self._user_id)
        return await self._devices.due(self._user_id)

    def __enter__(self) -> "Watch":
        self._event = self._watchers.watch(self._user_id)
        return self

    def __exit__(self, *_: object) -> None:
        self._watchers.unwatch(self._user_id, self._event)
