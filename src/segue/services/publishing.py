"""Publishing: one campaign, or a connected set of them at one instant (semantics.md 1, 2)."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from segue.content.lint import warnings_in
from segue.engine.graph import edges, followers_of, publish_order
from segue.engine.missed import MissedUsers, missed_users
from segue.engine.plan import audiences_in, targets_of
from segue.engine.publication_checks import Finding, Findings, check_publication
from segue.errors import ConflictError
from segue.model.campaigns import Campaign
from segue.model.instants import FOREVER
from segue.model.limits import PUBLISHED_AT_ONCE_MAX
from segue.model.log_records import CampaignPublished, Record
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime
from segue.runtime.state_scan import scan
from segue.services.backfilling import Backfilling
from segue.services.campaigns import Campaigns, known_campaign
from segue.storage.ports import StoredCampaign

_PUBLISHABLE: Final = ("draft", "stopped")


class PublishWish(Struct, forbid_unknown_fields=True):
    """How to publish: whether to do it, and whether to let those enter who were too early.

    `backfill` is for all that are published, or names some of them.
    """

    dry_run: bool = False
    backfill: bool | list[str] = False


class PublishSetWish(PublishWish, forbid_unknown_fields=True, kw_only=True):
    """Which campaigns to publish together: those named, and, if wanted, all that follow them."""

    ids: list[str]
    with_followers: bool = False


class Publication(Struct, frozen=True):
    """What a publication did, or would do, and what its author should know."""

    published: list[str]  # slugs, followers before targets
    published_at: int
    warnings: list[Finding]
    missed: MissedUsers
    backfilled: dict[str, int] = field(default_factory=dict)  # interactions by follower


class Publishing:
    """The verbs that make campaigns active, all or none of those they are about."""

    def __init__(self, runtime: Runtime, campaigns: Campaigns) -> None:
        self._runtime = runtime
        self._campaigns = campaigns
        self._scanning = asyncio.Lock()  # one scan of all users at a time

    async def publish(self, reference: str, wish: PublishWish | None = None) -> Publication:
        """Publish a draft or a stopped campaign, from now on.

        Raises:
            NotFoundError: there is no such campaign.
            InvalidError: with every fault, those of its references included.
            ConflictError: it is active or archived.
        """

        def choose() -> list[StoredCampaign]:
            campaign = self._campaigns.find(reference)
            if (fault := _fault_of_status(campaign)) is not None:
                raise ConflictError(f"{campaign.slug} {fault}")
            return [campaign]

        return await self._publish(choose, wish or PublishWish(), lambda found: found.problem)

    async def foresee(self, campaigns: Sequence[StoredCampaign]) -> Publication:
        """Return what publishing campaigns as they are given would do, whether or not kept so.

        Raises:
            InvalidError: with every fault of all of them, each path led by the campaign's slug.
        """
        return await self._publish(lambda: list(campaigns), PublishWish(dry_run=True), _led_by_slug)

    async def publish_set(self, wish: PublishSetWish) -> Publication:
        """Publish campaigns in one transaction, followers before targets, at one instant.

        Raises:
            InvalidError: with every fault of all of them, each path led by the campaign's slug.
        """
        return await self._publish(lambda: self._chosen(wish), wish, _led_by_slug)

    async def _publish(
        self,
        choose: Callable[[], list[StoredCampaign]],
        wish: PublishWish,
        told: Callable[[Finding], Problem],
    ) -> Publication:
        def checked() -> tuple[list[StoredCampaign], Findings]:
            campaigns = _in_order(choose())
            around = self._campaigns.surroundings([one.slug for one in campaigns])
            found = check_publication([known_campaign(one) for one in campaigns], around)
            problems = [told(one) for one in found.errors]
            if problems := [*problems, *_faults_of_backfill(wish, campaigns)]:
                raise InvalidError(problems, "The publication")
            return campaigns, found

        documents = [one.document for one in checked()[0]]
        async with self._runtime.changing(() if wish.dry_run else audiences_in(documents)):
            campaigns, found = checked()  # the log may have been read back meanwhile
            backfilling = Backfilling(self._runtime, _to_backfill(wish, campaigns))
            backfilled = await backfilling.read()
            published_at = self._runtime.clock.now()
            if not wish.dry_run:
                published_at = await self._commit(campaigns, backfilling)
        missed = await self._count_missed(campaigns, published_at)
        warnings = [*found.warnings, *_lint(campaigns), *_doubts_of_time(missed, backfilled)]
        slugs = [one.slug for one in campaigns]
        return Publication(slugs, published_at, warnings, missed, backfilled)

    def _chosen(self, wish: PublishSetWish) -> list[StoredCampaign]:
        """Return the campaigns of a set.

        Raises:
            InvalidError: some are not there, or cannot be published, or they are too many.
        """
        if not 1 <= len(wish.ids) <= PUBLISHED_AT_ONCE_MAX:
            message = f"has {len(wish.ids)} entries; 1 to {PUBLISHED_AT_ONCE_MAX} at once"
            raise InvalidError([Problem("ids", message)], "The publication")
        known = {one.slug: one for one in self._campaigns.all()}
        slug_by_id = {one.id: slug for slug, one in known.items()}
        chosen: dict[str, StoredCampaign] = {}
        problems: list[Problem] = []
        for index, reference in enumerate(wish.ids):
            campaign = known.get(slug_by_id.get(reference, reference))
            if campaign is None:
                problems.append(Problem(f"ids[{index}]", f"there is no campaign {reference!r}"))
            elif (fault := _fault_of_status(campaign)) is not None:
                problems.append(Problem(f"ids[{index}]", f"{campaign.slug} {fault}"))
            else:
                chosen[campaign.slug] = campaign
        if wish.with_followers:
            drafts = {slug: one for slug, one in known.items() if one.status == "draft"} | chosen
            found = edges({slug: one.document for slug, one in drafts.items()}, slug_by_id)
            chosen |= {slug: known[slug] for slug in followers_of(chosen, found)}
        if len(chosen) > PUBLISHED_AT_ONCE_MAX:
            message = f"means {len(chosen)} campaigns; at most {PUBLISHED_AT_ONCE_MAX} at once"
            problems.append(Problem("ids", message))
        if problems:
            raise InvalidError(problems, "The publication")
        return list(chosen.values())

    async def _commit(self, campaigns: Sequence[StoredCampaign], backfilling: Backfilling) -> int:
        """Publish campaigns in their order, let in whom they missed, and return the instant.

        Nothing comes between the two: it could be missed by both.
        """
        new = [replace(one, status="active", version=one.version + 1) for one in campaigns]

        def published(at: int) -> list[Record]:
            return [CampaignPublished(at, one.id, one.version, one.document) for one in new]

        seq = await self._runtime.commits.alone(
            lambda: [published, *backfilling.parts()],
            lambda at: [replace(one, published_at=at, updated_at=at) for one in new],
        )
        await self._runtime.processor.wait_for(seq)
        return self._campaigns.find(new[0].id).published_at or 0

    async def _count_missed(
        self, campaigns: Sequence[StoredCampaign], published_at: int
    ) -> MissedUsers:
        """Count exactly who was too early, by the states of all users, where any may have been."""
        missed = self._missed_by(campaigns, published_at)
        if missed.campaigns:
            async with self._scanning:
                await scan(self._runtime, missed.visit, parts={"memberships"})
        return missed

    def _missed_by(self, campaigns: Sequence[StoredCampaign], published_at: int) -> MissedUsers:
        """Return the count to make: of those that follow what was published before."""
        plan = self._runtime.plan
        new = {one.slug for one in campaigns if not one.version}
        sent = {slug: one for slug, one in targets_of(plan).items() if slug not in new}
        counted = []
        for one in campaigns:
            known = plan.campaigns.get(one.slug)
            past = known.past_lives if known is not None else ()
            counted.append((one.document, (*past, (published_at, FOREVER))))
        return missed_users(counted, sent)


def _in_order(campaigns: Sequence[StoredCampaign]) -> list[StoredCampaign]:
    """Return campaigns, followers before targets."""
    by_slug = {one.slug: one for one in campaigns}
    documents = {slug: one.document for slug, one in by_slug.items()}
    order = publish_order(documents, {one.id: slug for slug, one in by_slug.items()})
    return [by_slug[slug] for slug in order]


def _fault_of_status(campaign: StoredCampaign) -> str | None:
    if campaign.status in _PUBLISHABLE:
        return None
    return f"is {campaign.status}; only drafts and stopped can be published"


def _faults_of_backfill(wish: PublishWish, campaigns: Sequence[StoredCampaign]) -> list[Problem]:
    names = {name for one in campaigns for name in (one.slug, one.id)}
    named = wish.backfill if isinstance(wish.backfill, list) else []
    return [
        Problem(f"backfill[{index}]", f"{name!r} is not among those that are published")
        for index, name in enumerate(named)
        if name not in names
    ]


def _to_backfill(wish: PublishWish, campaigns: Sequence[StoredCampaign]) -> list[Campaign]:
    if isinstance(wish.backfill, bool):
        return [one.document for one in campaigns if wish.backfill]
    return [one.document for one in campaigns if {one.slug, one.id} & set(wish.backfill)]


def _led_by_slug(found: Finding) -> Problem:
    return Problem(f"{found.slug}: {found.problem.path}", found.problem.message)


def _lint(campaigns: Sequence[StoredCampaign]) -> list[Finding]:
    return [
        Finding(one.slug, problem) for one in campaigns for problem in warnings_in(one.document)
    ]


def _doubts_of_time(missed: MissedUsers, backfilled: Collection[str]) -> list[Finding]:
    """Warn of each trigger that comes too late for some users, unless they are let in."""
    return [
        Finding(campaign.slug, Problem(trigger.path, _too_late(trigger.user_count)))
        for campaign in missed.campaigns
        for trigger in campaign.triggers
        if trigger.user_count and campaign.slug not in backfilled
    ]


def _too_late(count: int) -> str:
    users = "1 user" if count == 1 else f"{count} users"
    return f"{users} did this before the publication, and so will not enter; backfill lets them"
