"""A fault in something that was sent to us: where, what, and how to mend it."""

from collections.abc import Sequence

from msgspec import Struct

from segue.errors import SegueError


class Problem(Struct, frozen=True):
    """One fault: the path inside the document, and a sentence that shows the bad value."""

    path: str
    message: str


class InvalidError(SegueError):
    """A document or request that cannot be taken; it carries every fault."""

    def __init__(self, problems: Sequence[Problem], what: str = "The document") -> None:
        self.problems = list(problems)
        faults = "; ".join(f"{p.path or '(top)'}: {p.message}" for p in self.problems)
        super().__init__(f"{what} has {len(self.problems)} fault(s): {faults}")
