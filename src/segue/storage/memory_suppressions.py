"""The suppression list in a dictionary; gone with the process."""

import threading
from collections.abc import Sequence

from segue.model.limits import SUPPRESSIONS_MAX
from segue.model.suppressions import SuppressedChannel, Suppression
from segue.storage.suppression_ports import no_room

_Rows = dict[tuple[str, str, str], Suppression]


class MemorySuppressions:
    """The list in memory."""

    def __init__(self) -> None:
        self.rows_max = SUPPRESSIONS_MAX
        self._lock = threading.Lock()
        self._rows: _Rows = {}
        self._followed_seq = 0

    def find(self, channel: SuppressedChannel, address: str) -> list[Suppression]:
        """Return why an address gets nothing."""
        return [row for key, row in sorted(self._rows.items()) if key[:2] == (channel, address)]

    def page(
        self, channel: SuppressedChannel, after: tuple[str, str], limit: int, part: str = ""
    ) -> list[Suppression]:
        """Return those behind an address and a reason, whose address holds `part`."""
        found = [
            row
            for key, row in sorted(self._rows.items())
            if key[0] == channel and key[1:] > after and part in row.address
        ]
        return found[:limit]

    def add(self, items: Sequence[Suppression]) -> int:
        """Put addresses on the list by hand, all or none; return how many rows are new."""
        with self._lock:
            rows = self._rows_with(items)
            added = len(rows) - len(self._rows)
            if self._make_room(rows):
                raise no_room(self.rows_max)
            self._rows = rows
        return added

    def follow(self, items: Sequence[Suppression], through_seq: int) -> int:
        """Put on the list what the log tells; return how many rows found no room."""
        with self._lock:
            rows = self._rows_with(items)
            left_out = self._make_room(rows)
            complaints = [row for row in rows.values() if row.reason == "complaint"]
            complaints.sort(key=_age, reverse=True)
            for row in complaints[:left_out]:
                del rows[row.key]
            self._rows = rows
            self._followed_seq = max(self._followed_seq, through_seq)
        return left_out

    def followed_seq(self) -> int:
        """Return up to which block the log was followed."""
        return self._followed_seq

    def remove(self, channel: SuppressedChannel, address: str) -> bool:
        """Take an address off; return whether it was there."""
        with self._lock:
            kept = {key: row for key, row in self._rows.items() if key[:2] != (channel, address)}
            was_there = len(kept) < len(self._rows)
            self._rows = kept
        return was_there

    def _rows_with(self, items: Sequence[Suppression]) -> _Rows:
        rows = dict(self._rows)
        for item in items:
            rows.setdefault(item.key, item)
        return rows

    def _make_room(self, rows: _Rows) -> int:
        """Let the oldest bounces go; return how many rows there still are too many."""
        surplus = max(len(rows) - self.rows_max, 0)
        bounces = sorted((row for row in rows.values() if row.reason == "bounce"), key=_age)
        for row in bounces[:surplus]:
            del rows[row.key]
        return max(len(rows) - self.rows_max, 0)


def _age(row: Suppression) -> tuple[int, str, str]:
    return row.since, row.channel, row.address
