"""Backtests that a server was asked for: each a process, a bounded number at once and kept."""

import asyncio
import contextlib
from typing import Final, Literal, assert_never

import msgspec
from msgspec import Struct, field

from segue.errors import BusyError, ConflictError, NotFoundError
from segue.model.ids import random_id
from segue.model.instants import format_instant
from segue.model.limits import BACKTEST_ANSWER_BYTES_MAX, BACKTESTS_AT_ONCE_MAX, BACKTESTS_KEPT_MAX
from segue.model.problems import Problem
from segue.runtime.runtime import Runtime
from segue.services.backtest_process import COMMAND, Asked, Failed, Finished, Progressed, Told
from segue.services.backtests import EXAMPLES_DEFAULT, BacktestResult, check_draft
from segue.services.settings import Settings

_RETRY_AFTER_S: Final = 10
_told: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)


class JobProgress(Struct):
    """How many entries of the log are done, of how many."""

    done: int = 0
    total: int = 0


class BacktestJob(Struct):
    """A backtest and how far it has come."""

    id: str
    campaign: str
    started_at: str
    status: Literal["running", "done", "failed", "cancelled"] = "running"
    progress: JobProgress = field(default_factory=JobProgress)
    result: BacktestResult | None = None
    error: str | None = None
    problems: list[Problem] = field(default_factory=list)


class BacktestJobs:
    """The verbs on backtests of a running server."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._jobs: dict[str, BacktestJob] = {}  # oldest first
        self._tasks: dict[str, asyncio.Task[None]] = {}  # of those whose process is not gone yet

    def start(
        self, raw: object, since: int | None = None, examples_max: int = EXAMPLES_DEFAULT
    ) -> BacktestJob:
        """Begin a backtest of a draft.

        Raises:
            InvalidError: with every fault of the document.
            BusyError: as many as may run are running.
            ConflictError: the log is where no other process can read it.
        """
        running = sum(job.status == "running" for job in self._jobs.values())
        if running >= BACKTESTS_AT_ONCE_MAX:
            message = f"{running} backtests are running; wait for one, or cancel it"
            raise BusyError(message, retry_after_s=_RETRY_AFTER_S)
        if self._settings.database_url.startswith("memory:"):
            raise ConflictError("a backtest reads the log from a folder; this one is in memory")
        campaigns = self._runtime.journal.list_campaigns()
        document, _ = check_draft(raw, campaigns, self._runtime.plan, since or 0)
        clock = self._runtime.clock
        now = clock.now()
        job = BacktestJob(random_id(now, clock.token(10)), document.slug, format_instant(now))
        self._jobs[job.id] = job
        asked = Asked(str(self._settings.data_dir), raw, since, examples_max)
        task = asyncio.create_task(self._run(job, asked), name=f"backtest {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(job.id, None))
        self._forget_oldest()
        return job

    def find(self, job_id: str) -> BacktestJob:
        """Return a backtest.

        Raises:
            NotFoundError: there is none, or it was forgotten for newer ones.
        """
        if job_id not in self._jobs:
            message = f"there is no backtest {job_id!r}; the newest {BACKTESTS_KEPT_MAX} are kept"
            raise NotFoundError(message)
        return self._jobs[job_id]

    def all(self) -> list[BacktestJob]:
        """Return the backtests that are known, those begun first first."""
        return list(self._jobs.values())

    async def cancel(self, job_id: str) -> None:
        """End a backtest that is running; one that has ended stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        job = self.find(job_id)
        if job.status == "running":
            job.status = "cancelled"
            self._tasks[job_id].cancel()
            await asyncio.wait([self._tasks[job_id]])

    async def close(self) -> None:
        """End all that are running, and wait until every process is gone."""
        for job in self._jobs.values():
            await self.cancel(job.id)
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _run(self, job: BacktestJob, asked: Asked) -> None:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=BACKTEST_ANSWER_BYTES_MAX,
            start_new_session=True,  # Ctrl-C is for the server, which ends its backtests itself
        )
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            process.stdin.write(msgspec.json.encode(asked))
            process.stdin.write_eof()
            async for line in process.stdout:
                _take(job, _told.decode(line))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            _kill(process)
            job.error = f"the process was not understood: {error}"
        except asyncio.CancelledError:
            _kill(process)
            raise
        finally:
            await process.wait()
        if job.status == "running":
            job.status = "failed"
            job.error = job.error or f"the process ended with code {process.returncode}"

    def _forget_oldest(self) -> None:
        ended = [job_id for job_id in self._jobs if job_id not in self._tasks]
        for job_id in ended[: max(len(self._jobs) - BACKTESTS_KEPT_MAX, 0)]:
            del self._jobs[job_id]


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _take(job: BacktestJob, told: Told) -> None:
    match told:
        case Progressed():
            job.progress = JobProgress(told.done, told.total)
        case Finished():
            job.status, job.result = "done", told.result
        case Failed():
            job.status, job.error, job.problems = "failed", told.message, told.problems
        case _:
            assert_never(told)
