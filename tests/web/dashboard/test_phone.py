"""Virtual phones in the dashboard: who sees and taps, by plain forms, and what is said of it."""

import re
from html import unescape
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from tests.support.members import Member, Team
from tests.support.phone_shop import MARKUP, open_shop
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture(scope="module")
def shop(server: SegueServer) -> SegueServer:
    open_shop(server)
    return server


def text_of(page: str) -> str:
    """Return what a page says, without its markup."""
    main = re.sub(r"(?s)^.*<main[^>]*>|</main>.*$", "", page)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def forms_of(page: str, action: str) -> list[dict[str, str]]:
    """Return the hidden fields of each form that is sent to a path ending so, and its button."""
    found = []
    for path, body in re.findall(
        r'(?s)<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page
    ):
        if path.endswith(action):
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body))
            label = re.search(r"<button[^>]*>(.*?)</button>", body)
            assert label is not None
            found.append({name: unescape(value) for name, value in fields.items()})
            found[-1]["label"] = unescape(label[1])
    return found


def phone(shop: SegueServer, user_id: str, *events: str) -> None:
    """Make a test user, and let what events lead to come to the phone."""
    shop.user(user_id, test_user=True, first_name=user_id.capitalize())
    for event in events:
        shop.event(user_id, event)
    counts = {"sale_started": 1, "signed_up": 3}
    wanted = sum(counts[event] for event in events)

    def come() -> bool:
        answer = shop.api.get(f"/api/v1/phones/{user_id}/messages").json()
        return len(answer["data"]) == wanted

    eventually(come, f"{wanted} messages")


def tap(member: Member, path: str, label: str) -> httpx2.Response:
    """Press a button of a phone's page, and look at the page that follows."""
    [form] = [one for one in forms_of(member.page(path), "/tap") if one["label"] == label]
    return follow(member, re.sub(r"\?.*", "", path) + "/tap", form)


def follow(member: Member, path: str, form: dict[str, Any]) -> httpx2.Response:
    answer = member.post(path, form, headers=AGENT)
    assert answer.status_code == 303, answer.text
    return member.get(answer.headers["location"])


def marked(page: str) -> list[str]:
    """Return the lines that are said to have come of a tap, oldest first."""
    lines = re.findall(r'(?s)<li class="is-of-tap">(.*?)</li>', page)
    assert all("because of your tap" in line for line in lines)
    return [text_of(line.rpartition("<p>")[2]) for line in reversed(lines)]


# Looking


def test_phones_are_listed_with_what_came_last(shop: SegueServer, team: Team) -> None:
    phone(shop, "lea", "sale_started")
    text = text_of(team["viewer"].page("/phone"))
    assert "lea Push from Spring sale: Spring sale, Lea" in text
    assert 'href="/phone/lea"' in team["viewer"].page("/phone")


def test_each_channel_has_its_place_and_names_are_text(shop: SegueServer, team: Team) -> None:
    phone(shop, "ada", "sale_started", "signed_up")
    viewer = team["viewer"]
    for view, expected in {
        "lock": ["Spring sale, Ada", "https://shop.test/sale.png", "Page 1: Shoes", "shop://sale"],
        "mail": ["Shop <hi@shop.test>", "Welcome to the shop"],
        "app": [f"Hello {MARKUP}", "Nice.", "shown now", "Go"],
        "hooks": ["POST https://crm.test/hook", "***", '{"new":true}'],
        "texts": ["No text has come to ada"],
    }.items():
        page = viewer.page(f"/phone/ada?view={view}")
        for one in expected:
            assert one in text_of(page), (view, one)
        assert MARKUP not in page
    assert 'aria-label="Push from Spring sale: Spring sale, Ada"' in viewer.page("/phone/ada")


