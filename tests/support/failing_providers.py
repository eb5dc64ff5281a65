"""Every provider that there is a sender for, as a server that can be told how to behave."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, get_args

from segue.channels.settings import (
    ApnsSettings,
    ChannelSettings,
    EmailSettings,
    FcmSettings,
    HttpSmsSettings,
    PushSettings,
    SmsSettings,
    TwilioSettings,
    WebhookSettings,
    WebPushSettings,
)
from segue.clock import FixedClock
from segue.model.channels import Channel
from segue.model.devices import Device
from tests.channels.fake_provider import Asked, FakeProvider, Reply, serving
from tests.channels.fake_push import (
    FakeApns,
    FakeFcm,
    FakePushService,
    apns_error,
    fcm_error,
    pem_of,
)
from tests.channels.fake_smtp import PostOffice, post_office
from tests.channels.test_sms import FakeTwilio, twilio_error

Behaviour = Literal[
    "accepts",
    "throttles",  # and wants to be asked again a minute and a half later
    "is_down",
    "refuses",
    "breaks_before",  # the connection, before it has read anything
    "breaks_after",  # when it has taken the message, and before it says so
    "times_out",  # when it has taken the message
]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
DOWN_COUNT = 5  # answers: as many as open a breaker
HERE = ["127.0.0.1/32"]
WISH = {"retry-after": "90"}


class ProviderUnderTest:
    """One provider."""

    channel: Channel = "push"
    pause_s = 90  # at the least, when it throttles
    holds_others_when_throttled = True  # a breaker keeps them from it
    has_breaker = True
    is_resent = False  # by default, when nobody knows what became of a message
    timeout_s = 2.0  # where it is to run out; the connection alone has two fifths of it

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock

    @contextlib.asynccontextmanager
    async def open(self, folder: Path, timeout_s: float) -> AsyncIterator[ChannelSettings]:
        """Serve, and give the settings that lead here."""
        raise NotImplementedError
        yield

    def message(self) -> dict[str, Any]:
        """Return what a campaign sends over it."""
        return {"push": {"title": "Hello"}}

    def attributes(self, number: int) -> dict[str, Any]:
        """Return a user's profile: where messages go."""
        return {}

    def device(self, number: int) -> Device | None:
        """Return a user's device, where pushes go."""
        return None

    def behave(self, behaviour: Behaviour) -> None:
        """Meet the next message so; agree with all that come after it."""
        raise NotImplementedError

    def asked_count(self) -> int:
        """Return how many messages reached it, whatever it said to them."""
        raise NotImplementedError

    def taken(self) -> list[str]:
        """Return what it calls the messages that it has taken, one for each time."""
        raise NotImplementedError

    def shown_count(self) -> int:
        """Return how many messages people see of those it has taken."""
        return len(self.taken())


class Smtp(ProviderUnderTest):
    """A mail server."""

    channel: Channel = "email"
    pause_s = 60
    holds_others_when_throttled = False
    has_breaker = False
    timeout_s = 0.5  # after the content it has four times as long
    office: PostOffice

    @contextlib.asynccontextmanager
    async def open(self, folder: Path, timeout_s: float) -> AsyncIterator[ChannelSettings]:
        async with post_office() as self.office:
            url = f"smtp://{self.office.url}"
            yield ChannelSettings(email=EmailSettings(smtp_url=url, timeout_s=timeout_s))

    def message(self) -> dict[str, Any]:
        return {"email": {"subject": "Hello", "text": "{{ unsubscribe_url }}"}}

    def attributes(self, number: int) -> dict[str, Any]:
        return {"email": f"u{number}@people.test"}

    def behave(self, behaviour: Behaviour) -> None:
        match behaviour:
            case "throttles":
                self.office.say("RCPT", "451 4.7.1 greylisted, try again later")
            case "is_down":
                self.office.say("MAIL", *["421 4.3.2 system not accepting"] * DOWN_COUNT)
            case "refuses":
                self.office.say("DATA", "550 5.7.1 not wanted")
            case "breaks_before":
                self.office.say("MAIL", None)
            case "breaks_after":
                self.office.endings.append("cut")
            case "times_out":
                self.office.endings.append("never")

    def asked_count(self) -> int:
        return self.office.connection_count

    def taken(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.office.mails]


class OverHttp(ProviderUnderTest):
    """One that is asked over HTTP and TLS."""

    ok = 200
    fake: FakeProvider
    throttled = Reply(429, WISH)
    down = Reply(503)
    refused = Reply(400)

    @contextlib.asynccontextmanager
    async def open(self, folder: Path, timeout_s: float) -> AsyncIterator[ChannelSettings]:
        async with serving(self.fake, folder):
            yield self.settings(folder, timeout_s)

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        """Return the settings that lead here."""
        raise NotImplementedError

    def behave(self, behaviour: Behaviour) -> None:
        match behaviour:
            case "throttles":
                self.fake.say(self.throttled)
            case "is_down":
                self.fake.say(*[self.down] * DOWN_COUNT)
            case "refuses":
                self.fake.say(self.refused)
            case "breaks_before":
                self.fake.relay.break_next()
            case "breaks_after":
                self.fake.say(Reply(self.ok, is_cut=True))
            case "times_out":
                self.fake.say(Reply(self.ok, is_never=True))

    def asked_count(self) -> int:
        return len(self.fake.asked)

    def taken(self) -> list[str]:
        return [self.name_of(asked) for asked in self.fake.taken]

    def name_of(self, asked: Asked) -> str:
        """Return what it knows a message by: what says that two are the same."""
        raise NotImplementedError


