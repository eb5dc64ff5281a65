"""What Amazon SES reports through SNS (channel-facts.md 6.10): events, and older notifications."""

from functools import partial
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct, field

from segue.channels.email_hooks import (
    ForgedError,
    HookCall,
    Ignored,
    Reports,
    UnreadableError,
    check_age,
    decode,
    read_instant,
    text_of,
)
from segue.channels.http import HttpAnswer, HttpClient
from segue.channels.receipts import Receipt, is_address_dead, make_receipt, status_in, token_of
from segue.channels.settings import SesSettings
from segue.channels.sns import Envelope, Fetch, SnsCertificates, confirm, read_envelope
from segue.channels.user_agents import is_machine_open, is_prefetcher
from segue.clock import Clock

_TIMEOUT_S: Final = 10.0  # SNS itself waits for fifteen seconds
_log = structlog.get_logger(__name__)


class _Header(Struct):
    name: str = ""
    value: Any = None


class _Mail(Struct, rename="camel"):
    headers: list[_Header] = field(default_factory=list)
    common_headers: dict[str, Any] = field(default_factory=dict)


class _Recipient(Struct, rename="camel"):
    status: Any = None
    diagnostic_code: Any = None


class _Detail(Struct, rename="camel"):
    """What is told of an event; the fields of all its types."""

    timestamp: str | None = None
    smtp_response: Any = None
    bounce_type: Any = None
    bounced_recipients: list[_Recipient] = field(default_factory=list)
    complaint_feedback_type: Any = None
    user_agent: Any = None
    link: Any = None
    new_topic_preferences: dict[str, Any] | None = None


class _Event(Struct, rename="camel"):
    event_type: str = ""
    notification_type: str = ""  # where events are not published
    mail: _Mail = field(default_factory=_Mail)
    delivery: _Detail = field(default_factory=_Detail)
    bounce: _Detail = field(default_factory=_Detail)
    complaint: _Detail = field(default_factory=_Detail)
    open: _Detail = field(default_factory=_Detail)
    click: _Detail = field(default_factory=_Detail)
    subscription: _Detail = field(default_factory=_Detail)


_EVENT: Final = msgspec.json.Decoder(_Event)


class AmazonHttp:
    """Fetches what SNS refers to."""

    def __init__(self) -> None:
        self._client = HttpClient(_TIMEOUT_S, ())

    async def fetch(self, url: str) -> HttpAnswer:
        """Return what is at an address of Amazon."""
        return await self._client.call("GET", url, {}, None)

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()


class SesHook:
    """Verifies and reads the calls of SNS."""

    def __init__(self, settings: SesSettings, clock: Clock, fetch: Fetch | None = None) -> None:
        """Read the settings; `fetch` stands in for Amazon."""
        self._topics = frozenset(settings.topic_arns)
        self._clock = clock
        self._http: AmazonHttp | None = None
        if fetch is None:
            self._http = AmazonHttp()
            fetch = self._http.fetch
        self._fetch = fetch
        self._certificates = SnsCertificates(self._fetch, clock)

    async def read(self, call: HookCall) -> Reports:
        """Return what a call reports; a subscription to a topic of ours is confirmed."""
        envelope = read_envelope(call.body)
        # First of all: anybody may have a topic whose messages Amazon signs.
        if envelope.topic_arn not in self._topics:
            message = (
                f"{envelope.topic_arn!r:.300} is not among channels.email.ses.topic_arns; "
                "add it if it is yours"
            )
            raise ForgedError(message)
        at = read_instant(envelope.timestamp)
        if at is None:
            raise ForgedError("the message has no Timestamp")
        check_age(at, self._clock.now())
        await self._certificates.verify(envelope)
        match envelope.type:
            case "Notification":
                return Reports([_read(envelope)])
            case "SubscriptionConfirmation":
                await confirm(self._fetch, envelope)
                _log.info("a subscription of SNS is confirmed", topic=envelope.topic_arn)
            case "UnsubscribeConfirmation":
                _log.warning("SNS will send no more of a topic", topic=envelope.topic_arn)
            case _:
                message = f"{envelope.type!r:.50} is no type of message of SNS"
                raise UnreadableError(message)
        return Reports(["unused"])

    async def close(self) -> None:
        """Close connections."""
        if self._http is not None:
            await self._http.close()


def _read(envelope: Envelope) -> Receipt | Ignored:
    try:
        event = decode(_EVENT, envelope.message)
    except UnreadableError:
        # Such as the sentence by which SES tries a topic out.
        return "unused" if not envelope.message.lstrip().startswith("{") else "faulty"
    made = partial(make_receipt, token=_token_of(event.mail), report_id=envelope.message_id)
    read: Receipt | Ignored = "unused"
    match event.event_type or event.notification_type:
        case "Delivery":
            told = event.delivery
            at, detail = read_instant(told.timestamp), text_of(told.smtp_response)
            read = made("email_delivered", at=at, detail=detail)
        case "Bounce":
            read = _bounced(event.bounce, made)
        case "Complaint" if event.complaint.complaint_feedback_type != "not-spam":
            at = read_instant(event.complaint.timestamp)
            read = made("email_spam_report", at=at)
        case "Subscription":
            wishes = event.subscription.new_topic_preferences or {}
            if wishes.get("unsubscribeAll") is True:
                read = made("email_unsubscribe", at=read_instant(event.subscription.timestamp))
        case "Open":
            machine = is_machine_open(text_of(event.open.user_agent)) or None
            read = made("email_open", at=read_instant(event.open.timestamp), machine=machine)
        case "Click" if not is_prefetcher(text_of(event.click.user_agent)):
            at, link = read_instant(event.click.timestamp), text_of(event.click.link)
            read = made("email_click", at=at, link=link or None)
        case _:
            pass
    return read


def _bounced(bounce: _Detail, made: "partial[Receipt]") -> Receipt | Ignored:
    """Read a bounce: "Transient" is a full mailbox and the like, "Undetermined" says nothing."""
    recipient = next(iter(bounce.bounced_recipients), _Recipient())
    told = text_of(recipient.diagnostic_code)
    says_dead = is_address_dead(text_of(recipient.status) or status_in(told))
    if bounce.bounce_type != "Permanent" or says_dead is False:
        return "soft_bounce"
    return made("email_bounce", at=read_instant(bounce.timestamp), detail=told)


def _token_of(mail: _Mail) -> str:
    """Return the token in our Message-ID, which SES keeps in what it reports of the headers."""
    ours = [one.value for one in mail.headers if one.name.lower() == "message-id"]
    tokens = (token_of(text_of(value)) for value in (*ours, mail.common_headers.get("messageId")))
    return next((token for token in tokens if token), "")
