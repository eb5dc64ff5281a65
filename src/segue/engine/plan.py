"""All that is published, compiled: what listens to what.

A `Plan` is immutable; each publication, stop or change of the workspace gives a new one. Stopped
campaigns stay, because what people do with their messages still fires; archived ones fire
nothing (semantics.md 2), and are kept so that replays can name them.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from segue.engine.audience import Audience, Audiences
from segue.engine.listeners import Listener, conversions_of, exceptions_of, triggers_of
from segue.engine.matching import Binding, Key, Target, bindings_of, key_of
from segue.engine.past import Tracker, past_of, tracker_of
from segue.engine.references import leaves_of
from segue.engine.versions import Version, compile_version
from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.events import Event
from segue.model.filters import Filter
from segue.model.instants import parse_duration
from segue.model.interactions import ACTS
from segue.model.log_records import (
    CampaignPublished,
    CampaignStopped,
    PlanChange,
    SegmentDeleted,
    SegmentSet,
    WorkspaceSet,
)
from segue.model.workspace import Segment, Workspace

LETTERS: Final = "ABCD"

PublishedStatus = Literal["active", "stopped", "archived"]


class PublishedCampaign(Struct, frozen=True):
    """A campaign of the plan: its newest version, and the older ones that users may wait under."""

    slug: str
    id: str
    status: PublishedStatus
    published_at: int
    scheduled_at: int  # since when its schedule is as it is
    newest: Version
    versions: dict[int, Version]
    # When it was active before: from a publication until the stop that ended it.
    past_lives: tuple[tuple[int, int], ...] = ()

    def channels_of(self, variant: str) -> list[Channel]:
        """Return the channels of a variant's newest content; of one since removed, the last."""
        newest = self.newest.channels
        if variant in newest:
            return newest[variant]
        for number in sorted(self.versions, reverse=True):
            if variant in self.versions[number].channels:
                return self.versions[number].channels[variant]
        return next(iter(newest.values()))

    def has_variant(self, name: str) -> bool:
        """Return whether any version has a variant of this name."""
        return any(name in version.channels for version in self.versions.values())


class ExceptionRule(Struct, frozen=True):
    """Cancels waits of one campaign that were entered under one version."""

    campaign: str
    version: int
    binding: Binding
    listener: Listener


class ConversionRule(Struct, frozen=True):
    """Credits conversion event `index` of a campaign within a window."""

    campaign: str
    index: int
    window: int
    binding: Binding
    listener: Listener


class TriggerRule(Struct, frozen=True):
    """Enters users into an active campaign."""

    campaign: PublishedCampaign
    binding: Binding
    listener: Listener


class Rules(Struct, frozen=True):
    """What listens to one key, each list in the order of slugs."""

    exceptions: list[ExceptionRule]
    conversions: list[ConversionRule]
    triggers: list[TriggerRule]


class Plan(Struct, frozen=True):
    """Everything published, at one point of the log."""

    campaigns: dict[str, PublishedCampaign]
    slug_by_id: dict[str, str]
    rules: dict[Key, Rules]
    interests: frozenset[str]  # names of events that need a look at the user's state
    workspace: Workspace = field(default_factory=Workspace)
    zone_set_at: int = 0  # since when the workspace's time zone is as it is
    segments: dict[str, Segment] = field(default_factory=dict)
    # By key, and by the name of the events they look at. One that was ever asked for stays:
    # taken up again later, it would miss what happened in between.
    trackers: dict[str, Tracker] = field(default_factory=dict)
    trackers_by_name: dict[str, list[Tracker]] = field(default_factory=dict)

    def find(self, reference: str) -> PublishedCampaign | None:
        """Return a campaign by its slug or id."""
        found = self.campaigns.get(reference)
        if found is None and (slug := self.slug_by_id.get(reference)) is not None:
            return self.campaigns[slug]
        return found

    def rules_for(self, event: Event) -> Rules | None:
        """Return what listens to `event`; an archived campaign's interactions fire nothing."""
        return self.rules.get(key_of(event))


