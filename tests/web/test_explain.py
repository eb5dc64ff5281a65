"""`GET /campaigns/{id}/explain` on a real server, with real templates and a real mail server."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

API = "/api/v1/campaigns"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SegueServer, Mailbox]]:
    with mail_server() as (mailbox, url):
        settings = {
            "SEGUE_CHANNELS__EMAIL__SMTP_URL": url,
            "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
        }
        with SegueServer(tmp_path_factory.mktemp("explain") / "data", **settings) as server:
            yield server, mailbox


@pytest.fixture
def segue(served: tuple[SegueServer, Mailbox]) -> SegueServer:
    return served[0]


def document(slug: str, text: str = "Hello", **more: Any) -> dict[str, Any]:
    delivery: dict[str, Any] = {"triggers": [{"event": f"{slug}-go"}]}
    if "delay" in more:
        delivery["delay"] = {"after": more.pop("delay")}
    message = {"email": {"subject": "Hello", "text": text}}
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": [message], **more}


def explained(segue: SegueServer, user_id: str, slug: str) -> dict[str, Any]:
    answer = segue.api.get(f"{API}/{slug}/explain", params={"user_id": user_id})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def settled(segue: SegueServer, user_id: str, slug: str) -> dict[str, Any]:
    """Return the explanation once the message has come to its end."""

    def found() -> dict[str, Any] | None:
        explanation = explained(segue, user_id, slug)
        is_over = any(step["kind"] == "settled" for step in explanation["steps"])
        return explanation if is_over else None

    return dict(eventually(found, "an answer of the provider"))


def begin(segue: SegueServer, written: dict[str, Any], user_id: str, **attributes: Any) -> None:
    segue.create(written)
    segue.publish(written["slug"])
    if attributes:
        segue.user(user_id, **attributes)
    segue.event(user_id, f"{written['slug']}-go")


@pytest.mark.parametrize(
    ("reason", "text", "said"),
    [
        ("aborted", "{% abort_message('the cart is empty') %}", "the cart is empty"),
        ("template_error", "{{ 1 | divided_by: 0 }}", "can't divide by 0"),
    ],
)
def test_what_a_template_did_is_told_with_its_word(
    segue: SegueServer, reason: str, text: str, said: str
) -> None:
    slug = reason.replace("_", "-")
    begin(segue, document(slug, text), "ann", email="ann@people.test")
    found = settled(segue, "ann", slug)
    assert (found["standing"], found["reason"]) == ("skipped", reason)
    assert said in found["summary"]


def test_a_user_without_an_address_is_told_so(segue: SegueServer) -> None:
    begin(segue, document("no-address"), "nameless", first_name="Ann")
    found = settled(segue, "nameless", "no-address")
    assert found["reason"] == "no_address"
    assert "the profile of nameless has no address for email" in found["summary"]


def test_a_refusal_is_told_in_the_mail_servers_words(
    served: tuple[SegueServer, Mailbox],
) -> None:
    segue, mailbox = served
    mailbox.refusal = "554 5.7.1 looks like spam"
    try:
        begin(segue, document("refused"), "ann", email="ann@people.test")
        found = settled(segue, "ann", "refused")
    finally:
        mailbox.refusal = None
    assert found["reason"] == "refused"
    assert "554 5.7.1 looks like spam" in found["summary"]


def test_an_accepted_mail_is_told_step_by_step(segue: SegueServer) -> None:
    begin(segue, document("accepted"), "bob", email="bob@people.test")
    found = settled(segue, "bob", "accepted")
    assert found["standing"] == "sent"
    assert [step["kind"] for step in found["steps"]][:3] == ["published", "happened", "settled"]
    happened = found["steps"][1]
    assert happened["event"]["name"] == "accepted-go"
    assert [line["line"] for line in happened["lines"]].count("check") > 10
    assert [one["decision"] for one in happened["decisions"]] == ["enter", "send"]
    timeline = [line for line in segue.timeline("bob") if line.get("campaign") == "accepted"]
    assert [one for one in timeline if "decision" in one] == happened["decisions"]


def test_a_campaign_is_found_by_its_id_and_while_it_is_a_draft(segue: SegueServer) -> None:
    segue.create(document("drafted"))
    campaign = segue.api.get(f"{API}/drafted").json()
    segue.event("ann", "look")
    found = explained(segue, "ann", campaign["id"])
    assert (found["standing"], found["campaign"]["status"]) == ("draft", "draft")


def test_a_user_never_seen_is_told_so(segue: SegueServer) -> None:
    segue.create(document("unseen"))
    found = explained(segue, "nobody-knows", "unseen")
    assert found["standing"] == "unknown_user"
    assert found["summary"].startswith("Nothing is known of a user nobody-knows")


def test_an_unknown_campaign_names_the_nearest_one(segue: SegueServer) -> None:
    segue.create(document("resend-to-non-openers"))
    answer = segue.api.get(f"{API}/resend-to-non-opener/explain", params={"user_id": "ann"})
    assert answer.status_code == 404
    assert 'did you mean "resend-to-non-openers"?' in answer.json()["detail"]


def test_the_user_must_be_named(segue: SegueServer) -> None:
    assert segue.api.get(f"{API}/any/explain").status_code == 400


def test_a_filter_published_a_moment_ago_knows_what_happened_long_before(
    segue: SegueServer,
) -> None:
    segue.event("carl", "bought-something")
    audience = {"event": "bought-something"}
    begin(segue, document("for-buyers", audience=audience, delay="1d"), "carl")
    assert explained(segue, "carl", "for-buyers")["standing"] == "waiting"


def test_the_description_of_the_api_has_it(segue: SegueServer) -> None:
    schema = segue.api.get("/schema").json()
    assert "/api/v1/campaigns/{campaign}/explain" in schema["paths"]
