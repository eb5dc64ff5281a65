"""What messages on a phone, what can be done with them, and what was done are called."""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

from msgspec import Struct

from segue.model.channels import Channel
from segue.model.instants import parse_instant
from segue.services.phone_actions import Action
from segue.services.phone_screens import PhoneScreen, TextBack
from segue.services.phones import MessageShown

View = Literal["lock", "texts", "mail", "app", "hooks"]
VIEWS: Final[tuple[View, ...]] = get_args(View)
VIEW_WORDS: Final[dict[View, tuple[str, str]]] = {
    "lock": ("Lock screen", "smartphone"),
    "texts": ("Texts", "message-square"),
    "mail": ("Mail", "mail"),
    "app": ("App", "monitor"),
    "hooks": ("Webhooks", "webhook"),
}
_VIEW_OF: Final[dict[Channel, View]] = {
    "push": "lock",
    "sms": "texts",
    "email": "mail",
    "in_app_message": "app",
    "content_card": "app",
    "webhook": "hooks",
}
_NOUNS: Final[dict[Channel, str]] = {
    "push": "Push",
    "sms": "Text",
    "email": "Mail",
    "in_app_message": "In-app message",
    "content_card": "Card",
    "webhook": "Webhook",
}
_HEADLINES: Final = ("title", "subject", "body", "url")
_HEADLINE_LENGTH_MAX: Final = 60
_DONE: Final[dict[str, str]] = {
    "push_direct_open": "opened",
    "push_button_click": "button pressed",
    "push_story_page_click": "page pressed",
    "email_open": "opened",
    "email_click": "link followed",
    "email_unsubscribe": "unsubscribed",
    "sms_short_link_click": "link followed",
    "sms_unsubscribe": "unsubscribed",
    "in_app_message_view": "seen",
    "in_app_message_click": "clicked",
    "content_card_view": "seen",
    "content_card_click": "clicked",
    "content_card_dismiss": "dismissed",
}
_LABELS: Final[dict[str, str]] = {
    "push_direct_open": "Open",
    "email_open": "Load the pixel",
    "email_unsubscribe": "Unsubscribe",
    "in_app_message_view": "Look at it",
    "in_app_message_click": "Click it",
    "content_card_view": "Look at it",
    "content_card_click": "Click it",
    "content_card_dismiss": "Dismiss",
}


class Message(Struct):
    """A message as a phone shows it: `name` is what a screen reader calls it."""

    shown: MessageShown
    name: str
    campaign: str
    done: list[str]

    @property
    def content(self) -> dict[str, object]:
        """What is in it."""
        return self.shown.content

    def actions(self, *acts: str) -> list[Action]:
        """Return what can be done with it, of some kinds."""
        return [one for one in self.shown.actions if one.act in acts]


def view_of(channels: Sequence[Channel]) -> View:
    """Return where what comes first by some channels is shown."""
    return next((_VIEW_OF[one] for one in channels), VIEWS[0])


def messages_of(screen: PhoneScreen) -> dict[View, list[Message]]:
    """Return the messages of a phone by where they are shown, the newest first."""
    found: dict[View, list[Message]] = {view: [] for view in VIEWS}
    for one in screen.messages:
        campaign = screen.names.get(one.campaign, one.campaign)
        done = screen.done.get((one.send_id, one.channel), [])
        said = list(dict.fromkeys(_DONE.get(act, act.replace("_", " ")) for act in done))
        name = f"{_NOUNS[one.channel]} from {campaign}: {headline_of(one)}"
        found[_VIEW_OF[one.channel]].append(Message(one, name, campaign, said))
    return found


def headline_of(message: MessageShown) -> str:
    """Return by what a message is known: its title, subject, or first words."""
    text = next(
        (str(found) for name in _HEADLINES if (found := message.content.get(name))), "no text"
    )
    text = " ".join(text.split())
    is_long = len(text) > _HEADLINE_LENGTH_MAX
    return f"{text[: _HEADLINE_LENGTH_MAX - 1]}…" if is_long else text


def label_of(message: MessageShown, action: Action) -> str:
    """Return what is written on the button that does it."""
    if action.button is not None:
        buttons = message.content.get("buttons", [])
        return next((str(one["text"]) for one in buttons if one["id"] == action.button), "Button")
    if action.page is not None:
        pages = message.content.get("pages", [])
        ids = [one["id"] for one in pages]
        place = ids.index(action.page) if action.page in ids else 0
        title = str(pages[place].get("title") or "") if pages else ""
        return f"Page {place + 1}: {title}" if title else f"Page {place + 1}"
    if action.alias is not None:
        return f"Follow “{action.alias}”"
    return _LABELS.get(action.act, "Follow the link")


def thread_of(
    screen: PhoneScreen, texts: list[Message]
) -> list[tuple[Literal["in", "out"], Message | TextBack]]:
    """Return the texts that came and those that went, the oldest first, as phones show them."""
    came = [(parse_instant(one.shown.at), "in", one) for one in texts]
    went = [(one.at, "out", one) for one in screen.texts_back]
    both: list[tuple[int, Any, Any]] = sorted([*came, *went], key=lambda one: one[0])
    return [(kind, one) for _, kind, one in both]
