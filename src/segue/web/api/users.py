"""`/api/v1/users`: profiles, timelines, erasure."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import QueryParameter
from msgspec import Struct

from segue.model.decoding import decode_document
from segue.model.events import AttributeChange
from segue.model.limits import USERS_PER_CALL_MAX
from segue.model.problems import InvalidError, Problem
from segue.services.application import Application
from segue.services.users import User
from segue.web.bodies import read_json
from segue.web.pages import Page, PageLimit, page_of


class UsersChange(Struct, forbid_unknown_fields=True):
    """Several profile changes."""

    users: list[AttributeChange]


class AttributesPatch(Struct, forbid_unknown_fields=True):
    """Attributes to set; a null takes one away."""

    attributes: dict[str, Any]


class UsersChanged(Struct):
    """How many profile changes were taken."""

    accepted: int


@post("/users", status_code=202, opt={"scope": "ingest"}, tags=["users"])
async def change_users(request: Request[Any, Any, Any], application: Application) -> UsersChanged:
    """Set attributes of one user, `{user_id, attributes}`, or of many, `{users: [...]}`."""
    raw = await read_json(request)
    if isinstance(raw, dict) and "users" in raw:
        changes = decode_document(raw, UsersChange).users
    else:
        changes = [decode_document(raw, AttributeChange)]
    if len(changes) > USERS_PER_CALL_MAX:
        problem = Problem("users", f"has {len(changes)} entries; at most {USERS_PER_CALL_MAX}")
        raise InvalidError([problem], "The body")
    await application.users.change(changes)
    return UsersChanged(len(changes))


@get("/users", opt={"scope": "read"}, tags=["users"], sync_to_thread=False)
def list_users(
    application: Application,
    limit: PageLimit = 100,
    cursor: str = "",
    email: str | None = None,
    phone: str | None = None,
) -> Page[User]:
    """List users by id: all as of the last checkpoint, or those who have an address now.

    Capitals of an `email` do not matter, nor does what stands between the digits of a `phone`;
    several users may share one.
    """
    users = _users(application, limit + 1, cursor, email, phone)
    return page_of(users, limit, lambda user: user.user_id)


def _users(
    application: Application, limit: int, after: str, email: str | None, phone: str | None
) -> list[User]:
    if email is not None and phone is not None:
        problem = Problem("phone", "stands beside email; ask for one of them at a time")
        raise InvalidError([problem], "The query")
    if email is not None:
        return application.users.page_with("email", email, after, limit)
    if phone is not None:
        # In a query a + that is not escaped is a blank, and so a number begins with one.
        number = f"+{phone[1:]}" if phone.startswith(" ") else phone
        return application.users.page_with("sms", number, after, limit)
    return application.users.page(after, limit)


@get("/users/{user_id:str}", opt={"scope": "read"}, tags=["users"], sync_to_thread=False)
def get_user(user_id: str, application: Application) -> User:
    """Show a user."""
    return application.users.find(user_id)


@patch("/users/{user_id:str}", opt={"scope": "ingest"}, tags=["users"])
async def patch_user(
    user_id: str, request: Request[Any, Any, Any], application: Application
) -> User:
    """Set attributes of a user, who need not exist yet."""
    raw = await read_json(request)
    change = AttributeChange(user_id, decode_document(raw, AttributesPatch).attributes)
    await application.users.change([change])
    return application.users.find(user_id)


@delete("/users/{user_id:str}", opt={"scope": "admin"}, tags=["users"])
async def erase_user(user_id: str, application: Application) -> None:
    """Erase a user: state, waiting sends, and everything told of them so far."""
    await application.users.erase(user_id)


@get("/users/{user_id:str}/timeline", opt={"scope": "read"}, tags=["users"])
async def get_timeline(
    user_id: str,
    request: Request[Any, Any, Any],
    application: Application,
    limit: PageLimit = 100,
    cursor: Annotated[int, QueryParameter(ge=0)] = 0,
) -> Response[Any]:
    """Tell everything that happened to a user and what was decided about it, oldest first.

    With `Accept: application/x-ndjson`, all of it as lines that `segue run` reads.
    """
    lines = await application.users.timeline(user_id)
    if "application/x-ndjson" in request.headers.get("accept", ""):
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        return Response(body, media_type="application/x-ndjson")
    shown = lines[cursor : cursor + limit]
    more = str(cursor + limit) if cursor + limit < len(lines) else None
    return Response(Page(shown, more))


HANDLERS = [change_users, list_users, get_user, patch_user, erase_user, get_timeline]
