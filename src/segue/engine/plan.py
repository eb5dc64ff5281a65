"""All published campaigns, compiled: what listens to what.

A `Plan` is immutable; publishing, editing, stopping and archiving each give a new one. Stopped
campaigns stay, because what people do with their messages still fires; archived ones fire
nothing (semantics.md 2), and are kept so that replays can name them.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.audience import Audience, compile_audience
from segue.engine.matching import Binding, Key, Target, bindings_of
from segue.model.campaigns import After, Campaign, DidNot, Happening, InteractWithCampaign
from segue.model.channels import Channel
from segue.model.events import Event
from segue.model.instants import parse_duration
from segue.model.interactions import ACTS, INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.log_records import CampaignPublished, CampaignStopped

LETTERS: Final = "ABCD"

PublishedStatus = Literal["active", "stopped", "archived"]


class Version(Struct, frozen=True):
    """One version of a campaign with everything about it that is computed once."""

    number: int
    document: Campaign
    delay: int
    audience: Audience
    pause: int | None  # of re-eligibility, in microseconds; None: never again
    channels: dict[str, list[Channel]]  # by variant name


class PublishedCampaign(Struct, frozen=True):
    """A campaign of the plan: its newest version, and the older ones that users may wait under."""

    slug: str
    id: str
    status: PublishedStatus
    published_at: int
    newest: Version
    versions: dict[int, Version]


class ExceptionRule(Struct, frozen=True):
    """Cancels waits of one campaign that were entered under one version."""

    campaign: str
    version: int
    binding: Binding


class ConversionRule(Struct, frozen=True):
    """Credits conversion event `index` of a campaign within a window."""

    campaign: str
    index: int
    window: int
    binding: Binding


class TriggerRule(Struct, frozen=True):
    """Enters users into an active campaign."""

    campaign: PublishedCampaign
    binding: Binding


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

    def find(self, reference: str) -> PublishedCampaign | None:
        """Return a campaign by its slug or id."""
        found = self.campaigns.get(reference)
        if found is None and (slug := self.slug_by_id.get(reference)) is not None:
            return self.campaigns[slug]
        return found

    def rules_for(self, event: Event) -> Rules | None:
        """Return what listens to `event`; an archived campaign's interactions fire nothing."""
        if event.name not in ACTS:
            return self.rules.get(event.name)
        return self.rules.get((event.name, event.campaign or ""))


EMPTY_PLAN: Final = Plan({}, {}, {}, ACTS)


def apply_publications(
    plan: Plan, publications: Iterable[CampaignPublished | CampaignStopped]
) -> Plan:
    """Return the plan after campaigns were published, edited, stopped or archived, in order."""
    campaigns = dict(plan.campaigns)
    for publication in publications:
        if isinstance(publication, CampaignPublished):
            slug = publication.document.slug
            campaigns[slug] = _publish(campaigns.get(slug), publication)
        elif publication.campaign in campaigns:
            status: PublishedStatus = "archived" if publication.is_archived else "stopped"
            known = campaigns[publication.campaign]
            campaigns[publication.campaign] = replace(known, status=status)
    return _compile(campaigns.values())


def _publish(known: PublishedCampaign | None, published: CampaignPublished) -> PublishedCampaign:
    version = compile_version(published.version, published.document)
    keeps_time = known is not None and published.is_edit
    return PublishedCampaign(
        slug=published.document.slug,
        id=published.id,
        status="active",
        published_at=known.published_at if known and keeps_time else published.received_at,
        newest=version,
        versions={**(known.versions if known else {}), version.number: version},
    )


def compile_version(number: int, document: Campaign) -> Version:
    """Return a version of a campaign, compiled."""
    delivery = document.delivery
    delay = parse_duration(delivery.delay.after) if isinstance(delivery.delay, After) else 0
    waits = [parse_duration(t.did_not.within) for t in delivery.triggers if t.did_not]
    return Version(
        number=number,
        document=document,
        delay=waits[0] if waits else delay,
        audience=compile_audience(document.audience),
        pause=_pause(document),
        channels={
            variant.name: [message.channel for message in variant.messages]
            for variant in document.all_variants()
        },
    )


def _pause(document: Campaign) -> int | None:
    if isinstance(document.re_eligibility, After):
        return parse_duration(document.re_eligibility.after)
    return 0 if document.re_eligibility == "always" else None


def _compile(campaigns: Iterable[PublishedCampaign]) -> Plan:
    ordered = sorted(campaigns, key=lambda campaign: campaign.slug)
    targets = {
        campaign.slug: Target(campaign.slug, campaign.id, campaign.newest.document)
        for campaign in ordered
        if campaign.status != "archived"
    }
    rules: dict[Key, Rules] = {}

    def rules_at(key: Key) -> Rules:
        return rules.setdefault(key, Rules([], [], []))

    for campaign in ordered:
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
    return Plan(
        campaigns={campaign.slug: campaign for campaign in ordered},
        slug_by_id={campaign.id: campaign.slug for campaign in ordered},
        rules=rules,
        interests=ACTS | {key for key in rules if isinstance(key, str)},
    )


def _exception_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[ExceptionRule]:
    for version in campaign.versions.values():
        for exception in all_exceptions(version.document):
            for binding in bindings_of(exception, targets):
                yield ExceptionRule(campaign.slug, version.number, binding)


def _conversion_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[ConversionRule]:
    for index, conversion in enumerate(campaign.newest.document.conversions):
        window = parse_duration(conversion.within)
        for binding in bindings_of(conversion, targets):
            yield ConversionRule(campaign.slug, index, window, binding)


def _trigger_rules(
    campaign: PublishedCampaign, targets: Mapping[str, Target]
) -> Iterable[TriggerRule]:
    for trigger in campaign.newest.document.delivery.triggers:
        happening = _received(trigger.did_not) if trigger.did_not else trigger
        for binding in bindings_of(happening, targets):
            yield TriggerRule(campaign, binding)


def all_exceptions(document: Campaign) -> list[Happening]:
    """Return the exceptions, those of `did_not` triggers among them (semantics.md 2)."""
    written = list(document.delivery.exceptions)
    for trigger in document.delivery.triggers:
        if trigger.did_not is not None:
            written.append(_did(trigger.did_not))
    return written


def _received(did_not: DidNot) -> Happening:
    """Return what `did_not` waits after: the receipt of the interaction's channel."""
    channel = INTERACTIONS[did_not.interaction].channel or "email"
    receive = RECEIVE_BY_CHANNEL[channel]
    spec = InteractWithCampaign(receive, did_not.campaign, did_not.variant)
    return Happening(interact_with_campaign=spec)


def _did(did_not: DidNot) -> Happening:
    return Happening(
        interact_with_campaign=InteractWithCampaign(
            did_not.interaction,
            did_not.campaign,
            did_not.variant,
            did_not.alias,
            did_not.button,
            did_not.page,
        )
    )
