"""What is done on a virtual phone by forms: the same verbs as behind the public routes."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from segue.channels.sms_callbacks import InboundSms
from segue.clock import Clock
from segue.content.tokens import Tracked
from segue.errors import ConflictError, NotFoundError
from segue.model.decoding import decode_document
from segue.model.events import Event
from segue.model.ids import random_id
from segue.model.problems import InvalidError, Problem
from segue.runtime.phones import addresses_of
from segue.runtime.runtime import Runtime
from segue.services.device_reports import Report
from segue.services.devices import Devices
from segue.services.phone_actions import Action
from segue.services.phones import MessageShown, VirtualPhones
from segue.services.preferences import PreferencePages
from segue.services.sms_replies import SmsReplies
from segue.services.tracking import Tracking

_GONE: Final = "it can be done no more: the message was dismissed, has expired, or is not here"


class Tap(Struct, frozen=True):
    """Which of a message's actions is meant; `text` is what is texted back."""

    message: str
    act: str
    button: str | None = None
    page: str | None = None
    url: str | None = None
    text: str = ""

    def means(self, action: Action) -> bool:
        """Return whether an action is the one that is meant."""
        is_same = (action.act, action.button, action.page) == (self.act, self.button, self.page)
        return is_same and (self.url is None or self.url == action.url)


class Tapped(Struct, frozen=True):
    """What came of it. By its `mark` the events that it became are known again."""

    mark: str
    leads_to: str | None = None
    answer: str = ""


class PhoneTaps:
    """Carries out what can be done with messages on phones."""

    def __init__(
        self,
        runtime: Runtime,
        phones: VirtualPhones,
        devices: Devices,
        tracking: Tracking,
        sms_replies: SmsReplies,
        preferences: PreferencePages,
    ) -> None:
        self._runtime = runtime
        self._phones = phones
        self._devices = devices
        self._tracking = tracking
        self._sms_replies = sms_replies
        self._preferences = preferences

    async def tap(self, user_id: str, tap: Tap, agent: str) -> Tapped:
        """Do to a message what one of its actions says, and wait until that is decided about.

        Raises:
            NotFoundError: the user has no phone.
            ConflictError: the message has no such action, or no more.
        """
        message = await self.message(user_id, tap.message)
        action = next((one for one in message.actions if tap.means(one)), None)
        if action is None:
            raise ConflictError(_GONE)
        mark, answer = f"{action.act}@{message.send_id}", ""
        match action.act:
            case "email_open" | "email_click":
                await self._follow(action, agent)
            case "sms_short_link_click":
                await self._tracking.clicked(await self._coded(action.url), agent)
            case "email_unsubscribe":
                await self._preferences.unsubscribe(self._signed(action.url, "unsubscribe"))
            case "sms_reply":
                mark, answer = await self._reply(user_id, action, tap.text)
            case _:
                mark = await self._report(user_id, action)
        await self._decided()
        return Tapped(mark, action.leads_to, answer)

    async def message(self, user_id: str, message_id: str) -> MessageShown:
        """Return a message that lies on a user's phone.

        Raises:
            NotFoundError: the user has no phone, or the message lies there no more.
        """
        is_number = message_id.isascii() and message_id.isdigit() and len(message_id) < _DIGITS_MAX
        place = int(message_id) if is_number else 0
        found = await self._phones.messages(user_id, before=place + 1, limit=1)
        if not found or found[0].id != message_id:
            message = f"there is no message {message_id!r:.40} on the phone of {user_id!r}"
            raise NotFoundError(message)
        return found[0]

    async def send_event(self, user_id: str, name: str, properties: Mapping[str, Any]) -> Tapped:
        """Take an event of the phone's user, and wait until it has been decided about.

        Raises:
            NotFoundError: the user has no phone.
            InvalidError: it is none that an app may report.
        """
        self._phones.issue_token(user_id)  # an app has none for somebody else
        if not name:
            raise InvalidError([Problem("name", "Say what the event is called.")], "The event")
        event_id = self._new_id()
        written: dict[str, Any] = {"user_id": user_id, "name": name, "id": event_id}
        if properties:
            written["properties"] = dict(properties)
        taken = await self._devices.take_events([decode_document(written, Event)])
        if taken.rejected:
            raise InvalidError([Problem("name", taken.rejected[0].message)], "The event")
        await self._decided()
        return Tapped(event_id)

    async def start_session(self, user_id: str) -> Tapped:
        """Start a session of the phone's user, as opening the app does.

        Raises:
            NotFoundError: the user has no phone.
        """
        self._phones.issue_token(user_id)
        session_id = self._new_id()
        await self._devices.start_session(user_id, session_id, None)
        return Tapped(session_id)

    async def _follow(self, action: Action, agent: str) -> None:
        if action.act == "email_open":
            await self._tracking.opened(self._signed(action.url, "open"), agent)
        else:
            await self._tracking.clicked(self._signed(action.url, "click"), agent)

    async def _reply(self, user_id: str, action: Action, text: str) -> tuple[str, str]:
        if not text:
            raise InvalidError([Problem("text", "Write what is texted back.")], "The text")
        text_id = str((action.body or {})["id"])
        number = str(addresses_of(user_id)["phone"])
        inbound = InboundSms("phone", text_id, number, text)
        return text_id, await self._sms_replies.take(inbound, user_id)

    async def _report(self, user_id: str, action: Action) -> str:
        [written] = (action.body or {})["interactions"]
        report = decode_document(written, Report)
        taken = await self._devices.take_reports(user_id, [report])
        if taken.rejected:
            raise ConflictError(taken.rejected[0].message)
        return report.id

    def _signed(self, url: str, kind: Any) -> Tracked:
        tracked = self._tracking.read(url.rpartition("/")[2].removesuffix(".gif"), kind)
        if tracked is None:
            raise ConflictError(_GONE)
        return tracked

    async def _coded(self, url: str) -> Tracked:
        tracked = await self._tracking.find(url.rpartition("/")[2])
        if tracked is None:
            raise ConflictError(_GONE)
        return tracked

    async def _decided(self) -> None:
        await self._runtime.processor.wait_for(self._runtime.commits.last_seq)

    def _new_id(self) -> str:
        clock: Clock = self._runtime.clock
        return random_id(clock.now(), clock.token(10))


_DIGITS_MAX: Final = 19  # of a place
