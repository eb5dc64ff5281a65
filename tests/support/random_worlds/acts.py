"""What people do with messages, also where nothing of the kind was ever sent."""

from random import Random
from typing import Any

from segue.model.interactions import INTERACTIONS
from tests.support.random_worlds.messages import FOLLOWABLE
from tests.support.random_worlds.stage import ALIASES, EVENTS, PARTS, Target


def happened(random: Random) -> dict[str, Any] | None:
    """Return an event, a purchase or a session; or None: it is to be an interaction."""
    kind = random.random()
    if kind < 0.35:
        properties = {"properties": {"a": {"b": random.choice((1, 2, "x"))}}}
        return {"name": random.choice(EVENTS)} | (properties if random.random() < 0.4 else {})
    if kind < 0.43:
        price = random.choice((5, 20))
        product = random.choice(("sku", "other"))
        bought = {"product_id": product, "price": price, "currency": "EUR", "quantity": 1}
        return {"name": "purchase", **bought}
    return {"name": "session_start"} if kind < 0.47 else None


def name_of_act(random: Random, channel: str) -> str:
    """Return what somebody does with a message of a channel, or what became of it."""
    names = [INTERACTIONS[name].act for name in FOLLOWABLE[channel]]
    if channel == "email":
        names += ["email_bounce", "email_unsubscribe", "email_spam_report", "email_delivered"]
    if channel == "sms":
        names += ["sms_bounce", "sms_undelivered", "sms_unsubscribe"]
    if channel in ("push", "sms"):
        names.append(f"{channel}_delivered")
    if random.random() < 0.05:
        names = ["conversion", "exception_event", "control_group_enroll"]
    return random.choice(names)


def details_of_act(random: Random, name: str, target: Target) -> dict[str, Any]:
    """Return the fields of an act besides its name and its campaign."""
    details: dict[str, Any] = {}
    if name == "email_open" and random.random() < 0.6:
        details["machine"] = random.random() < 0.5
    if name == "email_click" and random.random() < 0.7:
        details["alias"] = random.choice((*ALIASES, "wrong"))
    if name == "push_button_click":
        details["button"] = random.choice((*PARTS, "wrong"))
    if name == "push_story_page_click":
        details["page"] = random.choice((*PARTS, "wrong"))
    if name == "in_app_message_click" and random.random() < 0.6:
        details["button"] = random.choice((*PARTS, "wrong"))
    if name == "conversion":
        details["conversion_event"] = random.choice("AB")
    if target.variants == 2 and random.random() < 0.2:
        details["variant"] = random.choice(("V1", "V2"))
    return details