def test_several_stand_side_by_side_and_no_more_than_fit(shop: SegueServer, team: Team) -> None:
    for user_id in ("p1", "p2"):
        phone(shop, user_id, "sale_started")
    page = team["viewer"].page("/phone?users=p1,p2,nobody")
    assert re.findall(r'<segue-phone data-user="([^"]+)"', page) == ["p1", "p2", "nobody"]
    assert "nobody is nobody yet" in text_of(page)
    page = team["viewer"].page("/phone?users=p1,p2,p3,p4,p5")
    assert len(re.findall("<segue-phone ", page)) == 4
    assert "left out: p5" in text_of(page)


def test_who_has_no_phone_is_offered_one_and_nobody_is_a_404(shop: SegueServer, team: Team) -> None:
    shop.user("plain", country="BE")
    assert "plain has no phone" in text_of(team["viewer"].page("/phone/plain"))
    answer = team["author"].get("/phone/stranger")
    assert answer.status_code == 404
    assert "Make stranger a test user" in text_of(answer.text)
    [form] = forms_of(answer.text, "/phone")
    shown = follow(team["author"], "/phone", form)
    assert "stranger is a test user now" in text_of(shown.text)
    assert "No push has come to stranger" in text_of(shown.text)
    attributes = shop.api.get("/api/v1/users/stranger").json()["attributes"]
    assert attributes == {"test_user": True}
    refused = team["author"].post("/phone", {"user_id": " "})
    assert refused.headers["location"] == "/phone"


def test_an_id_may_be_any_text(shop: SegueServer, team: Team) -> None:
    user_id = "a/b~ <i>é"
    shown = follow(team["author"], "/phone", {"user_id": user_id})
    assert shown.status_code == 200
    assert "<i>" not in shown.text
    path = httpx2.URL(shown.url).path
    shown = follow(team["author"], f"{path}/event", {"name": "sale_started", "back": path})
    assert "The event sale_started was sent" in text_of(shown.text)
    eventually(lambda: "Spring sale, you" in text_of(team["viewer"].page(path)), "the push")


# Tapping


def test_a_viewer_sees_and_cannot_tap(shop: SegueServer, team: Team) -> None:
    phone(shop, "vic", "sale_started", "signed_up")
    viewer = team["viewer"]
    for view in ("lock", "mail", "app"):
        page = viewer.page(f"/phone/vic?view={view}")
        for action in ("/tap", "/event", "/session", "/phone"):
            assert forms_of(page, action) == []
        assert "To tap takes an author" in text_of(page)
    [form] = [
        one for one in forms_of(team["author"].page("/phone/vic"), "/tap") if one["label"] == "Open"
    ]
    for path, body in (
        ("/phone/vic/tap", form),
        ("/phone/vic/event", {"name": "x"}),
        ("/phone/vic/session", {}),
        ("/phone", {"user_id": "vic"}),
    ):
        assert viewer.post(path, body).status_code == 403
    assert viewer.get("/phone/vic/app").status_code == 403
    assert shop.decisions("vic", "claimed") == []


def test_a_viewer_reads_a_mail_that_loads_nothing_and_leads_nowhere(
    shop: SegueServer, team: Team
) -> None:
    phone(shop, "mia", "signed_up")
    page = team["viewer"].page("/phone/mia?view=mail")
    [path] = set(re.findall(r'data-mail="(\d+)"', page))
    read = team["viewer"].page(f"/phone/mia?view=mail&mail={path}")
    [frame] = re.findall(r'<iframe src="([^"]+)"', read)
    for role, is_live in (("viewer", False), ("author", True)):
        answer = team[role].get(frame)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox")
        assert "allow-scripts" not in policy
        assert (f"{shop.url}/t/o/" in answer.text) == is_live
        assert (f"{shop.url}/t/c/" in answer.text) == is_live
        assert (shop.url in policy) == is_live
        assert ("allow-popups" in policy) == is_live
        assert "Look at" in answer.text
    assert team["author"].get("/phone/mia/mail/999999").status_code == 404


