"""Where a campaign, or an audience, refers to campaigns and segments."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, Struct

from segue.engine.audience import RETARGETING_KINDS
from segue.model.campaigns import Campaign, DidNot, Happening, InteractWithCampaign
from segue.model.filters import Filter, PastInteraction, Retargeting

Spec = InteractWithCampaign | DidNot | PastInteraction | Retargeting


class Reference(Struct, frozen=True):
    """One reference to campaigns: what it says, where it stands, and whether it enters users."""

    spec: Spec
    path: str
    is_trigger: bool = False


def references_in(campaign: Campaign) -> Iterator[Reference]:
    """Yield every reference of a campaign to campaigns."""
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
    yield from references_of_filter(campaign.audience, "audience")


def references_of_filter(node: Filter | None, path: str) -> Iterator[Reference]:
    """Yield every reference of a filter tree to campaigns."""
    for leaf, place in leaves_of(node, path):
        for kind in (*RETARGETING_KINDS, "interact_with_campaign"):
            spec = getattr(leaf, kind)
            if spec is not UNSET:
                yield Reference(spec, f"{place}.{kind}")


def segments_in(node: Filter | None, path: str) -> Iterator[tuple[str, str]]:
    """Yield every segment that a filter tree names, with the place."""
    for leaf, place in leaves_of(node, path):
        if leaf.segment is not UNSET:
            yield leaf.segment, f"{place}.segment"


def leaves_of(node: Filter | None, path: str) -> Iterator[tuple[Filter, str]]:
    """Yield the filters of a tree that have no others in them, with their places."""
    if node is None:
        return
    is_branch = False
    for name in ("all", "any"):
        parts = getattr(node, name)
        if parts is not UNSET:
            is_branch = True
            for index, part in enumerate(parts):
                yield from leaves_of(part, f"{path}.{name}[{index}]")
    if node.not_ is not UNSET:
        is_branch = True
        yield from leaves_of(node.not_, f"{path}.not")
    if not is_branch:
        yield node, path
