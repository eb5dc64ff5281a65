"""Values by key, kept in memory, of which the next checkpoint writes what has changed."""

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Change them with `put` and `remove` only, so that a checkpoint hears of it."""

    def __init__(self, pairs: Iterable[tuple[str, T]] = ()) -> None:
        self.items: dict[str, T] = dict(pairs)
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._begun: tuple[set[str], set[str]] = (set(), set())

    def put(self, key: str, value: T) -> None:
        """Keep a value; in the place of the one before, if there is one."""
        self.items[key] = value
        self._changed.add(key)

    def remove(self, key: str) -> T | None:
        """Take a value out and return it, if it is there."""
        value = self.items.pop(key, None)
        if value is not None:
            self._changed.discard(key)
            self._gone.add(key)
        return value

    def begin_writing(self) -> tuple[list[T], list[str]]:
        """Return the values to write and the keys to delete before."""
        self._begun = (self._changed, self._gone)
        written = [self.items[key] for key in self._changed]
        gone = sorted(self._gone)
        self._changed, self._gone = set(), set()
        return written, gone

    def end_writing(self, is_written: bool) -> None:
        """Forget what was written; after a failure it is written again."""
        if not is_written:
            changed, gone = self._begun
            self._gone |= gone
            self._changed |= {key for key in changed if key in self.items}
        self._begun = (set(), set())
