"""Refuses writes that another site's page sends with the cookie of somebody who is signed in.

As Go 1.25 and Datasette do it: browsers say where a request comes from, in Sec-Fetch-Site, or in
Origin where they do not. Programs say neither, and have no cookies of others.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException

from segue.services.application import Application

Connection = ASGIConnection[Any, Any, Any, Any]
_SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def refuse_cross_site(connection: Connection) -> None:
    """Let a request pass that reads, or that comes from a page of ours or from no page.

    Raises:
        PermissionDeniedException: a page of another site or origin sent it.
    """
    if connection.scope.get("method") in _SAFE_METHODS or not _is_foreign(connection):
        return
    raise PermissionDeniedException(
        "this came from a page of another site, so it was not done; if it was you, do it again "
        "from the dashboard itself"
    )


def _is_foreign(connection: Connection) -> bool:
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    application: Application = connection.app.state.application
    ours = (connection.headers.get("host"), urlsplit(application.settings.base_url).netloc)
    return urlsplit(origin).netloc not in ours
