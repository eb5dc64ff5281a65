"""Phones: all of them, one, or some side by side; and what comes to them."""

from collections.abc import AsyncIterator, Sequence
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.exceptions import ClientException
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from segue.model.limits import PHONE_MARKS_MAX, PHONES_SIDE_BY_SIDE_MAX
from segue.runtime.live_feed import Subscription
from segue.services.application import Application
from segue.services.phone_screens import PhoneScreen, PhoneScreens
from segue.services.phones import PhoneShown
from segue.storage.phones import ANY_PLACE
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.phone.words import (
    VIEW_WORDS,
    VIEWS,
    Message,
    View,
    label_of,
    messages_of,
    thread_of,
)
from segue.web.dashboard.places import PHONE_PATH, phone_path, user_in
from segue.web.dashboard.shell import PAGE_HEADERS, page, part
from segue.web.rehearsed import base_of

PATH: Final = PHONE_PATH + "/{segment:str}"
_LISTED_MAX: Final = 30
_NEWEST_READ: Final = 1
_MARK_LENGTH_MAX: Final = 100
_ID_LENGTH_MAX: Final = 255
_RETRY_MS: Final = 2_000


class Looked(Struct):
    """What is looked at: whose phones, in which view, which mail, and after what was done."""

    user_ids: list[str]
    is_alone: bool
    view: View
    mail: str
    marks: list[str]
    base: str = ""  # of the rehearsal that the phones are in

    def address(self, **changes: Any) -> str:
        """Return the address of this page, or of one that differs in something."""
        now = msgspec.structs.replace(self, **changes)
        # In a rehearsal, what is shown first is the view of what is rehearsed.
        view = now.view if now.view != VIEWS[0] or now.base else ""
        query = {"view": view, "mail": now.mail}
        query["taps"] = ",".join(now.marks)
        if not now.is_alone:
            query = {"users": ",".join(now.user_ids), **query}
        path = now.base + (phone_path(now.user_ids[0]) if now.is_alone else PHONE_PATH)
        written = urlencode({name: one for name, one in query.items() if one}, safe=",@:")
        return f"{path}?{written}" if written else path


class Phone(Struct):
    """One phone on the page."""

    key: str  # unique on the page, and the same each time
    path: str
    screen: PhoneScreen
    messages: dict[View, list[Message]]
    opened: Message | None  # the mail that is read

    @property
    def user_id(self) -> str:
        """Whose it is."""
        return self.screen.user_id

    @property
    def newest(self) -> Message | None:
        """The message that came last."""
        firsts = [some[0] for some in self.messages.values() if some]
        return max(firsts, key=lambda one: int(one.shown.id), default=None)


class Listed(Struct, frozen=True):
    """A phone in the list, and what came last."""

    entry: PhoneShown
    newest: str


def looked_at(request: PageRequest, user_id: str | None = None) -> Looked:
    """Return what a page's address asks for."""
    query = request.query_params
    view = next((one for one in VIEWS if one == query.get("view")), VIEWS[0])
    written = [part.strip() for text in query.getall("users", []) for part in text.split(",")]
    user_ids = list(dict.fromkeys(one[:_ID_LENGTH_MAX] for one in written if one))
    marks = [one for one in query.get("taps", "").split(",") if one]
    return Looked(
        user_ids=[user_id] if user_id is not None and not user_ids else user_ids,
        is_alone=not user_ids,
        view=view,
        mail=query.get("mail", "") if view == "mail" else "",
        marks=[one[:_MARK_LENGTH_MAX] for one in marks[-PHONE_MARKS_MAX:]],
        base=base_of(request),
    )


async def phone_of(application: Application, user_id: str, looked: Looked) -> Phone:
    """Return a phone as it is shown."""
    screen = await application.phone_screens.screen(user_id, looked.marks)
    messages = messages_of(screen)
    return Phone(
        key="p" + blake2b(user_id.encode(), digest_size=4).hexdigest(),
        path=looked.base + phone_path(user_id),
        screen=screen,
        messages=messages,
        opened=next((one for one in messages["mail"] if one.shown.id == looked.mail), None),
    )


