"""A shop's campaigns on every channel, which follow each other by what is done on a phone."""

from typing import Any, Final

from tests.support.servers import SegueServer

MARKUP: Final = "<script>alert(1)</script>"


def _after(campaign: str, interaction: str, **options: str) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": interaction, **options}}


def _campaign(
    slug: str, name: str, trigger: dict[str, Any], message: dict[str, Any]
) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": name,
        "delivery": {"type": "action", "triggers": [trigger]},
        "re_eligibility": "always",
        "messages": [message],
    }


def campaigns() -> list[dict[str, Any]]:
    """Return a chain of push, card and text; and a mail, an in-app message and a webhook."""
    push = {
        "title": "Spring sale, {{ first_name | default: 'you' }}",
        "body": "Everything is cheaper today.",
        "deep_link": "shop://sale",
        "image_url": "https://shop.test/sale.png",
        "buttons": [{"id": "claim", "text": "Claim 10 %"}, {"id": "later", "text": "Later"}],
        "pages": [
            {"id": "shoes", "image_url": "https://shop.test/1.png", "title": "Shoes"},
            {"id": "hats", "image_url": "https://shop.test/2.png", "title": "Hats"},
        ],
    }
    card = {"title": "10 % for you", "body": "Until Sunday.", "link": "https://shop.test/card"}
    mail = {
        "from": "Shop <hi@shop.test>",
        "subject": "Welcome to the shop",
        "html": (
            '<p>Look at <a href="https://shop.test/sale" data-alias="cta">the sale</a>.</p>'
            '<p><a href="{{ unsubscribe_url }}">No more of this</a></p>'
        ),
    }
    in_app = {"title": "Hello", "body": "Nice.", "buttons": [{"id": "go", "text": "Go"}]}
    hook = {"url": "https://crm.test/hook", "headers": {"X-Key": "sesame"}, "body": {"new": True}}
    signed_up = {"event": "signed_up"}
    claimed = _after("spring-sale", "push_button_click", button="claim")
    return [
        _campaign("spring-sale", "Spring sale", {"event": "sale_started"}, {"push": push}),
        _campaign("claimed", "Your 10 %", claimed, {"content_card": card}),
        _campaign(
            "reminder",
            "Reminder",
            _after("claimed", "content_card_dismiss"),
            {"sms": {"body": "Your 10 % wait: https://shop.test/s?a=1"}},
        ),
        _campaign("welcome", "Welcome", signed_up, {"email": mail}),
        _campaign("hello", f"Hello {MARKUP}", signed_up, {"in_app_message": in_app}),
        _campaign("hook", "Tell the CRM", signed_up, {"webhook": hook}),
    ]


def open_shop(server: SegueServer) -> None:
    """Publish the campaigns."""
    for document in campaigns():
        server.create(document)
    for document in campaigns():
        server.publish(document["slug"])
