"""Can a campaign produce the interaction that another one waits for? (semantics.md 2)"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from segue.engine.references import Spec
from segue.model.campaigns import Campaign, DidNot, InteractWithCampaign
from segue.model.channels import Channel
from segue.model.decoding import did_you_mean, shown
from segue.model.filters import PastInteraction, Retargeting
from segue.model.interactions import INTERACTIONS
from segue.model.messages import Email, InAppMessage, MessageBody, Push
from segue.model.problems import Problem

_ALIAS: Final = re.compile(r"""data-alias\s*=\s*["']?([^"'\s>]+)""")
_PLACED: Final = re.compile(r"link-\d+")  # the alias of a link that bears none


class KnownCampaign(Struct, frozen=True):
    """As much of another campaign as a reference to it is checked against."""

    slug: str
    id: str
    status: str
    document: Campaign

    def bodies(self) -> Iterator[tuple[Channel, MessageBody]]:
        """Yield every message of every variant, with its channel."""
        for variant in self.document.all_variants():
            for message in variant.messages:
                yield from message.written()


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
    channels = {channel for channel, _ in target.bodies()}
    if isinstance(spec, Retargeting):
        if spec.channel is not None and spec.channel not in channels:
            yield Problem(f"{path}.channel", f"{target.slug} has no {spec.channel} message")
        return
    interaction = INTERACTIONS[spec.interaction]
    if interaction.channel is not None and interaction.channel not in channels:
        message = (
            f"{target.slug} has no {interaction.channel} message, "
            f"so {interaction.name} can never happen"
        )
        yield Problem(f"{path}.interaction", message)
        return
    if interaction.name == "control_group_enroll" and not target.document.control_percent:
        message = f"{target.slug} has no control group, so nobody is ever enrolled"
        yield Problem(f"{path}.interaction", message)
    if interaction.name == "conversion":
        yield from _check_conversion(spec.conversion_event, target, path)
    yield from _check_parts(spec, target, path)


def _check_conversion(letter: str | None, target: KnownCampaign, path: str) -> Iterator[Problem]:
    count = len(target.document.conversions)
    if letter is None and not count:
        yield Problem(f"{path}.interaction", f"{target.slug} has no conversion events")
    elif "ABCD".index(letter or "A") >= count:
        message = f"{target.slug} has no conversion event {letter}"
        yield Problem(f"{path}.conversion_event", message)


def _check_parts(
    spec: DidNot | PastInteraction | InteractWithCampaign, target: KnownCampaign, path: str
) -> Iterator[Problem]:
    """Yield a button or page that the target's messages do not have."""
    interaction = INTERACTIONS[spec.interaction]
    for option, wanted in (("button", spec.button), ("page", spec.page)):
        if option not in interaction.options:
            continue
        ids = _ids_of(option, interaction.channel, target)
        what = f"{target.slug}'s {interaction.channel} message"
        if not ids:
            message = f"{what} has no {option}s, so {interaction.name} can never happen"
            yield Problem(f"{path}.interaction", message)
        elif wanted is not None and wanted not in ids:
            hint = did_you_mean(wanted, sorted(ids))
            yield Problem(f"{path}.{option}", f"{what} has no {option} {shown(wanted)}{hint}")


def _ids_of(option: str, channel: Channel | None, target: KnownCampaign) -> set[str]:
    ids: set[str] = set()
    for found, body in target.bodies():
        if found == channel and isinstance(body, Push | InAppMessage):
            buttons, pages = body.buttons, body.pages if isinstance(body, Push) else []
            ids |= {one.id for one in (buttons if option == "button" else pages)}
    return ids


def doubts_of_target(spec: Spec, target: KnownCampaign, path: str) -> Iterator[Problem]:
    """Yield what may well be a mistake about a reference to the target."""
    if target.status == "stopped":
        message = f"{target.slug} is stopped: it sends nothing new to react to"
        yield Problem(f"{path}.campaign", message)
    alias = spec.alias
    if alias is None or _PLACED.fullmatch(alias):
        return
    texts = [body.html or "" for _, body in target.bodies() if isinstance(body, Email)]
    aliases = sorted({found for text in texts for found in _ALIAS.findall(text)})
    if alias not in aliases:
        hint = did_you_mean(alias, aliases)
        message = f"no link of {target.slug} bears the alias {shown(alias)}{hint}"
        yield Problem(f"{path}.alias", message)
