"""Activity: the newest decisions, the live lines as a stream, and what did not go out."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from tests.support.members import Member, Team, member
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"


def document(slug: str, channel: str = "webhook", **more: Any) -> dict[str, Any]:
    messages: dict[str, Any] = {
        "webhook": {"url": "http://127.0.0.1:9/hook"},
        "email": {"from": "hi@shop.test", "subject": "Hi", "text": "{{ 1 | divided_by: 0 }}"},
        "content_card": {"title": "Look"},
    }
    return {
        "slug": slug,
        "name": f"{slug} {MARKUP}",
        "delivery": {"triggers": [{"event": f"{slug}-began"}]},
        "re_eligibility": "always",
        "messages": [{channel: messages[channel]}],
        **more,
    }


@pytest.fixture(scope="module")
def busy(server: SegueServer) -> SegueServer:
    for written in (
        document("card", "content_card"),
        document("mail", "email"),
        document("nobody", audience={"attribute": "country", "eq": "FR"}),
    ):
        server.create(written)
        server.publish(written["slug"])
    return server


class Lines:
    """What a page is told: batches as they come."""

    def __init__(self, response: Any) -> None:
        self._lines = response.iter_lines()
        self.id = ""
        self.first = self.batch()

    def batch(self) -> dict[str, Any]:
        """Return the next batch."""
        data = ""
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.id = value
            elif name == "data":
                data += value
            elif not line and data:
                return dict(json.loads(data))
        raise AssertionError("the stream has ended")

    def rest(self) -> Iterator[str]:
        """Yield what comes until the end, line by line."""
        yield from (line for line in self._lines if line.startswith("data:"))

    def until(self, text: str) -> list[dict[str, Any]]:
        """Return the lines up to one that says something."""
        found: list[dict[str, Any]] = []
        while not any(text in one["sentence"] for one in found):
            found += self.batch()["lines"]
        return found


@contextmanager
def stream(member: Member, query: str = "", last_id: str = "") -> Iterator[Lines]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    path = f"/activity/stream{query}"
    with member.client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Lines(response)


def test_the_page_shows_the_newest_decisions_without_a_script(
    busy: SegueServer, team: Team
) -> None:
    busy.event(MARKUP, "card-began")
    page = team["viewer"].page("/activity")
    text = unescape(page)
    assert f"{MARKUP} enters “card {MARKUP}”." in text
    assert f"“card {MARKUP}” is handed over for {MARKUP}." in text
    assert MARKUP not in page
    assert "with javascript they come by themselves" in text.lower()


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("campaign=card", True),
        ("campaign=mail", False),
        ("kind=send", True),
        ("kind=receipt", False),
        ("channel=content_card", True),
        ("channel=email", False),
        ("user=filtered", True),
        ("user=somebody", False),
        ("problems=1", False),
    ],
)
def test_decisions_are_filtered(busy: SegueServer, team: Team, query: str, is_there: bool) -> None:
    busy.event("filtered", "card-began")
    page = team["viewer"].page(f"/activity?{query}")
    assert ("handed over for filtered." in page) == is_there


def test_an_event_comes_with_what_follows_from_it(busy: SegueServer, team: Team) -> None:
    with stream(team["viewer"], "?user=liv") as lines:
        busy.event("someone-else", "card-began")
        busy.event("liv", "card-began")
        told = lines.until("is there for the device")
    assert [one["kind"] for one in told] == ["event", "decision", "send", "receipt"]
    assert [one["label"] for one in told] == ["event", "enter", "send", "accepted"]
    assert told[0]["sentence"] == 'liv did "card-began".'
    assert {one["user_id"] for one in told} == {"liv"}
    assert lines.id


def test_who_lost_the_stream_gets_what_came_meanwhile(busy: SegueServer, team: Team) -> None:
    with stream(team["viewer"], "?kind=event&user=max") as lines:
        busy.event("max", "one")
        lines.until("one")
        last_id = lines.id
    busy.event("max", "two")
    with stream(team["viewer"], "?kind=event&user=max", last_id) as lines:
        busy.event("max", "three")
        told = lines.until("three")
        assert not lines.first["hasGap"]
    assert [one["sentence"] for one in told] == ['max did "two".', 'max did "three".']
    with stream(team["viewer"], last_id="of-another-server") as lines:
        assert lines.first["hasGap"]


def test_nothing_falls_between_the_page_and_its_stream(busy: SegueServer, team: Team) -> None:
    page = team["viewer"].page("/activity?user=eve")
    [after] = re.findall(r'data-after="([^"]+)"', page)
    busy.event("eve", "between")
    with stream(team["viewer"], f"?user=eve&after={after}") as lines:
        assert lines.until("between")[0]["sentence"] == 'eve did "between".'


def test_only_problems_come_where_only_they_are_wanted(busy: SegueServer, team: Team) -> None:
    with stream(team["viewer"], "?problems=1&user=ina") as lines:
        busy.user("ina", email="ina@people.test")
        busy.event("ina", "card-began")
        busy.event("ina", "mail-began")
        told = lines.until("is not sent to ina")
    assert {one["campaign"] for one in told} == {"mail"}
    assert {one["tone"] for one in told} <= {"bad", "warning"}


def test_the_stream_is_for_those_who_are_signed_in(busy: SegueServer) -> None:
    answer = Member(busy, "nobody@shop.test").get("/activity/stream")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_the_stream_ends_with_the_session(busy: SegueServer) -> None:
    someone = member(busy, "viewer", "leaves")
    with stream(someone) as lines:
        beside = Member(busy, someone.email)
        beside.client.cookies.update(someone.client.cookies)
        assert beside.post("/sign-out").status_code == 303
        assert sum(1 for _ in lines.rest()) < 5  # signs of life, and then the end


def test_the_message_log_groups_by_cause(busy: SegueServer, team: Team) -> None:
    for user_id in ("f1", "f2"):
        busy.user(user_id, email=f"{user_id}@people.test")
        busy.event(user_id, "mail-began")
    busy.event("f3", "mail-began")

    def groups() -> list[str] | None:
        text = team["viewer"].page("/activity/failures")
        cards = re.findall(r'(?s)<li class="card">(.*?)</li>', text)
        found = [unescape(" ".join(re.sub(r"<[^>]+>", " ", one).split())) for one in cards]
        mine = [one for one in found if f"mail {MARKUP}" in one]
        return mine if len(mine) == 2 else None

    template, address = sorted(eventually(groups, "two causes"), key=lambda one: "no_addr" in one)
    assert re.match(r"\d+ The message's template failed for this user\.", template)
    assert f"mail {MARKUP} , email · template_error" in template
    assert "What to do: Mend the template" in template
    assert "divide" in template
    assert "For example" in template
    assert re.match(r"1 The user has no address for this channel\.", address)
    assert "For example f3" in address
    assert "last just now" in template
    assert MARKUP not in team["viewer"].page("/activity/failures")


def test_what_failed_is_tried_again_by_whoever_may_send(busy: SegueServer, team: Team) -> None:
    mended = document("mended", "email")
    busy.create(mended)
    busy.publish("mended")
    busy.user("mia", email="mia@people.test")
    busy.event("mia", "mended-began")
    path, form = "/activity/failures", {"campaign": "mended", "channel": "email"}
    form["reason"] = "template_error"
    shown = '<input type="hidden" name="campaign" value="mended">'
    eventually(lambda: shown in team["publisher"].page(path), "the failure")
    assert shown not in team["author"].page(path)
    assert team["author"].post(f"{path}/retry", form).status_code == 403
    answer = team["publisher"].post(f"{path}/retry", form)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "1 message is in the outbox again." in team["publisher"].page(path)
    told = lambda: [one.get("control") for one in busy.timeline("mia")]  # noqa: E731
    eventually(lambda: "retry" in told(), "the retry")
    text = unescape(team["viewer"].page("/users/mia/timeline"))
    assert f"Somebody had the email of “mended {MARKUP}” tried again." in text
    assert team["publisher"].post(f"{path}/retry", {"reason": "none"}).status_code == 422
