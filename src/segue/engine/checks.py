"""Everything that is wrong with a campaign, said before it is published, with paths."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from segue.engine.graph import NO_IDS, edges, shortest_loop, targets_by_follower
from segue.engine.references import references_in
from segue.engine.value_checks import check_audience, check_where
from segue.model.campaigns import (
    After,
    Campaign,
    CustomEvent,
    DidNot,
    Happening,
    InteractWithCampaign,
    Tagged,
    Trigger,
)
from segue.model.channels import CHANNELS, Channel
from segue.model.decoding import decode_document, did_you_mean, shown
from segue.model.events import PURCHASE, SESSION_START
from segue.model.instants import DAY, parse_duration
from segue.model.interactions import ACTS, INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.limits import (
    CONVERSION_WINDOW_MAX,
    DELAY_MAX,
    NAME_LENGTH_MAX,
    RE_ELIGIBILITY_MAX,
)
from segue.model.messages import Email, Message
from segue.model.problems import InvalidError, Problem

_ALL = 100  # per cent
_KINDS = ("event", "purchase", "session_start", "interact_with_campaign", "did_not")
_OPTIONS = ("alias", "button", "page", "conversion_event", "body_only", "outcome")
_NAMES = ("campaign", "variant", "alias", "button", "page")
# What did_not can wait for: it begins at the receipt, so not the receipt itself.
_WAITABLE = tuple(
    row.name
    for row in INTERACTIONS.values()
    if row.channel is not None and row.act != RECEIVE_BY_CHANNEL[row.channel]
)


class KnownCampaign(Struct, frozen=True):
    """As much of another campaign as a reference to it is checked against."""

    slug: str
    id: str
    status: str
    tags: list[str]
    channels: set[Channel]
    has_control: bool
    conversions: int


class References(Struct, frozen=True):
    """What is wrong, and what is doubtful, about a campaign's references to others."""

    errors: list[Problem]
    warnings: list[Problem]


def decode_campaign(raw: object) -> Campaign:
    """Read a campaign document.

    Raises:
        InvalidError: with every fault: those of its shape, or if it has none, of its meaning.
    """
    campaign = decode_document(raw, Campaign, "The campaign")
    problems = check_campaign(campaign)
    if problems:
        raise InvalidError(problems, "The campaign")
    return campaign


def check_campaign(campaign: Campaign) -> list[Problem]:
    """Return everything that is wrong with the document by itself."""
    return [
        *_check_slug(campaign),
        *_check_delivery(campaign),
        *check_audience(campaign.audience, "audience"),
        *_check_pause(campaign),
        *_check_shares(campaign),
        *_check_messages(campaign),
        *_check_conversions(campaign),
    ]


def _check_slug(campaign: Campaign) -> Iterator[Problem]:
    if campaign.slug == "any":
        message = '"any" stands for every campaign in a reference; choose another slug'
        yield Problem("slug", message)


def _check_delivery(campaign: Campaign) -> Iterator[Problem]:
    delivery = campaign.delivery
    for index, trigger in enumerate(delivery.triggers):
        yield from _check_happening(trigger, f"delivery.triggers[{index}]", campaign.slug)
    if isinstance(delivery.delay, After):
        yield from _check_length(delivery.delay.after, "delivery.delay.after", DELAY_MAX)
    for index, exception in enumerate(delivery.exceptions):
        path = f"delivery.exceptions[{index}]"
        yield from _check_happening(exception, path, "")
        if exception.session_start and any(one.session_start for one in delivery.triggers):
            message = "session_start may not be both trigger and exception of one campaign"
            yield Problem(f"{path}.session_start", message)
    waits = {parse_duration(one.did_not.within) for one in delivery.triggers if one.did_not}
    if waits and delivery.delay != "immediately":
        yield Problem("delivery.delay", "leave it out: did_not brings its own delay, `within`")
    if waits and delivery.exceptions:
        yield Problem("delivery.exceptions", "leave them out: did_not brings its own exception")
    if len(waits) > 1 or (waits and not all(trigger.did_not for trigger in delivery.triggers)):
        message = "a did_not stands alone, or beside others with the same `within`"
        yield Problem("delivery.triggers", message)


