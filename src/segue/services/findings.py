"""What a look at the installation found: each fine, to be watched or broken, with a remedy."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

FindingState = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    name: str
    state: FindingState
    detail: str
    remedy: str = ""


def is_well(findings: Sequence[Finding]) -> bool:
    """Return whether nothing is broken; what is only to be watched does no harm yet."""
    return all(one.state != "fail" for one in findings)
