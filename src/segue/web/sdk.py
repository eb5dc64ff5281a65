"""`/sdk`: what pages and apps ask for and report, with a key that anybody may see."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from segue.clock import Clock
from segue.model.decoding import decode_document
from segue.model.events import UserId
from segue.model.limits import DEVICE_CALLS_PER_MINUTE_MAX, DEVICE_REQUEST_BYTES_MAX
from segue.runtime.ingest import Taken
from segue.services.application import Application
from segue.services.devices import Due, Watch
from segue.services.identity import may_speak
from segue.web.auth import Connection
from segue.web.bodies import read_json
from segue.web.cross_origin import CrossOrigin
from segue.web.device_bodies import EventsBody, PushTokenBody, ReportsBody, SessionBody
from segue.web.phone_keys import may_phone_speak, needs_device_key, refuse_attributes
from segue.web.rate_limit import CallBudget

_HEARTBEAT_S: Final = 20.0  # proxies close what is silent for a minute
_STATIC: Final = Path(__file__).parent / "static"
_SCRIPTS: Final = {name: (_STATIC / name).read_bytes() for name in ("segue.js", "segue-worker.js")}
_JAVASCRIPT: Final = "text/javascript"

AnyRequest = Request[Any, Any, Any]
IdQuery = Annotated[str, QueryParameter(min_length=1, max_length=255)]


class DeviceSettings(Struct):
    """What a device is to go by."""

    session_timeout_s: int
    web_push_key: str | None  # what a browser subscribes with; null where web push is not set up


class SessionStarted(Struct):
    """The answer to a session: settings, and what to show at once."""

    settings: DeviceSettings
    now: str
    in_app_messages: list[dict[str, Any]]
    content_cards: list[dict[str, Any]]


class InAppMessages(Struct):
    """In-app messages, the first to be shown first."""

    now: str
    in_app_messages: list[dict[str, Any]]


class ContentCards(Struct):
    """Content cards, as a feed shows them."""

    now: str
    content_cards: list[dict[str, Any]]


def _let_speak(request: AnyRequest, application: Application, user_id: UserId) -> None:
    """Refuse a device that does not show the user's identity, where one is asked for.

    A virtual phone shows by its token whose it is.

    Raises:
        NotAuthorizedException: it may not speak for the user.
    """
    if may_phone_speak(request.auth, user_id):
        return
    secret = application.settings.sdk.identity_secret
    if not may_speak(secret, user_id, request.headers.get("segue-identity")):
        raise NotAuthorizedException(
            f"the header Segue-Identity does not speak for {user_id!r}: it must be the user id "
            "signed with sdk.identity_secret, as docs/howto/web-sdk.md shows"
        )


@post("/v1/session", status_code=200, opt={"scope": "sdk", "phone": True})
async def start_session(request: AnyRequest, application: Application) -> SessionStarted:
    """Record that a session started; tell what is due to the user.

    `{user_id, session_id?, time?, sent_at?}`; a repeated session_id is taken once.
    """
    body = decode_document(await read_json(request), SessionBody, "The body")
    _let_speak(request, application, body.user_id)
    began_at = body.began_at(application.clock.now())
    due = await application.devices.start_session(body.user_id, body.session_id, began_at)
    timeout_s = application.settings.sdk.session_timeout_s
    settings = DeviceSettings(timeout_s, application.web_push_key)
    return SessionStarted(settings, due.now, due.in_app_messages, due.content_cards)


@post("/v1/events", status_code=202, opt={"scope": "sdk", "phone": True})
async def take_events(request: AnyRequest, application: Application) -> Taken:
    """Take what a user did, `{user_id, events: [...], attributes?, sent_at?}`; durable then.

    Events are custom events, purchases and sessions. Attributes are set before them. `sent_at` is
    the device's clock when it sends: a clock that is wrong is put right by it.
    """
    body = decode_document(await read_json(request), EventsBody, "The body")
    _let_speak(request, application, body.user_id)
    events = body.read(application.clock.now())
    if body.attributes:
        refuse_attributes(request.auth)
        await application.devices.change(body.user_id, body.attributes)
    return await application.devices.take_events(events)


@get("/v1/in-app-messages", opt={"scope": "sdk", "phone": True})
async def get_in_app_messages(
    user_id: IdQuery, request: AnyRequest, application: Application
) -> InAppMessages:
    """Tell which in-app messages are due to a user: by priority, then the newest first."""
    _let_speak(request, application, user_id)
    due = await application.devices.due(user_id)
    return InAppMessages(due.now, due.in_app_messages)


@get("/v1/content-cards", opt={"scope": "sdk", "phone": True})
async def get_content_cards(
    user_id: IdQuery, request: AnyRequest, application: Application
) -> ContentCards:
    """Tell a user's content cards: the pinned ones first, then the newest first."""
    _let_speak(request, application, user_id)
    due = await application.devices.due(user_id)
    return ContentCards(due.now, due.content_cards)


