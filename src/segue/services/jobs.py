"""What takes long and is going on, or has just ended: backtests and counts, in one list."""

from typing import Final, Literal

from msgspec import Struct

from segue.clock import Clock
from segue.model.instants import parse_instant
from segue.services.backtest_jobs import BacktestJob, BacktestJobs
from segue.services.counts import Counts, ListedCount

Kind = Literal["backtest", "count"]
Status = Literal["running", "done", "failed", "cancelled"]
_KNOWN_FROM: Final = 0.02  # of the whole; before that, how long it takes is a guess


class Job(Struct, frozen=True):
    """A job: how far it has come, and how long it may take still, where that is known."""

    kind: Kind
    id: str
    title: str
    status: Status
    started_at: int
    done: int
    total: int
    of: str  # what is counted, such as "users"
    left: int | None = None
    told: str = ""  # what came of it, or went wrong


def jobs_of(backtests: BacktestJobs, counts: Counts, clock: Clock) -> list[Job]:
    """Return the jobs that are known: first those that run, then the newest first."""
    now = clock.now()
    found = [
        *(_backtest(one, now) for one in backtests.all()),
        *(_count(one, now) for one in counts.all()),
    ]
    return sorted(found, key=lambda one: (one.status != "running", -one.started_at))


def _backtest(job: BacktestJob, now: int) -> Job:
    started_at = parse_instant(job.started_at)
    done, total = job.progress.done, job.progress.total
    problems = "; ".join(one.message for one in job.problems)
    return Job(
        "backtest",
        job.id,
        f"Backtest of {job.campaign}",
        job.status,
        started_at,
        done,
        total,
        "entries of the log",
        _left(now - started_at, done, total) if job.status == "running" else None,
        job.error or problems,
    )


def _count(listed: ListedCount, now: int) -> Job:
    size = listed.size
    is_running = size.status in ("reading_log", "counting")
    is_first_step = size.status == "reading_log" or not listed.reads_log
    told = size.error if isinstance(size.error, str) else ""
    if size.count is not None and size.users is not None and not told:
        told = f"{'' if size.is_exact else 'about '}{size.count:,} of {size.users:,} users"
    return Job(
        "count",
        size.id,
        "Count of an audience",
        "running" if is_running else ("failed" if size.status == "failed" else "done"),
        listed.started_at,
        size.done,
        size.total,
        "blocks of the log" if size.status == "reading_log" else "users",
        # Of the second step nobody noted when it began.
        _left(now - listed.started_at, size.done, size.total)
        if is_running and is_first_step
        else None,
        told,
    )


def _left(elapsed: int, done: int, total: int) -> int | None:
    if not total or done < total * _KNOWN_FROM or done <= 0:
        return None
    return max(round(elapsed * (total - done) / done), 0)
