"""What a server holds beside what a folder says: the steps that lead from one to the other."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal

import msgspec
from msgspec import Struct, field

from segue.model.problems import Problem
from segue.model.workspace import Segment, Workspace
from segue.services.configuration import CampaignEntry, Configuration
from segue.services.differences import Difference, differences, fingerprint_of
from segue.storage.ports import CampaignStatus, StoredCampaign

Kind = Literal["workspace", "segment", "campaign"]
Action = Literal["create", "change", "publish", "stop", "archive", "delete"]

# From a status (None: not there) to another one (semantics.md 1). What is missing cannot be.
_LIFE: Final[dict[tuple[CampaignStatus | None, CampaignStatus], list[Action]]] = {
    (None, "draft"): ["create"],
    (None, "active"): ["create", "publish"],
    (None, "stopped"): ["create", "publish", "stop"],
    (None, "archived"): [],
    ("draft", "draft"): [],
    ("draft", "active"): ["publish"],
    ("draft", "stopped"): ["publish", "stop"],
    ("draft", "archived"): ["archive"],
    ("active", "active"): [],
    ("active", "stopped"): ["stop"],
    ("active", "archived"): ["archive"],
    ("stopped", "active"): ["publish"],
    ("stopped", "stopped"): [],
    ("stopped", "archived"): ["archive"],
    ("archived", "archived"): [],
}


class Present(Struct, frozen=True):
    """What a server holds."""

    campaigns: Mapping[str, StoredCampaign]  # by slug
    segments: Mapping[str, Segment]
    workspace: Workspace

    def configuration(self) -> Configuration:
        """Return what a folder would say of it: all but what is archived."""
        campaigns = {
            slug: CampaignEntry(one.document, one.status)
            for slug, one in self.campaigns.items()
            if one.status != "archived"
        }
        return Configuration(campaigns, dict(self.segments), self.workspace)

    def fingerprint(self) -> str:
        """Return what tells it from what it was before, and from what it will be."""
        said = blake2b(digest_size=8)
        for _, one in sorted(self.campaigns.items()):
            said.update(msgspec.json.encode([one.slug, one.status, one.version]))
            said.update(fingerprint_of(one.document))
        for _, segment in sorted(self.segments.items()):
            said.update(fingerprint_of(segment))
        said.update(fingerprint_of(self.workspace))
        return said.hexdigest()


class Change(Struct, frozen=True, omit_defaults=True):
    """What happens to one thing, and where its document differs."""

    what: Kind
    slug: str
    actions: list[Action]
    differences: list[Difference] = field(default_factory=list)


class CampaignStep(Struct, frozen=True):
    """A campaign as it is, what it is to be, and what happens on the way."""

    before: StoredCampaign | None
    after: CampaignEntry
    actions: list[Action]

    @property
    def goes_live(self) -> bool:
        """Whether it is published, or gets a new version while it is active."""
        is_edit = "change" in self.actions and self.after.status == "active"
        return "publish" in self.actions or is_edit

    @property
    def ends(self) -> bool:
        """Whether something that was published is stopped or archived."""
        was_published = self.before is not None and self.before.version > 0
        return "stop" in self.actions or ("archive" in self.actions and was_published)


class Comparison(Struct):
    """What differs, what does not, what only the server has; and what cannot be."""

    changes: list[Change] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    campaigns: dict[str, CampaignStep] = field(default_factory=dict)  # of the changes
    segments: dict[str, Segment | None] = field(default_factory=dict)  # None: it goes
    workspace: Workspace | None = None

    def note(self, what: Kind, slug: str, actions: list[Action], found: list[Difference]) -> bool:
        """Note what happens to a thing; return whether anything does."""
        if actions:
            self.changes.append(Change(what, slug, actions, found))
        else:
            self.unchanged.append(place_of(what, slug))
        return bool(actions)


def place_of(what: Kind, slug: str) -> str:
    """Return what paths of a thing begin with: a file's name but for its ending."""
    return "workspace" if what == "workspace" else f"{what}s/{slug}"


def compare(present: Present, wanted: Configuration, *, prune: bool) -> Comparison:
    """Compare what there is with what is wanted; with `prune`, what is not wanted goes."""
    found = Comparison()
    if wanted.workspace is not None:
        changed = differences(present.workspace, wanted.workspace)
        if found.note("workspace", "", ["change"] if changed else [], changed):
            found.workspace = wanted.workspace
    for slug in sorted(present.segments.keys() | wanted.segments.keys()):
        if slug in wanted.segments:
            _compare_segment(found, present.segments.get(slug), wanted.segments[slug])
        elif prune:
            found.note("segment", slug, ["delete"], [])
            found.segments[slug] = None
        else:
            found.left.append(place_of("segment", slug))
    for slug in sorted(present.campaigns.keys() | wanted.campaigns.keys()):
        before = present.campaigns.get(slug)
        if slug in wanted.campaigns:
            _compare_campaign(found, before, wanted.campaigns[slug])
        elif before is not None and before.status != "archived":
            if prune:
                _compare_campaign(found, before, CampaignEntry(before.document, "archived"))
            else:
                found.left.append(place_of("campaign", slug))
    return found


def _compare_segment(found: Comparison, before: Segment | None, after: Segment) -> None:
    changed = [] if before is None else differences(before, after)
    actions: list[Action] = ["create"] if before is None else ["change"] if changed else []
    if found.note("segment", after.slug, actions, changed):
        found.segments[after.slug] = after


def _compare_campaign(
    found: Comparison, before: StoredCampaign | None, after: CampaignEntry
) -> None:
    slug, status = after.document.slug, after.status
    status_before = before.status if before is not None else None
    steps = _LIFE.get((status_before, status))
    if steps is None:
        path = f"{place_of('campaign', slug)}: status"
        found.problems.append(Problem(path, _refusal(status_before, status)))
        return
    changed: list[Difference] = []
    if before is not None and status == "archived":
        after = CampaignEntry(before.document, status)  # it stays what it was
    elif before is not None:
        changed = differences(before.document, after.document)
    edits: list[Action] = ["change"] if changed else []
    actions = [*edits, *steps]
    if status_before not in (None, status):
        changed = [*changed, Difference("status", status_before, status)]
    if found.note("campaign", slug, actions, changed):
        found.campaigns[slug] = CampaignStep(before, after, actions)


def _refusal(before: CampaignStatus | None, wanted: CampaignStatus) -> str:
    if before == "archived":
        return f"cannot be {wanted}: it is archived for good; give the new one another slug"
    return f"cannot be {wanted}: it was published; write stopped or archived"
