"""What is made of a campaign's counters: totals, rates, comparisons, series, all within bounds."""

from collections.abc import Iterable
from typing import Any

import pytest

from segue.engine.checks import decode_campaign
from segue.model.instants import DAY, HOUR, format_instant, parse_instant
from segue.model.limits import STATS_DETAILS_MAX, STATS_SPANS_MAX
from segue.model.problems import InvalidError
from segue.services.rates import Rate
from segue.services.spans import Period, read_period
from segue.services.stats import Stats, stats_of
from segue.storage.ports import Checkpoint, Counter, Position
from tests.support.live import LiveRuntime
from tests.support.story import EMAIL, campaign

NOW = parse_instant("2026-11-03T10:20:00Z")
TODAY = parse_instant("2026-11-03T00:00:00Z")
BUYS = [{"purchase": {}, "within": "1d"}]

Counts = list[tuple[Counter, float]]


def counted(
    metric: str,
    amount: float = 1,
    at: int = TODAY,
    variant: str = "A",
    detail: str = "",
    channel: str = "",
) -> tuple[Counter, float]:
    return Counter("c", at, variant, metric, detail, channel), amount


def by_email(variant: str = "A", **amounts: int) -> Counts:
    return [counted(metric, n, variant=variant, channel="email") for metric, n in amounts.items()]


def an_arm(variant: str, users: int, converted: int, letter: str = "A") -> Counts:
    metric = "unique_control" if variant == "control" else "unique_received"
    return [
        counted(metric, users, variant=variant),
        counted("unique_conversions", converted, variant=variant, detail=letter),
    ]


async def numbers(
    counts: Iterable[tuple[Counter, float]],
    period: Period | None = None,
    variant: str | None = None,
    **document: Any,
) -> Stats:
    """Return the numbers of `c` as they are once a checkpoint has these counters."""
    live = LiveRuntime(NOW)
    live.stores.snapshot.commit(Checkpoint(Position(now=NOW), counts=list(counts)))
    await live.start()
    written = campaign("c", {"event": "go"}, **document)
    found = await stats_of(live.runtime, decode_campaign(written), period or Period(), variant)
    await live.stop()
    return found


def variants(*names: str) -> dict[str, Any]:
    share = 100 // len(names)
    return {
        "messages": [],
        "variants": [{"name": name, "percent": share, "messages": EMAIL} for name in names],
    }


# Totals


async def test_totals_add_up_over_variants_channels_and_details_in_the_order_of_metrics() -> None:
    counts = [
        counted("sent", 3, channel="push"),
        counted("sent", 2, variant="B", channel="email"),
        counted("skipped", 1, detail="aborted"),
        counted("refused", 4, variant="", detail="not_in_audience"),
        counted("a_metric_of_another_release", 9),
    ]
    found = await numbers(counts, **variants("A", "B"))
    assert list(found.totals.items()) == [("refused", 4), ("skipped", 1), ("sent", 5)]
    assert {one.variant: one.totals for one in found.variants} == {
        "A": {"skipped": 1, "sent": 3},
        "B": {"sent": 2},
        "": {"refused": 4},
    }
    assert {one.channel: one.totals for one in found.channels} == {
        "email": {"sent": 2},
        "push": {"sent": 3},
    }


async def test_a_campaign_of_which_nothing_was_counted_has_no_numbers() -> None:
    found = await numbers([])
    assert (found.totals, found.variants, found.channels, found.details) == ({}, [], [], [])
    assert (found.rates, found.revenue, found.series, found.uplift) == ([], [], [], [])


async def test_details_are_told_by_variant_and_channel_the_largest_of_a_metric_first() -> None:
    counts = [
        counted("alias_clicks", 1, detail="x", channel="email"),
        counted("alias_clicks", 5, detail="y", channel="email"),
        counted("cancelled", 2, detail="exception_event"),
    ]
    found = await numbers(counts)
    assert [(one.metric, one.detail, one.value) for one in found.details] == [
        ("cancelled", "exception_event", 2),
        ("alias_clicks", "y", 5),
        ("alias_clicks", "x", 1),
    ]
    assert found.details[1].channel == "email"
    assert found.details_left_off == 0


