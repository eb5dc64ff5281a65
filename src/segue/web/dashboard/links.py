"""Links that work once: the first account, and an account's password."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import TooManyRequestsException

from segue.model.limits import PASSWORD_LENGTH_MIN
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.storage.account_ports import StoredLink
from segue.web.audit import note_change
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import page
from segue.web.dashboard.sign_in import SignInLimits, address_of, sign_in_as


def _link(
    token: str, request: PageRequest, application: Application, limits: SignInLimits
) -> StoredLink:
    """Return a link; who tries many that are none has to wait."""
    wait_s = limits.wait_for(address_of(request))
    if wait_s:
        message = f"There were too many tries. Wait {wait_s} seconds, then try again."
        raise TooManyRequestsException(message, headers={"Retry-After": str(wait_s)})
    link = application.accounts.link_of(token)
    limits.forgive(address_of(request))
    return link


def _form(
    request: PageRequest,
    application: Application,
    link: StoredLink,
    form: Form,
    faults: Mapping[str, str],
) -> Response[bytes]:
    is_first = link.purpose == "first_account"
    email = form.text("email")
    if link.account_id is not None:
        email = application.accounts.find(link.account_id).email
    return page(
        request,
        "link.html",
        title="Create the first account" if is_first else "Set your password",
        status=422 if faults else 200,
        is_first=is_first,
        email=email,
        name=form.text("name"),
        faults=faults,
        length_min=PASSWORD_LENGTH_MIN,
    )


@get("/link/{token:str}", opt={"public": True}, include_in_schema=False, sync_to_thread=False)
def show_link(
    token: str, request: PageRequest, application: Application, limits: SignInLimits
) -> Response[Any]:
    """Ask for what the link is for; it is used up by what is sent, not by looking."""
    link = _link(token, request, application, limits)
    return _form(request, application, link, Form(()), {})


@post(
    "/link/{token:str}",
    opt={"public": True, "audit": "set a password by a link"},
    include_in_schema=False,
)
async def use_link(
    token: str, request: PageRequest, application: Application, limits: SignInLimits
) -> Response[Any]:
    """Make the first account, or set a password, and sign in with it."""
    link, form = _link(token, request, application, limits), await read_form(request)
    password = form.raw("password")
    try:
        if link.purpose == "first_account":
            account = await application.accounts.create_first(
                token, form.text("email"), form.text("name"), password
            )
        else:
            account = await application.accounts.set_password_by_link(token, password)
    except InvalidError as error:
        return _form(request, application, link, form, faults_of(error))
    note_change(request, account.email)
    return sign_in_as(request, application, account, "/")


PAGE = Page(
    "/link",
    "Link",
    (show_link, use_link),
    is_in_navigation=False,
    is_public=True,
    samples=("/link/none",),
)
