"""Every check of the engine as a clause, passed and failed, with the values it compared."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from segue.engine.watching import Check, CheckReason
from segue.model.traces import Facts
from segue.services.explanations.filter_words import culprits
from segue.services.explanations.words import Words, between, channel_word, counted, lasting

_BUCKET_LAST: Final = 99

Say = Callable[[Words, Facts], str]


class CheckWords(Struct, frozen=True):
    """How a check is told when it held, and when it did not."""

    passed: Say
    failed: Say


def check_clause(check: Check, words: Words) -> str:
    """Return what a check compared, and so why it held or did not."""
    said = CHECK_WORDS[check.reason]
    return (said.passed if check.is_passed else said.failed)(words, check.facts)


def _published_passed(words: Words, facts: Facts) -> str:
    happened, published = facts["happened_at"], facts["published_at"]
    if facts["is_backfill"]:
        return (
            f"a backfill lets it in, although it happened {between(happened, published)} "
            f"before publication on {words.at(published)}"
        )
    if happened == published:
        return "it happened at the instant the campaign was published"
    return (
        f"it happened {between(happened, published)} after the campaign was published on "
        f"{words.at(published)}"
    )


def _published_failed(words: Words, facts: Facts) -> str:
    happened, received, published = (
        facts[name] for name in ("happened_at", "received_at", "published_at")
    )
    return (
        f"it happened {between(happened, published)} before the campaign was published on "
        f"{words.at(published)} (it reached Segue {between(happened, received)} after it happened)"
    )


def _window_passed(words: Words, facts: Facts) -> str:
    if facts["window"] is None:
        return "the campaign has no window"
    return f"{words.at(facts['at'])} is inside the campaign's window, {_window(words, facts)}"


def _window_failed(words: Words, facts: Facts) -> str:
    at, start, end = facts["at"], facts["start"], facts["end"]
    if start is not None and at < start:
        where = f"{between(at, start)} before the campaign's window"
    elif at == end:
        where = "the very end of the campaign's window"
    else:
        where = f"{between(at, end)} after the campaign's window"
    return f"{words.at(at)} is {where}, {_window(words, facts)}"


def _window(words: Words, facts: Facts) -> str:
    start = f"from {words.at(facts['start'])}" if facts["start"] is not None else ""
    end = f"until {words.at(facts['end'])}" if facts["end"] is not None else ""
    local = f" in {facts['time_zone']}" if facts["window"].get("local") else ""
    return f"{start} {end}".strip() + local


def _audience_passed(words: Words, facts: Facts) -> str:
    if facts.get("recheck_audience") is False:
        return "the audience is not looked at again (recheck_audience is off)"
    again = "still " if facts.get("recheck_audience") else ""
    if facts["audience"] is None:
        return "the audience is everybody"
    return f"{words.user} was {again}in the audience"


def _audience_failed(words: Words, facts: Facts) -> str:
    again = "no longer" if facts.get("recheck_audience") else "not"
    return f"{words.user} was {again} in the audience: {culprits(facts['audience'], words)}"


def _pause_passed(words: Words, facts: Facts) -> str:
    last, again = facts["last_at"], facts["again_at"]
    if last is None:
        return f"{words.user} had not had it before"
    if facts["re_eligibility"] == "always":
        return f"{words.user} had it on {words.at(last)}, and may have it again always"
    return (
        f"{words.user} had it on {words.at(last)}, and might have it again from {words.at(again)}"
    )


def _pause_failed(words: Words, facts: Facts) -> str:
    had = "had it"
    if facts["is_control"]:
        had = "fell in its control group, which gets nothing,"
    last, rule = words.at(facts["last_at"]), facts["re_eligibility"]
    if not isinstance(rule, dict):
        return f"{words.user} {had} on {last}, and may not enter again (re_eligibility is {rule})"
    again = f"{lasting(rule['after'])}, from {words.at(facts['again_at'])}"
    return f"{words.user} {had} on {last}, and may enter again only after {again}"


def _waiting_passed(words: Words, _facts: Facts) -> str:
    return f"{words.user} was not waiting for it"


def _waiting_failed(words: Words, facts: Facts) -> str:
    if facts["waits_since"] is None:
        return f"it was being handed over to {words.user} already"
    since, due = words.at(facts["waits_since"]), words.at(facts["due_at"])
    return f"{words.user} was waiting for it already, since {since} and until {due}"


def _chain(words: Words, facts: Facts) -> str:
    if facts["entries"] >= facts["hops_max"]:
        times = counted(facts["entries"], "time")
        return f"the same event had let {words.user} in {times} already, which is the most it may"
    if facts["hops"] == 0:
        return "no send led to it without somebody acting"
    sends = counted(facts["hops"], "send")
    return (
        f"{sends} led to it with nobody acting in between, and fewer than {facts['hops_max']} may"
    )


def _control_passed(words: Words, facts: Facts) -> str:
    if facts["sent_at"] is not None and facts["control_percent"]:
        sent = words.at(facts["sent_at"])
        return f"{words.user} got it on {sent}, and who was treated stays out of the control group"
    if not facts["control_percent"]:
        return "the campaign has no control group"
    return f"{_bucket(words, facts)}"


def _control_failed(words: Words, facts: Facts) -> str:
    if facts["enrolled_at"] is not None:
        enrolled = words.at(facts["enrolled_at"])
        return f"{words.user} has been in its control group since {enrolled}, which gets nothing"
    return f"{words.user} falls in its control group, which gets nothing: {_bucket(words, facts)}"


def _bucket(words: Words, facts: Facts) -> str:
    last = facts["control_percent"] - 1
    return (
        f"of the numbers 0 to {_BUCKET_LAST}, {words.user} has {facts['bucket']} in this campaign, "
        f"and the control group {f'0 to {last}' if last else '0'}"
    )


def _hours(words: Words, facts: Facts) -> str:
    written = facts["hours"]
    return (
        f"it was {facts['local_time']} for {words.user} ({facts['time_zone']}), "
        f"and {{}} from {written['from']} to {written['to']}"
    )


def _time_of_day_passed(words: Words, facts: Facts) -> str:
    if facts["hours"] is None:
        return "it sends at any hour of the day"
    return _hours(words, facts).format("it sends")


def _time_of_day_failed(words: Words, facts: Facts) -> str:
    return _hours(words, facts).format("it sends only")


def _quiet(words: Words, facts: Facts) -> str:
    if facts["is_ignored"]:
        return "the campaign ignores quiet hours"
    if facts["hours"] is None:
        return "no quiet hours hold for it"
    return _hours(words, facts).format("quiet hours are")


def _subscribed(words: Words, facts: Facts) -> str:
    channel = channel_word(facts["channel"])
    if facts.get("is_ignored"):
        return "it goes to all, whatever they have subscribed to"
    how = "has opted in to" if facts["subscription"] == "opted_in" else "is subscribed to"
    group = f" and to the group {words.value(facts['group'])}" if "group" in facts else ""
    return f"{words.user} {how} {channel}{group}"


def _unsubscribed(words: Words, facts: Facts) -> str:
    if facts["subscription"] == "unsubscribed":
        return f"{words.user} has unsubscribed from {channel_word(facts['channel'])}"
    return f"{words.user} is not subscribed to the group {words.value(facts['group'])}"


def _opted_in(words: Words, facts: Facts) -> str:
    return f"{words.user} has opted in to {channel_word(facts['channel'])}"


def _not_opted_in(words: Words, facts: Facts) -> str:
    channel = channel_word(facts["channel"])
    return f"it goes to those alone who opted in to {channel}, and {words.user} has not"


def _reachable(words: Words, facts: Facts) -> str:
    channel = channel_word(facts["channel"])
    return f"no address of {words.user} for {channel} is known to be dead"


def _unreachable(words: Words, facts: Facts) -> str:
    channel, address = channel_word(facts["channel"]), facts["dead_address"]
    named = f" {words.value(address)}" if address else ""
    return f"the {channel} address{named} takes no messages any more"


def _caps_passed(words: Words, facts: Facts) -> str:
    if not facts["is_capped_channel"]:
        return f"frequency caps are not about a {channel_word(facts['channel'])}"
    if facts["frequency_caps"] != "respect":
        return f"the campaign ignores frequency caps (frequency_caps is {facts['frequency_caps']})"
    if not facts["caps"]:
        return f"no frequency cap is about it ({channel_word(facts['channel'])})"
    return "; ".join(_cap(words, cap) for cap in facts["caps"])


def _caps_failed(words: Words, facts: Facts) -> str:
    reached = [cap for cap in facts["caps"] if cap["count"] >= cap["messages_max"]]
    return "; ".join(_cap(words, cap, " is reached") for cap in reached)


def _cap(words: Words, cap: dict[str, Any], state: str = "") -> str:
    channel = cap.get("channel", "any")
    what = "message" if channel == "any" else f"{channel_word(channel)} message"
    tagged = f" tagged {words.value(cap['tag'])}" if cap.get("tag") else ""
    most = counted(cap["messages_max"], what) + tagged
    since = f"{lasting(cap['within'])}, since {words.at(cap['since'])}"
    return (
        f"the cap {words.value(cap['slug'])}{state}: {words.user} has had {cap['count']} of at "
        f"most {most} in {since}"
    )


CHECK_WORDS: Final[dict[CheckReason, CheckWords]] = {
    "campaign_archived": CheckWords(
        lambda _words, _facts: "the campaign was not archived",
        lambda _words, facts: f"the campaign was {facts['status']}",
    ),
    "campaign_stopped": CheckWords(
        lambda _words, _facts: "the campaign was active",
        lambda _words, facts: f"the campaign was {facts['status']}",
    ),
    "published_after_event": CheckWords(_published_passed, _published_failed),
    "outside_window": CheckWords(_window_passed, _window_failed),
    "not_in_audience": CheckWords(_audience_passed, _audience_failed),
    "not_re_eligible": CheckWords(_pause_passed, _pause_failed),
    "already_waiting": CheckWords(_waiting_passed, _waiting_failed),
    "chain_limit": CheckWords(_chain, _chain),
    "control_group": CheckWords(_control_passed, _control_failed),
    "outside_time_of_day": CheckWords(_time_of_day_passed, _time_of_day_failed),
    "quiet_hours": CheckWords(_quiet, _quiet),
    "unsubscribed": CheckWords(_subscribed, _unsubscribed),
    "not_opted_in": CheckWords(_opted_in, _not_opted_in),
    "unreachable": CheckWords(_reachable, _unreachable),
    "frequency_cap": CheckWords(_caps_passed, _caps_failed),
}
