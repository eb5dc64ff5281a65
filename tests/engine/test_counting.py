"""What is counted of a campaign, when, and under which variant (semantics.md 7)."""

from typing import Any

import pytest
from tests.support.counted_run import CountedRun, Settle, Settled, accept, settled
from tests.support.story import EMAIL, campaign, interacts

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.effects import Deliver
from segue.model.events import SendSettled
from segue.model.instants import HOUR, MINUTE, format_instant, parse_instant
from segue.model.limits import DONE_MAX

START = parse_instant("2026-11-01T10:00:00Z")
GO = {"event": "go"}
PUSH = [{"push": {"title": "Hello"}}]
CARD = [{"content_card": {"title": "Hello"}}]
IN_APP = [{"in_app_message": {"body": "Hello", "buttons": [{"id": "yes", "text": "Yes"}]}}]
STORY = [
    {
        "push": {
            "title": "Hello",
            "buttons": [{"id": "one", "text": "One"}],
            "pages": [{"id": "one", "image_url": "https://shop.test/1.png"}],
        }
    }
]
Line = dict[str, Any]


def event(name: str, minute: float = 0, **more: Any) -> Line:
    """Return what Ann did with the campaign `c`, or, with the name "go", what triggers it."""
    of_campaign = {} if name in ("go", "purchase") else {"campaign": "c"}
    at = format_instant(START + int(minute * MINUTE))
    return {"user_id": "ann", "name": name, "time": at, **of_campaign, **more}


def at(minute: float, **fields: Any) -> Line:
    return {"time": format_instant(START + int(minute * MINUTE)), **fields}


def campaigns(**more: Any) -> dict[str, Campaign]:
    document = campaign("c", GO, **{"re_eligibility": "always", "messages": EMAIL, **more})
    return {"c": decode_campaign(document)}


def counts(of: dict[str, Campaign], *lines: Line, settle: Settle = accept) -> dict[Any, float]:
    """Return the numbers of `c` after these lines."""
    return CountedRun(of, list(lines), settle).all().totals("c")


def some_of(found: dict[Any, float], *names: Any) -> list[float]:
    return [found.get(name, 0) for name in names]


def test_an_open_is_counted_each_time_and_once_for_each_receipt() -> None:
    opens = [event("email_open", minute) for minute in (1, 2, 11, 12)]
    lines = [event("go"), *opens[:2], event("go", 10), *opens[2:]]
    found = counts(campaigns(), *lines)
    assert some_of(found, "opens", "unique_opens", "received", "unique_received") == [4, 2, 2, 1]


def test_opens_of_machines_are_counted_apart() -> None:
    found = counts(
        campaigns(),
        event("go"),
        event("email_open", 1, machine=True),
        event("email_open", 2, machine=True),
        event("email_open", 3),
    )
    assert some_of(found, "machine_opens", "unique_machine_opens") == [2, 1]
    assert some_of(found, "opens", "unique_opens") == [1, 1]


def test_clicks_are_counted_in_all_and_by_alias_each_unique_for_itself() -> None:
    clicks = [event("email_click", n, alias=alias) for n, alias in enumerate(("x", "x", "y"), 1)]
    found = counts(campaigns(), event("go"), *clicks, event("email_click", 9))
    assert some_of(found, "clicks", "unique_clicks") == [4, 1]
    assert some_of(found, ("alias_clicks", "x"), ("unique_alias_clicks", "x")) == [2, 1]
    assert some_of(found, ("alias_clicks", "y"), ("unique_alias_clicks", "y")) == [1, 1]


def test_a_button_and_a_page_of_one_id_are_told_apart_and_are_one_unique_click() -> None:
    found = counts(
        campaigns(messages=STORY),
        event("go"),
        event("push_button_click", 1, button="one"),
        event("push_story_page_click", 2, page="one"),
        event("push_story_page_click", 3, page="one"),
    )
    assert some_of(found, "clicks", "unique_clicks") == [3, 1]
    assert some_of(found, ("button_clicks", "one"), ("unique_button_clicks", "one")) == [1, 1]
    assert some_of(found, ("page_clicks", "one"), ("unique_page_clicks", "one")) == [2, 1]


def test_a_click_on_the_body_of_an_in_app_message_is_a_click_on_no_button() -> None:
    found = counts(
        campaigns(messages=IN_APP),
        event("go"),
        event("in_app_message_view", 1),
        event("in_app_message_click", 2),
        event("in_app_message_click", 3, button="yes"),
    )
    assert some_of(found, "clicks", "unique_clicks", ("button_clicks", "yes")) == [2, 1, 1]


def test_an_open_stays_unique_when_the_user_did_more_things_than_are_kept() -> None:
    aliases = [f"link-{number}" for number in range(DONE_MAX + 10)]
    clicks = [event("email_click", 2, alias=alias) for alias in aliases]
    found = counts(
        campaigns(), event("go"), event("email_open", 1), *clicks, event("email_open", 3)
    )
    assert some_of(found, "opens", "unique_opens") == [2, 1]
    assert some_of(found, "clicks", "unique_clicks") == [len(aliases), 1]


