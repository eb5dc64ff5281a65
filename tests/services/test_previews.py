"""Pushes and text messages as an author looks at them before they are sent."""

from typing import Any

from segue.content.render import Renderer
from segue.content.tokens import TokenSigner
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange
from segue.model.instants import parse_instant
from segue.model.log_records import AttributesReceived
from segue.services.previews import PreviewedMessage, PreviewRequest, Previews
from segue.storage.ports import StoredCampaign
from tests.support.documents import follower
from tests.support.live import LiveRuntime, phones_of

START = parse_instant("2026-11-01T00:00:00Z")


async def previewed(message: dict[str, Any], user_id: str = "preview") -> PreviewedMessage:
    live = LiveRuntime(START)
    await live.start()
    known = [AttributeChange(user, {"name": "Ann", "phone": "0470"}) for user in ("ann", "bob")]
    known.append(AttributeChange("tim", {"phone": "0470", "test_user": True}))
    await live.hand_in([AttributesReceived(START, known), phones_of(START, "ann")])
    renderer = Renderer("http://segue.test", TokenSigner(b"k" * 32), live.clock)
    document = decode_campaign(follower("c", messages=[message]))
    campaign = StoredCampaign("id", document, "draft", 0, START, START)
    preview = Previews(live.runtime, renderer).preview(campaign, PreviewRequest(user_id))
    await live.stop()
    return preview.messages[0]


async def test_a_push_is_shown_without_the_tokens_it_would_go_to() -> None:
    for user_id, name in (("ann", "Ann"), ("preview", "")):
        shown = await previewed({"push": {"title": "Hi {{ name }}", "body": "x"}}, user_id)
        assert shown.content is not None
        assert shown.content["title"] == f"Hi {name}".strip()
        assert "devices" not in shown.content
        assert "token" not in str(shown.content)


async def test_a_user_who_would_get_no_push_is_told_of() -> None:
    shown = await previewed({"push": {"title": "Hi"}}, "bob")
    assert (shown.content, shown.error) == (None, "the user has no device that takes push")


async def test_a_text_is_shown_with_what_it_takes() -> None:
    shown = await previewed({"sms": {"body": "Hi " + "€" * 80}})
    assert shown.content is not None
    assert shown.content["segments"] == {"encoding": "GSM-7", "units": 163, "count": 2}


async def test_a_number_that_no_text_goes_to_is_told_of() -> None:
    shown = await previewed({"sms": {"body": "Hi"}}, "ann")
    assert shown.error == "'0470' is no number with a country code, such as +32470123456"


async def test_a_test_user_is_shown_what_comes_to_their_virtual_phone() -> None:
    text = await previewed({"sms": {"body": "Hi {{ phone_number }}"}}, "tim")
    assert text.content is not None
    assert text.content["body"] == "Hi 0470"
    assert text.content["to"].startswith("+999")
    push = await previewed({"push": {"title": "Hi"}}, "tim")
    assert push.content is not None
    assert push.content["title"] == "Hi"
