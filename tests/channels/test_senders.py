"""All senders behind one face, and the settings they are made from."""

import base64
import io

import msgspec
import pytest
from rich.console import Console

from segue.channels.registry import Senders
from segue.channels.sender import Accepted, Answer, Refused, TryLater
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
    without_credentials,
)
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.channels import CHANNELS, Channel
from segue.model.devices import RegisteredDevice
from segue.model.instants import SECOND
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
)
from tests.channels.fake_http import web_server
from tests.channels.fake_smtp import post_office

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
PHONE = RegisteredDevice("phone", "android", "token")
MAIL = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hi")


def message_for(channel: Channel) -> Rendered:
    if channel == "email":
        return MAIL
    if channel == "webhook":
        return RenderedWebhook("snd_1", "ada", "welcome", "http://127.0.0.1/", "POST")
    if channel == "push":
        return RenderedPush("snd_1", "ada", "welcome", "A", [PHONE], "Hi")
    if channel == "sms":
        return RenderedSms("snd_1", "ada", "welcome", "+32470123456", "Hi")
    return RenderedNote("snd_1", "ada", "welcome", channel, {})


def secret(_name: str) -> bytes:
    return b"k" * 40


async def test_each_message_goes_to_the_sender_of_its_channel() -> None:
    async with post_office() as office, web_server() as web:
        settings = ChannelSettings(
            EmailSettings(smtp_url=f"smtp://{office.url}"),
            WebhookSettings(allow_private_addresses=["127.0.0.1/32"]),
        )
        senders = Senders(settings, FixedClock(), secret)
        call = RenderedWebhook("snd_2", "ada", "welcome", web.url, "POST")
        assert isinstance(await senders.send(MAIL), Accepted)
        assert isinstance(await senders.send(call), Accepted)
        await senders.close()
    assert len(office.raw) == len(web.asked) == 1


@pytest.mark.parametrize("channel", [one for one in CHANNELS if one != "webhook"])
async def test_a_channel_without_a_provider_is_refused_with_a_reason(channel: Channel) -> None:
    senders = Senders(ChannelSettings(), FixedClock(), secret)
    answer = await senders.send(message_for(channel))
    await senders.close()
    assert isinstance(answer, Refused)
    assert answer.detail.startswith(f"no provider is set up for {channel}; ")
    assert not answer.is_address_dead
    hints = {"email": "SMTP_URL", "push": "[channels.push.fcm]", "sms": "[channels.sms.twilio]"}
    assert hints.get(channel, "this version sends") in answer.detail


async def test_push_and_text_messages_go_to_what_is_set_up_for_them() -> None:
    sms = HttpSmsSettings(url="http://127.0.0.1:9/", sends_per_second_max=1.0)
    web = WebPushSettings("mailto:ops@shop.test", sends_per_second_max=1.0)
    settings = ChannelSettings(push=PushSettings(web=web), sms=SmsSettings(http=sms))
    senders = Senders(settings, FixedClock(), secret)
    text, push = message_for("sms"), message_for("push")
    assert isinstance(await senders.send(text), TryLater)
    assert await senders.send(push) == Refused(
        "no provider is set up for android; set channels.push.fcm"
    )
    assert [senders.turn(text, 5), senders.turn(text, 5)] == [5, 5 + SECOND]
    assert [senders.turn(MAIL, 5), senders.turn(push, 5)] == [5, 5]
    assert senders.web_push_key is not None
    await senders.close()


def test_without_web_push_there_is_no_key_for_it_and_no_secret_is_made() -> None:
    def none(name: str) -> bytes:
        raise AssertionError(name)

    assert Senders(ChannelSettings(), FixedClock(), none).web_push_key is None


class Keeping:
    """Takes what it is given, and is closed."""

    def __init__(self) -> None:
        self.taken: list[Rendered] = []
        self.closed = 0

    async def send(self, message: Rendered) -> Answer:
        self.taken.append(message)
        return Accepted()

    async def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_is_for_a_phone_goes_to_phones_whatever_is_set_up(channel: Channel) -> None:
    async with post_office() as office, web_server() as web:
        settings = ChannelSettings(
            EmailSettings(smtp_url=f"smtp://{office.url}"),
            WebhookSettings(allow_private_addresses=["127.0.0.1/32"]),
            sms=SmsSettings(http=HttpSmsSettings(url=web.url, sends_per_second_max=1.0)),
        )
        senders, phone, inbox = Senders(settings, FixedClock(), secret), Keeping(), Keeping()
        senders.keep_for_devices(inbox)
        senders.keep_on_phones(phone)
        message = msgspec.structs.replace(message_for(channel), for_phone=True)
        assert isinstance(await senders.send(message), Accepted)
        # A phone keeps up with any pace, and takes no turn of a provider.
        assert [senders.turn(message, 5), senders.turn(message, 5)] == [5, 5]
        await senders.close()
    assert phone.taken == [message]
    assert office.raw == web.asked == inbox.taken == []
    assert phone.closed == inbox.closed == 1


