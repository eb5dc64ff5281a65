"""The audit trail: who changed what, and when; bounded, and kept in the journal."""

from segue.clock import Clock
from segue.model.limits import AUDIT_KEPT_MAX, AUDIT_TEXT_LENGTH_MAX
from segue.services.actors import Actor
from segue.storage.account_ports import StoredChange
from segue.storage.ports import Journal


class AuditTrail:
    """Writes changes down and reads them."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def record(self, actor: Actor, action: str, target: str = "", detail: str = "") -> None:
        """Write a change down; it is durable when this returns."""
        texts = (actor.id, actor.name, action, target, detail)
        actor_id, actor_name, action, target, detail = (
            text[:AUDIT_TEXT_LENGTH_MAX] for text in texts
        )
        change = StoredChange(
            self._clock.now(), actor.kind, actor_id, actor_name, action, target, detail
        )
        self._journal.audit.append(change, AUDIT_KEPT_MAX)

    def newest(self, limit: int, before: int | None = None) -> list[StoredChange]:
        """Return changes, the newest first; with `before`, those below that number."""
        return self._journal.audit.newest(limit, before)
