"""Campaigns as people handle them: draft, edit, stop, archive, duplicate; see also `publishing`."""

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from segue.content.lint import errors_in
from segue.engine.checks import decode_campaign
from segue.engine.plan import audiences_in
from segue.engine.publication_checks import Surroundings, check_edit
from segue.engine.references import references_in
from segue.engine.target_checks import KnownCampaign
from segue.errors import ConflictError, NotAllowedError, NotFoundError
from segue.model.campaigns import Campaign
from segue.model.ids import random_id
from segue.model.log_records import CampaignPublished, CampaignStopped, Record
from segue.model.problems import InvalidError
from segue.runtime.runtime import Runtime
from segue.services.campaign_sentences import Part, campaign_sentence
from segue.services.explanations.words import Words
from segue.storage.ports import CampaignStatus, StoredCampaign


class Campaigns:
    """The verbs on campaigns. Every change of what is published goes through the log."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._journal = runtime.journal

    def all(self) -> list[StoredCampaign]:
        """Return all campaigns, by slug."""
        return self._journal.list_campaigns()

    def find(self, reference: str) -> StoredCampaign:
        """Return a campaign by slug or id.

        Raises:
            NotFoundError: there is none.
        """
        found = self._journal.find_campaign(reference)
        if found is None:
            message = f"there is no campaign {reference!r}"
            raise NotFoundError(message)
        return found

    def sentence(self, document: Campaign) -> list[Part]:
        """Return what a campaign does in one sentence, with the names of those it refers to."""
        return campaign_sentence(document, self.words(document))

    def words(self, document: Campaign) -> Words:
        """Return what says things about a campaign, and names those it refers to."""
        slugs = {one.spec.campaign for one in references_in(document)}
        found = [self._journal.find_campaign(slug) for slug in slugs if isinstance(slug, str)]
        names = {one.slug: one.document.name for one in found if one is not None}
        runtime = self._runtime
        return Words("a user", runtime.plan, runtime.clock.now(), names)

    def create(self, raw: object) -> StoredCampaign:
        """Keep a document as a draft.

        Raises:
            InvalidError: with every fault of the document.
            ConflictError: its slug is taken.
        """
        document = self._decode(raw)
        self._refuse_taken_slug(document.slug)
        now = self._runtime.clock.now()
        campaign = StoredCampaign(
            id=random_id(now, self._runtime.clock.token(10)),
            document=document,
            status="draft",
            version=0,
            created_at=now,
            updated_at=now,
        )
        self._journal.save_campaign(campaign)
        return campaign

    async def update(
        self,
        reference: str,
        raw: object,
        *,
        may_publish: bool = True,
        unchanged_since: int | None = None,
    ) -> StoredCampaign:
        """Replace a campaign's document; an active one gets a new version at once.

        With `unchanged_since`, only if nobody has changed it after that instant.

        Raises:
            NotAllowedError: it is active, and whoever edits it may not publish.
            InvalidError: with every fault of the document, its references included if active.
            ConflictError: the slug of a published campaign would change, it is archived, or it was
                changed meanwhile.
        """
        document = self._decode(raw)
        is_live = self.find(reference).status == "active"
        async with self._runtime.changing(audiences_in([document]) if is_live else ()):
            campaign = self.find(reference)
            if unchanged_since not in (None, campaign.updated_at):
                raise ConflictError(f"{campaign.slug} was changed by somebody else meanwhile")
            if campaign.status == "active" and not may_publish:
                raise NotAllowedError(
                    f"{campaign.slug} is active, so a change of it is published at once, which "
                    "you may not do; duplicate it, and let a publisher publish the copy"
                )
            return await self._update(campaign, document)

    async def _update(self, campaign: StoredCampaign, document: Campaign) -> StoredCampaign:
        if campaign.status == "archived":
            message = f"{campaign.slug} is archived; duplicate it to go on with a copy"
            raise ConflictError(message)
        if document.slug != campaign.slug:
            if campaign.version:
                message = (
                    f"the slug of a published campaign stays: {campaign.slug}, "
                    f"not {document.slug}; other campaigns and the log refer to it"
                )
                raise ConflictError(message)
            self._refuse_taken_slug(document.slug)
        changed = replace(campaign, document=document, updated_at=self._runtime.clock.now())
        if campaign.status != "active":
            self._journal.save_campaign(changed)
            return changed
        edited = known_campaign(changed)
        if problems := check_edit(edited, self.surroundings((campaign.slug,))):
            raise InvalidError(problems, "The campaign")
        changed = replace(changed, version=campaign.version + 1)
        await self._log(
            lambda at: CampaignPublished(at, changed.id, changed.version, document, is_edit=True),
            lambda _at: [changed],
        )
        return self.find(changed.id)

    async def stop(self, reference: str) -> StoredCampaign:
        """Stop an active campaign; users who wait for it are cancelled.

        Raises:
            ConflictError: it is not active.
        """
        async with self._runtime.changing():
            campaign = self.find(reference)
            if campaign.status != "active":
                message = (
                    f"{campaign.slug} is {campaign.status}; only active campaigns can be stopped"
                )
                raise ConflictError(message)
            return await self._end(campaign, "stopped")

    async def archive(self, reference: str) -> StoredCampaign:
        """Archive a campaign for good; users who wait for it are cancelled.

        Raises:
            ConflictError: it is archived already.
        """
        async with self._runtime.changing():
            campaign = self.find(reference)
            if campaign.status == "archived":
                message = f"{campaign.slug} is archived already"
                raise ConflictError(message)
            if campaign.status == "draft":
                archived = replace(campaign, status="archived")
                self._journal.save_campaign(archived)
                return archived
            return await self._end(campaign, "archived")

    def duplicate(self, reference: str) -> StoredCampaign:
        """Return a new draft with the same document under a free slug."""
        campaign = self.find(reference)
        taken = {other.slug for other in self.all()}
        number = 1
        while (slug := f"{campaign.slug[:90]}-copy{number if number > 1 else ''}") in taken:
            number += 1
        document = replace(campaign.document, slug=slug, name=f"Copy of {campaign.document.name}")
        now = self._runtime.clock.now()
        copy = StoredCampaign(
            random_id(now, self._runtime.clock.token(10)), document, "draft", 0, now, now
        )
        self._journal.save_campaign(copy)
        return copy

    async def delete(self, reference: str) -> None:
        """Delete a draft.

        Raises:
            ConflictError: it was published once.
        """
        async with self._runtime.changing():
            campaign = self.find(reference)
            if campaign.version:
                message = f"{campaign.slug} was published; archive it instead"
                raise ConflictError(message)
            self._journal.delete_campaign(campaign.id)

    def surroundings(self, without: Collection[str]) -> Surroundings:
        """Return what a publication or an edit is checked against: all but those it is of."""
        plan = self._runtime.plan
        others = {one.slug: known_campaign(one) for one in self.all() if one.slug not in without}
        return Surroundings(others, plan.segments, plan.workspace, self._runtime.clock.now())

    async def _end(self, campaign: StoredCampaign, status: CampaignStatus) -> StoredCampaign:
        ended = replace(campaign, status=status)
        await self._log(
            lambda at: CampaignStopped(at, campaign.slug, status == "archived"),
            lambda at: [replace(ended, updated_at=at)],
        )
        return self.find(campaign.id)

    async def _log(
        self,
        record: Callable[[int], Record],
        campaigns: Callable[[int], Sequence[StoredCampaign]],
    ) -> None:
        await self._runtime.decided(self._runtime.commits.hand_in(record, campaigns))

    def _decode(self, raw: object) -> Campaign:
        document = decode_campaign(raw)
        problems = errors_in(document)
        if problems:
            raise InvalidError(problems, "The campaign")
        return document

    def _refuse_taken_slug(self, slug: str) -> None:
        if self._journal.find_campaign(slug) is not None:
            message = f'the slug "{slug}" is taken by another campaign'
            raise ConflictError(message)


def known_campaign(campaign: StoredCampaign) -> KnownCampaign:
    """Return what references to a campaign are checked against."""
    return KnownCampaign(campaign.slug, campaign.id, campaign.status, campaign.document)
