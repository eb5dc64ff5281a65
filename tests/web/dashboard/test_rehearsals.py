"""Rehearsals over HTTP: begun from other pages, played by plain forms, apart from what is live."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest
from tests.support.forms import form_of
from tests.support.members import Member, Team
from tests.support.rehearsing import PERSON, after, mail
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>"
AGENT = {"User-Agent": PERSON}
OPENED = {"interact_with_campaign": {"campaign": "hello", "interaction": "email_other_open"}}


@pytest.fixture(scope="module")
def shop(server: SegueServer) -> SegueServer:
    """A server with a draft, and a draft that follows it."""
    server.create(mail("hello", name=f"Hello {MARKUP}"))
    server.create(mail("again", name="Again", delivery=after("hello", "7d", OPENED)))
    server.user("ann", test_user=True, first_name="Ann")
    return server


@pytest.fixture(autouse=True)
def ended(team: Team) -> Iterator[None]:
    """Let each test leave nothing that goes on."""
    yield
    for one in team.values():
        mine = one.get("/rehearsals/mine")
        for path in re.findall(r'action="(/rehearsals/[0-9a-f]+/end)"', mine.text)[:1]:
            one.post(path)


def text_of(page: str) -> str:
    main = re.sub(r"(?s)^.*<main[^>]*>|</main>.*$", "", page)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def begin(one: Member, **form: str) -> str:
    """Begin a rehearsal; return its path."""
    answer = one.post("/rehearsals", form)
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"]
    assert re.fullmatch("/rehearsals/[0-9a-f]{12}", path), path
    return path


def press(one: Member, path: str, form: dict[str, str]) -> str:
    """Send a form, and return the page that comes."""
    answer = one.post(path, form, headers=AGENT)
    assert answer.status_code == 303, answer.text
    page = one.get(answer.headers["location"])
    assert page.status_code == 200, page.text
    return page.text


def event(one: Member, path: str, user_id: str, name: str = "signed_up") -> str:
    back = f"{path}/phone?users=ann,ben&view=mail"
    return press(one, f"{path}/phone/{user_id}/event", {"name": name, "back": back})


def mails(one: Member, path: str, user_id: str) -> list[str]:
    """Return the subjects of a phone's mails, and what was done with each."""
    page = one.page(f"{path}/phone/{user_id}/now?view=mail")
    return [text_of(found) for found in re.findall(r'(?s)<a class="mail".*?</a>', page)]


def test_a_chain_is_played_by_plain_forms_from_a_campaigns_page(
    shop: SegueServer, team: Team
) -> None:
    author = team["author"]
    fields = form_of(author.page("/campaigns/again"), "/rehearsals")
    path = begin(author, users="ann,ben", **dict(fields))
    shown = text_of(author.page(path))
    assert "Rehearsal of “Again”" in shown
    assert f"“Again”, “Hello {MARKUP}”" in shown
    assert MARKUP not in author.page(path)
    assert "Nobody waits for anything" in shown
    for user_id in ("ann", "ben"):
        shown = text_of(event(author, path, user_id))
        assert "The event signed_up was sent." in shown
    assert "Next by itself: “Again” for ann , in 6 days 23 h" in shown.replace("ann,", "ann ,")
    assert shop.decisions("ann", "hello") == []

    shown = text_of(press(author, f"{path}/skip", {"to": "hour", "back": f"{path}/phone/ben"}))
    assert "Nothing happened by itself on the way." in shown
    assert "1 h ahead of the real clock" in shown
    phone = author.page(f"{path}/phone/ben/now?view=mail")
    [message] = set(re.findall(r'data-mail="(\d+)"', phone))
    framed = author.get(f"{path}/phone/ben/mail/{message}")
    [pixel] = re.findall(rf'src="({shop.url}{path}/t/o/[^"]+)"', framed.text)
    assert httpx2.get(pixel, headers=AGENT).status_code == 200
    assert httpx2.get(pixel.replace(path, ""), headers=AGENT).status_code == 404
    shown = text_of(author.page(f"{path}/phone/ben"))
    assert "ben opened" in shown

    shown = text_of(press(author, f"{path}/skip", {"to": "next"}))
    assert "Skipped 6 days 22 h" in shown
    assert "“Again” for ann was due." in shown
    assert len(mails(author, path, "ann")) == 2
    assert len(mails(author, path, "ben")) == 1
    why = text_of(author.page(f"{path}/why?user=ben&campaign=again"))
    assert "cancelled Again" in why
    assert "opened" in why
    assert shop.decisions("ben", "again") == []

    shown = text_of(press(author, f"{path}/anew", {}))
    assert "It begins anew" in shown
    assert mails(author, path, "ann") == []
    answer = author.post(f"{path}/end")
    assert answer.headers["location"] == "/campaigns/again"
    lost = author.get(path)
    assert lost.status_code == 404
    assert "This rehearsal has ended" in text_of(lost.text)
    assert "Begin the rehearsal" in text_of(lost.text)


