"""The seam for email providers' webhooks: a call as it came in, and what it reports.

There is one file for each provider: how it signs its calls, and what its words mean to us.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from segue.channels.receipts import Receipt
from segue.errors import SegueError
from segue.model.instants import SECOND, parse_instant
from segue.model.limits import HOOK_AGE_MAX, HOOK_CLOCK_SKEW

T = TypeVar("T")
_SECONDS_MAX: Final = 1e12  # beyond the calendar; a number may be larger than any instant

# What becomes of a report that is no receipt. A soft bounce is a message that came back although
# the address may be fine; unused: it tells nothing that we act on; faulty: it cannot be read.
Ignored = Literal["soft_bounce", "unused", "faulty"]
IGNORED: Final[tuple[Ignored, ...]] = ("soft_bounce", "unused", "faulty")


class HookCall(Struct, frozen=True):
    """A call of a webhook; the names of the headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


class Reports(Struct, frozen=True):
    """What a call reports. A call that bears an id in `once` may come once only."""

    reports: Sequence[Receipt | Ignored]
    once: str | None = None


class ForgedError(SegueError):
    """The call is not the provider's, or too old to tell."""

    def __init__(self, message: str, *, asks_for_login: bool = False) -> None:
        super().__init__(message)
        self.asks_for_login = asks_for_login


class UnreadableError(SegueError):
    """The call is not of the provider's form."""


class EmailHook(Protocol):
    """Knows one provider's calls."""

    async def read(self, call: HookCall) -> Reports:
        """Return what a call reports.

        Raises:
            ForgedError: it is not the provider's.
            UnreadableError: it is not of the provider's form.
            BusyError: whether it is the provider's cannot be told now.
        """

    async def close(self) -> None:
        """Give connections back."""


def check_age(at: int, now: int) -> None:
    """Refuse a call that was signed long ago, or later than now.

    Raises:
        ForgedError: with what to look at.
    """
    if not now - HOOK_AGE_MAX <= at <= now + HOOK_CLOCK_SKEW:
        message = (
            f"the call was signed {abs(now - at) // SECOND} s "
            f"{'ago' if at < now else 'from now'}; if it is new, look at this machine's clock"
        )
        raise ForgedError(message)


def decode(decoder: "msgspec.json.Decoder[T]", text: bytes | str) -> T:
    """Read JSON.

    Raises:
        UnreadableError: it is none, or not of the form.
    """
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"the body could not be read: {error}"
        raise UnreadableError(message) from None


def read_instant(text: str | None) -> int | None:
    """Return the instant that a provider tells; None if it tells none."""
    try:
        return None if text is None else _within_second(parse_instant(text))
    except ValueError:
        return None


def from_seconds(seconds: float | None) -> int | None:
    """Return the instant so many seconds after 1970, or the last there is."""
    if seconds is None:
        return None
    return _within_second(int(max(min(seconds, _SECONDS_MAX), -_SECONDS_MAX) * SECOND))


def _within_second(instant: int) -> int:
    """Return the last instant that a time of whole seconds may mean.

    The first could lie before the mail went out, or before a follower that waits for it.
    """
    return instant + SECOND - 1 if instant % SECOND == 0 else instant


def text_of(value: Any) -> str:
    """Return a value that a provider gives as text, or not at all."""
    return value if isinstance(value, str) else ""
