"""Filters that stand in the address of a page, so that they can be shared."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from segue.model.channels import CHANNELS
from segue.services.campaign_list import STATUSES, CampaignFilter
from segue.services.explanations.words import channel_word
from segue.web.dashboard.pages import PageRequest

_TEXT_LENGTH_MAX: Final = 200
_NAMES: Final = ("state", "channel", "tag", "q")


class Chip(Struct, frozen=True):
    """A filter that holds, in words, and the address without it."""

    words: str
    path: str


def filter_of(request: PageRequest) -> CampaignFilter:
    """Return which campaigns an address asks for; words that mean nothing do not matter."""
    asked = {name: request.query_params.get(name, "")[:_TEXT_LENGTH_MAX] for name in _NAMES}
    return CampaignFilter(
        state=asked["state"] if asked["state"] in STATUSES else "",
        channel=asked["channel"] if asked["channel"] in CHANNELS else "",
        tag=asked["tag"],
        text=asked["q"].strip(),
    )


def query_of(wanted: CampaignFilter, **more: Any) -> dict[str, Any]:
    """Return a filter as the parts of an address, and others that are not empty."""
    parts = {
        "state": wanted.state,
        "channel": wanted.channel,
        "tag": wanted.tag,
        "q": wanted.text,
        **more,
    }
    return {name: value for name, value in parts.items() if value}


def address(path: str, parts: Mapping[str, Any]) -> str:
    """Return a path with its query."""
    return f"{path}?{urlencode(parts)}" if parts else path


def chips_of(path: str, parts: Mapping[str, Any], names: Mapping[str, str]) -> list[Chip]:
    """Return the parts of an address that filter; `names` says what each is called, in order."""
    chips = []
    for name, title in names.items():
        if name in parts:
            value = parts[name]
            shown = channel_word(value) if name == "channel" else f"“{value}”"
            rest = {one: other for one, other in parts.items() if one != name}
            chips.append(Chip(f"{title}: {shown}", address(path, rest)))
    return chips


def choices(tags: list[str], wanted: CampaignFilter) -> dict[str, list[tuple[str, str]]]:
    """Return what can be chosen for each filter; a tag that is asked for is always among them."""
    shown = tags if not wanted.tag or wanted.tag in tags else [wanted.tag, *tags]
    return {
        "state": [("", "any but archived"), *((one, one) for one in STATUSES)],
        "channel": [("", "any"), *((one, channel_word(one)) for one in CHANNELS)],
        "tag": [("", "any"), *((one, one) for one in shown)],
    }