def _check_happening(happening: Happening, path: str, own_slug: str) -> Iterator[Problem]:
    kinds = [kind for kind in _KINDS if getattr(happening, kind, None) is not None]
    if len(kinds) != 1:
        found = f"has {', '.join(kinds)}" if kinds else "has none"
        allowed = _KINDS if isinstance(happening, Trigger) else _KINDS[:-1]
        yield Problem(path, f"must be exactly one of {', '.join(allowed)}; it {found}")
    if happening.event is not None:
        yield from _check_event(happening.event, f"{path}.event")
    if happening.purchase is not None:
        yield from check_where(happening.purchase.where, f"{path}.purchase.where")
    if (spec := happening.interact_with_campaign) is not None:
        yield from _check_interaction(spec, f"{path}.interact_with_campaign", own_slug)
    if isinstance(happening, Trigger) and happening.did_not is not None:
        yield from _check_did_not(happening.did_not, f"{path}.did_not", own_slug)


def _check_event(event: str | CustomEvent, path: str) -> Iterator[Problem]:
    name = event if isinstance(event, str) else event.name
    name_path = path if isinstance(event, str) else f"{path}.name"
    if name in ACTS or name in INTERACTIONS:
        message = f'"{name}" is an interaction; write interact_with_campaign instead of event'
        yield Problem(name_path, message)
    elif name in (PURCHASE, SESSION_START):
        yield Problem(name_path, f'"{name}" is a kind of its own; write `{name}: {{}}`')
    elif not 1 <= len(name) <= NAME_LENGTH_MAX:
        message = f"must have 1 to {NAME_LENGTH_MAX} characters, not {len(name)}"
        yield Problem(name_path, message)
    if isinstance(event, CustomEvent):
        yield from check_where(event.where, f"{path}.where")


def _check_interaction(spec: InteractWithCampaign, path: str, own_slug: str) -> Iterator[Problem]:
    if spec.interaction not in INTERACTIONS:
        hint = did_you_mean(spec.interaction, [*INTERACTIONS])
        yield Problem(f"{path}.interaction", f"{shown(spec.interaction)} is no interaction{hint}")
    elif spec.include_control and spec.interaction != "conversion":
        message = f"{spec.interaction} takes no include_control; conversion does"
        yield Problem(f"{path}.include_control", message)
    yield from _check_options(spec, path, own_slug)


def _check_did_not(spec: DidNot, path: str, own_slug: str) -> Iterator[Problem]:
    if spec.interaction not in _WAITABLE:
        hint = did_you_mean(spec.interaction, [*_WAITABLE])
        message = f"{shown(spec.interaction)} is no interaction to wait for{hint}"
        yield Problem(f"{path}.interaction", message)
    yield from _check_options(spec, path, own_slug)
    yield from _check_length(spec.within, f"{path}.within", DELAY_MAX, may_be_nothing=False)


def _check_options(
    spec: InteractWithCampaign | DidNot, path: str, own_slug: str
) -> Iterator[Problem]:
    if own_slug and spec.campaign == own_slug:
        yield Problem(f"{path}.campaign", "a campaign cannot be triggered by itself")
    for name in _NAMES:
        if getattr(spec, name) == "":
            yield Problem(f"{path}.{name}", "must not be empty")
    interaction = INTERACTIONS.get(spec.interaction)
    if interaction is None:
        return
    for option in _OPTIONS:
        is_given = getattr(spec, option, None) not in (None, False)
        if is_given and option not in interaction.options:
            takes = " or ".join(interaction.options) or "no options"
            message = f"{interaction.name} takes no {option}; it takes {takes}"
            yield Problem(f"{path}.{option}", message)
        if not is_given and option in interaction.required:
            yield Problem(f"{path}.{option}", f"is missing; {interaction.name} needs it")


def _check_length(
    written: str, path: str, most: int, *, may_be_nothing: bool = True
) -> Iterator[Problem]:
    length = parse_duration(written)
    if length > most:
        yield Problem(path, f"must be at most {most // DAY} days, not {shown(written)}")
    elif not length and not may_be_nothing:
        yield Problem(path, f"must be longer than nothing, not {shown(written)}")


