"""Settings, Suppression list: addresses that get nothing; looked for, added, taken off."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get, post

from segue.errors import ConflictError
from segue.model.instants import from_datetime
from segue.model.limits import SUPPRESSION_QUERY_LENGTH_MAX, SUPPRESSIONS_PER_CALL_MAX
from segue.model.problems import InvalidError
from segue.model.suppressions import WHY_SUPPRESSED
from segue.services.application import Application
from segue.services.explanations.words import channel_word
from segue.services.suppressions import cursor_of
from segue.web.audit import note_change
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.shell import done, page
from segue.web.dashboard.words import counted
from segue.web.pages import page_of

_PATH: Final = "/settings/suppressions"
_ADMIN: Final = {"permission": "admin"}
_PAGE_MAX: Final = 50
_FAULTS_SHOWN_MAX: Final = 5
_CHANNELS: Final = (("email", "Email"), ("sms", "SMS"))


@get(_PATH, sync_to_thread=True)
def show_suppressions(request: PageRequest, application: Application) -> Response[Any]:
    """Show a page of the list: of a channel, or of addresses that hold a text."""
    asked = request.query_params
    channel = asked.get("channel", "")
    channel = channel if channel in dict(_CHANNELS) else ""
    part = asked.get("q", "").strip()[:SUPPRESSION_QUERY_LENGTH_MAX]
    cursor = asked.get("cursor", "")
    found = application.suppressions.page(channel or None, cursor, _PAGE_MAX + 1, part)
    shown = page_of(found, _PAGE_MAX, cursor_of)
    wanted = {name: one for name, one in (("channel", channel), ("q", part)) if one}
    return page(
        request,
        "settings/suppressions.html",
        title="Suppression list",
        entries=shown.data,
        channel=channel,
        part=part,
        channels=_CHANNELS,
        channel_word=channel_word,
        why=WHY_SUPPRESSED,
        part_length_max=SUPPRESSION_QUERY_LENGTH_MAX,
        next_path=_path({**wanted, "cursor": shown.next_cursor}) if shown.next_cursor else None,
        first_path=_path(wanted) if cursor else None,
        removal=_removal,
        instant_of=from_datetime,
    )


def _path(query: Mapping[str, str]) -> str:
    return f"{_PATH}?{urlencode(query)}" if query else _PATH


def _removal(channel: str, address: str) -> str:
    """Return where it is asked whether an address is to be taken off."""
    return f"{_PATH}/remove?{urlencode({'channel': channel, 'address': address})}"


def _form(
    request: PageRequest, form: Form, faults: Mapping[str, str] | None = None
) -> Response[Any]:
    return page(
        request,
        "settings/suppress.html",
        title="Suppress addresses",
        status=422 if faults else 200,
        crumbs=crumbs(("Suppression list", _PATH)),
        faults=faults or {},
        channel=form.text("channel") or "email",
        channels=_CHANNELS,
        addresses=form.raw("addresses"),
        addresses_max=SUPPRESSIONS_PER_CALL_MAX,
    )


@get(f"{_PATH}/new", opt=_ADMIN, sync_to_thread=False)
def ask_for_addresses(request: PageRequest) -> Response[Any]:
    """Ask which addresses are to get nothing."""
    return _form(request, Form(()))


@post(f"{_PATH}/new", opt={**_ADMIN, "audit": "suppressed addresses"})
async def suppress(request: PageRequest, application: Application) -> Response[Any]:
    """Put addresses on the list, all or none."""
    form = await read_form(request)
    addresses = [line.strip() for line in form.raw("addresses").splitlines() if line.strip()]
    if not addresses:
        return _form(request, form, {"addresses": "Type an address, or several, one to a line."})
    wish = {"channel": form.text("channel"), "addresses": addresses}
    try:
        added = await application.suppressions.add(wish)
    except InvalidError as error:
        return _form(request, form, _faults(error))
    except ConflictError as error:
        return _form(request, form, {"": str(error)})
    note_change(request, "the suppression list", f"{added.added} new")
    known = f"; {added.known} were on it already" if added.known else ""
    return done(_PATH, f"{counted(added.added, 'address', 'addresses')} put on the list{known}.")


def _faults(error: InvalidError) -> Mapping[str, str]:
    """Return the first faults of the lines, all at the one field that has them."""
    of_lines = [one.message for one in error.problems if one.path.startswith("addresses")]
    faults = {one.path: one.message for one in error.problems if one.message not in of_lines}
    if of_lines:
        more = len(of_lines) - _FAULTS_SHOWN_MAX
        told = [*of_lines[:_FAULTS_SHOWN_MAX], *([f"and {more} more"] if more > 0 else [])]
        faults["addresses"] = f"{'; '.join(told)}. Nothing was put on the list."
    return faults


@get(f"{_PATH}/remove", opt=_ADMIN, sync_to_thread=True)
def ask_to_remove(request: PageRequest, application: Application) -> Response[Any]:
    """Ask whether an address is to be taken off, and say what follows."""
    asked = request.query_params
    channel, address = asked.get("channel", ""), asked.get("address", "")
    found = application.suppressions.entries_of(channel, address)
    return page(
        request,
        "settings/unsuppress.html",
        title="Take an address off",
        crumbs=crumbs(("Suppression list", _PATH)),
        channel=channel,
        address=found[0].address,
        entries=found,
        channel_word=channel_word,
        why=WHY_SUPPRESSED,
        instant_of=from_datetime,
    )


@post(f"{_PATH}/remove", opt={**_ADMIN, "audit": "took an address off the suppression list"})
async def remove(request: PageRequest, application: Application) -> Response[Any]:
    """Take an address off, whatever its reasons."""
    form = await read_form(request)
    channel, address = form.text("channel"), form.text("address")
    await application.suppressions.remove(channel, address)
    note_change(request, f"{channel} {address}")
    return done(_PATH, f"{address} may get messages again.")


PAGE = Page(
    _PATH,
    "Suppression list",
    (show_suppressions, ask_for_addresses, suppress, ask_to_remove, remove),
    group="Settings",
    icon="shield",
    key="x",
    samples=(_PATH, f"{_PATH}?q=nobody"),
)
