"""How many messages a user may get (semantics.md 3, "Frequency caps")."""

from zoneinfo import ZoneInfo

from segue.model.instants import DAY, parse_duration
from segue.model.workspace import Cap
from tests.support.oracle.local_time import start_of_days
from tests.support.oracle.memory import PUSHED, Knowledge, Life, Send, SentMessage, User


def reached_channels(
    life: Life,
    channels: list[str],
    user: User,
    now: int,
    zone: ZoneInfo,
    knowledge: Knowledge,
    under_way: list[Send],
) -> set[str]:
    """Return the channels on which a user may get no more of this campaign for now."""
    reached: set[str] = set()
    if life.newest.frequency_caps != "respect":
        return reached
    messages = [*user.messages, *_being_handed_over(now, knowledge, under_way)]
    for cap in knowledge.workspace.caps:
        if cap.tag is not None and cap.tag not in life.newest.tags:
            continue
        if _count(cap, messages, now, zone, knowledge) >= cap.messages_max:
            kind = "by days" if _is_of_days(cap) else "rolling"
            knowledge.seen[f"cap {kind}"] += 1
            knowledge.seen[f"cap of {'any channel' if cap.channel == 'any' else 'a channel'}"] += 1
            knowledge.seen[f"cap of {'a tag' if cap.tag else 'all tags'}"] += 1
            reached.update(PUSHED if cap.channel == "any" else (cap.channel,))
    return reached.intersection(channels).intersection(PUSHED)


def counts(life: Life) -> bool:
    """Say whether a campaign's messages count; one that opts out says so."""
    return life.newest.frequency_caps != "ignore"


def _being_handed_over(now: int, knowledge: Knowledge, under_way: list[Send]) -> list[SentMessage]:
    return [
        SentMessage(now, channel, send.slug, send.wait.send_id)
        for send in under_way
        if counts(knowledge.lives[send.slug])
        for channel in send.channels
    ]


def _count(
    cap: Cap, messages: list[SentMessage], now: int, zone: ZoneInfo, knowledge: Knowledge
) -> int:
    """Return how many messages count; for any channel, those of one send are one."""
    counted = set()
    for message in messages:
        is_meant = message.channel in PUSHED and cap.channel in ("any", message.channel)
        is_tagged = cap.tag is None or cap.tag in knowledge.lives[message.slug].newest.tags
        if is_meant and is_tagged and _is_recent(cap, message, now, zone):
            counted.add((message.send_id, "" if cap.channel == "any" else message.channel))
    return len(counted)


def _is_recent(cap: Cap, message: SentMessage, now: int, zone: ZoneInfo) -> bool:
    """Whole days are those of the user's calendar, today included; other times roll."""
    within = parse_duration(cap.within)
    if _is_of_days(cap):
        return message.at >= start_of_days(now, within // DAY, zone)
    return message.at > now - within


def _is_of_days(cap: Cap) -> bool:
    return parse_duration(cap.within) % DAY == 0
