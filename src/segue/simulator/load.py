"""The load of the benchmarks: design.md's mix of events, as bodies of `POST /events`."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.instants import format_instant
from segue.simulator.dice import Dice

CAMPAIGNS: Final = 50
TARGETS: Final = 10
_PROPERTIES: Final = {"product_id": "sku-12", "price": 19.5, "currency": "EUR"}


def campaigns() -> list[Campaign]:
    """Return ten campaigns that people interact with, and forty that follow them."""
    message = [{"webhook": {"url": "http://127.0.0.1:9/", "body": "x"}}]
    targets = [
        {
            "slug": f"target-{number}",
            "name": "Target",
            "delivery": {"type": "action", "triggers": [{"event": f"never-{number}"}]},
            "messages": [{"email": {"subject": "x", "text": "x"}}],
        }
        for number in range(TARGETS)
    ]
    followers = [
        {
            "slug": f"follower-{number}",
            "name": "Follower",
            "delivery": {
                "type": "action",
                "triggers": [_click(number, f"enter-{number}")],
                "delay": {"after": "7d"},
                "exceptions": [_click(number, f"cancel-{number}")],
            },
            "re_eligibility": "always",
            "messages": message,
        }
        for number in range(CAMPAIGNS - TARGETS)
    ]
    return [decode_campaign(document) for document in (*followers, *targets)]


def _click(number: int, alias: str) -> dict[str, Any]:
    spec = {"interaction": "email_alias_click", "campaign": f"target-{number % TARGETS}"}
    return {"interact_with_campaign": {**spec, "alias": alias}}


def bodies(
    batch_count: int, batch_size: int, users: int, at: int, every_event_counts: bool = False
) -> Iterator[bytes]:
    """Yield bodies of calls: 90 % of no interest, 10 % interactions; 3 % enter, 1 % cancel.

    With `every_event_counts`, all of them are interactions, in the same proportions.
    """
    dice = Dice("load")
    time = format_instant(at)
    entered: list[tuple[str, int]] = []
    for _ in range(batch_count):
        events = []
        for _ in range(batch_size):
            throw = dice.fraction()
            user = f"user-{int(dice.fraction() * users)}"
            if throw < 0.01 and entered:  # noqa: PLR2004 - design.md's share
                user, number = entered.pop()
                events.append(_interaction(user, time, number, f"cancel-{number}"))
            elif throw < 0.04:  # noqa: PLR2004 - design.md's share
                number = int(dice.fraction() * (CAMPAIGNS - TARGETS))
                entered.append((user, number))
                del entered[:-10_000]
                events.append(_interaction(user, time, number, f"enter-{number}"))
            elif throw < 0.1 or every_event_counts:  # noqa: PLR2004 - design.md's share
                number = int(dice.fraction() * TARGETS)
                events.append(_interaction(user, time, number, "other"))
            else:
                events.append(
                    {
                        "user_id": user,
                        "name": "product_viewed",
                        "time": time,
                        "properties": _PROPERTIES,
                    }
                )
        yield msgspec.json.encode({"events": events})


def _interaction(user: str, time: str, number: int, alias: str) -> dict[str, Any]:
    return {
        "user_id": user,
        "name": "email_click",
        "time": time,
        "campaign": f"target-{number % TARGETS}",
        "alias": alias,
    }
