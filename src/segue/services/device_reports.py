"""What a device reports of a message becomes an event; whose and of what, the server knows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from segue.content.tokens import Tracked
from segue.model.channels import Channel
from segue.model.events import Event, Name
from segue.model.instants import from_datetime
from segue.model.state import UserState
from segue.runtime.ingest import Rejected
from segue.storage.ports import InboxItem

DeviceAct = Literal["view", "click", "dismiss", "open"]
DeviceChannel = Literal["in_app_message", "content_card", "push"]

_ACTS: Final[dict[tuple[DeviceChannel, DeviceAct], str]] = {
    ("in_app_message", "view"): "in_app_message_view",
    ("in_app_message", "click"): "in_app_message_click",
    ("content_card", "view"): "content_card_view",
    ("content_card", "click"): "content_card_click",
    ("content_card", "dismiss"): "content_card_dismiss",
    ("push", "open"): "push_direct_open",
    ("push", "click"): "push_button_click",
}
# After these a message is not shown again: an in-app message is shown once.
ENDING: Final = frozenset(("in_app_message_view", "content_card_dismiss"))


class Report(Struct, forbid_unknown_fields=True):
    """What a user did with a message. Which campaign it was of, the server knows."""

    id: Name
    type: DeviceAct
    channel: DeviceChannel
    send_id: str
    button: Name | None = None
    page: Name | None = None  # of a push story
    token: str | None = None  # of a push, as its device was given it
    time: datetime | None = None


class _Known(Struct):
    """What the server knows of a reported message."""

    campaign: str
    variant: str
    at: int = 0  # no act on it can be older
    item: InboxItem | None = None  # none of a push


def event_of(
    index: int,
    user_id: str,
    report: Report,
    items: Mapping[tuple[Channel, str], InboxItem],
    state: UserState | None,
    tracked: Tracked | None,
) -> Event | Rejected:
    """Return the event that a report stands for, or why there is none.

    `items` are those of the user's inbox; a push is known by the user's `state`, as long as it is
    the campaign's newest to them, and by what its token stands for.
    """
    act = _act_of(report)
    if act is None:
        return Rejected(index, f'"{report.type}" cannot be done to a {report.channel}')
    if report.channel == "push":
        known = _known_push(user_id, report, state, tracked)
    else:
        known = _known_item(items.get((report.channel, report.send_id)))
    if known is None:
        return Rejected(index, f"there is no {report.channel} {report.send_id!r} for this user")
    fault = _fault_of(report, act, known.item)
    if fault is not None:
        return Rejected(index, fault)
    return Event(
        user_id,
        act,
        time=_plausible(report.time, known.at),
        id=report.id,
        campaign=known.campaign,
        channel=report.channel,
        variant=known.variant or None,
        button=report.button,
        page=report.page,
        send_id=report.send_id,
    )


def _act_of(report: Report) -> str | None:
    act = _ACTS.get((report.channel, report.type))
    if act == "push_button_click" and report.page is not None:
        return "push_story_page_click"
    return act


def _known_item(item: InboxItem | None) -> _Known | None:
    if item is None:
        return None
    return _Known(item.campaign, item.variant, item.available_at, item)


def _known_push(
    user_id: str, report: Report, state: UserState | None, tracked: Tracked | None
) -> _Known | None:
    memberships = state.memberships if state is not None else {}
    for slug, membership in memberships.items():
        receipt, handed = membership.receipt, membership.handed
        if receipt is not None and receipt.send_id == report.send_id and not receipt.is_control:
            return _Known(slug, receipt.variant, receipt.at)
        # A phone may show it, and be pressed, before the provider's answer has come to us.
        if handed is not None and handed.send_id == report.send_id:
            return _Known(slug, handed.variant)
    if tracked is None or (tracked.user_id, tracked.send_id) != (user_id, report.send_id):
        return None
    return _Known(tracked.campaign, tracked.variant)


def _fault_of(report: Report, act: str, item: InboxItem | None) -> str | None:
    if act == "content_card_dismiss" and item is not None and item.content.get("pinned", False):
        return "a pinned card cannot be dismissed"
    if report.page is not None:
        return _fault_of_page(report)
    if act == "push_button_click":
        return None if report.button is not None else 'a push is clicked at a "button" or a "page"'
    if report.button is None:
        return None
    if act != "in_app_message_click" or item is None:
        return f'"{report.type}" of a {report.channel} has no "button"'
    buttons = [button["id"] for button in item.content.get("buttons", [])]
    return None if report.button in buttons else f"the message has no button {report.button!r}"


def _fault_of_page(report: Report) -> str | None:
    if (report.channel, report.type) != ("push", "click"):
        return f'"{report.type}" of a {report.channel} has no "page"'
    return (
        None if report.button is None else 'a push is clicked at a "button" or a "page", not both'
    )


def _plausible(time: datetime | None, at: int) -> datetime | None:
    """Return a device's time; none, and so now, where its clock says it was before the message."""
    return None if time is None or from_datetime(time) < at else time
