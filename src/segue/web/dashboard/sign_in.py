"""Signing in and out. How often it may be tried is limited, by address and by account."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from segue.clock import Clock
from segue.model.limits import (
    SIGN_IN_WINDOW,
    SIGN_INS_PER_ACCOUNT_MAX,
    SIGN_INS_PER_ADDRESS_MAX,
)
from segue.services.accounts import canonical
from segue.services.application import Application
from segue.storage.account_ports import StoredAccount
from segue.web.dashboard.forms import read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import PAGE_HEADERS, own_path, page
from segue.web.rate_limit import CallBudget
from segue.web.sessions import drop_session, set_session


class SignInLimits:
    """How often an address, and an account, may be tried; counted for each application."""

    def __init__(self, clock: Clock) -> None:
        self._addresses = CallBudget(clock, SIGN_INS_PER_ADDRESS_MAX, SIGN_IN_WINDOW)
        self._accounts = CallBudget(clock, SIGN_INS_PER_ACCOUNT_MAX, SIGN_IN_WINDOW)

    def wait_for(self, address: str, email: str = "") -> int:
        """Take a try; return 0, or after how many seconds there is one again."""
        wait_s = self._addresses.wait_for(address)
        if wait_s or not email:
            return wait_s
        return self._accounts.wait_for(canonical(email))

    def forgive(self, address: str, email: str = "") -> None:
        """Forget a try that succeeded: an office may sign in all at once."""
        self._addresses.give_back(address)
        self._accounts.give_back(canonical(email))


def address_of(request: PageRequest) -> str:
    """Return the address that a request came from: behind a proxy, the proxy's."""
    return request.client.host if request.client is not None else ""


def sign_in_as(
    request: PageRequest, application: Application, account: StoredAccount, path: str
) -> Redirect:
    """Open a session for an account, in place of the one there was, and go on to a page."""
    earlier = request.scope.get("user")
    if earlier is not None:
        application.sign_ins.end(earlier.account.id, earlier.session.id)
    agent = request.headers.get("user-agent", "")
    found, token = application.sign_ins.open(account, address_of(request), agent)
    request.scope["user"], request.scope["auth"] = found, found.actor
    response = Redirect(path, status_code=303, headers=dict(PAGE_HEADERS))
    set_session(response, application, token)
    return response


def _form(
    request: PageRequest,
    application: Application,
    *,
    email: str = "",
    next_path: str = "/",
    status: int = 200,
    faults: Mapping[str, str] | None = None,
) -> Response[bytes]:
    return page(
        request,
        "sign_in.html",
        title="Sign in",
        status=status,
        email=email,
        next=own_path(next_path),
        faults=faults or {},
        has_no_account=not application.accounts.all(),
    )


@get("/sign-in", opt={"public": True}, include_in_schema=False, sync_to_thread=False)
def show_sign_in(request: PageRequest, application: Application) -> Response[Any]:
    """Ask for address and password, unless somebody is signed in."""
    next_path = request.query_params.get("next", "/")
    if request.scope.get("user") is not None:
        return Redirect(own_path(next_path), status_code=303, headers=dict(PAGE_HEADERS))
    return _form(request, application, next_path=next_path)


@post("/sign-in", opt={"public": True, "audit": "signed in"}, include_in_schema=False)
async def sign_in(
    request: PageRequest, application: Application, limits: SignInLimits
) -> Response[Any]:
    """Sign in. An unknown address is answered as slowly, and with the same words."""
    form = await read_form(request)
    email, next_path = form.text("email"), form.text("next") or "/"
    wait_s = limits.wait_for(address_of(request), email)
    if wait_s:
        faults = {"": f"There were too many tries. Wait {wait_s} seconds, then try again."}
        answer = _form(
            request, application, email=email, next_path=next_path, status=429, faults=faults
        )
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    account = await application.sign_ins.check(email, form.raw("password"))
    if account is None:
        faults = {"password": "This address and this password do not belong together."}
        return _form(
            request, application, email=email, next_path=next_path, status=422, faults=faults
        )
    limits.forgive(address_of(request), email)
    return sign_in_as(request, application, account, own_path(next_path))


@post("/sign-out", opt={"public": True, "audit": "signed out"}, include_in_schema=False)
async def sign_out(request: PageRequest, application: Application) -> Response[Any]:
    """End the session; harmless when repeated."""
    found = request.scope.get("user")
    if found is not None:
        application.sign_ins.end(found.account.id, found.session.id)
    response = Redirect("/sign-in", status_code=303, headers=dict(PAGE_HEADERS))
    drop_session(response, application)
    return response


PAGE = Page(
    "/sign-in",
    "Sign in",
    (show_sign_in, sign_in, sign_out),
    is_in_navigation=False,
    is_public=True,
)