async def test_what_is_for_a_phone_goes_nowhere_else_where_there_are_none() -> None:
    async with post_office() as office:
        settings = ChannelSettings(EmailSettings(smtp_url=f"smtp://{office.url}"))
        senders = Senders(settings, FixedClock(), secret)
        answer = await senders.send(msgspec.structs.replace(MAIL, for_phone=True))
        await senders.close()
    assert isinstance(answer, Refused)
    assert "virtual phone" in answer.detail
    assert office.raw == []


@pytest.mark.parametrize(
    "settings",
    [
        ChannelSettings(email=EmailSettings(smtp_url="imap://mail.test")),
        ChannelSettings(webhook=WebhookSettings(secret="guess")),
        ChannelSettings(webhook=WebhookSettings(allow_private_addresses=["everything"])),
        ChannelSettings(push=PushSettings(fcm=FcmSettings("/nothing/here.json"))),
        ChannelSettings(push=PushSettings(apns=ApnsSettings("/nothing/here", "K", "T", "t"))),
        ChannelSettings(sms=SmsSettings(http=HttpSmsSettings(url="sms.test"))),
    ],
)
def test_an_unusable_setting_is_told_at_the_start(settings: ChannelSettings) -> None:
    with pytest.raises(SegueError, match=r"channels\.(email|webhook|push|sms)\."):
        Senders(settings, FixedClock(), secret)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://user:hunter2@mail.test:587",
        "smtp://hunter2:hunter2@mail.test",
        "smtp://hunter2@mail.test",
        "smtp://user:hunter2/x@mail.test",
        "smtp://user:a@hunter2@mail.test",
        "smtp://user:hunter2#x?y@mail.test",
        "smtp://user:hunter2@[mail.test",
    ],
)
def test_no_way_of_showing_settings_shows_a_secret(url: str) -> None:
    settings = ChannelSettings(EmailSettings(smtp_url=url), WebhookSettings(secret=SECRET))
    page = io.StringIO()
    Console(file=page, width=500).print(settings)
    shown = page.getvalue() + repr(settings) + str(settings) + f"{settings.email}"
    assert "hunter2" not in shown
    assert SECRET not in shown
    assert "mail.test" in shown


def test_no_way_of_showing_settings_shows_a_providers_secret() -> None:
    twilio = TwilioSettings(account_sid="AC1", auth_token="hunter2", from_="+15005550006")
    http = HttpSmsSettings(
        url="https://user:hunter2@sms.test/hunter2?key=hunter2",
        headers={"X-Key": "hunter2"},
        body="key=hunter2",
    )
    for settings in (twilio, http, ChannelSettings(sms=SmsSettings(twilio, http))):
        page = io.StringIO()
        Console(file=page, width=500).print(settings)
        shown = page.getvalue() + repr(settings) + str(settings)
        assert "hunter2" not in shown
        assert "AC1" in shown or "https://***@sms.test/***" in shown


def test_a_url_without_credentials_is_shown_as_it_is() -> None:
    assert without_credentials("smtp://mail.test:25") == "smtp://mail.test:25"


@pytest.mark.parametrize(
    "document",
    [
        {"email": {"timeout_s": 0}},
        {"email": {"timeout_s": 1e9}},
        {"email": {"connections_max": 0}},
        {"webhook": {"timeout_s": -1}},
        {"webhook": {"secrets": "x"}},
        {"push": {"fcm": {"service_account_file": "x", "sends_per_second_max": 0}}},
        {"push": {"web": {"contact": "ops@shop.test"}}},
        {"push": {"web": {"contact": "mailto:"}}},
        {"push": {"keep_for": "long"}},
        {"sms": {"twilio": {"account_sid": "AC1"}}},
        {"sms": {"http": {"url": "https://sms.test", "method": "PATCH"}}},
    ],
)
def test_a_setting_that_would_stop_all_sending_is_refused(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, ChannelSettings)
