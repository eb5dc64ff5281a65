"""Writes down who changed what: one wrapper around every route that writes."""

from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from segue.services.actors import Actor
from segue.services.application import Application
from segue.web.auth import permission_of

_READS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_NOTE: Final = "segue_change"
_SUCCESS_MAX: Final = 399


def note_change(request: Request[Any, Any, Any], target: str, detail: str = "") -> None:
    """Say what a request changed, where its path does not, and how."""
    request.scope["state"][_NOTE] = (target, detail)


def note_no_change(request: Request[Any, Any, Any]) -> None:
    """Say that a request changed nothing after all, as a dry run does."""
    request.scope["state"][_NOTE] = None


class AuditedWrites:
    """Middleware in the ASGI sense, of a router: a change is written down before it is answered.

    What accounts do is written down, and what keys change; not what keys tell of users and send,
    which stands in the log. A route that changes nothing says so with `opt={"audit": False}`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and write down what it changed."""
        if scope.get("method") in _READS:
            await self._app(scope, receive, send)
            return

        async def write_down(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] <= _SUCCESS_MAX:
                _write_down(scope)
            await send(message)

        await self._app(scope, receive, write_down)


def _write_down(scope: Any) -> None:
    actor, handler = scope.get("auth"), scope["route_handler"]
    note = scope["state"].get(_NOTE, ("", ""))
    if not isinstance(actor, Actor) or note is None or not is_audited(handler.opt):
        return
    if actor.kind == "key" and permission_of(handler) in ("ingest", "send", "sdk"):
        return
    target, detail = note
    target = target or " ".join(str(value) for value in scope["path_params"].values())
    action = handler.opt.get("audit") or handler.handler_name.replace("_", " ")
    application: Application = scope["litestar_app"].state.application
    application.audit.record(actor, action, target, detail)


def is_audited(opt: Any) -> bool:
    """Return whether a writing route's changes are written down."""
    return opt.get("audit") is not False and opt.get("scope") != "read"
