"""Push: one message to all devices of a user, each over the provider of its platform."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from segue.channels.apns import ApnsProvider
from segue.channels.breaker import Breakers
from segue.channels.fcm import FcmProvider
from segue.channels.records import ProviderRecords
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.channels.settings import PushSettings
from segue.channels.throttle import Throttle
from segue.channels.webpush import WebPushProvider
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.devices import DevicesTried, Platform, RegisteredDevice
from segue.model.instants import SECOND, format_duration, parse_duration
from segue.model.limits import PUSH_STORED_MAX
from segue.model.rendered import Rendered, RenderedPush

_SETTINGS: Final[dict[Platform, str]] = {
    "android": "channels.push.fcm",
    "ios": "channels.push.apns",
    "web": "channels.push.web",
}

_DETAIL_LENGTH_MAX: Final = 400


class PushProvider(Protocol):
    """Sends to devices of one platform."""

    def service_of(self, device: RegisteredDevice) -> str:
        """Return the name of who takes pushes for a device: that one may be down by itself."""

    async def push(self, message: RenderedPush, device: RegisteredDevice) -> Answer:
        """Send to one device; never raises for what the provider or the network does."""

    async def close(self) -> None:
        """Give connections back."""


class PushSender:
    """Hands a push to each of its devices, and puts their answers together."""

    def __init__(
        self,
        settings: PushSettings,
        clock: Clock,
        secret: Callable[[str], bytes],
        records: ProviderRecords | None = None,
    ) -> None:
        """Read the settings; `secret` gives the installation's own secret of a name.

        What each platform's provider answers goes to `records`.

        Raises:
            SegueError: one of them is unusable.
        """
        keep_for_s = _keep_for_s(settings)
        self._providers: dict[Platform, PushProvider] = {}
        self._throttles: dict[Platform, Throttle] = {}
        self._breakers: dict[Platform, Breakers] = {one: Breakers(clock) for one in _SETTINGS}
        self._records = records or ProviderRecords(clock)
        self.web_key: str | None = None
        if settings.fcm is not None:
            self._providers["android"] = FcmProvider(settings.fcm, keep_for_s, clock)
            self._throttles["android"] = Throttle(settings.fcm.sends_per_second_max)
        if settings.apns is not None:
            self._providers["ios"] = ApnsProvider(settings.apns, keep_for_s, clock)
            self._throttles["ios"] = Throttle(settings.apns.sends_per_second_max)
        if settings.web is not None:
            web = WebPushProvider(settings.web, keep_for_s, clock, secret)
            self.web_key = web.public_key
            self._providers["web"] = web
            self._throttles["web"] = Throttle(settings.web.sends_per_second_max)

    async def send(self, message: Rendered) -> Answer:
        """Send to every device that the message names, at once."""
        if not isinstance(message, RenderedPush):
            return Refused("this sender takes pushes only")
        answers = await asyncio.gather(*(self._push(message, one) for one in message.devices))
        return together(list(zip(message.devices, answers, strict=True)))

    def turn(self, message: RenderedPush, now: int) -> int:
        """Return when all providers of the message take it; the turns are taken."""
        platforms = [device.platform for device in message.devices]
        turns = [
            throttle.turn(now, platforms.count(platform))
            for platform, throttle in self._throttles.items()
            if platform in platforms
        ]
        return max(turns, default=now)

    def resting(self, platform: Platform) -> dict[str, float]:
        """Return the services of a platform that are left alone, and for how many seconds still."""
        return self._breakers[platform].resting()

    async def close(self) -> None:
        """Close connections."""
        await asyncio.gather(*(provider.close() for provider in self._providers.values()))

    async def _push(self, message: RenderedPush, device: RegisteredDevice) -> Answer:
        provider = self._providers.get(device.platform)
        if provider is None:
            setting = _SETTINGS[device.platform]
            return Refused(f"no provider is set up for {device.platform}; set {setting}")
        answer = await self._breakers[device.platform].guard(
            provider.service_of(device), lambda: provider.push(message, device)
        )
        self._records.note(device.platform, answer)
        return answer


def together(answers: list[tuple[RegisteredDevice, Answer]]) -> Answer:
    """Return one answer for all devices, and of each what is known of it.

    While a device is to be tried again the whole is not at its end, though others have the push.
    """
    tried = DevicesTried(
        accepted=[one.token for one, answer in answers if isinstance(answer, Accepted)],
        dead=[
            one.token
            for one, answer in answers
            if isinstance(answer, Refused) and answer.is_address_dead
        ],
        unknown=[one.token for one, answer in answers if isinstance(answer, Unknown)],
    )
    detail = "; ".join(dict.fromkeys(answer.detail for _, answer in answers))[:_DETAIL_LENGTH_MAX]
    later = [answer for _, answer in answers if isinstance(answer, TryLater)]
    if later:
        # The earliest: a provider that asked for more is behind its breaker until then.
        wishes = [one.retry_after_s for one in later if one.retry_after_s is not None]
        was_asked = any(one.was_asked for one in later)
        return TryLater(detail, min(wishes, default=None), was_asked=was_asked, tried=tried)
    if tried.accepted:
        return Accepted(detail, tried)
    if tried.unknown:
        return Unknown(detail, tried)
    return Refused(detail, is_address_dead=len(tried.dead) == len(answers) > 0, tried=tried)


def _keep_for_s(settings: PushSettings) -> int:
    keep_for = parse_duration(settings.keep_for)
    if keep_for > PUSH_STORED_MAX:
        message = (
            f"channels.push.keep_for: {settings.keep_for} is more than the "
            f"{format_duration(PUSH_STORED_MAX)} that providers keep a push"
        )
        raise SegueError(message)
    return keep_for // SECOND
