"""`GET /api/v1/stream`: what happens and what is decided about it, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated, Final, assert_never

import msgspec
from litestar import get
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from segue.engine.draft import Act
from segue.model.events import AttributeChange, DeviceChanged, SendRetried, SendSettled
from segue.model.log_records import UserErased
from segue.model.verdicts import Verdict
from segue.runtime.live_feed import LiveFeed, Subscription
from segue.runtime.moments import Moment, PutOff, What, line_of
from segue.services.application import Application

_HEARTBEAT_S: Final = 10.0
LastId = Annotated[str, HeaderParameter(name="Last-Event-ID", max_length=100)]


@get("/stream", opt={"scope": "read"}, tags=["stream"], sync_to_thread=False)
def stream(
    application: Application,
    campaign: str | None = None,
    user_id: str | None = None,
    last_id: LastId = "",
) -> ServerSentEvent:
    """Tell what happens to users and what is decided, all or of one campaign or user.

    Who connects again with `Last-Event-ID` gets what came meanwhile, as far as it is kept.
    """
    feed = application.runtime.feed

    def wanted(moment: Moment) -> bool:
        return campaign in (None, moment.campaign) and user_id in (None, moment.user_id)

    return ServerSentEvent(_messages(feed, feed.subscribe(last_id, wanted)))


async def _messages(
    feed: LiveFeed, subscription: Subscription
) -> AsyncIterator[ServerSentEventMessage]:
    missed = 0
    try:
        yield ServerSentEventMessage(data=None, comment="the stream begins")
        if subscription.has_gap:
            yield ServerSentEventMessage(event="gap", data="what came meanwhile is not kept")
        while True:
            if subscription.missed > missed:
                gap, missed = subscription.missed - missed, subscription.missed
                yield ServerSentEventMessage(event="missed", data=str(gap))
            item = await subscription.next(_HEARTBEAT_S)
            if item is None:
                yield ServerSentEventMessage(data=None, comment="still here")
                continue
            yield ServerSentEventMessage(
                event=_event_name(item.moment.what),
                data=msgspec.json.encode(line_of(item.moment)).decode(),
                id=feed.id_of(item),
            )
    finally:
        feed.unsubscribe(subscription)


def _event_name(what: What) -> str:
    match what:
        case Verdict():
            return "decision"
        case Act():
            return "event"
        case SendSettled():
            return "outcome"
        case PutOff():
            return "deferral"
        case SendRetried():
            return "retry"
        case AttributeChange() | DeviceChanged() | UserErased():
            return "profile"
        case _:
            assert_never(what)
