"""A campaign's page, Sends: what was decided about whom, the newest first; and as a file."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

from litestar import Response, get

from segue.model.instants import format_instant
from segue.model.limits import DECISIONS_CSV_MAX, DECISIONS_PAGE_MAX
from segue.model.reasons import REASONS
from segue.model.verdicts import Verdict, VerdictKind
from segue.services.application import Application
from segue.services.decisions import decisions_of
from segue.web.dashboard.campaigns.filters import address
from segue.web.dashboard.campaigns.frame import tab_page
from segue.web.dashboard.campaigns.words import DECISION_WORDS
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import PAGE_HEADERS

_KINDS: Final[dict[str, tuple[str, tuple[VerdictKind, ...]]]] = {
    "": ("sent and skipped", ("send", "skip")),
    "send": ("sent", ("send",)),
    "skip": ("skipped", ("skip",)),
    "cancel": ("cancelled", ("cancel",)),
    "refuse": ("refused", ("refuse",)),
    "enter": ("entered", ("enter", "control")),
    "convert": ("converted", ("convert",)),
}
_COLUMNS: Final = ("at", "user_id", "decision", "reason", "variant", "due", "send_id")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would carry it out


def _asked(request: PageRequest) -> str:
    kind = request.query_params.get("kind", "")
    return kind if kind in _KINDS else ""


@get("/campaigns/{campaign:str}/sends")
async def show_sends(
    campaign: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show the newest decisions about a campaign."""
    found, kind = application.campaigns.find(campaign), _asked(request)
    cursor = request.query_params.get("cursor", "")
    shown = await decisions_of(
        application.runtime, found.slug, _KINDS[kind][1], DECISIONS_PAGE_MAX, cursor
    )
    path, parts = campaign_path(found.slug, "sends"), {"kind": kind} if kind else {}
    next_path = address(path, {**parts, "cursor": shown.next_cursor}) if shown.next_cursor else None
    return tab_page(
        request,
        application,
        found,
        "sends",
        kinds=[
            (words, address(path, {"kind": name} if name else {}), name == kind)
            for name, (words, _) in _KINDS.items()
        ],
        kind_words=_KINDS[kind][0],
        decisions=shown.data,
        is_full=len(shown.data) == DECISIONS_PAGE_MAX,
        read_back_to=shown.read_back_to,
        decision_words=DECISION_WORDS,
        reasons=REASONS,
        next_path=next_path,
        first_path=address(path, parts) if cursor else None,
        csv_path=address(f"{path}.csv", parts),
        csv_max=DECISIONS_CSV_MAX,
    )


@get("/campaigns/{campaign:str}/sends.csv")
async def give_sends(
    campaign: str, request: PageRequest, application: Application
) -> Response[bytes]:
    """Give the newest decisions as a file for spreadsheets, as far back as one page may read."""
    found = application.campaigns.find(campaign)
    kinds = _KINDS[_asked(request)][1]
    shown = await decisions_of(application.runtime, found.slug, kinds, DECISIONS_CSV_MAX)
    headers = {
        **PAGE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{found.slug}-sends.csv"',
    }
    return Response(_csv(shown.data).encode(), media_type="text/csv", headers=headers)


def _csv(decisions: Iterable[Verdict]) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for one in decisions:
        due = format_instant(one.due) if one.due is not None else ""
        cells = (
            format_instant(one.at),
            one.user_id,
            one.decision,
            one.reason or "",
            one.variant or "",
            due,
            one.send_id or "",
        )
        rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()
