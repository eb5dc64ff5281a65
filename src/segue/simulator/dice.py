"""Chance that repeats: the same seed throws the same dice, in every run and on every machine."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws by a counter and a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._thrown = 0

    def fraction(self) -> float:
        """Return a number from 0 (included) to 1 (excluded)."""
        self._thrown += 1
        digest = blake2b(f"{self._seed}/{self._thrown}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def happens(self, probability: float) -> bool:
        """Return true in that share of throws."""
        return self.fraction() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`."""
        return low + (high - low) * self.fraction()

    def choice(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.fraction() * len(options))]
