"""Limits across users: a campaign's pace, its most recipients, and unknown answers."""

from typing import Any

from segue.channels.sender import Accepted, Answer, Refused, Unknown
from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_workspace
from segue.model.events import Event
from segue.model.instants import DAY, HOUR, MINUTE, parse_instant
from segue.model.log_records import CampaignPublished, EventsReceived, WorkspaceSet
from segue.model.rendered import Rendered
from segue.model.verdicts import Verdict
from tests.support.live import LiveRuntime, phones_of

START = parse_instant("2026-11-01T00:00:00Z")
PUSH = {"push": {"title": "Hello"}}
CARD = {"content_card": {"title": "Hello"}}
WEBHOOK = {"webhook": {"url": "https://shop.test/hook"}}


class Provider:
    """A sender that answers as it is told, and notes when it was handed what."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)  # then accepted
        self.handed: list[tuple[int, str]] = []
        self.clock = lambda: 0

    async def send(self, message: Rendered) -> Answer:
        self.handed.append((self.clock(), message.user_id))
        return self.answers.pop(0) if self.answers else Accepted("ok")

    def turn(self, message: Rendered, now: int) -> int:
        return now


def published(message: dict[str, Any] = WEBHOOK, **delivery: Any) -> CampaignPublished:
    document = {
        "slug": "offer",
        "name": "Offer",
        "delivery": {"triggers": [{"event": "go"}], **delivery},
        "messages": [message],
    }
    return CampaignPublished(START, "id-offer", 1, decode_campaign(document))


def went(at: int, *user_ids: str) -> EventsReceived:
    return EventsReceived(at, [Event(user, "go") for user in user_ids])


async def started(provider: Provider) -> LiveRuntime:
    live = LiveRuntime(START, provider)
    provider.clock = live.clock.now
    await live.start()
    return live


def ends(verdicts: list[Verdict]) -> dict[str, str]:
    """Return the last word on each user."""
    return {one.user_id: one.reason or one.decision for one in verdicts}


async def test_no_more_go_over_in_a_minute_than_the_campaign_allows_and_all_go() -> None:
    provider = Provider()
    live = await started(provider)
    users = [f"u{number}" for number in range(9)]
    await live.hand_in([published(sends_per_minute_max=3)])
    await live.hand_in([went(START, *users)])
    for second in range(0, 200, 5):
        await live.move_to(START + second * MINUTE // 60)
    assert [user for _, user in provider.handed] == users
    instants = [at for at, _ in provider.handed]
    for start in instants:
        assert sum(start <= at < start + MINUTE for at in instants) <= 3
    await live.stop()


async def test_a_send_whose_turn_would_come_after_three_days_is_dropped() -> None:
    """campaign-facts.md 4.4."""
    provider = Provider()
    live = await started(provider)
    users = [f"u{number:04}" for number in range(4_400)]
    await live.hand_in([published(sends_per_minute_max=1)])
    await live.hand_in([went(START, *users)])
    told = ends(await live.stop())
    assert told["u0000"] == "send"
    assert told["u4399"] == "rate_limited"
    in_time = [user for user, end in told.items() if end == "send"]
    assert in_time == users[: 3 * 24 * 60 + 1]


async def test_a_campaign_reaches_no_more_users_than_it_may_also_after_a_restart() -> None:
    """campaign-facts.md D13: a send that is refused does not use up a place."""
    provider = Provider(Accepted("ok"), Refused("no such token"))
    live = await started(provider)
    await live.hand_in([published(recipients_max=3)])
    await live.hand_in([went(START, "a")])
    await live.hand_in([went(START, "refused")])
    await live.hand_in([went(START, "b")])
    await live.stop()
    await live.start()
    await live.hand_in([went(live.clock.now(), "c", "d")])
    await live.crash()
    await live.start()
    await live.hand_in([went(live.clock.now(), "e")])
    told = ends(await live.stop())
    assert [user for _, user in provider.handed] == ["a", "refused", "b", "c"]
    assert told == {
        "a": "send",
        "refused": "refused",
        "b": "send",
        "c": "send",
        "d": "recipients_max",
        "e": "recipients_max",
    }


async def test_what_nobody_knows_the_end_of_goes_again_or_not_as_the_workspace_says() -> None:
    """semantics.md 8: `on_unknown` is "resend" by default for webhooks, "drop" for the rest.

    The inbox of devices takes a repeat once, so handing over to it again is always right.
    """
    unknown = Unknown("the connection broke")
    for message, policy, handed in (
        (WEBHOOK, {}, 2),
        (WEBHOOK, {"webhook": {"on_unknown": "drop"}}, 1),
        (PUSH, {}, 1),
        (CARD, {}, 2),
        (PUSH, {"push": {"on_unknown": "resend"}}, 2),
    ):
        provider = Provider(unknown)
        live = await started(provider)
        workspace = decode_workspace({"channels": policy})
        await live.hand_in([WorkspaceSet(START, workspace), phones_of(START, "u")])
        await live.hand_in([published(message)])
        await live.hand_in([went(START, "u")])
        await live.move_to(START + HOUR)
        await live.move_to(START + DAY)
        told = ends(await live.stop())
        assert len(provider.handed) == handed
        assert told["u"] == ("send" if handed == 2 else "unknown_outcome")
