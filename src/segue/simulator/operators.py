"""Who looks after a simulated server: publishes, edits, stops, archives, holds, erases, retries.

An operator looks at what is so before each change, so one that failed is simply not repeated.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from msgspec.structs import replace

from segue.engine.plan import audiences_in
from segue.errors import SegueError
from segue.model.instants import HOUR, SECOND
from segue.model.log_records import (
    CampaignPublished,
    CampaignStopped,
    Recipient,
    Record,
    SendsRequested,
    SendsRetried,
    UserErased,
    WorkspaceSet,
)
from segue.runtime.dead_letters import send_again
from segue.runtime.runtime import Runtime
from segue.simulator.documents import Author
from segue.simulator.producers import USERS
from segue.simulator.world import World
from segue.storage.ports import CampaignStatus, StoredCampaign

CAMPAIGNS: Final = 4
_HELD_FOR_MAX: Final = 2 * HOUR
_FULL_FOR_MAX: Final = 120 * SECOND
_Work = Coroutine[Any, Any, Any]


class Operators:
    """All of them, who change one thing at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._dice = world.dice
        self._author = Author(world.dice, CAMPAIGNS)
        self._is_busy = False
        self._requests = 0

    def begin(self) -> None:
        """Write the drafts."""
        now = self.world.clock.now()
        for number in range(CAMPAIGNS):
            document = self._author.campaign(number)
            self.world.disk.journal.save_campaign(
                StoredCampaign(f"id-{number}", document, "draft", 0, now, now)
            )

    def after_death(self) -> None:
        """Begin anew: whatever was under way is not."""
        self._is_busy = False

    def publish_all(self) -> None:
        """Publish every draft at one instant, as a connected set."""
        drafts = [one for one in self._campaigns() if one.status == "draft"]
        self._ask("publish all", lambda runtime: self._publish(runtime, drafts[::-1]))

    def change_campaign(self) -> None:
        """Publish, edit, stop or archive a campaign, as its status allows."""
        dice = self._dice
        campaign = dice.choice(self._campaigns())
        number = int(campaign.slug.removeprefix("c"))
        if campaign.status in ("draft", "stopped"):
            self._ask(f"publish {campaign.slug}", lambda it: self._publish(it, [campaign]))
        elif campaign.status == "active" and dice.happens(0.6):
            edited = replace(
                campaign, document=self._author.campaign(number), version=campaign.version + 1
            )
            self._ask(f"edit {campaign.slug}", lambda it: self._edit(it, edited))
        elif campaign.status == "active":
            status: CampaignStatus = "archived" if dice.happens(0.15) and number else "stopped"
            self._ask(f"{status} {campaign.slug}", lambda it: self._end(it, campaign, status))

    def change_workspace(self) -> None:
        """Set what holds for all campaigns."""
        workspace = self._author.workspace()
        self._log("workspace", lambda at: WorkspaceSet(at, workspace))

    def request_send(self) -> None:
        """Have an API-triggered campaign sent, if one is active."""
        slugs = [
            one.slug
            for one in self._campaigns()
            if one.status == "active" and one.document.delivery.type == "api"
        ]
        if slugs:
            self._requests += 1
            recipient = Recipient(self._user(), id=f"r{self._requests}")
            slug = self._dice.choice(slugs)
            self._log(f"send {slug}", lambda at: SendsRequested(at, slug, [recipient]))

    def erase_user(self) -> None:
        """Forget a user; they may come back."""
        user = self._user()
        self._log(f"erase {user}", lambda at: UserErased(at, user))

    def hold_or_release(self) -> None:
        """Hold all sending, or let it go on."""
        server = self.world.server
        if server is None or server.runtime.resume_sending():
            return
        server.runtime.hold.begin("an operator")
        self.world.faults.count("holds of all sending")
        pause = int(self._dice.fraction() * _HELD_FOR_MAX)
        self.world.plan(pause, "release", self._release)

    def retry_letters(self) -> None:
        """Have messages that failed tried again, as far as nothing may arrive twice by it."""
        may_double = self._dice.happens(0.3)
        self._ask("retry letters", lambda runtime: self._retry(runtime, may_double))

    def write_checkpoint(self) -> None:
        """Have a checkpoint written now."""
        self._ask("checkpoint", _write_checkpoint)

    def fill_disk(self) -> None:
        """Let something else fill the disk, and somebody clear it up."""
        if self.world.faults.throw("refuse", 1):
            self.world.disk.trouble.is_full = True
            self.world.faults.count("times the disk was full")
            pause = int(self._dice.fraction() * _FULL_FOR_MAX)
            self.world.plan(pause, "clear the disk", self._clear_disk)

    def put_clock_wrong(self) -> None:
        """Let the clock jump: back, ahead, or right again."""
        if self.world.faults.throw("clock", 1):
            seconds = self._dice.choice((0, -2, -3_600, -90_000, 5, 1_800))
            self.world.clock.wrong_by = seconds * SECOND
            self.world.faults.count("jumps of the clock")

    def _clear_disk(self) -> None:
        self.world.disk.trouble.is_full = False

    def _release(self) -> None:
        if self.world.server is not None:
            self.world.server.runtime.resume_sending()

    def _user(self) -> str:
        return f"u{int(self._dice.fraction() * USERS)}"

    def _campaigns(self) -> Sequence[StoredCampaign]:
        return self.world.disk.journal.list_campaigns()

    def _log(self, what: str, make: Any) -> None:
        async def work(runtime: Runtime) -> None:
            async with runtime.changing():
                await runtime.decided(runtime.commits.hand_in(make))

        self._ask(what, work)

    def _ask(self, what: str, work: Any) -> None:
        """Have something done, unless a change is under way."""
        server = self.world.server
        if server is None or self._is_busy:
            return
        self._is_busy = True
        self.world.tell(f"operator: {what}")
        server.call(work(server.runtime), self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._is_busy = False
        error = task.exception()
        if error is not None:
            self.world.faults.count("changes that failed")
            if not isinstance(error, SegueError):
                raise error

    async def _publish(self, runtime: Runtime, campaigns: Sequence[StoredCampaign]) -> None:
        new = [replace(one, status="active", version=one.version + 1) for one in campaigns]

        def published(at: int) -> list[Record]:
            return [CampaignPublished(at, one.id, one.version, one.document) for one in new]

        async with runtime.changing(audiences_in(one.document for one in new)):
            seq = await runtime.commits.alone(
                lambda: [published],
                lambda at: [replace(one, published_at=at, updated_at=at) for one in new],
            )
            await runtime.processor.wait_for(seq)

    async def _edit(self, runtime: Runtime, edited: StoredCampaign) -> None:
        document = edited.document
        async with runtime.changing(audiences_in([document])):
            await runtime.decided(
                runtime.commits.hand_in(
                    lambda at: CampaignPublished(
                        at, edited.id, edited.version, document, is_edit=True
                    ),
                    lambda at: [replace(edited, updated_at=at)],
                )
            )

    async def _end(
        self, runtime: Runtime, campaign: StoredCampaign, status: CampaignStatus
    ) -> None:
        async with runtime.changing():
            await runtime.decided(
                runtime.commits.hand_in(
                    lambda at: CampaignStopped(at, campaign.slug, status == "archived"),
                    lambda at: [replace(campaign, status=status, updated_at=at)],
                )
            )

    async def _retry(self, runtime: Runtime, may_double: bool) -> None:
        box = runtime.outcomes.outbox.letters
        found = [
            one
            for one in box.newest(runtime.clock.now())
            if may_double or one.reason != "unknown_outcome"
        ]
        letters = box.claim(found[:5])
        try:
            if letters:
                sends = [send_again(one, may_double) for one in letters]
                await runtime.decided(runtime.commits.hand_in(lambda at: SendsRetried(at, sends)))
        finally:
            box.release(letters)


async def _write_checkpoint(runtime: Runtime) -> None:
    await runtime.checkpoints.write(lambda: runtime.processor.position)
