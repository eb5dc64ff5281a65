"""Fields of a form by their place in a document, and edits of its lists."""

from typing import Any

import pytest

from segue.web.dashboard.form_fields import (
    Fields,
    edited,
    list_edit,
    lookup,
    number_of,
    put,
    without_blanks,
)
from segue.web.dashboard.forms import Form


def fields(*pairs: tuple[str, str]) -> Fields:
    return Fields(Form(pairs))


def test_members_of_a_list_come_in_their_order_with_their_own_fields() -> None:
    sent = fields(
        ("delivery.triggers[10].event", "third"),
        ("delivery.triggers[2].event", " second "),
        ("delivery.triggers[0].where[0].property", "first"),
        ("delivery.triggers_max", "none of them"),
    )
    triggers = list(sent.at("delivery").each("triggers"))
    assert [one.text("event") for one in triggers] == ["", "second", "third"]
    assert [one.text("property") for one in triggers[0].each("where")] == ["first"]
    assert triggers[1].name("event") == "delivery.triggers[2].event"


def test_what_was_typed_keeps_its_lines_and_what_was_ticked_is_told() -> None:
    sent = fields(("a.html", " <p>\r\n"), ("a.days", "mon"), ("a.days", ""), ("a.days", "tue"))
    assert sent.at("a").raw("html") == " <p>\n"
    assert sent.at("a").all("days") == ["mon", "tue"]
    assert sent.at("a").has("days")
    assert not sent.at("a").has("nights")


@pytest.mark.parametrize(
    ("text", "number"),
    [("", None), ("7", 7), ("-3", -3), ("2.50", 2.5), ("7d", "7d"), ("1e9", "1e9"), ("٣", "٣")],
)
def test_a_number_is_one_and_anything_else_stays_as_it_is(text: str, number: object) -> None:
    assert number_of(text) == number


def test_buttons_add_remove_and_move_members() -> None:
    tree: dict[str, Any] = {}
    for button, new in (
        ("add delivery.triggers", {"event": "a"}),
        ("add delivery.triggers", {"event": "b"}),
        ("add delivery.triggers", {"event": "c"}),
        ("up delivery.triggers[2]", None),
        ("down delivery.triggers[0]", None),
        ("remove delivery.triggers[2]", None),
        ("remove delivery.triggers[7]", None),
        ("up delivery.triggers[0]", None),
    ):
        edit = list_edit(button)
        assert edit is not None
        edited(tree, edit, new)
    assert tree == {"delivery": {"triggers": [{"event": "c"}, {"event": "a"}]}}


@pytest.mark.parametrize("text", ["", "save", "add", "add ", "drop a", "add a..b", "add [x]", "up"])
def test_other_buttons_are_no_edits(text: str) -> None:
    assert list_edit(text) is None


def test_a_place_is_looked_up_and_set() -> None:
    tree: dict[str, Any] = {"a": [{"b": 1}]}
    assert lookup(tree, "a[0].b") == 1
    assert lookup(tree, "a[1].b") is None
    assert lookup(tree, "a.b") is None
    put(tree, "delivery.delay", {"after": "1d"})
    put(tree, "name", "")
    put(tree, "delivery.window", None)
    assert tree == {"a": [{"b": 1}], "delivery": {"delay": {"after": "1d"}}}
    put(tree, "a[0].c.d", 2)
    put(tree, "a[0].b", None)
    put(tree, "a[7].b", 3)
    put(tree, "b[0].c", 3)
    assert tree["a"] == [{"c": {"d": 2}}]
    assert "b" not in tree
    assert without_blanks({"a": "", "b": None, "c": 0, "d": False}) == {"c": 0, "d": False}
