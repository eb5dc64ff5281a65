"""What short codes stand for, in a dictionary; gone with the process."""

import threading
from collections.abc import Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from segue.content.tokens import Tracked
from segue.model.limits import CODES_MAX, CODES_PRUNED_MAX
from segue.storage.encoding import decode_tracked, encode
from segue.storage.ports import StoredCode

_PLACE: Final = "memory"


class _Kept(Struct, frozen=True):
    user_id: str
    expires_at: int
    tracked: bytes


class MemoryCodes:
    """Codes in memory; what they stand for is kept encoded, as in a file."""

    def __init__(self, count_max: int = CODES_MAX) -> None:
        self._lock = threading.Lock()
        self._count_max = count_max
        self._codes: dict[str, _Kept] = {}  # in the order in which they came

    def put(self, codes: Sequence[StoredCode], now: int) -> list[StoredCode]:
        """Keep codes; return those that stand for something else already."""
        wanted = [
            (one, _Kept(one.tracked.user_id, one.expires_at, encode(one.tracked))) for one in codes
        ]
        with self._lock:
            taken = [
                one
                for one, kept in wanted
                if self._codes.setdefault(one.code, kept).tracked != kept.tracked
            ]
            old = (code for code, kept in self._codes.items() if kept.expires_at <= now)
            for code in list(islice(old, CODES_PRUNED_MAX)):
                del self._codes[code]
            surplus = max(len(self._codes) - self._count_max, 0)
            for code in list(islice(self._codes, surplus)):
                del self._codes[code]
        return taken

    def find(self, code: str, now: int) -> Tracked | None:
        """Return what a code stands for at an instant; None: nothing, or no longer."""
        kept = self._codes.get(code)
        if kept is None or kept.expires_at <= now:
            return None
        return decode_tracked(code, kept.tracked, _PLACE)

    def erase(self, user_id: str) -> None:
        """Forget a user's codes."""
        with self._lock:
            for code in [code for code, kept in self._codes.items() if kept.user_id == user_id]:
                del self._codes[code]
