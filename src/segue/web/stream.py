"""`GET /api/v1/stream`: decisions as they are made, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from segue.runtime.live_feed import LiveFeed, Subscription
from segue.services.application import Application

_HEARTBEAT_S: Final = 10.0


@get("/stream", opt={"scope": "read"}, tags=["stream"], sync_to_thread=False)
def stream(
    application: Application, campaign: str | None = None, user_id: str | None = None
) -> ServerSentEvent:
    """Tell decisions as they happen, all or those of one campaign or user."""
    feed = application.runtime.feed
    wanted = {"campaign": campaign, "user_id": user_id}
    return ServerSentEvent(_messages(feed, feed.subscribe(), wanted))


async def _messages(
    feed: LiveFeed, subscription: Subscription, wanted: dict[str, str | None]
) -> AsyncIterator[ServerSentEventMessage]:
    missed = 0
    try:
        yield ServerSentEventMessage(data=None, comment="the stream begins")
        while True:
            item = await subscription.next(_HEARTBEAT_S)
            if item is None:
                yield ServerSentEventMessage(data=None, comment="still here")
            elif _is_wanted(item, wanted):
                data = msgspec.json.encode(item).decode()
                yield ServerSentEventMessage(event="decision", data=data)
            if subscription.missed > missed:
                gap = subscription.missed - missed
                missed = subscription.missed
                yield ServerSentEventMessage(event="missed", data=str(gap))
    finally:
        feed.unsubscribe(subscription)


def _is_wanted(item: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    return all(value is None or item.get(name) == value for name, value in wanted.items())
