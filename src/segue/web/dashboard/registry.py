"""All pages. A new page is a module with a `PAGE`, and a line here, in the navigation's order."""

from typing import Final

from segue.web.dashboard import (
    account,
    analytics,
    changes,
    home,
    keys,
    links,
    patterns,
    search,
    segments,
    sign_in,
    team,
)
from segue.web.dashboard.activity import routes as activity
from segue.web.dashboard.campaigns import changing
from segue.web.dashboard.campaigns import routes as campaigns
from segue.web.dashboard.composer import writing as composer
from segue.web.dashboard.connections import routes as connections
from segue.web.dashboard.pages import Page
from segue.web.dashboard.phone import routes as phone
from segue.web.dashboard.rehearsals import routes as rehearsals
from segue.web.dashboard.settings import channels, delivery, jobs, suppressions, system
from segue.web.dashboard.users import routes as users

PAGES: Final[tuple[Page, ...]] = (
    home.PAGE,
    campaigns.PAGE,
    connections.PAGE,
    composer.PAGE,
    activity.PAGE,
    users.PAGE,
    segments.PAGE,
    analytics.PAGE,
    phone.PAGE,
    rehearsals.PAGE,
    channels.PAGE,
    delivery.PAGE,
    suppressions.PAGE,
    team.PAGE,
    keys.PAGE,
    jobs.PAGE,
    system.PAGE,
    changes.PAGE,
    # Not in the navigation
    changing.CHANGING,
    changing.DELETING,
    connections.FOLLOWING,
    account.PAGE,
    search.PAGE,
    users.WHY_PAGE,
    sign_in.PAGE,
    links.PAGE,
    patterns.PAGE,
)
