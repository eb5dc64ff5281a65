"""The pages of the settings over HTTP: what they show, what their forms do, and what is kept."""

import re
from html import unescape
from pathlib import Path

import httpx2
import pytest
from tests.support.members import PASSWORD, Member, Team, member
from tests.support.servers import SegueServer

from segue.model.limits import AUDIT_PAGE_MAX
from segue.web.dashboard.composer.steps import STEPS
from segue.web.dashboard.registry import PAGES

pytestmark = pytest.mark.slow

INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)")  # the policy forbids it
MARKUP = "<script>alert(1)</script>"
TEMPLATES = Path(__file__).parents[3] / "src/segue/web/dashboard/templates"
FRAMES = {"composer/frame.html", "phone/app.html"}  # pages of their own
PARTS = {"base.html", "macros.html", "home_now.html", *FRAMES}


def changes(team: Team, path: str = "/settings/changes") -> list[list[str]]:
    """Return the rows of the audit trail as texts: who, what, of what, detail."""
    text = team["admin"].page(path)
    rows = re.findall(r"<tr>(.*?)</tr>", text[text.index("<tbody>") :], re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [
        [unescape(" ".join(re.sub(r"<[^>]+>", " ", cell).split())) for cell in row[1:]]
        for row in cells
    ]


# Team


def test_an_invitation_is_shown_once_and_opens_an_account(team: Team, server: SegueServer) -> None:
    admin = team["admin"]
    form = {"email": "Iris@shop.test", "name": "Iris", "role": "author"}
    answer = admin.post("/settings/team/invite", form)
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    [link] = re.findall(r'value="http://[^"]*(/link/[^"]+)"', answer.text)
    assert "invited" in admin.page("/settings/team")
    iris = Member(server, "iris@shop.test")
    assert "iris@shop.test" in iris.page(link)
    assert iris.post(link, {"password": PASSWORD}).status_code == 303
    assert "author" in iris.page("/account")
    assert link not in admin.page("/settings/team")
    assert ["account admin@shop.test", "invited an account", "iris@shop.test", "as author"] in (
        changes(team)
    )
    assert not any(link.rpartition("/")[2] in " ".join(row) for row in changes(team))


def test_a_faulty_invitation_says_what_and_where(team: Team) -> None:
    answer = team["admin"].post("/settings/team/invite", {"email": "nowhere", "role": "owner"})
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert "2 things need your attention" in text
    assert 'href="#email"' in text
    assert 'aria-invalid="true"' in text
    assert "'nowhere' is no address" in text
    taken = {"email": "viewer@shop.test", "role": "viewer"}
    answer = team["admin"].post("/settings/team/invite", taken)
    assert (answer.status_code, "already" in answer.text) == (422, True)


def test_a_role_is_changed_a_link_made_and_an_account_removed(
    team: Team, server: SegueServer
) -> None:
    admin, someone = team["admin"], member(server, "viewer", "moved")
    [path] = re.findall(r'href="(/settings/team/[^"]+)">moved@', admin.page("/settings/team"))
    assert admin.post(f"{path}/role", {"role": "publisher"}).status_code == 303
    assert "publisher" in someone.page("/account")
    assert admin.post(f"{path}/role", {"role": "owner"}).status_code == 422
    shown = admin.post(f"{path}/link")
    [link] = re.findall(r'value="http://[^"]*(/link/[^"]+)"', shown.text)
    assert Member(server, "").get(link).status_code == 200
    refused = admin.post(f"{path}/remove", {"email": "else@shop.test"})
    assert (refused.status_code, "Type moved@shop.test" in refused.text) == (422, True)
    assert admin.post(f"{path}/remove", {"email": someone.email}).status_code == 303
    assert someone.get("/account").status_code == 303
    assert admin.get(path).status_code == 404
    assert Member(server, "").get(link).status_code == 404


def test_the_only_admin_stays_one(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        admin = member(server, "admin")
        [path] = re.findall(r'href="(/settings/team/[0-9a-f-]{36})"', admin.page("/settings/team"))
        for answer in (
            admin.post(f"{path}/role", {"role": "viewer"}),
            admin.post(f"{path}/remove", {"email": admin.email}),
        ):
            assert (answer.status_code, "only admin" in answer.text) == (422, True)


# Keys


def test_a_key_is_shown_once_works_at_once_and_not_once_revoked(
    team: Team, server: SegueServer
) -> None:
    admin = team["admin"]
    answer = admin.post("/settings/keys/new", {"name": "shop", "scopes": ["ingest", "read"]})
    [key] = re.findall(r'value="(sk_[^"]+)"', answer.text)
    assert "content-encoding" not in answer.headers
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx2.get(f"{server.url}/api/v1/campaigns", headers=headers).status_code == 200
    text = admin.page("/settings/keys")
    assert key not in text
    row = next(row for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) if "shop</td>" in row)
    [path] = re.findall(r'action="([^"]+)"', row)
    assert admin.post(path).status_code == 303
    assert httpx2.get(f"{server.url}/api/v1/campaigns", headers=headers).status_code == 401
    rows = changes(team)
    assert ["account admin@shop.test", "made an API key", "shop", "ingest, read"] in rows
    assert ["account admin@shop.test", "revoked an API key", "shop", "–"] in rows


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "a"}, "a key needs a scope"),
        ({"name": "", "scopes": "read"}, "Say what the key is for"),
        ({"name": "a", "scopes": ["sdk", "read"]}, "stands in pages"),
        ({"name": "a", "scopes": "everything"}, "unknown scopes"),
    ],
)
def test_a_faulty_key_says_what_is_wrong(team: Team, form: dict[str, str], words: str) -> None:
    answer = team["admin"].post("/settings/keys/new", form)
    assert answer.status_code == 422
    assert words in unescape(answer.text)


