"""Signing in to the dashboard over HTTP: links, sessions, limits, and pages of other sites."""

import os
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.support.members import PASSWORD, Member, member
from tests.support.servers import PATIENCE_S, SegueServer, eventually, free_port

from segue.model.limits import SIGN_INS_PER_ACCOUNT_MAX, SIGN_INS_PER_ADDRESS_MAX

pytestmark = pytest.mark.slow


def test_the_first_start_prints_a_link_that_makes_the_first_account(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        ann = Member(server, "ann@shop.test")
        assert "There is no account yet" in ann.page("/sign-in")
        link = server.first_link.removeprefix(server.url)
        assert "Create the first account" in ann.page(link)
        refused = ann.post(link, {"email": "ann", "password": "short"})
        assert refused.status_code == 422
        assert 'href="#password"' in refused.text
        made = ann.post(link, {"email": ann.email, "name": "Ann", "password": PASSWORD})
        assert (made.status_code, made.headers["location"]) == (303, "/")
        assert "Ann" in ann.page("/")
        again = Member(server, "eve@shop.test").post(
            link, {"email": "eve@shop.test", "password": PASSWORD}
        )
        assert again.status_code == 404
        server.stop()
        server.start()
        assert Member(server, ann.email).sign_in().status_code == 303


@pytest.mark.parametrize("path", ["/", "/account", "/settings/team", "/search?q=a"])
def test_who_is_not_signed_in_is_led_there_and_back(server: SegueServer, path: str) -> None:
    guest = Member(server, "guest@shop.test")
    answer = guest.get(path)
    assert answer.status_code == 303
    back = parse_qs(urlsplit(answer.headers["location"]).query).get("next", ["/"])
    assert urlsplit(answer.headers["location"]).path == "/sign-in"
    assert back == [path]


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/account", "/account"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test/", "/"),
        ("/account\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_after_signing_in_one_comes_to_a_page_of_ours(
    server: SegueServer, wanted: str, reached: str
) -> None:
    name = f"next{zlib.crc32(wanted.encode())}"
    someone = member(server, "viewer", name)
    form = {"email": someone.email, "password": PASSWORD, "next": wanted}
    answer = Member(server, someone.email).post("/sign-in", form)
    assert (answer.status_code, answer.headers["location"]) == (303, reached)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(server: SegueServer) -> None:
    someone = member(server, "viewer", "alike")
    answers = []
    for email in (someone.email, "nobody@shop.test"):
        answer = Member(server, email).sign_in("not the password at all")
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers
        answers.append(answer.text.replace(email, ""))
    assert answers[0] == answers[1]


def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(server: SegueServer) -> None:
    someone = member(server, "viewer", "cookie")
    answer = someone.sign_in()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("segue_session=")
    for part in ("HttpOnly", "Path=/", "SameSite=lax"):
        assert part.lower() in cookie.lower()
    assert "secure" not in cookie.lower()
    assert answer.headers["location"] == "/"


def test_with_an_encrypted_public_address_the_cookie_is_kept_to_it(tmp_path: Path) -> None:
    settings = {"SEGUE_PUBLIC_URL": "https://segue.shop.test"}
    port = free_port()
    command = [sys.executable, "-m", "segue", "serve", "--port", str(port), "--data", str(tmp_path)]
    with (tmp_path / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=output, cwd=tmp_path
        )
        link = re.compile(r"https://segue\.shop\.test(/link/\S+)")
        said = tmp_path / "output.txt"
        [path] = eventually(lambda: link.findall(said.read_text()), "the link")
        form = {"email": "ann@shop.test", "password": PASSWORD}
        headers = {"Origin": "https://segue.shop.test"}  # a proxy may pass another host on
        made = httpx2.post(f"http://127.0.0.1:{port}{path}", data=form, headers=headers)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    assert made.status_code == 303
    assert "; Secure" in made.headers["set-cookie"]


def test_signing_in_anew_ends_the_session_there_was(server: SegueServer) -> None:
    someone = member(server, "viewer", "anew")
    earlier = someone.client.cookies["segue_session"]
    assert someone.sign_in().status_code == 303
    assert someone.client.cookies["segue_session"] != earlier
    thief = Member(server, someone.email)
    thief.client.cookies.set("segue_session", earlier)
    assert thief.get("/account").status_code == 303


