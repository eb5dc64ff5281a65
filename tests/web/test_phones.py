"""Virtual phones on a real server: all channels come, all actions are followed."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.receiver import Receiver, webhook_receiver
from tests.support.servers import SegueServer, eventually, mail_server

pytestmark = pytest.mark.slow

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
MESSAGES: dict[str, dict[str, Any]] = {
    "email": {
        "from": "Shop <hi@shop.test>",
        "subject": "Hi {{ first_name | default: 'you' }}",
        "html": '<p><a href="https://shop.test/sale" data-alias="cta">Sale</a></p>',
    },
    "push": {
        "title": "Hi",
        "body": "Look",
        "deep_link": "shop://sale",
        "image_url": "https://shop.test/a.png",
        "buttons": [{"id": "claim", "text": "Claim", "link": "shop://claim"}],
        "pages": [{"id": "shoes", "image_url": "https://shop.test/1.png"}],
    },
    "sms": {
        "body": "See https://shop.test/s?a=1, or reply",
        "media_urls": ["https://shop.test/a.png"],
    },
    "webhook": {"url": "https://shop.test/hook", "headers": {"X-Key": "sesame"}, "body": {"a": 1}},
    "in_app_message": {
        "body": "Hi",
        "buttons": [{"id": "go", "text": "Go", "link": "shop://go"}],
    },
    "content_card": {"title": "Hi", "link": "https://shop.test/card"},
}
# What a follower asks for, with which act it comes.
INTERACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "after-open": ("email_open", {}),
    "after-click": ("email_alias_click", {"alias": "cta"}),
    "after-push": ("push_direct_open", {}),
    "after-claim": ("push_button_click", {"button": "claim"}),
    "after-page": ("push_story_page_click", {"page": "shoes"}),
    "after-text": ("sms_short_link_click", {}),
    "after-view": ("in_app_message_view", {}),
    "after-in-app": ("in_app_message_click", {"body_only": True}),
    "after-go": ("in_app_message_button_click", {"button": "go"}),
    "after-card": ("content_card_view", {}),
    "after-card-click": ("content_card_click", {}),
    "after-dismiss": ("content_card_dismiss", {}),
}


def campaign(slug: str, trigger: dict[str, Any], *messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "delivery": {"type": "action", "triggers": [trigger]},
        "re_eligibility": "always",
        "messages": list(messages),
    }


def prepare(server: SegueServer) -> None:
    """Publish a campaign of each channel, and a follower for each interaction."""
    for channel, message in MESSAGES.items():
        server.create(campaign(channel.replace("_", "-"), {"event": "go"}, {channel: message}))
    for follower, (name, options) in INTERACTIONS.items():
        channel = next(one for one in MESSAGES if name.startswith(one))
        followed = {"campaign": channel.replace("_", "-"), "interaction": name, **options}
        trigger = {"interact_with_campaign": followed}
        server.create(campaign(follower, trigger, {"webhook": MESSAGES["webhook"]}))
    for slug in (*INTERACTIONS, *MESSAGES):
        server.publish(slug.replace("_", "-"))


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    """A server with no provider at all."""
    with SegueServer(tmp_path_factory.mktemp("phones") / "data") as server:
        prepare(server)
        yield server


def messages(server: SegueServer, user_id: str, **wish: Any) -> list[dict[str, Any]]:
    answer = server.api.get(f"/api/v1/phones/{user_id}/messages", params=wish)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def all_six(server: SegueServer, user_id: str) -> dict[str, dict[str, Any]]:
    """Let all six campaigns come to a user; return the messages by channel."""
    server.event(user_id, "go")

    def come() -> dict[str, dict[str, Any]]:
        found = {
            one["channel"]: one
            for one in messages(server, user_id)
            if not one["campaign"].startswith("after-")
        }
        return found if len(found) == len(MESSAGES) else {}

    return eventually(come, "a message of each channel")


def token_of(server: SegueServer, user_id: str) -> str:
    answer = server.api.post(f"/api/v1/phones/{user_id}/token")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def follow(action: dict[str, Any], token: str) -> httpx2.Response:
    """Do what an action says, as it is written there."""
    headers = dict(AGENT)
    if action.get("needs_token"):
        headers["Authorization"] = f"Bearer {token}"
    return httpx2.request(action["method"], action["url"], json=action.get("body"), headers=headers)


def test_a_test_user_gets_a_message_of_each_channel_without_any_provider(
    segue: SegueServer,
) -> None:
    segue.user("ann", test_user=True, first_name="Ann")
    found = all_six(segue, "ann")
    for channel in MESSAGES:
        assert segue.decisions("ann", channel.replace("_", "-")) == [
            ("enter", None),
            ("send", None),
        ]
    contents = {channel: one["content"] for channel, one in found.items()}
    assert contents["email"]["subject"] == "Hi Ann"
    assert contents["email"]["from"] == "Shop <hi@shop.test>"
    assert f"{segue.url}/t/c/" in contents["email"]["html"]
    assert f"{segue.url}/t/o/" in contents["email"]["html"]
    assert contents["email"]["text"].startswith("Sale")
    assert contents["push"]["buttons"][0]["text"] == "Claim"
    assert contents["sms"]["media_urls"] == ["https://shop.test/a.png"]
    assert contents["webhook"]["method"] == "POST"
    assert contents["webhook"]["headers"]["X-Key"] == "***"
    assert contents["webhook"]["body"] == '{"a":1}'
    assert contents["in_app_message"]["body"] == "Hi"
    assert contents["content_card"]["link"] == "https://shop.test/card"
    for one in found.values():
        assert {"id", "at", "campaign", "variant", "send_id"} <= one.keys()
    assert [one["channel"] for one in messages(segue, "ann", channel="push")] == ["push"]


def test_each_action_that_is_listed_is_recorded_and_followed(segue: SegueServer) -> None:
    segue.user("bea", test_user=True)
    found, token = all_six(segue, "bea"), token_of(segue, "bea")
    acts: dict[str, list[dict[str, Any]]] = {
        channel: [one["act"] for one in message["actions"]] for channel, message in found.items()
    }
    assert acts == {
        "email": ["email_open", "email_click", "email_unsubscribe"],
        "push": ["push_direct_open", "push_button_click", "push_story_page_click"],
        "sms": ["sms_short_link_click", "sms_reply"],
        "webhook": [],
        "in_app_message": ["in_app_message_view", "in_app_message_click", "in_app_message_click"],
        "content_card": ["content_card_view", "content_card_click", "content_card_dismiss"],
    }
    actions = [
        action
        for message in found.values()
        for action in message["actions"]
        if action["act"] not in ("email_unsubscribe", "sms_reply")
    ]
    for action in actions:
        answer = follow(action, token)
        assert answer.status_code in (200, 202, 302), answer.text
        if action["act"] == "email_click":
            assert answer.headers["location"] == action["leads_to"] == "https://shop.test/sale"
        if action["act"] == "sms_short_link_click":
            assert answer.headers["location"] == action["leads_to"] == "https://shop.test/s?a=1"
            assert f"See {action['url']}, or reply" == found["sms"]["content"]["body"]
        if action.get("needs_token"):
            assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
            # The same call once more is a repeat.
            assert follow(action, token).json()["duplicates"] == 1
    for follower in INTERACTIONS:
        eventually(
            lambda slug=follower: ("send", None) in segue.decisions("bea", slug), f"{follower}"
        )
    told = [line["name"] for line in segue.timeline("bea") if "send_id" in line and "name" in line]
    assert sorted(name for name in told if not name.endswith("_receive")) == sorted(
        action["act"] for action in actions
    )


def test_an_older_message_can_be_acted_on_as_well(segue: SegueServer) -> None:
    segue.user("bo", test_user=True)
    found, token = all_six(segue, "bo"), token_of(segue, "bo")
    segue.event("bo", "go")
    eventually(lambda: len(messages(segue, "bo", channel="push")) == 2, "the second push")
    for channel in ("email", "push", "in_app_message", "content_card"):
        older = messages(segue, "bo", channel=channel)[1]
        assert older["send_id"] == found[channel]["send_id"]
        assert "token" not in older["content"]
        answer = follow(older["actions"][0], token)
        assert answer.status_code in (200, 202)
        if channel != "email":
            assert answer.json()["accepted"] == 1


def test_what_was_shown_or_dismissed_is_due_no_more(segue: SegueServer) -> None:
    segue.user("cleo", test_user=True)
    found, token = all_six(segue, "cleo"), token_of(segue, "cleo")
    assert found["in_app_message"]["is_due"]
    assert found["content_card"]["is_due"]
    assert "is_due" not in found["email"]
    follow(found["in_app_message"]["actions"][0], token)
    follow(found["content_card"]["actions"][-1], token)
    [shown] = messages(segue, "cleo", channel="in_app_message")
    [dismissed] = messages(segue, "cleo", channel="content_card")
    assert not shown["is_due"]
    assert [one["act"] for one in shown["actions"]] == ["in_app_message_click"] * 2
    assert not dismissed["is_due"]
    assert dismissed["actions"] == []
    assert dismissed["content"]["title"] == "Hi"


def test_an_unsubscription_is_an_action_as_well(segue: SegueServer) -> None:
    segue.user("dora", test_user=True)
    found = all_six(segue, "dora")
    assert follow(found["email"]["actions"][-1], "").status_code == 200
    segue.event("dora", "go")
    eventually(
        lambda: segue.decisions("dora", "email")[-1] == ("skip", "unsubscribed"), "the refusal"
    )
    assert len(messages(segue, "dora", channel="email")) == 1


def text_back(server: SegueServer, user_id: str, text: str) -> str:
    """Text back as the newest text message offers it; return what would be texted."""
    reply = messages(server, user_id, channel="sms")[0]["actions"][-1]
    assert reply["act"] == "sms_reply"
    reply["body"]["text"] = text
    answer = follow(reply, token_of(server, user_id))
    assert answer.status_code == 200, answer.text
    # A repeat is taken once.
    assert follow(reply, token_of(server, user_id)).status_code == 200
    return str(answer.json()["answer"])


def test_what_is_texted_back_is_an_event_that_campaigns_follow(segue: SegueServer) -> None:
    follower = {"event": {"name": "sms_reply"}}
    segue.create(campaign("after-reply", follower, {"webhook": MESSAGES["webhook"]}))
    segue.publish("after-reply")
    for user_id in ("pia", "quin"):
        segue.user(user_id, test_user=True)
        all_six(segue, user_id)
    assert text_back(segue, "pia", "Which sizes?") == ""
    eventually(lambda: ("send", None) in segue.decisions("pia", "after-reply"), "the follower")
    [event] = [one for one in segue.timeline("pia") if one.get("name") == "sms_reply"]
    assert event["properties"] == {"text": "Which sizes?", "campaign": "sms"}
    assert segue.decisions("quin", "after-reply") == []


def test_stop_and_start_are_obeyed_from_a_phone(segue: SegueServer) -> None:
    for user_id in ("rob", "sue"):
        segue.user(user_id, test_user=True)
        all_six(segue, user_id)
    assert text_back(segue, "rob", " Stop ")
    segue.event("rob", "go")
    eventually(lambda: segue.decisions("rob", "sms")[-1] == ("skip", "unsubscribed"), "the skip")
    assert "sms_unsubscribe" in [line.get("name") for line in segue.timeline("rob")]
    assert text_back(segue, "rob", "START")
    segue.event("rob", "go")
    eventually(lambda: segue.decisions("rob", "sms")[-1] == ("send", None), "the text")
    assert text_back(segue, "rob", "HELP")
    # Nobody else stopped.
    segue.event("sue", "go")
    eventually(lambda: len(messages(segue, "sue", channel="sms")) == 2, "the text to sue")


def test_a_text_proves_by_the_token_whose_it_is(segue: SegueServer) -> None:
    for user_id in ("tom", "una"):
        segue.user(user_id, test_user=True)
    token = token_of(segue, "tom")
    body = {"user_id": "tom", "id": "t1", "text": "Hello"}
    for one, sent, status in (
        (token, body, 200),
        (token, {**body, "user_id": "una"}, 403),
        (token, {**body, "text": ""}, 422),
        (token[:-2], body, 403),
        ("phone_", body, 403),
        (segue.key, body, 403),
    ):
        headers = {"Authorization": f"Bearer {one}"}
        answer = httpx2.post(f"{segue.url}/hooks/sms/phone", json=sent, headers=headers)
        assert answer.status_code == status, answer.text
    segue.user("tom", test_user=None)
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{segue.url}/hooks/sms/phone", json=body, headers=headers)
    assert answer.status_code == 403
    assert [one for one in segue.timeline("una") if one.get("name") == "sms_reply"] == []


def test_a_user_who_is_no_test_user_has_no_phone(segue: SegueServer) -> None:
    segue.user("eve", test_user="true", email="eve@people.test")
    segue.event("eve", "go")
    eventually(lambda: ("skip", "refused") in segue.decisions("eve", "email"), "the refusal")
    for method, path in (("GET", "messages"), ("GET", "stream"), ("POST", "token")):
        answer = segue.api.request(method, f"/api/v1/phones/eve/{path}")
        assert answer.status_code == 404
        assert "test_user is 'true'; make it true" in answer.json()["detail"]
    assert "no user" in segue.api.get("/api/v1/phones/nobody/messages").json()["detail"]
    segue.user("eve", test_user=True)
    assert messages(segue, "eve") == []


def test_phones_are_listed_by_their_newest_message_and_in_pages(segue: SegueServer) -> None:
    for user_id in ("fay", "gus"):
        segue.user(user_id, test_user=True)
        all_six(segue, user_id)
    # To other phones something may come at the same time; to these two it does not.
    listed: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next_cursor": None}
    while "next_cursor" in page:
        wish = {"limit": 1} | ({"cursor": page["next_cursor"]} if page["next_cursor"] else {})
        page = segue.api.get("/api/v1/phones", params=wish).json()
        listed += page["data"]
    two = [one for one in listed if one["user_id"] in ("fay", "gus")]
    assert [(one["user_id"], one["message_count"]) for one in two] == [("gus", 6), ("fay", 6)]
    segue.user("gus", test_user=None)
    listed = segue.api.get("/api/v1/phones").json()["data"]
    assert "gus" not in [one["user_id"] for one in listed]

    newest = segue.api.get("/api/v1/phones/fay/messages", params={"limit": 4}).json()
    rest = messages(segue, "fay", cursor=newest["next_cursor"])
    ids = [int(one["id"]) for one in [*newest["data"], *rest]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6
    assert segue.api.get("/api/v1/phones/fay/messages", params={"cursor": "x"}).status_code == 400
    assert (
        segue.api.get("/api/v1/phones/fay/messages", params={"channel": "fax"}).status_code == 400
    )


@pytest.mark.parametrize("user_id", ["hal", "all"])
def test_a_stream_tells_what_comes_and_goes_on_where_it_was(
    segue: SegueServer, user_id: str
) -> None:
    path = "/api/v1/phones/stream" if user_id == "all" else f"/api/v1/phones/{user_id}/stream"
    segue.user(user_id, test_user=True)

    def listen(count: int, headers: dict[str, str], begin: threading.Event) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        with segue.api.stream("GET", path, headers=headers, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                begin.set()
                if line.startswith("data: "):
                    message = json.loads(line.removeprefix("data: "))
                    # To other phones something may come at the same time.
                    told += [message] if message["user_id"] == user_id else []
                    if len(told) == count:
                        return told
        raise AssertionError("the stream ended")

    begin = threading.Event()
    act = threading.Thread(target=lambda: begin.wait(20) and segue.event(user_id, "go"))
    act.start()
    first = listen(6, {}, begin)
    act.join()
    assert {one["channel"] for one in first} == set(MESSAGES)
    again = listen(3, {"Last-Event-ID": first[2]["id"]}, threading.Event())
    assert [one["id"] for one in again] == [one["id"] for one in first[3:]]
    # Each can be acted on as soon as it was told.
    opened = next(one for one in first if one["channel"] == "push")["actions"][0]
    assert follow(opened, token_of(segue, user_id)).json()["accepted"] == 1
    assert segue.api.get(path, headers={"Last-Event-ID": "x"}).status_code == 400


def test_scopes_say_who_may_look_and_who_may_act(segue: SegueServer) -> None:
    segue.user("ida", test_user=True)
    paths = [("GET", "/phones"), ("GET", "/phones/ida/messages"), ("POST", "/phones/ida/token")]
    for scope, statuses in {
        "read": [200, 200, 403],
        "ingest": [403, 403, 201],
        "send": [403, 403, 403],
    }.items():
        headers = {"Authorization": f"Bearer {segue.key_for(scope)}"}

        def known(headers: dict[str, str] = headers) -> bool:
            answer = httpx2.get(f"{segue.url}/api/v1/phones", headers=headers)
            return bool(answer.status_code != 401)

        eventually(known, "the server's knowledge of the key")
        answers = [
            httpx2.request(method, f"{segue.url}/api/v1{path}", headers=headers)
            for method, path in paths
        ]
        assert [one.status_code for one in answers] == statuses, scope


# Tokens


def test_a_phones_token_speaks_for_its_user_and_does_nothing_else(segue: SegueServer) -> None:
    segue.user("jan", test_user=True)
    segue.user("kim", test_user=True)
    segue.user("lea")
    headers = {"Authorization": f"Bearer {token_of(segue, 'jan')}"}
    with httpx2.Client(base_url=f"{segue.url}/sdk/v1", headers=headers) as phone:
        session = phone.post("/session", json={"user_id": "jan"})
        assert session.status_code == 200
        events = {"user_id": "jan", "events": [{"name": "looked"}]}
        assert phone.post("/events", json=events).json()["accepted"] == 1
        for path in ("/in-app-messages", "/content-cards"):
            assert phone.get(path, params={"user_id": "jan"}).status_code == 200
        for other in ("kim", "lea", "anonymous:1"):
            for path, more in {
                "/session": {},
                "/events": {"events": [{"name": "looked"}]},
                "/interactions": {"interactions": []},
            }.items():
                answer = phone.post(path, json={"user_id": other, **more})
                assert answer.status_code == 403, path
                assert "cannot speak for" in answer.json()["detail"]
            for path in ("/in-app-messages", "/content-cards", "/stream"):
                assert phone.get(path, params={"user_id": other}).status_code == 403
        profile = phone.post("/events", json={**events, "attributes": {"test_user": None}})
        assert profile.status_code == 403
        assert "no attributes" in profile.json()["detail"]
        device = {"id": "d1", "platform": "android", "token": "t1"}
        for answer in (
            phone.post("/push-token", json={"user_id": "jan", "device": device}),
            phone.delete("/push-token", params={"user_id": "jan", "device_id": "d1"}),
        ):
            assert answer.status_code == 403
        for path in ("/users", "/phones", "/phones/jan/messages", "/campaigns"):
            answer = httpx2.get(f"{segue.url}/api/v1{path}", headers=headers)
            assert answer.status_code == 401


def test_a_forged_token_is_no_key(segue: SegueServer) -> None:
    segue.user("mia", test_user=True)
    token = token_of(segue, "mia")
    place = len(token) // 2
    forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    for one in (forged, "phone_", "phone_x", token[:-8]):
        answer = httpx2.get(
            f"{segue.url}/sdk/v1/content-cards",
            params={"user_id": "mia"},
            headers={"Authorization": f"Bearer {one}"},
        )
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "expired" in answer.json()["detail"]


def test_the_token_of_somebody_who_has_no_phone_any_more_opens_nothing(
    segue: SegueServer,
) -> None:
    for user_id, end in (("nia", "attribute"), ("oda", "erasure")):
        segue.user(user_id, test_user=True)
        all_six(segue, user_id)
        headers = {"Authorization": f"Bearer {token_of(segue, user_id)}"}
        if end == "attribute":
            segue.user(user_id, test_user=False)
        else:
            assert segue.api.delete(f"/api/v1/users/{user_id}").status_code == 204
        answer = httpx2.get(
            f"{segue.url}/sdk/v1/content-cards", params={"user_id": user_id}, headers=headers
        )
        assert answer.status_code == 403
        assert segue.api.get(f"/api/v1/phones/{user_id}/messages").status_code == 404
    # What was erased does not come back with a user of the same name.
    segue.user("oda", test_user=True)
    assert messages(segue, "oda") == []
    segue.user("nia", test_user=True)
    assert len(messages(segue, "nia")) == 6


# Providers, restarts, everybody


def shop_at(folder: Path, mail_url: str, calls: Receiver, **more: str) -> SegueServer:
    return SegueServer(
        folder,
        SEGUE_CHANNELS__EMAIL__SMTP_URL=mail_url,
        SEGUE_CHANNELS__SMS__HTTP__URL=calls.url.replace("/hook", "/sms"),
        SEGUE_CHANNELS__SMS__HTTP__BODY='{"to": {{ to | json }}}',
        SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES='["127.0.0.1/32"]',
        SEGUE_CHANNELS__PUSH__WEB__CONTACT="mailto:ops@shop.test",
        **more,
    )


def publish_real(server: SegueServer, calls: Receiver) -> None:
    parts = [
        {"email": MESSAGES["email"]},
        {"sms": MESSAGES["sms"]},
        {"webhook": {"url": calls.url}},
        {"push": MESSAGES["push"]},
    ]
    server.create(campaign("real", {"event": "go"}, *parts))
    server.publish("real")


def test_the_providers_of_a_test_user_are_never_called_and_a_restart_keeps_the_phone(
    tmp_path: Path,
) -> None:
    with mail_server() as (mails, mail_url), webhook_receiver() as calls:
        with shop_at(tmp_path / "data", mail_url, calls) as server:
            publish_real(server, calls)
            real = {"email": "ann@people.test", "phone": "+32470123456"}
            server.user("ann", test_user=True, **real)
            server.event("ann", "go")
            eventually(lambda: len(messages(server, "ann")) == 4, "the messages")
            server.user("bob", email="bob@people.test", phone="+32470123457")
            server.event("bob", "go")
            eventually(lambda: mails.to("bob@people.test") and len(calls.requests) == 2, "bob's")
            before = messages(server, "ann")
        assert len(mails.mails) == 1
        assert sorted(path for path, _, _ in calls.requests) == ["/hook", "/sms"]
        assert "+32470123456" not in str(calls.requests)
        # The key that the first process printed is known to the second.
        again = SegueServer(tmp_path / "data")
        again.key = server.key
        with again:
            assert [one["id"] for one in messages(again, "ann")] == [one["id"] for one in before]


def test_where_everybody_has_a_phone_nothing_leaves_and_the_start_says_so(tmp_path: Path) -> None:
    with mail_server() as (mails, mail_url), webhook_receiver() as calls:
        to_phone = {"SEGUE_CHANNELS__TO_PHONE": "everybody"}
        with shop_at(tmp_path / "data", mail_url, calls, **to_phone) as server:
            assert server._process is not None
            assert server._process.stdout is not None
            assert "virtual phones (channels.to_phone)" in server._process.stdout.readline()
            publish_real(server, calls)
            server.user("bob", email="bob@people.test")
            server.event("bob", "go")
            eventually(lambda: len(messages(server, "bob")) == 4, "the messages")
            assert server.decisions("bob", "real") == [("enter", None), ("send", None)]
            assert server.api.get("/api/v1/phones/nobody/messages").status_code == 404
        assert mails.mails == []
        assert calls.requests == []


def test_with_signed_identities_a_phone_needs_none(tmp_path: Path) -> None:
    with SegueServer(
        tmp_path / "data", SEGUE_SDK__IDENTITY_SECRET="a-secret-of-the-shop"
    ) as server:
        server.user("ann", test_user=True)
        answer = httpx2.get(
            f"{server.url}/sdk/v1/content-cards",
            params={"user_id": "ann"},
            headers={"Authorization": f"Bearer {token_of(server, 'ann')}"},
        )
        assert answer.status_code == 200
