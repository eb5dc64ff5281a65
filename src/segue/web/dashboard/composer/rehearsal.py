"""Rehearsing: what it would have done on the recorded log. Nothing of it leaves."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.response import Redirect

from segue.errors import SegueError
from segue.model.instants import DAY
from segue.model.problems import InvalidError
from segue.model.reasons import REASONS
from segue.services.application import Application
from segue.services.backtest_jobs import BacktestJob
from segue.web.dashboard.composer.frame import step_path
from segue.web.dashboard.forms import read_form
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.shell import PAGE_HEADERS, done, page, render

_SPANS: Final = {"7d": 7 * DAY, "30d": 30 * DAY}


@post("/compose/{composition_id:str}/rehearse", opt={"permission": "draft", "audit": False})
async def rehearse(
    composition_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Begin a rehearsal of what is written."""
    form = await read_form(request)
    composition = application.compositions.find(composition_id)
    span = _SPANS.get(form.text("since"))
    since = application.clock.now() - span if span is not None else None
    try:
        job = application.backtests.start(composition.tree, since)
    except InvalidError:
        text = "It can be rehearsed once what is listed here is mended."
        return done(step_path(composition.id, "review"), text, "info")
    except SegueError as error:
        return done(step_path(composition.id, "review"), f"Not rehearsed: {error}", "info")
    path = f"/compose/{composition.id}/rehearsal/{job.id}"
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


@get("/compose/{composition_id:str}/rehearsal/{job_id:str}", sync_to_thread=False)
def show_rehearsal(
    composition_id: str, job_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show how far a rehearsal is, or what came of it; for scripts, the part that changes."""
    composition = application.compositions.find(composition_id)
    job = application.backtests.find(job_id)
    context: dict[str, Any] = {
        "composition": composition,
        "job": job,
        "rows": _rows(job),
        "reasons": REASONS,
        "path": request.url.path,
    }
    if request.headers.get("hx-request"):
        html = render(request, "composer/rehearsal_now.html", **context)
        headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
        return Response(html, media_type="text/html", headers=headers)
    return page(
        request,
        "composer/rehearsal.html",
        title=f"Rehearsal of “{composition.name}”",
        crumbs=crumbs(
            ("Compose", "/compose"), (composition.name, step_path(composition.id, "review"))
        ),
        **context,
    )


@post(
    "/compose/{composition_id:str}/rehearsal/{job_id:str}/cancel",
    opt={"permission": "draft", "audit": False},
)
async def cancel_rehearsal(
    composition_id: str, job_id: str, application: Application
) -> Response[Any]:
    """End a rehearsal that is running."""
    await application.backtests.cancel(job_id)
    return done(step_path(composition_id, "review"), "The rehearsal is ended.", "info")


def _rows(job: BacktestJob) -> list[tuple[str, str, int]]:
    """Return what would have become of users: what, why, and how many."""
    if job.result is None:
        return []
    totals = job.result.totals
    rows = [
        ("would trigger it", "", totals.entered + totals.control + sum(totals.refused.values()))
    ]
    rows += [("refused", REASONS.get(why, why), count) for why, count in totals.refused.items()]
    rows += [("in the control group", "", totals.control)] if totals.control else []
    rows.append(("would enter", "", totals.entered))
    rows += [("excepted", REASONS.get(why, why), count) for why, count in totals.cancelled.items()]
    rows += [("not sent", REASONS.get(why, why), count) for why, count in totals.skipped.items()]
    rows.append(("still waiting at the end", "", job.result.waiting))
    rows.append(("would be sent", "", totals.sent))
    rows += [("would convert", f"event {why}", count) for why, count in totals.converted.items()]
    rows += [
        ("of the control group, would convert", f"event {why}", count)
        for why, count in totals.control_converted.items()
    ]
    return rows


REHEARSAL: Final = (rehearse, show_rehearsal, cancel_rehearsal)
