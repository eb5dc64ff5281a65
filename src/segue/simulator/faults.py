"""What goes wrong in a simulated world, how often, and what did go wrong in the end."""

from collections import Counter
from collections.abc import Collection
from typing import Final, Literal, get_args

from segue.errors import SegueError
from segue.simulator.dice import Dice

Fault = Literal[
    "crash", "tear", "stall", "refuse", "duplicate", "reorder", "late", "silence", "clock"
]

# What each means; `segue simulate --faults` takes these names.
FAULTS: Final[dict[Fault, str]] = {
    "crash": "the process is killed at any await",
    "tear": "it is killed while it writes, and part of the write reaches the disk",
    "stall": "the disk takes seconds for what takes a millisecond",
    "refuse": "the disk is full for a while; providers refuse, or want to be asked later",
    "duplicate": "producers and providers say the same again",
    "reorder": "calls overtake each other, and events come late",
    "late": "providers answer after seconds",
    "silence": "providers do not answer, or their answer is lost",
    "clock": "the machine's clock jumps, also back",
}

# Faults of the world's own parts that break what they promise: the simulator must find each.
Bug = Literal[
    "ack_before_sync",
    "keep_torn_batches",
    "keep_torn_checkpoints",
    "drop_attempts",
    "forget_messages",
    "send_twice",
]
BUGS: Final[dict[Bug, str]] = {
    "ack_before_sync": "the disk says that a batch is written before it has synced it",
    "keep_torn_batches": "half of a batch that was being written stays in the log",
    "keep_torn_checkpoints": "a checkpoint that was being written stays without its timers",
    "drop_attempts": "attempts to hand over are acknowledged and not written",
    "forget_messages": "a provider takes messages and forgets them",
    "send_twice": "a provider layer hands each message over twice",
}

ALL: Final[frozenset[Fault]] = frozenset(get_args(Fault))


def read_faults(text: str) -> frozenset[Fault]:
    """Return the faults that a text names: "all", "none", or names with commas.

    Raises:
        SegueError: it names something else.
    """
    if text in ("all", "none"):
        return ALL if text == "all" else frozenset()
    names = [name.strip() for name in text.split(",")]
    found = frozenset(fault for fault in FAULTS if fault in names)
    if unknown := sorted({*names} - found):
        raise SegueError(
            f"{unknown[0]!r} is no fault; write all, none, or any of {', '.join(FAULTS)}"
        )
    return found


class Faults:
    """Throws for faults, and counts those that it lets happen."""

    def __init__(
        self, seed: str, wanted: Collection[Fault] = ALL, bugs: Collection[Bug] = ()
    ) -> None:
        self.wanted = frozenset(wanted)
        self.bugs = frozenset(bugs)
        self.happened: Counter[str] = Counter()
        self.is_over = False  # in the end, so that the world can come to rest
        self.dice = Dice(f"{seed}/faults")

    def throw(self, fault: Fault, probability: float) -> bool:
        """Return whether a fault happens now, in that share of cases where it may."""
        if self.is_over or fault not in self.wanted:
            return False
        return self.dice.happens(probability)

    def count(self, what: str) -> None:
        """Note that something went wrong."""
        self.happened[what] += 1

    def before_call(self) -> float:
        """Return for how many seconds a call in a thread waits before it begins."""
        if self.throw("stall", 0.01):
            self.count("stalls of the disk")
            return self.dice.between(0.2, 6)
        return self.dice.fraction() * 0.002

    def after_call(self) -> float:
        """Return after how many seconds more the end of a call in a thread is noticed."""
        return self.dice.fraction() * 0.001
