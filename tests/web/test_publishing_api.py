"""Publishing sets, the connections and API-triggered sends, on a real server with real mail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

CAMPAIGNS = "/api/v1/campaigns"
TEXT = "<p>Hi {{ first_name }} {{ trigger_properties.code }}</p>"
HTML = TEXT + '<a href="{{ unsubscribe_url }}">Bye</a>'


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


@pytest.fixture(scope="module")
def segue(
    tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, str]
) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": mailbox[1],
        "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
    }
    with SegueServer(tmp_path_factory.mktemp("publishing") / "data", **settings) as server:
        yield server


def document(slug: str, *triggers: Any, **more: Any) -> dict[str, Any]:
    delivery = {"triggers": list(triggers) or [{"event": f"{slug}-began"}]}
    return {
        "slug": slug,
        "name": slug,
        "delivery": more.pop("delivery", delivery),
        "messages": [{"email": {"subject": slug, "html": HTML}}],
        **more,
    }


def follows(campaign: str, name: str = "email_click") -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": campaign, "interaction": name}}


def post(segue: SegueServer, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = segue.api.post(path, json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def statuses(segue: SegueServer, *slugs: str) -> list[str]:
    return [segue.api.get(f"{CAMPAIGNS}/{slug}").json()["status"] for slug in slugs]


# Sets


def test_a_connected_set_is_published_and_reacts_at_once(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    """The follower of a receipt misses nobody, though its target sends at once."""
    segue.create(document("thanks", follows("order", "email_receive")))
    segue.create(document("order"))
    dry = post(segue, f"{CAMPAIGNS}/publish", ids=["order"], with_followers=True, dry_run=True)
    assert statuses(segue, "order", "thanks") == ["draft", "draft"]
    done = post(segue, f"{CAMPAIGNS}/publish", ids=["order"], with_followers=True)
    assert done["published"] == dry["published"] == ["thanks", "order"]
    assert (done["warnings"], done["missed_users"], done["missed"]) == ([], 0, [])
    shown = [segue.api.get(f"{CAMPAIGNS}/{slug}").json() for slug in ("order", "thanks")]
    assert {one["published_at"] for one in shown} == {done["published_at"]}
    segue.user("u1", email="u1@people.test", first_name="Ann")
    segue.event("u1", "order-began")
    eventually(lambda: mailbox[0].to("u1@people.test", "thanks"), "the follower's mail")


def test_a_set_with_faults_is_refused_whole_with_all_of_them(segue: SegueServer) -> None:
    segue.create(document("fine"))
    segue.create(document("faulty", follows("gone"), follows("fine", "push_direct_open")))
    answer = segue.api.post(f"{CAMPAIGNS}/publish", json={"ids": ["fine", "faulty"]})
    assert answer.status_code == 422
    faults = {one["path"]: one["message"] for one in answer.json()["errors"]}
    trigger = "faulty: delivery.triggers[{}].interact_with_campaign"
    assert set(faults) == {f"{trigger.format(0)}.campaign", f"{trigger.format(1)}.interaction"}
    assert "so push_direct_open can never happen" in faults[f"{trigger.format(1)}.interaction"]
    assert statuses(segue, "fine", "faulty") == ["draft", "draft"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["nowhere"]}, "ids[0]"),
        ({"ids": ["a"], "with_follower": True}, "with_follower"),
        ({"ids": ["a"], "dry_run": "yes"}, "dry_run"),
        ({"ids": ["a"], "backfill": "a"}, "backfill"),
    ],
)
def test_a_bad_wish_is_refused_with_the_path(
    segue: SegueServer, body: dict[str, Any], path: str
) -> None:
    answer = segue.api.post(f"{CAMPAIGNS}/publish", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path


def test_the_users_a_late_follower_missed_are_counted(segue: SegueServer) -> None:
    """semantics.md 2, "Missed users"."""
    segue.create(document("spring"))
    segue.publish("spring")
    for user in ("m1", "m2", "m3", "m1"):
        segue.event(user, "email_click", campaign="spring", alias="cta")
    segue.event("m4", "email_open", campaign="spring")
    segue.create(document("late", follows("spring"), follows("spring", "email_open")))
    wish = {"dry_run": True}
    dry = post(segue, f"{CAMPAIGNS}/late/publish", **wish)
    done = segue.publish("late")
    path = "delivery.triggers[{}].interact_with_campaign"
    assert done["missed_users"] == dry["missed_users"] == 4
    triggers = {path.format(0): 3, path.format(1): 1}
    assert done["missed"] == [{"campaign": "late", "users": 4, "triggers": triggers}]
    assert {(one["campaign"], one["path"]) for one in done["warnings"]} == {
        ("late", path.format(0)),
        ("late", path.format(1)),
    }
    segue.event("m1", "email_click", campaign="spring")
    assert segue.decisions("m1", "late")[0] == ("enter", None)
    assert segue.decisions("m2", "late") == []


def test_a_slug_that_is_a_path_of_the_api_is_refused(segue: SegueServer) -> None:
    answer = segue.api.post(CAMPAIGNS, json=document("publish"))
    assert answer.json()["errors"][0]["path"] == "slug"


# Connections


def test_the_graph_has_nodes_edges_loops_and_the_order(segue: SegueServer) -> None:
    segue.create(document("root"))
    segue.create(document("leaf", follows("root")))
    segue.create(document("ring-a", follows("ring-b")))
    segue.create(document("ring-b", follows("ring-a")))
    segue.publish("root")
    graph = segue.api.get("/api/v1/connections").json()
    nodes = {one["slug"]: one for one in graph["nodes"]}
    assert (nodes["root"]["status"], nodes["leaf"]["status"]) == ("active", "draft")
    [edge] = [one for one in graph["edges"] if one["follower"] == "leaf"]
    assert (edge["target"], edge["interaction"], edge["delay"]) == (
        "root",
        "email_click",
        "immediately",
    )
    assert ["ring-a", "ring-b"] in graph["cycles"]
    assert "leaf" in graph["publish_order"]
    assert "root" not in graph["publish_order"]


# API-triggered sends


def test_a_program_sends_a_campaign_with_properties_and_attributes(
    segue: SegueServer, mailbox: tuple[Mailbox, str]
) -> None:
    segue.create(document("code", delivery={"type": "api"}))
    path = f"{CAMPAIGNS}/code/send"
    ann = {
        "user_id": "api-ann",
        "trigger_properties": {"code": "X7"},
        "attributes": {"email": "api-ann@people.test", "first_name": "Ann"},
    }
    assert segue.api.post(path, json={"recipients": [ann]}).status_code == 409
    segue.publish("code")
    answer = post(segue, path, 202, recipients=[ann, {"user_id": ""}])
    assert answer["accepted"] == 1
    [rejected] = answer["rejected"]
    assert (rejected["index"], "user_id" in rejected["message"]) == (1, True)
    [mail] = eventually(lambda: mailbox[0].to("api-ann@people.test"), "the mail")
    assert "Hi Ann X7" in mail.get_body(("html",)).get_content()
    assert segue.api.post(f"{CAMPAIGNS}/nowhere/send", json={}).status_code == 404


def test_a_repeated_call_with_one_key_sends_once(segue: SegueServer) -> None:
    segue.create(document("once", delivery={"type": "api"}, re_eligibility="always"))
    segue.publish("once")
    body = {"recipients": [{"user_id": "api-bob"}]}
    answers = [
        segue.api.post(f"{CAMPAIGNS}/once/send", json=body, headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [kind for kind, _ in segue.decisions("api-bob", "once")][:2] == ["enter", "send"]
    assert "refuse" not in [kind for kind, _ in segue.decisions("api-bob", "once")]


def test_sending_takes_a_scope_of_its_own(segue: SegueServer) -> None:
    segue.create(document("scoped", delivery={"type": "api"}))
    segue.publish("scoped")
    body = {"recipients": [{"user_id": "u"}]}

    def status_with(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{segue.url}{CAMPAIGNS}/scoped/send"
        return httpx2.post(url, json=body, headers=headers).status_code

    for scope, status in (("send", 202), ("ingest", 403), ("campaigns", 403)):
        key = segue.key_for(scope)
        eventually(lambda key=key: status_with(key) != 401, "the key")  # the server looks at times
        assert status_with(key) == status, scope


def test_an_acknowledged_send_survives_a_kill(tmp_path: Path) -> None:
    """semantics.md 8: durable when answered."""
    with SegueServer(tmp_path / "data") as server:
        delivery = {"type": "api", "delay": {"after": "1d"}}
        server.create(document("later", delivery=delivery))
        server.publish("later")
        users = [{"user_id": f"u{number}", "attributes": {"n": number}} for number in range(50)]
        post(server, f"{CAMPAIGNS}/later/send", 202, recipients=users)
        server.kill()
        server.start()
        page = server.api.get(f"{CAMPAIGNS}/later/waiting", params={"limit": 20}).json()
        assert (page["count"], len(page["data"])) == (50, 20)
        rest = server.api.get(
            f"{CAMPAIGNS}/later/waiting", params={"limit": 100, "cursor": page["next_cursor"]}
        ).json()
        assert len(rest["data"]) == 30
        assert "next_cursor" not in rest
        assert server.api.get("/api/v1/users/u49").json()["attributes"] == {"n": 49}
