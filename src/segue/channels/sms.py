"""Text messages: bounded in length, over the one provider that is set up."""

from typing import Final, Protocol

from segue.channels.breaker import Breaker
from segue.channels.segments import segments_of
from segue.channels.sender import Answer, Refused
from segue.channels.settings import SmsSettings
from segue.channels.sms_http import HttpSmsProvider
from segue.channels.throttle import Throttle
from segue.channels.twilio import TwilioProvider
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.limits import SMS_SEGMENTS_MAX
from segue.model.rendered import Rendered, RenderedSms

_SETTING: Final = "channels.sms"


class SmsProvider(Protocol):
    """Sends text messages."""

    name: str

    async def send(self, message: RenderedSms) -> Answer:
        """Send one; never raises for what the provider or the network does."""

    async def close(self) -> None:
        """Give connections back."""


class SmsSender:
    """Hands text messages to the provider."""

    def __init__(self, settings: SmsSettings, clock: Clock, public_url: str | None = None) -> None:
        """Read the settings; `public_url` is where the provider can call us, if it can.

        Raises:
            SegueError: one of them is unusable, or there is not exactly one provider.
        """
        twilio, http = settings.twilio, settings.http
        if twilio is not None and http is None:
            self._provider: SmsProvider = TwilioProvider(twilio, clock, public_url)
            self._throttle = Throttle(twilio.sends_per_second_max)
        elif http is not None and twilio is None:
            self._provider = HttpSmsProvider(http, clock, public_url)
            self._throttle = Throttle(http.sends_per_second_max)
        else:
            raise SegueError(f"{_SETTING}: set either twilio or http, and not both")
        self._breaker = Breaker(self._provider.name, clock)

    async def send(self, message: Rendered) -> Answer:
        """Send a text message, unless it would be paid for many times over."""
        if not isinstance(message, RenderedSms):
            return Refused("this sender takes text messages only")
        segments = segments_of(message.body)
        if segments.count > SMS_SEGMENTS_MAX:
            return Refused(
                f"the text takes {segments.count} messages of {segments.encoding}; "
                f"at most {SMS_SEGMENTS_MAX} are sent"
            )
        return await self._breaker.guard(lambda: self._provider.send(message))

    def turn(self, message: RenderedSms, now: int) -> int:
        """Return when the provider takes the message: it counts its segments."""
        return self._throttle.turn(now, segments_of(message.body).count)

    def resting(self) -> dict[str, float]:
        """Return the provider, if it is left alone at present, and for how many seconds still."""
        left_s = self._breaker.left_s
        return {self._provider.name: left_s} if left_s > 0 else {}

    async def close(self) -> None:
        """Close connections."""
        await self._provider.close()
