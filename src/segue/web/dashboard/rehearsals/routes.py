"""The pages of rehearsals, as the registry takes them."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from segue.services.rehearsals import PATH
from segue.web.dashboard.pages import Page
from segue.web.dashboard.phone.frames import show_app, show_mail
from segue.web.dashboard.phone.showing import show_now, stream_news
from segue.web.dashboard.phone.tapping import send_event, start_session, tap
from segue.web.dashboard.rehearsals.beginning import BEGINNING
from segue.web.dashboard.rehearsals.playing import PLAYING
from segue.web.dashboard.rehearsals.why import WHY
from segue.web.rehearsed import IN_REHEARSAL, REHEARSAL_PATH

_OF_PHONES: Final = (show_now, stream_news, show_mail, show_app, tap, send_event, start_session)


def _in_rehearsal(one: HTTPRouteHandler) -> HTTPRouteHandler:
    """Return a page of phones as it is in a rehearsal: of its application, and for authors."""
    [path] = one.paths
    return HTTPRouteHandler(
        f"{REHEARSAL_PATH}{path}",
        http_method=list(one.http_methods),
        dependencies=IN_REHEARSAL,
        opt={**one.opt, "permission": "draft"},
        sync_to_thread=one.sync_to_thread,
    )(one.fn)


PAGE = Page(
    PATH,
    "Rehearsals",
    (*BEGINNING, *PLAYING, *WHY, *(_in_rehearsal(one) for one in _OF_PHONES)),
    group="Insight",
    icon="play",
    permission="draft",
    samples=(PATH, f"{PATH}/mine", f"{PATH}/mine?view=mail"),
)
