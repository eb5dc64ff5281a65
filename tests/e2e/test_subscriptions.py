"""A real mail's links are opened by its user, who chooses; what is sent next goes by it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server
from tests.support.user_links import link_of, mailed

pytestmark = pytest.mark.slow

GROUPS = [{"slug": "newsletter", "name": "Newsletter"}, {"slug": "offers", "name": "Offers"}]


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
        workspace = {"name": "Corner Shop", "subscription_groups": GROUPS}
        assert server.api.put("/api/v1/workspace", json=workspace).status_code == 200
        for slug, more in (
            ("news", {"subscription_group": "newsletter"}),
            ("offer", {"subscription_group": "offers"}),
            ("insiders", {"subscription": "opted_in"}),
            ("receipt", {"subscription": "all"}),
        ):
            event = {"triggers": [{"event": slug}]}
            server.create(mailed(slug, delivery=event, **more))
            server.publish(slug)
        yield server


def test_a_group_that_is_switched_off_by_the_mails_link_gets_nothing_and_another_goes_on(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    mails = mailbox[0]
    both = dict.fromkeys(("newsletter", "offers"), "subscribed")
    segue.user("ann", email="ann@people.test", subscription_groups=both)
    segue.event("ann", "news")
    mail = eventually(lambda: mails.to("ann@people.test", "news"), "the newsletter")[0]
    url = link_of(mail.get_body(("html",)).get_content(), "preferences")
    page = httpx2.get(url).text
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    ticked = re.findall(r'name="on" value="([^"]+)" checked', page)
    assert shown == ticked == ["email", "newsletter", "offers"]
    form = {"shown": shown, "was": ticked, "on": ["email", "offers"], "save": "1"}
    assert "Newsletter: <strong>off</strong>" in httpx2.post(url, data=form).text

    segue.event("ann", "news")
    segue.event("ann", "offer")
    eventually(lambda: mails.to("ann@people.test", "offer"), "the offer")
    assert segue.decisions("ann", "news")[-1] == ("skip", "unsubscribed")
    assert len(mails.to("ann@people.test", "news")) == 1

    # One click on the header ends the offers, not all email.
    header = mails.to("ann@people.test", "offer")[0]["List-Unsubscribe"].strip("<>")
    assert httpx2.post(header, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    segue.event("ann", "offer")
    segue.event("ann", "insiders")
    assert segue.decisions("ann", "offer")[-1] == ("skip", "unsubscribed")
    assert segue.decisions("ann", "insiders")[-1] == ("skip", "not_opted_in")
    segue.user("ann", email_subscribe="opted_in")
    segue.event("ann", "insiders")
    eventually(lambda: mails.to("ann@people.test", "insiders"), "what was opted in to")
    segue.user("ann", email_subscribe="unsubscribed")
    segue.event("ann", "receipt")
    receipt = eventually(lambda: mails.to("ann@people.test", "receipt"), "the receipt")[0]
    assert receipt["List-Unsubscribe"] is None


def test_an_address_that_bounced_for_one_user_gets_nothing_from_another_after_a_restart_too(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.user("ann", email="info@people.test")
    segue.user("bob", email="Info@People.test")
    segue.event("ann", "email_bounce", campaign="receipt")
    segue.kill()
    segue.start()
    segue.event("bob", "receipt")
    eventually(lambda: ("skip", "suppressed") in segue.decisions("bob", "receipt"), "the skip")
    assert mailbox[0].mails == []
    segue.api.delete("/api/v1/suppressions/email/info@people.test").raise_for_status()
    segue.event("bob", "receipt")
    eventually(lambda: mailbox[0].to("Info@People.test"), "the mail")
