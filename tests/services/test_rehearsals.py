"""Rehearsals: a world of its own with copies of the live one, whose time is skipped."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from segue.channels.settings import ChannelSettings, EmailSettings, WebhookSettings
from segue.clock import FixedClock, SkippingClock
from segue.errors import BusyError, ConflictError, NotFoundError
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from segue.model.limits import (
    REHEARSAL_IDLE_MAX,
    REHEARSAL_LIFE_MAX,
    REHEARSAL_STOPS_MAX,
    REHEARSALS_MAX,
)
from segue.model.problems import InvalidError
from segue.services.rehearsal_cast import RehearsalWish
from segue.services.rehearsal_time import span_words
from segue.services.rehearsals import Rehearsal
from tests.support.documents import interaction
from tests.support.receiver import webhook_receiver
from tests.support.rehearsing import LiveShop, after, author, came, does, mail, opens
from tests.support.servers import mail_server

OPENED = interaction("email_other_open", "hello")


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[LiveShop]:
    shop = LiveShop()
    await shop.application.start()
    yield shop
    await shop.application.stop()


async def begin(shop: LiveShop, *user_ids: str, by: str = "ada", **wish: Any) -> Rehearsal:
    wanted = RehearsalWish(user_ids or ("ann",), **wish)
    return await shop.application.rehearsals.begin(wanted, author(by))


# Time


def test_a_clock_that_skips_goes_on_as_the_other_one_and_never_back() -> None:
    real = FixedClock(parse_instant("2026-11-01T00:00:00Z"))
    clock = SkippingClock(real)
    clock.skip_to(real.now() + DAY)
    assert (clock.now() - real.now(), clock.ahead) == (DAY, DAY)
    assert clock.monotonic() - real.monotonic() == DAY / SECOND
    real.advance(HOUR)
    assert clock.now() == real.now() + DAY
    clock.skip_to(real.now())
    assert clock.ahead == DAY


async def test_a_skip_leads_to_what_waits_and_no_further(shop: LiveShop) -> None:
    await shop.publish(
        mail("again", delivery=after("hello", "7d", OPENED)),
        mail("hello"),
    )
    rehearsal = await begin(shop, "ann", "ben")
    await does(rehearsal, "ann")
    await does(rehearsal, "ben")
    assert await came(rehearsal, "ann") == ["hello"]
    await rehearsal.time.skip(HOUR)
    await opens(rehearsal, "ben", "hello")
    due = rehearsal.time.next_due()
    assert due is not None
    assert (due.campaign, due.user_id) == ("again", "ann")
    assert span_words(due.at - rehearsal.time.now()) == "6 days 22 h"
    assert await rehearsal.time.skip_to_next() == due
    assert await came(rehearsal, "ann") == ["hello", "again"]
    assert await came(rehearsal, "ben") == ["hello"]
    assert rehearsal.time.ahead >= 7 * DAY - MINUTE
    assert await rehearsal.time.skip_to_next() is None


async def test_what_follows_on_the_way_is_due_after_its_cause_and_not_after_the_skip(
    shop: LiveShop,
) -> None:
    await shop.publish(
        mail("third", delivery=after("second", "1d")),
        mail("second", delivery=after("hello", "1d")),
        mail("hello"),
    )
    rehearsal = await begin(shop)
    await does(rehearsal, "ann")
    skipped = await rehearsal.time.skip(3 * DAY)
    assert (skipped.stop_count, skipped.is_cut) == (2, False)
    messages = await rehearsal.application.phones.messages("ann")
    first, second, third = (parse_instant(one.at) for one in reversed(messages))
    assert 0 <= second - first - DAY < MINUTE
    assert 0 <= third - second - DAY < MINUTE


async def test_schedules_come_too_and_a_skip_with_too_many_says_so(shop: LiveShop) -> None:
    schedule = {"type": "scheduled", "schedule": {"cron": "* * * * *"}}
    await shop.publish(mail("each-minute", delivery=schedule, re_eligibility="always"))
    rehearsal = await begin(shop)
    due = await rehearsal.time.skip_to_next()
    assert due is not None
    assert (due.campaign, due.user_id) == ("each-minute", "")
    assert await came(rehearsal, "ann") == ["each-minute"]
    before = rehearsal.time.now()
    skipped = await rehearsal.time.skip(DAY)
    assert (skipped.stop_count, skipped.is_cut) == (REHEARSAL_STOPS_MAX, True)
    passed = skipped.at - before
    assert (REHEARSAL_STOPS_MAX - 1) * MINUTE < passed < (REHEARSAL_STOPS_MAX + 1) * MINUTE


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (-SECOND, "0 s"),
        (14 * SECOND, "14 s"),
        (MINUTE + SECOND, "1 min"),
        (HOUR + MINUTE, "1 h 1 min"),
        (DAY, "1 day"),
        (6 * DAY + 23 * HOUR + 59 * MINUTE, "6 days 23 h"),
    ],
)
def test_spans_are_said_in_two_units(span: int, words: str) -> None:
    assert span_words(span) == words


# Apart from the live one


async def test_nothing_of_it_leaves_or_touches_the_live_log() -> None:
    with mail_server() as (mailbox, smtp_url), webhook_receiver() as receiver:
        channels = ChannelSettings(
            email=EmailSettings(smtp_url=smtp_url, from_="Shop <hi@shop.test>"),
            webhook=WebhookSettings(allow_private_addresses=["127.0.0.0/8"]),
        )
        shop = LiveShop(channels)
        await shop.application.start()
        hook = {"webhook": {"url": receiver.url, "body": {"is": "new"}}}
        await shop.user("ann", email="ann@people.test", phone="+32470123456")
        await shop.publish(mail("hello"), mail("hook", messages=[hook]))
        end = shop.stores.journal.log_end()
        rehearsal = await begin(shop)
        await does(rehearsal, "ann")
        await rehearsal.time.skip(DAY)
        assert sorted(await came(rehearsal, "ann")) == ["hello", "hook"]
        [read] = [
            one.content
            for one in await rehearsal.application.phones.messages("ann")
            if one.channel == "email"
        ]
        assert read["from"] == "Shop <hi@shop.test>"
        assert shop.stores.journal.log_end() == end
        assert shop.application.runtime.state_of("ann").memberships == {}  # type: ignore[union-attr]
        assert not shop.stores.journal.phones.entries()
        await shop.application.stop()
    assert (mailbox.mails, receiver.requests) == ([], [])


async def test_users_are_copied_with_profile_and_subscriptions_and_without_a_past(
    shop: LiveShop,
) -> None:
    await shop.publish(mail("hello", re_eligibility="never"))
    await shop.user("ann", first_name="Ann", test_user=True, plan="gold")
    await shop.user("ben", email_subscribe="unsubscribed", test_user=True)
    await shop.application.phone_taps.send_event("ann", "signed_up", {})
    rehearsal = await begin(shop, "ann", "ben", "nobody-knows")
    users = rehearsal.application.users
    assert users.find("ann").attributes == {"first_name": "Ann", "plan": "gold", "test_user": True}
    assert users.find("ben").subscriptions == {"email": "unsubscribed"}
    assert users.find("nobody-knows").attributes == {"test_user": True}
    for user_id in ("ann", "ben", "nobody-knows"):
        await does(rehearsal, user_id)
    assert await came(rehearsal, "ann") == ["hello"]
    assert await came(rehearsal, "ben") == []
    assert await came(rehearsal, "nobody-knows") == ["hello"]


async def test_without_names_those_whose_phones_rang_last_take_part(shop: LiveShop) -> None:
    await shop.publish(mail("hello"))
    await shop.user("zoe", test_user=True)
    await shop.application.phone_taps.send_event("zoe", "signed_up", {})
    await shop.application.phones.messages("zoe")
    rehearsal = await shop.application.rehearsals.begin(RehearsalWish(), author())
    assert len(rehearsal.cast.user_ids) == 2
    assert {"zoe", "tester-1"} >= set(rehearsal.cast.user_ids) - {"tester-2"}


# What is rehearsed


async def test_drafts_that_go_together_are_published_together(shop: LiveShop) -> None:
    await shop.draft(mail("hello"))
    await shop.draft(mail("again", delivery=after("hello", "7d")))
    await shop.draft(mail("elsewhere", {"event": "left"}))
    rehearsal = await begin(shop, campaign="again")
    plan = rehearsal.application.runtime.plan
    assert {slug for slug, one in plan.campaigns.items() if one.status == "active"} == {
        "hello",
        "again",
    }
    assert {one.status for one in shop.application.campaigns.all()} == {"draft"}
    await does(rehearsal, "ann")
    await rehearsal.time.skip_to_next()
    assert await came(rehearsal, "ann") == ["hello", "again"]


async def test_a_companion_that_cannot_be_published_is_left_out_and_named(shop: LiveShop) -> None:
    await shop.draft(mail("hello"))
    await shop.draft(mail("odd", interaction("push_direct_open", "hello")))
    rehearsal = await begin(shop, campaign="hello")
    assert set(rehearsal.application.runtime.plan.campaigns) == {"hello"}
    [note] = rehearsal.notes
    assert "cannot be published with it" in note
    with pytest.raises(InvalidError, match="no push message"):
        await begin(shop, campaign="odd")


async def test_what_is_being_written_is_rehearsed_as_it_is_and_stays_unpublished(
    shop: LiveShop,
) -> None:
    await shop.publish(mail("hello"))
    compositions = shop.application.compositions
    edit = compositions.begin_edit("hello", "ada")
    tree = {**edit.tree, "delivery": {"triggers": [{"event": "arrived"}]}}
    compositions.save(edit, tree, "ada")
    rehearsal = await begin(shop, composition=edit.id)
    await does(rehearsal, "ann", "arrived")
    assert await came(rehearsal, "ann") == ["hello"]
    [live] = shop.application.campaigns.all()
    assert live.document.delivery.triggers[0].event == "signed_up"

    half = compositions.begin("ada")
    with pytest.raises(InvalidError):
        await begin(shop, composition=half.id)
    assert shop.application.rehearsals.find(rehearsal.id) is rehearsal  # it goes on


async def test_begun_anew_it_has_what_is_live_now(shop: LiveShop) -> None:
    compositions, launches = shop.application.compositions, shop.application.launches
    new = compositions.begin("ada")
    compositions.save(new, mail("hello"), "ada")
    rehearsal = await begin(shop, composition=new.id)
    await does(rehearsal, "ann")
    await launches.publish(compositions.find(new.id), [], has_backfill=False)
    again = await shop.application.rehearsals.begin_anew(rehearsal.id)
    assert again.path == rehearsal.path
    assert not rehearsal.application.runtime.is_ready
    assert await came(again, "ann") == []
    assert again.time.ahead == 0
    await does(again, "ann")
    assert await came(again, "ann") == ["hello"]


async def test_an_archived_campaign_is_none_to_rehearse(shop: LiveShop) -> None:
    await shop.publish(mail("hello"))
    await shop.application.campaigns.archive("hello")
    with pytest.raises(ConflictError, match="archived"):
        await begin(shop, campaign="hello")
    with pytest.raises(NotFoundError):
        await begin(shop, campaign="nothing")


# Bounds


async def test_each_person_has_one_and_there_are_so_many(shop: LiveShop) -> None:
    rehearsals = shop.application.rehearsals
    first = await begin(shop)
    second = await begin(shop)
    with pytest.raises(NotFoundError, match="has ended"):
        rehearsals.find(first.id)
    assert not first.application.runtime.is_ready
    for number in range(REHEARSALS_MAX - 1):
        await begin(shop, by=f"author-{number}")
    with pytest.raises(BusyError, match="ada, author-0"):
        await begin(shop, by="one-more")
    await rehearsals.end(second.id)
    await rehearsals.end(second.id)
    await begin(shop, by="one-more")
    assert len(rehearsals.all()) == REHEARSALS_MAX


async def test_it_ends_when_nobody_uses_it_and_at_last_in_any_case(shop: LiveShop) -> None:
    rehearsals = shop.application.rehearsals
    rehearsal = await begin(shop)
    for _ in range(REHEARSAL_LIFE_MAX // REHEARSAL_IDLE_MAX):
        rehearsals.use(rehearsals.find(rehearsal.id))
        shop.clock.idle_s += REHEARSAL_IDLE_MAX / SECOND - 1
    rehearsals.use(rehearsals.find(rehearsal.id))
    shop.clock.idle_s += REHEARSAL_LIFE_MAX / REHEARSAL_IDLE_MAX
    with pytest.raises(NotFoundError):
        rehearsals.find(rehearsal.id)

    idle = await begin(shop)
    shop.clock.idle_s += REHEARSAL_IDLE_MAX / SECOND
    assert rehearsals.of(author().id) is None
    await rehearsals.end_those_over()
    assert not idle.application.runtime.is_ready


async def test_it_ends_when_a_user_of_whom_it_has_a_copy_is_erased(shop: LiveShop) -> None:
    await shop.user("ann", first_name="Ann")
    rehearsal = await begin(shop, "ann", "made-up")
    await shop.application.users.erase("ann")
    with pytest.raises(NotFoundError):
        shop.application.rehearsals.find(rehearsal.id)


async def test_all_end_with_the_application() -> None:
    shop = LiveShop()
    await shop.application.start()
    rehearsal = await begin(shop)
    await shop.application.stop()
    assert not rehearsal.application.runtime.is_ready
    assert shop.application.rehearsals.all() == []
