"""Settings, System: how the installation is; and the switch that stops everything."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post

from segue.model.limits import INGEST_BACKLOG_EVENTS_MAX, OUTBOX_MAX, SENDERS_MAX
from segue.services.application import Application
from segue.services.explanations.words import span
from segue.services.system import system_state
from segue.web.audit import note_change
from segue.web.dashboard.forms import read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import done, page
from segue.web.dashboard.words import counted

_PATH: Final = "/settings/system"
_ADMIN: Final = {"permission": "admin"}
_STOP: Final = "stop everything"
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND: Final = 1_000


async def _system(
    request: PageRequest, application: Application, faults: Mapping[str, str] | None = None
) -> Response[Any]:
    state = await system_state(application.runtime, application.settings, application.started_at)
    return page(
        request,
        "settings/system.html",
        title="System",
        status=422 if faults else 200,
        system=state,
        base_url=application.settings.base_url,
        data=application.settings.data,
        faults=faults or {},
        stop=_STOP,
        span=span,
        size=_size,
        outbox_max=OUTBOX_MAX,
        backlog_max=INGEST_BACKLOG_EVENTS_MAX,
        senders_max=SENDERS_MAX,
    )


@get(_PATH)
async def show_system(request: PageRequest, application: Application) -> Response[Any]:
    """Show how the installation is."""
    return await _system(request, application)


@post(f"{_PATH}/hold", opt={**_ADMIN, "audit": "stopped all sending"})
async def hold(request: PageRequest, application: Application) -> Response[Any]:
    """Hold all sending, once the words are typed."""
    form, runtime = await read_form(request), application.runtime
    if form.text("words").lower() != _STOP:
        return await _system(request, application, {"words": f"Type “{_STOP}” to do so."})
    runtime.hold.begin(request.auth.name)
    count = len(runtime.outcomes.outbox)
    note_change(request, "all channels", f"{count} waiting")
    return done(_PATH, f"All sending is held; {counted(count, 'message waits', 'messages wait')}.")


@post(f"{_PATH}/resume", opt={**_ADMIN, "audit": "resumed sending"})
async def resume(request: PageRequest, application: Application) -> Response[Any]:
    """Let what was held go."""
    runtime = application.runtime
    count = len(runtime.outcomes.outbox)
    if not runtime.resume_sending():
        return done(_PATH, "Sending was not held.", "info")
    note_change(request, "all channels", f"{count} waiting")
    return done(_PATH, f"Messages go again: {count:,} waited.")


def _size(byte_count: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    size, unit = float(byte_count), 0
    while size >= _THOUSAND and unit < len(_UNITS) - 1:
        size, unit = size / _THOUSAND, unit + 1
    return f"{byte_count} bytes" if unit == 0 else f"{size:.3g} {_UNITS[unit]}"


PAGE = Page(
    _PATH,
    "System",
    (show_system, hold, resume),
    group="Settings",
    icon="monitor",
    key="m",
)
