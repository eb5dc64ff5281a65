"""What comes back on text messages becomes events and profile changes of the log.

Reports name a message by its token. Texts name a number, which may be that of several users: each
of them stops and starts with it, and what else it says is an answer to the newest message.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from segue.channels.settings import SmsSettings
from segue.channels.sms_callbacks import (
    ForgedCallbackError,
    InboundSms,
    Keyword,
    SmsCallback,
    SmsReport,
    keyword_in,
)
from segue.channels.sms_http_callbacks import HttpSmsCallbacks
from segue.channels.twilio_callbacks import TwilioCallbacks, auth_token_of
from segue.content.addresses import comparable_address
from segue.content.tokens import TokenSigner, Tracked
from segue.errors import NotFoundError
from segue.model.events import AttributeChange, Event
from segue.model.ids import random_id
from segue.model.instants import SECOND
from segue.model.limits import (
    SMS_REPLIES_REMEMBERED_MAX,
    SMS_REPLY_LENGTH_MAX,
    SMS_REPLY_WAIT,
)
from segue.model.state import SentMessage, UserState
from segue.runtime.duplicates import RecentIds
from segue.runtime.runtime import Runtime

REPLY_EVENT: Final = "sms_reply"

_ID_LENGTH_MAX: Final = 100  # of a provider's; Twilio's have 34 characters
_CODE_LENGTH_MAX: Final = 20
_USERS_AT_ONCE_MAX: Final = 1_000  # of a number, in one write
_SUBSCRIPTIONS: Final = {"stop": "unsubscribed", "start": "opted_in"}


class SmsReplies:
    """The door for what providers of text messages call back with."""

    def __init__(self, runtime: Runtime, signer: TokenSigner, settings: SmsSettings) -> None:
        self._runtime = runtime
        self._signer = signer
        self._replies = settings.replies
        twilio, http = settings.twilio, settings.http
        key = auth_token_of(twilio) if twilio is not None else None
        self._twilio = TwilioCallbacks(key) if key is not None else None
        callbacks = http.callbacks if http is not None else None
        self._http = HttpSmsCallbacks(callbacks) if callbacks is not None else None
        self._taken = RecentIds(SMS_REPLIES_REMEMBERED_MAX)
        self.forged_count = 0

    @property
    def twilio(self) -> TwilioCallbacks:
        """The reader of Twilio's calls.

        Raises:
            NotFoundError: no account is set up, or its token is not known.
        """
        if self._twilio is None:
            raise NotFoundError("Twilio is not set up here, or without the account's auth token")
        return self._twilio

    @property
    def http(self) -> HttpSmsCallbacks:
        """The reader of the other provider's calls.

        Raises:
            NotFoundError: the settings do not describe them.
        """
        if self._http is None:
            raise NotFoundError("channels.sms.http.callbacks is not set up here")
        return self._http

    @contextmanager
    def counting_forged(self) -> Iterator[None]:
        """Count a call that does not prove to be the provider's, which is refused."""
        try:
            yield
        except ForgedCallbackError:
            self.forged_count += 1
            raise

    async def take(self, callback: SmsCallback, user_id: str | None = None) -> str:
        """Take a report or a text in; return what is to be answered, or nothing.

        The answer is the same whether or not anybody has the number. A text from a virtual phone
        is that of its user (`user_id`).
        """
        if isinstance(callback, SmsReport):
            await self._take_report(callback)
            return ""
        keyword = callback.keyword or keyword_in(callback.text)
        await self._take_text(callback, keyword, user_id)
        is_answered = callback.keyword is not None
        return "" if keyword is None or is_answered else str(getattr(self._replies, keyword))

    async def _take_report(self, report: SmsReport) -> None:
        """Record what became of a message, each end once (channel-facts.md 6.9)."""
        tracked = self._signer.read(report.token, "report")
        if report.outcome is None or tracked is None or tracked.channel != "sms":
            return
        state = self._runtime.state_of(tracked.user_id)
        if state is None:
            return  # of an erased user nothing is to be known any more
        act, end = "sms_undelivered", "failed"
        if report.outcome == "delivered":
            act = end = "sms_delivered"
        elif report.outcome == "dead" and _has_number(state, report.to):
            act = "sms_bounce"
        message_id = report.message_id[:_ID_LENGTH_MAX] or tracked.send_id
        if report.outcome == "stopped":
            with self._once(tracked.user_id, message_id) as is_new:
                if is_new:
                    await self._subscribe([tracked.user_id], "stop")
        event = _event_of(tracked, act, f"{report.provider}:{message_id}:{end}", report.code)
        await self._runtime.ingest.take_events([event], is_urgent=True)

    async def _take_text(
        self, text: InboundSms, keyword: Keyword | None, user_id: str | None
    ) -> None:
        number = comparable_address("sms", text.from_)
        if number is None or keyword == "help":
            return
        clock = self._runtime.clock
        message_id = text.message_id[:_ID_LENGTH_MAX] or random_id(clock.now(), clock.token(10))
        with self._once(number, message_id) as is_new:
            if not is_new:
                return
            await self._catch_up()
            event_id = f"{text.provider}:{message_id}:{keyword or REPLY_EVENT}"
            if keyword is None:
                users = self._users_with(number) if user_id is None else [user_id]
                await self._reply(users, text.text, event_id)
                return
            if user_id is not None:
                await self._obey([user_id], keyword, event_id)
                return
            after = ""
            while users := self._users_with(number, after):
                await self._obey(users, keyword, event_id)
                after = users[-1]

    async def _obey(self, users: Sequence[str], keyword: Keyword, event_id: str) -> None:
        await self._subscribe(users, keyword)
        if keyword == "stop":
            await self._credit_stop(users, event_id)

    async def _subscribe(self, users: Sequence[str], keyword: Keyword) -> None:
        """Open or close the channel, whatever else is waiting to be decided."""
        wanted = {"sms_subscribe": _SUBSCRIPTIONS[keyword]}
        changes = [AttributeChange(user_id, wanted) for user_id in users]
        await self._runtime.ingest.take_attributes(changes, is_urgent=True)

    async def _credit_stop(self, users: Sequence[str], event_id: str) -> None:
        """Count it as an unsubscribe of the campaign of each user's newest text message."""
        newest = [(user_id, self._newest_sms(user_id)) for user_id in users]
        events = [
            Event(
                user_id,
                "sms_unsubscribe",
                id=event_id,
                campaign=message.campaign,
                channel="sms",
                send_id=message.send_id,
            )
            for user_id, message in newest
            if message is not None
        ]
        if events:
            await self._runtime.ingest.take_events(events, is_urgent=True)

    async def _reply(self, users: Sequence[str], text: str, event_id: str) -> None:
        """Record an answer, by the user who got the newest message: it answers that one."""
        if not users:
            return
        newest = {user_id: self._newest_sms(user_id) for user_id in users}
        user_id = max(users, key=_instant_of(newest))
        properties = {"text": text[:SMS_REPLY_LENGTH_MAX]}
        if (message := newest[user_id]) is not None:
            properties["campaign"] = message.campaign
        event = Event(user_id, REPLY_EVENT, id=event_id, properties=properties)
        await self._runtime.ingest.take_events([event], is_urgent=True)

    def _users_with(self, number: str, after: str = "") -> list[str]:
        index = self._runtime.checkpoints.addresses
        return index.users_with("sms", number, after, _USERS_AT_ONCE_MAX)

    def _newest_sms(self, user_id: str) -> SentMessage | None:
        state = self._runtime.state_of(user_id)
        messages = state.messages if state is not None else []
        return next((one for one in reversed(messages) if one.channel == "sms"), None)

    async def _catch_up(self) -> None:
        """Let what was accepted before be decided first: it may say whose number it is."""
        decided = self._runtime.processor.wait_for(self._runtime.commits.last_seq)
        with suppress(TimeoutError):
            await asyncio.wait_for(decided, SMS_REPLY_WAIT / SECOND)

    @contextmanager
    def _once(self, who: str, message_id: str) -> Iterator[bool]:
        """Tell whether a message is new; what fails is new again when it comes again.

        Profile changes bear no id by which the log would know them.
        """
        is_new = not self._taken.is_duplicate(who, message_id, self._runtime.clock.now())
        try:
            yield is_new
        except BaseException:
            if is_new:
                self._taken.forget(who, message_id)
            raise


def _instant_of(newest: dict[str, SentMessage | None]) -> Callable[[str], int]:
    def instant(user_id: str) -> int:
        message = newest[user_id]
        return message.at if message is not None else -1

    return instant


def _has_number(state: UserState, number: str) -> bool:
    """Return whether the number is still the user's: a new one is not dead with the old one."""
    present = comparable_address("sms", state.attributes.get("phone"))
    return present is not None and present == comparable_address("sms", number)


def _event_of(tracked: Tracked, act: str, event_id: str, code: str) -> Event:
    return Event(
        tracked.user_id,
        act,
        id=event_id,
        properties={"code": code[:_CODE_LENGTH_MAX]} if code else None,
        campaign=tracked.campaign,
        channel="sms",
        variant=tracked.variant or None,
        send_id=tracked.send_id,
    )
