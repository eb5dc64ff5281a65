"""A mail goes out, its provider reports of it, and campaigns act on what is reported."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.provider_calls import POSTMARK_LOGIN, Postmark, SendGrid
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

SENDGRID = SendGrid()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


def settings(smtp_url: str, **more: str) -> dict[str, str]:
    return {
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": smtp_url,
        "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
        "SEGUE_CHANNELS__EMAIL__SENDGRID__VERIFICATION_KEY": SENDGRID.verification_key,
        "SEGUE_CHANNELS__EMAIL__POSTMARK__USERNAME": POSTMARK_LOGIN[0],
        "SEGUE_CHANNELS__EMAIL__POSTMARK__PASSWORD": POSTMARK_LOGIN[1],
        **more,
    }


@pytest.fixture
def segue(tmp_path: Path, mailbox: tuple[Mailbox, str]) -> Iterator[SegueServer]:
    with SegueServer(tmp_path / "data", **settings(mailbox[1])) as server:
        yield server


def email(slug: str, trigger: Any, **more: Any) -> dict[str, Any]:
    html = '<p>Hi <a href="https://shop.test/sale" data-alias="cta">See</a></p>'
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": [trigger]},
        "messages": [{"email": {"subject": slug, "html": html}}],
        **more,
    }


def interaction(campaign: str, name: str, **options: Any) -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": name, **options}}


def report(segue: SegueServer, *events: dict[str, Any]) -> dict[str, Any]:
    """Report events as SendGrid does."""
    numbered = [
        {"timestamp": int(time.time()), "sg_event_id": f"{time.time_ns()}-{number}", **event}
        for number, event in enumerate(events)
    ]
    call = SENDGRID.call(numbered, int(time.time()))
    url = f"{segue.url}/hooks/email/sendgrid"
    answer = httpx2.post(url, content=call.body, headers=dict(call.headers))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def totals(segue: SegueServer, slug: str) -> dict[str, Any]:
    return dict(segue.api.get(f"/api/v1/campaigns/{slug}/stats").json()["totals"])


def opens_and_clicks(segue: SegueServer) -> tuple[int, int]:
    counted = totals(segue, "sale")
    return counted.get("opens", 0), counted.get("clicks", 0)


def test_a_reported_delivery_brings_the_follower_and_a_bounce_keeps_later_mails_away(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    mails = mailbox[0]
    arrived = interaction("sale", "email_receive", outcome="delivered")
    segue.create(email("arrived", arrived))
    segue.create(email("sale", {"event": "sale_started"}, re_eligibility="always"))
    segue.publish("arrived")
    segue.publish("sale")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "sale_started")
    mail = eventually(lambda: mails.to("u1@people.test", "sale"), "the mail")[0]
    assert mails.to("u1@people.test", "arrived") == []

    delivered = {"event": "delivered", "smtp-id": mail["Message-ID"], "response": "250 OK"}
    assert report(segue, delivered)["accepted"] == 1
    eventually(lambda: mails.to("u1@people.test", "arrived"), "the follower's mail")
    assert segue.decisions("u1", "arrived") == [("enter", None), ("send", None)]
    assert totals(segue, "sale")["delivered"] == 1
    # Again under another id, as a second webhook of the account would: it arrived once.
    assert report(segue, delivered)["duplicates"] == 1

    bounced = {"event": "bounce", "smtp-id": mail["Message-ID"], "status": "5.1.1"}
    assert report(segue, {**bounced, "status": "5.2.2"})["unused"] == 1
    assert report(segue, bounced)["accepted"] == 1
    segue.event("u1", "sale_started")
    assert segue.decisions("u1", "sale")[-2:] == [("enter", None), ("skip", "unreachable")]
    assert totals(segue, "sale")["bounced"] == 1


def test_the_headers_of_a_mail_let_both_providers_name_it(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.create(email("sale", {"event": "sale_started"}, re_eligibility="always"))
    segue.publish("sale")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "sale_started")
    mail = eventually(lambda: mailbox[0].to("u1@people.test"), "the mail")[0]
    arguments = json.loads(mail["X-SMTPAPI"])["unique_args"]
    assert mail["Message-ID"].startswith(f"<{arguments['segue']}@")
    assert report(segue, {"event": "spamreport", **arguments})["accepted"] == 1

    metadata = {
        name.removeprefix("X-PM-Metadata-"): value
        for name, value in mail.items()
        if name.startswith("X-PM-Metadata-")
    }
    assert mail["X-PM-KeepID"] == "true"
    record = Postmark().call({"RecordType": "Delivery", "Metadata": metadata})
    url = f"{segue.url}/hooks/email/postmark"
    answer = httpx2.post(url, content=record.body, headers=dict(record.headers))
    assert answer.json()["accepted"] == 1

    segue.event("u1", "sale_started")
    assert segue.decisions("u1", "sale")[-2:] == [("enter", None), ("skip", "unsubscribed")]
    assert totals(segue, "sale")["spam_reports"] == 1


def test_opens_and_clicks_that_the_mail_tells_itself_are_not_counted_again(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.create(email("sale", {"event": "sale_started"}))
    segue.publish("sale")
    segue.user("u1", email="u1@people.test")
    segue.event("u1", "sale_started")
    mail = eventually(lambda: mailbox[0].to("u1@people.test"), "the mail")[0]
    named = {"smtp-id": mail["Message-ID"], "useragent": "Mozilla/5.0 (X11) Firefox/140.0"}
    click = {"event": "click", "url": "https://shop.test/sale", **named}
    assert report(segue, {"event": "open", **named}, click)["unused"] == 2
    assert opens_and_clicks(segue) == (0, 0)


def test_opens_and_clicks_that_are_left_to_the_provider_are_counted_by_it_alone(
    tmp_path: Path, mailbox: tuple[Mailbox, str]
) -> None:
    more = {"SEGUE_CHANNELS__EMAIL__PROVIDER_OPENS_AND_CLICKS": "true"}
    with SegueServer(tmp_path / "data", **settings(mailbox[1], **more)) as segue:
        segue.create(email("clicked", interaction("sale", "email_click")))
        segue.create(email("sale", {"event": "sale_started"}))
        segue.publish("clicked")
        segue.publish("sale")
        segue.user("u1", email="u1@people.test")
        segue.event("u1", "sale_started")
        mail = eventually(lambda: mailbox[0].to("u1@people.test", "sale"), "the mail")[0]
        html = mail.get_body(("html",)).get_content()
        assert 'href="https://shop.test/sale"' in html
        assert "/t/c/" not in html
        assert "/t/o/" not in html
        assert "data-alias" not in html
        named = {"smtp-id": mail["Message-ID"], "useragent": "Mozilla/5.0 (X11) Firefox/140.0"}
        click = {"event": "click", "url": "https://shop.test/sale", **named}
        own = {**click, "url": mail["List-Unsubscribe"].strip("<>")}
        assert report(segue, {"event": "open", **named}, click, own) == {
            "accepted": 2,
            "duplicates": 0,
            "unmatched": 0,
            "unused": 1,
        }
        eventually(lambda: mailbox[0].to("u1@people.test", "clicked"), "the follower's mail")
        assert opens_and_clicks(segue) == (1, 1)


def test_a_provider_that_is_not_set_up_says_how(segue: SegueServer) -> None:
    answer = httpx2.post(f"{segue.url}/hooks/email/mailgun", content=b"{}")
    assert answer.status_code == 404
    assert "[channels.email.mailgun]" in answer.json()["detail"]
