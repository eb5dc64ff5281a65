"""Outgoing HTTP with a guard: no private addresses unless allowed, and never another address
than the one that was checked.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from segue.errors import SegueError
from segue.model.limits import RESPONSE_BYTES_MAX

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_CARRIER_NETWORK = ipaddress.ip_network("100.64.0.0/10")


class ForbiddenAddressError(SegueError):
    """The URL leads to an address that outgoing calls may not reach."""


class UnreachableError(SegueError):
    """The other side could not be reached, or did not answer in time."""


class HttpAnswer(Struct, frozen=True):
    """What the other side answered; the body is cut off at a limit."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """Makes single calls: no redirects are followed, no cookies kept."""

    def __init__(self, timeout_s: float, allow_private_addresses: list[str]) -> None:
        self._allowed = [ipaddress.ip_network(network) for network in allow_private_addresses]
        self._client = httpx2.AsyncClient(
            timeout=timeout_s, follow_redirects=False, trust_env=False
        )

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpAnswer:
        """Make a call.

        Raises:
            ForbiddenAddressError: the URL is none, or leads where calls may not go.
            UnreachableError: nobody answered.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"{url!r} is no http or https URL"
            raise ForbiddenAddressError(message)
        try:
            address = await self._checked_address(parts.hostname, parts.port or 0)
            request = self._request(method, url, address, headers, body)
            return await self._answer(request)
        except (httpx2.HTTPError, OSError) as error:
            message = f"{parts.hostname}: {type(error).__name__} {error}".strip()
            raise UnreachableError(message) from None
        except httpx2.InvalidURL as error:
            message = f"{url!r} is no URL: {error}"
            raise ForbiddenAddressError(message) from None

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def _checked_address(self, host: str, port: int) -> Address:
        """Resolve a name; every address it has must be allowed, and the first is called."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in found]
        for address in addresses:
            if not self._is_allowed(address):
                message = (
                    f"{host} is at {address}, which is not a public address; "
                    "list its network in channels.webhook.allow_private_addresses to allow it"
                )
                raise ForbiddenAddressError(message)
        return addresses[0]

    def _is_allowed(self, address: Address) -> bool:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._allowed):
            return True
        return address.is_global and not address.is_multicast and address not in _CARRIER_NETWORK

    def _request(
        self,
        method: str,
        url: str,
        address: Address,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> httpx2.Request:
        """Return a request to the very address that was checked, under its own name."""
        named = httpx2.URL(url)
        return self._client.build_request(
            method,
            named.copy_with(host=str(address)),
            headers={**headers, "Host": named.netloc.decode("ascii")},
            content=body,
            extensions={"sni_hostname": named.host},
        )

    async def _answer(self, request: httpx2.Request) -> HttpAnswer:
        response = await self._client.send(request, stream=True)
        try:
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk[: RESPONSE_BYTES_MAX - len(body)]
                if len(body) >= RESPONSE_BYTES_MAX:
                    break
            return HttpAnswer(response.status_code, dict(response.headers), body)
        finally:
            await response.aclose()
