"""Links of messages as their users get them, without sending the messages."""

import re
from typing import Any, Literal

from tests.support.servers import SegueServer

Page = Literal["unsubscribe", "preferences"]
SHOWN = '<a href="{{ unsubscribe_url }}">u</a> <a href="{{ preferences_url }}">p</a>'
_PATHS = {"unsubscribe": "u", "preferences": "p"}


def mailed(slug: str, **more: Any) -> dict[str, Any]:
    """Return a campaign that event "go" triggers, with both links in its email."""
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"triggers": [{"event": "go"}]},
        "messages": [{"email": {"subject": slug, "html": SHOWN}}],
        "re_eligibility": "always",
        **more,
    }


def content_for(segue: SegueServer, user_id: str, campaign: str) -> dict[str, Any]:
    """Return the campaign's first message as the user would get it."""
    answer = segue.api.post(f"/api/v1/campaigns/{campaign}/preview", json={"user_id": user_id})
    [first, *_] = answer.json()["messages"]
    return dict(first["content"])


def link_of(html: str, page: Page) -> str:
    """Return the link of a text that leads to a page."""
    found = re.search(rf"https?://[^\s\"<]+/t/{_PATHS[page]}/[\w-]+", html)
    assert found is not None, html
    return found[0]


def link_for(segue: SegueServer, user_id: str, campaign: str, page: Page) -> str:
    """Return the link of the user's email that leads to a page."""
    return link_of(content_for(segue, user_id, campaign)["html"], page)
