"""What is wrong or doubtful about a campaign's messages, said while they are written."""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import to_builtins
from selectolax.lexbor import LexborHTMLParser

from segue.content.context import CAMPAIGN_MEMBERS, TRIGGER_MEMBERS
from segue.content.headers import RESERVED_HEADERS, is_header_name, read_mailbox
from segue.content.html import can_inline
from segue.content.liquid import find_faults, find_paths
from segue.content.markup import MarkupError, bound_markup
from segue.model.campaigns import Campaign
from segue.model.limits import MESSAGE_BYTES_MAX
from segue.model.messages import Email, MessageBody, Push, Sms, Webhook
from segue.model.problems import Problem

EMAIL_BYTES_ADVISED: Final = 102 * 1024  # Gmail cuts off what is longer

_UNSUBSCRIBE_NAMES: Final = frozenset(
    ("unsubscribe_url", "preferences_url", "set_user_to_unsubscribed_url", "email_footer")
)
_MEMBERS: Final = {"campaign": CAMPAIGN_MEMBERS, "trigger": TRIGGER_MEMBERS}
# channel-facts.md 1.2 and 6.7; the rest is what a push says of itself.
_RESERVED_EXTRA: Final = re.compile(
    r"aps|segue|from|message_type|collapse_key|title|body|gcm.*|google.*", re.IGNORECASE
)
_BARE_LINK: Final = re.compile(r"(?<![\w./:@=-])www\.[\w-]+\.[\w./-]*\w", re.IGNORECASE)
_SCHEMES: Final = ("http:", "https:", "mailto:", "tel:", "sms:", "#", "{{", "{%")


def errors_in(campaign: Campaign) -> list[Problem]:
    """Return what makes the campaign's messages impossible to send."""
    return [
        problem
        for path, body in _bodies(campaign)
        for problem in (*_template_faults(path, body), *_shape_faults(path, body))
    ]


def shape_errors_in(campaign: Campaign) -> list[Problem]:
    """Return those of the errors that are not about Liquid."""
    return [problem for path, body in _bodies(campaign) for problem in _shape_faults(path, body)]


def templates_in(campaign: Campaign) -> list[tuple[str, str]]:
    """Return every text of the messages that may hold Liquid, with its place."""
    return [
        pair for path, body in _bodies(campaign) for pair in _templates(to_builtins(body), path)
    ]


def warnings_in(campaign: Campaign) -> list[Problem]:
    """Return what is allowed and is probably not meant."""
    found: list[Problem] = []
    for path, body in _bodies(campaign):
        found += _unknown_members(path, body)
        if isinstance(body, Email):
            mode = body.unsubscribe or campaign.default_unsubscribe()
            found += _email_warnings(path, body, needs_unsubscribing=mode != "none")
        elif isinstance(body, Sms) and body.shorten_links:
            found += _sms_warnings(path, body)
    return found


def _bodies(campaign: Campaign) -> Iterator[tuple[str, MessageBody]]:
    for number, variant in enumerate(campaign.all_variants()):
        root = f"variants[{number}]." if campaign.variants else ""
        for index, message in enumerate(variant.messages):
            for channel, body in message.written():
                yield f"{root}messages[{index}].{channel}", body


def _template_faults(path: str, body: MessageBody) -> Iterator[Problem]:
    for where, template in _templates(to_builtins(body), path):
        if len(template.encode()) > MESSAGE_BYTES_MAX:
            message = f"has {len(template.encode())} bytes; at most {MESSAGE_BYTES_MAX}"
            yield Problem(where, message)
        else:
            yield from find_faults(template, where)


def _shape_faults(path: str, body: MessageBody) -> Iterator[Problem]:
    if isinstance(body, Email):
        if body.html is None and body.text is None:
            yield Problem(path, "has neither html nor text")
        for part, template in (("from", body.from_), ("reply_to", body.reply_to)):
            if template and not _has_liquid(template) and read_mailbox(template) is None:
                yield Problem(f"{path}.{part}", f"{template!r} is no email address")
        yield from _header_faults(path, body.headers, RESERVED_HEADERS)
    elif isinstance(body, Webhook):
        if not body.url.startswith(("http://", "https://", "{{", "{%")):
            yield Problem(f"{path}.url", f"{body.url!r} is no http or https URL")
        yield from _header_faults(path, body.headers, frozenset())
    elif isinstance(body, Push):
        for name in body.extra:
            if _RESERVED_EXTRA.fullmatch(name):
                message = "is a name that Apple, Google or Segue itself uses; take another one"
                yield Problem(f"{path}.extra.{name}", message)


def _header_faults(
    path: str, headers: dict[str, str], reserved: frozenset[str]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in headers:
        where = f"{path}.headers.{name}"
        if not is_header_name(name):
            yield Problem(where, f"{name!r} cannot name a header")
        elif name.lower() in reserved:
            yield Problem(where, f"{name} is written by Segue or by the provider")
        elif name.lower() in seen:
            yield Problem(where, f"{name} is there twice")
        seen.add(name.lower())


def _email_warnings(path: str, body: Email, *, needs_unsubscribing: bool) -> Iterator[Problem]:
    if not body.subject.strip():
        yield Problem(f"{path}.subject", "is blank; inboxes show it as “(no subject)”")
    templates = [template for template in (body.html, body.text) if template]
    names = {segment for template in templates for p in find_paths(template) for segment in p}
    if needs_unsubscribing and templates and not names & _UNSUBSCRIBE_NAMES:
        yield Problem(path, "has no unsubscribe link; put {{ unsubscribe_url }} into one")
    if body.html is None:
        return
    where = f"{path}.html"
    size = len(body.html.encode())
    if size > EMAIL_BYTES_ADVISED:
        kilobytes = f"{size // 1024} kB; some inboxes cut off what is over "
        yield Problem(where, f"has {kilobytes}{EMAIL_BYTES_ADVISED // 1024} kB")
    try:
        depth = bound_markup(body.html)
    except MarkupError as error:
        yield Problem(where, str(error))
        return
    if body.inline_css and not can_inline(body.html, depth):
        yield Problem(where, "has too many styles for its length; they are not moved into elements")
    for node in LexborHTMLParser(body.html).css("a[href]"):
        link = (node.attributes.get("href") or "").strip()
        if link and not link.lower().startswith(_SCHEMES):
            yield Problem(where, f"the link {link[:100]!r} leads nowhere; does it lack https:// ?")


def _sms_warnings(path: str, body: Sms) -> Iterator[Problem]:
    for link in dict.fromkeys(_BARE_LINK.findall(body.body)):
        message = f"the link {link[:100]!r} is not shortened or counted; does it lack https:// ?"
        yield Problem(f"{path}.body", message)


def _unknown_members(path: str, body: MessageBody) -> Iterator[Problem]:
    for where, template in _templates(to_builtins(body), path):
        for segments in dict.fromkeys(find_paths(template)):
            known = _MEMBERS.get(segments[0])
            if known is None or len(segments) == 1 or segments[1] in known | {""}:
                continue
            choices = ", ".join(sorted(known))
            message = f"{segments[0]}.{segments[1]} is always empty; there are {choices}"
            yield Problem(where, message)


def _templates(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _templates(member, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, f"{where}[{index}]")


def _has_liquid(template: str) -> bool:
    return "{{" in template or "{%" in template
