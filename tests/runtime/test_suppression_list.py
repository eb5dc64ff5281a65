"""Suppressed addresses: noted from the log, asked about at each hand-over, kept over crashes."""

from typing import Any

import pytest

from segue.channels.sender import Accepted, Answer, Refused
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.instants import HOUR, parse_instant
from segue.model.log_records import AttributesReceived, CampaignPublished, EventsReceived, Record
from segue.model.rendered import Rendered, RenderedEmail, RenderedSms
from segue.model.suppressions import Suppression
from segue.model.verdicts import Verdict
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
EMAIL = {"email": {"subject": "Hello", "text": "Hello"}}
SMS = {"sms": {"body": "Hello"}}


class Provider:
    """A sender that answers as it is told, and notes what it was handed."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)  # then accepted
        self.handed: list[tuple[str, str]] = []

    async def send(self, message: Rendered) -> Answer:
        assert isinstance(message, RenderedEmail | RenderedSms)
        self.handed.append((message.user_id, message.to))
        return self.answers.pop(0) if self.answers else Accepted("ok")

    def turn(self, message: Rendered, now: int) -> int:
        return now


def published(message: dict[str, Any] = EMAIL, slug: str = "c", **more: Any) -> CampaignPublished:
    document = {
        "slug": slug,
        "name": slug,
        "delivery": {"triggers": [{"event": "go"}]},
        "messages": [message],
        "re_eligibility": "always",
        **more,
    }
    return CampaignPublished(START, f"id-{slug}", 1, decode_campaign(document))


def know(user_id: str, **attributes: Any) -> AttributesReceived:
    return AttributesReceived(START, [AttributeChange(user_id, attributes)])


def go(*user_ids: str) -> EventsReceived:
    return EventsReceived(START, [Event(user, "go") for user in user_ids])


def happens(user_id: str, name: str) -> EventsReceived:
    return EventsReceived(START, [Event(user_id, name, campaign="c")])


async def started(provider: Provider, *records: Record) -> LiveRuntime:
    live = LiveRuntime(START, provider)
    await live.start()
    await live.hand_in(records)
    return live


def ends(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    """Return what became of each send, in order."""
    return [
        (one.user_id, one.reason or one.decision)
        for one in verdicts
        if one.decision in ("send", "skip")
    ]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("email_bounce", "messages to it came back"),
        ("email_spam_report", "it was reported as spam"),
    ],
)
async def test_an_address_that_bounced_for_one_user_gets_nothing_from_another(
    event: str, why: str
) -> None:
    provider = Provider()
    ann, bob = know("ann", email="Info@Shop.test"), know("bob", email="info@shop.test ")
    live = await started(provider, published(), ann, bob, know("cid", email="cid@shop.test"))
    await live.hand_in([happens("ann", event)])
    await live.hand_in([go("bob", "cid")])
    assert provider.handed == [("cid", "cid@shop.test")]
    verdicts = await live.stop()
    assert ends(verdicts) == [("bob", "send"), ("cid", "send"), ("bob", "suppressed")]
    assert verdicts[-1].detail == why


async def test_a_hand_over_that_found_the_address_dead_is_a_bounce_of_any_channel() -> None:
    provider = Provider(Refused("no such number", is_address_dead=True))
    numbers = know("ann", phone="+32 470 12 34 56"), know("bob", phone="+32470123456")
    live = await started(provider, published(SMS), *numbers)
    await live.hand_in([go("ann")])
    await live.hand_in([go("bob")])
    assert provider.handed == [("ann", "+32470123456")]
    await live.checkpoint()
    [kept] = live.stores.journal.suppressions.find("sms", "+32470123456")
    assert kept == Suppression("sms", "+32470123456", "bounce", START, "c")
    await live.stop()


async def test_a_number_whose_text_came_back_gets_nothing_from_another_user() -> None:
    provider = Provider()
    numbers = know("ann", phone="+32 470 12 34 56"), know("bob", phone="+32470123456")
    live = await started(provider, published(SMS), *numbers)
    await live.hand_in([happens("ann", "sms_bounce")])
    await live.hand_in([go("bob")])
    assert provider.handed == []
    assert ends(await live.stop())[-1] == ("bob", "suppressed")


async def test_who_complained_still_gets_what_goes_to_all_and_a_bounce_stops_that_too() -> None:
    provider = Provider()
    both = know("ann", email="a@shop.test"), know("bob", email="a@shop.test")
    live = await started(provider, published(), published(slug="p", subscription="all"), *both)
    await live.hand_in([happens("ann", "email_spam_report")])
    await live.hand_in([go("ann", "bob")])
    assert provider.handed == [("ann", "a@shop.test"), ("bob", "a@shop.test")]
    await live.hand_in([happens("bob", "email_bounce")])
    await live.hand_in([go("ann")])
    assert len(provider.handed) == 2
    decided = [(one.campaign, one.reason) for one in await live.stop() if one.decision == "skip"]
    # ann, who unsubscribed by complaining, is no matter of the list
    assert decided == [
        ("c", "unsubscribed"),
        ("c", "suppressed"),
        ("c", "unsubscribed"),
        (
            "p",
            "suppressed",
        ),
    ]


async def test_an_address_put_on_the_list_by_hand_stops_what_waits_in_the_outbox() -> None:
    provider = Provider()
    live = await started(
        provider, published(delivery={"triggers": [{"event": "go"}], "sends_per_minute_max": 1})
    )
    await live.hand_in([know("ann", email="a@shop.test"), know("bob", email="b@shop.test")])
    await live.hand_in([go("ann", "bob")])
    live.stores.journal.suppressions.add([Suppression("email", "b@shop.test", "manual", START)])
    await live.move_to(START + HOUR)
    assert provider.handed == [("ann", "a@shop.test")]
    assert ends(await live.stop())[-1] == ("bob", "suppressed")


async def test_what_was_noted_outlives_a_crash_and_what_was_taken_off_stays_off() -> None:
    provider = Provider()
    both = know("ann", email="a@shop.test"), know("bob", email="a@shop.test")
    live = await started(provider, published(), *both)
    await live.checkpoint()
    await live.hand_in([happens("ann", "email_bounce")])
    await live.crash()  # whether or not it was written down
    await live.start()
    await live.hand_in([go("bob")])
    assert provider.handed == []
    live.runtime.suppressions.write()
    assert live.stores.journal.suppressions.remove("email", "a@shop.test")
    await live.crash()  # the log behind the checkpoint, which tells of the bounce, is read again
    await live.start()
    await live.hand_in([go("bob")])
    assert provider.handed == [("bob", "a@shop.test")]
    await live.stop()


async def test_a_list_that_cannot_be_written_holds_and_is_written_later() -> None:
    provider = Provider()
    both = know("ann", email="a@shop.test"), know("bob", email="a@shop.test")
    live = await started(provider, published(), *both)
    stored = live.stores.journal.suppressions
    live.runtime.suppressions.stored = _Broken(stored)
    await live.hand_in([happens("ann", "email_bounce")])
    with pytest.raises(OSError, match="disk"):
        live.runtime.suppressions.write()
    with pytest.raises(OSError, match="disk"):
        await live.checkpoint()  # else a restart would not read the bounce again
    await live.hand_in([go("bob")])
    assert provider.handed == []
    live.runtime.suppressions.stored = stored
    await live.checkpoint()
    assert [one.reason for one in stored.find("email", "a@shop.test")] == ["bounce"]
    await live.stop()


class _Broken:
    """A list on a disk that is full."""

    def __init__(self, stored: Any) -> None:
        self._stored = stored

    def follow(self, *_: object) -> int:
        raise OSError("the disk is full")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stored, name)
