"""One user's story: everything in order, each with what it came of."""

from typing import Any

from segue.channels.sender import Accepted, Answer, Refused, TryLater
from segue.engine.checks import decode_campaign
from segue.engine.draft import Act
from segue.model.events import AttributeChange, Event, SendSettled
from segue.model.instants import HOUR, MINUTE, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    EventsReceived,
    Recipient,
    SendsRequested,
    UserErased,
)
from segue.model.rendered import Rendered
from segue.model.verdicts import Verdict
from segue.runtime.moments import Moment, PutOff
from segue.runtime.story import Told, story_of
from segue.services.dead_letters import DeadLetters
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
WEBHOOK = [{"webhook": {"url": "https://shop.test/hook"}}]
OFFER = {
    "slug": "offer",
    "name": "Offer",
    "delivery": {"triggers": [{"event": "go"}]},
    "conversions": [{"purchase": {}, "within": "3d"}],
    "re_eligibility": "always",
    "messages": WEBHOOK,
}
NEXT = {
    "slug": "next",
    "name": "Next",
    "delivery": {
        "triggers": [
            {"interact_with_campaign": {"campaign": "offer", "interaction": "webhook_receive"}}
        ],
        "delay": {"after": "1h"},
        "exceptions": [{"purchase": {}}],
    },
    "messages": WEBHOOK,
}
ASKED = {"slug": "asked", "name": "Asked", "delivery": {"type": "api"}, "messages": WEBHOOK}


class Provider:
    """Answers as it is told, then accepts."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def turn(self, _message: Rendered, now: int) -> int:
        return now

    async def send(self, _message: Rendered) -> Answer:
        return self.answers.pop(0) if self.answers else Accepted("taken")


def word(told: Told) -> str:
    match told.moment.what:
        case Act(event=event):
            return event.name
        case Verdict(decision=decision, campaign=campaign):
            return f"{decision} {campaign}"
        case SendSettled(settled_as=settled_as, campaign=campaign):
            return f"{settled_as} {campaign}"
        case other:
            return type(other).__name__


def because(told: list[Told]) -> dict[str, str | None]:
    return {word(one): word(one.because) if one.because else None for one in told}


async def live_with(*documents: dict[str, Any], provider: Provider | None = None) -> LiveRuntime:
    live = LiveRuntime(START, senders=provider)  # type: ignore[arg-type]
    await live.start()
    published = [
        CampaignPublished(START, f"id-{one['slug']}", 1, decode_campaign(one)) for one in documents
    ]
    await live.hand_in(published)
    return live


async def told(live: LiveRuntime, user_id: str = "ann") -> list[Told]:
    runtime = live.runtime
    return story_of(runtime.journal, runtime.snapshot, user_id, runtime.processor.fold.now).told


async def test_a_chain_is_told_in_order_with_its_causes() -> None:
    live = await live_with(OFFER, NEXT)
    await live.hand_in([EventsReceived(START, [Event("ann", "go", id="e1"), Event("ben", "go")])])
    await live.move_to(START + MINUTE)
    bought = Event("ann", "purchase", product_id="sku")
    await live.hand_in([EventsReceived(live.clock.now(), [bought])])
    found = await told(live)
    await live.stop()
    assert [word(one) for one in found] == [
        "go",
        "enter offer",
        "send offer",
        "accepted offer",
        "webhook_receive",
        "enter next",
        "purchase",
        "cancel next",
        "convert offer",
        "exception_event",
        "conversion",
    ]
    causes = because(found)
    assert causes["go"] is None
    assert causes["enter offer"] == "go"
    assert causes["send offer"] == "go"
    assert causes["accepted offer"] == "send offer"
    assert causes["webhook_receive"] == "accepted offer"
    assert causes["enter next"] == "webhook_receive"
    assert causes["cancel next"] == "purchase"
    assert causes["conversion"] == "purchase"
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    go = found[0]
    assert {word(one) for one in go.led_to} == {"enter offer", "send offer"}


async def test_a_message_that_is_put_off_stands_between_its_send_and_its_answer() -> None:
    provider = Provider(TryLater("busy just now"), Refused("no such thing"))
    live = await live_with(OFFER, provider=provider)
    await live.hand_in([EventsReceived(START, [Event("ann", "go")])])
    await live.move_to(START + HOUR)
    found = await told(live)
    await live.stop()
    words = [word(one) for one in found]
    assert words[:3] == ["go", "enter offer", "send offer"]
    assert words[3:5] == ["PutOff", "refused offer"]
    put_off = found[3]
    assert isinstance(put_off.moment.what, PutOff)
    assert put_off.moment.what.detail == "busy just now"
    assert put_off.because is found[2]
    assert because(found)["skip offer"] == "go"


async def test_a_message_that_was_tried_again_came_of_that() -> None:
    provider = Provider(Refused("no such sender"))
    live = await live_with(OFFER, provider=provider)
    await live.hand_in([EventsReceived(START, [Event("ann", "go")])])
    retried = await DeadLetters(live.runtime).retry({})
    await live.settle()
    found = await told(live)
    await live.stop()
    assert retried.put_back == 1
    words = [word(one) for one in found]
    assert words[-4:] == ["SendRetried", "send offer", "accepted offer", "webhook_receive"]
    retry, sent, accepted, _ = found[-4:]
    assert retry.because is found[words.index("send offer")]
    assert sent.because is retry
    assert accepted.because is sent


async def test_a_request_by_a_program_names_its_campaign() -> None:
    live = await live_with(ASKED)
    await live.hand_in([SendsRequested(START, "asked", [Recipient("ann", None)])])
    found = await told(live)
    await live.stop()
    assert (word(found[0]), found[0].moment.campaign) == ("api_trigger", "asked")
    assert because(found)["enter asked"] == "api_trigger"


async def test_what_is_done_with_a_message_came_of_its_newest_send() -> None:
    live = await live_with(OFFER)
    for minute in (0, 1):
        await live.move_to(START + minute * MINUTE)
        await live.hand_in([EventsReceived(live.clock.now(), [Event("ann", "go")])])
    clicked = Event("ann", "content_card_click", campaign="offer")
    await live.hand_in([EventsReceived(live.clock.now(), [clicked])])
    found = await told(live)
    await live.stop()
    sends = [one for one in found if word(one) == "send offer"]
    assert len(sends) == 2
    assert found[-1].because is sends[-1]


async def test_what_was_before_an_erasure_is_not_told() -> None:
    live = await live_with(OFFER)
    await live.hand_in([EventsReceived(START, [Event("ann", "go")])])
    await live.hand_in([UserErased(START, "ann")])
    change = AttributeChange("ann", {"city": "Ghent"})
    await live.hand_in([AttributesReceived(START, [change])])
    found = await told(live)
    await live.stop()
    assert [word(one) for one in found] == ["UserErased", "AttributeChange"]
    assert all(isinstance(one.moment, Moment) and one.because is None for one in found)
