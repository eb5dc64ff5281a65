"""The fields of each channel's message, as the form of the first step asks for them.

tests/web/dashboard/test_message_fields.py sees to it that none of model/messages.py is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from segue.model.channels import Channel

Kind = Literal["line", "text", "choice", "tick", "duration", "rows", "lines", "json", "members"]


class FieldSpec(Struct, frozen=True):
    """One field: its name in the document, what it is called, and how it is asked for.

    Left out of a document, it means `default`. `members` are the fields of each of a list.
    """

    name: str
    label: str
    kind: Kind = "line"
    hint: str = ""
    is_required: bool = False
    is_folded: bool = False  # among those that few need
    rows: int = 3
    options: Sequence[tuple[str, str]] = ()
    default: Any = None
    members: Sequence["FieldSpec"] = ()
    singular: str = ""


_LIQUID: Final = "Liquid is filled in for each user."
_DEEP_LINK: Final = "Where a tap leads: a place in your app, such as shop://sale, or a web address."
_BUTTONS: Final = (
    FieldSpec("id", "Id", hint="What followers name it by.", is_required=True),
    FieldSpec("text", "Text", is_required=True),
    FieldSpec("link", "Link", hint="Empty opens the app."),
)
_EXPIRES: Final = FieldSpec(
    "expires_after", "Expires after", "duration", "Counted from when it is sent; empty for never."
)
_IMAGE: Final = FieldSpec("image_url", "Image", hint="Its https address.")

_EMAIL: Final = (
    FieldSpec(
        "subject",
        "Subject",
        hint=f"About 50 characters show on a phone. {_LIQUID}",
        is_required=True,
    ),
    FieldSpec(
        "preheader", "Preheader", hint="What inboxes show beside the subject; about 90 characters."
    ),
    FieldSpec(
        "from", "From", hint="Such as Shop <hi@shop.example>; empty for that of the settings."
    ),
    FieldSpec("reply_to", "Reply to", hint="Empty for the From address."),
    FieldSpec(
        "html",
        "HTML",
        "text",
        'Inboxes cut off what is over 102 kB. data-alias="cta" names a link for followers.',
        rows=14,
    ),
    FieldSpec(
        "text",
        "Text",
        "text",
        "For those who see no HTML; made from the HTML when it is sent, if empty.",
        rows=6,
    ),
    FieldSpec(
        "headers", "Headers", "rows", "Beyond those that Segue writes itself.", is_folded=True
    ),
    FieldSpec(
        "unsubscribe",
        "Unsubscribe link",
        "choice",
        "What {{ unsubscribe_url }} ends.",
        is_folded=True,
        options=(
            ("", "As the audience says: of the campaign’s group if it has one, else of all email"),
            ("all", "Ends all email"),
            ("group", "Ends the campaign’s subscription group"),
            ("none", "None is needed: what the user has to get, such as a receipt"),
        ),
    ),
    FieldSpec(
        "inline_css",
        "Move styles into the elements",
        "tick",
        "Some inboxes ignore <style>.",
        is_folded=True,
        default=True,
    ),
    FieldSpec(
        "track_opens", "Count opens", "tick", "By a pixel at the end.", is_folded=True, default=True
    ),
    FieldSpec(
        "track_clicks",
        "Count clicks",
        "tick",
        "By links that lead over Segue.",
        is_folded=True,
        default=True,
    ),
)
_PUSH: Final = (
    FieldSpec("title", "Title", hint=f"About 40 characters show. {_LIQUID}", is_required=True),
    FieldSpec(
        "body",
        "Body",
        "text",
        "About 120 characters show; in all a push has at most 4 kB.",
        default="",
    ),
    FieldSpec("image_url", "Image", hint="Its https address."),
    FieldSpec("deep_link", "Deep link", hint=_DEEP_LINK),
    FieldSpec(
        "buttons",
        "Buttons",
        "members",
        "Phones show two or three.",
        members=_BUTTONS,
        singular="button",
    ),
    FieldSpec(
        "pages",
        "Story pages",
        "members",
        "Images to swipe through; shown in place of the image.",
        singular="page",
        members=(
            FieldSpec("id", "Id", hint="What followers name it by.", is_required=True),
            FieldSpec("image_url", "Image", hint="Its https address.", is_required=True),
            FieldSpec("title", "Title"),
            FieldSpec("body", "Text"),
            FieldSpec("deep_link", "Deep link"),
        ),
    ),
    FieldSpec("extra", "Extra", "rows", "Names and values that your app reads.", is_folded=True),
)
_SMS: Final = (
    FieldSpec(
        "body",
        "Body",
        "text",
        f"160 plain characters fit into one message, or 70 with emoji. {_LIQUID}",
        is_required=True,
        rows=5,
    ),
    FieldSpec(
        "shorten_links",
        "Shorten links",
        "tick",
        "So that they cost less, and their clicks are counted.",
        default=True,
    ),
    FieldSpec(
        "from",
        "From",
        hint="A number or name that your provider knows; empty for that of the settings.",
        is_folded=True,
    ),
    FieldSpec(
        "media_urls",
        "Media",
        "lines",
        "Addresses of images, one on a line; they make it an MMS.",
        is_folded=True,
    ),
)
_METHODS: Final = tuple((one, one) for one in ("POST", "PUT", "PATCH", "DELETE", "GET"))
_WEBHOOK: Final = (
    FieldSpec("method", "Method", "choice", options=_METHODS, default="POST"),
    FieldSpec("url", "URL", hint=f"http or https. {_LIQUID}", is_required=True),
    FieldSpec("headers", "Headers", "rows"),
    FieldSpec(
        "body",
        "Body",
        "json",
        "As JSON, values are escaped where they are filled in; as text, it is sent as it is.",
        rows=8,
    ),
)
_IN_APP: Final = (
    FieldSpec(
        "style",
        "Style",
        "choice",
        default="modal",
        options=(
            ("modal", "In the middle (modal)"),
            ("slide_up", "From the edge (slide-up)"),
            ("full", "The whole screen (full)"),
        ),
    ),
    FieldSpec("title", "Title"),
    FieldSpec("body", "Body", "text", _LIQUID, is_required=True),
    _IMAGE,
    FieldSpec("link", "Link", hint="Where a tap on the message leads."),
    FieldSpec("buttons", "Buttons", "members", members=_BUTTONS, singular="button"),
    FieldSpec(
        "priority",
        "Priority",
        "choice",
        "Which is shown first, if several wait.",
        default="medium",
        is_folded=True,
        options=(
            ("high", "High"),
            ("medium", "Medium"),
            ("low", "Low"),
        ),
    ),
    _EXPIRES,
)
_CARD: Final = (
    FieldSpec("title", "Title", hint=_LIQUID, is_required=True),
    FieldSpec("body", "Body", "text", default=""),
    _IMAGE,
    FieldSpec("link", "Link", hint="Where a tap leads."),
    FieldSpec("pinned", "Pinned to the top", "tick", default=False),
    _EXPIRES,
)

MESSAGE_FIELDS: Final[Mapping[Channel, Sequence[FieldSpec]]] = {
    "email": _EMAIL,
    "push": _PUSH,
    "sms": _SMS,
    "webhook": _WEBHOOK,
    "in_app_message": _IN_APP,
    "content_card": _CARD,
}
CHANNEL_WORDS: Final[Mapping[Channel, str]] = {
    "email": "Email",
    "push": "Push",
    "sms": "Text message",
    "webhook": "Webhook",
    "in_app_message": "In-app message",
    "content_card": "Content card",
}


def member_fields(place: str) -> Sequence[FieldSpec]:
    """Return the fields of a member of the list at a place; none for a list of another step."""
    name = place.rpartition(".")[2]
    for specs in MESSAGE_FIELDS.values():
        for spec in specs:
            if spec.kind == "members" and spec.name == name:
                return spec.members
    return ()
