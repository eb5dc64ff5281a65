"""`/api/v1/projects`: a folder's documents, all at once: planned, applied, exported."""

from typing import Any

from litestar import Request, get, post
from litestar.exceptions import PermissionDeniedException

from segue.services.application import Application
from segue.services.configuration import (
    ConfigurationDocument,
    decode_configuration,
    document_of,
)
from segue.services.project_plan import ProjectPlan
from segue.web.audit import note_change, note_no_change
from segue.web.bodies import read_json

_TAGS = ["projects"]


@get("/projects/export", opt={"scope": "read"}, tags=_TAGS, sync_to_thread=False)
def export_project(application: Application) -> ConfigurationDocument:
    """Show every campaign with its status, but for archived ones, the segments, the workspace."""
    return document_of(application.projects.export())


@post("/projects/plan", status_code=200, opt={"scope": "read"}, tags=_TAGS)
async def plan_project(
    request: Request[Any, Any, Any], application: Application, prune: bool = False
) -> ProjectPlan:
    """Show what applying these documents would change; with `prune`, others would go."""
    wanted = decode_configuration(await read_json(request))
    return await application.projects.plan(wanted, prune=prune)


@post(
    "/projects/apply",
    status_code=200,
    opt={"scope": "campaigns", "permission": "publish"},
    tags=_TAGS,
)
async def apply_project(
    request: Request[Any, Any, Any],
    application: Application,
    prune: bool = False,
    expect: str | None = None,
) -> ProjectPlan:
    """Apply these documents, all or nothing, at one instant; `expect` is a plan's fingerprint.

    A change of the workspace needs a key with the scope `admin`.
    """
    wanted = decode_configuration(await read_json(request))
    if not request.auth.may("admin"):
        plan = await application.projects.plan(wanted, prune=prune)
        if any(change.what == "workspace" for change in plan.changes):
            message = 'this changes the workspace, for which the key needs the scope "admin"'
            raise PermissionDeniedException(message)
        expect = expect or plan.fingerprint  # nothing else may be applied than was looked at
    applied = await application.projects.apply(wanted, prune=prune, expected=expect)
    if applied.changes:
        note_change(request, ", ".join(f"{one.what} {one.slug}" for one in applied.changes))
    else:
        note_no_change(request)
    return applied


HANDLERS = [export_project, plan_project, apply_project]
