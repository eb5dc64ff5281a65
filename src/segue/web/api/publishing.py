"""`/api/v1/campaigns/…/publish`: one campaign, or a connected set at one instant."""

from typing import Any

from litestar import Request, post
from msgspec import Struct

from segue.model.decoding import decode_document
from segue.model.instants import format_instant
from segue.services.application import Application
from segue.services.publishing import Publication, PublishSetWish, PublishWish
from segue.web.audit import note_change, note_no_change
from segue.web.bodies import read_json, read_json_if_any


class Warned(Struct, omit_defaults=True):
    """What may be a mistake: where in the document, what, and of which campaign."""

    path: str
    message: str
    campaign: str


class Missed(Struct):
    """How many users were too early for a campaign, in all and for each of its triggers."""

    campaign: str
    users: int
    triggers: dict[str, int]  # by path


class ShownPublication(Struct):
    """What a publication did, or would do, and what its author should know.

    `missed_users` counts each user once; `backfilled` counts interactions, by campaign.
    """

    published: list[str]
    published_at: str
    warnings: list[Warned]
    missed_users: int
    missed: list[Missed]
    backfilled: dict[str, int]


def shown(publication: Publication) -> ShownPublication:
    """Return a publication as the API shows it."""
    return ShownPublication(
        published=publication.published,
        published_at=format_instant(publication.published_at),
        warnings=[
            Warned(one.problem.path, one.problem.message, one.slug) for one in publication.warnings
        ],
        missed_users=publication.missed.user_count,
        missed=[
            Missed(one.slug, one.user_count, {each.path: each.user_count for each in one.triggers})
            for one in publication.missed.campaigns
        ],
        backfilled=publication.backfilled,
    )


@post(
    "/campaigns/{campaign:str}/publish",
    status_code=200,
    opt={"scope": "campaigns", "permission": "publish"},
    tags=["campaigns"],
)
async def publish_campaign(
    campaign: str, request: Request[Any, Any, Any], application: Application
) -> ShownPublication:
    """Publish a draft or a stopped campaign from now on; the body may be left out.

    With `dry_run` nothing is done; with `backfill` what users did before enters them after all.
    """
    raw = await read_json_if_any(request)
    wish = decode_document(raw, PublishWish, "The body")
    if wish.dry_run:
        note_no_change(request)
    return shown(await application.publishing.publish(campaign, wish))


@post(
    "/campaigns/publish",
    status_code=200,
    opt={"scope": "campaigns", "permission": "publish"},
    tags=["campaigns"],
)
async def publish_campaigns(
    request: Request[Any, Any, Any], application: Application
) -> ShownPublication:
    """Publish connected campaigns at one instant, followers first: all of them or none.

    With `with_followers`, every draft that follows one of `ids`, directly or through others, too.
    """
    wish = decode_document(await read_json(request), PublishSetWish, "The body")
    publication = await application.publishing.publish_set(wish)
    if wish.dry_run:
        note_no_change(request)
    else:
        note_change(request, ", ".join(publication.published))
    return shown(publication)


HANDLERS = [publish_campaign, publish_campaigns]
