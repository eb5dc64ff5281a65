"""Settings, Audit: who changed what, and when."""

import re
from typing import Any, Final

from litestar import Response, get

from segue.model.limits import AUDIT_KEPT_MAX, AUDIT_PAGE_MAX
from segue.services.application import Application
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import page

_PATH = "/settings/changes"
_NUMBER: Final = re.compile(r"[0-9]{1,18}")  # more digits are no number of the database


@get(_PATH, opt={"permission": "admin"}, sync_to_thread=False)
def show_changes(request: PageRequest, application: Application) -> Response[Any]:
    """Show changes, the newest first."""
    cursor = request.query_params.get("cursor", "")
    before = int(cursor) if _NUMBER.fullmatch(cursor) else None
    found = application.audit.newest(AUDIT_PAGE_MAX + 1, before)
    shown = found[:AUDIT_PAGE_MAX]
    has_more = len(found) > AUDIT_PAGE_MAX
    return page(
        request,
        "changes.html",
        title="Audit trail",
        changes=shown,
        kept_max=AUDIT_KEPT_MAX,
        next_path=f"{_PATH}?cursor={shown[-1].number}" if has_more else None,
        first_path=_PATH if before is not None else None,
    )


PAGE = Page(
    _PATH,
    "Audit trail",
    (show_changes,),
    group="Settings",
    icon="scroll-text",
    key="a",
    permission="admin",
)
