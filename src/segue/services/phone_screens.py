"""What a page shows of a virtual phone: its messages, what was done with them, what came of that.

Everything but the messages is read from the user's story, so that a line is known to have come of
a tap by what led to it, and not by when it came.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from msgspec import Struct, field

from segue.engine.draft import Act
from segue.model.events import AttributeChange
from segue.model.interactions import ACTS
from segue.model.limits import PHONE_LINES_MAX
from segue.runtime.live_feed import Subscription
from segue.runtime.runtime import Runtime
from segue.runtime.story import Story, Told, story_of
from segue.services.explanations.words import Words
from segue.services.moment_words import Tone, label_of, sentence_of
from segue.services.phones import MessageShown, VirtualPhones
from segue.services.sms_replies import REPLY_EVENT
from segue.services.users import Users

_HEARTBEAT_S: Final = 10.0
_TOGETHER_S: Final = 0.15  # what comes of one tap comes within it, mostly
_MANY: Final = 1_000
_STOP: Final = "sms_unsubscribe"


class StripLine(Struct, frozen=True):
    """Something that happened or was decided; `is_of_tap` if it came of what was done here."""

    at: int
    label: str
    tone: Tone
    sentence: str
    is_of_tap: bool


class TextBack(Struct, frozen=True):
    """What the user texted back."""

    at: int
    text: str


class PhoneScreen(Struct):
    """One phone as a page shows it. `done` says by send and channel what was done, oldest first."""

    user_id: str
    is_known: bool
    has_phone: bool
    messages: list[MessageShown] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    done: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    texts_back: list[TextBack] = field(default_factory=list)
    lines: list[StripLine] = field(default_factory=list)


class PhoneScreens:
    """What pages ask about phones beside what the API tells."""

    def __init__(self, runtime: Runtime, phones: VirtualPhones, users: Users) -> None:
        self._runtime = runtime
        self._phones = phones
        self._users = users

    async def screen(self, user_id: str, marks: Collection[str] = ()) -> PhoneScreen:
        """Return a phone; `marks` are those of what was done by whoever looks on.

        A mark is the id of an event, or an interaction and its send as in "email_open@01…".
        """
        is_known = self._runtime.state_of(user_id) is not None
        screen = PhoneScreen(user_id, is_known, self._phones.has_phone(user_id))
        if not screen.has_phone:
            return screen
        screen.messages = await self._phones.messages(user_id)
        runtime = self._runtime
        now = runtime.processor.fold.now
        story = await asyncio.to_thread(story_of, runtime.journal, runtime.snapshot, user_id, now)
        screen.names = self.names()
        _tell_done(screen, story)
        screen.lines = list(_lines(user_id, story, set(marks)))
        return screen

    def names(self) -> dict[str, str]:
        """Return what published campaigns are called, by slug."""
        campaigns = self._runtime.plan.campaigns
        return {slug: one.newest.document.name for slug, one in campaigns.items()}

    def events_heard(self) -> list[str]:
        """Return the events that active campaigns listen to, so that nobody need recall them."""
        heard: set[str] = set()
        for campaign in self._runtime.plan.campaigns.values():
            delivery = campaign.newest.document.delivery
            if campaign.status == "active":
                events = [one.event for one in (*delivery.triggers, *delivery.exceptions)]
                heard.update(one if isinstance(one, str) else one.name for one in events if one)
        return sorted(heard)

    async def make_test_user(self, user_id: str) -> None:
        """Give a user a phone; one whom nobody knew is known from then on."""
        change = AttributeChange(user_id, {"test_user": True})
        await self._users.change([change])

    def keep(self) -> str:
        """Keep what comes from now on for a page that is about to look on; return its `after`."""
        return self._runtime.feed.keep()

    def look_on(self, user_ids: Collection[str], after: str = "") -> Subscription:
        """Begin to look on at what happened to users behind `after`; `changes` tells and ends it.

        Raises:
            BusyError: as many as are allowed look on already.
        """
        wanted = frozenset(user_ids)
        return self._runtime.feed.subscribe(after, lambda moment: moment.user_id in wanted)

    async def changes(
        self, user_ids: Sequence[str], subscription: Subscription
    ) -> AsyncIterator[Sequence[str]]:
        """Yield to which users something happened; none where nothing happened for long.

        Where it is not known what happened meanwhile, all come first.
        """
        try:
            yield user_ids if subscription.has_gap else []
            while self._runtime.is_ready:
                first = await subscription.next(_HEARTBEAT_S)
                if first is None:
                    yield []
                    continue
                await self._runtime.clock.sleep(_TOGETHER_S)
                items = [first, *subscription.more(_MANY)]
                yield sorted({one.moment.user_id for one in items})
        finally:
            self._runtime.feed.unsubscribe(subscription)


def _tell_done(screen: PhoneScreen, story: Story) -> None:
    """Note what the user did: with messages, and what was texted back."""
    for told in story.told:
        at, what = told.moment.at, told.moment.what
        if not isinstance(what, Act) or what.derived_id is not None:
            continue
        event = what.event
        if event.name == REPLY_EVENT and event.properties:
            screen.texts_back.append(TextBack(at, str(event.properties.get("text", ""))))
        elif event.name == _STOP:
            screen.texts_back.append(TextBack(at, "STOP"))
        if event.name in ACTS and event.send_id is not None and not event.machine:
            key = (event.send_id, event.channel or "")
            screen.done.setdefault(key, []).append(event.name)


def _lines(user_id: str, story: Story, marks: set[str]) -> Sequence[StripLine]:
    """Return the newest lines of the story, the newest first."""
    of_tap: set[int] = set()
    for told in story.told:  # what led to a line comes before it
        if _has_mark(told, marks) or (told.because is not None and told.because.number in of_tap):
            of_tap.add(told.number)
    words = Words(user_id, story.plan, story.now)
    lines = []
    for told in reversed(story.told[-PHONE_LINES_MAX:]):
        label, tone = label_of(told.moment.what)
        sentence = sentence_of(told.moment.what, words, story.plan)
        is_of_tap = told.number in of_tap
        lines.append(StripLine(told.moment.at, label, tone, sentence, is_of_tap))
    return lines


def _has_mark(told: Told, marks: set[str]) -> bool:
    what = told.moment.what
    if not marks or not isinstance(what, Act) or what.derived_id is not None:
        return False
    event = what.event
    # A text's event is named by its provider, its id, and what it was taken for.
    names = {what.id, f"{event.name}@{event.send_id}", *what.id.split(":")}
    return not names.isdisjoint(marks)
