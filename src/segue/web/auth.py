"""Keys and sessions to permissions: every route of the API names the scope it asks for.

A route may ask for a finer permission than its scope: keys have both, and roles differ in it.
"""

from collections.abc import Mapping
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from segue.model.accounts import SCOPE_PERMISSIONS, Permission, roles_with
from segue.services.actors import Actor
from segue.services.application import Application
from segue.services.keys import DEVICE_SCOPE
from segue.web.cross_site import refuse_cross_site
from segue.web.sessions import signed_in

Connection = ASGIConnection[Any, Any, Any, Any]

_DEFAULT: Final[Mapping[str, Permission]] = {
    "ingest": "ingest",
    "read": "read",
    "campaigns": "draft",
    "send": "send",
    "admin": "admin",
    "sdk": "sdk",
}


def needs_scope(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request pass whose key or session may do what the route does (a Litestar guard).

    Raises:
        NotAuthorizedException: there is neither, or it is not valid.
        PermissionDeniedException: it may not do that.
    """
    scope = handler.opt.get("scope")
    if scope is None:
        return
    application: Application = connection.app.state.application
    if "authorization" not in connection.headers and scope != DEVICE_SCOPE:
        found = signed_in(connection)
        if found is not None:
            refuse_cross_site(connection)
            _let_account(connection, permission_of(handler), found.actor)
            return
    key = application.keyring.find(_key_in(connection))
    if key is None:
        raise NotAuthorizedException(
            "this API key is unknown or revoked", headers={"WWW-Authenticate": "Bearer"}
        )
    if scope not in key.scopes:
        raise PermissionDeniedException(
            f'this key may not do that: it needs the scope "{scope}" '
            f"and has {', '.join(sorted(key.scopes))}"
        )
    permissions = frozenset[Permission]().union(*(SCOPE_PERMISSIONS[one] for one in key.scopes))
    connection.scope["auth"] = Actor("key", key.id, key.name, permissions)


def permission_of(handler: BaseRouteHandler) -> Permission:
    """Return the permission that a route of the API asks for."""
    permission: Permission = handler.opt.get("permission") or _DEFAULT[handler.opt["scope"]]
    return permission


def _key_in(connection: Connection) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise NotAuthorizedException(
            "this needs an API key: send `Authorization: Bearer KEY`; "
            "`segue key create --scopes …` makes one",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key.strip()


def _let_account(connection: Connection, permission: Permission, actor: Actor) -> None:
    if not actor.may(permission):
        raise PermissionDeniedException(
            f"your role may not do that: it takes {' or '.join(roles_with(permission))}"
        )
    connection.scope["auth"] = actor  # a route may ask for more, by what it is to do
