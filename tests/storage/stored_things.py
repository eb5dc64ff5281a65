"""Small values to store."""

from typing import Any

from msgspec.structs import replace

from segue.model.campaigns import Campaign, Delivery, InteractWithCampaign, Trigger
from segue.model.effects import Deliver
from segue.model.events import Event
from segue.model.log_records import Block, CampaignPublished, EventsReceived, TimeAdvanced
from segue.model.messages import Email, Message
from segue.model.state import Membership, TriggerContext, UserState
from segue.model.verdicts import Verdict
from segue.storage.outbox_items import DeadLetter, OutboxItem
from segue.storage.ports import (
    Checkpoint,
    Journal,
    Position,
    StoredCampaign,
    TimerKey,
)


def block(seq: int, first_ordinal: int, *user_ids: str, at: int = 1_000) -> Block:
    """Return a block of one event for each user; without users it says that time went on."""
    if not user_ids:
        return Block(seq, first_ordinal, [TimeAdvanced(at)])
    events = [Event(user, "viewed", properties={"price": 9.5}) for user in user_ids]
    return Block(seq, first_ordinal, [EventsReceived(at, events)])


def append_blocks(journal: Journal, count: int, entries: int = 1) -> None:
    """Append blocks of `entries` events each."""
    for _ in range(count):
        end = journal.log_end()
        users = [f"u{end.seq}-{number}" for number in range(entries)]
        journal.append(block(end.seq + 1, end.next_ordinal, *users, at=1_000 + end.seq))


def document(slug: str) -> Campaign:
    """Return a campaign that follows any open."""
    happening = InteractWithCampaign(interaction="opens_email")
    return Campaign(
        slug=slug,
        name=slug.title(),
        delivery=Delivery(triggers=[Trigger(interact_with_campaign=happening)]),
        messages=[Message(email=Email(subject="Hello {{ first_name }}", text="…"))],
    )


def campaign(slug: str, number: int = 1, version: int = 0) -> StoredCampaign:
    """Return a draft."""
    return StoredCampaign(f"id-{number}", document(slug), "draft", version, 10, 20)


def published(slug: str, version: int = 1, at: int = 5) -> CampaignPublished:
    """Return a publication."""
    return CampaignPublished(at, f"id-{slug}", version, document(slug))


def state(value: Any = 1, *campaigns: str) -> UserState:
    """Return a state with an attribute, and memberships of campaigns."""
    memberships = {slug: Membership(sent_at=7, receipt_count=1) for slug in campaigns}
    return UserState(attributes={"value": value}, memberships=memberships)


def outbox_item(send_id: str, user_id: str = "ann", decided_at: int = 1) -> OutboxItem:
    """Return an email to hand over."""
    trigger = TriggerContext("viewed", 1, "e1", properties={"price": 9.5})
    deliver = Deliver(send_id, user_id, "welcome", "A", ["email"], decided_at, trigger)
    return OutboxItem(deliver, "email", next_attempt_at=decided_at)


def dead_letter(send_id: str, user_id: str = "ann", settled_at: int = 1) -> DeadLetter:
    """Return an email that was refused."""
    item = replace(outbox_item(send_id, user_id), attempts=2, first_attempt_at=1, last_attempt_at=2)
    return DeadLetter(item, settled_at, "refused", "550 not wanted")


def verdict(number: int) -> Verdict:
    """Return a verdict."""
    return Verdict(number, f"user-{number}", "welcome", "enter", cause=f"e{number}", due=number + 9)


def timer(due_at: int, user_id: str = "ann", slug: str = "welcome") -> TimerKey:
    """Return a timer."""
    return TimerKey(due_at, user_id, slug)


def checkpoint(seq: int = 1, **parts: Any) -> Checkpoint:
    """Return a checkpoint that stands behind block `seq`."""
    return Checkpoint(Position(seq, seq * 10, seq * 100), **parts)
