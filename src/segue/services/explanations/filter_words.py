"""Conditions and filters in words: what is asked, and what was found."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from segue.model.traces import Condition, FilterTrace
from segue.services.explanations.words import Words, channel_word, counted, lasting, times

_OPERATORS: Final[dict[str, str]] = {
    "eq": "is {}",
    "ne": "is not {}",
    "in": "is one of {}",
    "not_in": "is none of {}",
    "gt": "is more than {}",
    "gte": "is at least {}",
    "lt": "is less than {}",
    "lte": "is at most {}",
    "contains": "contains {}",
    "not_contains": "does not contain {}",
    "matches": "matches {}",
    "before": "is before {}",
    "after": "is after {}",
    "in_last": "is in the last {}",
    "not_in_last": "is not in the last {}",
    "is_blank": "is blank",
    "is_not_blank": "is not blank",
}
_LEADS: Final[dict[str, str]] = {
    "received": "has received {}",
    "opened": "has opened {}",
    "clicked": "has clicked in {}",
    "converted": "has converted from {}",
    "in_control": "is in the control group of {}",
}
Say = Callable[[FilterTrace, Words], str]
_CULPRITS_MAX: Final = 3  # named in one sentence; the tree has them all


def condition_words(condition: Condition, words: Words) -> str:
    """Return what a condition asks, such as "country is one of "FR", "BE""."""
    return f"{condition.subject} {operator_words(condition.operator, condition.wanted, words)}"


def operator_words(operator: str, wanted: Any, words: Words) -> str:
    """Return an operator with its operand."""
    if operator in ("is_blank", "is_not_blank"):
        is_blank = (operator == "is_blank") == wanted
        return _OPERATORS["is_blank" if is_blank else "is_not_blank"]
    if operator in ("in_last", "not_in_last"):
        return _OPERATORS[operator].format(lasting(wanted))
    return _OPERATORS[operator].format(words.value(wanted))


def with_sentences(trace: FilterTrace, words: Words) -> FilterTrace:
    """Return a trace with every filter of it in words."""
    parts = [with_sentences(part, words) for part in trace.parts]
    return replace(trace, parts=parts, sentence=filter_sentence(trace, words))


def filter_sentence(trace: FilterTrace, words: Words) -> str:
    """Return one filter in words: what it asks, and what was found."""
    asked, found = asked_words(trace, words), _found(trace, words)
    return f"{asked}; {found}" if found else asked


def culprits(trace: FilterTrace, words: Words) -> str:
    """Return, as a clause, the filters for which a user is outside an audience."""
    blamed = list(_blamed(trace, True))
    shown = [_blame_words(leaf, is_wanted, words) for leaf, is_wanted in blamed[:_CULPRITS_MAX]]
    more = len(blamed) - len(shown)
    return " and ".join([*shown, f"{counted(more, 'more filter')}"] if more else shown)


def _blamed(trace: FilterTrace, is_wanted: bool) -> Iterator[tuple[FilterTrace, bool]]:
    """Yield the leaves because of which a filter is not as wanted, and how each was wanted."""
    match trace.kind:
        case "not":
            yield from _blamed(trace.parts[0], not is_wanted)
        case "all" | "any" if trace.parts:
            for part in trace.parts:
                if part.is_passed != is_wanted:
                    yield from _blamed(part, is_wanted)
        case _:
            yield trace, is_wanted


def _blame_words(leaf: FilterTrace, is_wanted: bool, words: Words) -> str:
    lead = "it asks that" if is_wanted else "it leaves out users of whom it holds that"
    asked, found = asked_words(leaf, words), _found(leaf, words)
    return f"{lead} {asked} ({found})" if found else f"{lead} {asked}"


def asked_words(trace: FilterTrace, words: Words) -> str:
    """Return what a filter asks."""
    return _ASKED[trace.kind](trace, words)


def tree_words(trace: FilterTrace, words: Words) -> str:
    """Return what a filter asks, with all that is in it, as one clause."""
    return _tree_words(trace, words, is_inner=False)


def _tree_words(trace: FilterTrace, words: Words, *, is_inner: bool) -> str:
    match trace.kind:
        case "all" | "any" if trace.parts:
            is_grouped = len(trace.parts) > 1
            said = [_tree_words(part, words, is_inner=is_grouped) for part in trace.parts]
            clause = _listed(said, "and that" if trace.kind == "all" else "or that")
            return f"({clause})" if is_inner and is_grouped else clause
        case "not" if trace.parts:
            return f"it does not hold that {_tree_words(trace.parts[0], words, is_inner=True)}"
        case _:
            return asked_words(trace, words)


def _listed(said: Sequence[str], joint: str) -> str:
    return f"{', '.join(said[:-1])} {joint} {said[-1]}" if len(said) > 1 else "".join(said)


def _subscription_asked(trace: FilterTrace, words: Words) -> str:
    pairs = (f"{name} is {words.value(one)}" for name, one in trace.filter.items())
    return f"the subscription to {' and to '.join(pairs)}"


def _interaction_asked(trace: FilterTrace, words: Words) -> str:
    written = trace.filter
    campaign = written.get("campaign", "any")
    if isinstance(campaign, dict):
        named = f"a campaign tagged {words.value(campaign['tag'])}"
    else:
        named = "any campaign" if campaign == "any" else words.campaign(campaign)
    if trace.kind == "interact_with_campaign":
        clause = f"the user has done {written['interaction']} with {named}"
    else:
        clause = "the user " + _LEADS[trace.kind].format(named)
    for option in ("alias", "button", "page", "variant", "conversion_event"):
        if option in written:
            clause += f", {option.replace('_', ' ')} {words.value(written[option])}"
    if "channel" in written:
        clause += f" by {channel_word(written['channel'])}"
    return clause + _within(written)


def _past_asked(trace: FilterTrace, words: Words) -> str:
    """Return what a filter on events, purchases or sessions asks."""
    written = trace.filter if isinstance(trace.filter, dict) else {"name": trace.filter}
    match trace.kind:
        case "event":
            what = f"the event {words.value(written['name'])}"
        case "purchase" if "product_id" in written:
            what = f"a purchase of {words.value(written['product_id'])}"
        case "purchase":
            what = "a purchase"
        case _:
            what = "a session"
    conditions = [
        f"{where['property']} {operator_words(name, wanted, words)}"
        for where in written.get("where", [])
        for name, wanted in where.items()
        if name != "property"
    ]
    where = f" ({' and '.join(conditions)})" if conditions else ""
    counts = [one for one in trace.conditions if one.subject == "count"]
    asked = " and ".join(_count_words(one) for one in counts) or "any number of times"
    moments = [condition_words(one, words) for one in trace.conditions if one.subject != "count"]
    also = "".join(f", whose {moment}" for moment in moments)
    return f"{what}{where} happened {asked}{_within(written)}{also}"


_COUNTS: Final[dict[str, Callable[[int], str]]] = {
    "eq": lambda count: times(count) if count in (0, 1, 2) else f"exactly {times(count)}",
    "gt": lambda count: f"more than {times(count)}" if count else "at least once",
    "gte": lambda count: f"at least {times(count)}" if count else "any number of times",
    "lt": lambda count: f"fewer than {times(count)}",
    "lte": lambda count: f"at most {times(count)}" if count else "never",
}


def _count_words(condition: Condition) -> str:
    return _COUNTS[condition.operator](condition.wanted)


def _within(written: dict[str, Any]) -> str:
    return f" in the last {lasting(written['within'])}" if "within" in written else ""


def _found(trace: FilterTrace, words: Words) -> str:
    """Return what was found; nothing where the parts of a filter say it."""
    return _FOUND.get(trace.kind, _interaction_found)(trace, words)


def _interaction_found(trace: FilterTrace, words: Words) -> str:
    found = trace.found
    if found is None:
        return "that never happened"
    detail = f" ({words.value(found['detail'])})" if "detail" in found else ""
    what = f"{found['act']}{detail} of {words.campaign(found['campaign'])}"
    return f"last {what} on {words.at(found['last_at'])}"


def _attribute_found(trace: FilterTrace, words: Words) -> str:
    return "it is not set" if trace.found is None else f"it is {words.value(trace.found)}"


def _subscription_found(trace: FilterTrace, words: Words) -> str:
    return ", ".join(f"{name} is {words.value(one)}" for name, one in trace.found.items())


def _address_found(trace: FilterTrace, words: Words) -> str:
    subscription, dead = trace.found["subscription"], trace.found["dead_address"]
    if subscription != "unsubscribed" and dead is not None:
        return f"the address {words.value(dead)} takes no messages"
    return f"the subscription is {words.value(subscription)}"


def _history_found(trace: FilterTrace, words: Words) -> str:
    count, first, last = (trace.found[name] for name in ("count", "first_at", "last_at"))
    if last is None:
        return "that never happened"
    if count == 1 and first == last:
        return f"it happened once, on {words.at(last)}"
    return f"it happened {times(count)}, first on {words.at(first)}, last on {words.at(last)}"


_ASKED: Final[dict[str, Say]] = {
    "all": lambda _trace, _words: "all of these hold",
    "any": lambda _trace, _words: "at least one of these holds",
    "not": lambda _trace, _words: "this does not hold",
    "attribute": lambda trace, words: " and ".join(
        condition_words(one, words) for one in trace.conditions
    ),
    "segment": lambda trace, words: f"the user is in the segment {words.value(trace.filter)}",
    "reachable": lambda trace, _words: f"the user can be reached by {channel_word(trace.filter)}",
    "subscription": _subscription_asked,
    "interact_with_campaign": _interaction_asked,
    **dict.fromkeys(_LEADS, _interaction_asked),
    **dict.fromkeys(("event", "purchase", "session"), _past_asked),
}
_FOUND: Final[dict[str, Say]] = {
    **dict.fromkeys(("all", "any", "not"), lambda _trace, _words: ""),
    "segment": lambda trace, _words: "there is no such segment" if trace.found else "",
    "attribute": _attribute_found,
    "subscription": _subscription_found,
    "reachable": _address_found,
    **dict.fromkeys(("event", "purchase", "session"), _history_found),
}
