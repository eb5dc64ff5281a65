"""What can be chosen where a campaign follows another: interactions, then campaigns, then parts.

Only what can happen is offered: a campaign that sends no email has none that is opened.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from segue.engine.happening_checks import WAITABLE
from segue.engine.target_checks import KnownCampaign, can_happen
from segue.model.channels import CHANNELS
from segue.model.interactions import INTERACTIONS, Option
from segue.model.messages import InAppMessage, Push
from segue.services.explanations.words import channel_word

Pairs = list[tuple[str, str]]


class InteractionChoices(Struct, frozen=True):
    """What the other campaigns offer to be followed by."""

    others: Sequence[KnownCampaign]

    def interactions(self, *, is_waited_for: bool = False) -> list[tuple[str, Pairs]]:
        """Return the interactions with their labels, by channel; those of any channel last."""
        rows = [one for one in INTERACTIONS.values() if not is_waited_for or one.name in WAITABLE]
        groups: list[tuple[str, Pairs]] = []
        for channel in (*CHANNELS, None):
            pairs = [(one.name, one.label) for one in rows if one.channel == channel]
            title = channel_word(channel) if channel is not None else "whatever was sent"
            if pairs:
                groups.append((title[0].upper() + title[1:], pairs))
        return groups

    def takes(self, interaction: str, option: Option) -> bool:
        """Return whether an interaction can be narrowed by an option."""
        found = INTERACTIONS.get(interaction)
        return found is not None and option in found.options

    def campaigns(self, interaction: str) -> Pairs:
        """Return the campaigns with which an interaction can happen, by name."""
        found = [one for one in self.others if _can(one, interaction)]
        pairs = [(one.slug, _name_of(one)) for one in found]
        return sorted(pairs, key=lambda pair: (pair[1].lower(), pair[0]))

    def tags(self) -> list[str]:
        """Return the tags that any campaign bears."""
        return sorted({tag for one in self.others for tag in one.document.tags})

    def name(self, reference: str) -> str:
        """Return what a campaign is called; the reference itself where there is none."""
        found = self.find(reference)
        return _name_of(found) if found is not None else reference

    def find(self, reference: Any) -> KnownCampaign | None:
        """Return a campaign by slug or id."""
        return next((one for one in self.others if reference in (one.slug, one.id)), None)

    def variants(self, reference: Any) -> list[str]:
        """Return the names of a campaign's variants, where there are several."""
        found = self.find(reference)
        names = [one.name for one in found.document.all_variants()] if found is not None else []
        return names if len(names) > 1 else []

    def aliases(self, reference: Any) -> list[str]:
        """Return the aliases of links in a campaign's emails; of all, where none is named."""
        return sorted({alias for one in self._chosen(reference) for alias in one.aliases()})

    def buttons(self, reference: Any, interaction: str) -> Pairs:
        """Return the buttons that an interaction can be with."""
        is_push = interaction == "push_button_click"
        kind = Push if is_push else InAppMessage
        return [
            (button.id, f"{button.text} ({button.id})")
            for body in self._bodies(reference)
            if isinstance(body, kind)
            for button in body.buttons
        ]

    def pages(self, reference: Any) -> list[str]:
        """Return the pages of a campaign's push stories."""
        return [
            one.id
            for body in self._bodies(reference)
            if isinstance(body, Push)
            for one in body.pages
        ]

    def events(self) -> list[str]:
        """Return the custom events that campaigns listen to already."""
        names: set[str] = set()
        for one in self.others:
            delivery = one.document.delivery
            for happening in (*delivery.triggers, *delivery.exceptions, *one.document.conversions):
                if happening.event is not None:
                    event = happening.event
                    names.add(event if isinstance(event, str) else event.name)
        return sorted(names)

    def _chosen(self, reference: Any) -> Sequence[KnownCampaign]:
        found = self.find(reference)
        return [found] if found is not None else self.others if reference == "any" else ()

    def _bodies(self, reference: Any) -> Iterable[Any]:
        return (body for one in self._chosen(reference) for _, body in one.bodies())


def _can(target: KnownCampaign, interaction: str) -> bool:
    if interaction not in INTERACTIONS:
        return target.status != "archived"
    return can_happen(interaction, target)


def _name_of(campaign: KnownCampaign) -> str:
    state = "" if campaign.status == "active" else f" ({campaign.status})"
    return f"{campaign.document.name}{state}"
