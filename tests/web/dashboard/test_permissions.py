"""What each role may do, by pages and by the API; what a key may do stays as it was."""

import re
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from tests.support.members import Member, Team
from tests.support.servers import SegueServer

from segue.model.accounts import ROLE_PERMISSIONS, ROLES, Role, roles_with
from segue.web.dashboard.registry import PAGES

pytestmark = pytest.mark.slow

API = "/api/v1"
OWNED = [(role, page) for role in ROLES for page in PAGES if not page.is_public]


def document(slug: str, subject: str = "Hello") -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": [{"event": f"{slug}-began"}]},
        "messages": [{"email": {"from": "hi@shop.test", "subject": subject, "text": "Hi"}}],
    }


def call(member: Member, method: str, path: str, body: Any = None) -> httpx2.Response:
    return member.client.request(method, API + path, json=body)


def by_role(team: Team, method: str, path: str, body: Any = None) -> dict[Role, int]:
    return {role: call(member, method, path, body).status_code for role, member in team.items()}


@pytest.mark.parametrize(("role", "page"), OWNED, ids=lambda one: getattr(one, "path", one))
def test_a_page_opens_for_the_roles_that_have_its_permission(
    team: Team, role: Role, page: Any
) -> None:
    for address in page.addresses:
        answer = team[role].get(address)
        if page.permission in ROLE_PERMISSIONS[role]:
            # Samples are of the demo, and what they are about is not on this server.
            there = (200,) if address == page.path else (200, 404)
            assert answer.status_code in there, address
        else:
            assert answer.status_code == 403, address
            assert f"Your role is {role}" in answer.text
            assert "admin@shop.test" in answer.text  # who can change that


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_has_what_a_role_may_see(team: Team, role: Role) -> None:
    text = team[role].page("/")
    side = text[text.index('<nav id="navigation"') : text.index("</nav>")]
    shown = set(re.findall(r'<a href="([^"]+)"', side))
    assert shown == {
        page.path
        for page in PAGES
        if page.is_in_navigation and page.permission in ROLE_PERMISSIONS[role]
    }


def test_every_route_that_an_admin_page_writes_by_is_closed_to_a_publisher(team: Team) -> None:
    for page in PAGES:
        for handler in page.handlers:
            if handler.opt.get("permission") == "admin" and "POST" in handler.http_methods:
                [path] = handler.paths
                answer = team["publisher"].post(re.sub(r"\{[^}]+\}", "x", path))
                assert answer.status_code == 403, path


def test_drafts_are_written_by_authors_and_published_by_publishers(team: Team) -> None:
    answers = {
        role: call(member, "POST", "/campaigns", document(f"draft-{role}"))
        for role, member in team.items()
    }
    assert {role: one.status_code for role, one in answers.items()} == {
        "viewer": 403,
        "author": 201,
        "publisher": 201,
        "admin": 201,
    }
    assert "author or publisher or admin" in answers["viewer"].json()["detail"]
    refused = call(team["author"], "POST", "/campaigns/draft-author/publish")
    assert refused.status_code == 403
    assert "publisher or admin" in refused.json()["detail"]
    assert call(team["publisher"], "POST", "/campaigns/draft-author/publish").status_code == 200


def test_an_author_edits_drafts_and_nothing_that_is_published(team: Team) -> None:
    author, publisher = team["author"], team["publisher"]
    assert call(author, "POST", "/campaigns", document("edited")).status_code == 201
    assert call(author, "PUT", "/campaigns/edited", document("edited", "New")).status_code == 200
    assert call(publisher, "POST", "/campaigns/edited/publish").status_code == 200
    refused = call(author, "PUT", "/campaigns/edited", document("edited", "Newest"))
    assert refused.status_code == 403
    assert "published at once" in refused.json()["detail"]
    for path in ("/stop", "/archive"):
        assert call(author, "POST", f"/campaigns/edited{path}").status_code == 403
    changed = call(publisher, "PUT", "/campaigns/edited", document("edited", "Newest"))
    assert (changed.status_code, changed.json()["version"]) == (200, 2)


def test_what_touches_published_campaigns_takes_a_publisher(team: Team) -> None:
    segment = {"slug": "eu", "name": "EU", "filter": {"attribute": "country", "eq": "FR"}}
    call(team["admin"], "POST", "/segments", segment)
    for method, path, body in (
        ("PUT", "/segments/eu", segment),
        ("POST", "/projects/apply", {}),
    ):
        answers = by_role(team, method, path, body)
        assert {role for role, status in answers.items() if status != 403} == {
            "publisher",
            "admin",
        }, (path, answers)


def test_only_an_admin_erases_and_tells_of_users(team: Team) -> None:
    body = {"user_id": "u", "attributes": {"country": "FR"}}
    assert by_role(team, "POST", "/users", body) == {
        "viewer": 403,
        "author": 403,
        "publisher": 403,
        "admin": 202,
    }
    assert call(team["publisher"], "DELETE", "/users/u").status_code == 403


def test_everybody_reads_by_the_api_with_a_session(team: Team) -> None:
    assert set(by_role(team, "GET", "/campaigns").values()) == {200}
    counted = by_role(team, "POST", "/segments/count", {"filter": {"attribute": "a", "eq": 1}})
    assert set(counted.values()) <= {200, 202}


def test_without_session_and_key_the_api_asks_for_a_key(server: SegueServer) -> None:
    guest = Member(server, "")
    answer = guest.client.get(f"{API}/campaigns")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    guest.client.cookies.set("segue_session", "guessed")
    assert guest.client.get(f"{API}/campaigns").status_code == 401


def test_a_key_is_what_counts_where_there_is_also_a_session(
    server: SegueServer, team: Team
) -> None:
    key = server.key_for("read")
    headers = {"Authorization": f"Bearer {key}"}
    answer = team["admin"].client.post(f"{API}/campaigns", json=document("x"), headers=headers)
    assert answer.status_code == 403
    assert 'needs the scope "campaigns"' in answer.json()["detail"]


def test_a_session_opens_no_route_of_devices(team: Team) -> None:
    answer = team["admin"].client.get("/sdk/v1/content-cards?user_id=ann")
    assert answer.status_code == 401


def test_two_sessions_with_one_idempotency_key_get_their_own_answers(team: Team) -> None:
    headers = {"Idempotency-Key": "the-same"}
    path = f"{API}/campaigns"
    first = team["author"].client.post(path, json=document("idem"), headers=headers)
    again = team["author"].client.post(path, json=document("idem"), headers=headers)
    other = team["viewer"].client.post(path, json=document("idem"), headers=headers)
    assert (first.status_code, again.json(), other.status_code) == (201, first.json(), 403)


def test_roles_grow_and_each_permission_has_its_roles() -> None:
    sizes = [ROLE_PERMISSIONS[role] for role in ROLES]
    assert all(smaller < larger for smaller, larger in pairwise(sizes))
    assert roles_with("publish") == ["publisher", "admin"]