def test_what_is_done_without_a_receipt_is_counted_under_no_variant() -> None:
    run = CountedRun(campaigns(), [event("email_open"), event("email_open", 1)]).all()
    assert {(key.metric, key.variant, amount) for key, amount in run.counts.items()} == {
        ("opens", "", 2),
        ("unique_opens", "", 1),
    }


def test_a_variant_that_does_not_exist_is_counted_under_that_of_the_receipt() -> None:
    lines = [event("go"), event("email_open", 1, variant="Z"), event("email_open", 2, variant="A")]
    run = CountedRun(campaigns(), lines).all()
    assert {key.variant for key in run.counts} == {"A"}


def test_a_count_is_of_the_hour_in_which_it_was_accepted_not_in_which_it_happened() -> None:
    late = event("email_open", 30, received_at=format_instant(START + 2 * HOUR))
    run = CountedRun(campaigns(), [event("go"), late]).all()
    hours = {key.metric: key.hour for key in run.counts}
    assert (hours["sent"], hours["opens"]) == (START, START + 2 * HOUR)


# Sends


def test_what_is_shown_in_an_app_is_received_at_its_first_view() -> None:
    views = [event("content_card_view", minute) for minute in (1, 2)]
    before = counts(campaigns(messages=CARD), event("go"))
    assert some_of(before, "sent", "recipients", "received") == [1, 1, 0]
    after = counts(campaigns(messages=CARD), event("go"), *views)
    assert some_of(after, "received", "unique_received") == [1, 1]
    assert some_of(after, "impressions", "unique_impressions") == [2, 1]


def test_a_view_is_counted_under_the_variant_that_was_sent() -> None:
    both = [
        {"name": "X", "percent": 1, "messages": CARD},
        {"name": "Y", "percent": 99, "messages": CARD},
    ]
    of = campaigns(messages=[], variants=both)
    run = CountedRun(of, [event("go"), event("content_card_view", 1)]).all()
    assert {key.variant for key in run.counts} == {"Y"}


def test_a_channel_that_is_closed_is_counted_by_its_reason_though_another_is_sent() -> None:
    of = campaigns(messages=[*EMAIL, *PUSH])
    no_email = at(0, user_id="ann", attributes={"email_subscribe": "unsubscribed"})
    found = counts(of, no_email, event("go"))
    assert some_of(found, ("messages_skipped", "unsubscribed"), "sent", "recipients") == [1, 1, 1]
    assert ("skipped", "unsubscribed") not in found
    no_push = at(0, user_id="ann", attributes={"push_subscribe": "unsubscribed"})
    neither = counts(of, no_email, no_push, event("go"))
    assert some_of(neither, ("messages_skipped", "unsubscribed"), "sent") == [2, 0]
    assert neither["skipped", "unsubscribed"] == 1


def test_a_message_over_a_cap_is_counted_by_channel() -> None:
    cap = {"slug": "one", "messages_max": 1, "within": "1d", "channel": "email"}
    capped = at(0, control="workspace", workspace={"caps": [cap]})
    of = campaigns(messages=[*EMAIL, *PUSH])
    run = CountedRun(of, [capped, event("go"), event("go", 1)]).all()
    found = [key for key in run.counts if key.metric == "messages_skipped"]
    assert [(key.detail, key.channel) for key in found] == [("frequency_cap", "email")]
    assert run.totals("c")["sent"] == 3


def test_what_a_provider_refuses_is_failed_by_reason_and_a_send_without_any_is_skipped() -> None:
    def settle(deliver: Deliver) -> list[SendSettled]:
        return [
            settled(deliver, "email", "refused", "gave_up"),
            settled(deliver, "push", "skipped", "aborted"),
        ]

    found = counts(campaigns(messages=[*EMAIL, *PUSH]), event("go"), settle=settle)
    expected = {
        "entered": 1,
        ("failed", "gave_up"): 1,
        ("messages_skipped", "aborted"): 1,
        ("skipped", "aborted"): 1,
    }
    assert found == expected


def test_a_view_and_a_hand_over_of_one_send_are_one_receipt() -> None:
    """A live server learns of each message's end by itself, and the view may come in between."""
    of = campaigns(messages=[*IN_APP, *EMAIL], conversions=[{"event": "bought", "within": "1d"}])
    [send] = [
        entry for entry in CountedRun(of, [event("go")]).all().tape if isinstance(entry, Settled)
    ]

    def outcome(minute: float, channel: str) -> Line:
        fields = {"campaign": "c", "send_id": send.send.send_id, "channel": channel}
        return at(minute, user_id="ann", outcome="accepted", **fields)

    lines = [
        event("go"),
        outcome(1, "in_app_message"),
        event("in_app_message_view", 2),
        event("in_app_message_click", 2),
        at(3, user_id="ann", name="bought"),
        outcome(4, "email"),
        event("in_app_message_click", 5),
        at(6, user_id="ann", name="bought"),
    ]
    run = CountedRun(of, lines, lambda _: [], sends="recorded").all()
    found = run.totals("c")
    assert some_of(found, "sent", "received", "unique_clicks") == [2, 1, 1]
    assert found["conversions", "A"] == 1