EMPTY_PLAN: Final = Plan({}, {}, {}, ACTS)


def apply_changes(plan: Plan, changes: Iterable[PlanChange]) -> Plan:
    """Return the plan after campaigns, segments or the workspace were changed, in order.

    What a filter among the changes asks about is followed, even if a later one took its place:
    so the plan is the same whether they come at once or one by one.
    """
    changes = list(changes)
    campaigns, segments = dict(plan.campaigns), dict(plan.segments)
    workspace, zone_set_at = plan.workspace, plan.zone_set_at
    for change in changes:
        match change:
            case CampaignPublished():
                slug = change.document.slug
                campaigns[slug] = _publish(campaigns.get(slug), change)
            case CampaignStopped():
                if change.campaign in campaigns:
                    campaigns[change.campaign] = _end(campaigns[change.campaign], change)
            case WorkspaceSet():
                if change.workspace.time_zone != workspace.time_zone:
                    zone_set_at = change.received_at
                workspace = change.workspace
            case SegmentSet():
                segments[change.segment.slug] = change.segment
            case SegmentDeleted():
                segments.pop(change.slug, None)
            case _:
                assert_never(change)
    changed = replace(plan, campaigns=campaigns, segments=segments)
    compiled = _compile(replace(changed, workspace=workspace, zone_set_at=zone_set_at))
    return with_trackers(compiled, (node for change in changes for node in filters_of(change)))


def audiences_in(documents: Iterable[Campaign]) -> list[Filter]:
    """Return the audiences of those campaigns that are not for everybody."""
    return [one.audience for one in documents if one.audience is not None]


def filters_of(change: PlanChange) -> list[Filter]:
    """Return the filters that a change brings into the plan."""
    match change:
        case CampaignPublished():
            return audiences_in([change.document])
        case SegmentSet():
            return [change.segment.filter]
        case _:
            return []


def with_trackers(plan: Plan, filters: Iterable[Filter]) -> Plan:
    """Return the plan with everything followed that the filters ask about."""
    trackers = dict(plan.trackers)
    for node in filters:
        for leaf, _path in leaves_of(node, ""):
            if (past := past_of(leaf)) is not None:
                tracker = tracker_of(past)
                trackers.setdefault(tracker.key, tracker)
    by_name: dict[str, list[Tracker]] = {}
    for tracker in trackers.values():
        by_name.setdefault(tracker.name, []).append(tracker)
    interests = plan.interests | by_name.keys()
    return replace(plan, trackers=trackers, trackers_by_name=by_name, interests=interests)


def missing_trackers(plan: Plan, filters: Iterable[Filter]) -> list[Tracker]:
    """Return what the filters ask about and nobody follows so far."""
    wanted = with_trackers(EMPTY_PLAN, filters).trackers
    return [tracker for key, tracker in wanted.items() if key not in plan.trackers]


def audience_of(plan: Plan, node: Filter | None) -> Audience:
    """Return the predicate of a filter that need not be in the plan, among what is."""
    return Audiences(targets_of(plan), plan.segments).compile(node)


def _publish(known: PublishedCampaign | None, published: CampaignPublished) -> PublishedCampaign:
    version = compile_version(published.version, published.document)
    edited = known if published.is_edit else None
    published_at = scheduled_at = published.received_at
    if edited is not None:
        published_at = edited.published_at
        if edited.newest.document.delivery.schedule == published.document.delivery.schedule:
            scheduled_at = edited.scheduled_at
    return PublishedCampaign(
        slug=published.document.slug,
        id=published.id,
        status="active",
        published_at=published_at,
        scheduled_at=scheduled_at,
        newest=version,
        versions={**(known.versions if known else {}), version.number: version},
        past_lives=_lives(known, None if edited is not None else published.received_at),
    )


