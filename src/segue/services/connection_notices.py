"""What is wrong with connections, or may be: published too late, loops, what can never happen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from segue.engine.references import Reference, references_in
from segue.engine.target_checks import KnownCampaign, check_target
from segue.model.campaigns import DidNot, InteractWithCampaign
from segue.model.instants import parse_instant
from segue.services.campaigns import known_campaign
from segue.services.connections import Connections
from segue.storage.ports import StoredCampaign

NoticeKind = Literal["late", "cycle", "impossible", "archived", "missing"]
_NAMES_MAX: Final = 8  # of a loop in a sentence


class Notice(Struct, frozen=True):
    """A finding about connections: what happened and why, what to do, and which campaigns it is of.

    `since` is an instant that the words speak of as "then", where there is one.
    """

    kind: NoticeKind
    what: str
    remedy: str
    slugs: list[str]
    since: int | None = None


def notices_of(campaigns: Sequence[StoredCampaign], found: Connections) -> list[Notice]:
    """Return the notices, those that need somebody first."""
    those = [known_campaign(one) for one in campaigns]
    known = {name: one for one in those for name in (one.id, one.slug)}
    names = {one.slug: one.document.name for one in campaigns}
    return [
        *(one for each in campaigns if each.status != "archived" for one in _faults(each, known)),
        *_late(found, names),
        *_cycles(found, names),
    ]


def _faults(campaign: StoredCampaign, known: Mapping[str, KnownCampaign]) -> Iterator[Notice]:
    """Yield what a campaign's triggers name and will never see."""
    for reference in references_in(campaign.document):
        spec = reference.spec
        if not reference.is_trigger or not isinstance(spec, InteractWithCampaign | DidNot):
            continue
        named = spec.campaign
        if not isinstance(named, str) or named == "any":
            continue
        target = known.get(named)
        if target is None:
            yield Notice(
                "missing",
                f"“{campaign.document.name}” follows “{named}”, and there is no such campaign.",
                "Write that campaign, or choose another one to follow.",
                [campaign.slug],
            )
        elif target.status == "archived":
            yield Notice(
                "archived",
                f"“{campaign.document.name}” follows “{target.document.name}”, which is archived: "
                "what people do with it starts nothing any more.",
                "Choose another campaign to follow, or archive this one too.",
                [campaign.slug, target.slug],
            )
        else:
            yield from _impossible(campaign, target, reference)


def _impossible(
    campaign: StoredCampaign, target: KnownCampaign, reference: Reference
) -> Iterator[Notice]:
    for problem in check_target(reference.spec, target, reference.path):
        yield Notice(
            "impossible",
            f"Nothing can start “{campaign.document.name}” by this trigger: {problem.message}.",
            "Choose another interaction, or give the followed campaign what it lacks.",
            [campaign.slug, target.slug],
        )


def _late(found: Connections, names: Mapping[str, str]) -> Iterator[Notice]:
    for one in found.late_publications:
        yield Notice(
            "late",
            f"“{names[one.follower]}” was published when “{names[one.target]}” was being sent "
            "already. Whoever did before then what it waits for has not entered, and will not.",
            "To reach them, stop it and publish it again with a backfill.",
            [one.follower, one.target],
            parse_instant(one.published_at),
        )


def _cycles(found: Connections, names: Mapping[str, str]) -> Iterator[Notice]:
    for cycle in found.cycles:
        shown = [f"“{names[slug]}”" for slug in cycle[:_NAMES_MAX]]
        rest = ["…"] * (len(cycle) > _NAMES_MAX)
        way = " → ".join([*shown, *rest, shown[0]])
        yield Notice(
            "cycle",
            f"These campaigns follow each other in a circle: {way}.",
            "If it is meant, see that somebody has to act, or to wait, on the way round.",
            list(cycle),
        )