# The control group and conversions


def test_the_control_group_is_counted_each_time_and_each_user_once() -> None:
    of = campaigns(control_percent=99, conversions=[{"purchase": {}, "within": "1d"}])
    bought = event("purchase", 2, product_id="p", price=5, currency="EUR")
    run = CountedRun(of, [event("go"), event("go", 1), bought]).all()
    found = run.totals("c")
    assert some_of(found, "control", "unique_control", "received", "entered") == [2, 1, 0, 0]
    assert some_of(found, ("conversions", "A"), ("unique_conversions", "A")) == [1, 1]
    assert {key.variant for key in run.counts} == {"control"}


def test_a_user_converts_once_for_each_receipt_and_is_one_user_who_converted() -> None:
    of = campaigns(
        conversions=[{"purchase": {}, "within": "1d"}, {"session_start": {}, "within": "1d"}]
    )
    bought = [event("purchase", n, product_id="p") for n in (1, 2, 11)]
    session = at(12, user_id="ann", name="session_start")
    found = counts(of, event("go"), *bought[:2], event("go", 10), bought[2], session)
    assert some_of(found, ("conversions", "A"), ("unique_conversions", "A")) == [2, 1]
    assert some_of(found, ("conversions", "B"), ("unique_conversions", "B")) == [1, 1]


def test_a_user_stays_in_the_arm_of_the_first_receipt_when_the_split_changes() -> None:
    def split(x: int, y: int) -> dict[str, Any]:
        shares = [("X", x), ("Y", y)]
        return campaign(
            "c",
            GO,
            re_eligibility="always",
            messages=[],
            variants=[{"name": n, "percent": p, "messages": EMAIL} for n, p in shares],
            conversions=[{"event": "bought", "within": "1d"}],
        )

    lines = [
        event("go"),
        at(1, control="edit", campaign="c", document=split(1, 99)),
        event("go", 2),
        at(3, user_id="ann", name="bought"),
    ]
    run = CountedRun({"c": decode_campaign(split(99, 1))}, lines).all()
    users = {key.metric: key.variant for key in run.counts if key.metric.startswith("unique_")}
    assert users == {"unique_received": "X", "unique_conversions": "X"}
    assert [key.variant for key in run.counts if key.metric == "conversions"] == ["Y"]


@pytest.mark.parametrize(
    ("bought", "detail", "amount"),
    [
        ({"price": 2.5, "currency": "EUR", "quantity": 3}, "A EUR", 7.5),
        ({"price": 2.5, "currency": "usd"}, "A USD", 2.5),
        ({"price": 4}, "A", 4),
        ({}, None, 0),
    ],
)
def test_revenue_is_price_times_quantity_by_currency(
    bought: dict[str, Any], detail: str | None, amount: float
) -> None:
    of = campaigns(conversions=[{"purchase": {}, "within": "1d"}])
    found = counts(of, event("go"), event("purchase", 1, product_id="p", **bought))
    revenue = {name[1]: n for name, n in found.items() if name[0] == "revenue"}
    assert revenue == ({} if detail is None else {detail: amount})


# Waiting


def test_a_user_who_is_erased_waits_no_more_and_counts_anew_when_they_come_back() -> None:
    of = campaigns(delay="1h")
    erased = at(1, control="erase", user_id="ann")
    run = CountedRun(of, [event("go"), erased]).all()
    found = run.totals("c")
    assert found == {"entered": 1}
    run.advance(START + 2 * HOUR)
    assert "sent" not in run.totals("c")
    twice = counts(campaigns(), event("go"), erased, event("go", 2))
    assert twice["unique_received"] == 2


def test_a_wait_that_an_interaction_began_is_also_counted_by_it() -> None:
    follower = campaign("f", interacts("c", "email_open"), delay="1h")
    of = {**campaigns(), "f": decode_campaign(follower)}
    run = CountedRun(of, [event("go"), event("email_open", 1)]).all()
    by = "c/email_open"
    assert some_of(run.totals("f"), "entered", ("entered_by", by), ("waiting_by", by)) == [1, 1, 1]
    erased = at(2, control="erase", user_id="ann")
    found = CountedRun(of, [event("go"), event("email_open", 1), erased]).all().totals("f")
    assert found == {"entered": 1, ("entered_by", by): 1}


def test_a_send_that_is_held_is_a_user_who_waits() -> None:
    quiet = at(0, control="workspace", workspace={"quiet_hours": {"from": "09:00", "to": "12:00"}})
    run = CountedRun(campaigns(), [quiet, event("go")]).all()
    assert run.totals("c")["waiting"] == 1
    assert run.waiting() == {("c", "A", ""): 1}
    run.advance(START + 3 * HOUR)
    assert some_of(run.totals("c"), "waiting", "sent") == [0, 1]