@get(PHONE_PATH)
async def show_phones(request: PageRequest, application: Application) -> Response[Any]:
    """List the phones, or show some side by side."""
    looked = looked_at(request)
    if looked.user_ids:
        return await phones_page(request, application, looked)
    cursor = request.query_params.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() else ANY_PLACE
    entries = await application.phones.page(min(before, ANY_PLACE), _LISTED_MAX + 1)
    listed = [await _listed(application, one) for one in entries[:_LISTED_MAX]]
    return page(
        request,
        "phone/list.html",
        title="Phone",
        listed=listed,
        next_cursor=listed[-1].entry.cursor if len(entries) > _LISTED_MAX else None,
        is_first=before == ANY_PLACE,
        phone_path=phone_path,
        side_by_side_max=PHONES_SIDE_BY_SIDE_MAX,
        sends_to_phones=application.settings.channels.to_phone == "everybody",
    )


@get(PATH)
async def show_phone(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show one phone."""
    return await phones_page(request, application, looked_at(request, user_in(segment)))


@get(f"{PATH}/now")
async def show_now(segment: str, request: PageRequest, application: Application) -> Response[Any]:
    """Give what changes of a phone by itself; a script asks for it when something happened."""
    user_id = user_in(segment)
    looked = looked_at(request, user_id)
    phone = await phone_of(application, user_id, looked)
    return part(request, "phone/phone.html", **_words(looked), phone=phone)


@get("/phone-news", sync_to_thread=False)
def stream_news(request: PageRequest, application: Application) -> ServerSentEvent:
    """Tell when something happened to some users behind `after`, as events `changed` with ids."""
    user_ids = [one for one in request.query_params.getall("user", []) if one]
    if not 0 < len(user_ids) <= PHONES_SIDE_BY_SIDE_MAX:
        message = f"it takes one to {PHONES_SIDE_BY_SIDE_MAX} parameters `user`"
        raise ClientException(message)
    screens = application.phone_screens
    after = request.query_params.get("after", "")[:_MARK_LENGTH_MAX]
    subscription = screens.look_on(user_ids, after)
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return ServerSentEvent(_news(screens, user_ids, subscription), headers=headers)


async def _news(
    screens: PhoneScreens, user_ids: Sequence[str], subscription: Subscription
) -> AsyncIterator[ServerSentEventMessage]:
    async for changed in screens.changes(user_ids, subscription):
        data = msgspec.json.encode(changed).decode()
        yield ServerSentEventMessage(event="changed", data=data, retry=_RETRY_MS)


async def phones_page(
    request: PageRequest,
    application: Application,
    looked: Looked,
    template: str = "phone/phones.html",
    **more: Any,
) -> Response[Any]:
    """Return a page with phones; `more` goes to its template, and may say a title and crumbs."""
    user_ids = looked.user_ids[:PHONES_SIDE_BY_SIDE_MAX]
    after = application.phone_screens.keep()  # before the phones are read, so that nothing is lost
    phones = [await phone_of(application, one, looked) for one in user_ids]
    is_lost = looked.is_alone and not phones[0].screen.is_known
    context = {
        "title": f"Phone of {user_ids[0]}" if len(user_ids) == 1 else "Phones side by side",
        "crumbs": crumbs(("Phone", PHONE_PATH)),
        **_words(looked),
        "phones": phones,
        "news": _news_path(looked.base, user_ids, after),
        "left_out": looked.user_ids[PHONES_SIDE_BY_SIDE_MAX:],
        "events": application.phone_screens.events_heard(),
        **more,
    }
    return page(request, template, status=404 if is_lost else 200, **context)


def _news_path(base: str, user_ids: Sequence[str], after: str) -> str:
    return f"{base}/phone-news?" + urlencode(
        [*(("user", one) for one in user_ids), ("after", after)]
    )


def _words(looked: Looked) -> dict[str, Any]:
    return {
        "looked": looked,
        "views": VIEW_WORDS,
        "label_of": label_of,
        "thread_of": thread_of,
        "phone_path": phone_path,
    }


async def _listed(application: Application, entry: PhoneShown) -> Listed:
    newest = await application.phones.messages(entry.user_id, limit=_NEWEST_READ)
    if not newest:
        return Listed(entry, "")
    screen = PhoneScreen(entry.user_id, True, True, newest)
    screen.names = application.phone_screens.names()
    [message] = [one for some in messages_of(screen).values() for one in some]
    return Listed(entry, message.name)
