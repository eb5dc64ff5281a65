"""What can be done with a message on a virtual phone, as calls of the public endpoints."""

import re
from html import unescape
from typing import Any, Final

from msgspec import Struct

from segue.clock import Clock
from segue.content.tokens import TokenSigner
from segue.model.ids import random_id
from segue.services.device_messages import is_safe_link
from segue.services.device_reports import DeviceAct
from segue.storage.phones import PhoneMessage
from segue.storage.ports import InboxItem

_TRACKED_URL: Final = re.compile(
    r"""["'](?P<url>https?://[^"'\s<>]*/t/(?P<kind>[oc])/(?P<token>[A-Za-z0-9_-]+)(?:\.gif)?)["']"""
)


class Action(Struct, omit_defaults=True):
    """One call: what interaction follows from it, with which part, and where a person gets to.

    One that `needs_token` is made with a token of the phone as its key.
    """

    act: str
    method: str
    url: str
    body: dict[str, Any] | None = None
    needs_token: bool = False
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    leads_to: str | None = None


class PhoneActions:
    """Knows where the public endpoints are."""

    def __init__(self, base_url: str, signer: TokenSigner, clock: Clock) -> None:
        self._reports_url = f"{base_url}/sdk/v1/interactions"
        self._texts_url = f"{base_url}/hooks/sms/phone"
        self._signer = signer
        self._clock = clock

    def of(self, message: PhoneMessage, item: InboxItem | None, *, is_due: bool) -> list[Action]:
        """Return what can be done; `item` is the message in the inbox of devices, if it is there.

        A device may have on its screen what was shown once, and is due no more.
        """
        match message.channel:
            case "email":
                return self._of_mail(message.content)
            case "push":
                return self._of_push(message)
            case "sms":
                return self._of_text(message)
            case "in_app_message" if item is not None:
                view = [self._report(message, "in_app_message_view", "view")] if is_due else []
                is_on_screen = is_due or item.ended_at is not None
                return view + (self._of_in_app(message) if is_on_screen else [])
            case "content_card" if is_due:
                return self._of_card(message)
            case _:  # nothing is done with a webhook, nor with what is no longer shown
                return []

    def _of_mail(self, mail: dict[str, Any]) -> list[Action]:
        actions: dict[str, Action] = {}
        for found in _TRACKED_URL.finditer(unescape(mail["html"] or "")):
            url = found["url"]
            if found["kind"] == "o":
                if self._signer.read(found["token"], "open") is not None:
                    actions.setdefault(url, Action("email_open", "GET", url))
            elif (link := self._signer.read(found["token"], "click")) is not None:
                click = Action("email_click", "GET", url, alias=link.alias, leads_to=link.link)
                actions.setdefault(url, click)
        if mail["unsubscribe_url"] is not None:
            url = mail["unsubscribe_url"]
            actions[url] = Action("email_unsubscribe", "POST", url)
        return sorted(actions.values(), key=lambda one: one.act != "email_open")

    def _of_text(self, message: PhoneMessage) -> list[Action]:
        clicks = [
            Action("sms_short_link_click", "GET", **one) for one in message.content["short_links"]
        ]
        # What is texted back is for the person to write.
        body = {"user_id": message.user_id, "id": self._new_id(), "text": ""}
        return [*clicks, Action("sms_reply", "POST", self._texts_url, body, needs_token=True)]

    def _of_push(self, message: PhoneMessage) -> list[Action]:
        content = message.content
        opened = self._report(message, "push_direct_open", "open")
        opened.leads_to = _safe(content["deep_link"])
        buttons = [
            self._report(message, "push_button_click", "click", button)
            for button in content["buttons"]
        ]
        pages = [
            self._report(message, "push_story_page_click", "click", page=page)
            for page in content["pages"]
        ]
        return [opened, *buttons, *pages]

    def _of_in_app(self, message: PhoneMessage) -> list[Action]:
        act = "in_app_message_click"
        buttons = message.content.get("buttons", [])
        clicked = self._report(message, act, "click")
        clicked.leads_to = message.content.get("link")
        return [clicked, *(self._report(message, act, "click", button) for button in buttons)]

    def _of_card(self, message: PhoneMessage) -> list[Action]:
        clicked = self._report(message, "content_card_click", "click")
        clicked.leads_to = message.content.get("link")
        actions = [self._report(message, "content_card_view", "view"), clicked]
        if not message.content.get("pinned", False):
            actions.append(self._report(message, "content_card_dismiss", "dismiss"))
        return actions

    def _report(
        self,
        message: PhoneMessage,
        act: str,
        type_: DeviceAct,
        button: dict[str, Any] | None = None,
        page: dict[str, Any] | None = None,
    ) -> Action:
        report = {
            # New in each answer: a call that is repeated counts once, one that is made anew again.
            "id": self._new_id(),
            "type": type_,
            "channel": message.channel,
            "send_id": message.send_id,
        }
        if message.channel == "push":
            report["token"] = message.content["token"]
        action = Action(act, "POST", self._reports_url, needs_token=True)
        if button is not None:
            report["button"] = action.button = button["id"]
            action.leads_to = _safe(button.get("link"))
        if page is not None:
            report["page"] = action.page = page["id"]
            action.leads_to = _safe(page.get("deep_link"))
        action.body = {"user_id": message.user_id, "interactions": [report]}
        return action

    def _new_id(self) -> str:
        return random_id(self._clock.now(), self._clock.token(10))


def _safe(link: str | None) -> str | None:
    return link if link and is_safe_link(link) else None