# The audit trail


def test_what_pages_keys_and_commands_change_is_written_down(
    team: Team, server: SegueServer
) -> None:
    document = {
        "slug": "audited",
        "name": "audited",
        "delivery": {"type": "action", "triggers": [{"event": "began"}]},
        "messages": [{"email": {"from": "hi@shop.test", "subject": "Hi", "text": "Hi"}}],
    }
    server.create(document)
    author = team["author"].client
    assert author.put("/api/v1/campaigns/audited", json=document).status_code == 200
    dry = team["publisher"].client.post("/api/v1/campaigns/audited/publish", json={"dry_run": True})
    assert dry.status_code == 200
    server.publish("audited")
    server.event("u", "began")
    server.key_for("read")
    assert author.post("/api/v1/campaigns/audited/stop").status_code == 403
    rows = [row[:3] for row in changes(team)]
    about = [row for row in rows if "audited" in row[2]]
    assert about == [
        ["key first key", "publish campaign", "audited"],
        ["account author@shop.test", "replace campaign", "audited"],
        ["key first key", "create campaign", "audited"],
    ]
    assert ["command command line", "create key", "–"] in rows
    assert ["account viewer@shop.test", "signed in", "–"] not in rows
    assert not any("take events" in row for row in rows)


def test_signing_in_and_out_is_written_down(team: Team, server: SegueServer) -> None:
    someone = member(server, "viewer", "watched")
    someone.sign_in()
    someone.post("/sign-out")
    mine = [row[1] for row in changes(team) if "watched@shop.test" in row[0]]
    assert mine == ["signed out", "signed in", "set a password by a link"]


