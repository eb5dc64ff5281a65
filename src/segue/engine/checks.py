"""Everything that is wrong with a campaign, said before it is published, with paths."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

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
from segue.model.channels import Channel
from segue.model.decoding import decode_document, did_you_mean
from segue.model.events import PURCHASE, SESSION_START
from segue.model.instants import parse_duration
from segue.model.interactions import ACTS, INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.limits import CONVERSION_WINDOW_MAX, DELAY_MAX, RE_ELIGIBILITY_MAX
from segue.model.messages import Email
from segue.model.problems import InvalidError, Problem

_KINDS = ("event", "purchase", "session_start", "interact_with_campaign", "did_not")
_OPTIONS = ("alias", "button", "page", "conversion_event", "body_only", "outcome")


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
        *_check_delivery(campaign),
        *check_audience(campaign.audience, "audience"),
        *_check_durations(campaign),
        *_check_variants(campaign),
        *_check_conversions(campaign),
    ]


def _check_delivery(campaign: Campaign) -> Iterator[Problem]:
    delivery = campaign.delivery
    for index, trigger in enumerate(delivery.triggers):
        yield from _check_happening(trigger, f"delivery.triggers[{index}]", campaign.slug)
    for index, exception in enumerate(delivery.exceptions):
        yield from _check_happening(exception, f"delivery.exceptions[{index}]", "")
    has_did_not = any(trigger.did_not for trigger in delivery.triggers)
    if has_did_not and (delivery.exceptions or delivery.delay != "immediately"):
        message = "did_not brings its own delay and exception: leave out `delay` and `exceptions`"
        yield Problem("delivery", message)
    waits = {trigger.did_not.within for trigger in delivery.triggers if trigger.did_not}
    if len(waits) > 1 or (waits and not all(trigger.did_not for trigger in delivery.triggers)):
        message = "a did_not stands alone, or beside others with the same `within`"
        yield Problem("delivery.triggers", message)
    starts = [t for t in delivery.triggers if t.session_start is not None]
    if starts and any(one.session_start is not None for one in delivery.exceptions):
        message = "session_start may not be both trigger and exception of one campaign"
        yield Problem("delivery.exceptions", message)


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
    if name in ACTS:
        message = f'"{name}" is an interaction; write interact_with_campaign instead of event'
        yield Problem(path, message)
    if name in (PURCHASE, SESSION_START):
        yield Problem(path, f'"{name}" is a kind of its own; write `{name}: {{}}`')
    if isinstance(event, CustomEvent):
        yield from check_where(event.where, f"{path}.where")


def _check_interaction(spec: InteractWithCampaign, path: str, own_slug: str) -> Iterator[Problem]:
    interaction = INTERACTIONS.get(spec.interaction)
    if interaction is None:
        hint = did_you_mean(spec.interaction, [*INTERACTIONS])
        yield Problem(f"{path}.interaction", f'"{spec.interaction}" is no interaction{hint}')
        return
    for option in _OPTIONS:
        is_given = getattr(spec, option) not in (None, False)
        if is_given and option not in interaction.options:
            yield Problem(f"{path}.{option}", f"{interaction.name} takes no {option}")
        if not is_given and option in interaction.required:
            yield Problem(f"{path}.{option}", f"is missing; {interaction.name} needs it")
    if own_slug and spec.campaign == own_slug:
        yield Problem(f"{path}.campaign", "a campaign cannot be triggered by itself")


def _check_did_not(spec: DidNot, path: str, own_slug: str) -> Iterator[Problem]:
    interaction = INTERACTIONS.get(spec.interaction)
    waitable = [
        row.name
        for row in INTERACTIONS.values()
        if row.channel is not None and row.act != RECEIVE_BY_CHANNEL[row.channel]
    ]
    if interaction is None or spec.interaction not in waitable:
        hint = did_you_mean(spec.interaction, waitable)
        message = f'"{spec.interaction}" is no interaction to wait for{hint}'
        yield Problem(f"{path}.interaction", message)
        return
    for option in ("alias", "button", "page"):
        is_given = getattr(spec, option) is not None
        if is_given and option not in interaction.options:
            yield Problem(f"{path}.{option}", f"{interaction.name} takes no {option}")
        if not is_given and option in interaction.required:
            yield Problem(f"{path}.{option}", f"is missing; {interaction.name} needs it")
    if spec.campaign == own_slug:
        yield Problem(f"{path}.campaign", "a campaign cannot be triggered by itself")
    if parse_duration(spec.within) > DELAY_MAX:
        yield Problem(f"{path}.within", f"is longer than 365 days: {spec.within}")


def _check_durations(campaign: Campaign) -> Iterator[Problem]:
    delay, pause = campaign.delivery.delay, campaign.re_eligibility
    if isinstance(delay, After) and parse_duration(delay.after) > DELAY_MAX:
        yield Problem("delivery.delay.after", f"is longer than 365 days: {delay.after}")
    if isinstance(pause, After) and parse_duration(pause.after) > RE_ELIGIBILITY_MAX:
        yield Problem("re_eligibility.after", f"is longer than 720 days: {pause.after}")


def _check_variants(campaign: Campaign) -> Iterator[Problem]:
    if campaign.variants and campaign.messages:
        yield Problem("messages", "stand beside variants; put them into one of the variants")
    if not campaign.variants and not campaign.messages:
        yield Problem("messages", "is missing: a campaign needs `messages` or `variants`")
    names = [variant.name for variant in campaign.variants]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("variants", f'has two variants named "{name}"')
    shares = sum(variant.percent for variant in campaign.variants) + campaign.control_percent
    if campaign.variants and shares != 100:  # noqa: PLR2004 - a percentage
        message = f"the percentages of variants and control sum to {shares}, not 100"
        yield Problem("variants", message)
    if not campaign.variants and campaign.control_percent == 100:  # noqa: PLR2004
        yield Problem("control_percent", "leaves nobody to send to")
    for number, variant in enumerate(campaign.all_variants()):
        root = f"variants[{number}]." if campaign.variants else ""
        if campaign.variants and not variant.percent:
            yield Problem(f"{root}percent", "must be at least 1")
        channels: set[Channel] = set()
        for index, message_ in enumerate(variant.messages):
            path = f"{root}messages[{index}]"
            written = list(message_.written())
            if len(written) != 1:
                found = ", ".join(channel for channel, _ in written) or "none"
                yield Problem(path, f"must have exactly one channel; it has {found}")
                continue
            channel, body = written[0]
            if channel in channels:
                yield Problem(path, f"is the variant's second {channel} message; one is allowed")
            channels.add(channel)
            if isinstance(body, Email) and body.html is None and body.text is None:
                yield Problem(f"{path}.email", "needs html, text or both")


def _check_conversions(campaign: Campaign) -> Iterator[Problem]:
    for index, conversion in enumerate(campaign.conversions):
        path = f"conversions[{index}]"
        yield from _check_happening(conversion, path, "")
        if not 0 < parse_duration(conversion.within) <= CONVERSION_WINDOW_MAX:
            message = f"must be longer than nothing and at most 30 days, not {conversion.within}"
            yield Problem(f"{path}.within", message)


def check_references(campaign: Campaign, known: Mapping[str, KnownCampaign]) -> References:
    """Return what publishing would meet: `known` are the other campaigns (semantics.md 1, 2)."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    by_id = {one.id: one for one in known.values()}
    for reference in references_in(campaign):
        spec, path = reference.spec, reference.path
        if isinstance(spec.campaign, Tagged):
            if not any(spec.campaign.tag in one.tags for one in known.values()):
                message = f'no campaign bears the tag "{spec.campaign.tag}" yet'
                warnings.append(Problem(f"{path}.campaign", message))
        elif spec.campaign not in ("any", campaign.slug):
            target = known.get(spec.campaign) or by_id.get(spec.campaign)
            if target is None:
                hint = did_you_mean(spec.campaign, [*known])
                message = f'there is no campaign "{spec.campaign}"{hint}'
                errors.append(Problem(f"{path}.campaign", message))
            else:
                errors += _check_target(spec, target, path)
                if target.status == "stopped":
                    message = f"{target.slug} is stopped: it sends nothing new to react to"
                    warnings.append(Problem(f"{path}.campaign", message))
    return References(errors, [*warnings, *_doubts(campaign)])


