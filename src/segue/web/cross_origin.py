"""Lets pages of any origin call the routes of devices: they bear no cookie, only a public key."""

from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Segue-Identity"),
    (b"access-control-max-age", b"86400"),
]


class CrossOrigin:
    """Middleware in the ASGI sense, of a router."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer, also to errors and to what a browser asks before."""
        is_preflight = scope.get("method") == "OPTIONS"

        async def allow(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [*_ALWAYS, *(_PREFLIGHT if is_preflight else [])]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, allow)
