"""The campaigns' pages, as the registry takes them."""

from segue.web.dashboard.campaigns.changing import duplicate
from segue.web.dashboard.campaigns.history import show_changes
from segue.web.dashboard.campaigns.listing import PATH, find, show_campaigns
from segue.web.dashboard.campaigns.neighbours import show_neighbours
from segue.web.dashboard.campaigns.overview import show_overview
from segue.web.dashboard.campaigns.sends import give_sends, show_sends
from segue.web.dashboard.campaigns.waiting import show_waiting
from segue.web.dashboard.pages import Page

PAGE = Page(
    PATH,
    "Campaigns",
    (
        show_campaigns,
        duplicate,
        show_overview,
        show_neighbours,
        show_sends,
        give_sends,
        show_waiting,
        show_changes,
    ),
    group="Messaging",
    icon="megaphone",
    key="c",
    samples=(
        PATH,
        "/campaigns?state=draft",
        "/campaigns/spring-sale",
        "/campaigns/spring-sale/connections",
        "/campaigns/resend/sends",
        "/campaigns/resend/waiting",
        "/campaigns/spring-sale/changes",
    ),
    find=find,
)
