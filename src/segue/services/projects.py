"""Projects: a folder's documents against a server's, shown, applied and written out.

On a running server an apply is one hand-in; on a data folder that no server has open it is one
block, appended to the log, which the next server decides about when it starts.
"""

import asyncio
from collections.abc import Mapping

from segue.clock import Clock
from segue.errors import ConflictError
from segue.model.ids import random_id
from segue.model.log_records import Block
from segue.model.workspace import Segment, Workspace
from segue.runtime.recovery import plan_at_end
from segue.runtime.runtime import Runtime
from segue.services.configuration import Configuration
from segue.services.project_changes import Present
from segue.services.project_plan import Outcome, ProjectPlan, plan_project
from segue.storage.open import Stores
from segue.storage.ports import Journal


class Projects:
    """The verbs on a running server."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def export(self) -> Configuration:
        """Return everything that people wrote, but for what is archived."""
        return self._present().configuration()

    async def plan(self, wanted: Configuration, *, prune: bool = False) -> ProjectPlan:
        """Return what an apply would change.

        Raises:
            InvalidError: with every fault of all documents among each other.
        """
        plan, _ = await self._compare(wanted, prune=prune)
        return plan

    async def apply(
        self, wanted: Configuration, *, prune: bool = False, expected: str | None = None
    ) -> ProjectPlan:
        """Change all that has to, at one instant, or nothing; return what was changed.

        Raises:
            InvalidError: with every fault of all documents among each other.
            ConflictError: it was planned for something else than there is now.
        """
        _, outcome = await self._compare(wanted, prune=prune)
        async with self._runtime.changing(outcome.filters()):
            plan, outcome = await self._compare(wanted, prune=prune)
            _refuse_unexpected(plan, expected)
            if plan.changes:
                ids = _new_ids(outcome, self._runtime.clock)
                committed = self._runtime.commits.hand_in_all(
                    lambda at: outcome.records(at, ids), lambda at: outcome.stored(at, ids)
                )
                await self._runtime.decided(committed)
            return plan

    async def _compare(self, wanted: Configuration, *, prune: bool) -> tuple[ProjectPlan, Outcome]:
        """Compare in a thread: a thousand campaigns take a while to check."""
        now = self._runtime.clock.now()
        return await asyncio.to_thread(plan_project, self._present(), wanted, now, prune=prune)

    def _present(self) -> Present:
        plan = self._runtime.plan
        return _present(self._runtime.journal, plan.segments, plan.workspace)


class StoredProjects:
    """The verbs on a data folder that no server has open. Nothing is decided, nothing sent."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    def export(self) -> Configuration:
        """Return everything that people wrote, but for what is archived."""
        return self._present().configuration()

    def plan(self, wanted: Configuration, *, prune: bool = False) -> ProjectPlan:
        """Return what an apply would change.

        Raises:
            InvalidError: with every fault of all documents among each other.
        """
        plan, _ = plan_project(self._present(), wanted, self._clock.now(), prune=prune)
        return plan

    def apply(
        self, wanted: Configuration, *, prune: bool = False, expected: str | None = None
    ) -> ProjectPlan:
        """Change all that has to, at one instant, or nothing; return what was changed.

        Raises:
            InvalidError: with every fault of all documents among each other.
            ConflictError: it was planned for something else than there is now.
        """
        plan, outcome = plan_project(self._present(), wanted, self._clock.now(), prune=prune)
        _refuse_unexpected(plan, expected)
        if plan.changes:
            journal = self._stores.journal
            end, decided = journal.log_end(), self._stores.snapshot.position()
            at = max(self._clock.now(), end.received_at, decided.now)
            ids = _new_ids(outcome, self._clock)
            block = Block(end.seq + 1, end.next_ordinal, outcome.records(at, ids))
            journal.append(block, outcome.stored(at, ids))
        return plan

    def _present(self) -> Present:
        plan = plan_at_end(self._stores.journal, self._stores.snapshot)
        return _present(self._stores.journal, plan.segments, plan.workspace)


def _present(journal: Journal, segments: Mapping[str, Segment], workspace: Workspace) -> Present:
    campaigns = {one.slug: one for one in journal.list_campaigns()}
    return Present(campaigns, segments, workspace)


def _new_ids(outcome: Outcome, clock: Clock) -> dict[str, str]:
    return {slug: random_id(clock.now(), clock.token(10)) for slug in outcome.new_slugs()}


def _refuse_unexpected(plan: ProjectPlan, expected: str | None) -> None:
    if expected is not None and expected != plan.fingerprint:
        message = (
            f"what there is has changed since the plan: its fingerprint is {plan.fingerprint}, "
            f"not {expected}; plan again"
        )
        raise ConflictError(message)
