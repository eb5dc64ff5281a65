"""All senders behind one face, and the settings they are made from."""

import base64
import io

import msgspec
import pytest
from rich.console import Console

from segue.channels.registry import Senders
from segue.channels.sandbox import SandboxMailbox
from segue.channels.sender import Accepted, Refused
from segue.channels.settings import (
    ChannelSettings,
    EmailSettings,
    WebhookSettings,
    without_credentials,
)
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.channels import CHANNELS, Channel
from segue.model.rendered import Rendered, RenderedEmail, RenderedNote, RenderedWebhook
from tests.channels.fake_http import web_server
from tests.channels.fake_smtp import post_office

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
MAIL = RenderedEmail("snd_1", "ada", "welcome", "ada@people.test", "shop@shop.test", "Hi")


def message_for(channel: Channel) -> Rendered:
    if channel == "email":
        return MAIL
    if channel == "webhook":
        return RenderedWebhook("snd_1", "ada", "welcome", "http://127.0.0.1/", "POST")
    return RenderedNote("snd_1", "ada", "welcome", channel, {})


async def test_each_message_goes_to_the_sender_of_its_channel() -> None:
    async with post_office() as office, web_server() as web:
        settings = ChannelSettings(
            EmailSettings(smtp_url=f"smtp://{office.url}"),
            WebhookSettings(allow_private_addresses=["127.0.0.1/32"]),
        )
        senders = Senders(settings, FixedClock())
        call = RenderedWebhook("snd_2", "ada", "welcome", web.url, "POST")
        assert isinstance(await senders.send(MAIL), Accepted)
        assert isinstance(await senders.send(call), Accepted)
        await senders.close()
    assert len(office.raw) == len(web.asked) == 1


@pytest.mark.parametrize("channel", [one for one in CHANNELS if one != "webhook"])
async def test_a_channel_without_a_provider_is_refused_with_a_reason(channel: Channel) -> None:
    senders = Senders(ChannelSettings(), FixedClock())
    answer = await senders.send(message_for(channel))
    await senders.close()
    assert isinstance(answer, Refused)
    assert answer.detail.startswith(f"no provider is set up for {channel}; ")
    assert not answer.is_address_dead
    assert ("SMTP_URL" in answer.detail) is (channel == "email")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_in_the_sandbox_nothing_leaves(channel: Channel) -> None:
    mailbox = SandboxMailbox(clock=FixedClock())
    senders = Senders.sandboxed(mailbox)
    assert isinstance(await senders.send(message_for(channel)), Accepted)
    await senders.close()
    assert mailbox.count == 1


@pytest.mark.parametrize(
    "settings",
    [
        ChannelSettings(email=EmailSettings(smtp_url="imap://mail.test")),
        ChannelSettings(webhook=WebhookSettings(secret="guess")),
        ChannelSettings(webhook=WebhookSettings(allow_private_addresses=["everything"])),
    ],
)
def test_an_unusable_setting_is_told_at_the_start(settings: ChannelSettings) -> None:
    with pytest.raises(SegueError, match=r"channels\.(email|webhook)\."):
        Senders(settings, FixedClock())


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
    ],
)
def test_a_setting_that_would_stop_all_sending_is_refused(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, ChannelSettings)
