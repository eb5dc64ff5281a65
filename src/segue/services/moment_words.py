"""What happened to users, as sentences: for timelines and for the live feed."""

from collections.abc import Mapping
from typing import Any, Final, Literal, assert_never

from segue.engine.draft import Act
from segue.engine.plan import Plan
from segue.model.events import (
    API_TRIGGER,
    SCHEDULE,
    AttributeChange,
    DeviceChanged,
    SendRetried,
    SendSettled,
)
from segue.model.interactions import ACTS
from segue.model.log_records import UserErased
from segue.model.reasons import REASONS
from segue.model.verdicts import Verdict, VerdictKind
from segue.runtime.moments import PutOff, What
from segue.services.explanations.act_words import act_clause
from segue.services.explanations.result_words import SETTLED_WORDS, settled_clause
from segue.services.explanations.words import Words, channel_word, counted

Kind = Literal["event", "interaction", "profile", "decision", "send", "receipt"]
Tone = Literal["neutral", "good", "warning", "bad", "quiet"]
KIND_WORDS: Final[Mapping[Kind, str]] = {
    "event": "events",
    "interaction": "interactions",
    "profile": "profile changes",
    "decision": "decisions",
    "send": "sends",
    "receipt": "answers of providers",
}
DECISION_TONES: Final[Mapping[VerdictKind, Tone]] = {
    "enter": "neutral",
    "refuse": "quiet",
    "control": "neutral",
    "cancel": "warning",
    "skip": "warning",
    "send": "good",
    "convert": "good",
}
# Reasons that somebody can do something about; the others are what campaigns ask for.
PROBLEMS: Final = frozenset(
    (
        "chain_limit",
        "unreachable",
        "suppressed",
        "no_address",
        "rate_limited",
        "template_error",
        "refused",
        "gave_up",
        "unknown_outcome",
    )
)
_BAD_NEWS: Final = frozenset(
    ("email_bounce", "email_spam_report", "sms_bounce", "sms_undelivered")
)  # of messages that had been handed over
_ATTRIBUTES_NAMED_MAX: Final = 4  # in one sentence; the fields have them all
_PLATFORMS: Final = {"ios": "iOS device", "android": "Android device", "web": "browser"}


def kind_of(what: What) -> Kind:
    """Return what kind of thing happened."""
    match what:
        case Act(event=event):
            return "interaction" if event.name in ACTS else "event"
        case AttributeChange() | DeviceChanged() | UserErased():
            return "profile"
        case Verdict(decision=decision):
            return "send" if decision == "send" else "decision"
        case SendRetried():
            return "send"
        case SendSettled() | PutOff():
            return "receipt"
        case _:
            assert_never(what)


def is_problem(what: What) -> bool:
    """Return whether somebody should have a look."""
    match what:
        case Act(event=event):
            return event.name in _BAD_NEWS
        case Verdict(reason=reason):
            return reason in PROBLEMS
        case SendSettled(settled_as=settled_as, reason=reason):
            return settled_as == "refused" or reason in PROBLEMS
        case PutOff():
            return True
        case _:
            return False


def label_of(what: What) -> tuple[str, Tone]:
    """Return what happened in a word, and its tone."""
    word, tone = _label_of(what)
    return word, "bad" if is_problem(what) and tone != "warning" else tone


def _label_of(what: What) -> tuple[str, Tone]:
    match what:
        case Verdict(decision=decision):
            label: tuple[str, Tone] = decision, DECISION_TONES[decision]
        case SendSettled(settled_as=settled_as):
            label = settled_as, "good" if settled_as == "accepted" else "warning"
        case PutOff():
            label = "put off", "warning"
        case SendRetried():
            label = "retry", "neutral"
        case UserErased():
            label = "erased", "warning"
        case _:
            label = kind_of(what), "neutral"
    return label


def sentence_of(what: What, words: Words, plan: Plan) -> str:
    """Return what happened as a sentence."""
    return words.sentence(_clause_of(what, words, plan))


