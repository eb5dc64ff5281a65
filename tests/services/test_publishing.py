"""Publishing one campaign or a connected set, and who was too early (semantics.md 1, 2)."""

import asyncio

import pytest

from segue.errors import ConflictError, NotFoundError
from segue.model.problems import InvalidError
from tests.support.desk import HTML, Desk, clicked
from tests.support.documents import follower

SPEC = "delivery.triggers[0].interact_with_campaign"


# A connected set


async def test_a_set_is_published_at_one_instant_followers_before_targets(desk: Desk) -> None:
    desk.draft("a-sale")
    desk.draft("b-second", *clicked("a-sale"))
    desk.draft("c-third", *clicked("b-second"))
    done = await desk.publish_set("b-second", "a-sale", "c-third")
    assert done.published == ["c-third", "b-second", "a-sale"]
    assert desk.publications() == [(done.published_at, done.published)]
    assert {one.published_at for one in desk.campaigns.all()} == {done.published_at}
    assert set(desk.statuses().values()) == {"active"}
    assert (done.warnings, done.missed.user_count) == ([], 0)


async def test_with_followers_every_draft_that_follows_comes_along(desk: Desk) -> None:
    desk.draft("sale")
    desk.draft("second", *clicked("sale"))
    desk.draft("third", *clicked("second"))
    desk.draft("apart", *clicked("other"))
    desk.draft("other")
    alone = await desk.publish_set("sale", dry_run=True)
    assert [(one.slug, one.problem.message.split()[0]) for one in alone.warnings] == [
        ("sale", "second")
    ]
    done = await desk.publish_set("sale", with_followers=True)
    assert done.published == ["third", "second", "sale"]
    assert done.warnings == []
    assert desk.statuses()["apart"] == "draft"


async def test_a_circle_of_drafts_is_published_whole(desk: Desk) -> None:
    desk.draft("a", *clicked("c"))
    desk.draft("b", *clicked("a"))
    desk.draft("c", *clicked("b"))
    done = await desk.publish_set("a", with_followers=True)
    assert sorted(done.published) == ["a", "b", "c"]
    assert [one.problem.message for one in done.warnings] == [
        "closes a loop of campaigns: c → a → b → c"
    ]


async def test_a_fault_of_one_keeps_all_back_and_all_faults_are_told(desk: Desk) -> None:
    desk.draft("good")
    desk.draft("bad", *clicked("gone"), {"event": "x"}, *clicked("lost"))
    desk.draft(
        "worse", {"interact_with_campaign": {"campaign": "good", "interaction": "sms_receive"}}
    )
    with pytest.raises(InvalidError) as refused:
        await desk.publish_set("good", "bad", "worse")
    assert sorted(problem.path for problem in refused.value.problems) == [
        f"bad: {SPEC}.campaign",
        "bad: delivery.triggers[2].interact_with_campaign.campaign",
        f"worse: {SPEC}.interaction",
    ]
    assert set(desk.statuses().values()) == {"draft"}
    assert desk.publications() == []


async def test_what_cannot_be_published_is_told_by_its_place(desk: Desk) -> None:
    desk.draft("active")
    desk.draft("old")
    await desk.publish("active")
    await desk.campaigns.archive("old")
    with pytest.raises(InvalidError) as refused:
        await desk.publish_set("nowhere", "active", "old")
    assert [(one.path, one.message) for one in refused.value.problems] == [
        ("ids[0]", "there is no campaign 'nowhere'"),
        ("ids[1]", "active is active; only drafts and stopped can be published"),
        ("ids[2]", "old is archived; only drafts and stopped can be published"),
    ]
    for ids in ((), ("active",) * 501):
        with pytest.raises(InvalidError) as refused:
            await desk.publish_set(*ids)
        message = f"has {len(ids)} entries; 1 to 500 at once"
        assert [(one.path, one.message) for one in refused.value.problems] == [("ids", message)]


async def test_a_campaign_named_twice_is_published_once(desk: Desk) -> None:
    desk.draft("sale")
    by_id = desk.campaigns.find("sale").id
    assert (await desk.publish_set("sale", by_id)).published == ["sale"]


