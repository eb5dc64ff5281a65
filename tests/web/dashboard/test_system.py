"""Settings, System and Jobs: how the installation is, what runs, and the emergency brake."""

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.support.members import SAME_ORIGIN, Member, Team, member
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

PATH = "/settings/system"
STOP = {"words": "Stop everything"}
BANNER = "All sending is held since"
MAIL = {
    "slug": "hello",
    "name": "hello",
    "delivery": {"type": "action", "triggers": [{"event": "began"}]},
    "messages": [{"email": {"from": "hi@shop.test", "subject": "Hello", "text": "Hi"}}],
}


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


@pytest.fixture
def sending(tmp_path: Path, mailbox: tuple[Mailbox, str]) -> Iterator[SegueServer]:
    """A server that sends a mail to whoever begins."""
    with SegueServer(tmp_path / "data", SEGUE_CHANNELS__EMAIL__SMTP_URL=mailbox[1]) as server:
        server.create(MAIL)
        server.publish("hello")
        for user in ("ann", "bob"):
            server.user(user, email=f"{user}@people.test")
        yield server


def test_the_page_tells_sizes_loops_and_what_waits(sending: SegueServer) -> None:
    text = text_of(member(sending, "viewer").page(PATH))
    assert "ready Events are taken, decided about and sent." in text
    assert text.count("runs ") == 6
    assert "has ended" not in text
    assert re.search(r"Journal \( segue\.db \) [\d.]+ [kM]B", text)
    assert re.search(r"Log [\d,.]+ \w+ in \d+ blocks?, all of it kept", text)
    assert "1 active" in text
    assert f"{sending.url}/metrics" in text
    assert re.search(r"Time zone data 20\d\d", text)
    assert "No message waits for a sender." in text


def test_stopping_everything_holds_messages_over_a_restart_until_somebody_resumes(
    sending: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    admin, viewer = member(sending, "admin"), member(sending, "viewer")
    sending.event("ann", "began")
    eventually(lambda: mailbox[0].to("ann@people.test"), "the first mail")
    answer = admin.post(f"{PATH}/hold", STOP)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    sending.event("bob", "began")
    eventually(lambda: "1 message waits" in viewer.page("/"), "the banner")
    for one in (admin, viewer):
        for path in ("/", "/account", "/settings/channels", PATH):
            assert f"{BANNER} " in one.page(path), path
    assert "by admin@shop.test" in text_of(viewer.page("/"))
    assert "An admin can resume it." in viewer.page("/")
    assert "Resume…" in admin.page("/")
    assert sending.api.get("/readyz").status_code == 200

    sending.stop()
    sending.start()
    again = Member(sending, "admin@shop.test")
    again.sign_in()
    time.sleep(0.5)  # long enough for a mail that should not go
    assert mailbox[0].to("bob@people.test") == []
    assert "1 message waits" in text_of(again.page(PATH))
    assert "decided" in text_of(again.page(PATH))

    assert again.post(f"{PATH}/resume").status_code == 303
    eventually(lambda: mailbox[0].to("bob@people.test"), "the mail that was held")
    assert len(mailbox[0].mails) == 2
    assert BANNER not in again.page("/")
    changes = text_of(again.page("/settings/changes"))
    assert "stopped all sending all channels" in changes
    assert "resumed sending all channels" in changes


def test_what_is_held_of_a_campaign_that_is_stopped_meanwhile_does_not_go(
    sending: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    admin = member(sending, "admin")
    admin.post(f"{PATH}/hold", STOP)
    sending.event("ann", "began")
    eventually(lambda: "1 message waits" in admin.page("/"), "the banner")
    assert sending.api.post("/api/v1/campaigns/hello/stop").status_code == 200
    admin.post(f"{PATH}/resume")
    eventually(
        lambda: ("skip", "campaign_stopped") in sending.decisions("ann", "hello"), "the end of it"
    )
    assert mailbox[0].mails == []


def test_the_words_have_to_be_typed_and_signing_in_shows_no_banner(sending: SegueServer) -> None:
    admin = member(sending, "admin")
    for words in ("", "yes", "stop"):
        answer = admin.post(f"{PATH}/hold", {"words": words})
        assert answer.status_code == 422
        assert 'id="words-fault"' in answer.text
    assert BANNER not in admin.page("/")
    admin.post(f"{PATH}/hold", STOP)
    admin.post(f"{PATH}/hold", STOP)
    guest = sending.client
    assert guest is not None
    assert BANNER not in guest.get("/sign-in", headers=SAME_ORIGIN).text
    assert admin.post(f"{PATH}/resume").status_code == 303
    assert admin.post(f"{PATH}/resume").status_code == 303
    assert "Sending was not held." in admin.page("/")


def test_only_an_admin_stops_and_resumes(team: Team) -> None:
    for role in ("viewer", "author", "publisher"):
        page = team[role].page(PATH)
        assert "It takes an admin." in page
        assert 'name="words"' not in page
        assert team[role].post(f"{PATH}/hold", STOP).status_code == 403
        assert team[role].post(f"{PATH}/resume").status_code == 403
    assert BANNER not in team["admin"].page(PATH)


# Jobs


def test_jobs_show_what_ended_and_what_came_of_it(server: SegueServer, team: Team) -> None:
    for number in range(3):
        server.user(f"u{number}", country="FR" if number else "DE")
    wish = {"filter": {"attribute": "country", "eq": "FR"}}
    count = server.api.post("/api/v1/segments/count", json=wish).json()
    eventually(
        lambda: server.api.get(f"/api/v1/segments/counts/{count['id']}").json()["status"] == "done",
        "the count",
    )
    text = text_of(team["viewer"].page("/settings/jobs"))
    assert "Count of an audience done" in text
    assert "2 of " in text
    part = team["viewer"].page("/settings/jobs/now")
    assert "Count of an audience" in part
    assert "<html" not in part


def test_a_backtest_that_runs_is_cancelled_by_its_button(server: SegueServer, team: Team) -> None:
    begun = server.api.post("/api/v1/backtests", json={"document": MAIL})
    assert begun.status_code == 202, begun.text
    path = f"/settings/jobs/backtest/{begun.json()['id']}/cancel"
    page = team["author"].page("/settings/jobs")
    assert f'action="{path}"' in page
    assert "Backtest of hello" in page
    assert f'action="{path}"' not in team["viewer"].page("/settings/jobs")
    assert team["viewer"].post(path).status_code == 403
    assert team["author"].post(path).status_code == 303
    answer = server.api.get(f"/api/v1/backtests/{begun.json()['id']}")
    assert answer.json()["status"] == "cancelled"
    assert "Backtest of hello cancelled" in text_of(team["viewer"].page("/settings/jobs"))


def test_a_job_that_is_not_there_is_a_404_page(team: Team) -> None:
    for path in ("backtest/none", "count/none", "import/1"):
        answer = team["admin"].post(f"/settings/jobs/{path}/cancel")
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
