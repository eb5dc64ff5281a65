"""The composer's first step over HTTP: variants, channels, lists, and faults at their fields."""

from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.support.composing import Writing, campaign, summary, text_of
from tests.support.forms import changed
from tests.support.members import Team
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

EMAIL = "messages[0].email"


def edited(server: SegueServer, team: Team, *messages: dict[str, Any], **more: Any) -> Writing:
    """Begin to edit a campaign of these messages."""
    slug = campaign(server, "edited", messages=list(messages), **more)
    return Writing(team["author"], begin="edit", campaign=slug)


def buttons(html: str) -> list[str]:
    found = LexborHTMLParser(html).css("#step-form button[name=edit]")
    return [one.attributes.get("value") or "" for one in found]


# Variants


def test_variants_are_added_shared_out_and_removed(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    writing.press("message", "vary")
    form = dict(writing.form("message"))
    assert [form[f"variants[{i}].name"] for i in (0, 1)] == ["A", "B"]
    assert form["variants[1].messages[0].sms.body"] == "Hi"
    writing.write("message", control_percent="20")
    html = writing.press("message", "share")
    assert "sum to 100 %" in text_of(html, "#shares")
    writing.write("message", **{"variants[1].messages[0].sms.body": "Hello"})
    document = writing.keep()
    assert [(one["name"], one["percent"]) for one in document["variants"]] == [("A", 40), ("B", 40)]
    assert document["control_percent"] == 20
    writing = Writing(team["author"], begin="edit", campaign=document["slug"])
    writing.press("message", "drop variants[0]")
    document = writing.keep()
    assert "variants" not in document
    assert document["messages"] == [{"sms": {"body": "Hello"}}]


def test_shares_that_do_not_sum_are_a_fault_at_the_variants(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    writing.press("message", "vary")
    writing.write("message", "continue", **{"variants[0].percent": "70"})
    html = writing.page("message")
    assert "sum to 120" in text_of(html, "#variants-fault")
    assert "sum to 120 %" in text_of(html, "#shares")
    writing.write("message", **{"variants[0].percent": "half"})
    html = writing.page("message")
    assert dict(writing.form("message"))["variants[0].percent"] == "half"
    assert "half" in text_of(html, "[id='variants[0].percent-fault']")


def test_two_variants_of_one_name_are_a_fault_at_the_name(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    writing.press("message", "vary")
    writing.write("message", "continue", **{"variants[1].name": "A"})
    assert "another variant" in text_of(writing.page("message"), "[id='variants[1].name-fault']")


# Channels and lists


def test_a_message_that_is_blank_makes_room_for_another_channel(team: Team) -> None:
    writing = Writing(team["author"])
    html = writing.press("message", "write push messages")
    assert "messages[0].push.title" in dict(writing.form("message"))
    assert "write email messages" in buttons(html)
    writing.write("message", **{"messages[0].push.title": "Hi"})
    html = writing.press("message", "write sms messages")
    assert {"messages[0].push.title", "messages[1].sms.body"} <= dict(
        writing.form("message")
    ).keys()
    assert not {"write push messages", "write sms messages"} & set(buttons(html))
    writing.press("message", "remove messages[0]")
    assert "messages[0].sms.body" in dict(writing.form("message"))


def test_buttons_and_pages_are_added_moved_and_removed(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"push": {"title": "Hi"}})
    place = "messages[0].push"
    for number, name in enumerate(("one", "two")):
        writing.press("message", f"add {place}.buttons")
        at = f"{place}.buttons[{number}]"
        writing.write("message", **{f"{at}.id": name, f"{at}.text": name.title()})
    writing.press("message", f"up {place}.buttons[1]")
    writing.press("message", f"add {place}.pages")
    image = {f"{place}.pages[0].id": "p", f"{place}.pages[0].image_url": "https://shop.test/p.png"}
    writing.write("message", **image)
    push = writing.keep()["messages"][0]["push"]
    assert [one["id"] for one in push["buttons"]] == ["two", "one"]
    assert push["pages"] == [{"id": "p", "image_url": "https://shop.test/p.png"}]


def test_headers_are_rows_and_the_next_row_is_always_there(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": {"subject": "S", "text": "T", "from": "a@shop.test"}})
    for number, name in enumerate(("X-A", "X-B")):
        row = f"{EMAIL}.headers[{number}]"
        writing.write("message", **{f"{row}.name": name, f"{row}.value": str(number)})
    writing.press("message", f"leave {EMAIL}.headers 0")
    assert writing.keep()["messages"][0]["email"]["headers"] == {"X-B": "1"}


def test_the_text_is_taken_from_the_html(server: SegueServer, team: Team) -> None:
    html = "<p>Hi {{ first_name }}</p>{{ unsubscribe_url }}"
    writing = edited(server, team, {"email": {"subject": "S", "html": html}})
    writing.press("message", f"text {EMAIL}")
    text = dict(writing.form("message"))[f"{EMAIL}.text"]
    assert text.split() == ["Hi", "{{", "first_name", "}}", "{{", "unsubscribe_url", "}}"]


def test_a_body_that_is_no_json_is_kept_as_text_and_says_why(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"webhook": {"url": "https://hook.test"}})
    body = {
        "messages[0].webhook.body": '{"a": {{ plan | json }}}',
        "messages[0].webhook.body.kind": "json",
    }
    html = writing.write("message", **body)
    assert "sent as text" in text_of(html, "[id='messages[0].webhook.body-doubt']")
    assert dict(writing.form("message"))["messages[0].webhook.body.kind"] == "text"


# Faults


def test_faults_stand_at_their_fields(server: SegueServer, team: Team) -> None:
    headers = {"X-A": "1"}
    email = {"subject": "S", "text": "T", "from": "a@shop.test", "headers": headers}
    push = {"title": "T", "buttons": [{"id": "a", "text": "A"}], "extra": {"x": "1"}}
    writing = edited(server, team, {"email": email}, {"push": push})
    faulty = {
        f"{EMAIL}.subject": "",
        "messages[1].push.buttons[0].text": "",
    }
    html = writing.write("message", "continue", **faulty)
    html = writing.page("message")
    for place in faulty:
        assert text_of(html, f"[id='{place}-fault']") == "must not be empty", place
    assert f'href="{writing.path}/message#messages[0].email.subject"' in html
    writing.write("message", **dict.fromkeys(faulty, "{{ x | nope }}"))
    html = writing.page("message")
    for place in faulty:
        assert "there is no filter 'nope'" in text_of(html, f"[id='{place}-fault']")
    good = dict.fromkeys(faulty, "fine")
    writing.write("message", **good, **{f"{EMAIL}.headers[0].name": "Message-ID"})
    html = writing.page("message")
    assert "written by Segue" in text_of(html, "[id='messages[0].email.headers.Message-ID-fault']")
    assert any("Message-ID" in one for one in summary(html))


def test_what_was_typed_is_text_in_the_page(server: SegueServer, team: Team) -> None:
    evil = "</textarea><script>alert(1)</script>"
    writing = edited(
        server,
        team,
        {"email": {"subject": evil, "html": evil, "headers": {"X-A": evil}}},
        {"push": {"title": evil, "extra": {evil: evil}}},
        {"webhook": {"url": f"https://hook.test/{evil}", "body": {evil: evil}}},
    )
    for place in ("messages[0]", "messages[1]", "messages[2]"):
        html = team["author"].page(f"{writing.path}/message?preview.place={place}")
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html
    assert dict(writing.form("message"))[f"{EMAIL}.subject"] == evil


def test_a_viewer_may_look_and_not_write(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    viewer = team["viewer"]
    html = viewer.page(f"{writing.path}/message")
    assert "Preview" in text_of(html, "#preview")
    assert viewer.post(f"{writing.path}/preview").status_code == 403
    form = changed(writing.form("message"), {"edit": "vary"})
    assert viewer.send(f"{writing.path}/message", form).status_code == 403
    assert viewer.get(f"{writing.path}/frame").status_code == 200
