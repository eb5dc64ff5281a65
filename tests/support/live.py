"""A real runtime in this process, on stores in memory and a clock that tests move."""

import asyncio
from collections.abc import Sequence

from segue.channels.coded import CodedSenders
from segue.clock import FixedClock
from segue.content.codes import CodeMaker
from segue.content.render import Renderer
from segue.content.short_links import Shortener
from segue.content.tokens import TokenSigner
from segue.model.devices import Device
from segue.model.events import DeviceChanged
from segue.model.log_records import DevicesChanged, Record
from segue.model.verdicts import Verdict
from segue.runtime.dispatcher import Sends
from segue.runtime.rendering import LiveRenders
from segue.runtime.runtime import Runtime
from segue.storage.open import Stores, open_memory
from tests.support.mailbox import KeptMessages

SIGNER = TokenSigner(b"k" * 32)
QUIET_LOOKS = 3  # in a row: then nothing more will happen before the clock moves


def phones_of(at: int, *user_ids: str) -> DevicesChanged:
    """Return the record of a device for each user, so that push can reach them."""
    phones = [(user_id, Device("phone", "android", f"token-of-{user_id}")) for user_id in user_ids]
    return DevicesChanged(at, [DeviceChanged(user_id, phone) for user_id, phone in phones])


class LiveRuntime:
    """Start it, hand records in, move the clock; stop or crash it, and start it again."""

    def __init__(
        self,
        start: int,
        senders: Sends | None = None,
        mailbox: KeptMessages | None = None,
        clock: FixedClock | None = None,
    ) -> None:
        self.clock = clock or FixedClock(start)
        self.stores: Stores = open_memory()
        self.mailbox = mailbox or KeptMessages(self.clock)
        codes = CodeMaker(b"c" * 32)
        self._senders: Sends = senders or CodedSenders(
            self.mailbox, self.stores.journal.codes, codes, self.clock
        )
        self._renderer = Renderer(
            "http://segue.test",
            SIGNER,
            self.clock,
            default_from="Shop <hi@shop.test>",
            shortener=Shortener("http://s.test", codes),
        )
        self.runtime = self._new_runtime()

    async def start(self) -> None:
        """Recover what the log holds, and begin to work."""
        self.runtime = self._new_runtime()
        self.runtime.recover()
        await self.runtime.start()
        await self.settle()

    async def hand_in(self, records: Sequence[Record]) -> None:
        """Commit records of the present instant together, and let all that follows happen."""
        await self.runtime.decided(self.runtime.commits.hand_in_all(lambda _at: records))
        await self.settle()

    async def move_to(self, instant: int) -> None:
        """Let time pass, with all that is due on the way."""
        self.clock.advance(max(instant - self.clock.now(), 0))
        await self.settle()

    async def settle(self) -> None:
        """Return once nothing more happens at this instant."""
        quiet = 0
        while quiet < QUIET_LOOKS:
            for loop in (
                self.runtime.processor,
                self.runtime.dispatcher,
                self.runtime.scheduler,
            ):
                loop.nudge()
            await asyncio.sleep(0.001)
            quiet = quiet + 1 if self._is_quiet() else 0

    async def checkpoint(self) -> None:
        """Write a checkpoint now."""
        await self.runtime.checkpoints.write(lambda: self.runtime.processor.position)

    async def stop(self) -> list[Verdict]:
        """End in order; return everything that was decided since the beginning."""
        await self.runtime.stop()
        return list(self.stores.snapshot.read_verdicts())

    async def crash(self) -> None:
        """End as a power cut would: nothing more is written down."""
        tasks = self.runtime._tasks
        while not all(task.done() for task in tasks):
            for task in tasks:
                task.cancel()  # again, since Python 3.11's `wait_for` may swallow one
            await asyncio.wait(tasks, timeout=0.01)
        self.runtime.commits.thread.shutdown()
        self.runtime.checkpoints.thread.shutdown()

    def _is_quiet(self) -> bool:
        runtime = self.runtime
        problem = runtime.problem()
        assert problem is None, problem
        next_ready = runtime.outcomes.outbox.next_ready_at()
        return (
            runtime.commits.is_idle
            and runtime.processor.position.seq == runtime.commits.last_seq
            and runtime.processor.fold.now >= self.clock.now()
            and not runtime.dispatcher.is_busy
            and (next_ready is None or next_ready > self.clock.now() or self.runtime.hold.is_on)
        )

    def _new_runtime(self) -> Runtime:
        return Runtime(
            self.stores.journal,
            self.stores.snapshot,
            self._senders,
            lambda runtime: LiveRenders(runtime, self._renderer),
            self.clock,
        )
