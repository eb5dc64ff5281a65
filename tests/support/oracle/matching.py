"""What campaigns listen to, and whether an act is it (semantics.md 2)."""

from segue.model import campaigns as document
from segue.model import interactions as catalogue
from segue.model.campaigns import Campaign, Happening, InteractWithCampaign
from segue.model.filters import PastInteraction, PropertyCondition, Tagged
from tests.support.oracle.memory import Act, Knowledge
from tests.support.oracle.values import where_holds

OPTIONS = ("alias", "button", "page")

# did_not is short for receive + delay + exception, and compiled to it


def _receive_of(short: document.DidNot) -> Happening:
    channel = catalogue.INTERACTIONS[short.interaction].channel
    assert channel is not None
    receive = catalogue.RECEIVE_BY_CHANNEL[channel]
    spec = InteractWithCampaign(receive, campaign=short.campaign, variant=short.variant)
    return Happening(interact_with_campaign=spec)


def _exception_of(short: document.DidNot) -> Happening:
    fields = ("interaction", "campaign", "variant", *OPTIONS)
    spec = InteractWithCampaign(**{name: getattr(short, name) for name in fields})
    return Happening(interact_with_campaign=spec)


def triggers_of(campaign: Campaign) -> list[Happening]:
    """Return what enters a user."""
    return [
        trigger if trigger.did_not is None else _receive_of(trigger.did_not)
        for trigger in campaign.delivery.triggers
    ]


def delay_of(campaign: Campaign) -> document.Delay | None:
    """Return the delay, None for none; that of `did_not` is its own."""
    shorts = [trigger.did_not for trigger in campaign.delivery.triggers if trigger.did_not]
    if shorts:
        return document.Delay(after=shorts[0].within)
    delay = campaign.delivery.delay
    return delay if isinstance(delay, document.Delay) else None


def exceptions_of(campaign: Campaign) -> list[Happening]:
    """Return what cancels a wait."""
    shorts = [trigger.did_not for trigger in campaign.delivery.triggers]
    compiled = [_exception_of(short) for short in shorts if short is not None]
    return [*campaign.delivery.exceptions, *compiled]


def matches(happening: Happening, act: Act, knowledge: Knowledge) -> bool:
    """Say whether an act, whose variant is known as far as it can be, is what is listened to."""
    if happening.interact_with_campaign is not None:
        heard = happening.interact_with_campaign.interaction
        holds = interaction_matches(happening.interact_with_campaign, act, knowledge)
    elif happening.purchase is not None:
        heard, spec = "purchase", happening.purchase
        holds = purchase_matches(spec.product_id, spec.where, act)
    elif happening.session_start is not None:
        heard = "session_start"
        holds = act.name == "session_start"
    else:
        heard, named = "event", happening.event
        event = document.CustomEvent(named) if isinstance(named, str) else named
        assert event is not None
        holds = act.name == event.name and where_holds(event.where, act.properties, act.happened_at)
    if holds:
        knowledge.seen[f"heard {heard}"] += 1
    return holds


def purchase_matches(product_id: str | None, where: list[PropertyCondition], act: Act) -> bool:
    """Say whether an act is a purchase of the product, on the conditions."""
    if act.name != "purchase" or product_id not in (None, act.purchase.get("product_id")):
        return False
    return where_holds(where, {**act.properties, **act.purchase}, act.happened_at)


def interaction_matches(
    spec: InteractWithCampaign | PastInteraction, act: Act, knowledge: Knowledge
) -> bool:
    """Say whether an act with a campaign is read by an interaction."""
    row = catalogue.INTERACTIONS[spec.interaction]
    name = row.act if spec.outcome is None else catalogue.DELIVERED_ACTS[spec.interaction]
    if act.name != name or not campaign_matches(spec.campaign, act.campaign, knowledge):
        return False
    if act.is_control and not spec.include_control:
        return False
    if spec.variant is not None and spec.variant != act.variant:
        return False
    reading_holds = {
        "any": True,
        "machine": act.machine is True,
        "person": act.machine is not True,
        "aliased": act.alias is not None and act.alias == spec.alias,
        "button": act.button is not None,
    }
    if not reading_holds[row.reading] or (spec.body_only and act.button is not None):
        return False
    options = ("button", "page", "conversion_event")
    return all(getattr(spec, name) in (None, getattr(act, name)) for name in options)


def campaign_matches(spec: str | Tagged, slug: str | None, knowledge: Knowledge) -> bool:
    """Say whether a campaign is the one of that slug or id, any, or one that bears the tag now."""
    if slug is None:
        return False
    if isinstance(spec, Tagged):
        life = knowledge.lives.get(slug)
        return life is not None and spec.tag in life.newest.tags
    return spec == "any" or knowledge.find(spec) == slug
