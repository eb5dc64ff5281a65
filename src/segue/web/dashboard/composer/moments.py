"""Times of a document in forms: whose clock they are of, and what stays as it was written."""

import re
from datetime import datetime
from typing import Any, Final, Literal

Whose = Literal["workspace", "user", "utc", "zone", "written"]

_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_OFFSET: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def whose_of(texts: list[Any], *, is_local: bool, has_zone: bool = False) -> Whose:
    """Return whose clock times are of; "written" where each text says so itself."""
    if is_local:
        return "user"
    if has_zone:
        return "zone"
    offsets = {found[1] if (found := _OFFSET.search(one)) else "" for one in texts if one}
    if offsets <= {""}:
        return "workspace"
    return "utc" if offsets == {"Z"} else "written"


def is_picked(text: Any, whose: Whose) -> bool:
    """Return whether a calendar can show a time, or it has to be typed."""
    return whose != "written" and (
        not text or _LOCAL.fullmatch(shown_moment(text, whose)) is not None
    )


def shown_moment(text: Any, whose: Whose) -> str:
    """Return a time as its field shows it."""
    if not isinstance(text, str):
        return ""
    return text.removesuffix("Z") if whose == "utc" else text


def moment_of(typed: str, old: Any, whose: str) -> str:
    """Return a time as the document has it; the old text, where it means the same."""
    if typed and whose == "utc" and _OFFSET.search(typed) is None:
        typed += "Z"
    if isinstance(old, str) and _same(old, typed):
        return old
    return typed


def _same(one: str, other: str) -> bool:
    try:
        found = datetime.fromisoformat(one), datetime.fromisoformat(other)
    except ValueError:
        return one == other
    return found[0].tzinfo == found[1].tzinfo and found[0] == found[1]
