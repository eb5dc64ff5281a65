"""Settings, Delivery rules: what holds for all campaigns, as one form."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from litestar import Response, get, post

from segue.errors import ConflictError
from segue.model.channels import CHANNELS
from segue.model.limits import (
    CAPS_MAX,
    GROUP_DESCRIPTION_LENGTH_MAX,
    NAME_LENGTH_MAX,
    SUBSCRIPTION_GROUPS_MAX,
)
from segue.model.problems import InvalidError
from segue.model.workspace import Workspace
from segue.services.application import Application
from segue.services.explanations.words import channel_word
from segue.storage.account_ports import StoredChange
from segue.web.audit import note_change, note_no_change
from segue.web.dashboard.form_fields import Fields, Tree, edited, list_edit, without_blanks
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import done, page

_PATH: Final = "/settings/delivery"
_CHANGE: Final = "changed the delivery rules"
# What the audit trail calls a change of them, whoever makes it.
_CHANGES: Final = frozenset(
    (_CHANGE, "put workspace", "create cap", "put cap", "delete cap", "put channel")
)
_LOOKED_BACK: Final = 500  # changes; of rules that have not changed for longer, nobody asks who
_NEW: Final[Mapping[str, Tree]] = {
    "caps": {"messages_max": 3, "within": "7d"},
    "subscription_groups": {},
}
_OTHERWISE: Final = (
    ("next_available", "wait until they are over"),
    ("skip", "are not sent at all"),
)


def _rules(
    request: PageRequest,
    application: Application,
    tree: Tree,
    *,
    seen: str,
    faults: Mapping[str, str] | None = None,
    focus: str = "",
) -> Response[Any]:
    workspace = application.workspace.get()
    return page(
        request,
        "settings/delivery.html",
        title="Delivery rules",
        status=422 if faults else 200,
        rules=tree,
        seen=seen,
        faults=faults or {},
        focus=focus,
        changed=_newest_change(application),
        channels=[(one, channel_word(one)) for one in CHANNELS],
        cap_channels=[("any", "any channel"), *((one, channel_word(one)) for one in CHANNELS)],
        unknown=_unknown(workspace),
        otherwise=_OTHERWISE,
        caps_max=CAPS_MAX,
        groups_max=SUBSCRIPTION_GROUPS_MAX,
        name_length_max=NAME_LENGTH_MAX,
        description_length_max=GROUP_DESCRIPTION_LENGTH_MAX,
    )


def _newest_change(application: Application) -> StoredChange | None:
    found = application.audit.newest(_LOOKED_BACK)
    return next((one for one in found if one.action in _CHANGES), None)


def _unknown(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Return what may be done in each channel, with the default named."""
    words = {"resend": "send it again", "drop": "do not send it again"}
    plain = msgspec.structs.replace(workspace, channels={})
    return {
        one: [("", f"as usual: {words[plain.on_unknown(one)]}"), *words.items()] for one in CHANNELS
    }


@get(_PATH, sync_to_thread=False)
def show_rules(request: PageRequest, application: Application) -> Response[Any]:
    """Show the rules."""
    workspace = application.workspace.get()
    return _rules(request, application, msgspec.to_builtins(workspace), seen=_mark(workspace))


@post(_PATH, opt={"permission": "admin", "audit": _CHANGE})
async def save_rules(request: PageRequest, application: Application) -> Response[Any]:
    """Save the rules; or change a list of the form, without saving anything yet."""
    form = await read_form(request)
    tree, seen = _tree(form), form.text("seen")
    edit = list_edit(form.text("edit"))
    if edit is not None:
        note_no_change(request)
        name = edit.place.partition("[")[0]
        edited(tree, edit, dict(_NEW.get(name, {})))
        added = f"{name}[{len(tree.get(name, [])) - 1}]"
        focus = added if edit.verb == "add" else name
        return _rules(request, application, tree, seen=seen, focus=focus)
    newest = _mark(application.workspace.get())
    if seen != newest:
        told = (
            "Somebody has changed the rules since you opened this page. What stands here is "
            "yours; save once more to put it in place of theirs."
        )
        return _rules(request, application, tree, seen=newest, faults={"": told})
    try:
        workspace = await application.workspace.put(tree)
    except InvalidError as error:
        return _rules(request, application, tree, seen=seen, faults=faults_of(error))
    except ConflictError as error:
        return _rules(request, application, tree, seen=seen, faults={"": f"{error}."})
    note_change(request, "the workspace", _summary(workspace))
    return done(_PATH, "The rules are saved, and hold from now on.")


def _tree(form: Form) -> Tree:
    """Return the document that the form stands for."""
    fields = Fields(form)
    quiet = fields.at("quiet_hours")
    policies = {
        one: {"on_unknown": chosen}
        for one in CHANNELS
        if (chosen := fields.at("channels").at(one).text("on_unknown"))
    }
    tree: Tree = {
        "name": fields.text("name"),
        "time_zone": fields.text("time_zone"),
        "caps": [_cap(one) for one in fields.each("caps")],
        "subscription_groups": [_group(one) for one in fields.each("subscription_groups")],
        "channels": policies,
    }
    if fields.has("has_quiet_hours"):
        names = ("from", "to", "otherwise")
        tree["quiet_hours"] = without_blanks({name: quiet.text(name) for name in names})
    return without_blanks(tree)


def _cap(fields: Fields) -> Tree:
    texts = {name: fields.text(name) for name in ("slug", "within", "channel", "tag")}
    return without_blanks({**texts, "messages_max": fields.number("messages_max")})


def _group(fields: Fields) -> Tree:
    return without_blanks({name: fields.text(name) for name in ("slug", "name", "description")})


def _mark(workspace: Workspace) -> str:
    """Return a mark that tells one state of the rules from another."""
    return sha256(msgspec.json.encode(workspace)).hexdigest()[:16]


def _summary(workspace: Workspace) -> str:
    quiet = workspace.quiet_hours
    hours = f"quiet {quiet.from_} to {quiet.to}" if quiet is not None else "no quiet hours"
    groups = len(workspace.subscription_groups)
    return f"{workspace.time_zone}, {hours}, {len(workspace.caps)} caps, {groups} groups"


PAGE = Page(
    _PATH,
    "Delivery rules",
    (show_rules, save_rules),
    group="Settings",
    icon="settings",
    key="d",
)
