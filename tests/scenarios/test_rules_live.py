"""Rules that need more than the engine: what is written out, who clicks, and what may be deleted.

Told on a real runtime with a clock that the tests move, or on a server (semantics.md 1, 2).
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.support.live import LiveRuntime
from tests.support.servers import SegueServer
from tests.support.story import campaign, interacts

from segue.content.tokens import TokenSigner, Tracked
from segue.engine.bucketing import is_in_control
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, MINUTE, SECOND, parse_instant
from segue.model.log_records import AttributesReceived, CampaignPublished, EventsReceived
from segue.model.rendered import RenderedEmail
from segue.services.tracking import Tracking

pytestmark = pytest.mark.slow

START = parse_instant("2026-11-01T00:00:00Z")
CAMPAIGNS = "/api/v1/campaigns"
GO = {"event": "go"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel)"


@pytest.fixture
async def live() -> AsyncIterator[LiveRuntime]:
    runtime = LiveRuntime(START)
    await runtime.start()
    yield runtime
    await runtime.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("rules") / "data") as started:
        yield started


def mail(slug: str, trigger: dict[str, Any], text: str = "Hello", **more: Any) -> dict[str, Any]:
    message = {"email": {"subject": "Hello", "text": text}}
    return campaign(slug, trigger, messages=[message], **more)


async def publish(live: LiveRuntime, *documents: dict[str, Any], version: int = 1) -> None:
    """Publish documents, or from the second version on edit them."""
    now = live.clock.now()
    published = [
        CampaignPublished(now, document["slug"], version, decode_campaign(document), version > 1)
        for document in documents
    ]
    await live.hand_in(published)


async def happens(live: LiveRuntime, *events: Event) -> None:
    now = live.clock.now()
    known = [AttributeChange(one.user_id, {"email": f"{one.user_id}@b.test"}) for one in events]
    await live.hand_in([AttributesReceived(now, known), EventsReceived(now, list(events))])


def mails(live: LiveRuntime, user: str) -> list[tuple[str, str]]:
    """Return the user's mails: of which campaign, and their text."""
    messages = [one.message for one in live.mailbox.of_user(user)]
    return [
        (one.campaign, (one.text or "").strip())
        for one in messages
        if isinstance(one, RenderedEmail)
    ]


def decided(live: LiveRuntime, user: str, slug: str) -> list[str]:
    return [
        one.decision + (f": {one.reason}" if one.reason else "")
        for one in live.runtime.outcomes.pending_verdicts()
        if (one.user_id, one.campaign) == (user, slug)
    ]


async def test_a5_who_waited_gets_the_newest_text(live: LiveRuntime) -> None:
    """semantics.md 1; campaign-facts.md A5."""
    await publish(live, mail("c", GO, "old", delay="1h"))
    await happens(live, Event("u", "go"))
    await publish(live, mail("c", GO, "new", delay="1h"), version=2)
    await live.move_to(START + HOUR)
    assert mails(live, "u") == [("c", "new")]


def test_a1_publishing_refuses_a_follower_of_an_archived_campaign(server: SegueServer) -> None:
    """semantics.md 1; campaign-facts.md A1."""
    server.create(mail("a1-target", GO))
    server.create(mail("a1-follower", interacts("a1-target", "email_click")))
    assert server.api.post(f"{CAMPAIGNS}/a1-target/archive").is_success
    refused = server.api.post(f"{CAMPAIGNS}/a1-follower/publish")
    assert refused.is_client_error
    assert "a1-target is archived" in refused.text


def test_a9_only_what_was_never_published_can_be_deleted(server: SegueServer) -> None:
    """campaign-facts.md A9; the rest is archived, for good."""
    for slug in ("a9-draft", "a9-published"):
        server.create(mail(slug, GO))
    server.publish("a9-published")
    assert server.api.delete(f"{CAMPAIGNS}/a9-draft").is_success
    assert server.api.delete(f"{CAMPAIGNS}/a9-published").status_code == 409
    assert server.api.post(f"{CAMPAIGNS}/a9-published/archive").is_success
    assert server.api.post(f"{CAMPAIGNS}/a9-published/publish").status_code == 409
    assert server.api.get(f"{CAMPAIGNS}/a9-draft").status_code == 404
    assert server.api.get(f"{CAMPAIGNS}/a9-published").json()["status"] == "archived"


