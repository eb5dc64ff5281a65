"""Small worlds written by hand: both the engine and the oracle decide them, and must agree."""

from typing import Any

import msgspec

from segue.model.campaigns import Campaign
from segue.model.workspace import Segment, Workspace
from tests.support.comparison import Decisions, decided_by_engine, differences
from tests.support.random_worlds import World

START = "2026-11-01T00:00:00Z"  # a Sunday
PUSH = {"push": {"title": "Hello"}}
EMAIL = {"email": {"subject": "Hello", "text": "Hello"}}
SMS = {"sms": {"body": "Hello"}}
CARD = {"content_card": {"title": "Hello"}}

Document = dict[str, Any]
DELIVERY = (
    *("type", "schedule", "delay", "exceptions", "window", "time_of_day", "quiet_hours"),
    "recipients_max",
)


def campaign(slug: str, *triggers: Document, **more: Any) -> Document:
    """Return a campaign that sends a push; parts of its delivery go where they belong."""
    delivery: Document = {"triggers": list(triggers)} if triggers else {}
    delivery |= {name: more.pop(name) for name in DELIVERY if name in more}
    if "variants" not in more:
        more.setdefault("messages", [PUSH])
    return {"slug": slug, "name": slug, "delivery": delivery, **more}


def follows(slug: Any, interaction: str, **more: Any) -> Document:
    """Return a happening: an interaction with a campaign."""
    return {"interact_with_campaign": {"campaign": slug, "interaction": interaction, **more}}


def at(time: str, name: str, user_id: str = "u", **more: Any) -> Document:
    """Return the line of an event; a time alone is of the day that the log begins."""
    return {"user_id": user_id, "name": name, "time": _instant(time), **more}


def knows(time: str, user_id: str = "u", **attributes: Any) -> Document:
    """Return the line of a profile change."""
    return {"user_id": user_id, "attributes": attributes, "time": _instant(time)}


def control(time: str, word: str, slug: str | None = None, **more: Any) -> Document:
    """Return a control line."""
    line = {"control": word, "time": _instant(time), **more}
    return line if slug is None else {**line, "campaign": slug}


def decided(
    campaigns: list[Document],
    *lines: Document,
    until: str = "2026-11-09T00:00:00Z",
    segments: tuple[Document, ...] = (),
    workspace: Document | None = None,
) -> Decisions:
    """Return the decision lines, in their order, after seeing that both decide the same."""
    documents = msgspec.convert(campaigns, list[Campaign])
    world = World(
        {one.slug: one for one in documents},
        [control("00:00", "advance"), *lines],
        until,
        {one.slug: one for one in msgspec.convert(list(segments), list[Segment])},
        msgspec.convert(workspace, Workspace) if workspace is not None else None,
    )
    assert differences(world) == []
    return decided_by_engine(world)


def told(decisions: Decisions) -> list[str]:
    """Return decisions in few words, such as "greet refuse already_waiting"."""
    words = ("campaign", "decision", "reason")
    return [" ".join(line[word] for word in words if word in line) for line in decisions]


def sent(decisions: Decisions) -> list[str]:
    """Return when something was sent, and to whom."""
    return [f"{one['at']} {one['user_id']}" for one in decisions if one["decision"] == "send"]


def _instant(time: str) -> str:
    if "T" in time:
        return time
    return f"{START[:11]}{time}{':00' if time.count(':') == 1 else ''}Z"
