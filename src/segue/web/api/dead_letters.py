"""`/api/v1/dead-letters`: messages that failed, to be looked at, tried again or dismissed."""

from typing import Any

from litestar import Request, delete, get, post

from segue.services.application import Application
from segue.services.dead_letters import (
    Dismissed,
    LetterFilter,
    LettersSummary,
    Retried,
    ShownLetter,
    cursor_of,
)
from segue.web.audit import note_change
from segue.web.bodies import read_json
from segue.web.pages import Page, PageLimit, page_of

_TAGS = ["dead letters"]


@get("/dead-letters", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def list_letters(
    application: Application,
    limit: PageLimit = 100,
    cursor: str = "",
    campaign: str | None = None,
    channel: str | None = None,
    reason: str | None = None,
) -> Page[ShownLetter]:
    """List messages that failed and may be tried again, the newest first."""
    wanted = LetterFilter(campaign, channel, reason)
    letters = application.dead_letters.page(wanted, cursor, limit + 1)
    return page_of(letters, limit, cursor_of)


@get("/dead-letters/summary", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def summarise_letters(
    application: Application,
    campaign: str | None = None,
    channel: str | None = None,
    reason: str | None = None,
) -> LettersSummary:
    """Count messages that failed by campaign, channel and reason, with an example of each."""
    return application.dead_letters.summary(LetterFilter(campaign, channel, reason))


@post("/dead-letters/retry", status_code=200, opt={"scope": "send"}, tags=_TAGS)
async def retry_letters(request: Request[Any, Any, Any], application: Application) -> Retried:
    """Try messages again: `{"ids": [...]}`, or `{"campaign"?, "channel"?, "reason"?}`.

    Messages of which nobody knows whether they arrived need `"may_double": true`.
    """
    retried = await application.dead_letters.retry(await read_json(request))
    note_change(request, "", f"{retried.put_back} put back")
    return retried


@delete("/dead-letters/{letter:str}", opt={"scope": "send"}, tags=_TAGS)
async def dismiss_letter(letter: str, application: Application) -> None:
    """Take a message off the list; it is never sent."""
    await application.dead_letters.dismiss(letter)


@delete("/dead-letters", status_code=200, opt={"scope": "send"}, tags=_TAGS)
async def dismiss_letters(
    request: Request[Any, Any, Any],
    application: Application,
    campaign: str | None = None,
    channel: str | None = None,
    reason: str | None = None,
) -> Dismissed:
    """Take messages off the list: those of a campaign, a channel, a reason, or all of them."""
    wanted = LetterFilter(campaign, channel, reason)
    dismissed = await application.dead_letters.dismiss_all(wanted)
    note_change(request, campaign or "", f"{dismissed.dismissed} dismissed")
    return dismissed


HANDLERS = [list_letters, summarise_letters, retry_letters, dismiss_letter, dismiss_letters]
