"""What a decision looked at, for explanations. Nothing is noted unless somebody watches."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from segue.engine.draft import Act


class Check(Struct, frozen=True):
    """One check of a campaign: the reason it stands for, whether it held, and what it compared."""

    campaign: str
    reason: str
    is_passed: bool
    facts: dict[str, Any]


class Watch:
    """Collects what `decide` handled, in order: acts, and the checks that each led to."""

    def __init__(self) -> None:
        self.seen: list[Act | Check] = []
