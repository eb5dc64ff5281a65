"""One life of a simulated server: the real runtime on a loop of its own, until its end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from segue.channels.inbox import InboxSender
from segue.clock import Clock
from segue.content.render import Renderer
from segue.model.instants import HOUR, SECOND
from segue.model.rendered import Rendered
from segue.runtime.rendering import LiveRenders
from segue.runtime.runtime import Runtime
from segue.simulator.disk import Disk
from segue.simulator.faults import Faults
from segue.simulator.oracle import Oracle
from segue.simulator.providers import Providers
from segue.simulator.virtual_loop import VirtualLoop
from segue.simulator.witness import Witness
from segue.storage.ports import Position

_STOP_TAKES_MAX: Final = 60 * SECOND
_STEP: Final = SECOND // 5
_Task = Coroutine[Any, Any, Any]


class Outside:
    """What a server meets beyond itself, whichever life it is in."""

    def __init__(
        self,
        disk: Disk,
        faults: Faults,
        witness: Witness,
        oracle: Oracle,
        clock: Clock,
        renderer: Renderer,
        deliver: Callable[[Rendered], None],
    ) -> None:
        self.disk = disk
        self.faults = faults
        self.witness = witness
        self.oracle = oracle
        self.clock = clock
        self.renderer = renderer
        self.deliver = deliver


class Server:
    """A process; time passes in it while `run_until` runs."""

    def __init__(self, outside: Outside, micros: int) -> None:
        self.loop = VirtualLoop(micros, outside.faults)
        self._outside = outside
        journal, snapshot = outside.disk.journal, outside.disk.snapshot
        self.providers = Providers(
            self.loop,
            outside.faults,
            outside.witness,
            InboxSender(journal.inbox, outside.clock),
            self._due_of,
            outside.deliver,
        )
        self.runtime = Runtime(
            journal,
            snapshot,
            self.providers,
            lambda runtime: LiveRenders(runtime, outside.renderer),
            outside.clock,
        )
        self.tasks: set[asyncio.Task[Any]] = set()  # of those who call it

    def start(self) -> None:
        """Begin to work; `runtime.recover` comes first."""
        starting = self.loop.create_task(self.runtime.start())
        self.loop.run_until(self.loop.micros)
        if starting.done():
            starting.result()

    def call(self, work: _Task, done: Callable[["asyncio.Task[Any]"], None]) -> None:
        """Let somebody ask something of it; `done` is called unless it dies before."""
        task = self.loop.create_task(work)
        self.tasks.add(task)

        def ended(task: "asyncio.Task[Any]") -> None:
            self.tasks.discard(task)
            if not self.loop.is_killed:
                done(task)

        task.add_done_callback(ended)

    def is_quiet(self) -> bool:
        """Return whether nothing happens before a timer, a late answer or a call comes."""
        runtime, loop = self.runtime, self.loop
        outbox, now = runtime.outcomes.outbox, self._outside.clock.now()
        next_ready = outbox.next_ready_at()
        has_decided = (
            not self.tasks
            and runtime.processor.position.seq == runtime.commits.last_seq
            and runtime.timers.next_due() > now
        )
        return (
            (has_decided or self._waits_for_room)
            and loop.is_without_calls
            and runtime.commits.is_idle
            and runtime.dispatcher.under_way_count == len(self.providers.wakes_at)
            and (next_ready is None or next_ready > now or runtime.hold.is_on)
        )

    def next_at(self) -> int:
        """Return the loop's time at which something comes by itself, when all is quiet."""
        clock, micros = self._outside.clock, self.loop.micros
        wanted = [] if self._waits_for_room else [self.runtime.timers.next_due()]
        next_ready = self.runtime.outcomes.outbox.next_ready_at()
        if next_ready is not None and not self.runtime.hold.is_on:
            wanted.append(next_ready)
        after = [max(at - clock.now(), 1) + micros for at in wanted]
        return min([*after, *self.providers.wakes_at], default=micros + HOUR)

    @property
    def _waits_for_room(self) -> bool:
        """Whether deciding waits until messages have gone out."""
        return len(self.runtime.outcomes.outbox) > self.runtime.processor.outbox_max

    def stop(self) -> bool:
        """End in order; return whether it did, and was not killed on the way."""
        stopping = self.loop.create_task(self.runtime.stop())
        until = self.loop.micros + _STOP_TAKES_MAX
        while not stopping.done() and self.loop.micros < until:
            if not self.loop.run_until(self.loop.micros + _STEP):
                return False
        if stopping.done():
            stopping.result()
        return stopping.done()

    def expected(self) -> Oracle:
        """Return what the log says is so at the position that the server has come to."""
        position = self.runtime.processor.position
        return self._outside.oracle.at(position, self.runtime.timers.first_unfired(position.now))

    def _due_of(self, send_id: str) -> tuple[int | None, int]:
        position: Position = self.runtime.processor.position
        return self.expected().book.due.get(send_id), position.now
