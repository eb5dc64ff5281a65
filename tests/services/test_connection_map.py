"""The map of connections: what is shown of it, in words, by tag, as Mermaid; and its notices."""

from typing import Any

import pytest

from segue.services.campaign_list import CampaignFilter
from segue.services.connection_map import (
    ConnectionMap,
    MapFilter,
    as_mermaid,
    drawn,
    map_of,
    near,
)
from segue.services.connection_notices import Notice, notices_of
from segue.services.connections import connections_among
from segue.services.explanations.words import Words
from tests.support.desk import HTML, Desk, clicked
from tests.support.documents import did_not, follower, interaction

EVERYTHING = MapFilter(CampaignFilter())


async def mapped(desk: Desk, wanted: MapFilter = EVERYTHING) -> ConnectionMap:
    campaigns = desk.campaigns.all()
    found = await connections_among(campaigns, desk.totals)
    runtime = desk.live.runtime
    names = {one.slug: one.document.name for one in campaigns}
    words = Words("a user", runtime.plan, runtime.clock.now(), names)
    return map_of(campaigns, found, words, wanted)


async def noticed(desk: Desk) -> list[Notice]:
    campaigns = desk.campaigns.all()
    return notices_of(campaigns, await connections_among(campaigns, desk.totals))


def only(**parts: str) -> MapFilter:
    near_slug = parts.pop("near", "")
    return MapFilter(CampaignFilter(**parts), near_slug)


def slugs(shown: ConnectionMap) -> set[str]:
    return {one.key for one in shown.nodes}


def chain(desk: Desk) -> None:
    """Write campaigns of which each follows the one before, and one that stands alone."""
    desk.draft("a", {"event": "began"}, tags=["spring", "eu"])
    desk.draft("b", *clicked("a"), tags=["spring"])
    desk.draft("c", *clicked("b"), tags=["autumn"])
    desk.draft("alone", {"event": "began"}, name="Alone & <b>bold</b>")


async def test_nodes_say_how_many_they_follow_and_lead_to(desk: Desk) -> None:
    chain(desk)
    desk.draft("d", *clicked("a", "b"))
    shown = await mapped(desk)
    found = {one.key: (one.follows, one.followed_by) for one in shown.nodes}
    assert found == {"a": (0, 2), "b": (1, 2), "c": (1, 0), "d": (2, 0), "alone": (0, 0)}


async def test_an_edge_says_interaction_delay_and_exceptions(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"}, name="Sale")
    waits: dict[str, Any] = {
        "triggers": [interaction("email_alias_click", "sale", alias="cta")],
        "delay": {"on_next": "tuesday", "at": "09:00"},
        "exceptions": [{"purchase": {}}, interaction("email_open", "sale")],
    }
    desk.campaigns.create(follower("second", delivery=waits, messages=HTML))
    desk.draft("third", did_not("email_other_open", "sale", within="3d"))
    second, third = (await mapped(desk)).edges
    assert (second.label, second.delay) == ("Click alias in email “cta”", "next Tuesday at 09:00")
    assert second.exceptions == ["makes a purchase", "opens “Sale”"]
    assert (third.label, third.delay) == ("Not: open email (person)", "3 days")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (only(tag="spring"), {"a", "b"}),
        (only(text="ALONE"), {"alone"}),
        (only(near="b"), {"a", "b", "c"}),
        (only(near="alone"), {"alone"}),
        (only(near="b", tag="autumn"), {"c"}),
        (only(state="active"), set()),
        (only(channel="push"), set()),
        (only(channel="email"), {"a", "b", "c", "alone"}),
    ],
)
async def test_only_what_is_wanted_is_shown(
    desk: Desk, wanted: MapFilter, expected: set[str]
) -> None:
    chain(desk)
    assert slugs(await mapped(desk, wanted)) == expected


async def test_an_edge_to_what_is_not_shown_is_left_out(desk: Desk) -> None:
    chain(desk)
    shown = await mapped(desk, only(tag="autumn"))
    assert (slugs(shown), shown.edges) == ({"c"}, [])


async def test_what_is_connected_is_found_in_both_directions(desk: Desk) -> None:
    chain(desk)
    desk.draft("beside", *clicked("a"))
    found = await connections_among(desk.campaigns.all(), desk.totals)
    assert near("b", found) == {"a", "b", "c"}
    assert near("a", found) == {"a", "b", "c", "beside"}


