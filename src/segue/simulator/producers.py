"""Who calls a simulated server: apps with what people do, providers with what they report.

A call is made again until it is acknowledged, as `POST /events` asks for; sometimes more often.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from msgspec import Struct

from segue.errors import BusyError
from segue.model.devices import Device
from segue.model.events import AttributeChange, DeviceChanged, Event
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, to_datetime
from segue.model.interactions import DELIVERED_ACTS
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
)
from segue.runtime.ingest import Taken
from segue.runtime.runtime import Runtime
from segue.simulator.audit import MARK, BrokenError
from segue.simulator.documents import ZONES
from segue.simulator.habits import reactions, visit
from segue.simulator.world import EVENTS_A_CALL_MAX, World

USERS: Final = 6
_VISITS: Final = (
    ("go", 0.35),
    ("look", 0.2),
    ("purchase", 0.12),
    ("stop", 0.1),
    ("nobody-listens", 0.13),
)
_PAUSE_MAX_S: Final = 3_600.0  # between two tries
_PATIENCE: Final = 3 * SECOND  # then a call is made again, though the first may yet be answered
# What people do with a message, by how it was sent: opened, and clicked.
_ACTS: Final[dict[type[Any], tuple[str, str]]] = {
    RenderedEmail: ("email_open", "email_click"),
    RenderedPush: ("push_direct_open", "push_direct_open"),
    RenderedSms: ("sms_short_link_click", "sms_short_link_click"),
}
_NOTE_ACTS: Final = {
    "content_card": ("content_card_view", "content_card_click"),
    "in_app_message": ("in_app_message_view", "in_app_message_click"),
}

Ask = Callable[[Runtime], Coroutine[Any, Any, Any]]


class _Call(Struct):
    """Something a producer wants taken, and what tells its entries in the log."""

    what: str
    ask: Ask
    marks: list[tuple[str, str]]
    is_done: bool = False
    under_way: int = 0
    tries: int = 0


class Producers:
    """All of them; they have the patience of machines."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._dice = world.dice
        self._numbers = 0
        self._open: list[_Call] = []

    def begin(self) -> None:
        """Sign everybody up."""
        for number in range(USERS):
            user = f"u{number}"
            contact = {"email": f"{user}@people.test", "phone": f"+3247000000{number}"}
            self._change(user, {**contact, "first_name": user.upper()})
            self._register(user)

    def after_death(self) -> None:
        """Make every call again that the dead process left unanswered."""
        calls, self._open = self._open, []
        for call in calls:
            call.under_way = 0
            self._later(call)

    def visit(self) -> None:
        """Let somebody do a few things, told in one call."""
        user = f"u{int(self._dice.fraction() * USERS)}"
        count = 1 + int(self._dice.fraction() * EVENTS_A_CALL_MAX)
        self._send([self._event(user, visit(self._dice, _VISITS)) for _ in range(count)])

    def change_profile(self) -> None:
        """Let somebody's profile change."""
        dice = self._dice
        user = f"u{int(dice.fraction() * USERS)}"
        facts: tuple[dict[str, Any], ...] = (
            {"plan": dice.choice(("gold", "free", None))},
            {"time_zone": dice.choice((*ZONES, "Nowhere/Atoll"))},
            {"email": f"{user}-{self._number()}@people.test"},
            {f"{dice.choice(('email', 'sms', 'push'))}_subscribe": "unsubscribed"},
            {f"{dice.choice(('email', 'sms', 'push'))}_subscribe": "subscribed"},
        )
        self._change(user, dice.choice(facts))

    def change_device(self) -> None:
        """Let somebody get a device, perhaps one that was somebody else's."""
        self._register(f"u{int(self._dice.fraction() * USERS)}")

    def receive(self, message: Rendered) -> None:
        """Let a message reach its user, and its provider report of it."""
        dice, world = self._dice, self.world
        names = _ACTS.get(type(message))
        if isinstance(message, RenderedNote):
            names = _NOTE_ACTS[message.channel]
        report = _report_of(message)
        if report is not None and dice.happens(0.6):
            name = report if dice.happens(0.85) else report.replace("delivered", "bounce")
            self._report(message, name, int(dice.between(0.1, 60) * SECOND), 0.3)
        if names is None:
            return
        after = 0.0
        for reaction in reactions(dice):
            after += reaction.after_s * dice.choice((1, 1, 60, 1_000))
            name = names[1] if reaction.what == "click" else names[0]
            is_machine = reaction.what == "scan" if name == "email_open" else None
            self._report(message, name, int(after * SECOND), 0.05, machine=is_machine)
        if dice.happens(0.1):
            self._buy(message.user_id, int(after * SECOND) + MINUTE)
        world.tell(f"reached {message.user_id}")

    def _buy(self, user: str, in_micros: int) -> None:
        self.world.plan(in_micros, "buys", lambda: self._send([self._event(user, "purchase")]))

    def _report(
        self,
        message: Rendered,
        name: str,
        in_micros: int,
        again: float,
        machine: bool | None = None,
    ) -> None:
        event = Event(
            message.user_id,
            name,
            id=f"e{self._number()}",
            campaign=message.campaign,
            variant=message.variant or None,
            send_id=message.send_id,
            machine=machine,
            link="https://shop.test/1" if name.endswith("_click") else None,
        )
        self.world.plan(in_micros, name, lambda: self._send([event]))
        if self.world.faults.throw("duplicate", again):
            self.world.faults.count("reports that came twice")
            later = in_micros + self._dice.choice((0, SECOND, HOUR, 25 * HOUR))
            self.world.plan(later, f"{name} again", lambda: self._send([event]))

    def _event(self, user: str, name: str) -> Event:
        event = Event(user, name, id=f"e{self._number()}")
        if name == "purchase":
            event.product_id, event.price, event.currency = "sku-1", 20.0, "EUR"
        if self.world.faults.throw("reorder", 0.15):
            self.world.faults.count("events that came late")
            ago = self._dice.choice((SECOND, 10 * MINUTE, 5 * HOUR, DAY))
            event.time = to_datetime(self.world.clock.now() - ago)
        return event

    def _send(self, events: Sequence[Event]) -> None:
        marks = [(event.user_id, event.id or "") for event in events]
        what = f"call with {', '.join(mark for _, mark in marks)}"

        async def ask(runtime: Runtime) -> Taken:
            return await runtime.ingest.take_events(list(events))

        self._begin(_Call(what, ask, marks))
        if self.world.faults.throw("duplicate", 0.08):
            self.world.faults.count("calls made twice")
            again = self._dice.choice((0, 0, SECOND, MINUTE, 3 * HOUR, 30 * HOUR))
            call = _Call(f"{what} again", ask, marks)
            self.world.plan(again, call.what, lambda: self._begin(call))

    def _change(self, user: str, attributes: dict[str, Any]) -> None:
        mark = f"a{self._number()}"
        change = AttributeChange(user, {**attributes, MARK: mark})

        async def ask(runtime: Runtime) -> None:
            await runtime.ingest.take_attributes([change])

        self._begin(_Call(f"profile change {mark}", ask, [(user, mark)]))

    def _register(self, user: str) -> None:
        dice = self._dice
        is_handed_on = dice.happens(0.2)
        token = f"token-{int(dice.fraction() * USERS) if is_handed_on else self._number()}"
        device = Device(dice.choice(("phone", "tablet")), dice.choice(("ios", "android")), token)
        change = DeviceChanged(user, device)

        async def ask(runtime: Runtime) -> None:
            await runtime.ingest.take_devices([change])

        self._begin(_Call(f"device {token}", ask, [(user, token)]))

    def _begin(self, call: _Call) -> None:
        """Make a call, if nobody has acknowledged it yet."""
        if call.is_done:
            return
        server = self.world.server
        if server is None:
            self._later(call)
            return
        call.under_way += 1
        self._open.append(call)
        server.call(call.ask(server.runtime), lambda task: self._ended(call, task))
        if self.world.faults.throw("duplicate", 0.3):
            self.world.plan(_PATIENCE, f"{call.what}?", lambda: self._insist(call))

    def _insist(self, call: _Call) -> None:
        """Make a call once more, though it may yet be answered."""
        if call.under_way and not call.is_done:
            self.world.faults.count("calls made again for want of patience")
            self._begin(call)

    def _later(self, call: _Call) -> None:
        call.tries += 1
        pause = int(self._dice.between(0.2, min(2**call.tries, _PAUSE_MAX_S)) * SECOND)
        self.world.plan(pause, f"retry {call.what}", lambda: self._begin(call))

    def _ended(self, call: _Call, task: "asyncio.Task[Any]") -> None:
        call.under_way -= 1
        self._open.remove(call)
        error = task.exception()
        if error is not None:
            what = "calls refused as too many" if isinstance(error, BusyError) else "calls failed"
            self.world.faults.count(what)
            self._later(call)
            return
        call.is_done = True
        self.world.tell(f"acknowledged {call.what}")
        self.world.witness.check(lambda: self._acknowledged(call, task.result()))

    def _acknowledged(self, call: _Call, result: object) -> None:
        if isinstance(result, Taken):
            answered = result.accepted + result.duplicates
            if answered != len(call.marks):
                raise BrokenError(f"{call.what} has {len(call.marks)} events: {result}")
        self.world.witness.acknowledged(call.what, call.marks)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _report_of(message: Rendered) -> str | None:
    match message:
        case RenderedEmail():
            return DELIVERED_ACTS["email_receive"]
        case RenderedSms():
            return DELIVERED_ACTS["sms_receive"]
        case RenderedPush() | RenderedWebhook() | RenderedNote():
            return None
