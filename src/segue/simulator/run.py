"""One seed: make the world, let it go on for its days, and say what happened and what broke."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct, field

from segue.model.instants import DAY, HOUR, MINUTE, SECOND
from segue.simulator.audit import BrokenError
from segue.simulator.disk import Disk, MemoryDisk
from segue.simulator.faults import ALL, Faults
from segue.simulator.operators import Operators
from segue.simulator.producers import Producers
from segue.simulator.world import Scenario, World

_TOLD_MAX: Final = 25  # last lines of a broken world's trace
# How long until the next thing happens: (share, from, to), in microseconds.
_GAPS: Final = (
    (0.45, 0, 2 * SECOND),
    (0.30, 10 * SECOND, 10 * MINUTE),
    (0.20, 10 * MINUTE, 3 * HOUR),
    (0.05, 3 * HOUR, 14 * HOUR),
)


class Report(Struct, frozen=True):
    """What became of a world."""

    seed: int
    days: float
    steps: int
    fingerprint: str
    tried: dict[str, int]
    broken: str | None = None  # in a sentence
    command: str = ""  # that makes it happen again
    last: list[str] = field(default_factory=list)  # of the trace


def simulate(scenario: Scenario, disk: Callable[[Faults], Disk] = MemoryDisk) -> Report:
    """Let a world live, and report."""
    return simulate_traced(scenario, disk)[0]


def simulate_traced(
    scenario: Scenario, disk: Callable[[Faults], Disk] = MemoryDisk
) -> tuple[Report, list[str]]:
    """Let a world live, and return the report and everything that happened."""
    world = World(scenario, disk)
    broken: str | None = None
    try:
        _Life(world).live()
    except BrokenError as error:
        broken = str(error)
    finally:
        world.close()
    report = Report(
        seed=scenario.seed,
        days=scenario.days,
        steps=world.steps,
        fingerprint=world.fingerprint,
        tried=dict(sorted(_tried(world).items())),
        broken=broken,
        command=command_of(scenario) if broken else "",
        last=world.trace[-_TOLD_MAX:] if broken else [],
    )
    return report, world.trace


def command_of(scenario: Scenario) -> str:
    """Return the command that makes a world happen again."""
    wanted = ",".join(sorted(scenario.faults)) if scenario.faults else "none"
    faults = "" if scenario.faults == ALL else f" --faults {wanted}"
    bugs = "".join(f" --bug {bug}" for bug in sorted(scenario.bugs))
    return f"segue simulate --seed {scenario.seed} --days {scenario.days:g}{faults}{bugs}"


def add_up(reports: Iterable[Report]) -> dict[str, int]:
    """Return how often each thing was tried in several worlds."""
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.tried)
    return dict(sorted(total.items()))


def _tried(world: World) -> Counter[str]:
    tried = Counter(world.faults.happened)
    tried["restarts checked against the whole log"] = world.audit.life
    tried["records of the log"] = world.audit.records.total()
    tried["decisions"] = len(world.oracle.verdicts)
    tried["messages taken by providers"] = sum(
        count for key, count in world.witness.taken.items() if key.count("/") == 1
    )
    return tried


class _Life:
    """What happens in a world, thrown by its dice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._producers = Producers(world)
        self._operators = Operators(world)
        world.deliver = self._producers.receive
        world.on_death = self._after_death

    def live(self) -> None:
        """Begin, go on for the days there are, and come to rest."""
        world = self._world
        self._operators.begin()
        world.begin_life()
        self._producers.begin()
        world.plan(SECOND, "publish all", self._operators.publish_all)
        world.plan(2 * SECOND, "next", self._next)
        world.run(int(world.scenario.days * DAY))
        world.come_to_rest()

    def _next(self) -> None:
        """Do one of the things that happen, and plan the next."""
        world, throw = self._world, self._world.dice.fraction()
        for share, act in self._shares():
            throw -= share
            if throw < 0:
                act()
                break
        else:
            self._producers.visit()
        if world.faults.throw("crash", 0.05):
            world.arm_kill()
        if world.micros < world.scenario.days * DAY:
            world.plan(self._gap(), "next", self._next)

    def _shares(self) -> tuple[tuple[float, Callable[[], None]], ...]:
        producers, operators = self._producers, self._operators
        return (
            (0.07, producers.change_profile),
            (0.04, producers.change_device),
            (0.08, operators.change_campaign),
            (0.02, operators.change_workspace),
            (0.05, operators.request_send),
            (0.01, operators.erase_user),
            (0.02, operators.hold_or_release),
            (0.03, operators.retry_letters),
            (0.05, operators.write_checkpoint),
            (0.02, operators.fill_disk),
            (0.015, operators.put_clock_wrong),
            (0.02, self._world.restart),
        )

    def _gap(self) -> int:
        dice = self._world.dice
        throw = dice.fraction()
        for share, low, high in _GAPS:
            throw -= share
            if throw < 0:
                return int(dice.between(low, high))
        return HOUR

    def _after_death(self) -> None:
        self._producers.after_death()
        self._operators.after_death()
