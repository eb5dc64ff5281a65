"""What came of it: waits, holds, hand-overs and their answers, as clauses."""

from collections.abc import Callable
from typing import Any, Final

from segue.engine.watching import Remark
from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.events import SendSettled
from segue.model.verdicts import Verdict
from segue.runtime.account import Deferral
from segue.services.explanations.words import Words, channel_word, lasting

# What became of a message that was not accepted, by its reason. {channel}, {user}.
SETTLED_WORDS: Final[dict[str, str]] = {
    "recipients_max": "the campaign had been sent to as many users as it may reach",
    "rate_limited": "its turn did not come in time: the campaign sends few a minute",
    "no_address": "the profile of {user} has no address for {channel}",
    "aborted": "the template of the {channel} aborted it for {user}",
    "template_error": "the template of the {channel} failed for {user}",
    "refused": "the provider refused the {channel}",
    "unreachable": "the provider says that the address takes no messages",
    "suppressed": "the address is on the suppression list",
    "gave_up": "the provider could not be reached in the time allowed",
    "unknown_outcome": "Segue was cut off during hand-over, and cannot know whether it went out",
    "campaign_stopped": "the campaign had ended before the {channel} was handed over",
}
# The field of the delivery that sets the limit.
_LIMITS: Final = {"recipients_max": "recipients_max", "rate_limited": "sends_per_minute_max"}
ACCEPTED: Final[dict[Channel, str]] = {
    "email": "the mail server took the email",
    "push": "the push service took the notification",
    "sms": "the provider took the SMS",
    "webhook": "the endpoint answered the webhook with success",
    "in_app_message": "the in-app message is there for the device",
    "content_card": "the content card is there for the device",
}


def settled_clause(settled: SendSettled, document: Campaign, words: Words) -> str:
    """Return what became of one message, with the provider's or the template's own word."""
    if settled.settled_as == "accepted":
        return ACCEPTED[settled.channel]
    reason = settled.reason or "refused"
    clause = SETTLED_WORDS[reason].format(channel=channel_word(settled.channel), user=words.user)
    detail = settled.detail
    if reason in _LIMITS:
        detail = f"{_LIMITS[reason]} is {getattr(document.delivery, _LIMITS[reason])}"
    return f"{clause} ({detail})" if detail else clause


def deferral_clause(deferral: Deferral, words: Words) -> str:
    """Return that a message is tried again, and why it was not taken."""
    why = f" ({deferral.detail})" if deferral.detail else ""
    channel = channel_word(deferral.channel)
    return f"the {channel} was not taken{why}; it is tried again on {words.at(deferral.again_at)}"


def remark_clause(remark: Remark, words: Words) -> str:
    """Return how a wait began, or until when a send is held."""
    facts = remark.facts
    if remark.what == "held":
        return f"held until {words.at(facts['until'])}; an exception still ends it"
    shares = facts["variants"]
    variant = f", variant {facts['variant']}" if len(shares) > 1 else ""
    entered = f"{words.user} entered, under version {facts['version']}{variant}"
    if facts["due_at"] <= facts["since"] or facts["delay"] == {"after": "0s"}:
        return f"{entered}; there is no delay"
    zone = f" in {facts['time_zone']}" if "at" in facts["delay"] else ""
    return f"{entered}; due on {words.at(facts['due_at'])}, {delay_words(facts['delay'])}{zone}"


def delay_words(delay: dict[str, Any]) -> str:
    """Return a delay as it was written."""
    at = f" at {delay['at']}" if "at" in delay else ""
    if "after" in delay:
        return f"{lasting(delay['after'])} after it happened"
    if "on_next" in delay:
        return f"the next {delay['on_next'].capitalize()}{at}"
    return f"{delay['in_days']} calendar days later{at}"


# Why a wait ended before it was due, by its reason.
CANCELLED: Final[dict[str, str]] = {
    "exception_event": "the wait of {user} is cancelled",
    "campaign_stopped": "the wait of {user} is cancelled: the campaign was stopped",
    "campaign_archived": "the wait of {user} is cancelled: the campaign was archived",
}
_DECISIONS: Final[dict[str, Callable[[Words, Verdict], str]]] = {
    "refuse": lambda words, _verdict: f"{words.user} does not enter",
    "control": lambda words, _verdict: f"{words.user} is counted in the control group",
    "cancel": lambda words, verdict: CANCELLED[verdict.reason or ""].format(user=words.user),
    "skip": lambda _words, _verdict: "it is not sent",
    "send": lambda _words, _verdict: "it is handed over",
    "convert": lambda words, verdict: (
        f"{words.user} counts as converted ({verdict.conversion_event})"
    ),
}


def verdict_clause(verdict: Verdict, words: Words) -> str | None:
    """Return a decision; None for an entry, which `remark_clause` tells."""
    said = _DECISIONS.get(verdict.decision)
    return said(words, verdict) if said is not None else None
