"""`/api/v1/dead-letters` on a real server, with a mail server that refuses for a while."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

LETTERS = "/api/v1/dead-letters"
REFUSAL = "550 5.7.1 we do not know you"


@pytest.fixture(scope="module")
def mailbox_and_segue(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Mailbox, SegueServer]]:
    with mail_server() as (mailbox, url):
        settings = {
            "SEGUE_CHANNELS__EMAIL__SMTP_URL": url,
            "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
        }
        with SegueServer(tmp_path_factory.mktemp("letters") / "data", **settings) as segue:
            yield mailbox, segue


@pytest.fixture
def mailbox(mailbox_and_segue: tuple[Mailbox, SegueServer]) -> Iterator[Mailbox]:
    mailbox = mailbox_and_segue[0]
    mailbox.refusal = REFUSAL
    yield mailbox
    mailbox.refusal = None


@pytest.fixture
def segue(mailbox_and_segue: tuple[Mailbox, SegueServer]) -> SegueServer:
    return mailbox_and_segue[1]


def failed(segue: SegueServer, slug: str, *users: str) -> list[dict[str, Any]]:
    """Let a campaign be refused to users; return the letters, the newest first."""
    text = "Bye: {{ unsubscribe_url }}"
    segue.create(
        {
            "slug": slug,
            "name": slug,
            "delivery": {"triggers": [{"event": f"{slug}-go"}]},
            "messages": [{"email": {"subject": slug, "text": text}}],
        }
    )
    segue.publish(slug)
    for user in users:
        segue.user(user, email=f"{user}@people.test")
        segue.event(user, f"{slug}-go")

    def all_of_them() -> list[dict[str, Any]] | None:
        found = listed(segue, campaign=slug)
        return found if len(found) == len(users) else None

    return list(eventually(all_of_them, "the dead letters"))


def listed(segue: SegueServer, **query: Any) -> list[dict[str, Any]]:
    answer = segue.api.get(LETTERS, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def retry(segue: SegueServer, **body: Any) -> dict[str, Any]:
    answer = segue.api.post(f"{LETTERS}/retry", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_letter_tells_everything_that_is_known_of_it(
    mailbox: Mailbox, segue: SegueServer
) -> None:
    [letter] = failed(segue, "told", "ann")
    assert {*letter} == {
        *("id", "user_id", "campaign", "variant", "channel", "send_id", "reason", "why"),
        *("detail", "attempts", "decided_at", "failed_at", "first_attempt_at", "last_attempt_at"),
    }
    assert (letter["reason"], letter["detail"]) == ("refused", REFUSAL)
    assert letter["why"] == "The provider refused the message."
    assert letter["attempts"] == 1


def test_a_retry_sends_the_mail_once_it_is_taken(mailbox: Mailbox, segue: SegueServer) -> None:
    [letter] = failed(segue, "again", "bob")
    mailbox.refusal = None
    told = retry(segue, ids=[letter["id"], "0190:email"])
    assert told == {"put_back": 1, "not_put_back": [], "gone": ["0190:email"]}
    eventually(lambda: mailbox.to("bob@people.test", "again"), "the mail")
    assert listed(segue, campaign="again") == []
    assert retry(segue, ids=[letter["id"]])["gone"] == [letter["id"]]
    assert segue.decisions("bob", "again") == [
        ("enter", None),
        ("send", None),
        ("skip", "refused"),
        ("send", None),
    ]
    assert "retry" in [line.get("control") for line in segue.timeline("bob")]
    path = "/api/v1/campaigns/again/explain"
    explained = segue.api.get(path, params={"user_id": "bob"})
    assert "retried" in [step["kind"] for step in explained.json()["steps"]]


def test_what_may_not_go_stays_and_says_why(mailbox: Mailbox, segue: SegueServer) -> None:
    failed(segue, "held", "cat", "dan")
    segue.user("cat", email_subscribe="unsubscribed")
    mailbox.refusal = None
    told = retry(segue, campaign="held")
    assert told["put_back"] == 1
    [stays] = told["not_put_back"]
    assert (stays["reason"], stays["count"]) == ("unsubscribed", 1)
    assert [one["user_id"] for one in listed(segue, campaign="held")] == ["cat"]


def test_letters_come_in_pages_and_in_groups(mailbox: Mailbox, segue: SegueServer) -> None:
    failed(segue, "paged", "u1", "u2", "u3")
    seen: list[str] = []
    query = {"campaign": "paged", "limit": 2}
    while True:
        page = segue.api.get(LETTERS, params=query).json()
        seen += [one["user_id"] for one in page["data"]]
        if "next_cursor" not in page:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["u3", "u2", "u1"]
    summary = segue.api.get(f"{LETTERS}/summary", params={"campaign": "paged"}).json()
    assert summary["count"] == 3
    [group] = summary["groups"]
    assert (group["campaign"], group["channel"], group["reason"]) == ("paged", "email", "refused")
    assert group["count"] == 3
    assert group["example"]["user_id"] == "u3"
    assert group["first_failed_at"] < group["last_failed_at"]


def test_letters_are_dismissed_one_by_one_or_by_a_filter(
    mailbox: Mailbox, segue: SegueServer
) -> None:
    letters = failed(segue, "old", "u1", "u2", "u3")
    one = f"{LETTERS}/{letters[0]['id']}"
    assert segue.api.delete(one).status_code == 204
    assert segue.api.delete(one).status_code == 404
    answer = segue.api.delete(LETTERS, params={"campaign": "old"})
    assert (answer.status_code, answer.json()) == (200, {"dismissed": 2})
    assert listed(segue, campaign="old") == []


def test_faults_are_told(segue: SegueServer) -> None:
    for query in ({"channel": "pager"}, {"reason": "no_address"}, {"cursor": "x"}):
        answer = segue.api.get(LETTERS, params=query)
        assert answer.status_code == 422, answer.text
    for body in ({"ids": ["a"], "campaign": "c"}, {"idz": []}, {"may_double": "yes"}, []):
        answer = segue.api.post(f"{LETTERS}/retry", json=body)
        assert answer.status_code == 422, answer.text


def test_reading_needs_read_and_the_others_send(segue: SegueServer) -> None:
    for scope, may_read in (("read", True), ("send", False)):
        headers = {"Authorization": f"Bearer {segue.key_for(scope)}"}
        with httpx2.Client(base_url=segue.url, headers=headers) as client:
            reads = {client.get(LETTERS).status_code, client.get(f"{LETTERS}/summary").status_code}
            writes = {
                client.post(f"{LETTERS}/retry", json={"ids": []}).status_code,
                client.delete(LETTERS, params={"campaign": "nobody"}).status_code,
            }
        assert (reads, writes) == (({200}, {403}) if may_read else ({403}, {200}))


def test_the_metrics_count_the_letters(segue: SegueServer) -> None:
    assert "segue_dead_letters" in segue.api.get("/metrics").text
