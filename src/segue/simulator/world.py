"""A world by seed: a server that fails and comes back, and everybody who deals with it.

It goes from one action to the next; in between time passes, and skips where nothing happens.
After each action every invariant is looked at.
"""

import heapq
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from segue.clock import Clock
from segue.content.render import Renderer
from segue.content.tokens import TokenSigner
from segue.errors import SegueError
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from segue.model.rendered import Rendered
from segue.runtime.replay import compare_with_record
from segue.simulator import compare
from segue.simulator.audit import Audit, BrokenError
from segue.simulator.dice import Dice
from segue.simulator.disk import Disk, MemoryDisk
from segue.simulator.faults import ALL, Bug, Fault, Faults
from segue.simulator.oracle import Oracle
from segue.simulator.server import Outside, Server
from segue.simulator.witness import Witness

# A little before the clocks of some place change, so that days of 23 and 25 hours come.
_STARTS: Final = ("2026-03-27T20:00:00Z", "2026-10-24T06:00:00Z", "2026-06-10T10:00:00Z")
_STEP: Final = SECOND // 5  # of dense time, between two looks whether all is quiet
_DENSE_MAX: Final = 40 * SECOND  # of dense time before an action, however much goes on
_REST: Final = 4 * DAY  # in the end: longer than a message is tried again
_COMPARED_ONE_IN: Final = 4  # worlds: `segue replay` folds the log once more, as the oracle did
_ROUND: Final = 20 * SECOND
_ROUNDS_MAX: Final = 30
_TURNS_TO_KILL_MAX: Final = 60
_GONE_AT_THE_END: Final = ("entries to decide", "messages to hand over", "turns of messages")
EVENTS_A_CALL_MAX: Final = 4


class WorldClock:
    """The machine's clock: the loop's time, and by how much it was put wrong."""

    def __init__(self, began_at: int, dice: Dice) -> None:
        self.began_at = began_at
        self.wrong_by = 0
        self.micros: Callable[[], int] = lambda: 0
        self._dice = dice

    def now(self) -> int:
        """Return the instant on the wall."""
        return self.began_at + self.micros() + self.wrong_by

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.micros() / SECOND

    def token(self, byte_count: int) -> bytes:
        """Return bytes that follow from the seed."""
        return b"".join(int(self._dice.fraction() * 256).to_bytes() for _ in range(byte_count))

    def jitter(self) -> float:
        """Return a fraction that follows from the seed."""
        return self._dice.fraction()

    async def sleep(self, seconds: float) -> None:
        """Nothing in the runtime sleeps on its clock."""
        raise NotImplementedError


class Scenario(Struct, frozen=True):
    """What makes a world; the same gives the same, to the byte."""

    seed: int
    days: float = 2.0
    faults: frozenset[Fault] = ALL
    bugs: frozenset[Bug] = frozenset()


