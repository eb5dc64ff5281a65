"""Who has a virtual phone, and how a message for one is addressed."""

from typing import Any

import pytest

from segue.clock import FixedClock
from segue.content.headers import read_address
from segue.content.links import Origin
from segue.content.phones import read_phone
from segue.content.render import Renderer
from segue.content.tokens import TokenSigner
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.instants import parse_instant
from segue.model.log_records import AttributesReceived, CampaignPublished, EventsReceived
from segue.model.messages import Email
from segue.model.rendered import RenderedEmail, RenderedPush, RenderedSms
from segue.model.state import UserState
from segue.runtime.phones import PhoneRule, addresses_of, device_of
from tests.support.documents import email, follower, push
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
TEXT = {"sms": {"body": "Hello"}}


@pytest.mark.parametrize("value", ["true", "yes", 1, [True], None, False, "false"])
def test_only_true_makes_a_test_user(value: Any) -> None:
    assert not PhoneRule().has_phone(UserState(attributes={"test_user": value}))


def test_a_test_user_has_a_phone_and_others_have_one_where_everybody_has() -> None:
    test_user, other = UserState(attributes={"test_user": True}), UserState()
    assert PhoneRule().has_phone(test_user)
    assert not PhoneRule("test_users").has_phone(other)
    assert PhoneRule("everybody").has_phone(other)
    assert not PhoneRule("everybody").has_phone(None)


@pytest.mark.parametrize(
    "user_id", ["ann", "ann.b_c-1", "Ann Lee", "ann@shop.test", "ø", "x" * 255]
)
def test_a_phone_has_addresses_that_can_be_nobodys(user_id: str) -> None:
    addresses = addresses_of(user_id)
    assert read_address(addresses["email"]) == addresses["email"]
    assert addresses["email"].endswith("@phone.invalid")
    assert read_phone(addresses["phone"]) == addresses["phone"]
    assert addresses["phone"].startswith("+999")
    assert addresses == addresses_of(user_id)
    assert addresses["phone"] != addresses_of(user_id + "2")["phone"]
    assert device_of(user_id).token.startswith("https://phone.invalid/")


async def handed(**attributes: Any) -> LiveRuntime:
    """Let a campaign of three channels come to ann, as she is described."""
    live = LiveRuntime(START)
    await live.start()
    text = "{{ email | default: 'nobody' }} {{ phone_number | default: 'none' }}"
    document = decode_campaign(
        follower("offer", {"event": "go"}, messages=[email(text=text), push(), TEXT])
    )
    now = live.clock.now()
    await live.hand_in([CampaignPublished(now, "id-offer", 1, document)])
    if attributes:
        await live.hand_in([AttributesReceived(now, [AttributeChange("ann", attributes)])])
    await live.hand_in([EventsReceived(now, [Event("ann", "go")])])
    await live.stop()
    return live


async def test_a_test_user_is_reached_on_all_channels_without_any_address() -> None:
    mail, notification, text = [
        one.message for one in (await handed(test_user=True)).mailbox.of_user("ann")
    ]
    assert isinstance(mail, RenderedEmail)
    assert isinstance(notification, RenderedPush)
    assert isinstance(text, RenderedSms)
    assert mail.for_phone
    assert notification.for_phone
    assert text.for_phone
    assert mail.to == "ann@phone.invalid"
    assert notification.devices == [device_of("ann")]
    assert text.to == addresses_of("ann")["phone"]
    assert (mail.variant, text.variant) == (notification.variant, notification.variant)
    # What the phone stands in for is no part of the profile.
    assert mail.text == "nobody none"


async def test_a_test_users_real_addresses_are_not_used_but_can_be_shown() -> None:
    real = {"email": "ann@people.test", "phone": "+32470123456"}
    live = await handed(test_user=True, **real)
    mail, _, text = [one.message for one in live.mailbox.of_user("ann")]
    assert isinstance(mail, RenderedEmail)
    assert isinstance(text, RenderedSms)
    assert mail.to == "ann@phone.invalid"
    assert text.to.startswith("+999")
    assert mail.text == "ann@people.test +32470123456"


async def test_a_mail_for_a_phone_tells_us_of_opens_where_a_provider_counts_them() -> None:
    signer, clock = TokenSigner(b"k" * 32), FixedClock(START)
    renderer = Renderer(
        "http://segue.test",
        signer,
        clock,
        default_from="hi@shop.test",
        unsubscribe_address="out@shop.test",
        is_counted_by_provider=True,
    )
    mail = Email("Hello", html='<a href="https://shop.test/">Shop</a>')
    origin = Origin("s1", "ann", "offer", "A")
    for made_by, is_ours in ((renderer, False), (renderer.for_phones(), True)):
        found = made_by.render("email", mail, addresses_of("ann"), {}, origin)
        assert isinstance(found, RenderedEmail)
        assert found.html is not None
        assert ("/t/o/" in found.html) is is_ours
        assert ("/t/c/" in found.html) is is_ours
        assert ("mailto:" in found.headers["List-Unsubscribe"]) is not is_ours


async def test_others_are_reached_at_their_own_addresses_only() -> None:
    live = await handed(test_user="true", email="ann@people.test")
    [mail] = [one.message for one in live.mailbox.of_user("ann")]
    assert isinstance(mail, RenderedEmail)
    assert not mail.for_phone
    assert mail.to == "ann@people.test"
