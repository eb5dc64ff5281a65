"""Your account: name, password, how pages look, and where you are signed in."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from segue.model.accounts import ROLE_WORDS, THEMES
from segue.model.limits import ACCOUNT_NAME_LENGTH_MAX, PASSWORD_LENGTH_MIN
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.web.dashboard.forms import faults_of, read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import done, own_path, page
from segue.web.dashboard.words import browser_name

_PATH = "/account"


def _show(
    request: PageRequest, application: Application, faults: Mapping[str, str] | None = None
) -> Response[bytes]:
    user = request.user
    sessions = [(one, browser_name(one.agent)) for one in application.sign_ins.of(user.account.id)]
    return page(
        request,
        "account.html",
        title="Your account",
        status=422 if faults else 200,
        faults=faults or {},
        sessions=sessions,
        session_id=user.session.id,
        role_words=ROLE_WORDS[user.account.role],
        length_min=PASSWORD_LENGTH_MIN,
        name_length_max=ACCOUNT_NAME_LENGTH_MAX,
    )


@get(_PATH, sync_to_thread=False)
def show_account(request: PageRequest, application: Application) -> Response[bytes]:
    """Show your account."""
    return _show(request, application)


@post("/account/name", opt={"audit": "changed their name"})
async def change_name(request: PageRequest, application: Application) -> Response[Any]:
    """Give yourself another name."""
    form = await read_form(request)
    try:
        application.accounts.change_name(request.user.account.id, form.text("name"))
    except InvalidError as error:
        return _show(request, application, faults_of(error))
    return done(_PATH, "Your name is changed.")


@post("/account/password", opt={"audit": "changed their password"})
async def change_password(request: PageRequest, application: Application) -> Response[Any]:
    """Change your password; everywhere else you are signed out."""
    form, user = await read_form(request), request.user
    try:
        await application.accounts.change_password(
            user.account.id, user.session.id, form.raw("current"), form.raw("password")
        )
    except InvalidError as error:
        return _show(request, application, faults_of(error))
    return done(_PATH, "Your password is changed. Everywhere else you are signed out.")


@post("/account/looks", opt={"audit": False})
async def change_looks(request: PageRequest, application: Application) -> Redirect:
    """Choose colours, and whether single keys do something."""
    form, account = await read_form(request), request.user.account
    theme = next((one for one in THEMES if one == form.text("theme")), account.theme)
    has_shortcuts = form.has("has_shortcuts")
    application.accounts.change_looks(account.id, theme, has_shortcuts=has_shortcuts)
    return done(_PATH, "It is kept.")


@post("/account/theme", opt={"audit": False})
async def change_theme(request: PageRequest, application: Application) -> Redirect:
    """Change the colours from any page, and go back to it."""
    form, account = await read_form(request), request.user.account
    theme = next((one for one in THEMES if one == form.text("theme")), account.theme)
    application.accounts.change_looks(account.id, theme, has_shortcuts=account.has_shortcuts)
    return Redirect(own_path(form.text("back")), status_code=303)


@post("/account/sessions/{session_id:str}/end", opt={"audit": "ended a session"})
async def end_session(session_id: str, request: PageRequest, application: Application) -> Redirect:
    """Sign out somewhere else."""
    application.sign_ins.end(request.user.account.id, session_id)
    return done(_PATH, "That browser is signed out.")


PAGE = Page(
    _PATH,
    "Your account",
    (show_account, change_name, change_password, change_looks, change_theme, end_session),
    is_in_navigation=False,
)