async def test_only_the_largest_details_are_told_and_how_many_are_left_off() -> None:
    aliases = range(STATS_DETAILS_MAX + 7)
    counts = [counted("alias_clicks", 1 + n, detail=str(n), channel="email") for n in aliases]
    found = await numbers(counts)
    assert (len(found.details), found.details_left_off) == (STATS_DETAILS_MAX, 7)
    assert min(one.value for one in found.details) == 8
    assert found.totals["alias_clicks"] == sum(1 + n for n in aliases)


async def test_revenue_is_told_by_currency_and_not_in_the_totals() -> None:
    counts = [
        counted("revenue", 0.1, detail="A EUR"),
        counted("revenue", 0.2, TODAY + HOUR, detail="A EUR"),
        counted("revenue", 5, detail="A USD"),
        counted("revenue", 7, detail="B"),
    ]
    found = await numbers(counts)
    assert [(one.conversion_event, one.currency, one.value) for one in found.revenue] == [
        ("A", "EUR", 0.3),
        ("A", "USD", 5),
        ("B", "", 7),
    ]
    assert found.totals == {}


# Periods and variants


async def test_a_period_holds_the_hours_that_begin_in_it() -> None:
    counts = [counted("entered", 1 << n, TODAY + n * HOUR) for n in range(4)]
    period = Period(from_at=TODAY + HOUR, to_at=TODAY + 3 * HOUR, by="hour")
    found = await numbers(counts, period)
    assert found.totals == {"entered": 6}
    assert (found.from_, found.to) == ("2026-11-03T01:00:00Z", "2026-11-03T03:00:00Z")
    assert [(one.at, one.totals["entered"]) for one in found.series] == [
        ("2026-11-03T01:00:00Z", 2),
        ("2026-11-03T02:00:00Z", 4),
    ]


async def test_waiting_is_how_many_waited_at_the_end_of_the_period_and_of_each_span() -> None:
    changes = [(TODAY - 3 * DAY, 5), (TODAY - DAY, 3), (TODAY - DAY + HOUR, -6), (TODAY, 1)]
    counts = [counted("waiting", amount, at) for at, amount in changes]
    assert (await numbers(counts)).totals == {"waiting": 3}
    found = await numbers(counts, Period(from_at=TODAY - 2 * DAY, to_at=TODAY, by="hour"))
    assert found.totals == {"waiting": 2}
    assert [one.totals["waiting"] for one in found.series] == [8, 2]


async def test_a_period_that_is_still_to_come_has_no_numbers_but_those_who_wait() -> None:
    counts = [counted("sent"), counted("waiting", 2)]
    found = await numbers(counts, Period(from_at=NOW + DAY, to_at=NOW + 2 * DAY))
    assert (found.totals, found.series, found.series_is_cut) == ({"waiting": 2}, [], False)


async def test_details_are_told_once_for_the_whole_period() -> None:
    before = TODAY - STATS_SPANS_MAX * DAY
    ages = (before - DAY, before, TODAY)
    counts = [counted("skipped", 1, at, detail="aborted") for at in ages]
    connected = [counted("waiting_by", 1, at, detail="x/email_open") for at in ages]
    found = await numbers([*counts, *connected], Period(from_at=before))
    assert found.series_is_cut
    assert [(one.metric, one.value) for one in found.details] == [("waiting_by", 3), ("skipped", 2)]


async def test_days_are_those_of_the_zone() -> None:
    counts = [counted("sent", 1, TODAY - 2 * HOUR), counted("sent", 2, TODAY + HOUR)]
    period = read_period("2026-11-03", None, "day", "Europe/Paris")
    found = await numbers(counts, period)
    assert [(one.at, one.day, one.totals["sent"]) for one in found.series] == [
        ("2026-11-02T23:00:00Z", "2026-11-03", 2)
    ]
    period = read_period("2026-11-02", None, "day", "America/New_York")
    found = await numbers(counts, period)
    assert [(one.day, one.totals["sent"]) for one in found.series] == [("2026-11-02", 3)]


async def test_a_series_that_is_too_long_keeps_its_newest_spans_and_the_totals_are_whole() -> None:
    counts = [counted("sent", 1, TODAY - n * DAY) for n in range(STATS_SPANS_MAX + 5)]
    found = await numbers(counts)
    assert found.totals == {"sent": STATS_SPANS_MAX + 5}
    assert (len(found.series), found.series_is_cut) == (STATS_SPANS_MAX, True)
    assert found.series[-1].at == format_instant(TODAY)
    shorter = await numbers(counts[5:15])
    assert (len(shorter.series), shorter.series_is_cut) == (10, False)


