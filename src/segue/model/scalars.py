"""The forms of single values in documents: texts, slugs, durations, times of day."""

from typing import Annotated, Final

from msgspec import Meta

from segue.model.instants import DURATION_PATTERN
from segue.model.limits import NAME_LENGTH_MAX

# Alone, `$` also matches before a line's end; and Python reads no endless number.
_END: Final = r"(?!\n)"
SLUG: Final = r"^[a-z0-9][a-z0-9_-]*$" + _END
DURATION: Final = DURATION_PATTERN + _END
CLOCK: Final = r"^([01]\d|2[0-3]):[0-5]\d$" + _END

Text = Annotated[str, Meta(min_length=1)]
Slug = Annotated[str, Meta(pattern=SLUG, max_length=100)]
Duration = Annotated[str, Meta(pattern=DURATION, max_length=NAME_LENGTH_MAX)]
ClockTime = Annotated[str, Meta(pattern=CLOCK)]
