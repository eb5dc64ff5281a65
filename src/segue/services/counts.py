"""How many users an audience has that nobody saved: at once where it is quick, else as a job."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final, Literal

import structlog
from msgspec import UNSET, Struct, UnsetType

from segue.engine.audience_checks import check_audience
from segue.engine.workspace_checks import check_filter_among
from segue.errors import BusyError, NotFoundError
from segue.model.channels import Channel
from segue.model.decoding import decode_document
from segue.model.filters import Filter
from segue.model.ids import random_id
from segue.model.limits import COUNTS_KEPT_MAX, COUNTS_MAX
from segue.model.problems import InvalidError
from segue.runtime.counting import AudienceCount, CountCancelledError
from segue.runtime.runtime import Runtime

_log = structlog.get_logger(__name__)
_PATIENCE_S: Final = 1.5  # as long as an answer waits for the count to end

Status = Literal["reading_log", "counting", "done", "failed"]


class CountWish(Struct, forbid_unknown_fields=True):
    """Whom to count: those of a filter; without one, everybody."""

    filter: Filter | None = None


class AudienceSize(Struct, frozen=True):
    """How far a count has come. Until it is exact, its numbers are estimates, or not known."""

    id: str
    status: Status
    is_exact: bool
    done: int  # of `total`: blocks of the log, then users
    total: int
    count: int | None  # how many belong,
    users: int | None  # of how many,
    reachable: dict[Channel, int] | None  # and how many of those a channel reaches
    error: str | UnsetType = UNSET


class ListedCount(Struct, frozen=True):
    """A count among others: since when it runs, and whether the log is read first."""

    started_at: int
    reads_log: bool
    size: AudienceSize


class _Job(Struct):
    id: str
    started_at: int
    count: AudienceCount
    task: "asyncio.Task[None]"


class Counts:
    """The counts that are going on, and the last that ended."""

    def __init__(self, runtime: Runtime, patience_s: float = _PATIENCE_S) -> None:
        self._runtime = runtime
        self._patience_s = patience_s
        self._jobs: dict[str, _Job] = {}
        self._log_turn = asyncio.Lock()  # what is read back takes memory for every user

    async def begin(
        self, raw: object, then: Callable[[AudienceSize], None] | None = None
    ) -> AudienceSize:
        """Begin to count, and return what is known when it is done or a moment has passed.

        `then` is told the end of it, whenever it comes.

        Raises:
            InvalidError: with every fault of the filter.
            BusyError: too many counts are going on.
        """
        node = self._decode(raw)
        if sum(not job.task.done() for job in self._jobs.values()) >= COUNTS_MAX:
            message = f"{COUNTS_MAX} audiences are being counted already; try again in a moment"
            raise BusyError(message)
        clock = self._runtime.clock
        count = AudienceCount(self._runtime, node)
        job = _Job(
            random_id(clock.now(), clock.token(10)),
            clock.now(),
            count,
            asyncio.create_task(self._run(count)),
        )
        job.task.add_done_callback(_tell_failure)
        if then is not None:
            job.task.add_done_callback(lambda _task: then(_size_of(job)))
        self._jobs[job.id] = job
        self._forget_old()
        await asyncio.wait([job.task], timeout=self._patience_s)
        return _size_of(job)

    def find(self, count_id: str) -> AudienceSize:
        """Return how far a count has come.

        Raises:
            NotFoundError: there is no such count any more.
        """
        return _size_of(self._find(count_id))

    def sample(self, count_id: str) -> list[str]:
        """Return some of the users who belong, as far as the count has come.

        Raises:
            NotFoundError: there is no such count any more.
        """
        return self._find(count_id).count.tally.sample

    def all(self) -> list[ListedCount]:
        """Return the counts that are known, those begun first first."""
        return [
            ListedCount(job.started_at, job.count.needs_log, _size_of(job))
            for job in self._jobs.values()
        ]

    async def cancel(self, count_id: str) -> None:
        """End a count and forget it.

        Raises:
            NotFoundError: there is no such count any more.
        """
        await self._end([self._find(count_id)])
        del self._jobs[count_id]

    async def close(self) -> None:
        """End all counts: the stores they read are about to be closed."""
        await self._end([*self._jobs.values()])

    async def _run(self, count: AudienceCount) -> None:
        async with self._log_turn if count.needs_log else nullcontext():
            await count.run()

    async def _end(self, jobs: list[_Job]) -> None:
        for job in jobs:
            job.count.is_cancelled = True
        # Threads cannot be cancelled; each ends with the step it is at.
        await asyncio.gather(*(job.task for job in jobs), return_exceptions=True)

    def _decode(self, raw: object) -> Filter | None:
        node = decode_document(raw, CountWish, "The request").filter
        plan = self._runtime.plan
        problems = list(check_audience(node, "filter")) or list(
            check_filter_among(node, "filter", plan.segments, plan.workspace)
        )
        if problems:
            raise InvalidError(problems, "The request")
        return node

    def _find(self, count_id: str) -> _Job:
        if count_id not in self._jobs:
            message = f"there is no count {count_id!r}; the last {COUNTS_KEPT_MAX} are kept"
            raise NotFoundError(message)
        return self._jobs[count_id]

    def _forget_old(self) -> None:
        ended = [job for job in self._jobs.values() if job.task.done()]
        for job in ended[: max(len(ended) - COUNTS_KEPT_MAX, 0)]:
            del self._jobs[job.id]


def _tell_failure(task: "asyncio.Task[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, CountCancelledError):
        _log.error("a count failed", error=str(error))


def _size_of(job: _Job) -> AudienceSize:
    count, tally = job.count, job.count.tally
    if not job.task.done():
        status: Status = "reading_log" if count.is_reading_log else "counting"
        looked_at = 0 if count.is_reading_log else count.done
    elif (error := job.task.exception()) is not None:
        return AudienceSize(
            job.id, "failed", False, count.done, count.total, None, None, None, str(error)
        )
    else:
        status, looked_at = "done", count.total

    def of_all(part: int) -> int:
        """Return what a number comes to when all have been looked at, as far as they tell."""
        return part if status == "done" else round(part * max(count.total / looked_at, 1))

    is_known = status == "done" or looked_at > 0
    return AudienceSize(
        id=job.id,
        status=status,
        is_exact=status == "done",
        done=count.done,
        total=count.total,
        count=of_all(tally.count) if is_known else None,
        users=of_all(tally.users) if is_known else None,
        reachable={one: of_all(n) for one, n in tally.reachable().items()} if is_known else None,
    )
