"""Phone numbers as SMS providers take them: a plus, the country code, digits (E.164)."""

import re
from typing import Final

_LENGTH_MAX: Final = 40  # written with blanks and brackets
_SEPARATORS: Final = re.compile(r"[ \u00a0()./-]")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def read_phone(value: object) -> str | None:
    """Return the number that `value` is; None where it has no country code or is no number."""
    if not isinstance(value, str) or len(value) > _LENGTH_MAX:
        return None
    number = _SEPARATORS.sub("", value)
    return number if _NUMBER.fullmatch(number) else None
