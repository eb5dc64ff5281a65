"""Settings, Team: who signs in, with which role; links that invite and that set passwords anew."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from segue.errors import ConflictError
from segue.model.accounts import ROLE_WORDS, ROLES
from segue.model.limits import ACCOUNT_NAME_LENGTH_MAX, EMAIL_LENGTH_MAX
from segue.model.problems import InvalidError
from segue.services.application import Application
from segue.storage.account_ports import StoredAccount
from segue.web.audit import note_change
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import Hit, Page, PageRequest, crumbs
from segue.web.dashboard.shell import done, page

_PATH = "/settings/team"
_ADMIN = {"permission": "admin"}
_ROLES = [(role, role, ROLE_WORDS[role]) for role in ROLES]


@get(_PATH, opt=_ADMIN, sync_to_thread=False)
def show_team(request: PageRequest, application: Application) -> Response[Any]:
    """Show the accounts."""
    accounts = application.accounts.all()
    seen = {one.id: _seen_at(application, one) for one in accounts}
    return page(request, "team.html", title="Team", accounts=accounts, seen=seen)


def _seen_at(application: Application, account: StoredAccount) -> int | None:
    return max((one.seen_at for one in application.sign_ins.of(account.id)), default=None)


def _invitation(
    request: PageRequest, form: Form, faults: Mapping[str, str] | None = None
) -> Response[Any]:
    return page(
        request,
        "invite.html",
        title="Invite somebody",
        status=422 if faults else 200,
        crumbs=crumbs(("Team", _PATH)),
        faults=faults or {},
        email=form.text("email"),
        name=form.text("name"),
        role=form.text("role") or "viewer",
        roles=_ROLES,
        name_length_max=ACCOUNT_NAME_LENGTH_MAX,
        email_length_max=EMAIL_LENGTH_MAX,
    )


@get("/settings/team/invite", opt=_ADMIN, sync_to_thread=False)
def ask_to_invite(request: PageRequest) -> Response[Any]:
    """Ask whom to invite."""
    return _invitation(request, Form(()))


@post("/settings/team/invite", opt={**_ADMIN, "audit": "invited an account"})
async def invite(request: PageRequest, application: Application) -> Response[Any]:
    """Make an account, and show the link that sets its password: this once."""
    form = await read_form(request)
    try:
        account, token = application.accounts.invite(
            form.text("email"), form.text("role"), form.text("name")
        )
    except InvalidError as error:
        return _invitation(request, form, faults_of(error))
    except ConflictError as error:
        return _invitation(request, form, {"email": str(error)})
    note_change(request, account.email, f"as {account.role}")
    return _shown_link(request, application, account, token)


def _shown_link(
    request: PageRequest, application: Application, account: StoredAccount, token: str
) -> Response[Any]:
    return page(
        request,
        "team_link.html",
        title=f"A link for {account.name or account.email}",
        crumbs=crumbs(("Team", _PATH)),
        has_secret=True,
        link=application.link_url(token),
        email=account.email,
    )


def _member(
    request: PageRequest,
    application: Application,
    account_id: str,
    faults: Mapping[str, str] | None = None,
) -> Response[Any]:
    member = application.accounts.find(account_id)
    return page(
        request,
        "member.html",
        title=member.name or member.email,
        status=422 if faults else 200,
        crumbs=crumbs(("Team", _PATH)),
        faults=faults or {},
        member=member,
        roles=_ROLES,
        is_you=member.id == request.user.account.id,
        seen_at=_seen_at(application, member),
    )


@get("/settings/team/{account_id:str}", opt=_ADMIN, sync_to_thread=False)
def show_member(account_id: str, request: PageRequest, application: Application) -> Response[Any]:
    """Show an account."""
    return _member(request, application, account_id)


@post("/settings/team/{account_id:str}/role", opt={**_ADMIN, "audit": "changed a role"})
async def change_role(
    account_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Give an account another role."""
    form = await read_form(request)
    try:
        account = application.accounts.change_role(account_id, form.text("role"))
    except ConflictError as error:
        return _member(request, application, account_id, {"role": str(error)})
    except InvalidError as error:
        return _member(request, application, account_id, faults_of(error))
    note_change(request, account.email, f"to {account.role}")
    return done(_PATH, f"{account.email} is {account.role} from now on.")


@post("/settings/team/{account_id:str}/link", opt={**_ADMIN, "audit": "made a password link"})
async def make_link(
    account_id: str, request: PageRequest, application: Application
) -> Response[Any]:
    """Show a link with which an account sets its password anew: this once."""
    account = application.accounts.find(account_id)
    note_change(request, account.email)
    return _shown_link(request, application, account, application.accounts.new_link(account_id))


@post("/settings/team/{account_id:str}/remove", opt={**_ADMIN, "audit": "removed an account"})
async def remove(account_id: str, request: PageRequest, application: Application) -> Response[Any]:
    """Remove an account, once its address is typed; its sessions end."""
    account, form = application.accounts.find(account_id), await read_form(request)
    if form.text("email").lower() != account.email:
        fault = f"Type {account.email} to remove this account."
        return _member(request, application, account_id, {"email": fault})
    try:
        application.accounts.remove(account_id)
    except ConflictError as error:
        return _member(request, application, account_id, {"email": str(error)})
    note_change(request, account.email)
    return done(_PATH, f"{account.email} is removed and signed out everywhere.")


async def _find(request: PageRequest, text: str) -> list[Hit]:
    application: Application = request.app.state.application
    return [
        Hit("account", one.name or one.email, f"{_PATH}/{one.id}")
        for one in application.accounts.all()
        if text in one.email or text in one.name.lower()
    ]


PAGE = Page(
    _PATH,
    "Team",
    (show_team, ask_to_invite, invite, show_member, change_role, make_link, remove),
    group="Settings",
    icon="users",
    key="t",
    permission="admin",
    samples=(_PATH, "/settings/team/invite"),
    find=_find,
)
