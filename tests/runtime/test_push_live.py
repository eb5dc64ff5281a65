"""Pushes on a live runtime: each device once, dead ones forgotten, at every provider's pace."""

import asyncio
from typing import Any

import pytest

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_workspace
from segue.model.devices import Device, DevicesTried
from segue.model.events import DeviceChanged, Event, SendSettled
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from segue.model.log_records import (
    CampaignPublished,
    DevicesChanged,
    EventsReceived,
    SendsAttempted,
    SendsSettled,
    WorkspaceSet,
)
from segue.model.rendered import Rendered, RenderedPush
from tests.support.live import LiveRuntime, phones_of

START = parse_instant("2026-11-01T00:00:00Z")
DOCUMENT = {
    "slug": "offer",
    "name": "Offer",
    "delivery": {"triggers": [{"event": "go"}]},
    "re_eligibility": "always",
    "messages": [{"push": {"title": "Hello"}}],
}
FOLLOWER = {
    "slug": "next",
    "name": "Next",
    "delivery": {
        "triggers": [
            {"interact_with_campaign": {"campaign": "offer", "interaction": "push_receive"}}
        ]
    },
    "messages": [{"webhook": {"url": "https://shop.test/hook"}}],
}


class Provider:
    """Answers as it is told, then accepts for every device; gives turns as it is told, then now."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.turns: list[int] = []
        self.handed: list[list[str]] = []

    async def send(self, message: Rendered) -> Answer:
        if not isinstance(message, RenderedPush):
            return Accepted()
        self.handed.append([device.token for device in message.devices])
        if self.answers:
            return self.answers.pop(0)
        return Accepted(tried=DevicesTried(self.handed[-1]))

    def turn(self, message: Rendered, now: int) -> int:
        return self.turns.pop(0) if self.turns and isinstance(message, RenderedPush) else now


def devices(at: int, *tokens: str) -> DevicesChanged:
    changes = [DeviceChanged("ada", Device(f"id-{one}", "android", one)) for one in tokens]
    return DevicesChanged(at, changes)


async def started(provider: Provider, **policy: Any) -> LiveRuntime:
    live = LiveRuntime(START, provider)
    await live.start()
    workspace = decode_workspace({"channels": policy})
    await live.hand_in([WorkspaceSet(START, workspace), devices(START, "t1", "t2", "t3")])
    for number, document in enumerate((FOLLOWER, DOCUMENT)):
        await live.hand_in([CampaignPublished(START, f"id-{number}", 1, decode_campaign(document))])
    return live


async def go(live: LiveRuntime, user_id: str = "ada") -> None:
    at = live.clock.now()
    await live.hand_in([EventsReceived(at, [Event(user_id, "go")])])


async def told(live: LiveRuntime, user_id: str = "ada") -> list[str]:
    """End the runtime, and return what was decided."""
    return [
        f"{one.campaign} {one.reason or one.decision}"
        for one in await live.stop()
        if one.user_id == user_id
    ]


def tokens(live: LiveRuntime) -> list[str]:
    state = live.runtime.state_of("ada")
    assert state is not None
    return [device.token for device in state.devices]


def settlements(live: LiveRuntime) -> list[SendSettled]:
    return [
        settled
        for block in live.stores.journal.read_log()
        for record in block.records
        if isinstance(record, SendsSettled)
        for settled in record.settled
        if settled.channel == "push"
    ]


@pytest.mark.parametrize("end", ["nothing", "crash", "stop", "checkpoint and crash"])
async def test_a_device_that_has_the_push_does_not_get_it_again_also_after_a(end: str) -> None:
    """semantics.md 2: received once per user and send, not per device."""
    later = TryLater("down", 10.0, tried=DevicesTried(["t1"], dead=["t2"]))
    provider = Provider(later)
    live = await started(provider)
    await go(live)
    if "checkpoint" in end:
        await live.checkpoint()
    if "crash" in end:
        await live.crash()
    if end == "stop":
        await live.stop()
    if end != "nothing":
        await live.start()
    await live.move_to(START + HOUR)
    assert provider.handed == [["t1", "t2", "t3"], ["t3"]]
    assert tokens(live) == ["t1", "t3"]
    assert await told(live) == ["offer enter", "offer send", "next enter", "next send"]
    assert [one.settled_as for one in settlements(live)] == ["accepted"]


async def test_a_push_that_one_device_has_is_received_though_the_others_never_get_it() -> None:
    later = TryLater("down", tried=DevicesTried(["t1"]))
    provider = Provider(later, *[TryLater("down", 60.0)] * 20)
    live = await started(provider)
    await go(live)
    for minute in range(60):
        await live.move_to(START + minute * MINUTE)
    assert len(provider.handed) == 6
    assert "next enter" in await told(live)
    assert [(one.settled_as, one.reason) for one in settlements(live)] == [("accepted", None)]


@pytest.mark.parametrize("was_asked", [True, False])
async def test_a_push_is_not_given_up_because_its_provider_was_not_even_asked(
    was_asked: bool,
) -> None:
    """Tries are counted, and without one the time is: half an hour."""
    provider = Provider(*[TryLater("down", 30.0, was_asked=was_asked)] * 100)
    live = await started(provider)
    live.clock.jitter = lambda: 0.0  # type: ignore[method-assign]
    await go(live)
    for second in range(0, 3_600, 15):
        await live.move_to(START + second * SECOND)
    assert len(provider.handed) == (6 if was_asked else 61)
    assert await told(live) == ["offer enter", "offer send", "offer gave_up"]


async def test_dead_devices_are_forgotten_and_the_user_has_no_address_then() -> None:
    tried = DevicesTried(dead=["t1", "t2", "t3"])
    provider = Provider(Refused("gone", is_address_dead=True, tried=tried))
    live = await started(provider)
    await go(live)
    assert tokens(live) == []
    await go(live)
    await live.hand_in([devices(START, "t4")])
    await go(live)
    assert provider.handed == [["t1", "t2", "t3"], ["t4"]]
    assert await told(live) == [
        *("offer enter", "offer send", "offer unreachable"),
        *("offer enter", "offer send", "offer no_address"),
        *("offer enter", "offer send", "next enter", "next send"),
    ]


async def test_a_device_with_a_new_token_by_then_is_not_forgotten() -> None:
    later = TryLater("down", 10.0, tried=DevicesTried(dead=["t1"]))
    live = await started(Provider(later))
    await go(live)
    renewed = Device("id-t1", "android", "t1-new")
    await live.hand_in([DevicesChanged(START, [DeviceChanged("ada", renewed)])])
    await live.move_to(START + HOUR)
    assert tokens(live) == ["t2", "t3", "t1-new"]
    await live.stop()


@pytest.mark.parametrize(
    ("policy", "handed"),
    [
        ({}, [["t1", "t2", "t3"], ["t3"]]),
        ({"push": {"on_unknown": "resend"}}, [["t1", "t2", "t3"], ["t2", "t3"]]),
    ],
)
async def test_a_device_that_nobody_knows_of_gets_it_again_or_not_as_the_workspace_says(
    policy: dict[str, Any], handed: list[list[str]]
) -> None:
    """semantics.md 8."""
    later = TryLater("down", 10.0, tried=DevicesTried(["t1"], unknown=["t2"]))
    provider = Provider(later)
    live = await started(provider, **policy)
    await go(live)
    await live.move_to(START + HOUR)
    assert provider.handed == handed
    await live.stop()


async def test_a_push_that_nobody_knows_of_at_all_is_no_receipt() -> None:
    provider = Provider(Unknown("broke off", DevicesTried(dead=["t1"], unknown=["t2", "t3"])))
    live = await started(provider)
    await go(live)
    assert tokens(live) == ["t2", "t3"]
    assert await told(live) == ["offer enter", "offer send", "offer unknown_outcome"]


async def test_cut_off_at_its_second_attempt_a_push_that_a_device_has_is_received() -> None:
    later = TryLater("down", 10.0, tried=DevicesTried(["t1"]))
    live = await started(Provider(later))
    await go(live)
    send_id = next(iter(live.runtime.outcomes.outbox.items)).partition("/")[0]
    # As a power cut leaves it: an attempt in the log, and no word of what came of it.
    live.clock.advance(SECOND)
    await live.hand_in([SendsAttempted(live.clock.now(), [(send_id, "push")])])
    await live.crash()
    await live.start()
    await live.move_to(START + HOUR)
    assert await told(live) == ["offer enter", "offer send", "next enter", "next send"]


async def test_a_user_without_a_device_is_skipped_live() -> None:
    provider = Provider()
    live = await started(provider)
    await go(live, "eve")
    assert await told(live, "eve") == ["offer enter", "offer send", "offer no_address"]
    assert provider.handed == []


async def test_a_message_waits_for_its_providers_turn_without_an_attempt() -> None:
    provider = Provider(TryLater("down", 10.0))
    provider.turns = [START + MINUTE, START + 5 * MINUTE]
    live = await started(provider)
    await go(live)
    await live.move_to(START + MINUTE - 1)
    assert provider.handed == []
    assert not any(item.attempts for item in live.runtime.outcomes.outbox.items.values())
    await live.move_to(START + MINUTE)
    assert len(provider.handed) == 1
    await live.move_to(START + 5 * MINUTE - 1)
    assert len(provider.handed) == 1, "the second attempt waits for a turn of its own"
    await live.move_to(START + 5 * MINUTE)
    assert len(provider.handed) == 2
    assert await told(live) == ["offer enter", "offer send", "next enter", "next send"]


async def test_a_message_whose_turn_would_come_after_three_days_is_dropped() -> None:
    provider = Provider()
    provider.turns = [START + 3 * DAY + 1]
    live = await started(provider)
    await go(live)
    assert await told(live) == ["offer enter", "offer send", "offer rate_limited"]
    assert provider.handed == []


async def test_a_user_of_whom_only_a_device_is_known_is_reached_by_a_schedule() -> None:
    provider = Provider()
    live = LiveRuntime(START, provider)
    await live.start()
    delivery = {"type": "scheduled", "schedule": {"at": "2026-11-01T01:00:00Z"}}
    document = {**DOCUMENT, "delivery": delivery}
    published = CampaignPublished(START, "id", 1, decode_campaign(document))
    await live.hand_in([phones_of(START, "eve"), published])
    await live.move_to(START + 2 * HOUR)
    assert provider.handed == [["token-of-eve"]]
    await live.stop()


async def test_a_message_that_was_cut_off_is_settled_and_not_sent_once_more() -> None:
    """Nothing was written down: decision and attempt are both replayed."""
    provider = Provider()
    live = await started(provider)
    never: list[Rendered] = []

    async def hang(message: Rendered) -> Answer:
        never.append(message)
        await asyncio.Event().wait()
        raise AssertionError

    provider.send = hang  # type: ignore[method-assign]
    at = live.clock.now()
    events = EventsReceived(at, [Event("ada", "go")])
    await live.runtime.decided(live.runtime.commits.hand_in(lambda _at: events))
    while not live.runtime.dispatcher.is_busy:
        live.runtime.dispatcher.nudge()
        await asyncio.sleep(0.001)
    await live.crash()
    await live.start()
    await live.move_to(START + HOUR)
    assert len(never) == 1
    assert await told(live) == ["offer enter", "offer send", "offer unknown_outcome"]
