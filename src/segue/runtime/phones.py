"""Who has a virtual phone, and the addresses that it gives them.

Asked where messages are filled in: the engine decides about such a user as about any other.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from segue.channels.settings import ToPhone
from segue.model.devices import RegisteredDevice
from segue.model.state import UserState

TEST_USER: Final = "test_user"  # the attribute; `true` and nothing else
# Nobody can have these: the domain is reserved (RFC 2606), and no country has the code 999.
_DOMAIN: Final = "phone.invalid"
_COUNTRY: Final = "+999"
_DIGITS: Final = 11
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}")


class PhoneRule:
    """Says who has a virtual phone: test users, or everybody."""

    def __init__(self, to_phone: ToPhone = "test_users") -> None:
        self._is_for_all = to_phone == "everybody"

    def has_phone(self, state: UserState | None) -> bool:
        """Return whether messages for a user go to a phone; one whom nobody knows has none."""
        if state is None:
            return False
        return self._is_for_all or state.attributes.get(TEST_USER) is True


def addresses_of(user_id: str) -> Mapping[str, Any]:
    """Return the addresses of a user's phone, by the attributes that they stand in for."""
    number = int.from_bytes(blake2b(user_id.encode(), digest_size=8).digest(), "big")
    local_part = user_id if _LOCAL_PART.fullmatch(user_id) else f"user-{number:x}"
    return {
        "email": f"{local_part}@{_DOMAIN}",
        "phone": f"{_COUNTRY}{number % 10**_DIGITS:0{_DIGITS}}",
    }


def device_of(user_id: str) -> RegisteredDevice:
    """Return the phone as the device that push goes to."""
    return RegisteredDevice("phone", "web", f"https://{_DOMAIN}/{addresses_of(user_id)['phone']}")
