"""The buttons that only the first step has: what each does to the document.

Beside those that change lists ("add PLACE" and the like, see form_fields) there are
"vary", which adds a variant, "drop VARIANT", "share", "write CHANNEL LIST", which adds a message,
"text EMAIL", which writes its text from its HTML, and "leave ROWS NUMBER", which removes a row.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from segue.model.channels import CHANNELS
from segue.services.message_edits import (
    add_message,
    add_variant,
    remove_variant,
    share_evenly,
    text_from_html,
)
from segue.web.dashboard.form_fields import Tree, lookup

_VARIANT: Final = re.compile(r"variants\[([0-9]{1,2})\]")


def press(button: str, tree: Tree) -> None:
    """Do what a button says; what is not there stays away."""
    verb, _, rest = button.partition(" ")
    action = _ACTIONS.get(verb)
    if action is not None:
        action(rest, tree)


def _vary(_rest: str, tree: Tree) -> None:
    add_variant(tree)


def _drop(rest: str, tree: Tree) -> None:
    found = _VARIANT.fullmatch(rest)
    if found is not None:
        remove_variant(tree, int(found[1]))


def _share(_rest: str, tree: Tree) -> None:
    share_evenly(tree)


def _write(rest: str, tree: Tree) -> None:
    name, _, place = rest.partition(" ")
    channel = next((one for one in CHANNELS if one == name), None)
    if place == "messages" and not tree.get("variants"):
        tree.setdefault("messages", [])
    messages = lookup(tree, place)
    if channel is not None and place.endswith("messages") and isinstance(messages, list):
        add_message(messages, channel)


def _text(rest: str, tree: Tree) -> None:
    email = lookup(tree, rest)
    if isinstance(email, dict):
        text_from_html(email)


def _leave(rest: str, tree: Tree) -> None:
    place, _, number = rest.rpartition(" ")
    rows = lookup(tree, place)
    if isinstance(rows, dict) and number.isdecimal() and int(number) < len(rows):
        del rows[list(rows)[int(number)]]


_ACTIONS: Final[Mapping[str, Callable[[str, Tree], None]]] = {
    "vary": _vary,
    "drop": _drop,
    "share": _share,
    "write": _write,
    "text": _text,
    "leave": _leave,
}
