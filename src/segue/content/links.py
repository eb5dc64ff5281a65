"""Make the links of an email tell us of their clicks, and its pixel of its opening.

Works on the HTML as it will be sent, after Liquid: only then is each URL known. Alias, target
and recipient travel in the token, so nothing is stored for a link.
"""

import re
from html import escape, unescape
from typing import Final

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser

from segue.content.tokens import CountedByReport, TokenKind, TokenSigner, Tracked, address_mark
from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.messages import UnsubscribeMode

# With its base64 form it stays within what proxies take; longer ones are left alone.
LINK_LENGTH_MAX: Final = 4_000

_WEB: Final = ("http://", "https://")
_LINE_ENDS: Final = re.compile(r"[\t\r\n]+")  # browsers drop these from a URL, and so do we
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f]")
# Our own attribute, and those of three providers that say the same (channel-facts.md 1.1).
_OPT_OUTS: Final = {
    "data-no-track": None,
    "clicktracking": "off",
    "data-msys-clicktrack": "0",
    "ses:no-track": None,
}
_OUTLOOK_TAG: Final = re.compile(r"<(?:a|area|v:\w+)\s[^<>]*>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""\s([\w:-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")


class Origin(Struct, frozen=True):
    """The send that a message belongs to, and what its campaign says of unsubscribing."""

    send_id: str
    user_id: str
    campaign: str  # the slug
    variant: str
    group: str | None = None
    unsubscribe: UnsubscribeMode = "all"  # of emails that do not say it themselves


def origin_of(send_id: str, user_id: str, document: Campaign, variant: str) -> Origin:
    """Return the origin of a send of a campaign."""
    group = document.subscription_group
    unsubscribe = document.default_unsubscribe()
    return Origin(send_id, user_id, document.slug, variant, group, unsubscribe)


def preferences_root(public_url: str) -> str:
    """Return what every link to a preference page begins with."""
    return public_url.rstrip("/") + "/t/p/"


class LinkMaker:
    """Makes the public URLs of one message."""

    def __init__(
        self, public_url: str, signer: TokenSigner, origin: Origin, channel: Channel
    ) -> None:
        self.root = public_url.rstrip("/") + "/t/"
        self._signer = signer
        self._origin = origin
        self._channel = channel

    def open_url(self) -> str:
        """Return the URL of the pixel."""
        return f"{self.root}o/{self._token('open')}.gif"

    def click_url(self, alias: str, link: str) -> str:
        """Return the URL that records a click and leads on to `link`."""
        return f"{self.root}c/{self._token('click', alias, link)}"

    def unsubscribe_url(self, group: str | None = None) -> str:
        """Return the URL that unsubscribes the user from a group; without one, from all email."""
        return f"{self.root}u/{self._token('unsubscribe', group=group)}"

    def report_token(
        self, address: str | None = None, reported: tuple[CountedByReport, ...] = ()
    ) -> str:
        """Return what names the message wherever something is reported of it.

        It says to which address the message goes, if to one, and what reports are to count
        because the message itself does not tell us.
        """
        mark = "" if address is None else address_mark(address)
        return self._token("report", reported=reported, address=mark)

    def preferences_url(self) -> str:
        """Return the URL of the page where the user says what they want to get."""
        return f"{self.root}p/{self._token('preferences')}"

    def _token(
        self,
        kind: TokenKind,
        alias: str | None = None,
        link: str | None = None,
        reported: tuple[CountedByReport, ...] = (),
        address: str = "",
        group: str | None = None,
    ) -> str:
        origin = self._origin
        return self._signer.sign(
            Tracked(
                kind=kind,
                user_id=origin.user_id,
                campaign=origin.campaign,
                variant=origin.variant,
                send_id=origin.send_id,
                channel=self._channel,
                alias=alias,
                link=link,
                reported=reported,
                address=address,
                group=group,
            )
        )


class LinkRewriter:
    """Rewrites the links of one message, numbering them as it goes.

    Where clicks `is_tracked` not, it only takes our own attributes away.
    """

    def __init__(self, maker: LinkMaker, *, is_tracked: bool = True) -> None:
        self._maker = maker
        self._is_tracked = is_tracked
        self._count = 0
        self._aliases: dict[str, str] = {}

    def rewrite(self, tree: LexborHTMLParser) -> None:
        """Point every tracked link of `tree` at us."""
        for node in tree.css("a[href], area[href]"):
            attributes = node.attributes
            tracked = self._tracked_url(attributes, _link(attributes))
            if tracked is not None:
                node.attrs["href"] = tracked
            for name in ("data-alias", "data-no-track"):
                if name in attributes:
                    del node.attrs[name]

    def rewrite_outlook(self, html: str) -> str:
        """Do the same inside conditional comments, which only Outlook reads as HTML.

        A link there that repeats one of the other clients' bears the same alias.
        """
        parts: list[str] = []
        position = 0
        while (start := html.find("<!--[if", position)) >= 0:
            end = html.find("-->", start)
            if end < 0:
                break
            parts.append(html[position:start])
            parts.append(_OUTLOOK_TAG.sub(self._rewrite_tag, html[start:end]))
            position = end
        return "".join((*parts, html[position:])) if parts else html

    def _rewrite_tag(self, found: re.Match[str]) -> str:
        tag: str = found.group()
        attributes: dict[str, str | None] = {}
        for name, value in _ATTRIBUTE.findall(tag):
            attributes.setdefault(name.lower(), unescape(value.strip("\"'")))
        link = _link(attributes)
        tracked = self._tracked_url(attributes, link, self._aliases.get(link))

        def replace(attribute: re.Match[str]) -> str:
            name = attribute.group(1).lower()
            if name in ("data-alias", "data-no-track"):
                return ""
            if name == "href" and tracked is not None:
                return f' href="{escape(tracked)}"'
            return str(attribute.group())

        return _ATTRIBUTE.sub(replace, tag)

    def _tracked_url(
        self, attributes: dict[str, str | None], link: str, known_alias: str | None = None
    ) -> str | None:
        if not self._is_trackable(link) or _opts_out(attributes):
            return None
        alias = attributes.get("data-alias") or known_alias
        self._count += 1
        if not alias:
            alias = f"link-{self._count}"
        self._aliases.setdefault(link, alias)
        return self._maker.click_url(alias, link)

    def _is_trackable(self, link: str) -> bool:
        return (
            self._is_tracked
            and link[:8].lower().startswith(_WEB)
            and len(link) <= LINK_LENGTH_MAX
            and not link.startswith(self._maker.root)
            and _CONTROLS.search(link) is None
        )


def add_pixel(tree: LexborHTMLParser, maker: LinkMaker) -> None:
    """Put the open pixel last into the body."""
    if tree.body is None:
        return
    pixel = tree.create_node("img")
    for name, value in (
        ("src", maker.open_url()),
        ("width", "1"),
        ("height", "1"),
        ("alt", ""),
        ("style", "border:0;width:1px;height:1px"),
    ):
        pixel.attrs[name] = value
    tree.body.insert_child(pixel)


def _link(attributes: dict[str, str | None]) -> str:
    return _LINE_ENDS.sub("", attributes.get("href") or "").strip()


def _opts_out(attributes: dict[str, str | None]) -> bool:
    if _OPT_OUTS.keys().isdisjoint(attributes):
        return False
    return any(
        name in attributes and value in (None, (attributes[name] or "").lower())
        for name, value in _OPT_OUTS.items()
    )
