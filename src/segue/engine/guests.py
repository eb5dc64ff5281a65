"""A guest: a campaign that decides about what it sees happen, unseen by the campaigns it is among.

With it one asks what a draft would have done, or who did what it follows before it was there:
what others decided stands in the record, and must stay as it was.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from segue.engine.matching import Key
from segue.engine.plan import Plan, PublishedCampaign, Rules, apply_changes
from segue.engine.references import references_in, references_of_filter, segments_in
from segue.engine.versions import Version
from segue.model.campaigns import Campaign
from segue.model.filters import Filter, Tagged
from segue.model.log_records import CampaignPublished, PlanChange, SegmentSet, WorkspaceSet


def as_written(version: Version) -> Version:
    """Return the version as it is."""
    return version


def plan_of_guest(
    plan: Plan, published: CampaignPublished, adapt: Callable[[Version], Version] = as_written
) -> Plan:
    """Return the plan in which the guest alone listens; the others are there to be named.

    `adapt` may change what was compiled of the guest's document.
    """
    slug = published.document.slug
    others = {name: one for name, one in plan.campaigns.items() if name != slug}
    compiled = apply_changes(replace(plan, campaigns=others), [published])
    version = adapt(compiled.campaigns[slug].newest)
    guest = replace(compiled.campaigns[slug], newest=version, versions={version.number: version})
    found = {key: _rules_of(guest, rules) for key, rules in compiled.rules.items()}
    rules: dict[Key, Rules] = {key: own for key, own in found.items() if own is not None}
    return replace(
        compiled,
        campaigns={**compiled.campaigns, slug: guest},
        rules=rules,
        interests=frozenset(key for key in rules if isinstance(key, str)),
        trackers={},  # what its filters ask about is followed by whoever keeps the states
        trackers_by_name={},
    )


def _rules_of(guest: PublishedCampaign, rules: Rules) -> Rules | None:
    own = Rules(
        [one for one in rules.exceptions if one.campaign == guest.slug],
        [one for one in rules.conversions if one.campaign == guest.slug],
        [replace(one, campaign=guest) for one in rules.triggers if one.campaign.slug == guest.slug],
    )
    return own if own.exceptions or own.conversions or own.triggers else None


def campaigns_needed(
    document: Campaign, changes: Iterable[PlanChange], with_itself: bool = False
) -> frozenset[str] | None:
    """Return the campaigns on whose decisions those about a document can depend; None: on all.

    They are those that it refers to, those that these refer to, and so on; `with_itself` adds
    what was published under its own slug. Caps count everybody's messages, a schedule comes to
    everybody known, and "any" is anyone.
    """
    known = _Known(changes)
    waiting = [document]
    needed = set()
    if with_itself:
        needed.add(document.slug)
        waiting += known.documents.get(document.slug, [])
    while waiting:
        one = waiting.pop()
        is_capped = known.has_caps and one.frequency_caps == "respect"
        if is_capped or one.delivery.type == "scheduled":
            return None
        for reference in known.references_of(one):
            if reference == "any":
                return None
            for slug in known.meant_by(reference) - needed - {document.slug}:
                needed.add(slug)
                waiting += known.documents[slug]
    return frozenset(needed)


class _Known:
    """All that changes of a plan bring, whenever it was in force."""

    def __init__(self, changes: Iterable[PlanChange]) -> None:
        self.documents: dict[str, list[Campaign]] = {}
        self.has_caps = False
        self._slug_by_id: dict[str, str] = {}
        self._segments: dict[str, list[Filter]] = {}
        for change in changes:
            match change:
                case CampaignPublished(document=document):
                    self.documents.setdefault(document.slug, []).append(document)
                    self._slug_by_id[change.id] = document.slug
                case SegmentSet(segment=segment):
                    self._segments.setdefault(segment.slug, []).append(segment.filter)
                case WorkspaceSet(workspace=workspace):
                    self.has_caps |= bool(workspace.caps)
                case _:
                    pass

    def references_of(self, document: Campaign) -> set[str | Tagged]:
        """Return what a document names, its segments' filters included."""
        found = {one.spec.campaign for one in references_in(document)}
        seen: set[str] = set()
        named = [slug for slug, _place in segments_in(document.audience, "")]
        while named:
            slug = named.pop()
            if slug not in seen:
                seen.add(slug)
                for node in self._segments.get(slug, []):
                    found.update(one.spec.campaign for one in references_of_filter(node, ""))
                    named += [inner for inner, _place in segments_in(node, "")]
        return found

    def meant_by(self, reference: str | Tagged) -> set[str]:
        """Return the slugs that a reference means, or ever meant."""
        if isinstance(reference, Tagged):
            return {
                slug
                for slug, versions in self.documents.items()
                if any(reference.tag in version.tags for version in versions)
            }
        slug = reference if reference in self.documents else self._slug_by_id.get(reference)
        return {slug} if slug is not None else set()