async def test_one_variant_is_told_alone_and_compared_all_the_same() -> None:
    arms = an_arm("A", 200, 20) + an_arm("B", 200, 40)
    counts = [*arms, *by_email("A", sent=200), *by_email("B", sent=190)]
    found = await numbers(counts, variant="B", conversions=BUYS, **variants("A", "B"))
    assert (found.variant, found.totals["sent"]) == ("B", 190)
    assert [one.variant for one in found.variants] == ["B"]
    assert found.series[0].totals["sent"] == 190
    assert {one.variant for one in found.rates} == {"A", "B"} - {"A"}
    assert [arm.users for arm in found.uplift[0].arms] == [200, 200]


async def test_a_variant_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(InvalidError) as refused:
        await numbers(an_arm("old", 1, 0), variant="Z", control_percent=10)
    [problem] = refused.value.problems
    assert problem.path == "variant"
    assert problem.message == "there is no variant 'Z'; there are: A, old, control"


# Rates


def rates_of(found: Stats, **which: Any) -> dict[str, tuple[int, int, str]]:
    wanted = {"variant": None, "channel": "email", "conversion_event": None, **which}
    return {
        one.rate: (one.numerator, one.denominator, one.denominator_is)
        for one in found.rates
        if all(getattr(one, name) == value for name, value in wanted.items())
    }


async def test_rates_of_email_are_of_deliveries_which_are_what_did_not_bounce() -> None:
    found = await numbers(
        by_email(
            sent=110,
            bounced=12,
            unique_bounced=10,
            opens=70,
            unique_opens=40,
            machine_opens=30,
            clicks=20,
            unique_clicks=10,
            unique_unsubscribes=2,
            unique_spam_reports=1,
        )
    )
    assert rates_of(found) == {
        "delivery_rate": (100, 110, "sent"),
        "bounce_rate": (10, 110, "sent"),
        "open_rate": (40, 100, "sent_minus_bounced"),
        "click_rate": (10, 100, "sent_minus_bounced"),
        "click_to_open_rate": (10, 40, "unique_opens"),
        "unsubscribe_rate": (2, 100, "sent_minus_bounced"),
        "spam_report_rate": (1, 110, "sent"),
    }
    assert found.rates[2].value == 0.4


async def test_deliveries_are_those_reported_where_a_provider_reports_them() -> None:
    found = await numbers(by_email(sent=110, unique_bounced=5, unique_delivered=80, unique_opens=8))
    assert rates_of(found)["open_rate"] == (8, 80, "unique_delivered")
    assert rates_of(found)["delivery_rate"] == (80, 110, "sent")


async def test_rates_of_what_is_shown_in_an_app_are_of_those_who_saw_it() -> None:
    amounts = {"sent": 10, "unique_impressions": 8, "unique_clicks": 2, "unique_dismissals": 1}
    counts = [counted(metric, n, channel="content_card") for metric, n in amounts.items()]
    assert rates_of(await numbers(counts), channel="content_card") == {
        "impression_rate": (8, 10, "sent"),
        "click_rate": (2, 8, "unique_impressions"),
        "dismissal_rate": (1, 8, "unique_impressions"),
    }


async def test_a_rate_of_nothing_has_no_value() -> None:
    found = await numbers(by_email(sent=0, unique_opens=1))
    open_rate = next(one for one in found.rates if one.rate == "open_rate")
    assert (open_rate.denominator, open_rate.value) == (0, None)


async def test_a_conversion_rate_is_of_users_and_without_the_control_group() -> None:
    counts = an_arm("A", 10, 2) + an_arm("B", 20, 4) + an_arm("control", 5, 5)
    found = await numbers(counts, **variants("A", "B"))
    of = {"channel": None, "conversion_event": "A"}
    assert rates_of(found, **of) == {"conversion_rate": (6, 30, "unique_received")}
    assert rates_of(found, variant="B", **of) == {"conversion_rate": (4, 20, "unique_received")}
    in_control = {"conversion_rate": (5, 5, "unique_control")}
    assert rates_of(found, variant="control", **of) == in_control
    assert Rate("conversion_rate", 6, 30, "unique_received", 0.2, None, None, "A") in found.rates


