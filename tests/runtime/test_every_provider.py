"""Every provider in every mood: what is recorded then, and that nothing is lost or doubled.

The real runtime hands over to the real senders, and these to servers that speak the protocols.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from segue.channels.registry import Senders
from segue.clock import FixedClock
from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, DeviceChanged, Event
from segue.model.instants import MINUTE, SECOND, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    DevicesChanged,
    EventsReceived,
    Record,
    SendsAttempted,
    SendsDeferred,
    SendsSettled,
)
from segue.runtime.replay import compare_with_record
from segue.services.dead_letters import DeadLetters, LetterFilter
from tests.support.failing_providers import (
    BEHAVIOURS,
    DOWN_COUNT,
    PROVIDERS,
    Behaviour,
    ProviderUnderTest,
)
from tests.support.live import LiveRuntime

pytestmark = pytest.mark.slow

START = parse_instant("2026-11-01T00:00:00Z")
PATIENT_S = 10.0  # nothing is to time out by itself, however busy the machine
LATER = 30 * MINUTE  # by then everything has been tried again


class Expected(NamedTuple):
    """What is recorded of a message, and what the provider and the list have at the end."""

    records: list[str]
    taken_count: int = 1
    letter: str | None = None

    @property
    def is_received(self) -> bool:
        """Whether followers see a receipt."""
        return self.records[-1] == "accepted"


ONCE = Expected(["attempted", "accepted"])
AT_LAST = Expected(["attempted", "deferred", "attempted", "accepted"])
REFUSED = Expected(["attempted", "refused refused"], 0, "refused")
LOST = Expected(["attempted", "skipped unknown_outcome"], 1, "unknown_outcome")
RESENT = Expected(["attempted", "deferred", "attempted", "accepted"], 2)

# What becomes of the first message that meets a provider in this mood.
TABLE: dict[str, dict[Behaviour, Expected]] = {
    name: {
        "accepts": ONCE,
        "throttles": AT_LAST,
        "is_down": AT_LAST,
        "refuses": REFUSED,
        "breaks_before": AT_LAST,
        "breaks_after": LOST,
        "times_out": LOST,
    }
    for name in ("SMTP", "FCM", "APNs", "Web Push", "Twilio", "HTTP SMS")
} | {
    # A webhook that may have arrived is called again, with the same id: `on_unknown` is resend.
    "webhook": {
        "accepts": ONCE,
        "throttles": AT_LAST,
        "is_down": AT_LAST,
        "refuses": REFUSED,
        "breaks_before": AT_LAST,
        "breaks_after": RESENT,
        "times_out": RESENT,
    }
}
CELLS = [(name, mood) for name, moods in TABLE.items() for mood in moods]


def test_no_provider_and_no_mood_is_missing() -> None:
    assert {*TABLE} == {*PROVIDERS}
    for moods in TABLE.values():
        assert {*moods} == {*BEHAVIOURS}
    channels = {one.channel for one in PROVIDERS.values()}
    assert channels == {"email", "push", "sms", "webhook"}


class Cell:
    """A live runtime whose messages go to one provider."""

    def __init__(self, provider: ProviderUnderTest, live: LiveRuntime) -> None:
        self.provider = provider
        self.live = live
        self.letters = DeadLetters(live.runtime)

    async def begin(self) -> None:
        """Publish a campaign, and one that follows those who receive it."""
        await self.live.start()
        self.letters = DeadLetters(self.live.runtime)
        receive = {"campaign": "c", "interaction": f"{self.provider.channel}_receive"}
        follower = {
            "slug": "next",
            "name": "Next",
            "delivery": {
                "triggers": [{"interact_with_campaign": receive}],
                "delay": {"after": "365d"},
            },
            "messages": [{"webhook": {"url": "https://shop.test/never"}}],
        }
        campaign = {
            "slug": "c",
            "name": "C",
            "delivery": {"triggers": [{"event": "go"}]},
            "messages": [self.provider.message()],
        }
        for number, document in enumerate((campaign, follower)):
            published = CampaignPublished(START, f"id-{number}", 1, decode_campaign(document))
            await self.live.hand_in([published])

    async def go(self, *numbers: int) -> None:
        """Let users do what triggers the campaign."""
        at = self.live.clock.now()
        records: list[Record] = []
        for number in numbers:
            user_id = f"u{number}"
            known = AttributeChange(user_id, {"seen": True, **self.provider.attributes(number)})
            records.append(AttributesReceived(at, [known]))
            device = self.provider.device(number)
            if device is not None:
                records.append(DevicesChanged(at, [DeviceChanged(user_id, device)]))
            records.append(EventsReceived(at, [Event(user_id, "go")]))
        await self.live.hand_in(records)

    async def wait(self, duration: int) -> None:
        """Let time pass, a little at once: messages are tried again on the way."""
        until = self.live.clock.now() + duration
        while self.live.clock.now() < until:
            await self.live.move_to(min(until, self.live.clock.now() + 90 * SECOND))

    def records_of(self, number: int) -> list[str]:
        """Return what the log says of a user's messages."""
        verdicts = [*self.live.runtime.outcomes.pending_verdicts()]
        verdicts = [*self.live.stores.snapshot.read_verdicts(), *verdicts]
        [send_id] = {one.send_id for one in verdicts if one.user_id == f"u{number}"} - {None}
        told: list[str] = []
        for block in self.live.stores.journal.read_log():
            for record in block.records:
                match record:
                    case SendsAttempted():
                        told += ["attempted" for one, _ in record.attempts if one == send_id]
                    case SendsDeferred():
                        told += ["deferred" for one, *_ in record.deferred if one == send_id]
                    case SendsSettled():
                        told += [
                            f"{one.settled_as} {one.reason or ''}".strip()
                            for one in record.settled
                            if one.send_id == send_id
                        ]
        return told

    def shortest_pause(self) -> int:
        """Return the shortest time that a message was put off for."""
        return min(
            again_at - record.received_at
            for block in self.live.stores.journal.read_log()
            for record in block.records
            if isinstance(record, SendsDeferred)
            for _, _, again_at, _ in record.deferred
        )

    def listed(self) -> list[tuple[str, str]]:
        page = self.letters.page(LetterFilter(), "", 100)
        return [(one.user_id, one.reason) for one in page]

    async def received(self) -> list[str]:
        """End; return whose receipts the follower saw, and see that a replay decides the same."""
        assert len(self.live.runtime.outcomes.outbox) == 0
        verdicts = await self.live.stop()
        compared = compare_with_record(self.live.stores.journal, self.live.stores.snapshot)
        assert compared.difference is None
        return [
            one.user_id for one in verdicts if (one.campaign, one.decision) == ("next", "enter")
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("providers")


@pytest.fixture
async def cell(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cell]:
    name, behaviour = request.param
    clock = FixedClock(START)
    provider = PROVIDERS[name](clock)
    timeout_s = provider.timeout_s if behaviour == "times_out" else PATIENT_S
    async with provider.open(folder, timeout_s) as settings:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        if not (folder / "certificate.pem").exists():  # mail goes without
            monkeypatch.delenv("SSL_CERT_FILE")
        senders = Senders(settings, clock, lambda _name: b"k" * 40)
        made = Cell(provider, LiveRuntime(START, senders, clock=clock))
        await made.begin()
        yield made
        await made.live.stop()
        await senders.close()


def cells(*behaviours: Behaviour) -> Any:
    wanted = [one for one in CELLS if one[1] in behaviours]
    return pytest.mark.parametrize(
        "cell", wanted, indirect=True, ids=[f"{name} {mood}" for name, mood in wanted]
    )


def expected_in(request: pytest.FixtureRequest) -> tuple[Expected, Behaviour]:
    name, behaviour = request.node.callspec.params["cell"]
    return TABLE[name][behaviour], behaviour


@cells("accepts", "breaks_before")
async def test_a_message_goes_out_once(cell: Cell, request: pytest.FixtureRequest) -> None:
    expected, behaviour = expected_in(request)
    cell.provider.behave(behaviour)
    await cell.go(1)
    await cell.wait(LATER)
    assert cell.records_of(1) == expected.records
    assert len(cell.provider.taken()) == expected.taken_count == 1
    assert cell.listed() == []
    assert await cell.received() == ["u1"]


@cells("throttles")
async def test_a_provider_that_throttles_gets_the_message_when_it_wants_it(
    cell: Cell, request: pytest.FixtureRequest
) -> None:
    expected, behaviour = expected_in(request)
    cell.provider.behave(behaviour)
    await cell.go(1)
    assert cell.provider.taken() == []
    assert cell.shortest_pause() >= cell.provider.pause_s * SECOND
    asked_count = cell.provider.asked_count()
    await cell.go(2)
    is_held = cell.provider.asked_count() == asked_count and cell.provider.taken() == []
    assert is_held == cell.provider.holds_others_when_throttled
    await cell.wait(LATER)
    assert cell.records_of(1) == expected.records
    assert cell.records_of(2)[-1] == "accepted"
    assert len(cell.provider.taken()) == len({*cell.provider.taken()}) == 2
    assert cell.listed() == []
    assert sorted(await cell.received()) == ["u1", "u2"]


@cells("is_down")
async def test_a_provider_that_is_down_is_left_alone_and_gets_all_messages_when_it_is_up(
    cell: Cell, request: pytest.FixtureRequest
) -> None:
    expected, behaviour = expected_in(request)
    cell.provider.behave(behaviour)
    numbers = range(1, DOWN_COUNT + 1)
    for number in numbers:
        await cell.go(number)
    assert cell.provider.taken() == []
    asked_count = cell.provider.asked_count()
    await cell.go(DOWN_COUNT + 1)
    is_left_alone = cell.provider.asked_count() == asked_count and cell.provider.taken() == []
    assert is_left_alone == cell.provider.has_breaker
    await cell.wait(LATER)
    first = cell.records_of(1)
    assert (first[:2], first[-2:]) == (expected.records[:2], expected.records[2:])
    assert len(cell.provider.taken()) == len({*cell.provider.taken()}) == DOWN_COUNT + 1
    assert cell.listed() == []
    assert len(await cell.received()) == DOWN_COUNT + 1


@cells("refuses")
async def test_a_message_that_is_refused_is_listed_and_goes_out_when_it_is_retried(
    cell: Cell, request: pytest.FixtureRequest
) -> None:
    expected, behaviour = expected_in(request)
    cell.provider.behave(behaviour)
    await cell.go(1)
    await cell.wait(LATER)
    assert cell.records_of(1) == expected.records
    assert cell.provider.taken() == []
    assert cell.listed() == [("u1", expected.letter)]
    assert (await cell.letters.retry({})).put_back == 1
    await cell.live.settle()
    assert cell.records_of(1) == [*expected.records, *ONCE.records]
    assert len(cell.provider.taken()) == 1
    assert cell.listed() == []
    assert await cell.received() == ["u1"]


@cells("breaks_after", "times_out")
async def test_a_message_that_may_have_arrived_goes_again_only_where_somebody_says_so(
    cell: Cell, request: pytest.FixtureRequest
) -> None:
    expected, behaviour = expected_in(request)
    cell.provider.behave(behaviour)
    await cell.go(1)
    await cell.wait(LATER)
    assert cell.records_of(1) == expected.records
    assert len(cell.provider.taken()) == expected.taken_count
    if expected.letter is None:
        assert cell.provider.is_resent
        assert cell.listed() == []
    else:
        assert cell.listed() == [("u1", expected.letter)]
        assert (await cell.letters.retry({})).put_back == 0
        assert len(cell.provider.taken()) == 1
        assert (await cell.letters.retry({"may_double": True})).put_back == 1
        await cell.live.settle()
    assert len(cell.provider.taken()) == 2
    assert len({*cell.provider.taken()}) == 1, "the provider can tell that they are the same"
    # A device replaces the first by the second; a mailbox and a phone's messages do not.
    assert cell.provider.shown_count() == (1 if cell.provider.channel == "push" else 2)
    assert await cell.received() == ["u1"]
