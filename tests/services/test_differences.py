"""Two versions of a document are told apart path by path."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from segue.engine.checks import decode_campaign
from segue.services.differences import differences, fingerprint_of
from tests.support.documents import REMOVED, campaign, email, spoilt
from tests.support.random_worlds import world_of_seed


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    found = differences(decode_campaign(old), decode_campaign(new))
    return [(one.path, one.old, one.new) for one in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delivery.delay.after": "3d"}, [("delivery.delay.after", "7d", "3d")]),
        ({"delivery.delay": "immediately"}, [("delivery.delay", {"after": "7d"}, UNSET)]),
        ({"tags": ["a", "b"]}, [("tags", UNSET, ["a", "b"])]),
        ({"messages[0].email.text": "Bye"}, [("messages[0].email.text", "Hello!", "Bye")]),
        (
            {"delivery.delay.after": "3d", "name": "Other"},
            [
                ("name", "Resend to non-openers", "Other"),
                ("delivery.delay.after", "7d", "3d"),
            ],
        ),
    ],
)
def test_a_change_is_told_by_its_path(changes: dict[str, Any], expected: list[Any]) -> None:
    assert told(campaign(), campaign(overrides=changes)) == expected


def test_an_entry_put_first_leaves_the_others_as_they_are() -> None:
    first, second = {"event": "first"}, {"event": "second"}
    old = campaign(overrides={"delivery.triggers": [second]})
    new = campaign(overrides={"delivery.triggers": [first, second]})
    assert told(old, new) == [("delivery.triggers[0]", UNSET, first)]
    assert told(new, old) == [("delivery.triggers[0]", first, UNSET)]


def test_a_changed_entry_is_looked_into() -> None:
    old = campaign(overrides={"messages": [email(), {"push": {"title": "Hello"}}]})
    new = spoilt(old, {"messages[1].push.title": "Bye", "messages[0].email.text": REMOVED})
    new = spoilt(new, {"messages[0].email.html": "<p>Hi</p>"})
    assert told(old, new) == [
        ("messages[0].email.text", "Hello!", UNSET),
        ("messages[0].email.html", UNSET, "<p>Hi</p>"),
        ("messages[1].push.title", "Hello", "Bye"),
    ]


def test_the_same_said_otherwise_is_no_difference() -> None:
    """A default that is written, a number with a point, an object in another order."""
    webhook = {"url": "https://a.test/", "headers": {"A": "1", "B": "2"}}
    where = [{"property": "value", "gte": 100}]
    plain = campaign(
        overrides={
            "messages": [{"webhook": webhook}],
            "delivery.triggers": [{"event": {"name": "go", "where": where}}],
        }
    )
    written = copy.deepcopy(plain)
    written["messages"][0]["webhook"] |= {"method": "POST", "headers": {"B": "2", "A": "1"}}
    written["delivery"]["triggers"][0]["event"]["where"][0]["gte"] = 100.0
    written["re_eligibility"] = "never"
    assert told(plain, written) == []
    assert fingerprint_of(decode_campaign(plain)) == fingerprint_of(decode_campaign(written))


def test_true_is_not_one() -> None:
    old = campaign(audience={"attribute": "vip", "eq": 1})
    new = campaign(audience={"attribute": "vip", "eq": True})
    [(path, before, after)] = told(old, new)
    assert (path, before, type(after)) == ("audience.eq", 1, bool)


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_documents_differ_if_and_only_if_their_fingerprints_do(one: int, other: int) -> None:
    for old in world_of_seed(one).campaigns.values():
        for new in (old, *world_of_seed(other).campaigns.values()):
            is_same = fingerprint_of(old) == fingerprint_of(new)
            assert (differences(old, new) == []) == is_same
        again = msgspec.convert(msgspec.to_builtins(old), type(old))
        assert differences(old, again) == []
