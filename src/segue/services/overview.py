"""What Home shows: campaigns by status, today's sends, the newest decisions, first steps."""

import asyncio
from collections import Counter as Tally
from typing import Final

from msgspec import Struct

from segue.engine.graph import edges
from segue.model.channels import CHANNELS, Channel
from segue.model.instants import DAY, FOREVER
from segue.model.verdicts import Verdict
from segue.runtime.runtime import Runtime
from segue.storage.ports import CampaignStatus, Sums

_NEWEST: Final = 10
_BLOCKS_READ: Final = 3  # of verdicts: each is of one checkpoint, with hundreds where much happens


class Step(Struct, frozen=True):
    """One of the first steps with Segue."""

    text: str
    minutes: int
    is_done: bool
    how: str  # what to do, in a sentence


class Overview(Struct, frozen=True):
    """How the installation is doing."""

    campaigns: dict[CampaignStatus, int]
    sent_today: dict[Channel, int]
    newest: list[Verdict]
    steps: list[Step]


async def overview_of(runtime: Runtime, channels_set_up: list[Channel]) -> Overview:
    """Return the overview, as of the newest decision; today begins at midnight UTC."""
    stored = runtime.journal.list_campaigns()
    documents = {one.slug: one.document for one in stored if one.status != "archived"}
    by_status = Tally(one.status for one in stored)
    has_connection = bool(edges(documents, {one.id: one.slug for one in stored}))
    return Overview(
        campaigns={
            status: by_status[status] for status in ("active", "draft", "stopped", "archived")
        },
        sent_today=await _sent_today(runtime, [one.slug for one in stored if one.version]),
        newest=await _newest(runtime),
        steps=_steps(
            has_event=runtime.commits.last_seq > 0,
            has_user=await asyncio.to_thread(lambda: runtime.snapshot.count_users() > 0),
            has_channel=bool(channels_set_up),
            has_campaign=any(one.version for one in stored),
            has_connection=has_connection,
        ),
    )


async def _sent_today(runtime: Runtime, slugs: list[str]) -> dict[Channel, int]:
    now = runtime.clock.now()
    today = Sums([now - now % DAY, FOREVER])
    sent: Tally[str] = Tally()
    for slug in slugs:
        [sums] = await runtime.counters.add_up(slug, [today])
        for counter, amount in sums.items():
            if counter.metric == "sent":
                sent[counter.channel] += round(amount)
    return {channel: sent[channel] for channel in CHANNELS if sent[channel]}


async def _newest(runtime: Runtime) -> list[Verdict]:
    """Return the newest decisions, the newest first."""
    pending = runtime.outcomes.pending_verdicts()[-_NEWEST:]
    written = await asyncio.to_thread(lambda: list(runtime.snapshot.read_verdicts(_BLOCKS_READ)))
    # A checkpoint that was written in between has some of them in both places.
    earlier = [one for one in written[-2 * _NEWEST :] if one not in pending]
    return [*earlier, *pending][: -_NEWEST - 1 : -1]


def _steps(
    *, has_event: bool, has_user: bool, has_channel: bool, has_campaign: bool, has_connection: bool
) -> list[Step]:
    return [
        Step("Send a first event", 2, has_event, "POST /api/v1/events with an API key."),
        Step("Tell Segue about a user", 2, has_user, "POST /api/v1/users with their attributes."),
        Step(
            "Set up a channel",
            5,
            has_channel,
            "SEGUE_CHANNELS__EMAIL__SMTP_URL, or segue.toml; then start the server again.",
        ),
        Step("Publish a campaign", 5, has_campaign, "Write a draft, look at it, publish it."),
        Step(
            "Connect a second campaign to it",
            5,
            has_connection,
            "Its trigger is what people do with the first one.",
        ),
    ]
