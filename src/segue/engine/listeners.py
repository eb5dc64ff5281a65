"""What a campaign listens to: triggers, exceptions and conversions, each with its place.

`did_not` is taken apart here: it is a receipt, a delay and an exception (semantics.md 2).
"""

from typing import Literal

from msgspec import Struct

from segue.model.campaigns import Campaign, DidNot, Happening, InteractWithCampaign, Trigger
from segue.model.interactions import receives_before

Role = Literal["trigger", "exception", "conversion"]


class Listener(Struct, frozen=True):
    """A happening that a campaign listens to, what for, and where its document says so."""

    role: Role
    path: str
    happening: Happening
    is_receipt: bool = False  # only the act by which the user received the campaign


def triggers_of(document: Campaign) -> list[Listener]:
    """Return the triggers; those of a `did_not` are the receipts it waits after."""
    listeners: list[Listener] = []
    for path, trigger in _triggers(document):
        did_not = trigger.did_not
        if did_not is None:
            listeners.append(Listener("trigger", path, trigger))
            continue
        # A receipt converts once: a second view would wait for what cannot come.
        is_receipt = did_not.interaction == "conversion"
        listeners += [
            Listener("trigger", f"{path}.did_not", happening, is_receipt)
            for happening in _received(did_not)
        ]
    return listeners


def exceptions_of(document: Campaign) -> list[Listener]:
    """Return the exceptions, those of `did_not` triggers among them."""
    written = [
        Listener("exception", f"delivery.exceptions[{index}]", exception)
        for index, exception in enumerate(document.delivery.exceptions)
    ]
    implied = [
        Listener("exception", f"{path}.did_not", _did(trigger.did_not))
        for path, trigger in _triggers(document)
        if trigger.did_not is not None
    ]
    return [*written, *implied]


def conversions_of(document: Campaign) -> list[Listener]:
    """Return the conversion events, A first."""
    return [
        Listener("conversion", f"conversions[{index}]", conversion)
        for index, conversion in enumerate(document.conversions)
    ]


def _triggers(document: Campaign) -> list[tuple[str, Trigger]]:
    triggers = document.delivery.triggers
    return [(f"delivery.triggers[{index}]", trigger) for index, trigger in enumerate(triggers)]


def _received(did_not: DidNot) -> list[Happening]:
    """Return what `did_not` waits after: the receipt of the interaction's channel, else of any."""
    return [
        Happening(
            interact_with_campaign=InteractWithCampaign(receive, did_not.campaign, did_not.variant)
        )
        for receive in receives_before(did_not.interaction)
    ]


def _did(did_not: DidNot) -> Happening:
    return Happening(
        interact_with_campaign=InteractWithCampaign(
            did_not.interaction,
            did_not.campaign,
            did_not.variant,
            did_not.alias,
            did_not.button,
            did_not.page,
            did_not.conversion_event,
        )
    )
