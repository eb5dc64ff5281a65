"""Settings, Jobs: what takes long and is going on, or has just ended; with Cancel."""

from typing import Any, Final, assert_never

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from segue.model.limits import BACKTESTS_KEPT_MAX, COUNTS_KEPT_MAX
from segue.services.application import Application
from segue.services.explanations.words import span
from segue.services.jobs import Job, Kind, jobs_of
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render

_PATH: Final = "/settings/jobs"
_KINDS: Final[tuple[Kind, ...]] = ("backtest", "count")
_TONES: Final = {"running": "good", "done": "neutral", "failed": "bad", "cancelled": "quiet"}


def _context(application: Application) -> dict[str, Any]:
    jobs = jobs_of(application.backtests, application.counts, application.clock)
    return {
        "jobs": jobs,
        "running_count": sum(one.status == "running" for one in jobs),
        "tones": _TONES,
        "span": span,
        "percent": _percent,
    }


def _percent(job: Job) -> int | None:
    """Return how much is done; None where the whole is not known."""
    return min(100 * job.done // job.total, 100) if job.total else None


@get(_PATH, sync_to_thread=False)
def show_jobs(request: PageRequest, application: Application) -> Response[Any]:
    """Show the jobs."""
    return page(
        request,
        "settings/jobs.html",
        title="Jobs",
        backtests_kept_max=BACKTESTS_KEPT_MAX,
        counts_kept_max=COUNTS_KEPT_MAX,
        **_context(application),
    )


@get(f"{_PATH}/now", sync_to_thread=False)
def show_jobs_now(request: PageRequest, application: Application) -> Response[str]:
    """Give the list alone; a script asks for it from time to time."""
    part = render(request, "settings/jobs_now.html", **_context(application))
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return Response(part, media_type="text/html", headers=headers)


@post(
    f"{_PATH}/{{kind:str}}/{{job:str}}/cancel",
    opt={"permission": "draft", "audit": False},
)
async def cancel(kind: str, job: str, request: PageRequest, application: Application) -> Any:
    """End a job; one that has ended already stays as it is."""
    found = next((one for one in _KINDS if one == kind), None)
    match found:
        case "backtest":
            await application.backtests.cancel(job)
        case "count":
            await application.counts.cancel(job)
        case None:
            raise NotFoundException(f"There are no jobs of the kind {kind!r}.")
        case _:
            assert_never(found)
    return done(_PATH, f"The {kind} is cancelled.")


PAGE = Page(
    _PATH,
    "Jobs",
    (show_jobs, show_jobs_now, cancel),
    group="Settings",
    icon="list-checks",
    key="j",
)
