"""At the routes of devices, the token of a virtual phone is a key for its one user."""

from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from segue.services.phone_tokens import PREFIX
from segue.web.auth import Connection, needs_scope
from segue.web.rehearsed import application_at


class PhoneUser(Struct, frozen=True):
    """For whom the phone that makes a call speaks."""

    user_id: str


def needs_device_key(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request pass with a key of devices, or with a phone's token where `phone` allows it.

    Raises:
        NotAuthorizedException: there is neither, or it is not valid.
        PermissionDeniedException: the key may not do that.
    """
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    token = key.strip()
    if scheme.lower() != "bearer" or not token.startswith(PREFIX):
        needs_scope(connection, handler)
        return
    application = application_at(connection)
    user_id = application.phones.user_of(token)
    if user_id is None:
        raise NotAuthorizedException(
            "this phone's token is not of this installation, or has expired; "
            "POST /api/v1/phones/{user_id}/token gives a new one",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if not application.phones.has_phone(user_id):
        message = f"{user_id!r} has no virtual phone any more"
        raise PermissionDeniedException(message)
    if not handler.opt.get("phone", False):
        raise PermissionDeniedException("a phone's token may not do that; use a key of devices")
    connection.scope["auth"] = PhoneUser(user_id)


def may_phone_speak(auth: object, user_id: str) -> bool:
    """Return whether a call was made by the phone of the user; else an identity is asked for.

    Raises:
        PermissionDeniedException: it was made by somebody else's phone.
    """
    if not isinstance(auth, PhoneUser):
        return False
    if auth.user_id != user_id:
        message = f"this is the phone of {auth.user_id!r}; it cannot speak for {user_id!r}"
        raise PermissionDeniedException(message)
    return True


def refuse_attributes(auth: object) -> None:
    """Refuse a phone that would change its user's profile.

    Raises:
        PermissionDeniedException: a phone makes the call.
    """
    if isinstance(auth, PhoneUser):
        raise PermissionDeniedException("a phone's token sets no attributes; use a key of devices")