def test_a_chain_goes_by_plain_forms_and_says_what_came_of_it(
    shop: SegueServer, team: Team
) -> None:
    author = team["author"]
    shop.user("cho", test_user=True)
    [form] = forms_of(author.page("/phone/cho"), "/event")
    form |= {"name": "sale_started", "properties[0].name": "size", "properties[0].value": "3"}
    shown = follow(author, "/phone/cho/event", form)
    assert "The event sale_started was sent." in text_of(shown.text)
    assert marked(shown.text)[:2] == ['cho did "sale_started".', "cho enters “Spring sale”."]
    assert shop.timeline("cho")[-1]["user_id"] == "cho"
    [event] = [one for one in shop.timeline("cho") if one.get("name") == "sale_started"]
    assert event["properties"] == {"size": 3}

    eventually(lambda: "Claim 10 %" in author.page("/phone/cho"), "the push")
    shown = tap(author, "/phone/cho", "Claim 10 %")
    assert "Done: Claim 10 %." in text_of(shown.text)
    assert "button pressed" in text_of(shown.text)
    said = marked(shown.text)
    assert said[0] == 'cho clicked the button "claim" in the push notification of “Spring sale”.'
    assert "cho enters “Your 10 %”." in said
    assert 'cho did "sale_started".' not in said

    path = "/phone/cho?view=app"
    eventually(lambda: "Dismiss" in author.page(path), "the card")
    shown = tap(author, path, "Dismiss")
    assert "dismissed" in text_of(shown.text)
    assert "shown no more" in text_of(shown.text)
    assert "cho enters “Reminder”." in marked(shown.text)

    path = "/phone/cho?view=texts"
    eventually(lambda: "Your 10 % wait" in author.page(path), "the text")
    shown = tap(author, path, "Follow “link-1”")
    assert "It leads to https://shop.test/s?a=1" in text_of(shown.text)
    assert "cho followed a link in the SMS of “Reminder”." in marked(shown.text)


def test_what_is_texted_back_stands_in_the_thread_and_stop_is_obeyed(
    shop: SegueServer, team: Team
) -> None:
    author, path = team["author"], "/phone/dan?view=texts"
    shop.user("dan", test_user=True)
    shop.event("dan", "sale_started")
    eventually(lambda: "Claim 10 %" in author.page("/phone/dan"), "the push")
    tap(author, "/phone/dan", "Claim 10 %")
    eventually(lambda: "Dismiss" in author.page("/phone/dan?view=app"), "the card")
    tap(author, "/phone/dan?view=app", "Dismiss")
    eventually(lambda: forms_of(author.page(path), "/tap"), "the text")
    [form] = [one for one in forms_of(author.page(path), "/tap") if one["act"] == "sms_reply"]
    shown = follow(author, "/phone/dan/tap", form | {"text": f"Which {MARKUP}?"})
    assert f"Which {MARKUP}?" in text_of(shown.text)
    assert MARKUP not in shown.text
    assert marked(shown.text) == ['dan did "sms_reply".']
    shown = follow(author, "/phone/dan/tap", form | {"text": "STOP"})
    assert "The answer:" in text_of(shown.text)
    assert "dan unsubscribed from SMS by answering “Reminder”." in marked(shown.text)
    subscriptions = shop.api.get("/api/v1/users/dan").json()["subscriptions"]
    assert subscriptions["sms"] == "unsubscribed"
    shown = follow(author, "/phone/dan/tap", form | {"text": ""})
    assert "Write what is texted back." in text_of(shown.text)


def test_a_mail_is_clicked_and_unsubscribed_from(shop: SegueServer, team: Team) -> None:
    author = team["author"]
    phone(shop, "eli", "signed_up")
    [mail] = set(re.findall(r'data-mail="(\d+)"', author.page("/phone/eli?view=mail")))
    path = f"/phone/eli?view=mail&mail={mail}"
    shown = tap(author, path, "Follow “cta”")
    assert "It leads to https://shop.test/sale" in text_of(shown.text)
    assert marked(shown.text) == ['eli clicked the link "cta" in “Welcome”.']
    assert f"mail={mail}" in str(shown.url)
    shown = tap(author, path, "Unsubscribe")
    assert "eli unsubscribed from email by “Welcome”." in marked(shown.text)
    subscriptions = shop.api.get("/api/v1/users/eli").json()["subscriptions"]
    assert subscriptions["email"] == "unsubscribed"


