"""What the tabs of a campaign's page have in common: state, sentence, actions, the tabs."""

from typing import Any

from litestar import Response
from msgspec import Struct

from segue.services.application import Application
from segue.storage.ports import StoredCampaign
from segue.web.dashboard.campaigns.changing import CHANGE_PATH, DELETE_PATH
from segue.web.dashboard.campaigns.listing import PATH
from segue.web.dashboard.campaigns.words import show_words
from segue.web.dashboard.pages import PageRequest, crumbs
from segue.web.dashboard.places import campaign_path
from segue.web.dashboard.shell import page

_TABS = (
    ("", "Overview"),
    ("connections", "Connections"),
    ("sends", "Sends"),
    ("waiting", "Waiting"),
    ("changes", "Changes"),
)


class Tab(Struct, frozen=True):
    """A tab, which is a page of its own."""

    title: str
    path: str
    is_here: bool


def tab_page(
    request: PageRequest,
    application: Application,
    campaign: StoredCampaign,
    tab: str,
    **context: Any,
) -> Response[Any]:
    """Return a tab of a campaign's page."""
    return page(
        request,
        f"campaigns/{tab or 'overview'}.html",
        title=campaign.document.name,
        crumbs=crumbs(("Campaigns", PATH)),
        **show_words(),
        campaign=campaign,
        sentence=application.campaigns.sentence(campaign.document),
        tabs=[Tab(title, campaign_path(campaign.slug, name), name == tab) for name, title in _TABS],
        change_path=CHANGE_PATH,
        delete_path=DELETE_PATH,
        **context,
    )
