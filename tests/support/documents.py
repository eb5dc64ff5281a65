"""Valid campaign documents as plain values, to be spoilt at one place by each test."""

import copy
import re
from typing import Any

REMOVED = object()  # as an override: take this part away

Document = dict[str, Any]


def email(**parts: Any) -> Document:
    """Return an email message."""
    return {"email": {"subject": "Hello", "text": "Hello!", **parts}}


def push(**parts: Any) -> Document:
    """Return a push message."""
    return {"push": {"title": "Hello", **parts}}


def interaction(name: str, campaign: Any = "spring-sale", **options: Any) -> Document:
    """Return a happening: an interaction with a campaign."""
    return {"interact_with_campaign": {"campaign": campaign, "interaction": name, **options}}


def did_not(name: str, campaign: Any = "spring-sale", within: str = "7d", **more: Any) -> Document:
    """Return a trigger: an interaction that did not come in time."""
    return {"did_not": {"campaign": campaign, "interaction": name, "within": within, **more}}


def campaign(slug: str = "resend", overrides: Document | None = None, **parts: Any) -> Document:
    """Return the seed's campaign: a week after an email, unless it was opened.

    `parts` replace fields at the top; `overrides` values at paths such as `delivery.triggers[0]`.
    """
    document: Document = {
        "slug": slug,
        "name": "Resend to non-openers",
        "delivery": {
            "triggers": [interaction("email_receive")],
            "delay": {"after": "7d"},
            "exceptions": [interaction("email_other_open")],
        },
        "messages": [email()],
        **parts,
    }
    return spoilt(document, overrides or {})


def follower(slug: str, *triggers: Document, **parts: Any) -> Document:
    """Return a campaign that sends at once, and always again, after any of the triggers."""
    delivery = {"triggers": list(triggers) or [{"event": "signed_up"}]}
    return campaign(slug, **{"delivery": delivery, "re_eligibility": "always", **parts})


def spoilt(document: Document, overrides: Document) -> Document:
    """Return a copy of the document with the values at these paths replaced or taken away."""
    changed = copy.deepcopy(document)
    for path, value in overrides.items():
        *outer, last = [
            int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path)
        ]
        place: Any = changed
        for key in outer:
            place = place[key]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    return changed


def webhook_campaign(
    slug: str, url: str, trigger: dict[str, Any], **delivery: Any
) -> dict[str, Any]:
    """Return a campaign that calls a webhook for everybody who does something."""
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": [trigger], **delivery},
        "re_eligibility": "always",
        "messages": [{"webhook": {"url": url, "body": {"user": "{{ user_id }}"}}}],
        "conversions": [{"purchase": {}, "within": "1h"}],
    }
