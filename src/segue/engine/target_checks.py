"""Can a campaign produce the interaction that another one waits for? (semantics.md 2)"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from segue.engine.listeners import exceptions_of
from segue.engine.references import Spec
from segue.model.campaigns import Campaign, DidNot, InteractWithCampaign
from segue.model.channels import Channel
from segue.model.decoding import did_you_mean, shown
from segue.model.filters import InteractionSpec, PastInteraction, Retargeting
from segue.model.interactions import INTERACTIONS, Interaction
from segue.model.messages import Email, InAppMessage, MessageBody, Push, Sms
from segue.model.problems import Problem

_ALIAS: Final = re.compile(r"""data-alias\s*=\s*["']?([^"'\s>]+)""")
_PLACED: Final = re.compile(r"link-\d+")  # the alias of a link that bears none


class KnownCampaign(Struct, frozen=True):
    """As much of another campaign as a reference to it is checked against."""

    slug: str
    id: str
    status: str
    document: Campaign

    def bodies(self, variant_name: str | None = None) -> Iterator[tuple[Channel, MessageBody]]:
        """Yield every message of every variant, or of one, with its channel."""
        for variant in self.document.all_variants():
            if variant_name in (None, variant.name):
                for message in variant.messages:
                    yield from message.written()

    def aliases(self) -> set[str]:
        """Return the aliases that links of its emails bear."""
        texts = [body.html or "" for _, body in self.bodies() if isinstance(body, Email)]
        return {found for text in texts for found in _ALIAS.findall(text)}

    def named(self, variant_name: str | None) -> str:
        """Return what sentences call the campaign, or one variant of it."""
        return self.slug if variant_name is None else f"variant {variant_name} of {self.slug}"


def check_target(spec: Spec, target: KnownCampaign, path: str) -> Iterator[Problem]:
    """Yield why the target can never produce what a reference names."""
    is_filter = isinstance(spec, PastInteraction | Retargeting)
    if target.status == "archived" and not is_filter:
        message = f"{target.slug} is archived; its interactions fire nothing"
        yield Problem(f"{path}.campaign", message)
    variants = [variant.name for variant in target.document.all_variants()]
    if spec.variant is not None and spec.variant not in variants:
        hint = did_you_mean(spec.variant, variants)
        message = f"{target.slug} has no variant {shown(spec.variant)}{hint}"
        yield Problem(f"{path}.variant", message)
        return
    channels = {channel for channel, _ in target.bodies(spec.variant)}
    if isinstance(spec, Retargeting):
        if spec.channel is not None and spec.channel not in channels:
            message = f"{target.named(spec.variant)} has no {spec.channel} message"
            yield Problem(f"{path}.channel", message)
        return
    interaction = INTERACTIONS[spec.interaction]
    channel = _channel_of(interaction)
    if channel is not None and channel not in channels:
        message = (
            f"{target.named(spec.variant)} has no {channel} message, "
            f"so {interaction.name} can never happen"
        )
        yield Problem(f"{path}.interaction", message)
        return
    yield from _check_happenings(spec, target, path)
    if interaction.name == "conversion":
        yield from _check_conversion(spec.conversion_event, target, path)
    yield from _check_parts(spec, target, path)


def can_happen(interaction: str, target: KnownCampaign) -> bool:
    """Return whether users can ever do an interaction with the target, and it fires something."""
    spec = InteractWithCampaign(interaction=interaction, campaign=target.slug)
    return not any(check_target(spec, target, ""))


def _channel_of(interaction: Interaction) -> Channel | None:
    """Return the channel without which there is no such interaction."""
    return interaction.channel or ("email" if interaction.act == "email_click" else None)


def _check_happenings(
    spec: DidNot | InteractionSpec, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    """Yield why something that Segue itself does with users can never come of the target."""
    document = target.document
    if spec.interaction == "control_group_enroll" and not document.control_percent:
        message = f"{target.slug} has no control group, so nobody is ever enrolled"
        yield Problem(f"{path}.interaction", message)
    elif spec.interaction == "control_group_enroll" and spec.variant is not None:
        message = "leave it out: who is in the control group gets no variant"
        yield Problem(f"{path}.variant", message)
    if spec.interaction == "exception_event" and not exceptions_of(document):
        message = f"{target.slug} has no exceptions, so exception_event can never happen"
        yield Problem(f"{path}.interaction", message)


def _check_conversion(letter: str | None, target: KnownCampaign, path: str) -> Iterator[Problem]:
    count = len(target.document.conversions)
    if letter is None and not count:
        yield Problem(f"{path}.interaction", f"{target.slug} has no conversion events")
    elif "ABCD".index(letter or "A") >= count:
        message = f"{target.slug} has no conversion event {letter}"
        yield Problem(f"{path}.conversion_event", message)


def _check_parts(
    spec: DidNot | InteractionSpec, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    """Yield a button or page that the target's messages do not have."""
    interaction = INTERACTIONS[spec.interaction]
    for option, wanted in (("button", spec.button), ("page", spec.page)):
        if option not in interaction.options:
            continue
        ids = _ids_of(option, interaction.channel, target, spec.variant)
        what = f"the {interaction.channel} message of {target.named(spec.variant)}"
        if not ids:
            message = f"{what} has no {option}s, so {interaction.name} can never happen"
            yield Problem(f"{path}.interaction", message)
        elif wanted is not None and wanted not in ids:
            hint = did_you_mean(wanted, sorted(ids))
            yield Problem(f"{path}.{option}", f"{what} has no {option} {shown(wanted)}{hint}")


def _ids_of(
    option: str, channel: Channel | None, target: KnownCampaign, variant: str | None
) -> set[str]:
    ids: set[str] = set()
    for found, body in target.bodies(variant):
        if found == channel and isinstance(body, Push | InAppMessage):
            buttons, pages = body.buttons, body.pages if isinstance(body, Push) else []
            ids |= {one.id for one in (buttons if option == "button" else pages)}
    return ids


def doubts_of_target(spec: Spec, target: KnownCampaign, path: str) -> Iterator[Problem]:
    """Yield what may well be a mistake about a reference to the target."""
    if target.status == "stopped":
        message = f"{target.slug} is stopped: it sends nothing new to react to"
        yield Problem(f"{path}.campaign", message)
    if not isinstance(spec, Retargeting):
        yield from _doubts_of_tracking(spec, target, path)
    alias = spec.alias
    if alias is None or _PLACED.fullmatch(alias):
        return
    aliases = sorted(target.aliases())
    if alias not in aliases:
        hint = did_you_mean(alias, aliases)
        message = f"no link of {target.slug} bears the alias {shown(alias)}{hint}"
        yield Problem(f"{path}.alias", message)


def _doubts_of_tracking(
    spec: DidNot | InteractionSpec, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    """Warn where no message of the target is tracked: only a report from elsewhere would fire."""
    bodies = [body for _, body in target.bodies(spec.variant)]
    emails = [body for body in bodies if isinstance(body, Email)]
    what = target.named(spec.variant)
    match INTERACTIONS[spec.interaction].act:
        case "email_open" if not any(body.html and body.track_opens for body in emails):
            message = f"no email of {what} tracks opens; that takes html, and track_opens"
        case "email_click" if not any(body.html and body.track_clicks for body in emails):
            message = f"no email of {what} tracks clicks; that takes html, and track_clicks"
        case "sms_short_link_click" if not any(
            body.shorten_links for body in bodies if isinstance(body, Sms)
        ):
            message = f"no SMS of {what} shortens its links; that takes shorten_links"
        case _:
            return
    yield Problem(f"{path}.interaction", message)
