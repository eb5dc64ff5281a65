"""API keys to scopes: every route of the API names the scope it asks for."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from segue.services.application import Application

Connection = ASGIConnection[Any, Any, Any, Any]


def needs_scope(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request pass whose key has the route's scope (a Litestar guard).

    Raises:
        NotAuthorizedException: there is no key, or it is not valid.
        PermissionDeniedException: the key has not the scope.
    """
    scope = handler.opt.get("scope")
    if scope is None:
        return
    application: Application = connection.app.state.application
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise NotAuthorizedException(
            "this needs an API key: send `Authorization: Bearer KEY`; "
            "`segue key create --scopes …` makes one",
            headers={"WWW-Authenticate": "Bearer"},
        )
    scopes = application.keyring.scopes_of(key.strip())
    if scopes is None:
        raise NotAuthorizedException(
            "this API key is unknown or revoked", headers={"WWW-Authenticate": "Bearer"}
        )
    connection.scope["auth"] = scopes  # a route may ask for more, by what it is to do
    if scope not in scopes:
        raise PermissionDeniedException(
            f'this key may not do that: it needs the scope "{scope}" '
            f"and has {', '.join(sorted(scopes))}"
        )