@post("/v1/interactions", status_code=202, opt={"scope": "sdk", "phone": True})
async def take_interactions(request: AnyRequest, application: Application) -> Taken:
    """Take what a user did with messages; durable then, and a repeat of an id is taken once.

    `{user_id, interactions: [{id, type, channel, send_id, button?, page?, time?}], sent_at?}`,
    where type is view, click or dismiss, and channel in_app_message or content_card; a push is
    opened (open), or clicked (click) at a button or at a page of its story.
    """
    body = decode_document(await read_json(request), ReportsBody, "The body")
    _let_speak(request, application, body.user_id)
    reports = body.read(application.clock.now())
    return await application.devices.take_reports(body.user_id, reports)


@post("/v1/push-token", status_code=204, opt={"scope": "sdk"})
async def register_push_token(request: AnyRequest, application: Application) -> None:
    """Let a device get a user's push notifications, `{user_id, device: {id, platform, token}}`.

    A browser's comes with the `keys` of its subscription, and its token is the endpoint. A token
    that another user had is taken from them.
    """
    body = decode_document(await read_json(request), PushTokenBody, "The body")
    _let_speak(request, application, body.user_id)
    await application.push_devices.register(body.user_id, body.device)


@delete("/v1/push-token", opt={"scope": "sdk"})
async def remove_push_token(
    user_id: IdQuery, device_id: IdQuery, request: AnyRequest, application: Application
) -> None:
    """Let a device get no more push notifications of a user."""
    _let_speak(request, application, user_id)
    await application.push_devices.remove(user_id, device_id)


@get("/v1/stream", opt={"scope": "sdk", "phone": True}, sync_to_thread=False)
def stream(user_id: IdQuery, request: AnyRequest, application: Application) -> ServerSentEvent:
    """Tell what is due to a user, as an event `due`, at once and whenever something comes."""
    _let_speak(request, application, user_id)
    return ServerSentEvent(_news(application, application.devices.watch(user_id)))


async def _news(application: Application, watch: Watch) -> AsyncIterator[ServerSentEventMessage]:
    with watch:
        due: Due | None = await watch.first()
        while application.runtime.is_ready:
            if due is None:
                yield ServerSentEventMessage(data=None, comment="still here")
            else:
                data = msgspec.json.encode(due).decode()
                yield ServerSentEventMessage(event="due", data=data)
            due = await watch.news(_HEARTBEAT_S)


@get(["/segue.js", "/segue-worker.js"], include_in_schema=False, sync_to_thread=False)
def script(request: AnyRequest) -> Response[bytes]:
    """Give the SDK, an ES module, or what its service worker imports."""
    text = _SCRIPTS[request.url.path.rpartition("/")[2]]
    tag = f'"{sha256(text).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    return Response(text, media_type=_JAVASCRIPT, headers=headers)


def sdk_router(clock: Clock) -> Router:
    """Return the routes; how often an address may call them is counted for each application."""
    budget = CallBudget(clock, DEVICE_CALLS_PER_MINUTE_MAX)

    def bounds_calls(connection: Connection, _handler: BaseRouteHandler) -> None:
        address = connection.client.host if connection.client is not None else ""
        wait_s = budget.wait_for(address)
        if wait_s:
            message = f"this address made more than {DEVICE_CALLS_PER_MINUTE_MAX} calls in a minute"
            raise TooManyRequestsException(message, headers={"Retry-After": str(wait_s)})

    return Router(
        "/sdk",
        route_handlers=[
            start_session,
            take_events,
            get_in_app_messages,
            get_content_cards,
            take_interactions,
            register_push_token,
            remove_push_token,
            stream,
            script,
        ],
        guards=[bounds_calls, needs_device_key],
        middleware=[CrossOrigin],
        request_max_body_size=DEVICE_REQUEST_BYTES_MAX,
        tags=["device SDK"],
    )
