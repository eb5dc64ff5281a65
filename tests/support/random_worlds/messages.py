"""Messages of random campaigns, and what people can do with them."""

from typing import Any

from tests.support.random_worlds.stage import PARTS

_BUTTONS = [{"id": name, "text": name} for name in PARTS]
_PAGES = [{"id": name, "image_url": f"https://shop.test/{name}.png"} for name in PARTS]
MESSAGES: dict[str, dict[str, Any]] = {
    "email": {
        "from": "Shop <hi@shop.test>",
        "subject": "Hello",
        "html": '<p><a href="https://shop.test/1" data-alias="cta">A</a>'
        '<a href="https://shop.test/2" data-alias="footer">B</a></p>',
        "text": "Hello",
    },
    "push": {"title": "Hello", "buttons": _BUTTONS, "pages": _PAGES},
    "sms": {"body": "Hello, see https://shop.test/1"},
    "webhook": {"url": "https://shop.test/hook"},
    "content_card": {"title": "Hello"},
    "in_app_message": {"body": "Hello", "buttons": _BUTTONS},
}
# What may be followed, by the channel of the target
FOLLOWABLE: dict[str, tuple[str, ...]] = {
    "email": (
        "email_receive",
        "email_receive",
        "email_open",
        "email_machine_open",
        "email_other_open",
        "email_click",
        "email_alias_click",
    ),
    "push": (
        "push_receive",
        "push_receive",
        "push_direct_open",
        "push_button_click",
        "push_story_page_click",
    ),
    "sms": ("sms_receive", "sms_short_link_click"),
    "webhook": ("webhook_receive",),
    "content_card": ("content_card_view", "content_card_click", "content_card_dismiss"),
    "in_app_message": (
        "in_app_message_view",
        "in_app_message_click",
        "in_app_message_button_click",
    ),
}
DID_NOTS = {
    "email": ("email_open", "email_other_open", "email_click", "email_alias_click"),
    "push": ("push_direct_open", "push_button_click", "push_story_page_click"),
    "sms": ("sms_short_link_click",),
    "content_card": ("content_card_click", "content_card_dismiss"),
    "in_app_message": ("in_app_message_click", "in_app_message_button_click"),
}
# Acts that follow without a person; a circle of them needs a delay or a limit (semantics.md 2).
AUTOMATIC = (
    "email_receive",
    "push_receive",
    "sms_receive",
    "webhook_receive",
    "control_group_enroll",
    "conversion",
    "exception_event",
)