async def test_a_dry_run_answers_the_same_and_does_nothing(desk: Desk) -> None:
    desk.draft("sale")
    await desk.publish("sale")
    await desk.clicks("sale", "ann")
    desk.draft("second", *clicked("sale"))
    desk.draft("third", *clicked("second"))
    end = desk.live.stores.journal.log_end()
    wished = await desk.publish_set("second", with_followers=True, dry_run=True)
    assert desk.live.stores.journal.log_end() == end
    assert desk.statuses()["second"] == "draft"
    done = await desk.publish_set("second", with_followers=True)
    assert wished.published == done.published == ["third", "second"]
    assert wished.warnings == done.warnings
    assert wished.missed.user_count == done.missed.user_count == 1


# One campaign


async def test_one_campaign_that_is_not_there_or_not_to_be_published(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await desk.publish("nowhere")
    desk.draft("sale")
    await desk.publish("sale")
    with pytest.raises(ConflictError, match="sale is active"):
        await desk.publish("sale")


async def test_two_publications_at_once_are_one(desk: Desk) -> None:
    desk.draft("sale")
    both = await asyncio.gather(
        desk.publishing.publish("sale"), desk.publishing.publish("sale"), return_exceptions=True
    )
    assert sorted(type(one) for one in both if isinstance(one, Exception)) == [ConflictError]
    assert desk.campaigns.find("sale").version == 1
    assert len(desk.publications()) == 1


async def test_an_edit_that_meets_a_publication_becomes_a_version_of_its_own(desk: Desk) -> None:
    desk.draft("sale")
    edited = follower("sale", messages=HTML, description="New")
    publishing = asyncio.create_task(desk.publishing.publish("sale"))
    await asyncio.sleep(0)  # it has looked at the draft, and is being committed
    campaign = await desk.campaigns.update("sale", edited)
    await publishing
    assert (campaign.status, campaign.version) == ("active", 2)
    assert desk.campaigns.find("sale").document.description == "New"


async def test_a_stopped_campaign_is_published_anew_from_now_on(desk: Desk) -> None:
    """semantics.md 1: a new `published_at`, and no interaction of the time between enters."""
    desk.draft("sale")
    desk.draft("second", *clicked("sale"))
    first = await desk.publish_set("sale", with_followers=True)
    await desk.campaigns.stop("second")
    await desk.clicks("sale", "ann")
    again = await desk.publish("second")
    assert again.published_at > first.published_at
    assert desk.campaigns.find("second").published_at == again.published_at
    assert again.missed.user_count == 1
    assert desk.decided("second") == []
    await desk.clicks("sale", "ann")
    assert [kind for _, kind, _ in desk.decided("second")] == ["enter", "send", "skip"]


# Missed users


async def test_missed_users_are_counted_exactly_by_trigger_and_once_in_all(desk: Desk) -> None:
    desk.draft("sale")
    desk.draft("news")
    await desk.publish_set("sale", "news")
    await desk.clicks("sale", "ann", "bob", "cat")
    await desk.clicks("news", "cat", "dan")
    await desk.live.checkpoint()
    await desk.clicks("sale", "eve", "ann")
    desk.draft("second", *clicked("sale", "news"))
    desk.draft("third", *clicked("second"))
    done = await desk.publish_set("second", "third")
    [second] = done.missed.campaigns  # nobody can have clicked in what was never sent
    assert [trigger.user_count for trigger in second.triggers] == [4, 2]
    assert (second.user_count, done.missed.user_count) == (5, 5)
    messages = {one.problem.path: one.problem.message for one in done.warnings}
    assert messages[SPEC].startswith("4 users did this before the publication")
    await desk.clicks("sale", "ann")
    assert {user for user, _, _ in desk.decided("second")} == {"ann"}


async def test_those_of_a_stopped_target_are_counted_too(desk: Desk) -> None:
    desk.draft("sale")
    await desk.publish("sale")
    await desk.clicks("sale", "ann")
    await desk.campaigns.stop("sale")
    desk.draft("second", *clicked("sale"))
    done = await desk.publish("second")
    assert done.missed.user_count == 1
    assert [one.problem.message for one in done.warnings] == [
        "sale is stopped: it sends nothing new to react to",
        "1 user did this before the publication, and so will not enter; backfill lets them",
    ]


async def test_only_followers_of_what_was_published_before_are_looked_at(desk: Desk) -> None:
    """The others can have missed nobody, and all users need not be read for them."""
    desk.draft("sale")
    desk.draft("second", *clicked("sale"))
    done = await desk.publish_set("sale", "second")
    assert done.missed.campaigns == []
    desk.draft("third", *clicked("second"))
    done = await desk.publish("third")
    assert [(one.slug, one.user_count) for one in done.missed.campaigns] == [("third", 0)]
