"""The composer's form has every field of every message, and reads each as it was shown."""

from typing import Any, get_args, get_origin

import msgspec
import pytest
from msgspec import Struct

from segue.model.channels import CHANNELS
from segue.model.messages import Button, Message, MessageBody, StoryPage
from segue.web.dashboard.composer.message_fields import MESSAGE_FIELDS, FieldSpec, member_fields
from segue.web.dashboard.composer.message_reading import body_text, new_member, read_messages
from segue.web.dashboard.form_fields import Fields
from segue.web.dashboard.forms import Form

BODIES: dict[str, type[Struct]] = {
    one.encode_name: next(kind for kind in get_args(one.type) if kind in get_args(MessageBody))
    for one in msgspec.structs.fields(Message)
}


def differences(kind: type[Struct], specs: Any) -> list[str]:
    """Return where a form asks otherwise than a struct says."""
    asked: dict[str, FieldSpec] = {one.name: one for one in specs}
    found = []
    for one in msgspec.structs.fields(kind):
        spec = asked.pop(one.encode_name, None)
        if spec is None:
            found.append(f"{one.encode_name} is missing")
            continue
        if spec.is_required != one.required:
            found.append(f"{one.encode_name} is required or not")
        if one.default is not msgspec.NODEFAULT and spec.default != one.default:
            found.append(f"{one.encode_name} means {spec.default!r}")
        members = [kind for kind in get_args(one.type) if kind in (Button, StoryPage)]
        if get_origin(one.type) is list and members:
            found += differences(members[0], spec.members)
    return found + [f"there is no {name}" for name in asked]


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_form_asks_for_every_field_of_a_message(channel: Any) -> None:
    assert differences(BODIES[channel], MESSAGE_FIELDS[channel]) == []


def test_new_members_have_what_they_cannot_do_without() -> None:
    assert new_member("messages[0].push.buttons") == {"id": "", "text": ""}
    assert new_member("variants[1].messages[0].push.pages") == {"id": "", "image_url": ""}
    assert member_fields("delivery.triggers") == ()


def read(tree: dict[str, Any], **fields: str) -> dict[str, Any]:
    """Return a tree after a form of one message, at messages[0], was read into it."""
    channel = next(iter(tree["messages"][0]))
    place = f"messages[0].{channel}"
    pairs = [(f"{place}.{name.replace('__', '.')}", value) for name, value in fields.items()]
    read_messages(Fields(Form([(place, "shown"), *pairs])), tree)
    body: dict[str, Any] = tree["messages"][0][channel]
    return body


@pytest.mark.parametrize(
    ("body", "kind", "text", "kept"),
    [
        (None, "json", '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        (None, "json", "[1]", [1]),
        (None, "json", '{"a": ', '{"a": '),
        (None, "json", "5", "5"),
        (None, "text", '{"a": 1}', '{"a": 1}'),
        ({"a": 1}, "text", '{"a": 1}', '{"a": 1}'),
        ('{"a": 1}', "json", '{"a": 1}', {"a": 1}),
        ({"a": 1}, "json", "  ", None),
    ],
)
def test_a_webhooks_body_is_json_where_it_is_meant_to_be_and_can_be(
    body: Any, kind: str, text: str, kept: Any
) -> None:
    webhook = {"url": "x", **({} if body is None else {"body": body})}
    found = read({"messages": [{"webhook": webhook}]}, url="x", body=text, body__kind=kind)
    assert found.get("body") == kept


def test_a_body_that_comes_back_as_it_was_shown_is_the_same() -> None:
    body = {"z": [1, "é", {"a": True}], "a": 10**17}
    shown = body_text(body)
    assert shown.startswith('{\n  "z"')
    webhook = {"url": "x", "body": body}
    assert read({"messages": [{"webhook": webhook}]}, body=shown, body__kind="json") == webhook


def test_what_the_form_did_not_show_stays() -> None:
    tree: dict[str, Any] = {"messages": [{"sms": {"body": "a"}}, {"push": {"title": "b"}}]}
    read_messages(Fields(Form([("messages[1].push", "shown")])), tree)
    assert tree["messages"] == [{"sms": {"body": "a"}}, {"push": {"title": "b"}}]


def test_boxes_are_written_only_where_they_say_something_new() -> None:
    assert "track_opens" not in read({"messages": [{"email": {}}]}, track_opens="yes")
    assert read({"messages": [{"email": {}}]})["track_opens"] is False
    written = {"email": {"track_opens": True}}
    assert read({"messages": [written]}, track_opens="yes")["track_opens"] is True


def test_rows_without_a_name_and_a_value_are_none() -> None:
    rows = {
        "headers[0].name": "X-A",
        "headers[0].value": "1",
        "headers[1].name": "",
        "headers[1].value": "",
        "headers[2].name": "X-C",
    }
    assert read({"messages": [{"email": {}}]}, **rows)["headers"] == {"X-A": "1", "X-C": ""}