def _check_pause(campaign: Campaign) -> Iterator[Problem]:
    if isinstance(campaign.re_eligibility, After):
        after = campaign.re_eligibility.after
        yield from _check_length(after, "re_eligibility.after", RE_ELIGIBILITY_MAX)


def _check_shares(campaign: Campaign) -> Iterator[Problem]:
    variants, control = campaign.variants, campaign.control_percent
    if variants and campaign.messages:
        yield Problem("messages", "stand beside variants; put them into one of the variants")
    if not variants and not campaign.messages:
        yield Problem("messages", "is missing: a campaign needs `messages` or `variants`")
    if not variants and control == _ALL:
        yield Problem("control_percent", f"leaves nobody to send to; at most {_ALL - 1}")
    names: set[str] = set()
    for number, variant in enumerate(variants):
        if variant.name in names:
            message = f"{shown(variant.name)} is another variant's name already"
            yield Problem(f"variants[{number}].name", message)
        names.add(variant.name)
        if not variant.percent:
            yield Problem(f"variants[{number}].percent", "must be at least 1")
    total = sum(variant.percent for variant in variants) + control
    if variants and total != _ALL:
        message = f"the percentages of variants and control sum to {total}, not {_ALL}"
        yield Problem("variants", message)


def _check_messages(campaign: Campaign) -> Iterator[Problem]:
    yield from _check_message_list(campaign.messages, "messages")
    for number, variant in enumerate(campaign.variants):
        yield from _check_message_list(variant.messages, f"variants[{number}].messages")


def _check_message_list(messages: Iterable[Message], path: str) -> Iterator[Problem]:
    channels: set[Channel] = set()
    for index, message in enumerate(messages):
        place = f"{path}[{index}]"
        written = list(message.written())
        if len(written) != 1:
            found = ", ".join(channel for channel, _ in written) or "none"
            sentence = f"must be exactly one of {', '.join(CHANNELS)}; it has {found}"
            yield Problem(place, sentence)
            continue
        channel, body = written[0]
        if channel in channels:
            yield Problem(place, f"is the variant's second {channel} message; one is allowed")
        channels.add(channel)
        if isinstance(body, Email) and body.html is None and body.text is None:
            yield Problem(f"{place}.email", "needs html, text or both")


def _check_conversions(campaign: Campaign) -> Iterator[Problem]:
    for index, conversion in enumerate(campaign.conversions):
        path = f"conversions[{index}]"
        yield from _check_happening(conversion, path, "")
        yield from _check_length(
            conversion.within, f"{path}.within", CONVERSION_WINDOW_MAX, may_be_nothing=False
        )


def check_references(campaign: Campaign, known: Mapping[str, KnownCampaign]) -> References:
    """Return what publishing would meet (semantics.md 1, 2).

    The campaign has passed its own checks; `known` are the other campaigns, by slug.
    """
    errors: list[Problem] = []
    warnings: list[Problem] = []
    by_id = {one.id: one for one in known.values()}
    for reference in references_in(campaign):
        spec, path = reference.spec, reference.path
        if isinstance(spec.campaign, Tagged):
            tag = spec.campaign.tag
            if not any(tag in one.tags and one.status != "archived" for one in known.values()):
                message = f"no campaign bears the tag {shown(tag)} yet"
                warnings.append(Problem(f"{path}.campaign", message))
        elif spec.campaign == campaign.slug:
            errors += _check_target(spec, _itself(campaign), path)
        elif spec.campaign != "any":
            target = known.get(spec.campaign) or by_id.get(spec.campaign)
            if target is None:
                hint = did_you_mean(spec.campaign, [*known])
                message = f"there is no campaign {shown(spec.campaign)}{hint}"
                errors.append(Problem(f"{path}.campaign", message))
                continue
            errors += _check_target(spec, target, path)
            if target.status == "stopped":
                message = f"{target.slug} is stopped: it sends nothing new to react to"
                warnings.append(Problem(f"{path}.campaign", message))
    return References(errors, [*warnings, *_doubts(campaign)])


