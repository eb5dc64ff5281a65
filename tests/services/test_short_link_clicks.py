"""What the code of a short link stands for, for how long, and whose visits count."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from segue.channels.user_agents import is_prefetcher, is_previewer
from segue.content.codes import CodeMaker
from segue.content.tokens import TokenSigner, Tracked
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, parse_instant
from segue.model.limits import SHORT_LINK_LIFE
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    EventsReceived,
    UserErased,
)
from segue.model.rendered import RenderedSms
from segue.services.tracking import Tracking
from segue.storage.ports import StoredCode
from tests.support.live import LiveRuntime
from tests.support.story import campaign, interacts

START = parse_instant("2026-11-01T00:00:00Z")
PEOPLE = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Mobile Safari/537.36",
    # A browser inside of an app, where a person reads.
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/520.0;FBDV/iPhone17,1]",
)
MACHINES = (
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Mozilla/5.0 (Windows NT 6.1) SkypeUriPreview Preview/0.5",
    "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/138 (compatible; Google-Safety)",
    "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/BP1A)",
    "com.apple.MobileSMS/1 CFNetwork/1498.700.2 Darwin/23.6.0",
    "TwilioProxy/1.1",
    "Mozilla/5.0 (compatible; Barracuda Sentinel)",
)


@pytest.fixture
async def live() -> AsyncIterator[LiveRuntime]:
    runtime = LiveRuntime(START)
    await runtime.start()
    documents = [
        campaign(
            "f",
            interacts("sale", "sms_short_link_click"),
            messages=[{"sms": {"body": "{{ trigger.alias }}"}}],
        ),
        campaign("sale", {"event": "go"}, messages=[{"sms": {"body": "See https://shop.test/a"}}]),
    ]
    known = [AttributeChange("ada", {"phone": "+32470123456", "email": "ada@b.test"})]
    await runtime.hand_in(
        [
            *(CampaignPublished(START, one["slug"], 1, decode_campaign(one)) for one in documents),
            AttributesReceived(START, known),
            EventsReceived(START, [Event("ada", "go")]),
        ]
    )
    yield runtime
    await runtime.stop()


def tracking_of(live: LiveRuntime) -> Tracking:
    return Tracking(live.runtime, TokenSigner(b"k" * 32), live.clock)


def code_of(live: LiveRuntime) -> str:
    """Return the code that Ada was texted."""
    [text] = [one.message for one in live.mailbox.of_user("ada")]
    assert isinstance(text, RenderedSms)
    assert text.body == f"See http://s.test/s/{text.short_links[0].code}"
    return text.short_links[0].code


def decided(live: LiveRuntime, slug: str) -> list[str]:
    verdicts = live.runtime.outcomes.pending_verdicts()
    return [one.decision for one in verdicts if one.campaign == slug]


async def test_a_click_is_credited_to_the_user_and_the_send(live: LiveRuntime) -> None:
    tracking = tracking_of(live)
    tracked = await tracking.find(code_of(live))
    [text] = live.mailbox.of_user("ada")
    assert tracked == Tracked(
        "short_link",
        "ada",
        "sale",
        "A",
        text.message.send_id,
        "sms",
        "link-1",
        "https://shop.test/a",
    )
    await tracking.clicked(tracked, PEOPLE[0])
    await live.settle()
    assert decided(live, "f") == ["enter", "send"]
    [event] = [
        one
        for block in live.stores.journal.read_log()
        for record in block.records
        if isinstance(record, EventsReceived)
        for one in record.events
        if one.name == "sms_short_link_click"
    ]
    assert (event.user_id, event.campaign, event.channel) == ("ada", "sale", "sms")
    assert (event.variant, event.alias, event.link) == ("A", "link-1", "https://shop.test/a")
    assert event.send_id == text.message.send_id


async def test_a_link_leads_nowhere_once_it_expired(live: LiveRuntime) -> None:
    tracking, code = tracking_of(live), code_of(live)
    await live.move_to(START + SHORT_LINK_LIFE - DAY)
    assert await tracking.find(code) is not None
    await live.move_to(START + SHORT_LINK_LIFE)
    assert await tracking.find(code) is None
    assert tracking.forged_count == 1


async def test_a_link_of_an_erased_user_leads_nowhere_even_if_it_was_kept_after(
    live: LiveRuntime,
) -> None:
    tracking, code = tracking_of(live), code_of(live)
    tracked = await tracking.find(code)
    assert tracked is not None
    await live.hand_in([UserErased(START, "ada")])
    codes = live.stores.journal.codes
    assert codes.find(code, START) is None
    codes.put([StoredCode(code, tracked, START + DAY)], START)
    assert await tracking.find(code) is None
    assert tracking.forged_count == 1


async def test_a_code_that_is_no_links_leads_nowhere(live: LiveRuntime) -> None:
    tracking, codes = tracking_of(live), live.stores.journal.codes
    tracked = await tracking.find(code_of(live))
    assert tracked is not None
    other = replace(tracked, kind="open", channel="email")
    maker = CodeMaker(b"x" * 32)
    for length in (8, 16):
        code = maker.code(other, length)
        codes.put([StoredCode(code, other, START + DAY)], START)
        assert await tracking.find(code) is None
    assert tracking.forged_count == 2


async def test_who_shows_what_a_link_leads_to_has_not_clicked(live: LiveRuntime) -> None:
    tracking = tracking_of(live)
    tracked = await tracking.find(code_of(live))
    assert tracked is not None
    for agent in MACHINES:
        await tracking.clicked(tracked, agent)
    await live.settle()
    assert decided(live, "f") == []


def test_people_are_no_machines() -> None:
    for agent in PEOPLE:
        assert not is_prefetcher(agent)
        assert not is_previewer(agent)