def _clause_of(what: What, words: Words, plan: Plan) -> str:
    match what:
        case Act(event=event):
            clause = _asked_for(what, words) if event.name in _UNASKED else act_clause(what, words)
        case Verdict():
            clause = verdict_clause(what, words)
        case SendSettled():
            clause = f"{words.campaign(what.campaign)}: {_settled(what, words, plan)}"
        case PutOff():
            clause = _put_off(what, words)
        case SendRetried(deliver=deliver):
            channel = channel_word(deliver.channels[0])
            clause = f"somebody had the {channel} of {words.campaign(deliver.campaign)} tried again"
        case AttributeChange(attributes=attributes):
            clause = _profile(attributes, words)
        case DeviceChanged(device=device, is_removed=is_removed):
            does = "no longer takes push" if is_removed else "takes push from now on"
            clause = f"the {_PLATFORMS[device.platform]} {device.id!r} of {words.user} {does}"
        case UserErased():
            clause = f"{words.user} was erased; what was before is not told"
        case _:
            assert_never(what)
    return clause


def _put_off(put_off: PutOff, words: Words) -> str:
    why = f" ({put_off.detail})" if put_off.detail else ""
    return (
        f"{words.campaign(put_off.campaign)}: the {channel_word(put_off.channel)} was not taken"
        f"{why}; it is tried again on {words.at(put_off.again_at)}"
    )


_UNASKED: Final = (API_TRIGGER, SCHEDULE)


def _asked_for(act: Act, words: Words) -> str:
    campaign = words.campaign(act.event.campaign)
    if act.event.name == SCHEDULE:
        return f"the schedule of {campaign} came to {words.user}"
    return f"a program asked for {campaign} to be sent to {words.user}"


_DECISIONS: Final[Mapping[VerdictKind, str]] = {
    "enter": "{user} waits for {campaign} until {due}",
    "refuse": "{user} does not enter {campaign}{why}",
    "control": "{user} is in the control group of {campaign}, which gets nothing",
    "cancel": "{user} waits no more for {campaign}{why}",
    "skip": "{campaign} is not sent to {user}{why}",
    "send": "{campaign} is handed over for {user}",
    "convert": "{user} converts from {campaign} ({event})",
}


def verdict_clause(verdict: Verdict, words: Words) -> str:
    """Return a decision with its campaign, and why."""
    campaign, due = words.campaign(verdict.campaign), verdict.due or 0
    if verdict.decision == "enter" and due <= verdict.at:
        return f"{words.user} enters {campaign}"
    why = f": {_lowered(REASONS[verdict.reason])}" if verdict.reason is not None else ""
    if verdict.detail:
        why = f"{why.rstrip('.')} ({verdict.detail})"
    return _DECISIONS[verdict.decision].format(
        user=words.user,
        campaign=campaign,
        why=why,
        due=words.at(due) if due else "",
        event=verdict.conversion_event,
    )


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _settled(settled: SendSettled, words: Words, plan: Plan) -> str:
    campaign = plan.campaigns.get(settled.campaign)
    if campaign is not None:
        return settled_clause(settled, campaign.newest.document, words)
    if settled.settled_as == "accepted":
        return f"the {channel_word(settled.channel)} was taken"
    clause = SETTLED_WORDS[settled.reason or "refused"]
    return clause.format(channel=channel_word(settled.channel), user=words.user)


def _profile(attributes: dict[str, Any], words: Words) -> str:
    named = [
        f"{name} was taken away" if value is None else f"{name} is now {words.value(value)}"
        for name, value in list(attributes.items())[:_ATTRIBUTES_NAMED_MAX]
    ]
    more = len(attributes) - len(named)
    if more:
        named.append(counted(more, "more attribute"))
    return f"the profile of {words.user} was changed: {', '.join(named) or 'nothing in it'}"
