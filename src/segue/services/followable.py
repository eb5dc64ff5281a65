"""By which interactions a campaign can be followed: those that its messages can produce."""

from segue.engine.target_checks import can_happen
from segue.model.interactions import INTERACTIONS, Interaction
from segue.services.campaigns import known_campaign
from segue.storage.ports import StoredCampaign


def interactions_with(campaign: StoredCampaign) -> list[Interaction]:
    """Return the interactions that can happen with a campaign; with an archived one, none."""
    target = known_campaign(campaign)
    return [one for one in INTERACTIONS.values() if can_happen(one.name, target)]