def test_the_audit_trail_is_read_a_page_at_a_time(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        admin = member(server, "admin")
        for number in range(AUDIT_PAGE_MAX + 5):
            assert admin.post("/account/name", {"name": f"Name {number}"}).status_code == 303
        team: Team = {"admin": admin}
        first = admin.page("/settings/changes")
        [path] = re.findall(r'href="(/settings/changes\?cursor=\d+)" rel="next"', first)
        assert len(changes(team)) == AUDIT_PAGE_MAX
        assert [row[1] for row in changes(team, path)] == [
            *["changed their name"] * 5,
            "set a password by a link",
        ]
        assert "First page" in admin.page(path)
        assert "No changes here" in admin.page("/settings/changes?cursor=1")
        assert admin.get("/settings/changes?cursor=x").status_code == 200


# All pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_page_has_one_heading_and_its_headers(team: Team, page: object) -> None:
    for address in page.addresses:  # type: ignore[attr-defined]
        answer = team["admin"].client.get(address, follow_redirects=True)
        assert answer.text.count("<h1>") == 1, address
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not INLINE.search(answer.text), address


def test_every_template_of_a_page_is_in_the_frame() -> None:
    texts = {
        str(path.relative_to(TEMPLATES)): path.read_text() for path in TEMPLATES.rglob("*.html")
    }
    assert texts.keys() > PARTS
    parts = {one.template for one in STEPS} | PARTS
    for text in texts.values():
        parts |= set(re.findall(r'{% (?:include|from) "([^"]+)"', text))
    for name in texts.keys() - parts:
        frame = re.match(r'{% extends "([^"]+)" %}', texts[name])
        assert frame, name
        assert frame[1] == "base.html" or texts[frame[1]].startswith('{% extends "base.html" %}')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_form_posts_to_a_route_that_is_there(team: Team, page: object) -> None:
    routes = [
        re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
        for one in PAGES
        for handler in one.handlers
        if "POST" in handler.http_methods
        for path in handler.paths
    ]
    for address in page.addresses:  # type: ignore[attr-defined]
        text = team["admin"].client.get(address, follow_redirects=True).text
        actions = re.findall(r'<form method="post" action="([^"]+)"', text)
        assert len(actions) == text.count('method="post"')
        for action in actions:
            assert any(route.fullmatch(action) for route in routes), (address, action)


def test_markup_in_a_name_is_text_on_every_page(server: SegueServer, team: Team) -> None:
    admin = member(server, "admin", "marked")
    admin.post("/account/name", {"name": MARKUP})
    team["admin"].post("/settings/keys/new", {"name": MARKUP, "scopes": "read"})
    server.event(MARKUP, "anything")
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;"
    for path in ("/", "/account", "/settings/team", "/settings/keys", "/settings/changes"):
        text = admin.page(path)
        assert MARKUP not in text, path
        assert escaped in text, path
    assert escaped in admin.page("/search?q=" + MARKUP.replace("<", "%3C"))


def test_search_finds_pages_and_accounts_as_far_as_one_may_see_them(team: Team) -> None:
    found = team["admin"].page("/search?q=VIEWER")
    assert "viewer@shop.test" in found
    assert "Nothing is called" in unescape(team["viewer"].page("/search?q=viewer"))
    assert 'href="/settings/team"' in team["admin"].page("/search?q=tea")


def test_home_tells_what_there_is_and_what_comes_first(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        viewer = member(server, "viewer")
        text = unescape(viewer.page("/"))
        assert "0 of 5 done" in text
        assert "Nothing was sent since midnight." in text
        assert "Nothing has been decided yet" in text
        assert "Try with demo data" not in text
        assert viewer.post("/demo-data").status_code == 403
        document = {
            "slug": "hello",
            "name": "hello",
            "delivery": {"type": "action", "triggers": [{"event": "began"}]},
            "messages": [{"in_app_message": {"body": "Hi"}}],
        }
        server.create(document)
        server.publish("hello")
        server.event("ann", "began")
        text = viewer.page("/")
        assert "2 of 5 done" in text or "3 of 5 done" in text
        assert ">ann</a></td>" in text
        part = viewer.page("/now")
        assert ">ann</a></td>" in part
        assert "<html" not in part


# Errors


def test_errors_are_pages_for_people_and_problems_for_programs(
    server: SegueServer, team: Team
) -> None:
    lost = team["viewer"].get("/nowhere")
    assert lost.status_code == 404
    assert "There is no page at this address." in lost.text
    assert lost.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in lost.headers["content-security-policy"]
    for path, accept in (("/nowhere", "*/*"), ("/api/v1/nowhere", "text/html")):
        answer = httpx2.get(server.url + path, headers={"Accept": accept})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    gone = team["admin"].get("/settings/team/none")
    assert (gone.status_code, "There is no account" in gone.text) == (404, True)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_is_no_form_is_refused(team: Team, content_type: str) -> None:
    answer = team["viewer"].client.post(
        "/account/name", content=b"{}", headers={"Content-Type": content_type}
    )
    assert answer.status_code == 415
    assert "<h1>" in answer.text


def test_a_form_of_too_many_fields_is_refused(team: Team) -> None:
    body = "&".join(f"a{number}=1" for number in range(3_000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = team["viewer"].client.post("/account/name", content=body, headers=headers)
    assert answer.status_code == 400


# Files


def test_files_of_pages_are_kept_for_ever_under_their_own_address(team: Team) -> None:
    viewer = team["viewer"]
    addresses = re.findall(r'(?:href|src)="(/static/[^"#]+)', viewer.page("/"))
    assert len(addresses) >= 3
    for address in addresses:
        answer = viewer.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        other = viewer.get(address.partition("?")[0])
        assert other.headers["cache-control"] == "no-cache"
        headers = {"If-None-Match": other.headers["etag"]}
        assert viewer.get(address.partition("?")[0], headers=headers).status_code == 304
    for path in ("/static/dashboard/..%2f..%2fapp.py", "/static/none/shell.js", "/static/vendor/x"):
        assert viewer.get(path).status_code == 404
