"""Messages that failed: what is listed, what a retry puts back, and that nothing goes twice."""

import asyncio
from typing import Any

import pytest

from segue.channels.sender import Accepted, Answer, Refused, Unknown
from segue.engine.checks import decode_campaign
from segue.errors import BusyError, NotFoundError
from segue.model import limits
from segue.model.devices import DevicesTried
from segue.model.events import AttributeChange, Event
from segue.model.instants import DAY, HOUR, MINUTE, parse_instant
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    SendsRetried,
    SendsSettled,
    UserErased,
)
from segue.model.problems import InvalidError
from segue.model.rendered import Rendered, RenderedPush
from segue.runtime import dead_letters as letters_module
from segue.runtime.replay import compare_with_record
from segue.services import dead_letters as service_module
from segue.services.dead_letters import DeadLetters, LetterFilter, cursor_of
from tests.support.live import LiveRuntime, phones_of

pytestmark = pytest.mark.slow

START = parse_instant("2026-11-01T00:00:00Z")
ALL = LetterFilter()
REFUSED = Refused("550 5.7.1 not wanted")


class Provider:
    """Answers as it is told for as long as it is told, then accepts."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}  # by campaign or channel
        self.taken: list[tuple[str, str, list[str]]] = []

    async def send(self, message: Rendered) -> Answer:
        is_push = isinstance(message, RenderedPush)
        tokens = [one.token for one in message.devices] if isinstance(message, RenderedPush) else []
        self.taken.append((message.campaign, message.send_id, tokens))
        answer = self.answers.get("push" if is_push else "email")
        answer = self.answers.get(message.campaign, answer)
        return answer or Accepted()

    def turn(self, message: Rendered, now: int) -> int:
        return now


class World:
    """A live runtime with its provider, and the list of what failed."""

    def __init__(self) -> None:
        self.provider = Provider()
        self.live = LiveRuntime(START, self.provider)
        self.now = START

    @property
    def letters(self) -> DeadLetters:
        return DeadLetters(self.live.runtime)

    async def open(self, **documents: dict[str, Any]) -> "World":
        await self.live.start()
        for slug, more in documents.items():
            document = {
                "slug": slug,
                "name": slug,
                "delivery": {"triggers": [{"event": "go"}], **more.pop("delivery", {})},
                "re_eligibility": "always",
                "messages": [{"email": {"subject": "Hello", "text": "{{ unsubscribe_url }}"}}],
                **more,
            }
            published = CampaignPublished(START, f"id-{slug}", 1, decode_campaign(document))
            await self.live.hand_in([published])
        return self

    async def go(self, *users: str) -> "World":
        at = self.live.clock.now()
        known = [AttributeChange(user, {"email": f"{user}@people.test"}) for user in users]
        events = [Event(user, "go") for user in users]
        await self.live.hand_in(
            [AttributesReceived(at, known), phones_of(at, *users), EventsReceived(at, events)]
        )
        self.live.clock.advance(MINUTE)
        await self.live.settle()
        return self

    def listed(self, **wanted: str) -> list[tuple[str, str, str]]:
        page = self.letters.page(LetterFilter(**wanted), "", 1_000)
        return [(one.user_id, one.channel, one.reason) for one in page]

    def ids(self) -> list[str]:
        return [one.id for one in self.letters.page(ALL, "", 1_000)]

    async def retry(self, **wish: Any) -> tuple[int, dict[str, int], list[str]]:
        done = await self.letters.retry(wish)
        await self.live.settle()
        return done.put_back, {one.reason: one.count for one in done.not_put_back}, done.gone

    async def end(self) -> list[str]:
        """End, see that a replay decides the same, and return what was decided."""
        verdicts = await self.live.stop()
        compared = compare_with_record(self.live.stores.journal, self.live.stores.snapshot)
        assert compared.difference is None
        assert compared.equal == len(verdicts)
        return [f"{one.user_id} {one.reason or one.decision}" for one in verdicts]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_message_that_was_refused_is_listed_with_why_and_when(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    [letter] = world.letters.page(ALL, "", 10)
    assert (letter.user_id, letter.campaign, letter.variant) == ("ann", "c", "A")
    assert (letter.channel, letter.reason, letter.detail) == ("email", "refused", REFUSED.detail)
    assert letter.why == "The provider refused the message."
    assert letter.id == f"{letter.send_id}:email"
    assert letter.attempts == 1
    assert letter.first_attempt_at == letter.last_attempt_at == letter.decided_at
    assert letter.failed_at == letter.decided_at
    assert not letter.may_double
    assert await world.end() == ["ann enter", "ann send", "ann refused"]


async def test_only_what_a_person_can_mend_is_listed(world: World) -> None:
    world.provider.answers["email"] = Refused("550 5.1.1 no such user", is_address_dead=True)
    broken = {"email": {"subject": "{{ 1 | divided_by: 0 }}", "text": "Hello"}}
    await world.open(c={}, broken={"messages": [broken]})
    await world.go("ann")
    assert world.listed() == [("ann", "email", "template_error")]
    await world.end()


async def test_a_retry_puts_a_message_back_under_its_id_and_it_goes_out(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    world.provider.answers.clear()
    await world.live.move_to(START + DAY)
    assert await world.retry(ids=world.ids()) == (1, {}, [])
    assert world.listed() == []
    assert len(world.provider.taken) == 2
    assert len({send_id for _, send_id, _ in world.provider.taken}) == 1
    state = world.live.runtime.state_of("ann")
    assert state is not None
    assert state.memberships["c"].sent_at == START + DAY
    assert len(world.live.runtime.outcomes.outbox) == 0
    assert await world.end() == ["ann enter", "ann send", "ann refused", "ann send"]


async def test_a_message_that_fails_again_is_listed_again_and_as_the_newest(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    await world.go("bob")
    await world.live.move_to(START + HOUR)
    [ann] = [one for one in world.letters.page(ALL, "", 10) if one.user_id == "ann"]
    assert await world.retry(ids=[ann.id]) == (1, {}, [])
    again = world.letters.page(ALL, "", 10)
    assert [one.user_id for one in again] == ["ann", "bob"]
    assert again[0].attempts == 1
    assert again[0].decided_at > ann.decided_at
    await world.end()


async def test_counters_keep_the_failure_and_count_the_success(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    world.provider.answers.clear()
    await world.retry()
    await world.live.stop()
    counted = {
        (counter.metric, counter.detail): amount
        for counter, amount in world.live.stores.snapshot.counters("c")
    }
    assert counted["failed", "refused"] == counted["skipped", "refused"] == 1
    assert counted["sent", ""] == counted["recipients", ""] == counted["received", ""] == 1


async def test_an_outcome_that_nobody_knows_is_retried_only_where_it_may_double(
    world: World,
) -> None:
    world.provider.answers["email"] = Unknown("broke off")
    await (await world.open(c={})).go("ann", "bob")
    assert world.listed() == [(user, "email", "unknown_outcome") for user in ("bob", "ann")] or [
        ("ann", "email", "unknown_outcome"),
        ("bob", "email", "unknown_outcome"),
    ]
    done = await world.letters.retry({})
    assert done.put_back == 0
    [stays] = done.not_put_back
    assert (stays.reason, stays.count) == ("unknown_outcome", 2)
    assert '"may_double": true' in stays.why
    world.provider.answers.clear()
    assert await world.retry(may_double=True) == (2, {}, [])
    assert len(world.provider.taken) == 4
    await world.end()


async def test_a_retry_of_what_is_gone_is_told_and_no_error(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    [known] = world.ids()
    world.provider.answers.clear()
    assert await world.retry(ids=[known, "0190:email", known]) == (1, {}, ["0190:email"])
    assert await world.retry(ids=[known]) == (0, {}, [known])
    assert len(world.provider.taken) == 2
    await world.end()


async def test_two_retries_of_a_letter_at_once_put_it_back_once(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    [known] = world.ids()
    world.provider.answers.clear()
    both = await asyncio.gather(*(world.letters.retry({"ids": [known]}) for _ in range(2)))
    await world.live.settle()
    assert sorted(one.put_back for one in both) == [0, 1]
    assert sorted(one.gone for one in both) == [[], [known]]
    retries = [
        record
        for block in world.live.stores.journal.read_log()
        for record in block.records
        if isinstance(record, SendsRetried)
    ]
    assert len(retries) == 1
    assert len(world.provider.taken) == 2
    await world.end()


async def test_what_may_not_go_now_stays_listed_with_why(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={}, d={})).go("ann", "bob")
    at = world.live.clock.now()
    unsubscribed = AttributeChange("ann", {"email_subscribe": "unsubscribed"})
    await world.live.hand_in([AttributesReceived(at, [unsubscribed]), CampaignStopped(at, "d")])
    world.provider.answers.clear()
    done = await world.letters.retry({})
    await world.live.settle()
    stays = {one.reason: (one.count, one.why) for one in done.not_put_back}
    assert done.put_back == 1
    assert stays["campaign_stopped"] == (2, "The campaign was stopped.")
    assert stays["unsubscribed"][0] == 1
    assert len(world.listed()) == 3
    assert await world.retry(campaign="c") == (0, {"unsubscribed": 1}, [])
    assert [one for one in await world.end() if "send" in one].count("bob send") == 3


async def test_letters_are_found_by_campaign_channel_and_reason(world: World) -> None:
    world.provider.answers |= {"c": REFUSED, "d": Unknown("broke off")}
    push = [{"push": {"title": "Hello"}}]
    await (await world.open(c={}, d={"messages": push})).go("ann", "bob")
    assert len(world.listed()) == 4
    assert len(world.listed(campaign="c")) == len(world.listed(campaign="id-c")) == 2
    assert {channel for _, channel, _ in world.listed(channel="push")} == {"push"}
    assert {reason for *_, reason in world.listed(reason="refused")} == {"refused"}
    assert world.listed(campaign="nobody") == []
    for wrong in ({"channel": "pager"}, {"reason": "no_address"}):
        with pytest.raises(InvalidError):
            world.listed(**wrong)
    with pytest.raises(InvalidError):
        await world.letters.retry({"ids": [], "campaign": "c"})
    with pytest.raises(InvalidError):
        await world.letters.retry({"idz": []})
    with pytest.raises(InvalidError):
        await world.letters.retry({"ids": ["x"] * (limits.LETTERS_NAMED_MAX + 1)})
    await world.end()


async def test_letters_come_in_pages_that_hold_while_others_come_and_go(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await world.open(c={})
    for number in range(5):
        await world.go(f"u{number}")
    first = world.letters.page(ALL, "", 2)
    assert [one.user_id for one in first] == ["u4", "u3"]
    cursor = cursor_of(first[-1])
    await world.letters.dismiss(first[-1].id)
    await world.go("u5")
    assert [one.user_id for one in world.letters.page(ALL, cursor, 2)] == ["u2", "u1"]
    for wrong in ("x", "1", "x:y", ":"):
        with pytest.raises(InvalidError):
            world.letters.page(ALL, wrong, 2)
    await world.end()


async def test_the_summary_counts_by_campaign_channel_and_reason(world: World) -> None:
    world.provider.answers |= {"c": REFUSED, "d": Unknown("broke off")}
    await world.open(c={}, d={})
    for user in ("ann", "bob"):
        await world.go(user)
    await world.letters.dismiss(world.letters.page(LetterFilter("d"), "", 1)[0].id)
    summary = world.letters.summary(ALL)
    assert (summary.count, summary.count_max) == (3, limits.DEAD_LETTERS_MAX)
    told = [(one.campaign, one.channel, one.reason, one.count) for one in summary.groups]
    assert told == [("c", "email", "refused", 2), ("d", "email", "unknown_outcome", 1)]
    largest = summary.groups[0]
    assert largest.example.user_id == "bob"
    assert (largest.last_failed_at - largest.first_failed_at).total_seconds() == 60
    assert world.letters.summary(LetterFilter(channel="push")).groups == []
    await world.end()


async def test_a_dismissed_letter_is_gone_for_good(world: World) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann", "bob", "eve")
    await world.letters.dismiss(world.ids()[0])
    with pytest.raises(NotFoundError):
        await world.letters.dismiss("0190:email")
    assert (await world.letters.dismiss_all(LetterFilter(reason="gave_up"))).dismissed == 0
    assert (await world.letters.dismiss_all(LetterFilter(campaign="c"))).dismissed == 2
    assert await world.retry() == (0, {}, [])
    await world.live.crash()
    await world.live.start()
    assert world.listed() == []
    await world.end()


@pytest.mark.parametrize("end", ["stop", "crash", "checkpoint and crash"])
@pytest.mark.parametrize("when", ["listed", "retried", "failed again", "dismissed"])
async def test_the_list_survives(world: World, when: str, end: str) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    [known] = world.ids()
    if when == "retried":
        world.provider.answers.clear()
    if when in ("retried", "failed again"):
        assert await world.retry() == (1, {}, [])
    if when == "dismissed":
        await world.letters.dismiss(known)
    before = world.letters.page(ALL, "", 10)
    if "checkpoint" in end:
        await world.live.checkpoint()
    await (world.live.stop() if end == "stop" else world.live.crash())
    await world.live.start()
    assert world.letters.page(ALL, "", 10) == before
    taken = len(world.provider.taken)
    world.provider.answers.clear()
    expected = 1 if when in ("listed", "failed again") else 0
    assert await world.retry() == (expected, {}, [])
    assert len(world.provider.taken) == taken + expected
    assert world.listed() == []
    await world.end()


async def test_a_message_that_was_cut_off_while_it_was_retried_is_listed_again(
    world: World,
) -> None:
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go("ann")
    attempts: list[Rendered] = []

    async def never(message: Rendered) -> Answer:
        attempts.append(message)
        await asyncio.Event().wait()
        raise AssertionError

    world.provider.send = never  # type: ignore[method-assign]
    assert (await world.letters.retry({})).put_back == 1
    for _ in range(100):
        if world.live.runtime.dispatcher.is_busy:
            break
        await asyncio.sleep(0.01)
    await world.live.crash()
    await world.live.start()
    assert world.listed() == [("ann", "email", "unknown_outcome")]
    assert len(attempts) == 1
    assert (await world.end())[-2:] == ["ann send", "ann unknown_outcome"]


async def test_erasing_a_user_takes_their_letters_and_what_waits_in_the_outbox(
    world: World,
) -> None:
    world.provider.answers["email"] = REFUSED
    await world.open(c={}, later={"delivery": {"sends_per_minute_max": 1}})
    await world.go("ann", "bob", "eve")
    assert {item.deliver.user_id for item in world.live.runtime.outcomes.outbox.items.values()}
    await world.live.checkpoint()
    await world.live.hand_in(
        [UserErased(world.live.clock.now(), one) for one in ("ann", "bob", "eve")]
    )
    assert world.listed() == []
    assert len(world.live.runtime.outcomes.outbox) == 0
    await world.live.checkpoint()
    assert world.live.stores.snapshot.dead_letters() == []
    await world.live.crash()
    await world.live.start()
    assert world.listed() == []
    await world.live.stop()


async def test_the_list_keeps_the_newest_and_nothing_longer_than_thirty_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters_module, "DEAD_LETTERS_MAX", 3)
    world.provider.answers["email"] = REFUSED
    await world.open(c={})
    for number in range(5):
        await world.go(f"u{number}")
    assert [user for user, *_ in world.listed()] == ["u4", "u3", "u2"]
    await world.live.checkpoint()
    assert len(world.live.stores.snapshot.dead_letters()) == 3
    await world.live.move_to(START + 30 * DAY)
    assert len(world.listed()) == 3
    await world.live.move_to(START + 30 * DAY + 10 * MINUTE)
    assert world.listed() == []
    await world.live.checkpoint()
    assert world.live.stores.snapshot.dead_letters() == []
    await world.end()


async def test_many_are_put_back_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "RETRIES_PER_BLOCK", 3)
    world.provider.answers["email"] = REFUSED
    await (await world.open(c={})).go(*[f"u{number}" for number in range(8)])
    world.provider.answers.clear()
    assert await world.retry() == (8, {}, [])
    assert len(world.provider.taken) == 16
    await world.end()


async def test_while_the_outbox_is_full_nothing_is_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "OUTBOX_MAX", -1)
    await world.open(c={})
    with pytest.raises(BusyError, match="wait to be handed over"):
        await world.letters.retry({})
    await world.end()


async def test_devices_that_may_have_a_push_get_it_again_only_where_it_may_double(
    world: World,
) -> None:
    lost = Unknown("broke off", DevicesTried(dead=["t-old"], unknown=["token-of-ann"]))
    world.provider.answers["push"] = lost
    await (await world.open(c={"messages": [{"push": {"title": "Hello"}}]})).go("ann")
    world.provider.answers.clear()
    assert await world.retry() == (0, {"unknown_outcome": 1}, [])
    assert await world.retry(may_double=True) == (1, {}, [])
    assert [tokens for *_, tokens in world.provider.taken] == [["token-of-ann"]] * 2
    await world.end()


async def test_of_two_messages_the_one_that_failed_is_retried_as_the_rest_of_its_send(
    world: World,
) -> None:
    world.provider.answers["email"] = REFUSED
    both = [
        {"email": {"subject": "Hello", "text": "{{ unsubscribe_url }}"}},
        {"push": {"title": "x"}},
    ]
    await (await world.open(c={"messages": both, "delivery": {"recipients_max": 1}})).go("ann")
    assert world.listed() == [("ann", "email", "refused")]
    world.provider.answers.clear()
    assert await world.retry() == (1, {}, [])
    await world.live.stop()
    counted = {
        (one.metric, one.channel): amount
        for one, amount in world.live.stores.snapshot.counters("c")
    }
    assert counted["recipients", ""] == counted["received", ""] == 1
    assert counted["sent", "email"] == counted["sent", "push"] == 1
    assert ("skipped", "") not in counted


async def test_a_retry_counts_as_due_now_for_a_campaign_that_sends_few_a_minute(
    world: World,
) -> None:
    """Else it would be three days late at once."""
    world.provider.answers["email"] = REFUSED
    slow = {"sends_per_minute_max": 1, "recipients_max": 2}
    await (await world.open(c={"delivery": slow})).go("ann")
    world.provider.answers.clear()
    await world.live.move_to(START + 10 * DAY)
    assert await world.retry() == (1, {}, [])
    await world.live.move_to(START + 10 * DAY + MINUTE)
    settled = [
        one.settled_as
        for block in world.live.stores.journal.read_log()
        for record in block.records
        if isinstance(record, SendsSettled)
        for one in record.settled
    ]
    assert settled == ["refused", "accepted"]
    await world.end()
