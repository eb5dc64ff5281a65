"""Filters on what a user did with campaigns: received, opened, clicked, converted, and the rest.

They read what memberships keep of acts; an act is noted after the triggers that it fires
(semantics.md 3, step 1), so that "has never clicked" can be true of the click that triggers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from segue.engine.matching import Target, resolve
from segue.model.channels import CHANNELS, Channel
from segue.model.filters import InteractionSpec, PastInteraction, Retargeting, Tagged
from segue.model.instants import parse_duration
from segue.model.interactions import CONVERSION, DELIVERED_ACTS, INTERACTIONS, RECEIVE_BY_CHANNEL
from segue.model.state import CONTROL_VARIANT, Done, Membership, UserState

# The interactions that the short filters stand for; those of one channel name it.
_MEANT: Final[dict[str, tuple[str, ...]]] = {
    "received": tuple(RECEIVE_BY_CHANNEL[channel] for channel in CHANNELS),
    "opened": ("email_open", "push_direct_open"),
    "clicked": (
        "email_click",
        "sms_short_link_click",
        "push_button_click",
        "push_story_page_click",
        "in_app_message_click",
        "content_card_click",
    ),
    "converted": ("conversion",),
    "in_control": ("control_group_enroll",),
}

Holds = Callable[[UserState, int], bool]


def meant_by(kind: str, short: Retargeting) -> list[PastInteraction]:
    """Return the interactions of which a short filter wants any; none that has its options."""
    names: Iterable[str] = _MEANT[kind]
    if short.channel is not None:
        names = [name for name in names if INTERACTIONS[name].channel == short.channel]
    if short.alias is not None:
        names = ["email_alias_click"] if "email_click" in names else []
    return [
        PastInteraction(name, short.campaign, short.variant, short.alias, within=short.within)
        for name in names
    ]


def channels_of(kind: str) -> list[Channel]:
    """Return the channels that a short filter can be narrowed to."""
    channels = (INTERACTIONS[name].channel for name in _MEANT[kind])
    return list(dict.fromkeys(channel for channel in channels if channel is not None))


def compile_interaction(spec: PastInteraction, targets: Mapping[str, Target]) -> Holds:
    """Return whether the user did an interaction with one of the campaigns meant."""
    is_meant = compile_done(spec)
    within = parse_duration(spec.within) if spec.within is not None else None

    def has_done(membership: Membership, at: int) -> bool:
        return any(
            is_meant(done) and (within is None or done.last_at >= at - within)
            for done in membership.done
        )

    slugs = _slugs_meant(spec, targets)
    if slugs is None:
        return lambda state, at: any(has_done(one, at) for one in state.memberships.values())
    if len(slugs) != 1:
        return lambda state, at: any(
            has_done(one, at) for slug, one in state.memberships.items() if slug in slugs
        )
    (slug,) = slugs

    def has_done_with(state: UserState, at: int) -> bool:
        membership = state.memberships.get(slug)
        return membership is not None and has_done(membership, at)

    return has_done_with


def done_like(
    spec: PastInteraction, state: UserState, targets: Mapping[str, Target]
) -> list[tuple[str, Done]]:
    """Return what the user did of an interaction, whenever it was, with the campaign of each."""
    is_meant = compile_done(spec)
    slugs = _slugs_meant(spec, targets)
    return [
        (slug, done)
        for slug, membership in state.memberships.items()
        if slugs is None or slug in slugs
        for done in membership.done
        if is_meant(done)
    ]


def _slugs_meant(spec: PastInteraction, targets: Mapping[str, Target]) -> frozenset[str] | None:
    """Return the slugs of the campaigns meant; None for all. One that is not there is a slug."""
    if spec.campaign == "any":
        return None
    slugs = resolve(spec.campaign, targets)
    if isinstance(spec.campaign, Tagged):
        return frozenset(slugs)
    return frozenset((next(iter(slugs), spec.campaign),))


def compile_done(spec: InteractionSpec) -> Callable[[Done], bool]:
    """Return whether an act that a user did is the interaction, whenever it was."""
    interaction = INTERACTIONS[spec.interaction]
    act = DELIVERED_ACTS[interaction.act] if spec.outcome else interaction.act
    detail = spec.alias or spec.button or spec.page or spec.conversion_event
    variant, reading, body_only = spec.variant, interaction.reading, spec.body_only
    leaves_out_control = act == CONVERSION and not spec.include_control

    def is_meant(done: Done) -> bool:
        if done.act != act or (leaves_out_control and done.variant == CONTROL_VARIANT):
            return False
        if detail is not None and done.detail != detail:
            return False
        if variant is not None and done.variant != variant:
            return False
        match reading:
            case "machine" | "person":
                return done.is_machine == (reading == "machine")
            case "button":
                return done.detail != ""
        return not body_only or done.detail == ""

    return is_meant
