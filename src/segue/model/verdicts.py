"""A verdict: one thing the engine decided about one user and one campaign.

It is the decision line of interface.md, and what the timeline and the counters read.
"""

from typing import Literal

from msgspec import Struct

VerdictKind = Literal["enter", "refuse", "control", "cancel", "skip", "send", "convert"]


class Verdict(Struct, frozen=True, gc=False, omit_defaults=True, array_like=False):
    """What was decided, when (`at`, microseconds), and what caused it (an event's id)."""

    at: int
    user_id: str
    campaign: str
    decision: VerdictKind
    cause: str
    reason: str | None = None
    variant: str | None = None
    due: int | None = None
    send_id: str | None = None
    conversion_event: str | None = None
    detail: str | None = None
