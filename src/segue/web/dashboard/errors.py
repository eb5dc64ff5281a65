"""Errors as pages: what happened, why, and what to do; the API has its own form of them."""

from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from segue.errors import SegueError
from segue.model.problems import InvalidError, Problem
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, SignInNeededError, page, sign_in_path
from segue.web.errors import answer_http_error, retry_headers, status_of

_log = structlog.get_logger(__name__)
_API: Final = ("/api/", "/sdk/", "/v1/", "/schema", "/metrics")
_TITLES: Final = {
    400: "That could not be read",
    403: "Not allowed",
    404: "Not found",
    405: "Not found",
    409: "That does not fit any more",
    413: "Too much at once",
    422: "Please check",
    429: "Too often",
    500: "Something went wrong",
    503: "The disk does not take it",
    507: "The disk is full",
}


def ask_to_sign_in(request: PageRequest, _error: SignInNeededError) -> Response[Any]:
    """Send somebody who is not signed in to where they can, and back afterwards."""
    path = sign_in_path(request)
    if request.headers.get("hx-request"):  # a part of a page: the whole of it is to go there
        headers = {**PAGE_HEADERS, "HX-Redirect": "/sign-in"}
        return Response(b"", status_code=401, media_type="text/html", headers=headers)
    return Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))


def tell_segue_error(request: PageRequest, error: SegueError) -> Response[Any]:
    """Answer an error that a person may read."""
    if isinstance(error, InvalidError):
        return error_page(request, status_of(error), "This is not right yet.", error.problems)
    response = error_page(request, status_of(error), str(error))
    response.headers.update(retry_headers(error))
    return response


def tell_http_error(request: PageRequest, error: HTTPException) -> Response[Any]:
    """Answer what the framework or a guard refused."""
    response = error_page(request, error.status_code, error.detail)
    for name, value in (error.headers or {}).items():
        response.headers[name] = str(value)
    return response


def tell_bug(request: PageRequest, error: Exception) -> Response[Any]:
    """Answer a fault of ours: it is logged, and nothing of it is told."""
    _log.exception("a page failed", path=request.url.path, exc_info=error)
    return error_page(
        request, 500, "The fault is ours, and the server's log says more. Try again in a moment."
    )


def error_page(
    request: PageRequest, status: int, detail: str, problems: list[Problem] | None = None
) -> Response[bytes]:
    """Return an error as a page."""
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    return page(
        request,
        "error.html",
        title=title,
        status=status,
        code=status,
        detail=detail,
        problems=problems or [],
    )


def answer_by_reader(request: PageRequest, error: HTTPException) -> Response[Any]:
    """Answer what no route was found for: a person gets a page, a program the one shape."""
    is_person = "text/html" in request.headers.get("accept", "")
    is_lost = error.status_code in (404, 405)
    if is_person and is_lost and not request.url.path.startswith(_API):
        return error_page(request, error.status_code, "There is no page at this address.")
    return answer_http_error(request, error)


PAGE_EXCEPTION_HANDLERS: dict[Any, Any] = {
    SignInNeededError: ask_to_sign_in,
    SegueError: tell_segue_error,
    HTTPException: tell_http_error,
    Exception: tell_bug,
}
