"""Everything that people write, as one thing: campaigns and their statuses, segments, workspace.

A folder of documents holds it, the API takes and gives it, and a server has one.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct, field

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document, shown
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Segment, Workspace
from segue.storage.ports import CampaignStatus

T = TypeVar("T")
R = TypeVar("R")


class CampaignEntry(Struct, frozen=True):
    """A campaign's document, and the status it has or is to have."""

    document: Campaign
    status: CampaignStatus = "active"


class Configuration(Struct):
    """Campaigns and segments by slug; without a workspace, nothing is said about it."""

    campaigns: dict[str, CampaignEntry] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    workspace: Workspace | None = None


class ConfigurationDocument(Struct, omit_defaults=True):
    """A configuration as the API writes it."""

    campaigns: list[CampaignEntry]
    segments: list[Segment]
    workspace: Workspace | None = None


class _RawEntry(Struct, frozen=True, forbid_unknown_fields=True):
    document: Any
    status: CampaignStatus = "active"


class _RawConfiguration(Struct, frozen=True, forbid_unknown_fields=True):
    campaigns: list[_RawEntry] = field(default_factory=list)
    segments: list[Any] = field(default_factory=list)
    workspace: Any = None


def decode_configuration(raw: object) -> Configuration:
    """Read a configuration as the API takes it.

    Raises:
        InvalidError: with every fault of all documents.
    """
    outer = decode_document(raw, _RawConfiguration, "The project")
    found = Configuration()
    reader = DocumentReader()
    for index, entry in enumerate(outer.campaigns):
        place = f"campaigns[{index}].document"
        campaign = reader.read(place, entry.document, decode_campaign)
        if campaign is not None and reader.is_new(place, campaign.slug, found.campaigns):
            found.campaigns[campaign.slug] = CampaignEntry(campaign, entry.status)
    for index, raw_segment in enumerate(outer.segments):
        place = f"segments[{index}]"
        segment = reader.read(place, raw_segment, decode_segment)
        if segment is not None and reader.is_new(place, segment.slug, found.segments):
            found.segments[segment.slug] = segment
    if outer.workspace is not None:
        found.workspace = reader.read("workspace", outer.workspace, decode_workspace)
    reader.raise_problems("The project")
    return found


def document_of(configuration: Configuration) -> ConfigurationDocument:
    """Return a configuration as the API writes it."""
    return ConfigurationDocument(
        [entry for _, entry in sorted(configuration.campaigns.items())],
        [segment for _, segment in sorted(configuration.segments.items())],
        configuration.workspace,
    )


class DocumentReader:
    """Reads documents, and goes on past those that are bad, to tell of all their faults."""

    def __init__(self, separator: str = ".") -> None:
        self.problems: list[Problem] = []
        self._separator = separator  # between a document's place and a path in it

    def read(self, place: str, raw: R, decode: Callable[[R], T]) -> T | None:
        """Return a document; None, with its problems noted, if it is bad."""
        try:
            return decode(raw)
        except InvalidError as error:
            for one in error.problems:
                self.note(place, one.path, one.message)
            return None

    def is_new(self, place: str, slug: str, found: dict[str, Any]) -> bool:
        """Return whether no other document has the slug, and note it if one has."""
        if slug in found:
            self.note(place, "slug", f"{shown(slug)} is used twice")
        return slug not in found

    def note(self, place: str, path: str, message: str) -> None:
        """Note a problem."""
        led = f"{place}{self._separator}{path}" if path else place
        self.problems.append(Problem(led, message))

    def raise_problems(self, what: str) -> None:
        """Raise all problems that were noted, if any.

        Raises:
            InvalidError: with them.
        """
        if self.problems:
            raise InvalidError(self.problems, what)
