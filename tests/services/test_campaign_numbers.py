"""Numbers of campaigns as pages show them: the week, the funnel, versions, plain comparisons."""

import pytest

from segue.clock import FixedClock
from segue.engine.checks import decode_campaign
from segue.model.instants import DAY
from segue.services.actors import Actor
from segue.services.audit import AuditTrail
from segue.services.campaign_list import edges_among, neighbours_of, weeks_of
from segue.services.campaign_versions import changes_of
from segue.services.comparison_words import plain_words
from segue.services.comparisons import compare
from segue.services.funnel import FunnelStep, funnel_of
from segue.services.spans import Period
from segue.services.stats import stats_of
from tests.support.desk import HTML, Desk, clicked
from tests.support.documents import follower

BUYS = [{"purchase": {}, "within": "3d"}]


def actor(name: str) -> Actor:
    return Actor("account", name, f"{name}@shop.test", frozenset(("publish",)))


async def steps_of(desk: Desk, slug: str) -> dict[str, FunnelStep]:
    document = desk.campaigns.find(slug).document
    stats = await stats_of(desk.live.runtime, document, Period())
    return {one.name: one for one in funnel_of(stats)}


# The week


async def test_a_week_tells_sends_by_day_with_today_last(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"}, conversions=BUYS)
    await desk.publish("sale")
    await desk.knows("ann", "bob")
    await desk.happens("began", "ann", "bob")
    await desk.live.move_to(desk.live.clock.now() + 2 * DAY)
    await desk.happens("began", "ann")
    await desk.happens("purchase", "ann", product_id="x", price=5.0, currency="EUR")
    week = (await weeks_of(desk.live.runtime, ["sale"]))["sale"]
    assert week.sent_daily == [0, 0, 0, 0, 2, 0, 1]
    assert (week.sent, week.delivered, week.converted) == (3, 3, 1)


async def test_what_is_older_than_a_week_is_left_out(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    await desk.publish("sale")
    await desk.knows("ann")
    await desk.happens("began", "ann")
    await desk.live.move_to(desk.live.clock.now() + 8 * DAY)
    week = (await weeks_of(desk.live.runtime, ["sale"]))["sale"]
    assert (week.sent, week.sent_daily) == (0, [0] * 7)


async def test_a_bounce_is_no_delivery(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    await desk.publish("sale")
    await desk.knows("ann", "bob")
    await desk.happens("began", "ann", "bob")
    await desk.happens("email_bounce", "ann", campaign="sale")
    week = (await weeks_of(desk.live.runtime, ["sale"]))["sale"]
    assert (week.sent, week.delivered) == (2, 1)


async def test_neighbours_are_counted_once_however_many_triggers_there_are(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    desk.draft("second", *clicked("sale", "sale"))
    desk.draft("third", *clicked("sale", "second"))
    found = neighbours_of(edges_among(desk.campaigns.all()))
    told = {slug: (one.follows, one.followed_by) for slug, one in found.items()}
    assert told == {"sale": (0, 2), "second": (1, 1), "third": (2, 0)}


# The funnel


async def test_each_step_says_of_what_it_is_and_who_did_not_go_on(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"}, re_eligibility="never", conversions=BUYS)
    await desk.publish("sale")
    await desk.knows("ann", "bob")
    await desk.happens("began", "ann", "bob", "cat")
    await desk.happens("began", "ann")
    await desk.happens("email_open", "ann", "bob", campaign="sale")
    await desk.clicks("sale", "ann")
    await desk.happens("purchase", "ann", product_id="x", price=5.0, currency="EUR")
    steps = await steps_of(desk, "sale")
    told = {name: (one.count, one.of) for name, one in steps.items()}
    assert told == {
        "Triggered": (4, None),
        "Entered": (3, 4),
        "Waiting now": (0, 3),
        "Sends": (2, 3),
        "Delivered": (2, 2),
        "Opened": (2, 2),
        "Clicked": (1, 2),
        "Converted": (1, 2),
    }
    refused = [(one.reason, one.count) for one in steps["Triggered"].losses]
    assert refused == [("not_re_eligible", 1)]
    assert ("skipped", "no_address", 1) in [
        (one.what, one.reason, one.count) for one in steps["Sends"].losses
    ]
    assert all(one.sentence.endswith(".") for step in steps.values() for one in step.losses)


async def test_a_funnel_of_nothing_has_no_shares(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    await desk.publish("sale")
    steps = await steps_of(desk, "sale")
    assert {one.count for one in steps.values()} == {0}
    assert {one.share for one in steps.values()} == {None}


async def test_who_waits_and_who_was_cancelled_stand_at_the_wait(desk: Desk) -> None:
    delivery = {
        "triggers": [{"event": "began"}],
        "delay": {"after": "7d"},
        "exceptions": [{"event": "bought"}],
    }
    desk.campaigns.create(follower("sale", delivery=delivery, messages=HTML))
    await desk.publish("sale")
    await desk.happens("began", "ann", "bob")
    await desk.happens("bought", "bob")
    waiting = (await steps_of(desk, "sale"))["Waiting now"]
    assert (waiting.count, waiting.of) == (1, 2)
    assert [(one.reason, one.count) for one in waiting.losses] == [("exception_event", 1)]


# Versions


async def test_changes_say_what_when_by_whom_and_what_is_different(desk: Desk) -> None:
    audit = AuditTrail(desk.live.stores.journal, desk.live.clock)
    desk.draft("sale", {"event": "began"}, name="Sale")
    desk.draft("other", {"event": "began"})
    await desk.publish("other")
    await desk.publish("sale")
    audit.record(actor("ben"), "published campaigns", "other, sale")
    await desk.live.move_to(desk.live.clock.now() + DAY)
    new = follower("sale", {"event": "began"}, messages=HTML, name="Summer sale")
    await desk.campaigns.update("sale", new)
    await desk.live.checkpoint()
    await desk.live.move_to(desk.live.clock.now() + DAY)
    await desk.campaigns.stop("sale")
    audit.record(actor("eve"), "stopped", "sale")
    found = await changes_of(desk.live.runtime, audit, desk.campaigns.find("sale"))
    assert [(one.kind, one.version, one.by) for one in found] == [
        ("stopped", None, "eve@shop.test"),
        ("edited", 2, ""),
        ("published", 1, "ben@shop.test"),
    ]
    edit = found[1]
    assert [(one.path, one.old, one.new) for one in edit.differences] == [
        ("name", "Sale", "Summer sale")
    ]
    assert found[2].differences == ()


async def test_a_draft_has_no_changes(desk: Desk) -> None:
    audit = AuditTrail(desk.live.stores.journal, FixedClock(0))
    desk.draft("sale", {"event": "began"})
    assert await changes_of(desk.live.runtime, audit, desk.campaigns.find("sale")) == []


# Comparisons in plain words


def compared(users: dict[str, int], converted: dict[str, int], control: int = 50) -> str:
    document = follower("sale", conversions=BUYS, control_percent=control, messages=HTML)
    decoded = decode_campaign(document)
    by_letter = {(variant, "A"): count for variant, count in converted.items()}
    arms = [one for one in users if one != "control"]
    [found] = compare(decoded, arms, users, by_letter)
    return plain_words(found.comparisons[0], found)


@pytest.mark.parametrize(
    ("users", "converted", "words"),
    [
        (
            {"A": 1000, "control": 1000},
            {"A": 80, "control": 50},
            "Variant A converts 3 points more than sending nothing. "
            "If it made no difference, it would look like this 1 time in 154.",
        ),
        (
            {"A": 1000, "control": 1000},
            {"A": 60, "control": 50},
            "Variant A converted 1 point more than sending nothing, which may well be chance: "
            "if it made no difference, it would look like this 1 time in 3.",
        ),
        (
            {"A": 1000, "control": 1000},
            {"A": 20, "control": 90},
            "Variant A converts 7 points less than sending nothing. "
            "If it made no difference, it would look like this less than 1 time in 1,000.",
        ),
        (
            {"A": 500, "control": 500},
            {"A": 50, "control": 50},
            "Variant A converts as often as sending nothing.",
        ),
        (
            {"A": 30, "control": 500},
            {"A": 3, "control": 50},
            "Not enough data yet: variant A needs about 70 more users.",
        ),
    ],
)
def test_a_comparison_is_said_without_statistics(
    users: dict[str, int], converted: dict[str, int], words: str
) -> None:
    assert compared(users, converted) == words


def test_variants_without_a_control_group_are_compared_with_each_other() -> None:
    users = {"A": 1000, "B": 1000}
    assert compared(users, {"A": 90, "B": 30}, 0).startswith("The variants differ.")
    assert compared(users, {"A": 50, "B": 51}, 0).startswith("The variants may well be alike")


def test_one_variant_alone_is_compared_with_nothing() -> None:
    assert compared({"A": 1000}, {"A": 90}, 0).startswith("Nothing to compare")