def _check_target(
    spec: InteractWithCampaign | DidNot, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    if target.status == "archived":
        yield Problem(
            f"{path}.campaign", f"{target.slug} is archived; its interactions fire nothing"
        )
    interaction = INTERACTIONS[spec.interaction]
    if interaction.channel is not None and interaction.channel not in target.channels:
        message = (
            f"{target.slug} has no {interaction.channel} message, "
            f"so {interaction.name} can never happen"
        )
        yield Problem(f"{path}.interaction", message)
    if interaction.name == "control_group_enroll" and not target.has_control:
        yield Problem(f"{path}.interaction", f"{target.slug} has no control group")
    if interaction.name == "conversion" and isinstance(spec, InteractWithCampaign):
        letter = spec.conversion_event or "A"
        if "ABCD".index(letter) >= target.conversions:
            message = f"{target.slug} has no conversion event {letter}"
            yield Problem(f"{path}.interaction", message)


def _doubts(campaign: Campaign) -> Iterator[Problem]:
    delivery = campaign.delivery
    if delivery.exceptions and delivery.delay == "immediately":
        message = "do nothing without a delay: nobody waits"
        yield Problem("delivery.exceptions", message)
    for index, exception in enumerate(delivery.exceptions):
        spec = exception.interact_with_campaign
        if spec is not None and spec.interaction == "email_open":
            message = (
                "also counts machine opens, which cancel for people who never looked; "
                "email_other_open is a person's"
            )
            yield Problem(f"delivery.exceptions[{index}]", message)


def drafts_that_follow(slug: str, drafts: Iterable[Campaign]) -> list[str]:
    """Return the slugs of drafts with a trigger on an interaction with the campaign."""
    return sorted(
        draft.slug
        for draft in drafts
        if any(
            reference.is_trigger and reference.spec.campaign == slug
            for reference in references_in(draft)
        )
    )