async def test_a_loop_is_marked_and_noticed(desk: Desk) -> None:
    for slug, before in (("a", "c"), ("b", "a"), ("c", "b")):
        desk.draft(slug, *clicked(before), name=slug.upper())
    desk.draft("out", *clicked("a"))
    shown = await mapped(desk)
    assert {one.follower for one in shown.edges if one.is_in_cycle} == {"a", "b", "c"}
    [notice] = await noticed(desk)
    assert notice.kind == "cycle"
    assert "“A” → “B” → “C” → “A”" in notice.what
    assert notice.slugs == ["a", "b", "c"]


async def test_a_late_publication_is_marked_and_noticed(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    desk.draft("second", *clicked("sale"))
    await desk.publish("sale")
    await desk.knows("ann")
    await desk.happens("began", "ann")
    assert await noticed(desk) == []
    await desk.live.move_to(desk.live.clock.now() + 7_200_000_000)
    await desk.publish("second")
    [edge] = (await mapped(desk)).edges
    assert edge.is_late
    [notice] = await noticed(desk)
    assert (notice.kind, notice.slugs) == ("late", ["second", "sale"])
    assert notice.since == desk.campaigns.find("second").published_at


async def test_what_can_never_happen_is_noticed(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"})
    desk.draft("pushed", interaction("push_direct_open", "sale"), name="Pushed")
    desk.draft("lost", *clicked("nowhere"))
    desk.draft("old", {"event": "began"}, name="Old")
    desk.draft("late", *clicked("old"))
    await desk.campaigns.archive("old")
    found = {one.slugs[0]: one for one in await noticed(desk)}
    assert {slug: one.kind for slug, one in found.items()} == {
        "pushed": "impossible",
        "lost": "missing",
        "late": "archived",
    }
    assert "sale has no push message" in found["pushed"].what
    assert "“Old”, which is archived" in found["late"].what
    assert all(one.remedy for one in found.values())


async def test_more_campaigns_than_can_be_read_stand_together_by_tag(desk: Desk) -> None:
    for number in range(160):
        before = [{"event": "began"}] if number == 0 else clicked(f"c{number - 1}")
        desk.draft(f"c{number}", *before, tags=[f"t{number // 80}"] if number < 155 else [])
    whole = await mapped(desk)
    shown = drawn(whole)
    assert shown.is_by_tag
    told = [(one.name, one.members, one.follows, one.followed_by) for one in shown.nodes]
    assert told == [("no tag", 5, 1, 0), ("t0", 80, 0, 1), ("t1", 75, 1, 1)]
    assert {(one.target, one.follower, one.label) for one in shown.edges} == {
        ("tag:t0", "tag:t1", "1 connection"),
        ("tag:t1", "tag:no tag", "1 connection"),
    }
    few = await mapped(desk, only(tag="t0"))
    assert (drawn(few).is_by_tag, len(drawn(few).nodes)) == (False, 80)


async def test_arrows_between_two_tags_are_one(desk: Desk) -> None:
    for number in range(160):
        desk.draft(f"a{number}", {"event": "began"}, tags=["a"])
    desk.draft("b1", *clicked("a1", "a2"), tags=["b"])
    desk.draft("b2", *clicked("a3"), tags=["b"])
    [edge] = drawn(await mapped(desk)).edges
    assert (edge.label, edge.connections) == ("3 connections", 3)


async def test_more_arrows_than_can_be_read_are_counted(desk: Desk) -> None:
    for number in range(30):
        desk.draft(f"c{number}", interaction("email_click", "any"))
    shown = drawn(await mapped(desk))
    assert (len(shown.edges), shown.edges_left_off) == (600, 300)


async def test_mermaid_takes_every_name_as_text(desk: Desk) -> None:
    desk.draft("sale", {"event": "began"}, name='<script>alert("1")</script> #1\nB"]')
    desk.draft("second", *clicked("sale"), name="Second")
    lines = as_mermaid(await mapped(desk)).splitlines()
    assert lines == [
        "flowchart LR",
        '  c1["#lt;script#gt;alert(#quot;1#quot;)#lt;/script#gt; #35;1 B#quot;]"]',
        '  c2["Second"]',
        '  c1 -->|"Click email"| c2',
    ]
