"""From what was written to what is published: what it would meet, warnings, order, rehearsal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.support.composing import Writing, campaign, publish, summary, text_of
from tests.support.forms import Pairs, changed, form_of
from tests.support.members import Member, Team, member
from tests.support.servers import SegueServer, eventually, mail_server

from segue.model.limits import CONFIRMED_USERS_MIN

pytestmark = pytest.mark.slow


def outlook(writing: Writing) -> str:
    return writing.member.page(f"{writing.path}/outlook")


def publish_form(writing: Writing, html: str) -> Pairs:
    return form_of(html, f"{writing.path}/publish")


def accepting(html: str) -> Pairs:
    """Return the ticks of every warning."""
    boxes = LexborHTMLParser(html).css('input[name="accept"]')
    return [("accept", box.attributes["value"] or "") for box in boxes]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SegueServer, Member, str]]:
    """A server on which "sale" was sent to twenty users, of many; and a publisher."""
    folder = tmp_path_factory.mktemp("busy")
    with mail_server() as (_, url), _server(folder, url) as server:
        slug = campaign(server)
        publish(server, slug)
        count = CONFIRMED_USERS_MIN + 10
        users = [
            {"user_id": f"u{number}", "attributes": {"email": f"u{number}@shop.test"}}
            for number in range(count)
        ]
        for start in range(0, count, 500):
            answer = server.api.post("/api/v1/users", json={"users": users[start : start + 500]})
            assert answer.status_code == 202, answer.text
        events = [{"user_id": f"u{number}", "name": "sale_started"} for number in range(20)]
        assert server.api.post("/api/v1/events", json={"events": events}).status_code == 202
        eventually(lambda: _sent(server, slug) == 20, "twenty sends")
        yield server, member(server, "publisher"), slug


def _server(folder: Path, smtp_url: str) -> SegueServer:
    return SegueServer(folder / "data", SEGUE_CHANNELS__EMAIL__SMTP_URL=smtp_url)


def _sent(server: SegueServer, slug: str) -> int:
    nodes = server.api.get("/api/v1/connections").json()["nodes"]
    return int(next(one for one in nodes if one["slug"] == slug)["counts"]["sent"])


def test_who_was_too_early_is_counted_and_let_in_only_if_wanted(
    busy: tuple[SegueServer, Member, str],
) -> None:
    server, publisher, slug = busy
    writing = Writing(publisher, recipe="resend", campaign=slug)
    html = outlook(writing)
    assert text_of(html, "#missed") == "20 users were too early"
    form = publish_form(writing, html)
    assert "backfill" not in dict(form)  # off by default
    answer = publisher.send(f"{writing.path}/publish", form)
    assert answer.status_code == 422
    told = summary(answer.text)
    assert any("20 users did this before the publication" in one for one in told)
    assert any(f"Type {CONFIRMED_USERS_MIN + 10:,}" in one for one in told)
    wrong = [*form, *accepting(html)]
    assert publisher.send(f"{writing.path}/publish", wrong).status_code == 422
    right = changed(wrong, {"users": f"{CONFIRMED_USERS_MIN + 10:,}"})
    accepted = [*[one for one in right if one[0] != "accept"], *accepting(html)]
    answer = publisher.send(f"{writing.path}/publish", accepted)
    assert answer.status_code == 303, summary(answer.text)
    campaigns = server.api.get("/api/v1/campaigns?limit=200").json()["data"]
    made = next(one for one in campaigns if one["document"]["name"].endswith("non-openers"))
    assert made["status"] == "active"
    assert publisher.get(f"{writing.path}/review").status_code == 404  # it is done with


def test_those_who_were_too_early_are_let_in_by_a_tick(
    busy: tuple[SegueServer, Member, str],
) -> None:
    server, publisher, slug = busy
    writing = Writing(publisher, recipe="resend", campaign=slug)
    writing.write("message", name="Let in")
    html = outlook(writing)
    form = changed(publish_form(writing, html), {"users": str(CONFIRMED_USERS_MIN + 10)})
    answer = publisher.send(f"{writing.path}/publish", [*form, ("backfill", "yes")])
    assert answer.status_code == 303, summary(answer.text)
    waiting = server.api.get("/api/v1/campaigns/let-in/waiting").json()
    assert waiting["count"] == 20


def test_a_rehearsal_says_what_would_have_happened_and_sends_nothing(
    busy: tuple[SegueServer, Member, str],
) -> None:
    server, publisher, slug = busy
    sent = _sent(server, slug)
    writing = Writing(publisher, recipe="resend", campaign=slug)
    begun = publisher.post(f"{writing.path}/rehearse", {"since": "all"})
    path = begun.headers["location"]
    assert "/rehearsal/" in path, publisher.page(path)
    html = eventually(lambda: _finished(publisher, path), "the end of a rehearsal")
    rows = {
        " ".join(row.css_first("th").text().split()): row.css("td")[-1].text()
        for row in LexborHTMLParser(html).css("tbody tr")
        if row.css_first("th") is not None
    }
    assert rows["would trigger it"] == "20"
    assert rows["still waiting at the end"] == "20"
    assert rows["would be sent"] == "0"
    assert "Examples" in html
    part = publisher.get(path, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert _sent(server, slug) == sent


def _finished(publisher: Member, path: str) -> str:
    html = publisher.page(path)
    return html if "would trigger it" in html else ""


def test_drafts_that_follow_each_other_are_published_together_follow_on_first(
    server: SegueServer, team: Team
) -> None:
    target = campaign(server, "target")
    publisher = team["publisher"]
    writing = Writing(publisher, recipe="resend", campaign=target)
    writing.write("message", name="Second")
    html = outlook(writing)
    order = [" ".join(one.text().split()) for one in LexborHTMLParser(html).css("ol li")]
    assert order[-2:] == ["Second", target.capitalize()]
    assert "Publish both, follow-on first" in html
    form = changed(publish_form(writing, html), {"together": "yes"})
    answer = publisher.send(f"{writing.path}/publish", [*form, *accepting(html)])
    assert answer.status_code == 303, summary(answer.text)
    found = [server.api.get(f"/api/v1/campaigns/{slug}").json() for slug in ("second", target)]
    assert {one["status"] for one in found} == {"active"}
    assert len({one["published_at"] for one in found}) == 1
    assert "published" in publisher.page(answer.headers["location"])


def test_what_is_not_whole_cannot_be_published_and_says_why(team: Team) -> None:
    writing = Writing(team["publisher"], recipe="cart")
    assert "must not be empty" in outlook(writing)
    answer = team["publisher"].post(f"{writing.path}/publish")
    assert answer.status_code == 422
    assert "subject" in answer.text


def test_an_edit_of_an_active_campaign_is_a_new_version(server: SegueServer, team: Team) -> None:
    slug = campaign(server)
    publish(server, slug)
    publisher = team["publisher"]
    writing = Writing(publisher, begin="edit", campaign=slug)
    writing.write("message", description="Now with words")
    assert "Publish version 2" in writing.page("review")
    html = outlook(writing)
    assert "The campaign is active" in html
    form = [*publish_form(writing, html), *accepting(html)]
    assert publisher.send(f"{writing.path}/publish", form).status_code == 303
    found = server.api.get(f"/api/v1/campaigns/{slug}").json()
    assert (found["version"], found["document"]["description"]) == (2, "Now with words")


def test_a_page_for_scripts_gets_the_outlook_alone(server: SegueServer, team: Team) -> None:
    writing = Writing(team["publisher"], recipe="resend", campaign=campaign(server))
    page = team["publisher"].page(f"{writing.path}/publish")
    assert f'hx-get="{writing.path}/outlook"' in page
    part = team["publisher"].get(f"{writing.path}/outlook", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Who may get it" in part.text