class World:
    """Everything of one seed."""

    def __init__(self, scenario: Scenario, disk: Callable[[Faults], Disk] = MemoryDisk) -> None:
        seed = str(scenario.seed)
        self.scenario = scenario
        self.dice = Dice(f"{seed}/world")
        self.faults = Faults(seed, scenario.faults, scenario.bugs)
        self.disk = disk(self.faults)
        self.clock = WorldClock(parse_instant(self.dice.choice(_STARTS)), Dice(f"{seed}/clock"))
        self.audit = Audit(self.disk.journal, self.disk.trouble)
        self.witness = Witness(self.audit)
        self.oracle = Oracle(self.disk.journal)
        self.steps = 0
        self.deliver: Callable[[Rendered], None] = lambda _message: None
        self.on_death: Callable[[], None] = lambda: None
        self.trace: list[str] = []
        self.server: Server | None = None
        self._micros = 0
        self._actions: list[tuple[int, int, str, Callable[[], None]]] = []
        self._number = 0
        clock: Clock = self.clock
        self._outside = Outside(
            self.disk,
            self.faults,
            self.witness,
            self.oracle,
            clock,
            Renderer("http://segue.test", TokenSigner(b"k" * 32), clock),
            self._deliver,
        )
        self.clock.micros = lambda: self.micros

    @property
    def micros(self) -> int:
        """The time since the world began."""
        return self.server.loop.micros if self.server is not None else self._micros

    @property
    def fingerprint(self) -> str:
        """What tells this run from every other."""
        return blake2b("\n".join(self.trace).encode(), digest_size=8).hexdigest()

    def tell(self, what: str) -> None:
        """Note what happens, with its time."""
        self.trace.append(f"{self.micros} {what}")

    def plan(self, in_micros: int, what: str, action: Callable[[], None]) -> None:
        """Have something done after a time."""
        self._number += 1
        heapq.heappush(self._actions, (self.micros + in_micros, self._number, what, action))

    def run(self, until: int) -> None:
        """Let the world go on until so long after its beginning.

        Raises:
            BrokenError: an invariant does not hold.
        """
        while self._actions and self._actions[0][0] <= until:
            at, _, what, action = heapq.heappop(self._actions)
            self._pass_time(at)
            self.steps += 1
            self.tell(what)
            action()
            self._settle_a_moment()
            self.check()

    def begin_life(self) -> None:
        """Start the server: it recovers, and then knows what the whole log makes of it."""
        self.audit.life += 1
        self.audit.catch_up()
        server = Server(self._outside, self._micros)
        self._shrink(server)
        self.server = server
        try:
            server.runtime.recover()
        except SegueError as error:
            raise BrokenError(f"a restart failed: {error}") from error
        self.tell(f"life {self.audit.life} from {server.runtime.processor.position}")
        self.check_all()
        server.start()

    def arm_kill(self) -> None:
        """Let the server be killed at one of the next awaits."""
        if self.server is not None:
            turns = int(self.dice.fraction() * _TURNS_TO_KILL_MAX)
            self.server.loop.kill_in(turns)

    def restart(self) -> None:
        """Stop the server in order, and start it again."""
        if self.server is None:
            return
        if self.server.stop():
            self.faults.count("orderly restarts")
            self._micros = self.server.loop.micros
            self.check_all()
            self.server.loop.dispose()
            self.server = None
            self.on_death()
            self.begin_life()
        else:
            self._die()

    def check(self) -> None:
        """Look at what costs little to look at."""
        self._raise_broken()
        self.audit.catch_up()
        server = self.server
        if server is None:
            return
        runtime, expected = server.runtime, server.expected()
        compare.check_bounds(runtime, EVENTS_A_CALL_MAX)
        compare.check_states(runtime, expected)
        if runtime.checkpoints.position_being_written is None:
            compare.check_verdicts(runtime, expected, self.disk.verdict_count)
        slugs = sorted(runtime.plan.campaigns)
        if slugs:
            compare.check_counters(runtime, expected, slugs[self.steps % len(slugs)])
        if server.loop.failure is not None:
            raise BrokenError(f"nobody caught {server.loop.failure!r}")

    def check_all(self) -> None:
        """Look at everything; the server stands still, and has come to the end of its log."""
        server = self.server
        assert server is not None  # noqa: S101 - asked while there is one
        runtime, expected = server.runtime, server.expected()
        self.check()
        compare.check_record(runtime, expected)
        compare.check_timers(runtime, expected)
        compare.check_outbox(runtime, expected, self.audit)
        compare.check_walks(runtime, expected)
        compare.check_campaigns(runtime, self.audit)
        for slug in runtime.plan.campaigns:
            compare.check_counters(runtime, expected, slug)

    def come_to_rest(self) -> None:
        """Let nothing go wrong any more, and see that everything comes to its end.

        Raises:
            BrokenError: something does not.
        """
        self.faults.is_over = True
        self.disk.trouble.is_full = False
        if self.server is None:
            self.begin_life()
        assert self.server is not None  # noqa: S101 - begun above
        self.server.loop.kill_in(None)
        self.server.runtime.resume_sending()
        end = self.micros + _REST
        while self._actions:
            self.run(self._actions[0][0])
        self._pass_time(end)
        for _ in range(_ROUNDS_MAX):
            if not self._left():
                break
            self._pass_time(self.micros + _ROUND)  # what has just come due goes its way
        server = self.server
        if (problem := server.runtime.problem()) is not None:
            raise BrokenError(f"in the end the server does not work: {problem}")
        if left := self._left():
            raise BrokenError(f"in the end there is left: {left}")
        self.check_all()
        self.witness.at_the_end()
        if not server.stop():
            raise BrokenError("the server does not stop")
        self.check_all()
        if self.scenario.seed % _COMPARED_ONE_IN == 0:
            self._compare_with_record()

    def close(self) -> None:
        """Clear everything away."""
        if self.server is not None:
            self.server.loop.dispose()
            self.server = None
        self.disk.close()

    def _left(self) -> dict[str, int]:
        """Return what is yet to come to its end."""
        assert self.server is not None  # noqa: S101 - asked in the end, when there is one
        kept = self.server.runtime.kept_counts()
        left = {what: kept[what] for what in _GONE_AT_THE_END} | {"calls": len(self.server.tasks)}
        return {what: count for what, count in left.items() if count}

    def _compare_with_record(self) -> None:
        compared = compare_with_record(self.disk.journal, self.disk.snapshot)
        if compared.difference is not None:
            raise BrokenError(f"a replay of the log decides differently: {compared.difference}")

    def _shrink(self, server: Server) -> None:
        """Give the server bounds that a small world comes to."""
        runtime = server.runtime
        runtime.ingest.backlog_max = 6
        runtime.processor.outbox_max = self.dice.choice((4, 12, 1_000))
        runtime.processor.timers_at_once_max = 2
        runtime.states.cache_max = 3

    def _pass_time(self, until: int) -> None:
        """Let time pass; where nothing happens, it skips."""
        if self.server is None:
            self._micros = max(self._micros, until)
            return
        dense_until = self.server.loop.micros + _DENSE_MAX
        while (server := self.server) is not None and self.micros < until:
            if server.is_quiet() or server.loop.micros >= dense_until:
                target = min(until, server.next_at()) if self._is_exact() else until
                server.loop.skip_to(max(target, server.loop.micros))
            if not server.loop.run_until(min(server.loop.micros + _STEP, until)):
                self._die()
            self._raise_broken()
        self._micros = max(self._micros, until)

    def _is_exact(self) -> bool:
        return self.dice.happens(0.5)

    def _settle_a_moment(self) -> None:
        """Let what was just begun come some of its way, so that much goes on at once."""
        if self.server is None:
            return
        micros = int(self.dice.choice((0.0, 0.001, 0.004, 0.02, 0.2)) * SECOND)
        if not self.server.loop.run_until(self.server.loop.micros + micros):
            self._die()

    def _die(self) -> None:
        """Lose the process, and start another after a while."""
        server = self.server
        assert server is not None  # noqa: S101 - it has just died
        self.disk.trouble.is_off = True
        self.faults.count("kills")
        self.tell(f"killed at {server.runtime.processor.position}")
        self._micros = server.loop.micros
        self.server = None
        server.loop.dispose()
        self.disk.power_cut()
        self._raise_broken()
        self.on_death()
        pause = self.dice.choice((0, SECOND, MINUTE, HOUR, 3 * HOUR))
        self.plan(pause, "start", self._begin_again)

    def _begin_again(self) -> None:
        if self.server is None:
            self.begin_life()

    def _deliver(self, message: Rendered) -> None:
        self.tell(f"message {message.send_id} {type(message).__name__}")
        self.deliver(message)

    def _raise_broken(self) -> None:
        if self.witness.broken is not None:
            raise BrokenError(self.witness.broken)
