"""One error shape for all: problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import DecodeError

from segue.errors import (
    BusyError,
    ConflictError,
    DamagedError,
    NotAllowedError,
    NotFoundError,
    SegueError,
    StorageError,
    StorageFullError,
)
from segue.model.problems import InvalidError, Problem

_log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_STORAGE_RETRY_S = "5"  # somebody has to make room first
_STATUSES: tuple[tuple[type[SegueError], int], ...] = (  # the first that fits
    (InvalidError, 422),
    (NotFoundError, 404),
    (NotAllowedError, 403),
    (ConflictError, 409),
    (BusyError, 429),
    (StorageFullError, 507),  # RFC 4918 11.5; clients come again, as after a 503
    (StorageError, 503),
    (DamagedError, 500),
)
# Of every answer. The framework adds them to what handlers return, and not to errors.
SECURITY_HEADERS: dict[str, Any] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}


def problem_response(
    status: int,
    detail: str,
    problems: list[Problem] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """Return an error in the one shape."""
    phrase = HTTPStatus(status).phrase
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": detail,
    }
    if problems:
        body["errors"] = [{"path": one.path, "message": one.message} for one in problems]
    return Response(
        body,
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={**SECURITY_HEADERS, **(headers or {})},
    )


def status_of(error: SegueError) -> int:
    """Return the HTTP status that an error is answered with."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def retry_headers(error: SegueError) -> dict[str, str]:
    """Return when to come again, if that may help."""
    match error:
        case BusyError():
            return {"Retry-After": str(error.retry_after_s)}
        case StorageError():
            return {"Retry-After": _STORAGE_RETRY_S}
        case _:
            return {}


def answer_segue_error(_request: Request[Any, Any, Any], error: SegueError) -> Response[Any]:
    """Answer an error that a person may read."""
    problems = error.problems if isinstance(error, InvalidError) else None
    return problem_response(status_of(error), str(error), problems, retry_headers(error))


def answer_decode_error(_request: Request[Any, Any, Any], error: DecodeError) -> Response[Any]:
    """Answer a body that is not what the route takes."""
    return problem_response(400, f"the body could not be read: {error}")


def answer_http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what the framework refused."""
    problems = None
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        problems = [
            Problem(str(one.get("key", "")), str(one.get("message", "")))
            for one in error.extra
            if isinstance(one, dict)
        ]
    headers = {name: str(value) for name, value in (error.headers or {}).items()}
    return problem_response(error.status_code, error.detail, problems, headers)


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a fault of ours: it is logged, and nothing of it is told."""
    _log.exception("a request failed", path=request.url.path, exc_info=error)
    return problem_response(500, "something went wrong here; the server's log says more")


EXCEPTION_HANDLERS: dict[Any, Any] = {
    SegueError: answer_segue_error,
    DecodeError: answer_decode_error,
    HTTPException: answer_http_error,
    Exception: answer_bug,
}
