"""What the buttons of the message step do to a campaign that is being written."""

from typing import Any

import pytest

from segue.services.message_edits import (
    add_message,
    add_variant,
    is_blank_message,
    remove_variant,
    share_evenly,
    text_from_html,
)

Tree = dict[str, Any]


def shares(tree: Tree) -> list[tuple[str, int]]:
    return [(one["name"], one["percent"]) for one in tree["variants"]]


def test_the_first_variant_is_what_was_there_and_the_next_begins_as_its_copy() -> None:
    tree: Tree = {"messages": [{"sms": {"body": "Hi"}}], "control_percent": 10}
    add_variant(tree)
    assert "messages" not in tree
    assert shares(tree) == [("A", 45), ("B", 45)]
    tree["variants"][1]["messages"][0]["sms"]["body"] = "Hello"
    assert tree["variants"][0]["messages"] == [{"sms": {"body": "Hi"}}]


def test_shares_that_were_even_stay_so_and_others_are_left_alone() -> None:
    tree: Tree = {"messages": []}
    add_variant(tree)
    add_variant(tree)
    assert shares(tree) == [("A", 34), ("B", 33), ("C", 33)]
    tree["variants"][0]["percent"] = 20
    add_variant(tree)
    assert shares(tree) == [("A", 20), ("B", 33), ("C", 33), ("D", 14)]
    remove_variant(tree, 1)
    assert shares(tree) == [("A", 20), ("C", 33), ("D", 14)]
    share_evenly(tree)
    assert shares(tree) == [("A", 34), ("C", 33), ("D", 33)]
    add_variant(tree)
    assert shares(tree)[-1] == ("B", 25)


def test_there_are_at_most_eight_variants() -> None:
    tree: Tree = {"messages": [{"sms": {"body": "Hi"}}]}
    for _ in range(12):
        add_variant(tree)
    assert [name for name, _ in shares(tree)] == list("ABCDEFGH")
    assert sum(percent for _, percent in shares(tree)) == 100


def test_the_last_but_one_leaves_messages_that_stand_in_no_variant() -> None:
    tree: Tree = {"messages": [{"sms": {"body": "Hi"}}]}
    add_variant(tree)
    remove_variant(tree, 7)
    assert len(tree["variants"]) == 2
    remove_variant(tree, 0)
    assert tree == {"messages": [{"sms": {"body": "Hi"}}]}


def test_a_message_takes_the_place_of_one_in_which_nothing_is_written() -> None:
    messages: list[Any] = [{"email": {"subject": "", "track_opens": False}}]
    assert is_blank_message(messages[0])
    add_message(messages, "push")
    assert messages == [{"push": {"title": ""}}]
    messages[0]["push"]["title"] = "Hi"
    add_message(messages, "webhook")
    assert messages == [{"push": {"title": "Hi"}}, {"webhook": {"url": ""}}]


@pytest.mark.parametrize("control", [None, "x", True, 250, -5])
def test_a_control_group_that_cannot_be_breaks_nothing(control: Any) -> None:
    tree: Tree = {"messages": [], "control_percent": control}
    add_variant(tree)
    assert len(tree["variants"]) == 2
    assert all(0 <= percent <= 100 for _, percent in shares(tree))


def test_the_text_is_taken_from_the_html_with_its_liquid() -> None:
    email = {
        "html": "<p>Hi {{ first_name | default: 'you' }}</p><ul><li>One</li></ul>"
        "<a href='https://shop.test'>Shop</a> <a href='{{ unsubscribe_url }}'>Stop</a>"
    }
    text_from_html(email)
    assert email["text"] == (
        "Hi {{ first_name | default: 'you' }}\n\n- One\n\n"
        "Shop (https://shop.test) Stop ({{ unsubscribe_url }})"
    )


def test_html_that_no_parser_can_take_makes_no_text() -> None:
    email = {"html": "<div>" * 20_000}
    text_from_html(email)
    assert "text" not in email
