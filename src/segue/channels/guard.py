"""Which addresses outgoing calls may reach: public ones, and those a setting allows.

Addresses only, no names: who resolves a name asks here about what came out.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from segue.errors import SegueError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Python 3.11's `is_global` misses these, or holds for them on some patch releases only.
_NEVER_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this machine
        "100.64.0.0/10",  # carriers' own; Alibaba's metadata is at 100.100.100.200
        "168.63.129.16/32",  # the host of a machine at Azure, under a public number
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is at 192.0.0.192
        "192.88.99.0/24",  # a relay nobody runs any more
        "198.18.0.0/15",  # benchmarks
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # an IPv4 address spelt as IPv6, long given up
        "::ffff:0:0:0/96",  # an IPv4 address for a translator of one's own network
        "64:ff9b:1::/48",  # translation within one's own network
        "100::/64",  # discarded
        "2001::/23",  # protocol assignments and Teredo
        "2002::/16",  # 6to4: the IPv4 address within may be anything
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private; Amazon's metadata is at fd00:ec2::254
        "fec0::/10",  # site-local
    )
)
# The network's own translator turns these into the IPv4 address at their end.
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_MASK: Final = 0xFFFF_FFFF


# For URLs that are the operator's own setting, not an author's or a user's word.
ANYWHERE: Final = ("0.0.0.0/0", "::/0")


class AddressGuard:
    """Knows which addresses may be called; `setting` is what allows more of them."""

    def __init__(self, allow_private_addresses: Iterable[str], setting: str) -> None:
        """Read the networks to allow.

        Raises:
            SegueError: one of them is no network.
        """
        self.setting = setting
        self._allowed = [_read_network(text, setting) for text in allow_private_addresses]

    def is_allowed(self, address: Address) -> bool:
        """Return whether `address` is public or in an allowed network."""
        meant = _ipv4_within(address)
        if any(meant in network or address in network for network in self._allowed):
            return True
        return (
            meant.is_global
            and not meant.is_multicast
            and not any(meant in network for network in _NEVER_PUBLIC)
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is written as this machine: by name, or by an address in full."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def literal_address(host: str) -> Address | None:
    """Return the address that `host` spells, also oddly (127.1, 0x7f000001, 2130706433).

    None if it is a name. What a resolver would read as a number must not pass as a name.
    """
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _ipv4_within(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & _IPV4_MASK)
    return address


def _read_network(text: str, setting: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        message = f"{setting}: {error}; write networks such as 127.0.0.0/8 or 10.1.2.3/32"
        raise SegueError(message) from None
