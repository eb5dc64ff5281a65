"""From what an author wrote to what a sender sends: every template filled in for one user."""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any, Final, Literal, assert_never, get_args

from msgspec import to_builtins
from msgspec.json import encode as encode_json
from selectolax.lexbor import LexborHTMLParser

from segue.clock import Clock
from segue.content.headers import (
    RESERVED_HEADERS,
    SenderInvalidError,
    domain_of,
    feedback_id,
    is_header_name,
    list_unsubscribe,
    one_line,
    read_address,
    read_mailbox,
)
from segue.content.html import add_preheader, inline_css, to_text
from segue.content.links import LinkMaker, LinkRewriter, Origin, add_pixel
from segue.content.liquid import Liquid, LiquidError
from segue.content.markup import MarkupError, bound_markup
from segue.content.phones import read_phone
from segue.content.short_links import Shortener
from segue.content.short_messages import render_push, render_sms
from segue.content.tokens import CountedByReport, TokenSigner
from segue.errors import SegueError
from segue.model.channels import Channel
from segue.model.devices import RegisteredDevice
from segue.model.messages import (
    ContentCard,
    Email,
    InAppMessage,
    MessageBody,
    Push,
    Sms,
    Webhook,
)
from segue.model.rendered import Rendered, RenderedEmail, RenderedNote, RenderedWebhook

_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f]")


class AddressMissing(SegueError):  # noqa: N818 - a fact about the user, no fault
    """The user has no address that a message of this channel could be sent to."""


