"""The graph of campaigns: who follows whom, what came of it, loops, order, late publications."""

from typing import Any

import pytest

from segue.model.instants import HOUR
from segue.model.log_records import UserErased
from segue.runtime.state_scan import scan
from segue.services.connections import Connections, connections_among
from tests.support.desk import HTML, Desk, clicked
from tests.support.documents import did_not, follower, interaction

WAITS = {"delay": {"after": "7d"}, "exceptions": [{"event": "bought"}]}


async def graph(desk: Desk) -> Connections:
    return await connections_among(desk.campaigns.all(), desk.totals)


def counts(found: Connections, follower: str) -> dict[str, tuple[int, int, int]]:
    """Return how many entered, wait and were cancelled, by target and interaction."""
    return {
        f"{one.target} {one.interaction}": (one.entered, one.waiting, one.cancelled)
        for one in found.edges
        if one.follower == follower
    }


def waiting(slug: str, *triggers: dict[str, Any]) -> dict[str, Any]:
    """Return a campaign that waits a week after its triggers, unless the user buys."""
    return follower(slug, delivery={"triggers": [*triggers], **WAITS}, messages=HTML)


async def test_nodes_are_all_that_is_not_archived_with_counts(desk: Desk) -> None:
    desk.draft("old")
    desk.draft("sale", {"event": "began"})
    desk.draft("second", *clicked("sale"))
    await desk.campaigns.archive("old")
    await desk.publish("sale")
    await desk.knows("ann", "bob")
    await desk.happens("began", "ann", "bob", "cat")
    sale, second = (await graph(desk)).nodes
    assert (sale.slug, sale.status, second.status) == ("sale", "active", "draft")
    assert (sale.counts["entered"], sale.counts["sent"], sale.counts["skipped"]) == (3, 2, 1)
    assert set(second.counts.values()) == {0}
    assert second.published_at is None


async def test_an_edge_says_what_its_trigger_says(desk: Desk) -> None:
    desk.draft("sale", tags=["spring"], conversions=[{"purchase": {}}])
    aliased = interaction("email_alias_click", {"tag": "spring"}, alias="cta", variant="A")
    desk.campaigns.create(waiting("aliased", aliased))
    desk.draft("unopened", did_not("email_other_open", "sale", within="3d"))
    one, two = (await graph(desk)).edges
    assert (one.follower, one.target, one.interaction) == ("aliased", "sale", "email_alias_click")
    assert (one.campaign, one.options) == ({"tag": "spring"}, {"alias": "cta", "variant": "A"})
    assert (one.delay, one.path) == (
        {"after": "7d"},
        "delivery.triggers[0].interact_with_campaign",
    )
    assert (two.interaction, two.campaign, two.delay) == ("did_not", "sale", {"after": "3d"})
    assert two.options == {"interaction": "email_other_open", "within": "3d"}


async def test_each_edge_counts_what_it_entered(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    desk.draft("news", {"event": "began"})
    triggers = [*clicked("sale", "news"), interaction("email_receive", "news"), {"event": "x"}]
    desk.campaigns.create(waiting("second", *triggers))
    await desk.publish_set("sale", "news", "second")
    await desk.clicks("sale", "ann", "bob", "cat")
    await desk.clicks("news", "dan")
    await desk.happens("x", "eve")
    await desk.live.checkpoint()
    await desk.knows("fay")
    await desk.happens("began", "fay")  # whom news is sent to
    await desk.happens("bought", "bob", "dan", "eve")
    found = await graph(desk)
    assert counts(found, "second") == {
        "sale email_click": (3, 2, 1),
        "news email_click": (1, 0, 1),
        "news email_receive": (1, 1, 0),
    }
    node = next(one for one in found.nodes if one.slug == "second")
    assert (node.counts["entered"], node.counts["waiting"], node.counts["cancelled"]) == (6, 3, 3)
    await desk.live.move_to(desk.live.clock.now() + 8 * 24 * HOUR)
    assert counts(await graph(desk), "second") == {
        "sale email_click": (3, 0, 1),
        "news email_click": (1, 0, 1),
        "news email_receive": (1, 0, 0),
    }


async def test_a_did_not_counts_those_who_received(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    desk.draft("unopened", did_not("email_other_open", "sale"))
    await desk.publish_set("sale", "unopened")
    await desk.knows("ann", "bob")
    await desk.happens("began", "ann", "bob")
    await desk.happens("email_open", "ann", campaign="sale")
    assert counts(await graph(desk), "unopened") == {"sale did_not": (2, 1, 1)}


async def test_an_erased_user_waits_no_more(desk: Desk) -> None:
    desk.draft("sale")
    desk.campaigns.create(waiting("second", *clicked("sale")))
    await desk.publish_set("sale", "second")
    await desk.clicks("sale", "ann", "bob")
    await desk.live.hand_in([UserErased(desk.live.clock.now(), "ann")])
    assert counts(await graph(desk), "second") == {"sale email_click": (2, 1, 0)}
    seen: list[str] = []
    await scan(desk.live.runtime, lambda user, _state: seen.append(user))
    assert seen == ["bob"]


async def test_loops_are_shown_and_drafts_in_the_order_to_publish_them(desk: Desk) -> None:
    desk.draft("a", *clicked("b"))
    desk.draft("b", *clicked("a"))
    desk.draft("c", *clicked("a"))
    desk.draft("d", *clicked("c"))
    await desk.publish_set("a", "b")
    found = await graph(desk)
    assert found.cycles == [["a", "b"]]
    assert found.publish_order == ["d", "c"]


async def test_a_follower_published_after_its_target_was_sent_is_late(desk: Desk) -> None:
    for slug in ("early", "late", "later"):
        desk.draft(slug, *clicked("sale"))
    desk.draft("sale", {"event": "began"})
    await desk.publish("early")
    sale = await desk.publish("sale")
    await desk.knows("ann")
    await desk.happens("began", "ann")
    sent_since = desk.live.clock.now()
    late = await desk.publishing.publish("late")  # within the hour of the first send
    later = await desk.publish("later")
    found = (await graph(desk)).late_publications
    assert sale.published_at < late.published_at < later.published_at
    assert [(one.follower, one.target) for one in found] == [("late", "sale"), ("later", "sale")]
    assert {one.sent_since for one in found} == {"2026-11-01T03:00:00Z"}
    assert sent_since == late.published_at


async def test_a_control_group_is_a_beginning_too(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"}, control_percent=99)
    desk.draft("late", interaction("control_group_enroll", "sale"))
    await desk.publish("sale")
    await desk.happens("began", "ann", "bob", "cat")
    await desk.publish("late")
    found = await graph(desk)
    assert [(one.follower, one.target) for one in found.late_publications] == [("late", "sale")]


@pytest.mark.parametrize("steps", [1, 3])
async def test_totals_are_the_same_however_often_they_are_asked_for(desk: Desk, steps: int) -> None:
    """Past hours are read once; checkpoints come between."""
    desk.draft("sale", {"event": "began"})
    await desk.publish("sale")
    for hour in range(6):
        await desk.happens("began", f"user-{hour}")
        if hour % steps == 0:
            await desk.live.checkpoint()
        totals = (await desk.totals.of(["sale"]))["sale"]
        assert totals.of("entered") == hour + 1
        assert totals.since("entered") == desk.campaigns.find("sale").published_at + HOUR
    assert totals.of("skipped", "no_address") == 6
    assert totals.since("sent") is None
