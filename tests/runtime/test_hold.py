"""The emergency brake: nothing is handed over while it is on, and all of it goes afterwards."""

import asyncio

from segue.channels.sender import Accepted, Answer
from segue.model.events import Event
from segue.model.instants import HOUR, MINUTE
from segue.model.limits import SENDERS_MAX
from segue.model.log_records import EventsReceived
from segue.model.rendered import Rendered
from segue.runtime.hold import SendingHold
from tests.runtime.test_send_limits import START, Provider, ends, published, started, went

ALONE = SENDERS_MAX * 3 // 4  # what one campaign gets of the places for hand-overs


class SlowProvider(Provider):
    """A sender that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.is_full = asyncio.Event()

    async def send(self, message: Rendered) -> Answer:
        self.handed.append((self.clock(), message.user_id))
        if len(self.handed) == ALONE:
            self.is_full.set()
        await self.may_answer.wait()
        return Accepted("ok")


class BrakedProvider(Provider):
    """A sender at whose turn somebody stops everything, if they hold the brake."""

    brake: SendingHold | None = None

    def turn(self, message: Rendered, now: int) -> int:
        if self.brake is not None:
            self.brake.begin("ann@shop.test")
        return now


async def test_while_sending_is_held_events_are_decided_about_and_nothing_goes() -> None:
    provider = Provider()
    live = await started(provider)
    await live.hand_in([published()])
    live.runtime.hold.begin("ann@shop.test")
    await live.hand_in([went(START, "a", "b")])
    await live.move_to(START + HOUR)
    assert provider.handed == []
    assert len(live.runtime.outcomes.outbox) == 2
    assert live.runtime.problem() is None
    assert live.runtime.resume_sending()
    await live.settle()
    assert provider.handed == [(START + HOUR, "a"), (START + HOUR, "b")]
    assert ends(await live.stop()) == {"a": "send", "b": "send"}


async def test_a_hold_and_what_it_holds_survive_a_crash() -> None:
    provider = Provider()
    live = await started(provider)
    await live.hand_in([published()])
    live.runtime.hold.begin("ann@shop.test")
    await live.hand_in([went(START, "a")])
    await live.crash()
    await live.start()
    state = live.runtime.hold.state
    assert state is not None
    assert (state.since, state.by) == (START, "ann@shop.test")
    await live.move_to(START + MINUTE)
    assert provider.handed == []
    live.runtime.resume_sending()
    await live.settle()
    assert [user for _, user in provider.handed] == ["a"]
    await live.stop()
    await live.start()
    assert live.runtime.hold.state is None
    await live.stop()


async def test_what_is_being_handed_over_ends_and_nothing_new_begins() -> None:
    provider = SlowProvider()
    live = await started(provider)
    await live.hand_in([published()])
    users = [f"u{number}" for number in range(ALONE + 5)]
    events = [EventsReceived(START, [Event(user, "go") for user in users])]
    await live.runtime.decided(live.runtime.commits.hand_in_all(lambda _at: events))
    await provider.is_full.wait()
    live.runtime.hold.begin("ann@shop.test")
    provider.may_answer.set()
    await live.settle()
    assert len(provider.handed) == ALONE
    assert len(live.runtime.outcomes.outbox) == 5
    live.runtime.resume_sending()
    await live.settle()
    assert sorted(user for _, user in provider.handed) == sorted(users)
    assert set(ends(await live.stop()).values()) == {"send"}


async def test_messages_that_were_made_and_not_yet_begun_wait_and_keep_their_place() -> None:
    """A limit of recipients counts each of them once, however often it is looked at."""
    provider = BrakedProvider()
    live = await started(provider)
    await live.hand_in([published(recipients_max=2)])
    provider.brake = live.runtime.hold
    await live.hand_in([went(START, "a", "b")])
    assert provider.handed == []
    provider.brake = None
    live.runtime.resume_sending()
    await live.settle()
    assert [user for _, user in provider.handed] == ["a", "b"]
    assert ends(await live.stop()) == {"a": "send", "b": "send"}


async def test_ending_a_hold_that_is_none_says_so() -> None:
    live = await started(Provider())
    assert not live.runtime.resume_sending()
    await live.stop()
