"""Stop, archive and delete, one campaign or several: first what will happen, then the doing."""

from collections.abc import Sequence
from typing import Any, Final, Literal, assert_never

from litestar import Response, get, post
from msgspec import Struct

from segue.errors import ConflictError, NotFoundError
from segue.model.limits import CAMPAIGNS_CHANGED_MAX
from segue.model.problems import InvalidError, Problem
from segue.services.application import Application
from segue.storage.ports import StoredCampaign
from segue.web.audit import note_change
from segue.web.dashboard.campaigns.listing import PATH
from segue.web.dashboard.campaigns.words import show_words
from segue.web.dashboard.forms import Form, read_form
from segue.web.dashboard.pages import Page, PageRequest, crumbs
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import done, page
from segue.web.dashboard.words import counted

Verb = Literal["stop", "archive", "delete"]
CHANGE_PATH: Final = "/campaigns/_change"  # no slug begins so
DELETE_PATH: Final = "/campaigns/_delete"
_PUBLISH = {"permission": "publish"}
_DRAFT = {"permission": "draft"}
_PAST: Final[dict[Verb, str]] = {"stop": "stopped", "archive": "archived", "delete": "deleted"}


class Chosen(Struct, frozen=True):
    """A campaign that was chosen, how many wait for it, and why it cannot be done, if so."""

    campaign: StoredCampaign
    waiting: int
    hindrance: str


def hindrance_of(verb: Verb, campaign: StoredCampaign) -> str:
    """Return why something cannot be done to a campaign; nothing if it can."""
    match verb:
        case "stop" if campaign.status != "active":
            return f"it is {campaign.status}; only active campaigns can be stopped"
        case "archive" if campaign.status == "archived":
            return "it is archived already"
        case "delete" if campaign.version:
            return "it was published once; archive it instead"
        case "stop" | "archive" | "delete":
            return ""
        case _:
            assert_never(verb)


def _ending_of(text: str) -> Verb:
    """Return which end a form asks for.

    Raises:
        InvalidError: there is no such thing to do.
    """
    match text:
        case "stop" | "archive":
            return text
    message = f"{text!r} cannot be done to campaigns; stop and archive can"
    raise InvalidError([Problem("verb", message)], "The request")


def _chosen(application: Application, references: Sequence[str]) -> list[StoredCampaign]:
    """Return the campaigns that were chosen, each once.

    Raises:
        InvalidError: there are none, or too many.
        NotFoundError: one of them is not there.
    """
    names = list(dict.fromkeys(references))
    if not 1 <= len(names) <= CAMPAIGNS_CHANGED_MAX:
        message = (
            f"{counted(len(names), 'campaign')} chosen: tick 1 to {CAMPAIGNS_CHANGED_MAX} of them"
        )
        raise InvalidError([Problem("chosen", message)], "The request")
    return [application.campaigns.find(one) for one in names]


@get(CHANGE_PATH, opt=_PUBLISH)
async def ask_to_change(request: PageRequest, application: Application) -> Response[Any]:
    """Say what stopping or archiving would do, and ask whether to."""
    verb = _ending_of(request.query_params.get("verb", ""))
    return await _ask(request, application, verb, CHANGE_PATH)


@get(DELETE_PATH, opt=_DRAFT)
async def ask_to_delete(request: PageRequest, application: Application) -> Response[Any]:
    """Say what deleting a draft would do, and ask whether to."""
    return await _ask(request, application, "delete", DELETE_PATH)


async def _ask(
    request: PageRequest, application: Application, verb: Verb, path: str
) -> Response[Any]:
    campaigns = _chosen(application, request.query_params.getall("chosen", []))
    totals = await application.totals.of([one.slug for one in campaigns])
    chosen = [
        Chosen(one, totals[one.slug].of("waiting"), hindrance_of(verb, one)) for one in campaigns
    ]
    return page(
        request,
        "campaigns/change.html",
        title=f"{verb.capitalize()} {_names(campaigns)}?",
        crumbs=crumbs(("Campaigns", PATH)),
        **show_words(),
        verb=verb,
        chosen=chosen,
        path=path,
    )


@post(CHANGE_PATH, opt={**_PUBLISH, "audit": "changed campaigns"})
async def change(request: PageRequest, application: Application) -> Response[Any]:
    """Stop or archive what was chosen, as far as it can be; say what could not."""
    form = await read_form(request)
    return await _change(request, application, _ending_of(form.text("verb")), form)


@post(DELETE_PATH, opt={**_DRAFT, "audit": "deleted a draft"})
async def delete(request: PageRequest, application: Application) -> Response[Any]:
    """Delete the drafts that were chosen."""
    return await _change(request, application, "delete", await read_form(request))


async def _change(
    request: PageRequest, application: Application, verb: Verb, form: Form
) -> Response[Any]:
    campaigns = _chosen(application, form.all("chosen"))
    changed, refused = [], []
    for one in campaigns:
        try:
            await _do(application, verb, one.slug)
            changed.append(one)
        except (ConflictError, NotFoundError) as error:
            refused.append(str(error))
    note_change(request, ", ".join(one.slug for one in changed), _PAST[verb])
    told = [f"{_names(changed)} {'is' if len(changed) == 1 else 'are'} {_PAST[verb]}."]
    told = [*(told if changed else []), *(f"Not done: {one}." for one in refused)]
    is_alone = len(campaigns) == 1 and changed and verb != "delete"
    path = campaign_path(campaigns[0].slug) if is_alone else PATH
    return done(path, " ".join(told), "info" if refused else "success")


async def _do(application: Application, verb: Verb, slug: str) -> None:
    match verb:
        case "stop":
            await application.campaigns.stop(slug)
        case "archive":
            await application.campaigns.archive(slug)
        case "delete":
            await application.campaigns.delete(slug)
        case _:
            assert_never(verb)


def _names(campaigns: Sequence[StoredCampaign]) -> str:
    if len(campaigns) == 1:
        return f"“{campaigns[0].document.name}”"
    return counted(len(campaigns), "campaign")


@post("/campaigns/{campaign:str}/duplicate", opt={**_DRAFT, "audit": "duplicated a campaign"})
async def duplicate(campaign: str, request: PageRequest, application: Application) -> Response[Any]:
    """Make a draft with the same document, and show it."""
    copy = application.campaigns.duplicate(campaign)
    note_change(request, copy.slug, f"of {campaign}")
    return done(campaign_path(copy.slug), f"This is a draft of its own now: {copy.slug}.")


# Pages of their own, since they take more than reading.
CHANGING = Page(
    CHANGE_PATH,
    "Stop or archive campaigns",
    (ask_to_change, change),
    permission="publish",
    is_in_navigation=False,
    samples=("/campaigns/_change?verb=stop&chosen=spring-sale&chosen=resend",),
)
DELETING = Page(
    DELETE_PATH,
    "Delete drafts",
    (ask_to_delete, delete),
    permission="draft",
    is_in_navigation=False,
    samples=("/campaigns/_delete?chosen=spring-sale",),
)
