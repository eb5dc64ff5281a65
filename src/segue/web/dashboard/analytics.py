"""Analytics: numbers of all campaigns in a period, beside the period before; as a file, too."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from litestar import Response, get

from segue.model.channels import CHANNELS
from segue.model.instants import FOREVER, format_instant
from segue.model.limits import ANALYTICS_COMPARISONS_MAX
from segue.model.problems import InvalidError
from segue.model.reasons import REASONS
from segue.services.analytics import Analytics, Wish, analytics_of, series
from segue.services.analytics_funnel import funnel_steps
from segue.services.analytics_periods import PERIODS, Spans, read_spans
from segue.services.analytics_words import change_words, missing_words
from segue.services.application import Application
from segue.services.comparison_words import plain_words
from segue.services.explanations.words import channel_word
from segue.services.spans import Period
from segue.services.stats import stats_of
from segue.storage.ports import StoredCampaign
from segue.web.dashboard import charts
from segue.web.dashboard.forms import faults_of
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, page

_PATH: Final = "/analytics"
_FILTERS: Final = ("campaign", "channel", "tag")
_LINES: Final = (
    ("sent", "Sent"),
    ("unique_opens", "Opened"),
    ("unique_clicks", "Clicked"),
    ("unique_conversions", "Converted"),
)
_COLUMNS: Final = (
    ("entered", "Entered"),
    ("sent", "Sent"),
    ("arrived", "Delivered"),
    ("unique_opens", "Opened"),
    ("unique_clicks", "Clicked"),
    ("unique_conversions", "Converted"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class _Question:
    """What a request asks for: whose numbers, and of when."""

    def __init__(self, request: PageRequest, application: Application) -> None:
        asked = request.query_params
        self.wish = Wish(*(asked.get(name, "")[:255] for name in _FILTERS))
        self.texts = {name: asked.get(name, "")[:40] for name in ("days", "from", "to")}
        self.faults: Mapping[str, str] = {}
        zone = application.runtime.plan.workspace.time_zone
        now = application.runtime.processor.fold.now
        try:
            self.spans = read_spans(
                self.texts["days"], self.texts["from"], self.texts["to"], zone, now
            )
        except InvalidError as error:
            self.faults = faults_of(error)
            self.spans = read_spans("", "", "", zone, now)

    def path(self, path: str = _PATH, **changes: str) -> str:
        """Return the address of the same question with some parts changed."""
        parts = {name: getattr(self.wish, name) for name in _FILTERS}
        period = {"days": self.spans.days}
        if not self.spans.days:
            period = {"from": str(self.spans.first), "to": str(self.spans.last)}
        if "days" in changes:
            period = {}
        query = {name: one for name, one in {**parts, **period, **changes}.items() if one}
        return f"{path}?{urlencode(query)}" if query else path


async def _answer(
    question: _Question, application: Application, campaigns: list[StoredCampaign]
) -> Analytics:
    wanted = [one.slug for one in campaigns if one.version and question.wish.takes(one)]
    totals = await application.totals.of(wanted)
    waiting = {slug: one.of("waiting") for slug, one in totals.items()}
    return await analytics_of(
        application.runtime, campaigns, waiting, question.wish, question.spans
    )


@get(_PATH)
async def show_analytics(request: PageRequest, application: Application) -> Response[Any]:
    """Show the numbers."""
    question = _Question(request, application)
    campaigns = application.campaigns.all()
    numbers = await _answer(question, application, campaigns)
    published = [one for one in campaigns if one.version]
    lines = [
        charts.Line(title, series(numbers.days, metric))
        for metric, title in _LINES
        if any(series(numbers.days, metric))
    ]
    return page(
        request,
        "analytics/page.html",
        title="Analytics",
        status=422 if question.faults else 200,
        question=question,
        wish=question.wish,
        spans=question.spans,
        faults=question.faults,
        texts=question.texts,
        periods=PERIODS,
        numbers=numbers,
        columns=_COLUMNS,
        funnel=funnel_steps(numbers),
        reasons=REASONS,
        lines=lines,
        compared=await _compared(application, published, numbers, question.wish),
        campaigns=sorted((one.slug, one.document.name) for one in published),
        channels=[(one, channel_word(one)) for one in CHANNELS],
        tags=sorted({tag for one in published for tag in one.document.tags}),
        channel_word=channel_word,
        change_words=change_words,
        plain_words=plain_words,
        missing_words=missing_words,
        charts=charts,
        api_path=_api_path(question, numbers),
        base_url=application.settings.base_url,
        as_of=application.runtime.processor.fold.now,
    )


async def _compared(
    application: Application, published: list[StoredCampaign], numbers: Analytics, wish: Wish
) -> list[tuple[StoredCampaign, Any]]:
    """Return what there is to compare, of the campaigns that were sent most.

    Comparisons are of users, whose channels do not matter.
    """
    by_slug = {one.slug: one for one in published}
    found = []
    for row in numbers.campaigns:
        document = by_slug[row.key].document
        has_arms = document.control_percent > 0 or len(document.all_variants()) > 1
        if document.conversions and (has_arms or wish.campaign):
            found.append(by_slug[row.key])
    answers = []
    for one in found[:ANALYTICS_COMPARISONS_MAX]:
        stats = await stats_of(application.runtime, one.document, Period())
        answers.append((one, stats.uplift))
    return answers


def _api_path(question: _Question, numbers: Analytics) -> str:
    """Return where the API has a campaign's numbers of the same period."""
    slug = question.wish.campaign or next((one.key for one in numbers.campaigns), "")
    if not slug:
        return ""
    period = question.spans.period
    query = {"from": format_instant(period.from_at), "time_zone": period.time_zone}
    if period.to_at < FOREVER:
        query["to"] = format_instant(period.to_at)
    return f"/api/v1/campaigns/{quote(slug, safe='')}/stats?{urlencode({**query, 'by': period.by})}"


@get(f"{_PATH}.csv")
async def give_analytics(request: PageRequest, application: Application) -> Response[Any]:
    """Give the same numbers as a file for spreadsheets."""
    question = _Question(request, application)
    if question.faults:
        raise InvalidError([], "The period")
    numbers = await _answer(question, application, application.campaigns.all())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("of", "name", "metric", "count", "count before"))
    writer.writerows(_rows(numbers, question.spans))
    spans = question.spans
    headers = {
        **PAGE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="segue-{spans.first}-{spans.last}.csv"',
    }
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _rows(numbers: Analytics, spans: Spans) -> Iterator[tuple[object, ...]]:
    whole = [("all", "", numbers.all)]
    for kind, rows in (
        ("campaign", numbers.campaigns),
        ("channel", numbers.channels),
        ("tag", numbers.tags),
    ):
        whole += [(kind, row.key, row.pair) for row in rows]
    for kind, name, pair in whole:
        for metric in sorted(pair.now.keys() | pair.before.keys()):
            yield kind, _harmless(name), metric, pair.now[metric], pair.before[metric]
    for loss in numbers.losses:
        yield "reason", _harmless(loss.reason), loss.metric, loss.count, ""
    for day in numbers.days:
        for metric, _title in _LINES:
            yield spans.period.by, format_instant(day.at), metric, day.totals[metric], ""


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


PAGE = Page(
    _PATH,
    "Analytics",
    (show_analytics, give_analytics),
    group="Insight",
    icon="chart-line",
    key="i",
    samples=(_PATH, f"{_PATH}?days=1&channel=email"),
)
