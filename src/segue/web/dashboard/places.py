"""Addresses of things that any page may link to."""

import re
from typing import Final
from urllib.parse import quote, urlencode

USERS_PATH: Final = "/users"
WHY_PATH: Final = "/why"
PHONE_PATH: Final = "/phone"
_CAMPAIGNS: Final = "/campaigns"
# What a segment of an address cannot have, although an id may: "/" divides, and "." and ".." are
# taken away by browsers, also when they are written with a percent sign.
_WRITTEN: Final = {"~": "~7E", "/": "~2F", ".": "~2E"}
_READ: Final = {written: read for read, written in _WRITTEN.items()}


def user_path(user_id: str, tab: str = "", **query: object) -> str:
    """Return the address of a user's page."""
    path = f"{USERS_PATH}/{_segment(user_id)}" + (f"/{tab}" if tab else "")
    return f"{path}?{urlencode(query)}" if query else path


def phone_path(user_id: str, part: str = "") -> str:
    """Return the address of a user's virtual phone, or of a part of it."""
    return f"{PHONE_PATH}/{_segment(user_id)}" + (f"/{part}" if part else "")


def _segment(user_id: str) -> str:
    segment = user_id.replace("~", _WRITTEN["~"]).replace("/", _WRITTEN["/"])
    if not segment.strip("."):
        segment = segment.replace(".", _WRITTEN["."])
    return quote(segment, safe="")


def user_in(segment: str) -> str:
    """Return the id of the user that a segment of an address stands for."""
    return re.sub("~(?:7E|2F|2E)", lambda found: _READ[found[0]], segment)


def campaign_path(slug: str, tab: str = "") -> str:
    """Return the address of a campaign's page, or of one of its tabs."""
    return f"{_CAMPAIGNS}/{quote(slug, safe='')}" + (f"/{tab}" if tab else "")
