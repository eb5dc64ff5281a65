"""A mail goes out, comes back through a pipe or a Maildir, and its user is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.channels import returned_mails
from tests.support.servers import (
    PATIENCE_S,
    Mailbox,
    SegueServer,
    eventually,
    free_port,
    mail_server,
)

pytestmark = pytest.mark.slow


class Shop:
    """Segue, a mail server that keeps what goes out, and a Maildir for what comes back."""

    def __init__(self, segue: SegueServer, mailbox: Mailbox, maildir: Path) -> None:
        self.segue = segue
        self.mailbox = mailbox
        self.maildir = maildir
        self.ingest_key = segue.key_for("ingest")
        for slug in ("sale", "news"):
            self.segue.create(campaign(slug, {"event": f"{slug}-began"}))
            self.segue.publish(slug)

    def mail_to(self, user_id: str) -> EmailMessage:
        """Send a user the sale, and return the mail as it went out."""
        address = f"{user_id}@people.test"
        self.segue.user(user_id, email=address)
        self.segue.event(user_id, "sale-began")
        return eventually(lambda: self.mailbox.to(address), "the mail")[0]

    def pipe(self, content: bytes, *, url: str = "", key: str = "") -> tuple[int, str]:
        """Hand a mail in as a mail server would; return the exit code and what was said."""
        command = [sys.executable, "-m", "segue", "mail-report", "--url", url or self.segue.url]
        done = subprocess.run(
            command,
            input=content,
            env={**os.environ, "SEGUE_KEY": key or self.ingest_key},
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode, done.stderr.decode()

    def hand_in(self, content: bytes) -> httpx2.Response:
        """Hand a mail in by the API."""
        headers = {"Content-Type": "message/rfc822"}
        return self.segue.api.post("/api/v1/mail-reports", content=content, headers=headers)

    def deliver(self, name: str, content: bytes) -> None:
        """Put a mail into the Maildir as a mail server does: whole at once."""
        written = self.maildir / "tmp" / name
        written.write_bytes(content)
        written.rename(self.maildir / "new" / name)

    def acts(self, user_id: str) -> list[str]:
        names = [line.get("name", "") for line in self.segue.timeline(user_id)]
        return [name for name in names if name.startswith("email_")]

    def next_send(self, user_id: str) -> tuple[str, str | None]:
        """Begin the next campaign for a user, and return what is decided in the end."""
        self.segue.event(user_id, "news-began")

        def decided() -> Any:
            found = self.segue.decisions(user_id, "news")
            return found[-1] if found and found[-1][0] in ("send", "skip") else None

        decision, reason = eventually(decided, "the decision")
        return decision, reason


def campaign(slug: str, trigger: dict[str, Any]) -> dict[str, Any]:
    html = '<p>Hi <a href="https://shop.test/">See</a></p>'
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": [trigger]},
        "messages": [{"email": {"subject": slug, "html": html}}],
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("returned")
    maildir = folder / "bounces"
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir(parents=True)
    with mail_server() as (mailbox, smtp_url):
        settings = {
            "SEGUE_CHANNELS__EMAIL__SMTP_URL": smtp_url,
            "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
            "SEGUE_CHANNELS__EMAIL__RETURN_PATH": "bounces@return.shop.test",
            "SEGUE_CHANNELS__EMAIL__UNSUBSCRIBE_ADDRESS": "unsubscribe@shop.test",
            "SEGUE_CHANNELS__EMAIL__MAILBOX__MAILDIR": str(maildir),
        }
        with SegueServer(folder / "data", **settings) as segue:
            yield Shop(segue, mailbox, maildir)


def test_a_bounce_through_the_pipe_makes_the_user_unreachable(shop: Shop) -> None:
    sent = shop.mail_to("piped")
    bounce = returned_mails.postfix(sent["Message-ID"])
    assert shop.pipe(bounce) == (0, "")
    assert shop.pipe(bounce) == (0, "")
    assert shop.acts("piped").count("email_bounce") == 1
    assert shop.next_send("piped") == ("skip", "unreachable")
    shop.segue.user("piped", email="other@people.test")
    assert shop.next_send("piped") == ("send", None)


def test_a_bounce_without_the_mail_is_known_by_the_address_it_came_to(shop: Shop) -> None:
    sent = shop.mail_to("named")
    return_path = shop.mailbox.senders[shop.mailbox.mails.index(sent)]
    assert return_path.startswith("bounces+")
    assert return_path.endswith("@return.shop.test")
    assert sent["From"] == "Shop <hi@shop.test>"
    bounce = returned_mails.report(
        returned_mails.failed(), "Subject: Sale\nMessage-ID: <replaced@relay.test>", to=return_path
    )
    forged = bounce.replace(b"bounces+", b"bounces+2")
    assert shop.hand_in(forged).json()["outcome"] == "unmatched"
    assert shop.hand_in(bounce).json()["outcome"] == "reported"
    assert shop.next_send("named") == ("skip", "unreachable")


def test_a_bounce_in_the_maildir_does_the_same_and_is_marked_as_seen(shop: Shop) -> None:
    sent = shop.mail_to("posted")
    shop.deliver("1790000000.1.mx", returned_mails.exchange(sent["Message-ID"]))
    seen = shop.maildir / "cur" / "1790000000.1.mx:2,S"
    eventually(seen.exists, "the mark")
    assert "email_bounce" in shop.acts("posted")
    assert shop.next_send("posted") == ("skip", "unreachable")


def test_a_complaint_unsubscribes_and_a_soft_bounce_does_nothing(shop: Shop) -> None:
    complained, full = shop.mail_to("complained"), shop.mail_to("full")
    assert shop.pipe(returned_mails.feedback(complained["Message-ID"])) == (0, "")
    soft = returned_mails.report(
        returned_mails.failed("5.2.2"), returned_mails.original(full["Message-ID"])
    )
    assert shop.pipe(soft) == (0, "")
    assert shop.next_send("complained") == ("skip", "unsubscribed")
    assert shop.next_send("full") == ("send", None)
    assert "email_bounce" not in shop.acts("full")


def test_a_mail_to_the_address_in_list_unsubscribe_unsubscribes(shop: Shop) -> None:
    sent = shop.mail_to("gone")
    _, _, mailto = sent["List-Unsubscribe"].partition("<mailto:")
    address, _, subject = mailto.rstrip(">").partition("?subject=")
    assert address == "unsubscribe@shop.test"
    shop.pipe(f"From: gone@people.test\nTo: {address}\nSubject: {subject}\n\n".encode())
    assert "email_unsubscribe" in shop.acts("gone")
    assert shop.next_send("gone") == ("skip", "unsubscribed")


def test_a_receipt_of_delivery_brings_the_follower_that_waits_for_it(shop: Shop) -> None:
    follows = {"campaign": "sale", "interaction": "email_receive", "outcome": "delivered"}
    shop.segue.create(campaign("arrived", {"interact_with_campaign": follows}))
    shop.segue.publish("arrived")
    sent = shop.mail_to("arrived")
    assert not shop.segue.decisions("arrived", "arrived")
    receipt = returned_mails.report(
        returned_mails.failed("2.1.5", action="delivered"),
        returned_mails.original(sent["Message-ID"]),
        date=format_datetime(datetime.now(UTC)),
    )
    shop.pipe(receipt)
    eventually(lambda: shop.mailbox.to("arrived@people.test", "arrived"), "the follower's mail")


def test_a_forged_bounce_and_those_of_others_change_nothing(shop: Shop) -> None:
    sent = shop.mail_to("unharmed")
    name, _, domain = sent["Message-ID"].partition("@")
    other = "A" if name[5] != "A" else "B"
    forged = f"{name[:5]}{other}{name[6:]}@{domain}"
    for message_id in (forged, "<1@elsewhere.test>"):
        for make in (returned_mails.postfix, returned_mails.qmail, returned_mails.feedback):
            assert shop.hand_in(make(message_id)).json()["outcome"] == "unmatched"
    assert shop.pipe(returned_mails.exim(forged)) == (0, "")
    assert shop.pipe(b"\xff\x00" * 600_000) == (0, "")
    assert shop.next_send("unharmed") == ("send", None)


def test_a_bounce_that_came_while_the_server_was_down_is_not_lost(shop: Shop) -> None:
    sent = shop.mail_to("waited")
    shop.segue.kill()
    bounce = returned_mails.gmail(sent["Message-ID"])
    code, said = shop.pipe(bounce)
    assert code == 75
    assert "no Segue server answers" in said
    shop.deliver("1790000009.9.mx", bounce)
    shop.segue.start()
    eventually(lambda: "email_bounce" in shop.acts("waited"), "the bounce")
    assert shop.next_send("waited") == ("skip", "unreachable")


def test_the_mail_server_is_to_try_again_whatever_keeps_the_mail_from_being_taken(
    shop: Shop,
) -> None:
    bounce = returned_mails.postfix("<1@elsewhere.test>")
    assert shop.pipe(bounce, url=f"http://127.0.0.1:{free_port()}")[0] == 75
    assert shop.pipe(bounce, url="nonsense://")[0] == 75
    code, said = shop.pipe(bounce, key="sk_wrong")
    assert (code, "401" in said) == (75, True)
    assert shop.pipe(bounce, key=shop.segue.key_for("read"))[0] == 75


def test_the_api_says_what_became_of_a_mail(shop: Shop) -> None:
    sent = shop.mail_to("asked")
    answer = shop.hand_in(returned_mails.gmail(sent["Message-ID"]))
    assert answer.status_code == 202
    assert answer.json() == {"outcome": "reported", "accepted": 1, "duplicates": 0}
    answer = shop.hand_in(returned_mails.postfix("<1@elsewhere.test>"))
    assert answer.json() == {"outcome": "unmatched", "accepted": 0, "duplicates": 0}
    assert shop.hand_in(b"x" * (1024 * 1024 + 1)).status_code == 413
    assert shop.hand_in(b"").json()["outcome"] == "no_report"
