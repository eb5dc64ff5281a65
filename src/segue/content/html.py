"""The HTML of an email: styles moved into elements, a preheader, and its text-only twin."""

import re
from typing import Final

from css_inline import CSSInliner, InlineError
from selectolax.lexbor import LexborHTMLParser, LexborNode

from segue.content.markup import DEPTH_MAX

# Rules are matched with elements and copied into them, so an inliner's time and output grow as
# the product of both. A long newsletter has 30 kB of styles and 1,000 elements.
INLINE_PRODUCT_MAX: Final = 40_000_000

_STYLE: Final = re.compile(r"<style\b", re.IGNORECASE)
_PREHEADER_STYLE: Final = (
    "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all"
)
_SKIPPED: Final = frozenset(("head", "script", "style", "template", "title"))
_BLOCKS: Final = frozenset(
    (
        *("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt"),
        *("footer", "form", "header", "li", "main", "nav", "ol", "section", "table", "tr", "ul"),
    )
)
_PARAGRAPHS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"))
_LINKS: Final = ("http://", "https://", "mailto:", "tel:", "{{")  # the last in templates
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")
_SPACES_AT_BREAK: Final = re.compile(r" *\n *")
_MANY_BREAKS: Final = re.compile(r"\n{3,}")

# Offline: what a style sheet elsewhere says must not depend on the hour of sending.
_INLINER: Final = CSSInliner(
    keep_style_tags=True,
    keep_at_rules=True,
    remove_inlined_selectors=True,  # what cannot be inlined, such as :hover, stays
    load_remote_stylesheets=False,
)


def inline_css(html: str, depth: int) -> str:
    """Move the rules of `<style>` into the elements; media queries stay where they are."""
    if _STYLE.search(html) is None or not can_inline(html, depth):
        return html
    try:
        return _INLINER.inline(html)
    except InlineError:  # a style sheet that cannot be read still works as it is
        return html


def can_inline(html: str, depth: int) -> bool:
    """Return whether inlining is sure to stay within time, memory and stack."""
    if depth > DEPTH_MAX:
        return False
    lowered = html.lower()
    style_length = 0
    position = 0
    while (start := lowered.find("<style", position)) >= 0:
        end = lowered.find("</style", start)
        position = end if end >= 0 else len(html)
        style_length += position - start
    return style_length * html.count("<") <= INLINE_PRODUCT_MAX


def add_preheader(tree: LexborHTMLParser, preheader: str) -> None:
    """Put the text that an inbox shows beside the subject first into the body, unseen."""
    body = tree.body
    if body is None or not preheader:
        return
    hidden = tree.create_node("div")
    hidden.attrs["style"] = _PREHEADER_STYLE
    hidden.insert_child(preheader)
    first = body.first_child
    if first is None:
        body.insert_child(hidden)
    else:
        first.insert_before(hidden)


def to_text(tree: LexborHTMLParser) -> str:
    """Return the text of `tree`, with each link's URL after its words."""
    parts: list[str] = []
    node = tree.body
    # Counted by hand: a hundred thousand nested elements must not be a recursion.
    depth = 0
    while node is not None:
        child = node.first_child if _enter(node, parts) else None
        if child is not None:
            node, depth = child, depth + 1
            continue
        _leave(node, parts)
        while depth and node.next is None and node.parent is not None:
            node, depth = node.parent, depth - 1
            _leave(node, parts)
        node = node.next if depth else None
    text = _SPACES_AT_BREAK.sub("\n", "".join(parts))
    return _MANY_BREAKS.sub("\n\n", text).strip()


def _enter(node: LexborNode, parts: list[str]) -> bool:
    """Write what comes before a node's children; return whether they are to be read."""
    match node.tag:
        case "-text":
            parts.append(_SPACES.sub(" ", node.text_content or ""))
        case "br":
            parts.append("\n")
        case "hr":
            parts.append("\n\n---\n\n")
        case "img":
            parts.append(node.attributes.get("alt") or "")
        case "li":
            parts.append("\n- ")
        case tag if tag in _PARAGRAPHS:
            parts.append("\n\n")
        case tag if tag in _BLOCKS:
            parts.append("\n")
        case tag if tag in _SKIPPED:
            return False
    return True


def _leave(node: LexborNode, parts: list[str]) -> None:
    """Write what comes after a node's children."""
    tag = node.tag
    if tag == "a":
        link = node.attributes.get("href") or ""
        if link.startswith(_LINKS) and (not parts or parts[-1].strip() != link):
            parts.append(f" ({link})")
    elif tag in _PARAGRAPHS:
        parts.append("\n\n")
    elif tag in _BLOCKS:
        parts.append("\n")
    elif tag in ("td", "th"):
        parts.append(" ")
