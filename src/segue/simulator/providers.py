"""The providers of a simulated world: they take, refuse, put off, answer late, or not at all.

They outlive the processes that call them, as real ones do; devices fetch from the real inbox.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from segue.channels.inbox import InboxSender
from segue.channels.push import together
from segue.channels.registry import channel_of
from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.model.channels import DEVICE_CHANNELS
from segue.model.instants import SECOND
from segue.model.rendered import Rendered, RenderedPush
from segue.simulator.faults import Faults
from segue.simulator.virtual_loop import VirtualLoop
from segue.simulator.witness import Witness


class SenderFailedError(Exception):
    """A sender that broke its promise not to raise."""


class Providers:
    """All senders of one process, behind one face; what they have seen is the witness's."""

    def __init__(
        self,
        loop: VirtualLoop,
        faults: Faults,
        witness: Witness,
        inbox: InboxSender,
        due_of: Callable[[str], tuple[int | None, int]],
        deliver: Callable[[Rendered], None],
    ) -> None:
        """Take what tells when a send was due and what time it is, and whom messages reach."""
        self.wakes_at: list[int] = []  # of the loop's time: when late answers come
        self._loop = loop
        self._faults = faults
        self._witness = witness
        self._inbox = inbox
        self._due_of = due_of
        self._deliver = deliver

    async def send(self, message: Rendered) -> Answer:
        """Take a message, or not, and answer, or not."""
        channel = channel_of(message)
        key = f"{message.send_id}/{channel}"
        if self._loop.is_killed:
            return Unknown("the process is dead")
        for _ in range(2 if "send_twice" in self._faults.bugs else 1):
            self._witness.check(partial(self._witness.called, key, *self._due_of(message.send_id)))
        if self._faults.throw("late", 0.12):
            self._faults.count("late answers of providers")
            await self._wait(int(self._faults.dice.between(0.5, 25) * SECOND))
        if channel in DEVICE_CHANNELS:
            return await self._keep(message, key)
        if isinstance(message, RenderedPush):
            return await self._push(message, key)
        return await self._answer(message, key)

    def turn(self, _message: Rendered, now: int) -> int:
        """Return when the provider takes the message: sometimes only in some seconds."""
        if self._faults.throw("late", 0.03):
            self._faults.count("turns kept for later")
            return now + int(self._faults.dice.between(1, 90) * SECOND)
        return now

    async def _wait(self, micros: int) -> None:
        """Wait; the world may skip to the end of it when nothing else goes on."""
        wakes_at = self._loop.micros + micros
        self.wakes_at.append(wakes_at)
        try:
            await asyncio.sleep(micros / SECOND)
        finally:
            self.wakes_at.remove(wakes_at)

    async def _keep(self, message: Rendered, key: str) -> Answer:
        answer = await self._inbox.send(message)
        if isinstance(answer, Accepted):
            self._take(message, key)
        return answer

    async def _answer(self, message: Rendered, key: str) -> Answer:
        faults = self._faults
        if faults.throw("refuse", 0.06):
            faults.count("messages refused by providers")
            return Refused("no", is_address_dead=faults.dice.happens(0.2))
        if faults.throw("refuse", 0.08):
            faults.count("messages put off by providers")
            return TryLater("not now", faults.dice.choice((None, 1.0, 600.0)))
        if faults.throw("silence", 0.06):
            return await self._be_silent(message, key)
        self._take(message, key)
        return Accepted("taken")

    async def _be_silent(self, message: Rendered, key: str) -> Answer:
        """Take the message or not, and say nothing: the sender gives up, or fails."""
        faults = self._faults
        faults.count("answers of providers that never came")
        if faults.dice.happens(0.5):
            self._take(message, key)
        await self._wait(30 * SECOND)
        if faults.dice.happens(0.2):
            raise SenderFailedError("the connection broke, and the sender with it")
        return Unknown("no answer in 30 seconds")

    async def _push(self, message: RenderedPush, key: str) -> Answer:
        """Let each device be answered for by itself."""
        faults, answers = self._faults, []
        for device in message.devices:
            answer: Answer = Accepted("taken")
            if faults.throw("refuse", 0.08):
                answer = Refused("no such device", is_address_dead=faults.dice.happens(0.7))
            elif faults.throw("refuse", 0.08):
                answer = TryLater("not now")
            elif faults.throw("silence", 0.08):
                answer = Unknown("no answer")
            if isinstance(answer, Accepted) or (
                isinstance(answer, Unknown) and faults.dice.happens(0.5)
            ):
                self._take(message, key, device.token)
            answers.append((device, answer))
        if self._loop.is_killed:
            return Unknown("the process is dead")
        return together(answers)

    def _take(self, message: Rendered, key: str, device: str = "") -> None:
        """Have a message for good, whether or not anybody hears of it."""
        if self._loop.is_killed or "forget_messages" in self._faults.bugs:
            return
        self._witness.check(lambda: self._witness.took(key, device))
        self._deliver(message)
