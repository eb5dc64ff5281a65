"""The cookie of a session: read, set and taken away."""

from typing import Any, Final

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from segue.model.instants import SECOND
from segue.model.limits import SESSION_LIFE_MAX
from segue.services.application import Application
from segue.services.sign_ins import SignedIn

Connection = ASGIConnection[Any, Any, Any, Any]
SESSION_COOKIE: Final = "segue_session"


def signed_in(connection: Connection) -> SignedIn | None:
    """Return who is signed in with the request's cookie."""
    token = connection.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    application: Application = connection.app.state.application
    return application.sign_ins.find(token)


def set_session(response: Response[Any], application: Application, token: str) -> None:
    """Let the browser keep the token of its session."""
    response.set_cookie(_cookie(application, token, SESSION_LIFE_MAX // SECOND))


def drop_session(response: Response[Any], application: Application) -> None:
    """Let the browser forget its session."""
    response.set_cookie(_cookie(application, "", 0))


def _cookie(application: Application, token: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=SESSION_COOKIE,
        value=token,
        max_age=max_age_s,
        path="/",
        httponly=True,
        samesite="lax",
        secure=application.settings.base_url.startswith("https:"),
    )
