"""`/api/v1/phones`: virtual phones, what lies on them, and what comes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.exceptions import ClientException
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from segue.model.channels import Channel
from segue.services.application import Application
from segue.services.phones import MessageShown, PhoneShown, PhoneWatch, TokenIssued
from segue.storage.phones import ANY_PLACE
from segue.web.pages import Page, PageLimit, page_of

_HEARTBEAT_S: Final = 10.0
_RECONNECT_MS: Final = 1_000

Place = Annotated[int, QueryParameter(ge=0, le=ANY_PLACE)]


@get("/phones", opt={"scope": "read"}, tags=["phones"])
async def list_phones(
    application: Application, limit: PageLimit = 100, cursor: Place = ANY_PLACE
) -> Page[PhoneShown]:
    """List the virtual phones that messages lie on, that with the newest message first.

    Test users have one (the attribute `test_user` is true), or everybody does, as
    `channels.to_phone` says.
    """
    phones = await application.phones.page(cursor, limit + 1)
    return page_of(phones, limit, lambda phone: phone.cursor)


@get("/phones/{user_id:str}/messages", opt={"scope": "read"}, tags=["phones"])
async def list_messages(
    user_id: str,
    application: Application,
    channel: Channel | None = None,
    limit: PageLimit = 100,
    cursor: Place = ANY_PLACE,
) -> Page[MessageShown]:
    """List the messages on a user's phone, newest first, with what can be done with each.

    Each of its `actions` is a call of a public endpoint; one that `needs_token` is made with
    `Authorization: Bearer` and a token of the phone.
    """
    messages = await application.phones.messages(user_id, channel, cursor, limit + 1)
    return page_of(messages, limit, lambda message: message.id)


@post(
    "/phones/{user_id:str}/token",
    # Who writes drafts tries them, though they may not report for everybody.
    opt={"scope": "ingest", "permission": "draft", "audit": False},
    tags=["phones"],
    sync_to_thread=False,
)
def issue_token(user_id: str, application: Application) -> TokenIssued:
    """Give a token by which the phone acts at /sdk/v1 for its user and nobody else.

    It expires after a quarter of an hour.
    """
    return application.phones.issue_token(user_id)


@get("/phones/stream", opt={"scope": "read"}, tags=["phones"], sync_to_thread=False)
def stream_all(application: Application, request: Request[Any, Any, Any]) -> ServerSentEvent:
    """Tell what comes to any phone from now on, as events `message`.

    With `Last-Event-ID`, what came since that message comes first.
    """
    return _stream(application.phones.watch(None, _last_seen(request)))


@get("/phones/{user_id:str}/stream", opt={"scope": "read"}, tags=["phones"], sync_to_thread=False)
def stream_one(
    user_id: str, application: Application, request: Request[Any, Any, Any]
) -> ServerSentEvent:
    """Tell what comes to a user's phone from now on, as events `message`.

    With `Last-Event-ID`, what came since that message comes first.
    """
    return _stream(application.phones.watch(user_id, _last_seen(request)))


def _last_seen(request: Request[Any, Any, Any]) -> int | None:
    given = request.headers.get("last-event-id", "").strip()
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or int(given) > ANY_PLACE:
        message = f"Last-Event-ID: {given!r:.40} is no id of a message"
        raise ClientException(message)
    return int(given)


def _stream(watch: PhoneWatch) -> ServerSentEvent:
    return ServerSentEvent(_messages(watch), retry_duration=_RECONNECT_MS)


async def _messages(watch: PhoneWatch) -> AsyncIterator[ServerSentEventMessage]:
    async with watch:
        yield ServerSentEventMessage(data=None, comment="the stream begins")
        while True:
            messages = await watch.news(_HEARTBEAT_S)
            for message in messages:
                data = msgspec.json.encode(message).decode()
                yield ServerSentEventMessage(event="message", data=data, id=message.id)
            if not messages:
                yield ServerSentEventMessage(data=None, comment="still here")


HANDLERS = [list_phones, list_messages, issue_token, stream_all, stream_one]
