"""What a happening was to a trigger, an exception or a conversion event, as a clause."""

import re
from collections.abc import Callable
from typing import Final

from segue.engine.watching import Heard, Hearing
from segue.model.traces import Condition, Facts
from segue.services.explanations.filter_words import condition_words
from segue.services.explanations.words import Words, between, lasting

_INDEX: Final = re.compile(r"\[(\d+)\]")
# What is compared with a name, and told as in "wants the alias "cta"".
_NAMED: Final = frozenset(("alias", "button", "page", "variant", "product_id", "conversion_event"))
_ENDED: Final = {"send": "sent", "skip": "skipped", "cancel": "cancelled"}

Say = Callable[[str, Words, Facts], str]


def role_words(heard: Heard) -> str:
    """Return what of the campaign heard: "trigger 1", "conversion event A"."""
    if heard.role == "conversion" and "conversion_event" in heard.facts:
        return f"conversion event {heard.facts['conversion_event']}"
    found = _INDEX.search(heard.path)
    number = f" {int(found[1]) + 1}" if found else ""
    return f"{heard.role}{number}"


def hearing_clause(heard: Heard, words: Words) -> str:
    """Return what came of it, as a clause that begins with the trigger, exception or conversion."""
    return HEARING_WORDS[heard.outcome](role_words(heard), words, heard.facts)


def _unmatched(role: str, words: Words, facts: Facts) -> str:
    failed = [one for one in facts["conditions"] if not one.is_passed]
    return f"{role} " + " and ".join(_mismatch(one, words) for one in failed)


def _mismatch(condition: Condition, words: Words) -> str:
    """Return what a condition asks that failed, and what was found."""
    subject, wanted, found = condition.subject, condition.wanted, condition.found
    seen = f"it was {words.value(found)}" if found is not None else "there was none"
    if condition.operator == "eq" and subject in _NAMED:
        return f"wants the {subject.replace('_', ' ')} {words.value(wanted)}; {seen}"
    match subject, condition.operator:
        case "include_control", _:
            said = "leaves out what stems from the control group"
        case "is_receipt", _:
            said = "waits after the first view of a send, its receipt; this was a later one"
        case "opened_by", _:
            said = f"wants an open by a {wanted}; a {found} opened it"
        case "button", "is_blank":
            said = f"wants a click beside the buttons; {seen}"
        case "button", "is_not_blank":
            said = "wants a click on a button; it was beside them"
        case _:
            said = f"asks that {condition_words(condition, words)}; {seen}"
    return said


def _nobody_waiting(role: str, words: Words, facts: Facts) -> str:
    happened, wait = facts["happened_at"], facts.get("last_wait")
    if wait is None:
        return f"{role} did nothing: {words.user} was not waiting, and exceptions act during a wait"
    ended = f"{_ENDED[wait['ended_by']]} on {words.at(wait['ended_at'])}"
    if happened < wait["since"]:
        before = between(happened, wait["since"])
        return (
            f"{role} did nothing: it happened {before} before the wait began on "
            f"{words.at(wait['since'])}"
        )
    if happened < wait["due_at"]:
        return (
            f"{role} came too late: it happened during the wait until {words.at(wait['due_at'])}, "
            f"but reached Segue when that had been {ended}"
        )
    return f"{role} came too late: the wait had been {ended}"


def _before_wait(role: str, words: Words, facts: Facts) -> str:
    before = between(facts["happened_at"], facts["waits_since"])
    since = words.at(facts["waits_since"])
    return f"{role} did nothing: it happened {before} before the wait began on {since}"


def _after_due(role: str, words: Words, facts: Facts) -> str:
    return f"{role} came too late: the wait was over on {words.at(facts['due_at'])}"


def _other_version(role: str, words: Words, facts: Facts) -> str:
    return (
        f"{role} is one of version {facts['version']}; {words.user} waits under version "
        f"{facts['wait_version']}, which does not have it"
    )


def _no_receipt(role: str, words: Words, _facts: Facts) -> str:
    return f"{role} counts nothing: {words.user} has not received the campaign"


def _credited(role: str, words: Words, facts: Facts) -> str:
    whose = "enrolment in the control group" if facts["is_control"] else "receipt"
    after = between(facts["happened_at"], facts["received_at"])
    return (
        f"it counts as {role}: {after} after {whose} on {words.at(facts['received_at'])}, "
        f"and {lasting(facts['within'])} are allowed"
    )


def _already_credited(role: str, words: Words, facts: Facts) -> str:
    received = words.at(facts["received_at"])
    return f"{role} was counted already for the receipt of {received}; each receipt has one"


def _before_receipt(role: str, words: Words, facts: Facts) -> str:
    before = between(facts["happened_at"], facts["received_at"])
    received = words.at(facts["received_at"])
    return f"{role} counts nothing: it happened {before} before receipt on {received}"


def _window_closed(role: str, words: Words, facts: Facts) -> str:
    return (
        f"{role} counts nothing: its {lasting(facts['within'])} from receipt on "
        f"{words.at(facts['received_at'])} ended on {words.at(facts['until'])}"
    )


def _not_published(role: str, words: Words, facts: Facts) -> str:
    published = facts.get("published_at")
    if published is None:
        return f"{role} fits, but the campaign has never been published"
    before = between(facts["happened_at"], published)
    return (
        f"{role} fits, but it happened {before} before the campaign was published on "
        f"{words.at(published)}"
    )


def _ended(word: str) -> Say:
    def say(role: str, words: Words, facts: Facts) -> str:
        return f"{role} fits, but the campaign had been {word} on {words.at(facts['ended_at'])}"

    return say


HEARING_WORDS: Final[dict[Hearing, Say]] = {
    "unmatched": _unmatched,
    "considered": lambda role, _words, _facts: f"it is what {role} waits for",
    "passed_over": lambda role, _words, _facts: f"{role} fits as well, and one is enough",
    "cancelled": lambda role, words, facts: (
        f"{role} ends the wait until {words.at(facts['due_at'])}"
    ),
    "nobody_waiting": _nobody_waiting,
    "before_wait": _before_wait,
    "after_due": _after_due,
    "other_version": _other_version,
    "credited": _credited,
    "no_receipt": _no_receipt,
    "already_credited": _already_credited,
    "before_receipt": _before_receipt,
    "window_closed": _window_closed,
    "not_published": _not_published,
    "stopped": _ended("stopped"),
    "archived": _ended("archived"),
    "target_archived": lambda role, _words, _facts: (
        f"{role} fits, but what is done with an archived campaign fires nothing"
    ),
    "not_delivered": lambda role, _words, _facts: (
        f"{role} waits for the receipt of delivery, and this is the hand-over"
    ),
}