class Renderer:
    """Fills in messages; one for the whole program, since it keeps parsed templates."""

    def __init__(
        self,
        public_url: str,
        signer: TokenSigner,
        clock: Clock,
        default_from: str | None = None,
        shortener: Shortener | None = None,
        *,
        unsubscribe_address: str | None = None,
        is_counted_by_provider: bool = False,
    ) -> None:
        """Keep what messages are made with; without a shortener, links of texts stay long.

        Where the email provider counts opens and clicks, no email of ours tells us of them.
        """
        self._is_counted_by_provider = is_counted_by_provider
        self._public_url = public_url
        self._signer = signer
        self._liquid = Liquid(clock)
        self._default_from = default_from
        self._unsubscribe_address = unsubscribe_address
        self._shortener = shortener

    def for_previews(self) -> "Renderer":
        """Return one whose short links are as long as real ones, and lead nowhere."""
        twin = copy(self)
        if self._shortener is not None:
            twin._shortener = self._shortener.for_previews()
        return twin

    def for_phones(self) -> "Renderer":
        """Return one for virtual phones, whose emails no provider counts and no mailbox answers."""
        twin = copy(self)
        twin._is_counted_by_provider = False
        twin._unsubscribe_address = None
        return twin

    def render(
        self,
        channel: Channel,
        body: MessageBody,
        attributes: Mapping[str, Any],
        context: Mapping[str, Any],
        origin: Origin,
        devices: Sequence[RegisteredDevice] = (),
    ) -> Rendered:
        """Return `body` filled in with `context`, ready for a sender; a push goes to `devices`.

        Raises:
            LiquidError: a template goes wrong.
            LiquidAborted: a template decided that this message is not to be sent.
            AddressMissing: the user has no usable address for it.
            SenderInvalidError: an email has no usable From address.
        """
        links = LinkMaker(self._public_url, self._signer, origin, channel)
        context = {**context, "preferences_url": links.preferences_url()}
        match body:
            case Email():
                address = read_address(attributes.get("email"))
                if address is None:
                    raise AddressMissing("the profile has no email attribute with an address")
                rendering = _EmailRendering(
                    self._liquid, body, context, origin, links, self._is_counted_by_provider
                )
                return rendering.render(address, self._default_from, self._unsubscribe_address)
            case Webhook():
                return self._webhook(body, context, origin)
            case Push():
                if not devices:
                    raise AddressMissing("the user has no device that takes push")
                fill = partial(self._fill, context)
                return render_push(fill, body, devices, origin, links.report_token())
            case Sms():
                fill, number = partial(self._fill, context), _phone(attributes)
                token = links.report_token()
                return render_sms(fill, body, number, origin, token, self._shortener)
            case InAppMessage():
                return self._note(body, "in_app_message", context, origin)
            case ContentCard():
                return self._note(body, "content_card", context, origin)
            case _:
                assert_never(body)

    def _webhook(
        self, body: Webhook, context: Mapping[str, Any], origin: Origin
    ) -> RenderedWebhook:
        url = self._liquid.render(body.url, context, "webhook.url").strip()
        if not url.lower().startswith(("http://", "https://")) or _CONTROLS.search(url):
            raise LiquidError("webhook.url", f"{url[:100]!r} is no http or https URL")
        headers: dict[str, str] = {}
        for name, template in body.headers.items():
            if is_header_name(name):
                where = f"webhook.headers.{name}"
                headers[name] = one_line(self._liquid.render(template, context, where))
        payload: bytes | None = None
        if isinstance(body.body, str):
            text = self._liquid.render(body.body, context, "webhook.body")
            is_json = text.lstrip().startswith(("{", "["))
            payload, kind = text.encode(), "application/json" if is_json else "text/plain"
        elif body.body is not None:
            payload = encode_json(self._fill(context, body.body, "webhook.body"))
            kind = "application/json"
        if payload is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = (
                kind if kind == "application/json" else f"{kind}; charset=utf-8"
            )
        return RenderedWebhook(
            send_id=origin.send_id,
            user_id=origin.user_id,
            campaign=origin.campaign,
            url=url,
            method=body.method,
            headers=headers,
            body=payload,
            variant=origin.variant,
        )

    def _note(
        self,
        body: InAppMessage | ContentCard,
        channel: Literal["in_app_message", "content_card"],
        context: Mapping[str, Any],
        origin: Origin,
    ) -> RenderedNote:
        return RenderedNote(
            send_id=origin.send_id,
            user_id=origin.user_id,
            campaign=origin.campaign,
            channel=channel,
            content=self._fill(context, to_builtins(body), channel),
            variant=origin.variant,
        )

    def _fill(self, context: Mapping[str, Any], value: Any, where: str) -> Any:
        if isinstance(value, str):
            return self._liquid.render(value, context, where)
        if isinstance(value, dict):
            return {k: self._fill(context, v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, list):
            return [self._fill(context, v, f"{where}[{i}]") for i, v in enumerate(value)]
        return value


def _phone(attributes: Mapping[str, Any]) -> str:
    given = attributes.get("phone")
    number = read_phone(given)
    if number is None:
        raise AddressMissing(
            "the profile has no phone attribute with a number"
            if given is None
            else f"{given!r:.40} is no number with a country code, such as +32470123456"
        )
    return number


class _EmailRendering:
    """One email for one user, on its way from templates to parts and headers."""

    def __init__(
        self,
        liquid: Liquid,
        body: Email,
        context: Mapping[str, Any],
        origin: Origin,
        links: LinkMaker,
        is_counted_by_provider: bool,
    ) -> None:
        self._is_counted_by_provider = is_counted_by_provider
        self._liquid = liquid
        self._body = body
        self._origin = origin
        self._links = links
        self._unsubscribe_mode = body.unsubscribe or origin.unsubscribe
        group = origin.group if self._unsubscribe_mode == "group" else None
        self._unsubscribe_url = links.unsubscribe_url(group)
        self._context = {
            **context,
            "unsubscribe_url": self._unsubscribe_url,
            # The commercial original's name for the one that ends all email.
            "set_user_to_unsubscribed_url": links.unsubscribe_url(),
        }

    def render(
        self, to: str, default_from: str | None, unsubscribe_address: str | None
    ) -> RenderedEmail:
        body, origin = self._body, self._origin
        sender = read_mailbox(self._line(body.from_ or default_from or "", "from"))
        if sender is None:
            raise SenderInvalidError(body.from_)
        reply_to = None
        if body.reply_to is not None:
            # An optional reply address that came out empty or broken is left out.
            reply_to = read_mailbox(self._line(body.reply_to, "reply_to"))
        text = None if body.text is None else self._text(body.text, "text")
        html = None
        if body.html is not None:
            html, derived = self._html(body.html, has_text=text is not None)
            text = derived if text is None else text
        return RenderedEmail(
            send_id=origin.send_id,
            user_id=origin.user_id,
            campaign=origin.campaign,
            to=to,
            from_=sender,
            subject=self._line(body.subject, "subject"),
            html=html,
            text=text,
            reply_to=reply_to,
            headers=self._headers(sender, to, unsubscribe_address),
            variant=origin.variant,
        )

    def _html(self, template: str, *, has_text: bool) -> tuple[str, str | None]:
        body = self._body
        html = self._liquid.render(template, self._context, "email.html", is_html=True)
        preheader = self._line(body.preheader, "preheader") if body.preheader else ""
        try:
            depth = bound_markup(html)
        except MarkupError as error:
            raise LiquidError("email.html", str(error)) from error
        if body.inline_css:
            html = inline_css(html, depth)
        tree = LexborHTMLParser(html)
        # Before the links are rewritten, so that the text shows where they really lead.
        text = None if has_text else to_text(tree)
        is_ours = not self._is_counted_by_provider
        rewriter = LinkRewriter(self._links, is_tracked=body.track_clicks and is_ours)
        rewriter.rewrite(tree)
        add_preheader(tree, preheader)
        if body.track_opens and is_ours:
            add_pixel(tree, self._links)
        return rewriter.rewrite_outlook(tree.html or ""), text

    def _headers(self, sender: str, to: str, unsubscribe_address: str | None) -> dict[str, str]:
        origin = self._origin
        headers: dict[str, str] = {}
        for name, template in self._body.headers.items():
            if is_header_name(name) and name.lower() not in RESERVED_HEADERS:
                headers[name] = self._line(template, f"headers.{name}")
        # Bounces, complaints and providers' reports quote it, and a token cannot be forged.
        token = self._links.report_token(to, self._counted_by_report())
        headers["Message-ID"] = f"<{token}@{domain_of(sender)}>"
        if self._unsubscribe_mode != "none":
            headers["List-Unsubscribe"] = list_unsubscribe(
                self._unsubscribe_url, unsubscribe_address, token
            )
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        headers["Feedback-ID"] = feedback_id(origin)
        headers["X-Segue-Send-Id"] = origin.send_id
        return headers

    def _counted_by_report(self) -> tuple[CountedByReport, ...]:
        if not self._is_counted_by_provider:
            return ()
        is_counted = {"open": self._body.track_opens, "click": self._body.track_clicks}
        return tuple(what for what in get_args(CountedByReport) if is_counted[what])

    def _line(self, template: str, part: str) -> str:
        return one_line(self._text(template, part))

    def _text(self, template: str, part: str) -> str:
        return self._liquid.render(template, self._context, f"email.{part}")
