"""The main job on real input: a campaign goes out by real email, and another follows it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


@pytest.fixture
def segue(tmp_path: Path, mailbox: tuple[Mailbox, str]) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": mailbox[1],
        "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
    }
    with SegueServer(tmp_path / "data", **settings) as server:
        yield server


def email(slug: str, triggers: list[Any], subject: str, **more: Any) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": triggers}
    for name in ("delay", "exceptions"):
        if name in more:
            delivery[name] = more.pop(name)
    html = (
        '<p>Hi {{ first_name }} <a href="https://shop.test/sale?a=1" data-alias="cta">See</a></p>'
    )
    message = {"subject": subject, "html": more.pop("html", html)}
    return {
        "slug": slug,
        "name": slug,
        "delivery": delivery,
        "messages": [{"email": message}],
        **more,
    }


def interaction(campaign: str, name: str, **options: Any) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": name, **options}}


def urls_of(mail: Any) -> tuple[str, str, str]:
    """Return a mail's pixel, its first link and its unsubscribe link."""
    html = mail.get_body(("html",)).get_content()
    pixel = re.search(r'https?://[^"]+/t/o/[^"]+', html)
    link = re.search(r'https?://[^"]+/t/c/[^"]+', html)
    assert pixel is not None
    assert link is not None
    return pixel[0], link[0], mail["List-Unsubscribe"].strip("<>")


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_a_click_in_a_real_mail_brings_the_followers_mail_with_the_alias(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    mails = mailbox[0]
    clicked = [interaction("sale", "email_alias_click", alias="cta")]
    html = "<p>You clicked {{ trigger.alias }} of {{ trigger.campaign }}: {{ trigger.link }}</p>"
    segue.create(email("second", clicked, "Second", html=html))
    segue.create(email("sale", [{"event": "sale_started"}], "Sale"))
    segue.publish("second")
    segue.publish("sale")
    segue.user("u1", email="u1@people.test", first_name="Ann <b>")
    segue.event("u1", "sale_started")

    mail = eventually(lambda: mails.to("u1@people.test", "Sale"), "the mail")[0]
    assert "Hi Ann &lt;b&gt;" in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    pixel, link, _ = urls_of(mail)
    opened = httpx2.get(pixel, headers=PERSON)
    assert opened.headers["content-type"] == "image/gif"
    followed = httpx2.get(link, headers=PERSON, follow_redirects=False)
    assert followed.status_code == 302
    assert followed.headers["location"] == "https://shop.test/sale?a=1"

    second = eventually(lambda: mails.to("u1@people.test", "Second"), "the follower's mail")[0]
    body = second.get_body(("html",)).get_content()
    assert "You clicked cta of sale: https://shop.test/sale?a=1" in body
    assert segue.decisions("u1", "second") == [("enter", None), ("send", None)]


def test_an_interaction_before_the_followers_publication_never_enters(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.create(email("sale", [{"event": "sale_started"}], "Sale"))
    segue.publish("sale")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "sale_started")
    mail = eventually(lambda: mailbox[0].to("u1@people.test"), "the mail")[0]
    httpx2.get(urls_of(mail)[1], headers=PERSON, follow_redirects=False)
    before = ago(0)
    segue.create(email("late", [interaction("sale", "email_click")], "Late"))
    segue.publish("late")
    # The same again, reported late by a phone that was offline: it happened before.
    segue.event("u1", "email_click", campaign="sale", time=before)
    assert segue.decisions("u1", "late") == [("refuse", "published_after_event")]
    # And one that happens now enters.
    segue.event("u1", "email_click", campaign="sale")
    assert segue.decisions("u1", "late")[1:] == [("enter", None), ("send", None)]


def test_an_exception_while_waiting_cancels_and_one_before_the_trigger_does_nothing(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    waits = {"delay": {"after": "2s"}, "exceptions": [{"purchase": {}}]}
    segue.create(email("reminder", [{"event": "added_to_cart"}], "Your cart", **waits))
    segue.publish("reminder")
    for user in ("buys-before", "buys-after"):
        segue.user(user, email=f"{user}@people.test")
    segue.event("buys-before", "purchase", product_id="sku-1", price=5)
    segue.event("buys-before", "added_to_cart")
    segue.event("buys-after", "added_to_cart")
    segue.event("buys-after", "purchase", product_id="sku-1", price=5)

    eventually(lambda: mailbox[0].to("buys-before@people.test"), "the reminder")
    assert segue.decisions("buys-before", "reminder") == [("enter", None), ("send", None)]
    assert segue.decisions("buys-after", "reminder") == [
        ("enter", None),
        ("cancel", "exception_event"),
    ]
    assert not mailbox[0].to("buys-after@people.test")


def test_a_trigger_that_is_also_the_exception_restarts_the_wait(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    looked = [{"event": "looked"}]
    segue.create(email("nudge", looked, "Nudge", delay={"after": "1s"}, exceptions=looked))
    segue.publish("nudge")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "looked")
    segue.event("u1", "looked")
    eventually(lambda: mailbox[0].to("u1@people.test"), "the nudge")
    assert segue.decisions("u1", "nudge") == [
        ("enter", None),
        ("cancel", "exception_event"),
        ("enter", None),
        ("send", None),
    ]
    assert len(mailbox[0].to("u1@people.test")) == 1


def test_stopping_a_campaign_cancels_those_who_wait(segue: SegueServer) -> None:
    segue.create(email("later", [{"event": "looked"}], "Later", delay={"after": "1d"}))
    segue.publish("later")
    segue.event("u1", "looked")
    waiting = eventually(
        lambda: segue.api.get("/api/v1/campaigns/later/waiting").json()["count"], "the wait"
    )
    assert waiting == 1
    segue.api.post("/api/v1/campaigns/later/stop").raise_for_status()
    assert segue.api.get("/api/v1/campaigns/later/waiting").json()["count"] == 0
    assert segue.decisions("u1", "later") == [("enter", None), ("cancel", "campaign_stopped")]


def test_an_unsubscribe_by_one_click_keeps_later_mails_away(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.create(email("news", [{"event": "news"}], "News", re_eligibility="always"))
    segue.publish("news")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "news")
    mail = eventually(lambda: mailbox[0].to("u1@people.test"), "the mail")[0]
    unsubscribe = urls_of(mail)[2]
    assert httpx2.get(unsubscribe).status_code == 200  # a scanner's look unsubscribes nobody
    segue.event("u1", "news")
    eventually(lambda: len(mailbox[0].to("u1@people.test")) == 2, "the second mail")
    body = {"List-Unsubscribe": "One-Click"}
    assert httpx2.post(unsubscribe, data=body).status_code == 200
    segue.event("u1", "news")
    assert segue.decisions("u1", "news")[-2:] == [("enter", None), ("skip", "unsubscribed")]


def test_a_refused_address_is_a_bounce_and_is_not_tried_again(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    mailbox[0].refusal = "554 5.7.1 no thanks"
    segue.create(email("news", [{"event": "news"}], "News", re_eligibility="always"))
    segue.publish("news")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "news")
    eventually(lambda: ("skip", "refused") in segue.decisions("u1", "news"), "the refusal")
    totals = segue.api.get("/api/v1/campaigns/news/stats").json()["totals"]
    assert totals["failed"] == 1
    assert totals["skipped"] == 1


def test_a_forged_link_does_not_exist(segue: SegueServer) -> None:
    for path in ("/t/c/forged", "/t/o/forged.gif", "/t/u/forged"):
        assert httpx2.get(segue.url + path).status_code == 404
    assert "segue_forged_links_total 3.0" in httpx2.get(segue.url + "/metrics").text


def test_a_template_error_is_shown_at_preview_and_skips_that_send(segue: SegueServer) -> None:
    html = "<p>{{ 'x' | times: 2 | divided_by: 0 }}</p>"
    segue.create(email("broken", [{"event": "news"}], "Broken", html=html))
    preview = segue.api.post("/api/v1/campaigns/broken/preview", json={"user_id": "u1"}).json()
    assert "email.html" in preview["messages"][0]["error"]
    segue.publish("broken")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "news")
    eventually(lambda: ("skip", "template_error") in segue.decisions("u1", "broken"), "the skip")
    skip = next(line for line in segue.timeline("u1") if line.get("decision") == "skip")
    assert "email.html" in skip["detail"]


def test_the_server_ends_cleanly_on_ctrl_c(segue: SegueServer) -> None:
    segue.event("u1", "looked")
    assert segue.stop() == 0
