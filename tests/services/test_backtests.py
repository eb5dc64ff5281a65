"""What a backtest tells: numbers by day and in all, examples, and what is wrong with the draft."""

from typing import Any

import pytest

from segue.engine.bucketing import is_in_control
from segue.engine.checks import decode_campaign
from segue.model.events import Event
from segue.model.instants import DAY, HOUR, format_instant, parse_instant, to_datetime
from segue.model.log_records import CampaignPublished, EventsReceived, TimeAdvanced, WorkspaceSet
from segue.model.problems import InvalidError
from segue.model.workspace import Workspace
from segue.services.backtests import BacktestResult, run_backtest
from segue.storage.ports import StoredCampaign
from tests.support.recorder import Recorder
from tests.support.story import EMAIL, campaign, interacts

NOW = parse_instant("2026-11-01T12:00:00Z")
SALE = campaign("sale", {"event": "go"}, messages=EMAIL, re_eligibility="always")


def resend(**more: Any) -> dict[str, Any]:
    opened = [interacts("sale", "email_other_open")]
    received = interacts("sale", "email_receive")
    return campaign("resend", received, exceptions=opened, **{"delay": "1d", **more})


def record(time_zone: str = "UTC") -> Recorder:
    """Three users receive the sale, an hour apart; one opens, and one buys twice."""
    recorder = Recorder().take(WorkspaceSet(NOW, Workspace(time_zone=time_zone)))
    document = decode_campaign(SALE)
    stored = StoredCampaign("id-sale", document, "active", 1, NOW, NOW, NOW)
    recorder.journal.save_campaign(stored)
    recorder.take(CampaignPublished(NOW, "id-sale", 1, document))
    for number, name in enumerate(("ann", "bob", "eve")):
        recorder.take(EventsReceived(NOW + number * HOUR, [Event(name, "go", id=f"go-{name}")]))
    recorder.take(EventsReceived(NOW + 3 * HOUR, [Event("ann", "email_open", campaign="sale")]))
    for number in range(2):
        bought = Event("bob", "purchase", product_id="x", price=2.5, currency="EUR", quantity=2)
        recorder.take(EventsReceived(NOW + DAY + (2 + number) * HOUR, [bought]))
    return recorder.take(TimeAdvanced(NOW + 2 * DAY))


def backtest(recorder: Recorder, document: dict[str, Any], **more: Any) -> BacktestResult:
    return run_backtest(recorder.stores, document, **more)


def test_everything_is_counted_once_by_day_and_in_all() -> None:
    conversions = [{"purchase": {}, "within": "3d"}]
    result = backtest(record(), resend(conversions=conversions))
    totals = result.totals
    assert (totals.entered, totals.sent, totals.cancelled) == (3, 2, {"exception_event": 1})
    assert totals.converted == {"A": 1}
    assert sum(totals.revenue.values()) == 5.0
    assert (totals.refused, totals.skipped, totals.control, result.waiting) == ({}, {}, 0, 0)
    days = {day.day: day.numbers for day in result.days}
    assert (days["2026-11-01"].entered, days["2026-11-01"].sent) == (3, 0)
    assert days["2026-11-01"].cancelled == {"exception_event": 1}
    assert (days["2026-11-02"].sent, days["2026-11-02"].converted) == (2, {"A": 1})
    assert result.entries == recorder_entries(record())
    assert (result.since, result.until) == (format_instant(NOW), format_instant(NOW + 2 * DAY))
    assert result.is_whole


def recorder_entries(recorder: Recorder) -> int:
    return recorder.journal.log_end().next_ordinal


def test_days_are_those_of_the_workspace() -> None:
    """Noon of the first in UTC is the second in Auckland."""
    recorder = record("Pacific/Auckland")
    result = backtest(recorder, resend())
    assert result.time_zone == "Pacific/Auckland"
    assert [day.day for day in result.days] == ["2026-11-02", "2026-11-03"]


def test_who_waits_at_the_end_is_counted() -> None:
    result = backtest(record(), resend(delay="7d"))
    assert (result.totals.entered, result.waiting) == (3, 2)


def test_the_control_group_is_told_apart() -> None:
    split = 50
    document = resend(delay="1h", conversions=[{"purchase": {}, "within": "3d"}])
    result = backtest(record(), {**document, "control_percent": split})
    expected = sum(is_in_control("resend", name, split) for name in ("ann", "bob", "eve"))
    assert result.totals.control == expected
    is_bob_control = is_in_control("resend", "bob", split)
    converted = result.totals.control_converted if is_bob_control else result.totals.converted
    assert converted == {"A": 1}
    assert result.totals.sent == 3 - expected


def test_examples_name_the_event_that_caused_them_also_days_later() -> None:
    result = backtest(record(), resend(), examples_max=1)
    shown = {(one.decision, one.reason): one for one in result.examples}
    assert set(shown) == {("enter", None), ("cancel", "exception_event"), ("send", None)}
    entered, cancelled = shown["enter", None], shown["cancel", "exception_event"]
    assert entered.user_id == "ann"
    assert entered.due == format_instant(NOW + DAY)
    assert entered.event is not None
    assert (entered.event.name, entered.event.campaign) == ("email_receive", "sale")
    assert cancelled.event is not None
    assert cancelled.event.name == "email_open"
    assert cancelled.event.id == cancelled.cause
    sent = shown["send", None]
    assert sent.user_id == "bob"
    assert sent.event is not None
    assert sent.event.name == "email_receive"
    assert sent.event.time == to_datetime(NOW + HOUR)


def test_as_many_examples_are_kept_as_are_asked_for() -> None:
    assert len(backtest(record(), resend(), examples_max=2).examples) == 2 + 1 + 2
    assert backtest(record(), resend(), examples_max=0).examples == []


def test_a_document_is_refused_with_every_fault_as_at_publication() -> None:
    document = resend()
    document["delivery"]["triggers"] = [interacts("sales", "email_receive")]
    with pytest.raises(InvalidError, match=r'there is no campaign "sales"; did you mean "sale"'):
        backtest(record(), document)
    with pytest.raises(InvalidError, match="2 fault"):
        backtest(record(), {**resend(), "slug": "not a slug", "control_percent": 101})


def test_what_an_author_should_know_comes_with_the_result() -> None:
    stopped = record()
    found = stopped.journal.find_campaign("sale")
    assert found is not None
    stopped.journal.save_campaign(
        StoredCampaign(found.id, found.document, "stopped", 1, NOW, NOW, NOW)
    )
    warnings = backtest(stopped, resend()).warnings
    assert any("sale is stopped" in one.message for one in warnings)


def test_an_instant_behind_the_end_of_the_log_is_refused() -> None:
    with pytest.raises(InvalidError, match=r"since: is after the end of the log, which is at 2026"):
        backtest(record(), resend(), since=NOW + 3 * DAY)


def test_an_instant_before_the_log_is_its_beginning() -> None:
    result = backtest(record(), resend(), since=NOW - 9 * DAY)
    assert result.since == format_instant(NOW)
    assert result.totals.entered == 3


def test_an_empty_log_gives_nothing() -> None:
    result = backtest(Recorder(), campaign("c", {"event": "go"}))
    assert (result.entries, result.totals.entered, result.days) == (0, 0, [])
