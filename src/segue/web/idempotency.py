"""`Idempotency-Key`: a write that is repeated with the same key gets the first one's answer."""

from collections import OrderedDict
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from segue.model.limits import IDEMPOTENCY_KEYS_MAX

_HEADER: Final = b"idempotency-key"
_WRITES: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_ANSWER_BYTES_MAX: Final = 256 * 1024  # larger answers are not kept; then a repeat is done again


class IdempotentWrites:
    """Keeps answers of writes in memory, newest first, bounded; a restart forgets them.

    Middleware in the ASGI sense. Only answers below 500 are kept: a fault may be tried again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: OrderedDict[tuple[bytes, ...], list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or let the request through and keep its answer."""
        key = _key_of(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if key in self._answers:
            for message in self._answers[key]:
                await send(message)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)
            await send(message)

        await self._app(scope, receive, keep)
        self._keep(key, messages)

    def _keep(self, key: tuple[bytes, ...], messages: list[Message]) -> None:
        status = next((m["status"] for m in messages if m["type"] == "http.response.start"), 500)
        size = sum(len(m["body"]) for m in messages if m["type"] == "http.response.body")
        if status < 500 and status != 429 and size <= _ANSWER_BYTES_MAX:  # noqa: PLR2004
            self._answers[key] = messages
            while len(self._answers) > IDEMPOTENCY_KEYS_MAX:
                self._answers.popitem(last=False)


def _key_of(scope: Scope) -> tuple[bytes, ...] | None:
    """Return what makes a repeat a repeat: the key, who asks, and what for."""
    method = scope.get("method")  # a websocket has none
    if method not in _WRITES:
        return None
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if _HEADER not in headers:
        return None
    asked: Any = f"{method} {scope['path']}".encode()
    who = (headers.get(b"authorization", b""), headers.get(b"cookie", b""))
    return (headers[_HEADER], *who, asked)