def test_who_signed_out_is_out(server: SegueServer) -> None:
    someone = member(server, "viewer", "out")
    token = someone.client.cookies["segue_session"]
    answer = someone.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "segue_session" not in someone.client.cookies
    someone.client.cookies.set("segue_session", token)
    assert someone.get("/account").status_code == 303
    assert Member(server, "").post("/sign-out").status_code == 303


def test_tries_at_one_account_have_to_wait_also_with_the_right_password(
    tmp_path: Path,
) -> None:
    with SegueServer(tmp_path / "data") as server:
        someone = member(server, "viewer", "tried")
        guest = Member(server, someone.email)
        for _ in range(SIGN_INS_PER_ACCOUNT_MAX):
            assert guest.sign_in("not the password at all").status_code == 422
        answer = guest.sign_in()
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Wait" in answer.text
        guest.email = "another@shop.test"
        assert guest.sign_in().status_code == 422
        while guest.sign_in("").status_code != 429:
            guest.email = f"a{guest.email}"
        assert len(guest.email) < SIGN_INS_PER_ADDRESS_MAX + len("another@shop.test")
        assert guest.get("/link/guessed").status_code == 429


# Pages of other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ],
)
def test_a_post_of_another_site_is_refused(server: SegueServer, headers: dict[str, str]) -> None:
    admin = member(server, "admin", f"site{zlib.crc32(str(headers).encode())}")
    del admin.client.headers["Sec-Fetch-Site"]
    form = {"email": "stranger@shop.test", "role": "admin"}
    for path in ("/settings/team/invite", "/sign-in", "/sign-out", "/account/name"):
        answer = admin.post(path, form, headers=headers)
        assert answer.status_code == 403, path
        assert "another site" in answer.text
    refused = admin.client.post("/api/v1/campaigns", json={}, headers=headers)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert "stranger@shop.test" not in admin.page("/settings/team")
    assert admin.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("says", ["same-origin", "none", "own origin", "nothing"])
def test_a_post_of_our_own_pages_is_done(server: SegueServer, says: str) -> None:
    someone = member(server, "viewer", f"own{says.replace(' ', '-')}")
    del someone.client.headers["Sec-Fetch-Site"]
    headers = {
        "own origin": {"Origin": server.url},
        "nothing": {},
    }.get(says, {"Sec-Fetch-Site": says})
    answer = someone.post("/account/name", {"name": "Changed"}, headers=headers)
    assert answer.status_code == 303
    assert "Changed" in someone.page("/account")


def test_a_bearer_key_is_not_asked_where_it_comes_from(server: SegueServer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {server.key}"}
    body = {"events": [{"user_id": "u", "name": "a"}]}
    answer = httpx2.post(f"{server.url}/api/v1/events", json=body, headers=headers)
    assert answer.status_code == 202


# Sessions of an account


def test_an_account_sees_its_sessions_and_ends_another_one(server: SegueServer) -> None:
    here = member(server, "viewer", "sessions")
    there = Member(server, here.email)
    there.client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    assert there.sign_in().status_code == 303
    text = here.page("/account")
    assert "Firefox on Linux" in text
    [path] = re.findall(r'action="(/account/sessions/[^"]+/end)"', text)
    assert here.post(path).status_code == 303
    assert "That browser is signed out." in here.page("/account")
    assert "That browser is signed out." not in here.page("/account")
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_a_new_password_holds_and_signs_out_elsewhere(server: SegueServer) -> None:
    here = member(server, "viewer", "password")
    there = Member(server, here.email)
    there.sign_in()
    form = {"current": "wrong", "password": "five other words to say"}
    refused = here.post("/account/password", form)
    assert refused.status_code == 422
    assert "not your current password" in refused.text
    assert here.post("/account/password", {**form, "current": PASSWORD}).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert there.sign_in().status_code == 422
    assert there.sign_in("five other words to say").status_code == 303


def test_colours_are_kept_for_the_account(server: SegueServer) -> None:
    someone = member(server, "viewer", "colours")
    assert 'data-theme="system"' in someone.page("/")
    answer = someone.post("/account/theme", {"theme": "dark", "back": "/account"})
    assert answer.headers["location"] == "/account"
    other = Member(server, someone.email)
    other.sign_in()
    assert 'data-theme="dark"' in other.page("/")
    assert "data-shortcuts" in other.page("/")
    other.post("/account/looks", {"theme": "light"})
    assert 'data-theme="light"' in someone.page("/")
    assert "data-shortcuts" not in someone.page("/")
