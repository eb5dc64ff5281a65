"""From lines to records of the log: what a run does with what it reads."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from segue.engine.plan import filters_of
from segue.errors import SegueError
from segue.model.campaigns import Campaign
from segue.model.effects import Deliver
from segue.model.events import AttributeChange, DeviceChanged, SendSettled
from segue.model.filters import Filter
from segue.model.ids import derive_id
from segue.model.instants import from_datetime
from segue.model.log_records import (
    AttributesReceived,
    Backfilled,
    CampaignPublished,
    CampaignStopped,
    DevicesChanged,
    PlanChange,
    Recipient,
    Record,
    ScheduleWalked,
    SegmentDeleted,
    SegmentSet,
    SendsRequested,
    SendsRetried,
    SendsSettled,
    TimeAdvanced,
    UserErased,
    WorkspaceSet,
)
from segue.model.state import TriggerContext
from segue.model.workspace import Segment, Workspace
from segue.runtime.in_memory import Sends
from segue.runtime.lines import AttributesLine, ControlLine, DeviceLine, Line, OutcomeLine


class Survey(Struct):
    """What the control lines of a file are about, found before the first is decided."""

    published: set[str] = field(default_factory=set)  # slugs
    has_workspace: bool = False
    segments: set[str] = field(default_factory=set)
    filters: list[Filter] = field(default_factory=list)  # of documents that lines carry

    def look_at(self, line: Line) -> None:
        """Take a line in."""
        if not isinstance(line, ControlLine):
            return
        if line.control == "publish" and line.campaign is not None:
            self.published.add(line.campaign)
        if line.document is not None and line.document.audience is not None:
            self.filters.append(line.document.audience)
        if line.control == "workspace":
            self.has_workspace = True
        if line.segment is not None:
            self.segments.add(line.segment.slug)
            self.filters.append(line.segment.filter)


class Project(Struct):
    """What a folder holds: campaigns, segments and the workspace."""

    campaigns: dict[str, Campaign] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    workspace: Workspace | None = None

    def filters(self) -> list[Filter]:
        """Return every filter in it."""
        audiences = [one.audience for one in self.campaigns.values() if one.audience is not None]
        return [*audiences, *(one.filter for one in self.segments.values())]


class LineRecords:
    """Makes records of lines; a campaign that a line names is the folder's, or the line's own."""

    def __init__(self, campaigns: Mapping[str, Campaign], sends: Sends) -> None:
        self.campaigns = campaigns
        self.sends = sends
        self.plan_changes: list[PlanChange] = []

    def initial(self, project: Project, survey: Survey, now: int) -> list[PlanChange]:
        """Return what holds from the first line on, because no line sets it.

        Everything is published at one instant, so the order does not matter.
        """
        changes: list[PlanChange] = []
        if project.workspace is not None and not survey.has_workspace:
            changes.append(WorkspaceSet(now, project.workspace))
        for slug, segment in sorted(project.segments.items()):
            if slug not in survey.segments:
                changes.append(SegmentSet(now, segment))
        self.plan_changes += changes
        for slug in sorted(set(project.campaigns) - survey.published):
            changes.append(self._published(project.campaigns[slug], now))
        return changes

    def of(
        self, line: AttributesLine | DeviceLine | ControlLine | OutcomeLine, now: int
    ) -> Record | None:
        """Return the record of a line that is no event; None for one that changes nothing.

        Raises:
            SegueError: the line names what is not there.
        """
        match line:
            case AttributesLine():
                change = AttributeChange(line.user_id, line.attributes, line.time, line.id)
                return AttributesReceived(now, [change])
            case DeviceLine():
                changed = DeviceChanged(
                    line.user_id, line.device, line.is_removed, line.time, line.id
                )
                return DevicesChanged(now, [changed])
            case OutcomeLine():
                return self._settled(line, now)
            case ControlLine():
                record = self._controlled(line, now)
                if isinstance(record, PlanChange) and not isinstance(record, CampaignPublished):
                    self.plan_changes.append(record)
                return record

    def _settled(self, line: OutcomeLine, now: int) -> Record | None:
        if self.sends != "recorded":
            return None
        settled = SendSettled(
            line.user_id,
            line.campaign,
            line.send_id,
            line.channel,
            line.outcome,
            line.reason,
            line.detail,
            line.dead_tokens,
        )
        return SendsSettled(now, [settled])

    def _controlled(self, line: ControlLine, now: int) -> Record | None:
        record: Record | None
        match line.control:
            case "advance":
                record = TimeAdvanced(now)
            case "erase":
                record = UserErased(now, _needed(line, "user_id"))
            case "workspace":
                record = WorkspaceSet(now, _needed(line, "workspace"))
            case "segment":
                record = SegmentSet(now, _needed(line, "segment"))
            case "delete_segment":
                record = SegmentDeleted(now, _needed(line, "slug"))
            case _:
                record = self._about_campaign(line, now)
        return record

    def _about_campaign(self, line: ControlLine, now: int) -> Record | None:
        record: Record | None
        match line.control:
            case "publish" | "edit":
                record = self._published(self._document(line), now, line)
            case "stop" | "archive":
                record = CampaignStopped(now, self._slug(line), line.control == "archive")
            case "send":
                recipient = Recipient(_needed(line, "user_id"), line.trigger_properties, line.id)
                record = SendsRequested(now, self._slug(line), [recipient])
            case "schedule":
                record = self._walk(line, now)
            case "backfill":
                record = Backfilled(now, self._slug(line), line.events)
            case "retry":
                record = self._retried(line, now)
            case _:
                raise AssertionError(line.control)
        return record

    def _walk(self, line: ControlLine, now: int) -> Record | None:
        """Return a recorded walk; a run that accepts its own sends makes its own walks too."""
        if self.sends != "recorded":
            return None
        walk_at = from_datetime(_needed(line, "walk_at"))
        slug = self._slug(line)
        return ScheduleWalked(now, slug, walk_at, line.wall, line.after, line.through)

    def _retried(self, line: ControlLine, now: int) -> Record | None:
        """Return a recorded retry; in a run that accepts its own sends, none has failed.

        The line has what decisions rest on, and nothing that only a message is made of.
        """
        if self.sends != "recorded":
            return None
        cause = TriggerContext(name="", time=now, event_id=_needed(line, "cause"))
        deliver = Deliver(
            _needed(line, "send_id"),
            _needed(line, "user_id"),
            self._slug(line),
            _needed(line, "variant"),
            [_needed(line, "channel")],
            now,
            cause,
            line.hops,
            accepted=line.accepted,
        )
        return SendsRetried(now, [deliver])

    def _slug(self, line: ControlLine) -> str:
        published = (
            one.document.slug
            for one in self.plan_changes
            if isinstance(one, CampaignPublished) and line.campaign in (one.document.slug, one.id)
        )
        return next(published, None) or self._document(line).slug

    def _document(self, line: ControlLine) -> Campaign:
        document = line.document or self.campaigns.get(line.campaign or "")
        if document is None:
            message = f"there is no campaign {line.campaign!r} in the folder; it has: " + (
                ", ".join(sorted(self.campaigns)) or "none"
            )
            raise SegueError(message)
        return document

    def _published(
        self, document: Campaign, now: int, line: ControlLine | None = None
    ) -> CampaignPublished:
        versions = [
            one
            for one in self.plan_changes
            if isinstance(one, CampaignPublished) and one.document.slug == document.slug
        ]
        known_id = versions[-1].id if versions else derive_id(0, "campaign", document.slug)
        record = CampaignPublished(
            received_at=now,
            id=(line and line.campaign_id) or known_id,
            version=(line and line.version) or len(versions) + 1,
            document=document,
            is_edit=line is not None and line.control == "edit",
        )
        self.plan_changes.append(record)
        return record


def _needed(line: ControlLine, name: str) -> Any:
    value = getattr(line, name)
    if value is None:
        message = f'a control line "{line.control}" needs "{name}"'
        raise SegueError(message)
    return value


def all_filters(changes: Iterable[PlanChange]) -> list[Filter]:
    """Return the filters that changes of the plan bring."""
    return [one for change in changes for one in filters_of(change)]
