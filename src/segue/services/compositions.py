"""Campaigns that are being written: kept at every step, whether or not they are whole yet."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from segue.errors import ConflictError, NotFoundError
from segue.model.campaigns import Campaign
from segue.model.ids import random_id
from segue.model.instants import format_instant
from segue.model.limits import COMPOSITION_BYTES_MAX, COMPOSITIONS_MAX
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime
from segue.services.campaign_sentences import EVERYONE, Part, Stages, campaign_stages
from segue.services.campaign_summary import Choice, choices_in
from segue.services.campaigns import Campaigns
from segue.services.composition_findings import CompositionProblems, problems_of
from segue.services.composition_sketch import sketch_of
from segue.services.composition_trees import (
    Recipe,
    Tree,
    blank_tree,
    first_tree,
    follower_tree,
    free_slug,
    recipe_tree,
    tree_of,
)
from segue.services.interaction_choices import InteractionChoices
from segue.storage.composition_ports import CompositionHead, StoredComposition
from segue.storage.encoding import encode
from segue.storage.ports import StoredCampaign

Composition = StoredComposition

_CHANGES_SEARCHED: Final = 500  # of the audit trail, for who was faster
_TO_BE_CHOSEN: Final = "users yet to be chosen"  # never "everyone" where filters are begun
_LEAST_NAME: Final = "Untitled"


class Overtaken(Struct, frozen=True):
    """Somebody changed the campaign while another version of it was being written."""

    campaign: StoredCampaign | None  # None: it was deleted
    base_version: int
    by: str

    @property
    def words(self) -> str:
        """What happened, as a sentence."""
        if self.campaign is None:
            return f"{self.by} deleted the campaign while you were editing it."
        if self.campaign.version > self.base_version:
            return (
                f"{self.by} published version {self.campaign.version} "
                f"while you were editing version {self.base_version}."
            )
        return f"{self.by} changed the campaign while you were editing it."


class OvertakenError(ConflictError):
    """A composition may not replace what somebody else has made of its campaign meanwhile."""

    def __init__(self, overtaken: Overtaken) -> None:
        super().__init__(f"{overtaken.words} Compare the two, or keep yours as a draft.")
        self.overtaken = overtaken


class Compositions:
    """The verbs on what is being written. Nothing of it is sent before `finish` and a publication.

    `by` is what the person is called who does it.
    """

    def __init__(self, runtime: Runtime, campaigns: Campaigns) -> None:
        self._runtime = runtime
        self._campaigns = campaigns
        self._kept = runtime.journal.compositions

    def all(self) -> list[CompositionHead]:
        """Return everything that is being written, what was changed last first."""
        return self._kept.all()

    def find(self, composition_id: str) -> Composition:
        """Return what is being written.

        Raises:
            NotFoundError: there is nothing of this id.
        """
        found = self._kept.find(composition_id)
        if found is None:
            message = (
                f"there is nothing being written under {composition_id!r}: it was finished or "
                f"discarded, or went for newer ones (the newest {COMPOSITIONS_MAX} are kept)"
            )
            raise NotFoundError(message)
        return found

    def begin(self, by: str) -> Composition:
        """Begin a campaign of which nothing is said yet."""
        return self._begin(blank_tree(), by)

    def begin_edit(self, reference: str, by: str) -> Composition:
        """Begin to edit a campaign; nothing of it changes until it is finished.

        Raises:
            NotFoundError: there is no such campaign.
            ConflictError: it is archived.
        """
        campaign = self._campaigns.find(reference)
        if campaign.status == "archived":
            message = f"{campaign.slug} is archived; duplicate it to go on with a copy"
            raise ConflictError(message)
        return self._begin(tree_of(campaign.document), by, campaign)

    def begin_follower(self, reference: str, interaction: str, by: str) -> Composition:
        """Begin a campaign that follows another one by an interaction with it.

        Raises:
            NotFoundError: there is no such campaign.
        """
        target = self._campaigns.find(reference)
        return self._begin(follower_tree(target.document, interaction), by)

    def begin_recipe(self, recipe: Recipe, by: str, reference: str = "") -> Composition:
        """Begin with a recipe; one that follows a campaign makes a draft of it if none is named.

        Raises:
            NotFoundError: there is no campaign of that name.
        """
        target: Campaign | None = None
        if recipe.follows and reference:
            target = self._campaigns.find(reference).document
        elif recipe.follows:
            first = first_tree(recipe)
            first["slug"] = free_slug(first["name"], self._taken())
            target = self._campaigns.create(first).document
        return self._begin(recipe_tree(recipe, target), by)

    def save(
        self, composition: Composition, tree: Mapping[str, Any], by: str, visited: str = ""
    ) -> Composition:
        """Keep a tree as it has become. A slug that is not what it was is its author's own.

        `visited` is a step that its author has gone on from.

        Raises:
            InvalidError: it takes too many bytes.
        """
        kept = dict(tree)
        written = kept.get("slug", "")
        is_own = bool(written) and (
            composition.is_slug_own or written != composition.tree.get("slug", "")
        )
        if not is_own:
            kept["slug"] = free_slug(_text(kept.get("name")), self._taken(composition))
        changed = replace(
            composition,
            tree=kept,
            name=_name_of(kept),
            is_slug_own=is_own,
            visited=tuple(dict.fromkeys((*composition.visited, visited)))
            if visited
            else (composition.visited),
            changed_at=self._runtime.clock.now(),
            changed_by=by,
        )
        self._keep(changed)
        return changed

    def discard(self, composition_id: str) -> None:
        """Forget what was being written; harmless when repeated."""
        self._kept.delete(composition_id)

    def problems(self, composition: Composition) -> CompositionProblems:
        """Return everything that is wrong or doubtful, with the places."""
        base = self.base_of(composition)
        without = (base.slug,) if base is not None else ()
        return problems_of(composition.tree, base, self._campaigns.surroundings(without))

    def sketch(self, composition: Composition) -> Campaign:
        """Return the nearest document that is whole; see `composition_sketch`."""
        return sketch_of(composition.tree)

    def sentence(self, composition: Composition) -> list[Part]:
        """Return what it does, as far as it is said, in one sentence."""
        document = self.sketch(composition)
        parts = self._campaigns.sentence(document)
        if not _has_unfinished_audience(composition, document):
            return parts
        return [
            replace(one, text=_TO_BE_CHOSEN)
            if (one.step, one.text) == ("audience", EVERYONE)
            else one
            for one in parts
        ]

    def summary(self, composition: Composition) -> list[Choice]:
        """Return every choice, as far as it is made, with the place where it is."""
        document = self.sketch(composition)
        choices = choices_in(document, self._campaigns.words(document))
        if not _has_unfinished_audience(composition, document):
            return choices
        return [
            replace(one, words=_TO_BE_CHOSEN) if one.place == "audience" else one for one in choices
        ]

    def stages(self, composition: Composition) -> Stages:
        """Return what happens to one user, as far as it is said, one thing after the other."""
        document = self.sketch(composition)
        return campaign_stages(document, self._campaigns.words(document))

    def choices(self, composition: Composition) -> InteractionChoices:
        """Return what it could follow: what can happen with the other campaigns."""
        base = self.base_of(composition)
        without = (base.slug,) if base is not None else ()
        return InteractionChoices([*self._campaigns.surroundings(without).others.values()])

    def base_of(self, composition: Composition) -> StoredCampaign | None:
        """Return the campaign that it edits, as it is now; None for a new or a deleted one."""
        if composition.campaign is None:
            return None
        return self._runtime.journal.find_campaign(composition.campaign)

    def overtaken(self, composition: Composition) -> Overtaken | None:
        """Return who was faster with another version, if somebody was."""
        if composition.campaign is None:
            return None
        base = self.base_of(composition)
        if base is None:
            return Overtaken(None, composition.base_version, self._who_changed(composition))
        if (base.version, base.updated_at) == (
            composition.base_version,
            composition.base_updated_at,
        ):
            return None
        return Overtaken(base, composition.base_version, self._who_changed(composition))

    async def finish(
        self, composition: Composition, *, may_publish: bool, is_kept: bool = False
    ) -> StoredCampaign:
        """Make a draft of it, or the next version of the campaign that it edits.

        It is done with then, unless it `is_kept`, to be gone on with as an edit of the campaign.

        Raises:
            InvalidError: with every fault.
            OvertakenError: somebody else changed the campaign meanwhile.
            NotAllowedError: it edits an active campaign, and whoever does it may not publish.
        """
        if (overtaken := self.overtaken(composition)) is not None:
            raise OvertakenError(overtaken)
        if composition.campaign is None:
            campaign = self._campaigns.create(composition.tree)
        else:
            campaign = await self._campaigns.update(
                composition.campaign,
                composition.tree,
                may_publish=may_publish,
                unchanged_since=composition.base_updated_at,
            )
        if is_kept:
            self._keep(_based_on(composition, campaign))
        else:
            self.discard(composition.id)
        return campaign

    def part(self, composition: Composition, by: str) -> Composition:
        """Make a campaign of its own of it, which edits none: what to do if one was overtaken."""
        taken = self._taken()
        slug = free_slug(_text(composition.tree.get("slug")) or _name_of(composition.tree), taken)
        tree = {**composition.tree, "slug": slug}
        parted = replace(
            composition,
            tree=tree,
            campaign=None,
            base_version=0,
            base_updated_at=0,
            is_slug_own=True,
            changed_at=self._runtime.clock.now(),
            changed_by=by,
        )
        self._keep(parted)
        return parted

    def _begin(self, tree: Tree, by: str, base: StoredCampaign | None = None) -> Composition:
        now = self._runtime.clock.now()
        if base is None:
            tree["slug"] = free_slug(tree["name"], self._taken())
        begun = Composition(
            id=random_id(now, self._runtime.clock.token(10)),
            name=_name_of(tree),
            created_at=now,
            changed_at=now,
            changed_by=by,
            is_slug_own=base is not None,
            tree=tree,
        )
        if base is not None:
            begun = _based_on(begun, base)
        self._keep(begun)
        return begun

    def _keep(self, composition: Composition) -> None:
        size = len(encode(composition.tree))
        if size > COMPOSITION_BYTES_MAX:
            message = f"takes {size:,} bytes; at most {COMPOSITION_BYTES_MAX:,} are kept"
            raise InvalidError([Problem("", message)], "The campaign")
        self._kept.save(composition, COMPOSITIONS_MAX)

    def _taken(self, composition: Composition | None = None) -> set[str]:
        own = composition.campaign if composition is not None else None
        return {one.slug for one in self._campaigns.all() if one.id != own}

    def _who_changed(self, composition: Composition) -> str:
        base = self.base_of(composition)
        names = {composition.campaign, base.slug if base is not None else composition.tree["slug"]}
        for change in self._runtime.journal.audit.newest(_CHANGES_SEARCHED):
            if change.target in names and change.at >= composition.base_updated_at:
                return change.actor_name or change.actor_id
        since = format_instant(composition.base_updated_at)
        return f"Somebody (a change since {since} that the audit trail does not name)"


def _has_unfinished_audience(composition: Composition, document: Campaign) -> bool:
    """Return whether the sketch is for everyone because the filters cannot be read yet."""
    return document.audience is None and composition.tree.get("audience") is not None


def _based_on(composition: Composition, base: StoredCampaign) -> Composition:
    return replace(
        composition,
        campaign=base.id,
        base_version=base.version,
        base_updated_at=base.updated_at,
        is_slug_own=True,
    )


def _name_of(tree: Mapping[str, Any]) -> str:
    return _text(tree.get("name")).strip()[:200] or _LEAST_NAME


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