# Comparisons


async def test_each_variant_is_compared_with_the_control_group() -> None:
    counts = an_arm("A", 1000, 120) + an_arm("B", 1000, 100) + an_arm("control", 1000, 90)
    [compared] = (await numbers(counts, conversions=BUYS, **variants("A", "B"))).uplift
    assert compared.conversion_event == "A"
    arms = [(arm.variant, arm.users, arm.conversions, arm.rate) for arm in compared.arms]
    assert arms == [("A", 1000, 120, 0.12), ("B", 1000, 100, 0.1), ("control", 1000, 90, 0.09)]
    a, b = compared.comparisons
    assert (a.outcome, a.variant, a.comparisons) == ("uplift", "A", 2)
    assert a.difference == pytest.approx(0.03)
    assert a.difference_low is not None
    assert a.difference_high is not None
    assert 0 < a.difference_low < 0.03 < a.difference_high
    assert a.lift == pytest.approx(1 / 3)
    assert a.p_value == pytest.approx(2 * 0.0289, abs=2e-3)  # of two, by Holm
    assert a.sentence.startswith("12.0 % against 9.0 % in the control group: +3.0 points")
    assert (b.outcome, b.variant) == ("uplift", "B")


async def test_below_a_hundred_users_an_arm_it_is_said_that_there_is_not_enough_data() -> None:
    counts = an_arm("A", 1000, 120) + an_arm("control", 99, 9)
    found = await numbers(counts, conversions=BUYS, control_percent=10)
    [comparison] = found.uplift[0].comparisons
    assert (comparison.outcome, comparison.variant) == ("not_enough_data", "A")
    assert comparison.sentence == (
        "Not enough data: the control group has 99 users; 100 are needed."
    )
    assert (comparison.difference, comparison.p_value) == (None, None)


async def test_without_a_control_group_variants_are_compared_with_each_other() -> None:
    counts = an_arm("A", 1000, 120) + an_arm("B", 1000, 60)
    found = await numbers(counts, conversions=BUYS, **variants("A", "B"))
    [comparison] = found.uplift[0].comparisons
    assert (comparison.outcome, comparison.variant) == ("spread", None)
    assert comparison.p_value is not None
    assert comparison.p_value < 0.001
    few = await numbers(an_arm("A", 50, 1), conversions=BUYS, **variants("A", "B"))
    [comparison] = few.uplift[0].comparisons
    assert comparison.outcome == "not_enough_data"
    assert comparison.sentence == (
        "Not enough data: variant A has 50 users, variant B has 0 users; 100 are needed."
    )


async def test_one_variant_without_a_control_group_has_nothing_to_compare_with() -> None:
    found = await numbers(an_arm("A", 1000, 120), conversions=BUYS)
    [comparison] = found.uplift[0].comparisons
    assert comparison.outcome == "nothing_to_compare"


async def test_every_conversion_event_is_compared_and_one_since_removed_as_well() -> None:
    counts = an_arm("A", 10, 2) + an_arm("A", 0, 1, "C")
    found = await numbers(counts, conversions=[*BUYS, {"session_start": {}, "within": "1d"}])
    assert [one.conversion_event for one in found.uplift] == ["A", "B", "C"]
    assert [one.arms[0].conversions for one in found.uplift] == [2, 0, 1]


async def test_a_comparison_is_of_the_whole_life_of_the_campaign_whatever_the_period() -> None:
    """A user may have received in one period and have converted in the next."""
    counts = [
        counted("unique_received", 100, TODAY - DAY),
        counted("unique_conversions", 7, TODAY, detail="A"),
    ]
    found = await numbers(counts, Period(from_at=TODAY), conversions=BUYS)
    [arm] = found.uplift[0].arms
    assert (arm.users, arm.conversions) == (100, 7)
    assert found.totals == {"unique_conversions": 7}


async def test_an_arm_without_users_has_no_rate() -> None:
    found = await numbers([], conversions=BUYS, control_percent=10)
    assert [(arm.variant, arm.users, arm.rate) for arm in found.uplift[0].arms] == [
        ("A", 0, None),
        ("control", 0, None),
    ]
