"""The message log: what did not go out, by cause, and trying it again."""

from typing import Any, Final

from litestar import Response, get, post

from segue.model.limits import FAILURES_DAYS
from segue.services.application import Application
from segue.services.dead_letters import Retried
from segue.services.failures import failures_of
from segue.web.audit import note_change
from segue.web.dashboard.activity.live import PATH
from segue.web.dashboard.forms import read_form
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.shell import done, page
from segue.web.dashboard.words import counted

_PATH: Final = f"{PATH}/failures"


@get(_PATH)
async def show_failures(request: PageRequest, application: Application) -> Response[Any]:
    """Show messages that did not go out, by campaign, channel and reason."""
    letters = application.dead_letters
    groups = await failures_of(application.runtime, application.activity, letters)
    plan = application.runtime.plan
    names = {slug: one.newest.document.name for slug, one in plan.campaigns.items()}
    return page(
        request,
        "activity/failures.html",
        title="Activity",
        problems=[one for one in groups if one.is_problem],
        others=[one for one in groups if not one.is_problem],
        names=names,
        days=FAILURES_DAYS,
    )


@post(f"{_PATH}/retry", opt={"permission": "send", "audit": "retried messages"})
async def retry_failures(request: PageRequest, application: Application) -> Response[Any]:
    """Try the messages of one campaign, channel and reason again, as far as they may go."""
    form = await read_form(request)
    wish = {name: form.text(name) for name in ("campaign", "channel", "reason")}
    retried = await application.dead_letters.retry({**wish, "may_double": form.has("may_double")})
    note_change(request, wish["campaign"], f"{retried.put_back} put back")
    return done(_PATH, _told(retried), "info" if retried.not_put_back else "success")


def _told(retried: Retried) -> str:
    said = f"{counted(retried.put_back, 'message is', 'messages are')} in the outbox again."
    stay = [
        f"{counted(one.count, 'stays', 'stay')}: {one.why[:1].lower()}{one.why[1:]}"
        for one in retried.not_put_back
    ]
    return " ".join([said, *stay])
