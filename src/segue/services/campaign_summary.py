"""A campaign choice by choice, each with the place of the document where it is made."""

from collections.abc import Iterator

from msgspec import Struct

from segue.model.campaigns import Campaign, Subscription
from segue.model.workspace import QuietHours
from segue.services.campaign_sentences import (
    Step,
    again_words,
    audience_words,
    delay_words,
    happening_said,
    moment_words,
    schedule_words,
    trigger_words,
    variant_words,
)
from segue.services.explanations.words import Words, counted, lasting

_LETTERS = "ABCD"
_SUBSCRIPTIONS: dict[Subscription, str] = {
    "subscribed": "those who have not unsubscribed",
    "opted_in": "those alone who opted in",
    "all": "everybody, whatever they subscribed to",
}
_CAPS = {
    "respect": "respected",
    "ignore": "ignored, and not counted",
    "ignore_but_count": "ignored, but counted",
}


class Choice(Struct, frozen=True):
    """One thing that was chosen, in words, and where."""

    step: Step
    label: str
    words: str
    place: str


def choices_in(document: Campaign, words: Words) -> list[Choice]:
    """Return every choice of a campaign, in the order of the steps."""
    return [
        *_about(document),
        *_messages(document),
        *_delivery(document, words),
        *_audience(document, words),
        *_limits(document),
        *_conversions(document, words),
    ]


def _about(document: Campaign) -> Iterator[Choice]:
    yield Choice("message", "Name", document.name, "name")
    yield Choice("message", "Slug", document.slug, "slug")
    if document.tags:
        yield Choice("message", "Tags", ", ".join(document.tags), "tags")
    if document.description:
        yield Choice("message", "Description", document.description, "description")


def _messages(document: Campaign) -> Iterator[Choice]:
    variants = document.all_variants()
    for index, variant in enumerate(variants):
        place = f"variants[{index}]" if document.variants else "messages"
        label = f"Variant {variant.name}, {variant.percent} %" if document.variants else "Message"
        yield Choice("message", label, variant_words(variant), place)
    share = f"{document.control_percent} %" if document.control_percent else "none"
    yield Choice("message", "Control group", share, "control_percent")


def _delivery(document: Campaign, words: Words) -> Iterator[Choice]:
    delivery = document.delivery
    match delivery.type:
        case "scheduled" if delivery.schedule is not None:
            said = schedule_words(delivery.schedule, words)
            yield Choice("delivery", "Schedule", said, "delivery.schedule")
        case "api":
            yield Choice("delivery", "Start", "when a program asks for it", "delivery.type")
        case _:
            for index, trigger in enumerate(delivery.triggers):
                place = f"delivery.triggers[{index}]"
                said = f"a user {trigger_words(trigger, words)}"
                yield Choice("delivery", "Trigger" if not index else "or", said, place)
    if delivery.type != "scheduled":
        said = delay_words(delivery.delay) if delivery.delay != "immediately" else "none"
        yield Choice("delivery", "Wait", said, "delivery.delay")
    for index, exception in enumerate(delivery.exceptions):
        place = f"delivery.exceptions[{index}]"
        said = f"the user {happening_said(exception, words)} meanwhile"
        yield Choice("delivery", "Exception", said, place)
    yield from _times(document)


def _times(document: Campaign) -> Iterator[Choice]:
    window, hours = document.delivery.window, document.delivery.time_of_day
    quiet = document.delivery.quiet_hours
    said = "from the publication on, until it is stopped"
    if window is not None:
        start = f"from {moment_words(window.start)}" if window.start else "from the publication on"
        end = f"until {moment_words(window.end)}" if window.end else "until it is stopped"
        said = f"{start}, {end}{', by each user’s own clock' if window.local else ''}"
    yield Choice("delivery", "Duration", said, "delivery.window")
    said = "any"
    if hours is not None:
        otherwise = "it is not sent" if hours.otherwise == "skip" else "at the next such hour"
        said = f"{hours.from_} to {hours.to} by the user’s clock, otherwise {otherwise}"
    yield Choice("delivery", "Hours of the day", said, "delivery.time_of_day")
    said = "as the workspace" if quiet == "respect" else "ignored"
    if isinstance(quiet, QuietHours):
        said = f"{quiet.from_} to {quiet.to}"
    yield Choice("delivery", "Quiet hours", said, "delivery.quiet_hours")


def _audience(document: Campaign, words: Words) -> Iterator[Choice]:
    yield Choice("audience", "Audience", audience_words(document.audience, words), "audience")
    said = "when it is triggered, and again when it is due"
    if not document.recheck_audience:
        said = "when it is triggered"
    yield Choice("audience", "Looked at", said, "recheck_audience")
    if document.subscription_group is not None:
        said = f"subscribers of {document.subscription_group} only"
        yield Choice("audience", "Subscription group", said, "subscription_group")
    said = _SUBSCRIPTIONS[document.subscription]
    yield Choice("audience", "Subscription to the channel", said, "subscription")


def _limits(document: Campaign) -> Iterator[Choice]:
    delivery = document.delivery
    yield Choice("limits", "Same user", again_words(document), "re_eligibility")
    yield Choice("limits", "Frequency caps", _CAPS[document.frequency_caps], "frequency_caps")
    rate, most = delivery.sends_per_minute_max, delivery.recipients_max
    said = f"at most {counted(rate, 'message')} a minute" if rate else "as fast as it goes"
    yield Choice("limits", "Rate", said, "delivery.sends_per_minute_max")
    if most:
        said = f"at most {counted(most, 'send')}"
        yield Choice("limits", "In all", said, "delivery.recipients_max")


def _conversions(document: Campaign, words: Words) -> Iterator[Choice]:
    for index, conversion in enumerate(document.conversions):
        said = f"the user {happening_said(conversion, words)} within {lasting(conversion.within)}"
        place = f"conversions[{index}]"
        yield Choice("conversions", f"Conversion event {_LETTERS[index]}", said, place)
    if not document.conversions:
        yield Choice("conversions", "Conversion events", "none", "conversions")