def _itself(campaign: Campaign) -> KnownCampaign:
    return KnownCampaign(
        slug=campaign.slug,
        id="",
        status="active",
        tags=campaign.tags,
        channels={message.channel for one in campaign.all_variants() for message in one.messages},
        has_control=campaign.control_percent > 0,
        conversions=len(campaign.conversions),
    )


def _check_target(
    spec: InteractWithCampaign | DidNot, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    if target.status == "archived":
        message = f"{target.slug} is archived; its interactions fire nothing"
        yield Problem(f"{path}.campaign", message)
    interaction = INTERACTIONS[spec.interaction]
    if interaction.channel is not None and interaction.channel not in target.channels:
        message = (
            f"{target.slug} has no {interaction.channel} message, "
            f"so {interaction.name} can never happen"
        )
        yield Problem(f"{path}.interaction", message)
    if interaction.name == "control_group_enroll" and not target.has_control:
        message = f"{target.slug} has no control group, so nobody is ever enrolled"
        yield Problem(f"{path}.interaction", message)
    if interaction.name == "conversion" and isinstance(spec, InteractWithCampaign):
        if spec.conversion_event is None and not target.conversions:
            yield Problem(f"{path}.interaction", f"{target.slug} has no conversion events")
        elif "ABCD".index(spec.conversion_event or "A") >= target.conversions:
            message = f"{target.slug} has no conversion event {spec.conversion_event}"
            yield Problem(f"{path}.conversion_event", message)


def _doubts(campaign: Campaign) -> Iterator[Problem]:
    delivery = campaign.delivery
    delay = delivery.delay
    is_immediate = not isinstance(delay, After) or parse_duration(delay.after) == 0
    if delivery.exceptions and is_immediate:
        yield Problem("delivery.exceptions", "do nothing without a delay: nobody waits")
    for reference in references_in(campaign):
        is_exception = reference.path.startswith("delivery.exceptions")
        cancels = is_exception or isinstance(reference.spec, DidNot)
        if cancels and reference.spec.interaction == "email_open":
            message = (
                "email_open counts machine opens too, which cancel for people who never looked; "
                "email_other_open is a person's"
            )
            yield Problem(f"{reference.path}.interaction", message)


def check_cycles(
    campaign: Campaign, others: Mapping[str, Campaign], slug_by_id: Mapping[str, str] = NO_IDS
) -> References:
    """Return the loops that a campaign closes with the others that send, or are about to.

    One in which nothing ever waits for a person, a delay or re-eligibility is an error.
    """
    found = edges({**others, campaign.slug: campaign}, slug_by_id)
    follows = targets_by_follower(found)
    follows_endlessly = targets_by_follower(edge for edge in found if edge.is_endless)
    errors: list[Problem] = []
    warnings: list[Problem] = []
    own = [edge for edge in found if edge.follower == campaign.slug]
    # A tag or "any" can close many loops through one trigger; the shortest is enough to look at.
    for path, group in groupby(own, lambda edge: edge.path):
        alike = list(group)
        endless = [edge for edge in alike if edge.is_endless]
        if loop := shortest_loop(endless, follows_endlessly):
            message = (
                f"closes a loop that nothing ever stops: {_drawn(loop)}; give one of these "
                'a delay, or a re_eligibility other than "always"'
            )
            errors.append(Problem(path, message))
        elif loop := shortest_loop(alike, follows):
            warnings.append(Problem(path, f"closes a loop of campaigns: {_drawn(loop)}"))
    return References(errors, warnings)


def _drawn(loop: Sequence[str]) -> str:
    return " → ".join((*loop, loop[0]))


def drafts_that_follow(
    slug: str, drafts: Iterable[Campaign], *, tags: Collection[str] = (), campaign_id: str = ""
) -> list[str]:
    """Return the slugs of drafts with a trigger on an interaction with the campaign.

    They name its slug, its id, one of its tags, or "any".
    """
    names = {slug, campaign_id or slug, "any"}

    def is_meant(reference: str | Tagged) -> bool:
        return reference.tag in tags if isinstance(reference, Tagged) else reference in names

    return sorted(
        draft.slug
        for draft in drafts
        if draft.slug != slug
        and any(one.is_trigger and is_meant(one.spec.campaign) for one in references_in(draft))
    )
