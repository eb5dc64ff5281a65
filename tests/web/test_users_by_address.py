"""Users found by address, on a real server."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("users") / "data") as server:
        yield server


def found(segue: SegueServer, **asked: Any) -> list[str]:
    answer = segue.api.get("/api/v1/users", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["user_id"] for one in answer.json()["data"]]


def test_users_are_found_by_their_address_the_moment_they_have_it(segue: SegueServer) -> None:
    for name in ("ann", "bob", "cat"):
        segue.user(name, email=f"{name}@people.test", phone="+32 470 00 00 01")
    segue.user("bob", phone="+32 470 00 00 02")
    assert found(segue, email="Cat@people.TEST") == ["cat"]
    assert found(segue, phone="+32-470-00-00-01") == ["ann", "cat"]
    page = segue.api.get("/api/v1/users?phone=+32470000001&limit=1").json()
    assert [one["user_id"] for one in page["data"]] == ["ann"], "with a + that was not escaped"
    assert found(segue, phone="+32470000001", cursor=page["next_cursor"]) == ["cat"]
    assert segue.api.delete("/api/v1/users/cat").status_code == 204
    assert found(segue, email="cat@people.test") == []
    assert found(segue, email="nobody@people.test") == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"phone": "0470 00 00 01"}, "'0470 00 00 01' is no number with its country code"),
        ({"email": "ann"}, "'ann' is no email address"),
        ({"email": "a@b.test", "phone": "+32470000001"}, "one of them at a time"),
    ],
)
def test_what_is_no_address_is_refused_with_why(
    segue: SegueServer, asked: dict[str, str], said: str
) -> None:
    answer = segue.api.get("/api/v1/users", params=asked)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["errors"][0]["message"]
