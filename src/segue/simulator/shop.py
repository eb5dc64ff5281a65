"""The demo's shop: three connected pairs of campaigns, with delays short enough to watch."""

from typing import Any, Final

RESEND_AFTER: Final = "15s"
CART_AFTER: Final = "8s"
CART_AGAIN_AFTER: Final = "15s"
_AGAIN: Final = {"after": "45s"}  # how soon the same person may get a campaign again
_FOOTER: Final = '<p><a href="{{ unsubscribe_url }}">No more of this</a></p>'


def _email(subject: str, words: str, alias: str = "cta") -> list[dict[str, Any]]:
    link = f'<a href="https://shop.test/{alias}" data-alias="{alias}">Have a look</a>'
    html = f"<p>Hello {{{{ first_name | default: 'friend' }}}}!</p><p>{words} {link}</p>{_FOOTER}"
    return [{"email": {"from": "Shop <hi@shop.test>", "subject": subject, "html": html}}]


def _interaction(campaign: str, interaction: str, **options: str) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": interaction, **options}}


def _campaign(
    slug: str,
    name: str,
    trigger: dict[str, Any],
    messages: list[dict[str, Any]],
    delay: str | None = None,
    exceptions: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    delivery: dict[str, Any] = {"type": "action", "triggers": [trigger]}
    if delay is not None:
        delivery["delay"] = {"after": delay}
        delivery["exceptions"] = exceptions or []
    return {
        "slug": slug,
        "name": name,
        "delivery": delivery,
        "re_eligibility": _AGAIN,
        "messages": messages,
        **more,
    }


def campaigns() -> list[dict[str, Any]]:
    """Return the shop's campaigns in the order to publish them: followers first."""
    bought: dict[str, Any] = {"purchase": {}}
    return [
        _campaign(
            "resend",
            "Spring sale, again, for those who did not open",
            _interaction("spring-sale", "email_receive"),
            _email("Still there?", "The sale is still on."),
            RESEND_AFTER,
            [_interaction("spring-sale", "email_other_open")],
        ),
        _campaign(
            "fifteen-off",
            "15 % off for those who clicked free shipping",
            _interaction("free-shipping", "email_alias_click", alias="ship"),
            _email("15 % off, for you", "You liked free shipping: here is more."),
        ),
        _campaign(
            "cart-again",
            "Abandoned cart, again, unless bought or opened",
            _interaction("cart", "email_receive"),
            _email("Your cart still waits", "It will not wait for ever."),
            CART_AGAIN_AFTER,
            [bought, _interaction("cart", "email_other_open")],
        ),
        _campaign(
            "spring-sale",
            "Spring sale",
            {"event": "sale_started"},
            _email("Spring sale", "Everything is cheaper today."),
            conversions=[{"purchase": {}, "within": "5m"}],
        ),
        _campaign(
            "free-shipping",
            "Free shipping",
            {"event": "visited_pricing"},
            _email("Free shipping", "We pay the way.", "ship"),
        ),
        _campaign(
            "cart",
            "Abandoned cart",
            {"event": "added_to_cart"},
            _email("Your cart waits", "You left something behind."),
            CART_AFTER,
            [bought],
        ),
    ]
