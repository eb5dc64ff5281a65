"""A message to try a provider with: through the real sender, to one address that is typed in.

It is no send of a campaign: nothing of it stands in the log, and nobody has received anything.
"""

from typing import Final, Literal, assert_never

from msgspec import Struct

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.content.addresses import sendable_address
from segue.content.headers import read_address, read_mailbox
from segue.model.ids import random_id
from segue.model.problems import InvalidError, Problem
from segue.model.rendered import Rendered, RenderedEmail, RenderedSms
from segue.model.suppressions import SuppressedChannel
from segue.runtime.dispatcher import Sends
from segue.runtime.runtime import Runtime
from segue.services.settings import Settings

Outcome = Literal["accepted", "refused", "later", "unknown"]
_TEXT: Final = "This is a test message. If you can read it, the settings of this channel work."


class Trial(Struct, frozen=True):
    """What a provider answered, in words."""

    outcome: Outcome
    sentence: str


class TrialSends:
    """Sends a test message by email or SMS."""

    def __init__(self, runtime: Runtime, sends: Sends, settings: Settings) -> None:
        self._runtime = runtime
        self._sends = sends
        self._settings = settings

    async def send(self, channel: SuppressedChannel, given: str) -> Trial:
        """Send a test message, also while sending is held; return what was answered.

        Raises:
            InvalidError: it is no address, or one that gets nothing, or nothing says from whom.
        """
        address = sendable_address(channel, given)
        if address is None:
            form = "an email address" if channel == "email" else "a number with a country code"
            example = "ann@example.com" if channel == "email" else "+32470123456"
            raise _invalid("to", f"{given[:100]!r} is not {form}, such as {example}.")
        obstacle = self._runtime.suppressions.obstacle(channel, address, is_for_all=False)
        if obstacle is not None:
            message = f"{address} is on the suppression list, since {obstacle}. Take it off first."
            raise _invalid("to", message)
        rendered = self._message(channel, given)
        return _told(await self._sends.send(rendered), address)

    def _message(self, channel: SuppressedChannel, given: str) -> Rendered:
        clock = self._runtime.clock
        send_id = f"test-{random_id(clock.now(), clock.token(10))}"
        if channel == "sms":
            number = sendable_address("sms", given) or given
            return RenderedSms(send_id, "", "", number, _TEXT)
        sender = read_mailbox(self._settings.channels.email.from_ or "")
        if sender is None:
            message = "Set channels.email.from to an address first: a test has to come from one."
            raise _invalid("to", message)
        # As it was typed: capitals before the @ are the mailbox's own.
        to = read_address(given) or given
        return RenderedEmail(send_id, "", "", to, sender, "A test message from Segue", text=_TEXT)


def _told(answer: Answer, address: str) -> Trial:
    match answer:
        case Accepted(detail):
            said = f"The provider took the message to {address}{_quoted(detail)}."
            return Trial("accepted", f"{said} Whether it arrived, only {address} can tell.")
        case Refused(detail):
            return Trial("refused", f"The provider refused the message to {address}: {detail}")
        case TryLater(detail, was_asked=True):
            said = f"The message to {address} was not taken: {detail}. It is not tried again."
            return Trial("later", said)
        case TryLater(detail):
            return Trial("later", f"Nothing was sent: {detail}.")
        case Unknown(detail):
            said = f"Nobody knows whether the message to {address} went out: {detail}."
            return Trial("unknown", said)
        case _:
            assert_never(answer)


def _quoted(detail: str) -> str:
    return f" and answered “{detail}”" if detail else ""


def _invalid(path: str, message: str) -> InvalidError:
    return InvalidError([Problem(path, message)], "The test message")
