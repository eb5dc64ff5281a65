"""What synthetic people do at a visit, and with a message: the demo's and the simulator's alike."""

from typing import Final

from msgspec import Struct

from segue.simulator.dice import Dice

# What somebody does at a visit, and how often.
VISITS: Final = (
    ("sale_started", 0.35),
    ("visited_pricing", 0.25),
    ("added_to_cart", 0.30),
    ("purchase", 0.10),
)


class Reaction(Struct, frozen=True):
    """Something done with a message, so many seconds after what was done before."""

    what: str  # "scan" by a machine, "open" or "click"
    after_s: float


def visit(dice: Dice, visits: tuple[tuple[str, float], ...] = VISITS) -> str:
    """Return the event of a visit; `visits` are events and how often each comes."""
    throw = dice.fraction()
    for name, share in visits:
        throw -= share
        if throw < 0:
            return name
    return "session_start"


def reactions(dice: Dice) -> list[Reaction]:
    """Return what somebody does with a message: open, click or ignore it.

    A few have a proxy that opens everything first.
    """
    found = [Reaction("scan", 0)] if dice.happens(0.15) else []
    read_after_s = dice.between(3, 12)
    if dice.happens(0.5):
        return found
    found.append(Reaction("open", read_after_s))
    click_after_s = dice.between(0.5, 3)
    if dice.happens(0.5):
        found.append(Reaction("click", click_after_s))
    return found
