"""A user's devices: what may be registered, and how registrations change the list.

Of one app's installation there is one device, and a token reaches one device: so a registration
replaces what has its id, and what has its token.
"""

import base64
import re
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from segue.engine.draft import Draft
from segue.model.devices import Device, RegisteredDevice, WebPushKeys
from segue.model.events import DeviceChanged
from segue.model.limits import DEVICES_PER_USER_MAX

# A part of a URL at Apple; of Google's only that it is one word is promised.
_IOS_TOKEN: Final = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}")
_ANDROID_TOKEN: Final = re.compile(r"[!-~]+")
_P256DH_BYTES: Final = 65  # a point of P-256, uncompressed (RFC 8291)
_UNCOMPRESSED: Final = 4
_AUTH_BYTES: Final = 16


def change_devices(draft: Draft, changed: DeviceChanged, now: int) -> None:
    """Register a device, or remove one; beyond the limit the one registered longest ago goes."""
    device, present = changed.device, draft.state.devices
    if not changed.is_removed:
        registered = RegisteredDevice(device.id, device.platform, device.token, device.keys, now)
        others = [one for one in present if device.id != one.id and device.token != one.token]
        _set_devices(draft, [*others, registered][-DEVICES_PER_USER_MAX:])
    elif device.token:
        forget_tokens(draft, [device.token])
    else:
        _set_devices(draft, [one for one in present if device.id != one.id])


def forget_tokens(draft: Draft, tokens: list[str]) -> None:
    """Remove devices whose tokens are dead; one with a new token by now stays."""
    _set_devices(draft, [one for one in draft.state.devices if one.token not in tokens])


def _set_devices(draft: Draft, devices: list[RegisteredDevice]) -> None:
    if devices != draft.state.devices:
        draft.state = replace(draft.state, devices=devices)


def fault_of_device(changed: DeviceChanged) -> str | None:
    """Return why a device cannot be registered, if so; any can be removed."""
    device = changed.device
    if changed.is_removed:
        return None
    if not device.token:
        return "has no token; give the one its push provider gave, or say is_removed"
    match device.platform:
        case "ios" if not _IOS_TOKEN.fullmatch(device.token):
            return f"{_shown(device.token)} is no token of APNs: give its bytes in hexadecimal"
        case "android" if not _ANDROID_TOKEN.fullmatch(device.token):
            return f"{_shown(device.token)} is no token of FCM: it holds no blanks"
        case "web":
            return _fault_of_subscription(device)
    return None if device.keys is None else f"a device of {device.platform} has no keys"


def _fault_of_subscription(device: Device) -> str | None:
    try:
        parts = urlsplit(device.token)
        is_endpoint = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_endpoint = False
    if not is_endpoint:
        return f"{_shown(device.token)} is no endpoint of a push service: it begins with https://"
    if device.keys is None:
        return "a browser's subscription comes with keys: p256dh and auth"
    return fault_of_keys(device.keys)


def fault_of_keys(keys: WebPushKeys) -> str | None:
    """Return what is wrong with the form of a subscription's keys, if anything."""
    point, auth = from_base64url(keys.p256dh), from_base64url(keys.auth)
    if point is None or len(point) != _P256DH_BYTES or point[0] != _UNCOMPRESSED:
        return f"keys.p256dh must be {_P256DH_BYTES} bytes in base64url, the first of them 4"
    if auth is None or len(auth) != _AUTH_BYTES:
        return f"keys.auth must be {_AUTH_BYTES} bytes in base64url"
    return None


def from_base64url(text: str) -> bytes | None:
    """Return the bytes of a text in base64url, with or without its padding; None if it is none."""
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except ValueError:
        return None


def _shown(token: str) -> str:
    most = 40
    return repr(token if len(token) <= most else token[:most] + "…")