def _end(known: PublishedCampaign, change: CampaignStopped) -> PublishedCampaign:
    status: PublishedStatus = "archived" if change.is_archived else "stopped"
    return replace(known, status=status, past_lives=_lives(known, change.received_at))


def _lives(known: PublishedCampaign | None, ended_at: int | None) -> tuple[tuple[int, int], ...]:
    """Return when a campaign was active; the present life is one of these if it ends now."""
    if known is None:
        return ()
    if known.status != "active" or ended_at is None:
        return known.past_lives
    return (*known.past_lives, (known.published_at, ended_at))


def targets_of(plan: Plan) -> dict[str, Target]:
    """Return the campaigns whose interactions fire, by slug."""
    targets = all_targets_of(plan)
    return {
        slug: target
        for slug, target in targets.items()
        if plan.campaigns[slug].status != "archived"
    }


def all_targets_of(plan: Plan) -> dict[str, Target]:
    """Return all that filters may name: what was done with an archived campaign was done."""
    return {
        slug: Target(slug, campaign.id, campaign.newest.document)
        for slug, campaign in sorted(plan.campaigns.items())
    }


def _compile(plan: Plan) -> Plan:
    targets = targets_of(plan)
    audiences = Audiences(all_targets_of(plan), plan.segments)
    campaigns = {
        slug: _with_audiences(campaign, audiences)
        for slug, campaign in sorted(plan.campaigns.items())
    }
    rules = _rules(campaigns.values(), targets)
    compiled = replace(
        plan,
        campaigns=campaigns,
        slug_by_id={campaign.id: slug for slug, campaign in campaigns.items()},
        rules=rules,
        interests=ACTS | {key for key in rules if isinstance(key, str)},
    )
    audiences_written = [one.newest.document.audience for one in campaigns.values()]
    written = [*audiences_written, *(segment.filter for segment in plan.segments.values())]
    return with_trackers(compiled, [node for node in written if node is not None])


def _with_audiences(campaign: PublishedCampaign, audiences: Audiences) -> PublishedCampaign:
    """Return the campaign with its audiences as they are among these campaigns and segments."""
    if campaign.status == "archived":
        return campaign
    versions = {
        number: replace(version, audience=audiences.compile(version.document.audience))
        for number, version in campaign.versions.items()
    }
    return replace(campaign, versions=versions, newest=versions[campaign.newest.number])


def _rules(
    campaigns: Iterable[PublishedCampaign], targets: Mapping[str, Target]
) -> dict[Key, Rules]:
    rules: dict[Key, Rules] = {}

    def rules_at(key: Key) -> Rules:
        return rules.setdefault(key, Rules([], [], []))

    for campaign in campaigns:
        if campaign.status == "archived":
            continue
        for rule in _conversion_rules(campaign, targets):
            rules_at(rule.binding.key).conversions.append(rule)
        if campaign.status != "active":
            continue
        for exception in _exception_rules(campaign, targets):
            rules_at(exception.binding.key).exceptions.append(exception)
        for trigger in _trigger_rules(campaign, targets):
            rules_at(trigger.binding.key).triggers.append(trigger)
    return rules


def _exception_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[ExceptionRule]:
    for version in campaign.versions.values():
        for listener in exceptions_of(version.document):
            for binding in bindings_of(listener.happening, targets):
                yield ExceptionRule(campaign.slug, version.number, binding, listener)


def _conversion_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[ConversionRule]:
    document = campaign.newest.document
    for index, listener in enumerate(conversions_of(document)):
        window = parse_duration(document.conversions[index].within)
        for binding in bindings_of(listener.happening, targets):
            yield ConversionRule(campaign.slug, index, window, binding, listener)


def _trigger_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[TriggerRule]:
    for listener in triggers_of(campaign.newest.document):
        for binding in bindings_of(listener.happening, targets):
            if listener.is_receipt:
                binding = replace(binding, is_receipt=True)  # noqa: PLW2901
            yield TriggerRule(campaign, binding, listener)
