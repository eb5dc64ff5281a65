"""Reads the form of the first step into the document: variants, messages and all their fields.

A field that comes back as it was shown leaves the document as it was.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec
from msgspec import UNSET

from segue.services.message_places import channel_of
from segue.web.dashboard.composer.message_buttons import press
from segue.web.dashboard.composer.message_fields import MESSAGE_FIELDS, FieldSpec, member_fields
from segue.web.dashboard.document_values import read_duration
from segue.web.dashboard.form_fields import Fields, Tree


def read_messages(fields: Fields, tree: Tree) -> None:
    """Put what the form says into the tree, and carry out the buttons that only this step has."""
    if fields.has("control_percent"):
        _set(tree, "control_percent", _number(fields, "control_percent", tree), 0)
    variants = tree.get("variants")
    if isinstance(variants, list) and variants:
        for index, variant in enumerate(variants):
            one = fields.at(f"variants[{index}]")
            if isinstance(variant, dict) and one.has("name"):
                variant["name"] = _line(one.raw("name"), variant.get("name", ""))
                variant["percent"] = _number(one, "percent", variant)
                variant["messages"] = _messages(one, variant.get("messages"))
    elif "messages" in tree:
        tree["messages"] = _messages(fields, tree["messages"])
    press(fields.text("edit"), tree)


def new_member(place: str) -> Any:
    """Return what a button adds to a list: a button or a page of which nothing is said yet."""
    return {spec.name: "" for spec in member_fields(place) if spec.is_required}


def body_text(body: Any) -> str:
    """Return a webhook's body as its field shows it."""
    if body is None or isinstance(body, str):
        return body or ""
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


def _messages(fields: Fields, old: Any) -> list[Any]:
    read = []
    for index, message in enumerate(old if isinstance(old, list) else ()):
        channel = channel_of(message)
        one = fields.at(f"messages[{index}]")
        if channel is None or not one.has(channel):
            read.append(message)  # the form did not show it
            continue
        body = message[channel] if isinstance(message[channel], dict) else {}
        read.append({**message, channel: _struct(one.at(channel), body, MESSAGE_FIELDS[channel])})
    return read


def _struct(fields: Fields, old: Tree, specs: Sequence[FieldSpec]) -> Tree:
    read = dict(old)
    for spec in specs:
        earlier = old.get(spec.name, UNSET)
        value = _value(fields, spec, earlier)
        if value is UNSET:
            read.pop(spec.name, None)
        else:
            read[spec.name] = value
    return read


def _value(fields: Fields, spec: FieldSpec, old: Any) -> Any:
    """Return what a field says; UNSET to leave it out."""
    match spec.kind:
        case "line":
            value = _text(fields, spec, old, _line(fields.raw(spec.name), old))
        case "text":
            value = _text(fields, spec, old, _lines(fields.raw(spec.name), old))
        case "choice":
            value = _choice(fields, spec, old)
        case "tick":
            is_set = fields.has(spec.name)
            value = UNSET if _is_unsaid(is_set, spec, old) else is_set
        case "duration":
            value = read_duration(fields, spec.name) or UNSET
        case "rows":
            value = _rows(fields, spec.name, old) or UNSET
        case "lines":
            value = _list(fields, spec.name, old) or UNSET
        case "json":
            value = _json(fields, spec.name, old)
        case "members":
            value = _members(fields, spec, old) or UNSET
        case _:
            assert_never(spec.kind)
    return value


def _choice(fields: Fields, spec: FieldSpec, old: Any) -> Any:
    chosen = fields.text(spec.name) if fields.has(spec.name) else old
    return UNSET if chosen == "" or _is_unsaid(chosen, spec, old) else chosen


def _text(fields: Fields, spec: FieldSpec, old: Any, new: Any) -> Any:
    if not fields.has(spec.name):
        return old
    return "" if spec.is_required and not new else new if new or new == old else UNSET


def _is_unsaid(value: Any, spec: FieldSpec, old: Any) -> bool:
    """Return whether a document means a value without saying it, and did not say it before."""
    return value == spec.default and old is UNSET


def _line(new: str, old: Any) -> Any:
    """Return a line; the old one where it differs only in what an input cannot hold."""
    new = new.replace("\n", "").strip()
    same = isinstance(old, str) and old.replace("\r", "").replace("\n", "").strip() == new
    return old if same else new


def _lines(new: str, old: Any) -> Any:
    """Return a text; the old one where only line ends and what is around it differ."""
    if isinstance(old, str) and old.replace("\r\n", "\n").strip() == new.strip():
        return old
    return new if new.strip() else ""


def _list(fields: Fields, name: str, old: Any) -> list[Any]:
    """Return texts, of which each stands on a line."""
    lines = [one.strip() for one in fields.raw(name).split("\n") if one.strip()]
    return old if isinstance(old, list) and [str(one).strip() for one in old] == lines else lines


def _rows(fields: Fields, name: str, old: Any) -> Tree:
    """Return names and values; a row without a name and a value is none."""
    earlier = old if isinstance(old, dict) else {}
    return {
        row.text("name"): _line(row.raw("value"), earlier.get(row.text("name")))
        for row in fields.each(name)
        if row.text("name") or row.text("value")
    }


def _json(fields: Fields, name: str, old: Any) -> Any:
    """Return a webhook's body: text, or what the JSON says where it is JSON and is to be it."""
    if not fields.has(name):
        return old
    text = fields.raw(name)
    if not text.strip():
        return UNSET
    if fields.text(f"{name}.kind") != "json":
        return _lines(text, old)
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return _lines(text, old)  # kept as text; the form says why it is none
    return value if isinstance(value, dict | list) else _lines(text, old)


def _members(fields: Fields, spec: FieldSpec, old: Any) -> list[Any]:
    earlier = old if isinstance(old, list) else []
    read = []
    for index, one in enumerate(fields.each(spec.name)):
        before = earlier[index] if index < len(earlier) and isinstance(earlier[index], dict) else {}
        read.append(_struct(one, before, spec.members))
    return read


def _number(fields: Fields, name: str, old: Tree) -> Any:
    value = fields.number(name)
    return old.get(name, 0) if value == old.get(name) else "" if value is None else value


def _set(tree: Tree, name: str, value: Any, default: Any) -> None:
    if value in ("", default) and tree.get(name, UNSET) in (UNSET, "", default):
        tree.pop(name, None)
    else:
        tree[name] = value if value != "" else default