def test_what_is_being_written_is_rehearsed_from_its_review(shop: SegueServer, team: Team) -> None:
    author = team["author"]
    begun = author.post("/compose", {"begin": "edit", "campaign": "again", "step": "review"})
    review = begun.headers["location"]
    path = begin(author, **dict(form_of(author.page(review), "/rehearsals")))
    assert "Rehearsal of “Again”" in text_of(author.page(path))
    assert author.post(f"{path}/end").headers["location"] == review
    blank = author.post("/compose", {"begin": "blank"}).headers["location"]
    review = blank.replace("/message", "/review")
    [button] = re.findall(r'<button[^>]*"on-a-phone-hint">', author.page(review))
    assert "disabled" in button
    form = {"composition": review.split("/")[2], "back": review}
    answer = author.post("/rehearsals", form)
    assert answer.headers["location"] == review
    assert "cannot be rehearsed yet" in text_of(author.page(review))


def test_phones_lead_to_it_and_without_a_name_somebody_is_made_up(
    shop: SegueServer, team: Team
) -> None:
    author = team["author"]
    path = begin(author, **dict(form_of(author.page("/phone/ann"), "/rehearsals")))
    shown = text_of(author.page(path))
    assert "Rehearsal of everything that is active" in shown
    assert "ann takes part: with profile" in shown
    path = begin(author, **dict(form_of(author.page("/phone"), "/rehearsals")))
    assert "tester-1, tester-2 take part." in text_of(author.page(path))
    strangers = author.get(f"{path}/phone/ann")
    assert strangers.status_code == 404
    assert "ann takes no part in this rehearsal" in text_of(strangers.text)


def test_only_who_writes_drafts_rehearses(shop: SegueServer, team: Team) -> None:
    author, viewer = team["author"], team["viewer"]
    path = begin(author, users="ann")
    for address in ("/rehearsals", "/rehearsals/mine", path, f"{path}/phone/ann", f"{path}/time"):
        assert viewer.get(address).status_code == 403, address
    for address in (f"{path}/phone/ann/now", f"{path}/phone/ann/app", f"{path}/why"):
        assert viewer.get(address).status_code == 403, address
    for address in ("/rehearsals", f"{path}/skip", f"{path}/anew", f"{path}/end"):
        assert viewer.post(address).status_code == 403, address
    for address in ("tap", "event", "session"):
        assert viewer.post(f"{path}/phone/ann/{address}").status_code == 403, address
    for address in (f"{path}/api/v1/phones/ann/token", f"{path}/api/v1/phones/ann/messages"):
        method = "POST" if address.endswith("token") else "GET"
        assert viewer.client.request(method, address).status_code == 403, address
        assert Member(shop, "").client.request(method, address).status_code == 401, address
    for page in ("/phone", "/phone/ann", "/campaigns/again"):
        assert "Rehearse" not in text_of(viewer.page(page))
    others = text_of(team["publisher"].page("/rehearsals"))
    assert f"Rehearsal of everything that is active {author.email}" in others
    assert "Begin one" in others
    assert f"{author.email} began it." in text_of(team["publisher"].page(path))


def test_a_phones_token_speaks_in_its_own_world_alone(shop: SegueServer, team: Team) -> None:
    author = team["author"]
    path = begin(author, users="ann", campaign="hello")
    tokens = {
        base: author.client.post(f"{base}/api/v1/phones/ann/token").json()["token"]
        for base in ("", path)
    }
    body = {"user_id": "ann", "events": [{"name": "signed_up", "id": "once"}]}
    for base in ("", path):
        for owner, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx2.post(f"{shop.url}{base}/sdk/v1/events", json=body, headers=headers)
            assert answer.status_code == (202 if base == owner else 401), (base, owner)
    assert httpx2.get(f"{shop.url}{path}/sdk/segue.js").status_code == 200
    message = {"user_id": "ann", "id": "t1", "text": "STOP"}
    headers = {"Authorization": f"Bearer {tokens['']}"}
    answer = httpx2.post(f"{shop.url}{path}/hooks/sms/phone", json=message, headers=headers)
    assert answer.status_code == 403
    nowhere = f"{shop.url}/rehearsals/000000000000/sdk/v1/events"
    gone = httpx2.post(nowhere, json=body, headers=headers)
    assert gone.status_code == 404
    assert gone.json()["detail"].startswith("This rehearsal has ended")


def test_what_cannot_be_found_or_published_is_said_where_one_came_from(
    shop: SegueServer, team: Team
) -> None:
    author = team["author"]
    answer = author.post("/rehearsals", {"campaign": "nothing"})
    assert answer.status_code == 422
    assert "there is no campaign 'nothing'" in text_of(answer.text)
    assert author.get("/rehearsals/mine").status_code == 404
    assert author.post("/rehearsals/000000000000/skip").status_code == 404
    answer = author.post("/rehearsals", {"campaign": "nothing", "back": "//elsewhere.test"})
    assert answer.headers["location"] == "/"
