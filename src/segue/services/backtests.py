"""Backtests: what a draft would have done on the recorded log, checked as at publication."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from segue.content.lint import errors_in, warnings_in
from segue.engine.checks import decode_campaign
from segue.engine.plan import EMPTY_PLAN, Plan, apply_changes
from segue.engine.publication_checks import Surroundings, check_publication
from segue.engine.target_checks import KnownCampaign
from segue.model.campaigns import Campaign
from segue.model.instants import format_instant
from segue.model.problems import InvalidError, Problem
from segue.runtime.backtest import Backtest
from segue.runtime.recorded import Progress, RecordedLog, no_progress
from segue.services.backtest_tally import Day, Example, Numbers, Tally
from segue.services.campaigns import known_campaign
from segue.storage.open import Stores
from segue.storage.ports import StoredCampaign

EXAMPLES_DEFAULT: Final = 3


class BacktestResult(Struct):
    """What the draft would have decided between `since` and the end of the log.

    `is_whole` is false where the log has lost its beginning, and with it what users had done
    before; days are those of `time_zone`.
    """

    campaign: str
    since: str
    until: str
    entries: int
    is_whole: bool
    time_zone: str
    waiting: int
    totals: Numbers
    days: list[Day]
    examples: list[Example]
    warnings: list[Problem]


def check_draft(
    raw: object, campaigns: Iterable[StoredCampaign], plan: Plan, since: int
) -> tuple[Campaign, list[Problem]]:
    """Return the document and what its author should know, as if it were published at an instant.

    Raises:
        InvalidError: with every fault, those of its references included.
    """
    document = decode_campaign(raw)
    if problems := errors_in(document):
        raise InvalidError(problems, "The campaign")
    others = {one.slug: known_campaign(one) for one in campaigns}
    campaign_id = others.pop(document.slug).id if document.slug in others else ""
    draft = KnownCampaign(document.slug, campaign_id, "draft", document)
    around = Surroundings(others, plan.segments, plan.workspace, since)
    found = check_publication([draft], around)
    if found.errors:
        raise InvalidError([one.problem for one in found.errors], "The campaign")
    return document, [*(one.problem for one in found.warnings), *warnings_in(document)]


def run_backtest(
    stores: Stores,
    raw: object,
    since: int | None = None,
    examples_max: int = EXAMPLES_DEFAULT,
    progress: Progress = no_progress,
) -> BacktestResult:
    """Run a draft over the recorded log, published at an instant, by default at its beginning.

    Raises:
        InvalidError: with every fault of the document, or of the instant.
    """
    log = RecordedLog(stores.journal, stores.snapshot)
    plan = apply_changes(EMPTY_PLAN, log.changes)
    campaigns = stores.journal.list_campaigns()
    since = log.begin.received_at if since is None else max(since, log.begin.received_at)
    document, warnings = check_draft(raw, campaigns, plan, since)
    if since > log.end.received_at:
        message = f"is after the end of the log, which is at {format_instant(log.end.received_at)}"
        raise InvalidError([Problem("since", message)], "The backtest")
    campaign_id = next((one.id for one in campaigns if one.slug == document.slug), "")
    backtest = Backtest(log, document, lambda guest: Tally(guest, examples_max), since, campaign_id)
    backtest.run(progress)
    tally = backtest.outcomes
    return BacktestResult(
        campaign=document.slug,
        since=format_instant(backtest.since),
        until=format_instant(log.end.received_at),
        entries=log.end.next_ordinal - log.begin.ordinal,
        is_whole=log.is_whole,
        time_zone=plan.workspace.time_zone,
        waiting=backtest.count_waiting(),
        totals=tally.totals,
        days=[Day(day, numbers) for day, numbers in sorted(tally.days.items())],
        examples=[one for kept in tally.examples.values() for one in kept],
        warnings=warnings,
    )