def test_a10_a_duplicate_is_a_draft_that_follows_what_the_original_follows(
    server: SegueServer,
) -> None:
    """semantics.md 1, a draft copy; campaign-facts.md A10."""
    server.create(mail("a10-target", GO))
    server.create(mail("a10-follower", interacts("a10-target", "email_click")))
    copy = server.api.post(f"{CAMPAIGNS}/a10-follower/duplicate").json()
    assert (copy["slug"], copy["status"]) == ("a10-follower-copy", "draft")
    original = server.api.get(f"{CAMPAIGNS}/a10-follower").json()
    assert copy["document"]["delivery"] == original["document"]["delivery"]


async def test_c3_a_scanners_click_is_no_click_and_a_persons_is(live: LiveRuntime) -> None:
    """semantics.md 2; campaign-facts.md C3."""
    await publish(live, mail("f", interacts("target", "email_click")), mail("target", GO))
    await happens(live, Event("u", "go"))
    tracking = Tracking(live.runtime, TokenSigner(b"k" * 32), live.clock)
    tracked = Tracked("click", "u", "target", "A", "s1", "email", "cta", "https://shop.test")
    for agent in (SCANNER, FIREFOX):
        await live.move_to(live.clock.now() + MINUTE)
        await tracking.clicked(tracked, agent)
        await live.settle()
        expected = [] if agent == SCANNER else ["enter", "send"]
        assert decided(live, "u", "f") == expected


async def test_c4_a_machines_open_does_not_cancel_the_follow_up_of_people(
    live: LiveRuntime,
) -> None:
    """semantics.md 2; campaign-facts.md C4: at once, or by a known program."""
    unopened = {
        "did_not": {"campaign": "target", "interaction": "email_other_open", "within": "1h"}
    }
    await publish(live, mail("f", unopened), mail("target", GO))
    users = {"at-once": (FIREFOX, 1), "scanned": (SCANNER, 60), "opened": (FIREFOX, 60)}
    tracking = Tracking(live.runtime, TokenSigner(b"k" * 32), live.clock)
    for user, (agent, seconds) in users.items():
        await happens(live, Event(user, "go"))
        send_id = live.mailbox.of_user(user)[0].message.send_id
        await live.move_to(live.clock.now() + seconds * SECOND)
        await tracking.opened(Tracked("open", user, "target", "A", send_id, "email"), agent)
        await live.settle()
    await live.move_to(live.clock.now() + HOUR)
    assert decided(live, "at-once", "f") == decided(live, "scanned", "f") == ["enter", "send"]
    assert decided(live, "opened", "f") == ["enter", "cancel: exception_event"]


async def test_c16_the_followers_text_tells_what_was_done(live: LiveRuntime) -> None:
    """campaign-facts.md C16: `trigger` in the template."""
    told = "{{ trigger.campaign }} {{ trigger.variant }} {{ trigger.alias }} {{ trigger.time }}"
    follower = mail("f", interacts("target", "email_click"), told)
    await publish(live, follower, mail("target", GO))
    await happens(live, Event("u", "go"))
    await happens(live, Event("u", "email_click", campaign="target", alias="cta"))
    assert mails(live, "u")[1] == ("f", "target A cta 2026-11-01T00:00:00Z")


async def test_d6_control_users_do_not_wait_for_the_turn_of_the_treated(live: LiveRuntime) -> None:
    """semantics.md 3, step 4; campaign-facts.md D6 would enrol them at their slot."""
    document = mail("c", GO, control_percent=50)
    document["delivery"]["sends_per_minute_max"] = 1
    await publish(live, document)
    users = [f"u{number}" for number in range(8)]
    control = [user for user in users if is_in_control("c", user, 50)]
    treated = [user for user in users if user not in control]
    assert len(treated) > 2
    await happens(live, *(Event(user, "go") for user in users))
    assert all(decided(live, user, "c") == ["control: control_group"] for user in control)
    assert live.mailbox.count == 1
    await live.move_to(START + 10 * MINUTE)
    assert live.mailbox.count == len(treated)


async def test_d13_a_message_that_its_template_aborts_uses_up_no_recipient(
    live: LiveRuntime,
) -> None:
    """semantics.md 3, Liquid `abort_message`; campaign-facts.md D13."""
    text = "{% if user_id == 'no' %}{% abort_message('not you') %}{% endif %}Hello"
    await publish(live, mail("c", GO, text, recipients_max=1))
    for user in ("no", "yes", "too-many"):
        await happens(live, Event(user, "go"))
    assert decided(live, "no", "c") == ["enter", "send", "skip: aborted"]
    assert mails(live, "yes") == [("c", "Hello")]
    assert decided(live, "too-many", "c") == ["enter", "send", "skip: recipients_max"]
