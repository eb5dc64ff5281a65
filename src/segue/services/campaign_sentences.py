"""A campaign in one sentence: what starts it, how long it waits, what it sends to whom.

Parts that an author chose are marked with the step of the composer where they are chosen.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from cronsim import CronSim
from msgspec import Struct, convert, to_builtins

from segue.engine.audience_trace import trace_audience
from segue.engine.recurrence import parse_cron
from segue.model.campaigns import (
    After,
    Campaign,
    Conversion,
    Delay,
    Delivery,
    DidNot,
    Happening,
    Schedule,
    Trigger,
    Variant,
)
from segue.model.filters import Filter, InteractionSpec
from segue.model.instants import to_datetime
from segue.model.messages import ContentCard, Email, InAppMessage, MessageBody, Push, Sms, Webhook
from segue.model.state import EMPTY_STATE
from segue.model.traces import FilterTrace
from segue.services.explanations.act_words import happening_words
from segue.services.explanations.filter_words import tree_words
from segue.services.explanations.interaction_words import does_not_words, does_words
from segue.services.explanations.words import Words, channel_word, counted, lasting

Step = Literal["message", "delivery", "audience", "limits", "conversions"]
EVERYONE: Final = "everyone"
_FILTERS_SAID_MAX: Final = 3  # more would drown the sentence
_TITLE_LENGTH_MAX: Final = 60


class Part(Struct, frozen=True):
    """A piece of the sentence; one that was chosen names the step."""

    text: str
    step: Step | None = None


def campaign_sentence(document: Campaign, words: Words) -> list[Part]:
    """Return the sentence in parts; joined, they read as one text."""
    delivery = document.delivery
    return [
        *_start(delivery, words),
        *_wait(delivery, words),
        Part("send "),
        Part(_messages(document), "message"),
        Part(" to "),
        Part(audience_words(document.audience, words), "audience"),
        *_subscribed(document, words),
        *_control(document.control_percent),
        *_hours(delivery),
        Part(", "),
        Part(again_words(document), "limits"),
        Part("."),
        *_success(document.conversions, words),
    ]


def sentence_text(parts: Sequence[Part]) -> str:
    """Return the sentence as plain text."""
    return "".join(part.text for part in parts)


class Stages(Struct, frozen=True):
    """What happens to one user, one thing after the other; "" where there is no wait."""

    start: str
    wait: str
    unless: str
    send: str


def campaign_stages(document: Campaign, words: Words) -> Stages:
    """Return what starts a campaign, the wait, what ends it, and what is sent then."""
    delivery = document.delivery
    wait = "" if delivery.delay == "immediately" else delay_words(delivery.delay)
    exceptions = [happening_said(one, words) for one in delivery.exceptions]
    start = "".join(part.text for part in _start(delivery, words)).removesuffix(", ")
    unless = _listed(exceptions, "or") if wait else ""
    return Stages(start, wait, unless, f"send {_messages(document)}")


def _start(delivery: Delivery, words: Words) -> Iterator[Part]:
    match delivery.type:
        case "api":
            yield Part("When ")
            yield Part("a program asks for it", "delivery")
        case "scheduled":
            yield Part(schedule_words(delivery.schedule or Schedule(), words), "delivery")
        case "action":
            yield Part("When a user ")
            triggers = [trigger_words(one, words) for one in delivery.triggers]
            yield Part(_listed(triggers, "or") or "does something yet to be chosen", "delivery")
    yield Part(", ")


def trigger_words(trigger: Trigger, words: Words) -> str:
    """Return what enters a user, as a predicate."""
    if trigger.did_not is not None:
        spec = _as_spec(trigger.did_not)
        return f"{does_not_words(spec, words)} within {lasting(trigger.did_not.within)}"
    return happening_said(trigger, words)


def _as_spec(did_not: DidNot) -> InteractionSpec:
    fields = to_builtins(did_not)
    fields.pop("within")
    return convert(fields, InteractionSpec)


def happening_said(happening: Happening, words: Words) -> str:
    """Return what a user does, as a predicate."""
    if happening.interact_with_campaign is not None:
        return does_words(happening.interact_with_campaign, words)
    said = happening_words(happening, words)
    if happening.purchase is not None:
        return "makes " + said
    return "starts a session" if happening.session_start is not None else "does " + said


def schedule_words(schedule: Schedule, words: Words) -> str:
    """Return when a scheduled campaign comes."""
    whose = "each user’s time" if schedule.local else schedule.time_zone or words.time_zone
    if schedule.cron is None:
        at = moment_words(schedule.at) or "a moment yet to be chosen"
        return f"On {at} ({whose})"
    try:
        parse_cron(schedule.cron)
    except ValueError:
        return f"By the schedule {schedule.cron}"
    return f"{CronSim(schedule.cron, to_datetime(0)).explain()} ({whose})"


def _wait(delivery: Delivery, words: Words) -> Iterator[Part]:
    delay = delivery.delay
    if delay != "immediately":
        yield Part(delay_words(delay), "delivery")
        yield Part("; ")
    if delivery.exceptions:
        yield Part("unless the user ")
        exceptions = [happening_said(one, words) for one in delivery.exceptions]
        yield Part(f"{_listed(exceptions, 'or')} meanwhile", "delivery")
        yield Part(", ")


def delay_words(delay: Delay) -> str:
    """Return how long the wait is."""
    if delay.after is not None:
        return f"wait {lasting(delay.after)}"
    if delay.on_next is not None:
        at = f" at {delay.at}" if delay.at is not None else ""
        return f"wait for the next {delay.on_next.capitalize()}{at}"
    until = f"until {delay.at}, " if delay.at is not None else ""
    return f"wait {until}{counted(delay.in_days or 0, 'day')} later"


def _messages(document: Campaign) -> str:
    variants = document.all_variants()
    if len(variants) == 1:
        return variant_words(variants[0])
    return _listed(
        [f"{variant_words(one)} ({one.name}, {one.percent} %)" for one in variants], "or"
    )


def _control(percent: int) -> Iterator[Part]:
    if percent:
        yield Part(", but nothing to ")
        yield Part(f"a control group of {percent} %", "message")


def variant_words(variant: Variant) -> str:
    """Return what one variant sends."""
    said = [
        f"{channel_word(channel)} {_title(body)}".strip()
        for message in variant.messages
        for channel, body in message.written()
    ]
    return _listed([_with_article(one) for one in said], "and") or "nothing yet"


def _title(body: MessageBody) -> str:
    match body:
        case Email():
            title = body.subject
        case Push() | ContentCard():
            title = body.title
        case InAppMessage():
            title = body.title or body.body
        case Sms():
            title = body.body
        case Webhook():
            title = body.url
    title = " ".join(title.split())
    if len(title) > _TITLE_LENGTH_MAX:
        title = title[: _TITLE_LENGTH_MAX - 1] + "…"
    return f"“{title}”" if title else ""


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiS" else f"a {noun}"


def audience_words(node: Filter | None, words: Words) -> str:
    """Return who may get it."""
    trace = trace_audience(node, EMPTY_STATE, 0, {}, {})
    if trace is None:
        return EVERYONE
    leaves = _leaf_count(trace)
    if leaves > _FILTERS_SAID_MAX:
        return f"users who pass {leaves} filters"
    return f"users of whom it holds that {tree_words(trace, words)}"


def _subscribed(document: Campaign, words: Words) -> Iterator[Part]:
    asked: list[str] = []
    if document.subscription_group is not None:
        asked.append(f"subscribed to {words.value(document.subscription_group)}")
    if document.subscription == "opted_in":
        asked.append("opted in")
    if asked:
        yield Part(", if they ")
        yield Part(_listed(asked, "and"), "audience")
    elif document.subscription == "all":
        yield Part(", ")
        yield Part("subscribed or not", "audience")


def _leaf_count(trace: FilterTrace) -> int:
    return sum(_leaf_count(part) for part in trace.parts) if trace.parts else 1


def _hours(delivery: Delivery) -> Iterator[Part]:
    hours, window = delivery.time_of_day, delivery.window
    if hours is not None:
        yield Part(", ")
        yield Part(f"between {hours.from_} and {hours.to} their time", "delivery")
    if window is not None and (window.start or window.end):
        start = f"from {moment_words(window.start)}" if window.start else ""
        end = f"until {moment_words(window.end)}" if window.end else ""
        yield Part(", ")
        yield Part(" ".join(one for one in (start, end) if one), "delivery")


def moment_words(text: str | None) -> str:
    """Return an instant of a document as people write it."""
    return (text or "").replace("T", " ").removesuffix(":00")


def again_words(document: Campaign) -> str:
    """Return how often the same user may get it."""
    match document.re_eligibility:
        case "never":
            return "at most once"
        case "always":
            return "as often as it comes"
        case After() as pause:
            return f"again after {lasting(pause.after)} at the earliest"


def _success(conversions: Sequence[Conversion], words: Words) -> Iterator[Part]:
    if conversions:
        said = [f"{happening_said(one, words)} within {lasting(one.within)}" for one in conversions]
        yield Part(" It is a success if the user ")
        yield Part(_listed(said, "or"), "conversions")
        yield Part(".")


def _listed(said: Sequence[str], joint: str) -> str:
    """Return "a", "a or b", "a, b or c"."""
    if len(said) <= 1:
        return "".join(said)
    return f"{', '.join(said[:-1])} {joint} {said[-1]}"