class _Planned(FakeProvider):
    """Answers as planned, else with yes."""

    def answer(self, asked: Asked) -> Reply:
        return self.planned.pop(0) if self.planned else Reply()


class Webhook(OverHttp):
    """Any endpoint."""

    channel: Channel = "webhook"
    is_resent = True
    holds_others_when_throttled = False
    has_breaker = False

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = _Planned()

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        webhook = WebhookSettings(allow_private_addresses=HERE, timeout_s=timeout_s)
        return ChannelSettings(webhook=webhook)

    def message(self) -> dict[str, Any]:
        return {"webhook": {"url": f"{self.fake.url}/hook", "body": "{}"}}

    def name_of(self, asked: Asked) -> str:
        return asked.headers["webhook-id"]


class Fcm(OverHttp):
    """Google's."""

    fake: FakeFcm
    throttled = fcm_error(429, "RESOURCE_EXHAUSTED", **WISH)
    down = fcm_error(503, "UNAVAILABLE", is_fcm=True)
    refused = fcm_error(400, "INVALID_ARGUMENT", "message.data", is_fcm=True)

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = FakeFcm(clock)

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        file = folder / "account.json"
        file.write_bytes(self.fake.account())
        fcm = FcmSettings(str(file), self.fake.url, timeout_s)
        return ChannelSettings(push=PushSettings(fcm=fcm))

    def device(self, number: int) -> Device | None:
        return Device("phone", "android", f"token-{number}")

    def asked_count(self) -> int:
        return len(self.fake.asked_to_send())

    def taken(self) -> list[str]:
        return [self.name_of(asked) for asked in self.fake.taken if asked.path != "/token"]

    def name_of(self, asked: Asked) -> str:
        return asked.body.decode().partition('"tag":"')[2].partition('"')[0]

    def shown_count(self) -> int:
        return len(self.fake.shown)


class Apns(OverHttp):
    """Apple's, over HTTP/2."""

    fake: FakeApns
    throttled = apns_error(429, "TooManyProviderTokenUpdates", None, **WISH)
    down = apns_error(503, "ServiceUnavailable")
    refused = apns_error(400, "TopicDisallowed")

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = FakeApns(clock)

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        file = folder / "apns.p8"
        file.write_bytes(pem_of(self.fake.key))
        apns = ApnsSettings(str(file), "KEY", "TEAM", "test.shop", self.fake.url, timeout_s)
        return ChannelSettings(push=PushSettings(apns=apns))

    def device(self, number: int) -> Device | None:
        return Device("phone", "ios", hashlib.sha256(bytes([number])).hexdigest())

    def name_of(self, asked: Asked) -> str:
        return asked.headers["apns-collapse-id"]

    def shown_count(self) -> int:
        return len(self.fake.shown)


class WebPush(OverHttp):
    """A browser's push service: one subscription's throttle is not another's."""

    fake: FakePushService
    ok = 201
    refused = Reply(413)
    holds_others_when_throttled = False

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = FakePushService(clock)

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        web = WebPushSettings("mailto:ops@shop.test", HERE, timeout_s)
        return ChannelSettings(push=PushSettings(web=web))

    def device(self, number: int) -> Device | None:
        browser = self.fake.device("browser", f"/send/{number}")
        return Device(browser.id, browser.platform, browser.token, browser.keys)

    def name_of(self, asked: Asked) -> str:
        return asked.headers["topic"]

    def shown_count(self) -> int:
        return len(self.fake.shown)


class Sms(OverHttp):
    """A provider of text messages."""

    channel: Channel = "sms"

    def message(self) -> dict[str, Any]:
        return {"sms": {"body": "Hello {{ user_id }}"}}

    def attributes(self, number: int) -> dict[str, Any]:
        return {"phone": f"+3247012345{number}"}


class Twilio(Sms):
    """It has no idempotency key: messages go by whom they are for."""

    ok = 201
    throttled = twilio_error(429, 20429, "Too Many Requests", **WISH)
    down = twilio_error(503, 20503, "Service Unavailable")
    refused = twilio_error(400, 21610, "The recipient has replied STOP")

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = FakeTwilio()

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        twilio = TwilioSettings(
            account_sid="AC1",
            auth_token="sesame",
            from_="+15005550006",
            url=self.fake.url,
            timeout_s=timeout_s,
        )
        return ChannelSettings(sms=SmsSettings(twilio=twilio))

    def name_of(self, asked: Asked) -> str:
        return asked.body.decode()


class HttpSms(Sms):
    """Any provider, by a call that the operator writes."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.fake = _Planned()

    def settings(self, folder: Path, timeout_s: float) -> ChannelSettings:
        http = HttpSmsSettings(
            url=f"{self.fake.url}/sms", body="to={{ to }}", from_="Shop", timeout_s=timeout_s
        )
        return ChannelSettings(sms=SmsSettings(http=http))

    def name_of(self, asked: Asked) -> str:
        return asked.headers["idempotency-key"]


PROVIDERS: dict[str, type[ProviderUnderTest]] = {
    "SMTP": Smtp,
    "webhook": Webhook,
    "FCM": Fcm,
    "APNs": Apns,
    "Web Push": WebPush,
    "Twilio": Twilio,
    "HTTP SMS": HttpSms,
}
