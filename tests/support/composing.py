"""Writing campaigns in the composer, as a browser without scripts does."""

import itertools
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from tests.support.forms import Pairs, changed, form_of
from tests.support.members import Member
from tests.support.servers import SegueServer

_numbers = itertools.count(1)


class Writing:
    """What is being written, at its steps."""

    def __init__(self, member: Member, **begin: str) -> None:
        self.member = member
        answer = member.post("/compose", begin or {"begin": "blank"})
        assert answer.status_code == 303, answer.text
        self.path = answer.headers["location"].rsplit("/", 1)[0]

    def page(self, step: str) -> str:
        return self.member.page(f"{self.path}/{step}")

    def form(self, step: str) -> Pairs:
        return form_of(self.page(step), f"{self.path}/{step}")

    def write(self, step: str, button: str = "save", **fields: str) -> str:
        """Fill fields in and press a button that goes on; return the page that comes."""
        return self.fill(step, {**fields, "go": button})

    def fill(self, step: str, fields: dict[str, str]) -> str:
        sent = self.member.send(f"{self.path}/{step}", changed(self.form(step), fields))
        assert sent.status_code == 303, sent.text
        return self.member.page(sent.headers["location"].partition("#")[0])

    def press(self, step: str, edit: str) -> str:
        return self.fill(step, {"edit": edit})

    def keep(self) -> dict[str, Any]:
        """Keep it as a draft, and return the document by the API."""
        answer = self.member.post(f"{self.path}/keep")
        assert "review" not in answer.headers["location"], summary(self.page("review"))
        found = self.member.server.api.get("/api/v1/campaigns?limit=200").json()["data"]
        newest = max(found, key=lambda one: one["id"])
        document: dict[str, Any] = newest["document"]
        return document


def summary(html: str) -> list[str]:
    return [" ".join(one.text().split()) for one in LexborHTMLParser(html).css(".summary li")]


def text_of(html: str, selector: str) -> str:
    found = LexborHTMLParser(html).css_first(selector)
    assert found is not None, selector
    return " ".join(found.text().split())


def campaign(server: SegueServer, name: str = "sale", **parts: Any) -> str:
    """Make a campaign of one email; return its slug."""
    slug = f"{name}-{next(_numbers)}"
    html = '<a href="https://shop.test" data-alias="cta">x</a> {{ unsubscribe_url }}'
    document = {
        "slug": slug,
        "name": slug.capitalize(),
        "delivery": {"triggers": [{"event": "sale_started"}]},
        "messages": [{"email": {"from": "Shop <hi@shop.test>", "subject": "Sale", "html": html}}],
        **parts,
    }
    answer = server.api.post("/api/v1/campaigns", json=document)
    assert answer.status_code == 201, answer.text
    return slug


def publish(server: SegueServer, slug: str) -> None:
    answer = server.api.post(f"/api/v1/campaigns/{slug}/publish")
    assert answer.status_code == 200, answer.text
