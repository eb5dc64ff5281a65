"""What a provider of text messages calls back with, whoever it is: a report, or an inbound text."""

from typing import Final, Literal

from msgspec import Struct

from segue.errors import SegueError

# What became of a message: "dead" says that its number takes none, now or ever, and "stopped"
# that the provider holds it back because the person asked for no more.
Outcome = Literal["delivered", "failed", "dead", "stopped"]
Keyword = Literal["stop", "start", "help"]

# channel-facts.md 1.5: the text is exactly one of these words.
_KEYWORDS: Final[dict[str, Keyword]] = {
    **dict.fromkeys(("stop", "stopall", "unsubscribe", "cancel", "end", "quit"), "stop"),
    **dict.fromkeys(("start", "yes", "unstop"), "start"),
    **dict.fromkeys(("help", "info"), "help"),
}


class ForgedCallbackError(SegueError):
    """The call does not prove that it is the provider's."""


class SmsReport(Struct, frozen=True):
    """What became of a message that we sent; `token` says which one."""

    provider: str
    token: str
    message_id: str
    outcome: Outcome | None  # None: it is still on its way
    to: str = ""
    code: str = ""


class InboundSms(Struct, frozen=True):
    """A text that somebody sent to us.

    `keyword` is what the provider took it for, if it said so: then it has answered already.
    """

    provider: str
    message_id: str
    from_: str
    text: str
    keyword: Keyword | None = None


SmsCallback = SmsReport | InboundSms


def keyword_in(text: str) -> Keyword | None:
    """Return what a text asks for, if it is one of the words for it and nothing else."""
    return _KEYWORDS.get(text.strip().lower())
