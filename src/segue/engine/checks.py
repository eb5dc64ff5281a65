"""Everything that is wrong with a campaign by itself, said before it is published, with paths."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from segue.engine.audience_checks import check_audience
from segue.engine.delivery_checks import check_delivery
from segue.engine.happening_checks import check_happening, check_length
from segue.model.campaigns import After, Campaign
from segue.model.channels import CHANNELS, Channel
from segue.model.decoding import decode_document, shown
from segue.model.limits import CONVERSION_WINDOW_MAX, INBOX_LIFE_MAX, RE_ELIGIBILITY_MAX
from segue.model.messages import (
    Button,
    ContentCard,
    Email,
    InAppMessage,
    Message,
    MessageBody,
    Push,
    StoryPage,
)
from segue.model.problems import InvalidError, Problem
from segue.model.state import CONTROL_VARIANT

_ALL = 100  # per cent
_TAKEN_SLUGS: Final = {
    "any": "stands for every campaign in a reference",
    "publish": "is a path of the API, where a campaign's slug stands",
}


def decode_campaign(raw: object) -> Campaign:
    """Read a campaign document.

    Raises:
        InvalidError: with every fault: those of its shape, or if it has none, of its meaning.
    """
    campaign = decode_document(raw, Campaign, "The campaign")
    problems = check_campaign(campaign)
    if problems:
        raise InvalidError(problems, "The campaign")
    return campaign


def check_campaign(campaign: Campaign) -> list[Problem]:
    """Return everything that is wrong with the document by itself."""
    return [
        *_check_slug(campaign),
        *check_delivery(campaign),
        *check_audience(campaign.audience, "audience"),
        *_check_pause(campaign),
        *_check_shares(campaign),
        *_check_messages(campaign),
        *_check_conversions(campaign),
        *_check_subscriptions(campaign),
    ]


def _check_slug(campaign: Campaign) -> Iterator[Problem]:
    taken = _TAKEN_SLUGS.get(campaign.slug)
    if taken is not None:
        yield Problem("slug", f"{shown(campaign.slug)} {taken}; choose another slug")


def _check_pause(campaign: Campaign) -> Iterator[Problem]:
    if isinstance(campaign.re_eligibility, After):
        after = campaign.re_eligibility.after
        yield from check_length(after, "re_eligibility.after", RE_ELIGIBILITY_MAX)


def _check_shares(campaign: Campaign) -> Iterator[Problem]:
    variants, control = campaign.variants, campaign.control_percent
    if variants and campaign.messages:
        yield Problem("messages", "stand beside variants; put them into one of the variants")
    if not variants and not campaign.messages:
        yield Problem("messages", "is missing: a campaign needs `messages` or `variants`")
    if not variants and control == _ALL:
        yield Problem("control_percent", f"leaves nobody to send to; at most {_ALL - 1}")
    names: set[str] = set()
    for number, variant in enumerate(variants):
        if variant.name in names:
            message = f"{shown(variant.name)} is another variant's name already"
            yield Problem(f"variants[{number}].name", message)
        names.add(variant.name)
        if variant.name == CONTROL_VARIANT:
            message = f"{shown(CONTROL_VARIANT)} stands for the control group; choose another name"
            yield Problem(f"variants[{number}].name", message)
        if not variant.percent:
            yield Problem(f"variants[{number}].percent", "must be at least 1")
    total = sum(variant.percent for variant in variants) + control
    if variants and total != _ALL:
        message = f"the percentages of variants and control sum to {total}, not {_ALL}"
        yield Problem("variants", message)


def _check_messages(campaign: Campaign) -> Iterator[Problem]:
    yield from _check_message_list(campaign.messages, "messages")
    for number, variant in enumerate(campaign.variants):
        yield from _check_message_list(variant.messages, f"variants[{number}].messages")


def _check_message_list(messages: Iterable[Message], path: str) -> Iterator[Problem]:
    channels: set[Channel] = set()
    for index, message in enumerate(messages):
        place = f"{path}[{index}]"
        written = list(message.written())
        if len(written) != 1:
            found = ", ".join(channel for channel, _ in written) or "none"
            sentence = f"must be exactly one of {', '.join(CHANNELS)}; it has {found}"
            yield Problem(place, sentence)
            continue
        channel, body = written[0]
        if channel in channels:
            yield Problem(place, f"is the variant's second {channel} message; one is allowed")
        channels.add(channel)
        if isinstance(body, Email) and body.html is None and body.text is None:
            yield Problem(f"{place}.email", "needs html, text or both")
        yield from _check_parts(body, f"{place}.{channel}")


def _check_parts(body: MessageBody, path: str) -> Iterator[Problem]:
    """Yield buttons and pages whose ids cannot be told apart, and lives that are too long."""
    if isinstance(body, InAppMessage | ContentCard) and body.expires_after is not None:
        place = f"{path}.expires_after"
        yield from check_length(body.expires_after, place, INBOX_LIFE_MAX, may_be_nothing=False)
    parts: dict[str, Sequence[Button | StoryPage]] = {}
    if isinstance(body, Push | InAppMessage):
        parts["buttons"] = body.buttons
    if isinstance(body, Push):
        parts["pages"] = body.pages
    for name, those in parts.items():
        ids = [one.id for one in those]
        for index, one in enumerate(ids):
            if one in ids[:index]:
                yield Problem(f"{path}.{name}[{index}].id", f"{shown(one)} is another's id already")


def _check_conversions(campaign: Campaign) -> Iterator[Problem]:
    for index, conversion in enumerate(campaign.conversions):
        path = f"conversions[{index}]"
        yield from check_happening(conversion, path)
        yield from check_length(
            conversion.within, f"{path}.within", CONVERSION_WINDOW_MAX, may_be_nothing=False
        )


def _check_subscriptions(campaign: Campaign) -> Iterator[Problem]:
    group = campaign.subscription_group
    if group is not None and campaign.subscription == "all":
        sentence = (
            f"{shown('all')} goes also to those who left the group {shown(group)}; "
            "take subscription_group away, or choose another subscription"
        )
        yield Problem("subscription", sentence)
    if group is not None:
        return
    for number, variant in enumerate(campaign.all_variants()):
        root = f"variants[{number}]." if campaign.variants else ""
        for index, message in enumerate(variant.messages):
            if message.email is not None and message.email.unsubscribe == "group":
                place = f"{root}messages[{index}].email.unsubscribe"
                yield Problem(place, "needs a subscription_group of the campaign, which has none")
