"""All senders behind one face: each message finds its channel, or is told what is missing."""

import pytest

from segue.channels.registry import Senders
from segue.channels.sandbox import SandboxMailbox
from segue.channels.sender import Accepted, Refused
from segue.channels.settings import ChannelSettings, EmailSettings, WebhookSettings
from segue.clock import FixedClock
from segue.model.rendered import Rendered, RenderedEmail, RenderedNote, RenderedWebhook
from tests.channels.fake_http import web_server
from tests.channels.fake_smtp import post_office

MAIL = RenderedEmail("snd_1", "ada", "welcome", "ada@a.test", "s@shop.test", "Hello", text="Hi")
NOTE = RenderedNote("snd_3", "ada", "welcome", "push", {})
AT = 1_790_000_000_000_000


def call_to(url: str) -> RenderedWebhook:
    return RenderedWebhook("snd_2", "ada", "welcome", url, "POST", body=b"{}")


async def test_each_message_goes_to_the_sender_of_its_channel() -> None:
    async with post_office() as office, web_server() as told:
        settings = ChannelSettings(
            EmailSettings(smtp_url=f"smtp://{office.url}"),
            WebhookSettings(allow_private_addresses=["127.0.0.1/32"]),
        )
        senders = Senders(settings, FixedClock(AT))
        assert isinstance(await senders.send(MAIL), Accepted)
        assert isinstance(await senders.send(call_to(told.url)), Accepted)
        await senders.close()
    assert len(office.raw) == len(told.asked) == 1


async def test_email_without_a_server_is_refused_with_how_to_set_one() -> None:
    senders = Senders(ChannelSettings(), FixedClock(AT))
    got = await senders.send(MAIL)
    await senders.close()
    assert isinstance(got, Refused)
    assert not got.is_address_dead
    assert "SEGUE_CHANNELS__EMAIL__SMTP_URL" in got.detail


async def test_a_channel_without_a_provider_is_refused() -> None:
    senders = Senders(ChannelSettings(), FixedClock(AT))
    got = await senders.send(NOTE)
    await senders.close()
    assert isinstance(got, Refused)
    assert got.detail.startswith("no provider is set up for push")


@pytest.mark.parametrize("message", [MAIL, call_to("http://shop.test/"), NOTE])
async def test_in_the_sandbox_nothing_leaves_the_machine(message: Rendered) -> None:
    mailbox = SandboxMailbox(clock=FixedClock(AT))
    senders = Senders.sandboxed(mailbox)
    assert isinstance(await senders.send(message), Accepted)
    await senders.close()
    assert [one.message for one in mailbox.delivered] == [message]
