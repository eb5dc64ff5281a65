"""The live feed: rendered once with the newest decisions, then told by server-sent events."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from segue.model.channels import CHANNELS
from segue.model.limits import ACTIVITY_SHOWN_MAX
from segue.runtime.live_feed import Subscription
from segue.services.activity import ActivityBatch, ActivityFilter
from segue.services.application import Application
from segue.services.moment_words import KIND_WORDS
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, page
from segue.web.sessions import signed_in

PATH: Final = "/activity"
_TEXT_MAX: Final = 255
_CHECKED_EVERY_S: Final = 5.0  # a stream outlives the request, and so may outlive the session
_RETRY_MS: Final = 2_000  # until a browser that lost the connection tries again


@get(PATH)
async def show_activity(request: PageRequest, application: Application) -> Response[Any]:
    """Show the newest decisions; a script goes on from there."""
    wanted = _filter_of(request)
    after = application.activity.keep()  # before the newest are read, so that none falls between
    campaigns = [(one.slug, one.document.name) for one in application.campaigns.all()]
    if wanted.campaign and wanted.campaign not in dict(campaigns):
        campaigns.append((wanted.campaign, wanted.campaign))
    return page(
        request,
        "activity/live.html",
        title="Activity",
        lines=await application.activity.newest(wanted),
        wanted=wanted,
        after=after,
        shown_max=ACTIVITY_SHOWN_MAX,
        campaigns=[("", "all campaigns"), *campaigns],
        channels=[("", "all channels"), *((one, one.replace("_", " ")) for one in CHANNELS)],
        kinds=[("", "everything"), *KIND_WORDS.items()],
        query=request.url.query,
    )


@get(f"{PATH}/stream", sync_to_thread=False)
def stream_activity(request: PageRequest, application: Application) -> ServerSentEvent:
    """Tell what happens as it does, behind `Last-Event-ID` or, at first, behind `after`."""
    after = request.headers.get("last-event-id", "") or request.query_params.get("after", "")
    subscription = application.activity.look_on(_filter_of(request), after[:_TEXT_MAX])
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
    return ServerSentEvent(_messages(request, application, subscription), headers=headers)


def _filter_of(request: PageRequest) -> ActivityFilter:
    def text(name: str) -> str:
        return request.query_params.get(name, "").strip()[:_TEXT_MAX]

    return ActivityFilter(
        user_id=text("user"),
        campaign=text("campaign"),
        channel=text("channel"),
        kind=text("kind"),
        is_problem=bool(text("problems")),
    )


async def _messages(
    request: PageRequest, application: Application, subscription: Subscription
) -> AsyncIterator[ServerSentEventMessage]:
    """Yield what a page is told, as long as whoever looks on is signed in."""
    clock = application.clock
    checked_at = clock.monotonic()
    async with aclosing(application.activity.batches(subscription)) as batches:
        async for batch in batches:
            if clock.monotonic() - checked_at > _CHECKED_EVERY_S:
                if signed_in(request) is None:
                    return
                checked_at = clock.monotonic()
            data = msgspec.json.encode(_shown(batch)).decode()
            yield ServerSentEventMessage(
                event="lines", data=data, id=batch.id or None, retry=_RETRY_MS
            )


def _shown(batch: ActivityBatch) -> dict[str, Any]:
    return {"lines": batch.lines, "missed": batch.missed, "hasGap": batch.has_gap}
