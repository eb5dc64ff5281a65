"""`/api/v1/campaigns`: documents, their life, who waits."""

from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.params import QueryParameter
from msgspec import Struct

from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.model.explanations import Explanation
from segue.model.instants import format_instant
from segue.model.limits import NAME_LENGTH_MAX
from segue.services.application import Application
from segue.services.campaign_sentences import sentence_text
from segue.services.explanations.service import explain_live
from segue.services.previews import Preview, PreviewRequest
from segue.services.waiting import WaitingPage, waiting_for
from segue.storage.ports import StoredCampaign
from segue.web.audit import note_change
from segue.web.bodies import read_json, read_json_if_any
from segue.web.pages import Page, PageLimit, page_of

UserId = Annotated[str, QueryParameter(min_length=1, max_length=NAME_LENGTH_MAX)]


class ShownCampaign(Struct, omit_defaults=True):
    """A campaign: its document, and what Segue keeps about it."""

    id: str
    slug: str
    status: str
    version: int
    sentence: str  # what it does, in words
    document: Campaign
    created_at: str
    updated_at: str
    published_at: str | None = None


def shown(application: Application, campaign: StoredCampaign) -> ShownCampaign:
    """Return a campaign as the API shows it."""
    published_at = campaign.published_at
    return ShownCampaign(
        id=campaign.id,
        slug=campaign.slug,
        status=campaign.status,
        version=campaign.version,
        sentence=sentence_text(application.campaigns.sentence(campaign.document)),
        document=campaign.document,
        created_at=format_instant(campaign.created_at),
        updated_at=format_instant(campaign.updated_at),
        published_at=format_instant(published_at) if published_at is not None else None,
    )


@get("/campaigns", opt={"scope": "read"}, tags=["campaigns"], sync_to_thread=False)
def list_campaigns(
    application: Application, limit: PageLimit = 100, cursor: str = "", status: str | None = None
) -> Page[ShownCampaign]:
    """List campaigns by slug, all or those of one status."""
    found = [
        one
        for one in application.campaigns.all()
        if one.slug > cursor and status in (None, one.status)
    ]
    listed = [shown(application, one) for one in found[: limit + 1]]
    return page_of(listed, limit, lambda one: one.slug)


@post("/campaigns", opt={"scope": "campaigns"}, tags=["campaigns"])
async def create_campaign(
    request: Request[Any, Any, Any], application: Application
) -> ShownCampaign:
    """Keep a document as a draft."""
    created = application.campaigns.create(await read_json(request))
    note_change(request, created.slug)
    return shown(application, created)


@get("/campaigns/{campaign:str}", opt={"scope": "read"}, tags=["campaigns"], sync_to_thread=False)
def get_campaign(campaign: str, application: Application) -> ShownCampaign:
    """Show a campaign, by its slug or id."""
    return shown(application, application.campaigns.find(campaign))


@put("/campaigns/{campaign:str}", opt={"scope": "campaigns"}, tags=["campaigns"])
async def replace_campaign(
    campaign: str, request: Request[Any, Any, Any], application: Application
) -> ShownCampaign:
    """Replace the document; of an active campaign this makes a new version."""
    raw = await read_json(request)
    may_publish = request.auth.may("publish")
    updated = await application.campaigns.update(campaign, raw, may_publish=may_publish)
    return shown(application, updated)


@delete("/campaigns/{campaign:str}", opt={"scope": "campaigns"}, tags=["campaigns"])
async def delete_campaign(campaign: str, application: Application) -> None:
    """Delete a draft."""
    await application.campaigns.delete(campaign)


@post(
    "/campaigns/{campaign:str}/stop",
    status_code=200,
    opt={"scope": "campaigns", "permission": "publish"},
    tags=["campaigns"],
)
async def stop_campaign(campaign: str, application: Application) -> ShownCampaign:
    """Stop a campaign; users who wait for it are cancelled."""
    return shown(application, await application.campaigns.stop(campaign))


@post(
    "/campaigns/{campaign:str}/archive",
    status_code=200,
    opt={"scope": "campaigns", "permission": "publish"},
    tags=["campaigns"],
)
async def archive_campaign(campaign: str, application: Application) -> ShownCampaign:
    """Archive a campaign for good."""
    return shown(application, await application.campaigns.archive(campaign))


@post("/campaigns/{campaign:str}/duplicate", opt={"scope": "campaigns"}, tags=["campaigns"])
async def duplicate_campaign(campaign: str, application: Application) -> ShownCampaign:
    """Make a draft with the same document."""
    return shown(application, application.campaigns.duplicate(campaign))


@get("/campaigns/{campaign:str}/waiting", opt={"scope": "read"}, tags=["campaigns"])
async def get_waiting(
    campaign: str, application: Application, limit: PageLimit = 100, cursor: str = ""
) -> WaitingPage:
    """Show who waits for a campaign, those due first first, and how many do in all."""
    slug = application.campaigns.find(campaign).slug
    return await waiting_for(application.runtime, application.totals, slug, limit, cursor)


@post(
    "/campaigns/{campaign:str}/preview",
    status_code=200,
    opt={"scope": "read"},
    tags=["campaigns"],
)
async def preview_campaign(
    campaign: str, request: Request[Any, Any, Any], application: Application
) -> Preview:
    """Fill each message in for one user, real or made up, and show the templates' errors."""
    raw = await read_json_if_any(request)
    wish = decode_document(raw, PreviewRequest)
    return application.previews.preview(application.campaigns.find(campaign), wish)


@get("/campaigns/{campaign:str}/explain", opt={"scope": "read"}, tags=["campaigns"])
async def explain_campaign(campaign: str, user_id: UserId, application: Application) -> Explanation:
    """Explain why a user got a campaign, or did not: every event, check and value, in order.

    It is decided again from the log, so it tells of campaigns long stopped as well.
    """
    return await explain_live(application.runtime, user_id, campaign)


HANDLERS = [
    list_campaigns,
    create_campaign,
    get_campaign,
    replace_campaign,
    delete_campaign,
    stop_campaign,
    archive_campaign,
    duplicate_campaign,
    get_waiting,
    preview_campaign,
    explain_campaign,
]
