"""Analytics: the page's numbers, what may be asked of them, and the same as a file."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.members import Team, member
from tests.support.servers import SegueServer, eventually, mail_server

from segue.model.accounts import ROLES

pytestmark = pytest.mark.slow

PATH = "/analytics"
MARKUP = "<script>alert(1)</script>"
USERS = 60


def document(slug: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": f"{slug} {MARKUP}",
        "delivery": {"type": "action", "triggers": [{"event": f"{slug}-began"}]},
        "conversions": [{"event": "paid", "within": "1d"}],
        "messages": [{"email": {"from": "hi@shop.test", "subject": "Hello", "text": "Hi"}}],
        **more,
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    """A shop: a campaign with a control group and a tag, one without, and a draft."""
    data = tmp_path_factory.mktemp("analytics") / "data"
    with (
        mail_server() as (_, url),
        SegueServer(data, SEGUE_CHANNELS__EMAIL__SMTP_URL=url) as server,
    ):
        server.create(document("offer", control_percent=50, tags=["=offers"]))
        server.create(document("letter"))
        server.create(document("draft"))
        server.publish("offer")
        server.publish("letter")
        for number in range(USERS):
            server.user(f"u{number}", email=f"u{number}@people.test")
        for name in ("offer-began", "letter-began"):
            begun(server, name)
        eventually(lambda: sent(server, "letter") == USERS, "the letters")
        begun(server, "letter-began")
        server.event("u1", "paid")
        eventually(lambda: stats(server, "letter")["totals"].get("conversions"), "the conversion")
        yield server


@pytest.fixture(scope="module")
def team(server: SegueServer) -> Team:
    return {role: member(server, role) for role in ROLES}


def begun(server: SegueServer, name: str) -> None:
    events = [{"user_id": f"u{number}", "name": name} for number in range(USERS)]
    assert server.api.post("/api/v1/events", json={"events": events}).status_code == 202


def stats(server: SegueServer, slug: str) -> dict[str, Any]:
    return dict(server.api.get(f"/api/v1/campaigns/{slug}/stats").json())


def sent(server: SegueServer, slug: str) -> int:
    return int(stats(server, slug)["totals"].get("sent", 0))


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def total(page: str, name: str) -> str:
    [found] = re.findall(rf"<div><dt>{name}</dt><dd>([^<]*)</dd>", page)
    return found


def test_totals_funnel_days_and_rows_are_those_of_the_api(server: SegueServer, team: Team) -> None:
    page = team["viewer"].page(PATH)
    both = sent(server, "offer") + USERS
    assert total(page, "Sent") == str(both)
    assert total(page, "Converted") in ("1", "2")  # u1 may be in the control group of the offer
    text = text_of(page)
    assert f"Triggered {3 * USERS} – {USERS} refused : The user has had this campaign" in text
    control = stats(server, "offer")["totals"]["control"]
    assert f"{control} in control : The user is in the campaign’s control group" in text.replace(
        "'", "’"
    )
    assert "Day by day" in text
    assert "Chart over time" in page
    assert re.search(rf"letter {re.escape(MARKUP)} {USERS} {USERS} {USERS}", text)
    assert f"email {both} {both}" in text


def test_variants_are_compared_in_plain_words(team: Team) -> None:
    text = text_of(team["viewer"].page(PATH))
    assert "Not enough data yet:" in text
    assert "more users" in text
    assert "whatever the period" in text


def test_a_campaign_a_channel_and_a_tag_may_be_chosen(server: SegueServer, team: Team) -> None:
    viewer = team["viewer"]
    assert total(viewer.page(f"{PATH}?campaign=letter"), "Sent") == str(USERS)
    offers = str(sent(server, "offer"))
    assert total(viewer.page(f"{PATH}?tag=%3Doffers"), "Sent") == offers
    of_channel = viewer.page(f"{PATH}?channel=sms&days=7")
    assert total(of_channel, "Sent") == "0"
    assert "Users enter and convert by campaigns, not by channels" in of_channel
    assert "<dt>Entered</dt>" not in of_channel


def test_what_does_not_exist_is_said_with_a_way_back(team: Team) -> None:
    page = team["viewer"].page(f"{PATH}?campaign={MARKUP.replace('<', '%3C')}")
    assert "No published campaign is like this" in page
    assert 'href="/analytics">Show all campaigns' in page
    assert MARKUP not in page


def test_a_wrong_date_is_a_fault_at_its_field(team: Team) -> None:
    answer = team["viewer"].get(f"{PATH}?from=yesterday")
    assert answer.status_code == 422
    assert 'id="from-fault"' in answer.text
    assert "is no date; write it as 20" in unescape(answer.text)
    assert team["viewer"].get(f"{PATH}.csv?from=yesterday").status_code == 422


def test_names_are_text(team: Team) -> None:
    page = team["viewer"].page(PATH)
    assert MARKUP not in page
    assert "&lt;script&gt;" in page


def test_the_file_has_the_same_numbers_and_no_formulas(server: SegueServer, team: Team) -> None:
    answer = team["viewer"].get(f"{PATH}.csv?days=7")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert re.search(r'filename="segue-[\d-]+.csv"', answer.headers["content-disposition"])
    rows = [*csv.reader(io.StringIO(answer.text))]
    assert rows[0] == ["of", "name", "metric", "count", "count before"]
    assert ["campaign", "letter", "sent", str(USERS), "0"] in rows
    assert ["reason", "not_re_eligible", "refused", str(USERS), ""] in rows
    assert {row[1] for row in rows if row[0] == "tag"} == {"'=offers"}
    assert len([row for row in rows if row[0] == "day" and row[2] == "sent"]) == 7


def test_the_command_for_the_api_gives_the_numbers_of_the_campaign(
    server: SegueServer, team: Team
) -> None:
    page = unescape(team["viewer"].page(f"{PATH}?campaign=letter&days=7"))
    [url] = re.findall(r'"(http://[^"]+/stats[^"]+)"', page)
    key = server.key_for("read")
    answer = httpx2.get(url, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["totals"]["sent"] == USERS


def test_without_a_published_campaign_the_page_says_what_will_stand_here(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        page = member(server, "viewer").page(PATH)
    assert "No campaign has been published yet" in page
    assert "/api/v1/campaigns/…/stats" in page
