"""Where a campaign refers to others."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from segue.model.campaigns import Campaign, DidNot, Happening, InteractWithCampaign


class Reference(Struct, frozen=True):
    """One reference: what it says, where it stands, and whether it enters users."""

    spec: InteractWithCampaign | DidNot
    path: str
    is_trigger: bool = False


def references_in(campaign: Campaign) -> Iterator[Reference]:
    """Yield every reference of a campaign to others."""
    for index, trigger in enumerate(campaign.delivery.triggers):
        path = f"delivery.triggers[{index}]"
        if trigger.interact_with_campaign is not None:
            inner = f"{path}.interact_with_campaign"
            yield Reference(trigger.interact_with_campaign, inner, is_trigger=True)
        if trigger.did_not is not None:
            yield Reference(trigger.did_not, f"{path}.did_not", is_trigger=True)
    lists: dict[str, Sequence[Happening]] = {
        "delivery.exceptions": campaign.delivery.exceptions,
        "conversions": campaign.conversions,
    }
    for name, happenings in lists.items():
        for index, happening in enumerate(happenings):
            if happening.interact_with_campaign is not None:
                path = f"{name}[{index}].interact_with_campaign"
                yield Reference(happening.interact_with_campaign, path)
