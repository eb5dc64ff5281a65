"""What happens just now, as lines for people; and the newest decisions for who has just come."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from msgspec import Struct

from segue.engine.draft import Act
from segue.engine.plan import Plan
from segue.model.channels import CHANNELS, Channel
from segue.model.instants import format_instant
from segue.model.interactions import INTERACTIONS
from segue.model.limits import ACTIVITY_BATCH_MAX, ACTIVITY_BLOCKS_MAX, ACTIVITY_NEWEST_MAX
from segue.runtime.live_feed import LiveFeed, LiveItem, Subscription
from segue.runtime.moments import Moment
from segue.runtime.runtime import Runtime
from segue.services.explanations.words import Words
from segue.services.moment_words import Kind, Tone, is_problem, kind_of, label_of, sentence_of

_HEARTBEAT_S: Final = 10.0
_BATCH_PAUSE_S: Final = 0.25  # so that a busy server does not keep a page busy too
_ACT_CHANNELS: Final = {one.act: one.channel for one in INTERACTIONS.values() if one.channel}


class ActivityLine(Struct, frozen=True):
    """One thing that happened."""

    at: str
    user_id: str
    campaign: str
    kind: Kind
    label: str
    tone: Tone
    sentence: str


class ActivityBatch(Struct, frozen=True):
    """Lines that came together, oldest first; `id` is where to go on behind them.

    `missed` lines came so fast that they were left out; with `has_gap`, so was what happened
    since the page was connected last. Without lines it is a sign of life.
    """

    id: str
    lines: list[ActivityLine]
    missed: int = 0
    has_gap: bool = False


class ActivityFilter(Struct, frozen=True):
    """Which lines are wanted; what is empty stands for all."""

    user_id: str = ""
    campaign: str = ""
    channel: str = ""
    kind: str = ""
    is_problem: bool = False

    def __bool__(self) -> bool:
        """Whether any line is not wanted."""
        return self != _ALL

    def takes(self, moment: Moment, plan: Plan) -> bool:
        """Return whether a line is wanted."""
        return (
            self.user_id in ("", moment.user_id)
            and self.campaign in ("", moment.campaign)
            and self.kind in ("", kind_of(moment.what))
            and (not self.is_problem or is_problem(moment.what))
            and (not self.channel or self.channel in _channels_of(moment, plan))
        )


_ALL: Final = ActivityFilter()


def _channels_of(moment: Moment, plan: Plan) -> list[Channel]:
    """Return the channels of a line: its message's, or those of its campaign."""
    if moment.channel is not None:
        return [moment.channel]
    if isinstance(moment.what, Act) and moment.what.event.name in _ACT_CHANNELS:
        return [_ACT_CHANNELS[moment.what.event.name]]
    campaign = plan.campaigns.get(moment.campaign or "")
    if campaign is None:
        return []
    variants = campaign.newest.document.all_variants()
    written = {channel for one in variants for channel in campaign.channels_of(one.name)}
    return [channel for channel in CHANNELS if channel in written]


class Activity:
    """The live feed in words."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._words: tuple[Plan, Words] | None = None

    @property
    def _feed(self) -> LiveFeed:
        return self._runtime.feed

    def keep(self) -> str:
        """Keep what comes from now on for a page that is about to look on; return its `after`."""
        return self._feed.keep()

    async def newest(self, wanted: ActivityFilter) -> list[ActivityLine]:
        """Return the newest decisions that are wanted, the newest first."""
        return [self.line(moment) for moment in await self.newest_moments(wanted)]

    async def newest_moments(
        self, wanted: ActivityFilter, count_max: int = ACTIVITY_NEWEST_MAX
    ) -> list[Moment]:
        """Return the newest decisions that are wanted, the newest first.

        Looked through are those not written down yet, and some blocks of those that are.
        """
        plan = self._runtime.plan
        pending = self._runtime.outcomes.pending_verdicts()

        def find() -> list[Moment]:
            found: list[Moment] = []
            blocks = 1
            while len(found) < count_max and blocks <= ACTIVITY_BLOCKS_MAX:
                written = list(self._runtime.snapshot.read_verdicts(blocks))
                # A checkpoint that was written in between has some of them in both places.
                newest = written[-len(pending) - 1 :]
                verdicts = [*written, *(one for one in pending if one not in newest)]
                moments = (Moment(one.at, one) for one in reversed(verdicts))
                found = [one for one in moments if wanted.takes(one, plan)][:count_max]
                blocks *= 10
            return found

        return await asyncio.to_thread(find)

    def line(self, moment: Moment) -> ActivityLine:
        """Return a moment in words."""
        plan = self._runtime.plan
        if self._words is None or self._words[0] is not plan:
            self._words = plan, Words("", plan, self._runtime.clock.now())
        words = self._words[1].about(moment.user_id)
        label, tone = label_of(moment.what)
        return ActivityLine(
            at=format_instant(moment.at),
            user_id=moment.user_id,
            campaign=moment.campaign or "",
            kind=kind_of(moment.what),
            label=label,
            tone=tone,
            sentence=sentence_of(moment.what, words, plan),
        )

    def look_on(self, wanted: ActivityFilter, after: str) -> Subscription:
        """Begin to look on, at what came behind `after`; `batches` tells it, and ends it.

        Raises:
            BusyError: as many as are allowed look on already.
        """
        takes = (lambda moment: wanted.takes(moment, self._runtime.plan)) if wanted else None
        return self._feed.subscribe(after, takes)

    async def batches(self, subscription: Subscription) -> AsyncGenerator[ActivityBatch]:
        """Yield what comes, a few lines at a time; an empty batch where nothing came for long."""
        feed, missed, last = self._feed, 0, ""
        try:
            yield ActivityBatch("", [], subscription.missed, subscription.has_gap)
            missed = subscription.missed
            while True:
                first = await subscription.next(_HEARTBEAT_S)
                items = [first, *subscription.more(ACTIVITY_BATCH_MAX - 1)] if first else []
                gap, missed = subscription.missed - missed, subscription.missed
                last = feed.id_of(items[-1]) if items else last
                yield ActivityBatch(last, self._lines(items), gap)
                await self._runtime.clock.sleep(_BATCH_PAUSE_S)
        finally:
            feed.unsubscribe(subscription)

    def _lines(self, items: list[LiveItem]) -> list[ActivityLine]:
        return [self.line(item.moment) for item in items]
