"""Which addresses may be called, however they are spelt."""

import ipaddress

import pytest

from segue.channels.guard import AddressGuard, literal_address
from segue.errors import SegueError

SETTING = "channels.webhook.allow_private_addresses"
FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "193.0.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::8a",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
]
ODDLY_SPELT = {
    "127.1": "127.0.0.1",
    "127.0.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0x7F.0.0.1": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "017700000001": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "2852039166": "169.254.169.254",
    "0xa9.0376.43518": "169.254.169.254",
    "0": "0.0.0.0",
    "10.1": "10.0.0.1",
}


@pytest.mark.parametrize("text", FORBIDDEN)
def test_an_address_that_is_not_public_is_forbidden(text: str) -> None:
    address = literal_address(text)
    assert address is not None
    assert not AddressGuard([], SETTING).is_allowed(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_allowed(text: str) -> None:
    assert AddressGuard([], SETTING).is_allowed(ipaddress.ip_address(text))


@pytest.mark.parametrize(("text", "meant"), ODDLY_SPELT.items())
def test_an_oddly_spelt_address_is_read_as_the_system_would(text: str, meant: str) -> None:
    assert literal_address(text) == ipaddress.ip_address(meant)


@pytest.mark.parametrize(
    "text", ["localhost", "shop.test", "1.2.3.4.5", "0xg", "a.1", "127.0.0.1x"]
)
def test_a_name_is_no_address(text: str) -> None:
    assert literal_address(text) is None


def test_a_network_that_is_allowed_opens_itself_and_nothing_else() -> None:
    guard = AddressGuard(["127.0.0.0/8", "10.1.2.3", "fd00:1::/32"], SETTING)
    for text in ("127.0.0.1", "::ffff:127.9.9.9", "10.1.2.3", "fd00:1::5", "8.8.8.8"):
        assert guard.is_allowed(ipaddress.ip_address(text))
    for text in ("10.1.2.4", "::1", "fd00:2::1", "192.168.0.1", "169.254.169.254"):
        assert not guard.is_allowed(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1/8", "10.0.0.0/99", ""])
def test_a_setting_that_is_no_network_is_named(text: str) -> None:
    with pytest.raises(SegueError, match="allow_private_addresses"):
        AddressGuard([text], SETTING)
