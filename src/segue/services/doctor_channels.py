"""What `segue doctor` finds of the channels: what is set up, and what active campaigns need."""

import asyncio
from collections.abc import Iterator
from typing import Final

from segue.channels.registry import Senders
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.channels import CHANNELS, DEVICE_CHANNELS, Channel
from segue.services.findings import Finding
from segue.services.settings import Settings
from segue.storage.ports import Journal

_SECRET_BYTES: Final = 40
_SET_UP: Final[dict[Channel, str]] = {
    "email": "Set channels.email.smtp_url (docs/howto/email.md).",
    "push": "Set channels.push.fcm, .apns or .web (docs/howto/push.md).",
    "sms": "Set channels.sms.twilio or .http (docs/howto/sms.md).",
}


def channel_findings(settings: Settings, journal: Journal, clock: Clock) -> Iterator[Finding]:
    """Read what each channel's provider is set up with, as a server does; connect to nobody."""
    used = _used(journal)
    try:
        set_up = asyncio.run(_set_up(settings, journal, clock))
    except SegueError as error:
        yield Finding("channels", "fail", str(error), "Mend the setting, or take it away.")
        return
    for channel in CHANNELS:
        if channel not in DEVICE_CHANNELS and channel != "webhook":
            yield _finding(channel, channel in set_up, used.get(channel, []))
    needless = [one for one in (*DEVICE_CHANNELS, "webhook") if one in used]
    if needless:
        yield Finding("channels", "ok", f"{', '.join(needless)} need no provider")
    if settings.channels.to_phone == "everybody":
        yield Finding(
            "phones",
            "warn",
            "nobody gets a message: all go to virtual phones",
            "Take channels.to_phone away when you go live.",
        )


async def _set_up(settings: Settings, journal: Journal, clock: Clock) -> list[Channel]:
    """Return the channels with a provider. Secrets that are not made yet are made for this look."""

    def secret(name: str) -> bytes:
        return journal.secret(name) or clock.token(_SECRET_BYTES)

    senders = Senders(settings.channels, clock, secret, settings.public_url)
    try:
        return senders.channels
    finally:
        await senders.close()


def _used(journal: Journal) -> dict[Channel, list[str]]:
    """Return the active campaigns by the channels that their messages are for."""
    used: dict[Channel, list[str]] = {}
    for campaign in journal.list_campaigns():
        if campaign.status == "active":
            for channel in campaign.document.channels():
                used.setdefault(channel, []).append(campaign.slug)
    return used


def _finding(channel: Channel, is_set_up: bool, campaigns: list[str]) -> Finding:
    name = f"channel {channel}"
    if is_set_up:
        return Finding(
            name, "ok", f"a provider is set up; {len(campaigns)} active campaigns use it"
        )
    if not campaigns:
        return Finding(name, "ok", "no provider is set up, and no active campaign needs one")
    some = ", ".join(campaigns[:3])
    detail = f"no provider is set up, so messages of {len(campaigns)} active campaigns are refused"
    return Finding(name, "warn", f"{detail}: {some}", _SET_UP[channel])