def test_a_session_is_started(shop: SegueServer, team: Team) -> None:
    shop.user("fay", test_user=True)
    shown = follow(team["author"], "/phone/fay/session", {"back": "/phone/fay?view=app"})
    assert marked(shown.text) == ["fay started a session."]
    assert shown.url.params["view"] == "app"


def test_what_cannot_be_done_is_said(shop: SegueServer, team: Team) -> None:
    author = team["author"]
    phone(shop, "gil", "signed_up")
    path = "/phone/gil?view=app"
    [view] = [
        one for one in forms_of(author.page(path), "/tap") if one["act"] == "in_app_message_view"
    ]
    follow(author, "/phone/gil/tap", view)
    shown = follow(author, "/phone/gil/tap", view)
    assert "This was not done: it can be done no more" in text_of(shown.text)
    shown = follow(author, "/phone/gil/tap", view | {"back": "//evil.test/phone"})
    assert shown.url.host == "127.0.0.1"
    assert author.post("/phone/gil/tap", view | {"message": "0"}).status_code == 404
    assert author.post("/phone/gil/tap", view | {"message": "x"}).status_code == 404
    shop.user("hal", country="BE")
    for action in ("event", "session"):
        answer = author.post(f"/phone/hal/{action}", {"name": "x"})
        assert answer.status_code == 404
        assert "has no virtual phone" in unescape(answer.text)
    for name in ("", "push_direct_open", "purchase"):
        shown = follow(author, "/phone/gil/event", {"name": name, "back": "/phone/gil"})
        assert "The event was not sent:" in text_of(shown.text), name


def test_another_sites_page_taps_nothing(shop: SegueServer, team: Team) -> None:
    phone(shop, "ida", "sale_started")
    form = forms_of(team["author"].page("/phone/ida"), "/tap")[0]
    answer = team["author"].post("/phone/ida/tap", form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_making_a_test_user_is_written_down(shop: SegueServer, team: Team) -> None:
    follow(team["publisher"], "/phone", {"user_id": "noted"})
    text = text_of(team["admin"].page("/settings/changes"))
    assert "publisher@shop.test made somebody a test user noted" in text


# Frames and streams


def test_the_sample_app_has_a_token_and_no_origin(shop: SegueServer, team: Team) -> None:
    shop.user("jo", test_user=True)
    answer = team["author"].get("/phone/jo/app")
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts;" in policy
    assert "allow-same-origin" not in policy
    [token] = re.findall(r'data-token="([^"]+)"', answer.text)
    headers = {"Authorization": f"Bearer {token}"}
    due = httpx2.get(f"{shop.url}/sdk/v1/content-cards?user_id=jo", headers=headers)
    assert due.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_the_stream_tells_whose_phone_changed(shop: SegueServer, team: Team) -> None:
    for user_id in ("kay", "kim", "kit"):
        shop.user(user_id, test_user=True)
    path = "/phone-news?user=kay&user=kim"
    with team["viewer"].client.stream("GET", path) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data:"))
        assert next(lines).strip() == "data: []"
        shop.event("kit", "elsewhere")
        shop.event("kim", "sale_started")
        assert next(lines).strip() == 'data: ["kim"]'
    for wrong in ("", "?user=a&user=b&user=c&user=d&user=e"):
        assert team["viewer"].get(f"/phone-news{wrong}").status_code == 400


def test_the_changing_part_is_what_the_page_has(shop: SegueServer, team: Team) -> None:
    phone(shop, "lou", "sale_started")
    viewer = team["viewer"]
    page, part = viewer.page("/phone/lou"), viewer.page("/phone/lou/now?view=lock")
    assert "<html" not in part
    for name in re.findall(r'data-part="([^"]+)"', part):
        assert f'data-part="{name}"' in page
    beside = viewer.page("/phone/lou/now?view=mail&users=lou,ada")
    assert "/phone?users=lou,ada" in unquote(unescape(beside))
