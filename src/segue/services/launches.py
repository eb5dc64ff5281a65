"""From what was written to what is published: what it would meet, with whom, and then doing it."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from segue.engine.graph import edges, followers_of
from segue.engine.publication_checks import Finding
from segue.errors import ConflictError
from segue.model.campaigns import Campaign
from segue.model.limits import CONFIRMED_USERS_MIN
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime
from segue.services.campaigns import Campaigns
from segue.services.composition_sketch import sketch_of
from segue.services.compositions import Composition, Compositions
from segue.services.counts import AudienceSize, Counts
from segue.services.publishing import Publication, Publishing, PublishSetWish, PublishWish
from segue.storage.ports import StoredCampaign


class Outlook(Struct, frozen=True):
    """What publishing what is being written would do.

    `companions` are drafts that follow it or that it follows, which could be published with it in
    one instant, in `order`; what stands in the way of that are `companion_problems`. An edit of an
    active campaign has neither: it is published alone.
    """

    document: Campaign
    is_edit: bool
    companions: list[StoredCampaign]
    companion_problems: list[Problem]
    order: list[str]
    warnings: list[Finding]
    missed_users: int
    size: AudienceSize | None  # of the audience; None where a program names the recipients

    @property
    def confirmed_count(self) -> int | None:
        """How many users have to be confirmed by their number; None if they are few."""
        count = self.size.count if self.size is not None else None
        return count if count is not None and count > CONFIRMED_USERS_MIN else None


class Launches:
    """The verbs on compositions that lead to a publication."""

    def __init__(
        self,
        runtime: Runtime,
        campaigns: Campaigns,
        publishing: Publishing,
        compositions: Compositions,
        counts: Counts,
    ) -> None:
        self._runtime = runtime
        self._campaigns = campaigns
        self._publishing = publishing
        self._compositions = compositions
        self._counts = counts

    async def foresee(self, composition: Composition) -> Outlook:
        """Return what publishing it now would do. It looks at every user, so it is asked for.

        Raises:
            InvalidError: it cannot be published yet; with every fault.
        """
        problems = self._compositions.problems(composition)
        if problems.must_mend or problems.document is None:
            raise InvalidError(problems.must_mend, "The campaign")
        document = problems.document
        base = self._compositions.base_of(composition)
        size = await self._size_of(composition, document)
        if base is not None and base.status == "active":
            warnings = [Finding(document.slug, one) for one in problems.warnings]
            return Outlook(document, True, [], [], [document.slug], warnings, 0, size)
        draft = as_draft(document, base)
        companions = self.companions_of(draft)
        alone = await self._publishing.foresee([draft])
        together, faults = await self._together(draft, companions)
        missed = [one.user_count for one in alone.missed.campaigns if one.slug == document.slug]
        return Outlook(
            document,
            False,
            companions,
            faults,
            together.published if together is not None else [document.slug],
            alone.warnings,
            sum(missed),
            size,
        )

    async def publish(
        self, composition: Composition, companions: Sequence[str], *, has_backfill: bool
    ) -> StoredCampaign:
        """Make a campaign of it and publish it, with its companions at one instant.

        If the publication is refused it stays a draft, and goes on being written as an edit of it.

        Raises:
            InvalidError: with every fault.
            ConflictError: somebody changed the campaign meanwhile, or it cannot be published.
        """
        base = self._compositions.base_of(composition)
        if base is not None and base.status == "active":
            return await self._compositions.finish(composition, may_publish=True)
        known = {one.slug for one in self.companions_of(_as_draft_of(composition, base))}
        if unknown := [one for one in companions if one not in known]:
            message = f"{', '.join(unknown)} is no draft that goes with this campaign any more"
            raise ConflictError(message)
        campaign = await self._compositions.finish(composition, may_publish=True, is_kept=True)
        if companions:
            wish = PublishSetWish(ids=[campaign.id, *companions], backfill=has_backfill)
            await self._publishing.publish_set(wish)
        else:
            await self._publishing.publish(campaign.id, PublishWish(backfill=has_backfill))
        self._compositions.discard(composition.id)
        return self._campaigns.find(campaign.id)

    async def _size_of(self, composition: Composition, document: Campaign) -> AudienceSize | None:
        if document.delivery.type == "api":
            return None
        audience = composition.tree.get("audience")
        return await self._counts.begin({"filter": audience} if audience is not None else {})

    def companions_of(self, draft: StoredCampaign) -> list[StoredCampaign]:
        """Return the drafts that follow it, through others too, and those that it follows."""
        drafts = {one.slug: one for one in self._campaigns.all() if one.status == "draft"}
        drafts[draft.slug] = draft
        ids = {one.id: slug for slug, one in drafts.items()}
        found = edges({slug: one.document for slug, one in drafts.items()}, ids)
        targets = {edge.target for edge in found if edge.follower == draft.slug}
        near = {*followers_of([draft.slug], found), *targets} - {draft.slug}
        return [drafts[slug] for slug in sorted(near)]

    async def _together(
        self, draft: StoredCampaign, companions: Collection[StoredCampaign]
    ) -> tuple[Publication | None, list[Problem]]:
        if not companions:
            return None, []
        try:
            return await self._publishing.foresee([draft, *companions]), []
        except InvalidError as error:
            return None, error.problems


def as_draft(document: Campaign, base: StoredCampaign | None) -> StoredCampaign:
    """Return the campaign as it would be, before it is kept."""
    if base is not None:
        return StoredCampaign(
            base.id,
            document,
            base.status,
            base.version,
            base.created_at,
            base.updated_at,
            base.published_at,
        )
    return StoredCampaign("", document, "draft", 0, 0, 0)


def _as_draft_of(composition: Composition, base: StoredCampaign | None) -> StoredCampaign:
    return as_draft(sketch_of(composition.tree), base)
