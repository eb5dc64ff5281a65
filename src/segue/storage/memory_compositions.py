"""Campaigns that are being written, in a dictionary; gone with the process."""

import threading
from typing import Final

from msgspec.structs import asdict, replace

from segue.storage.composition_ports import CompositionHead, StoredComposition
from segue.storage.encoding import decode_tree, encode

_PLACE: Final = "memory"


class MemoryCompositions:
    """Compositions in memory; trees are kept encoded, so that nothing is shared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[StoredComposition, bytes]] = {}

    def all(self) -> list[CompositionHead]:
        """Return them, what was changed last first."""
        return [_head_of(one) for one in self._newest_first()]

    def find(self, composition_id: str) -> StoredComposition | None:
        """Return one."""
        found = self._kept.get(composition_id)
        if found is None:
            return None
        return replace(found[0], tree=decode_tree(composition_id, found[1], _PLACE))

    def save(self, composition: StoredComposition, kept: int) -> None:
        """Insert one, or replace the one with its id; the `kept` that were changed last stay."""
        encoded = encode(composition.tree)
        with self._lock:
            earlier = self._kept.get(composition.id)
            created_at = earlier[0].created_at if earlier else composition.created_at
            self._kept[composition.id] = (
                replace(composition, tree={}, created_at=created_at),
                encoded,
            )
            for surplus in self._newest_first()[kept:]:
                del self._kept[surplus.id]

    def delete(self, composition_id: str) -> None:
        """Forget one."""
        with self._lock:
            self._kept.pop(composition_id, None)

    def _newest_first(self) -> list[StoredComposition]:
        found = [one for one, _ in list(self._kept.values())]
        return sorted(found, key=lambda one: (one.changed_at, one.id), reverse=True)


def _head_of(composition: StoredComposition) -> CompositionHead:
    fields = asdict(composition)
    fields.pop("tree")
    return CompositionHead(**fields)
