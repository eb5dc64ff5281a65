"""The previews beside the composer's first step: as whom, what is doubtful, and their frames."""

from typing import Any
from urllib.parse import urlencode

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.support.composing import Writing, campaign, text_of
from tests.support.forms import changed
from tests.support.members import Team
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

HTMX = {"HX-Request": "true"}
HTML = (
    "<html><head><title>x</title></head><body><h1>Hi {{ first_name | default: 'you' }}</h1>"
    '<a href="https://shop.test/sale" data-alias="cta">Sale</a> <a href="https://shop.test/b">B</a>'
    ' <a href="{{ unsubscribe_url }}">Stop</a><script>alert(1)</script></body></html>'
)
EMAIL = {"from": "Shop <hi@shop.test>", "subject": "Hi {{ first_name }}", "html": HTML}


@pytest.fixture(scope="module", autouse=True)
def users(server: SegueServer) -> None:
    for number in range(8):
        known = {"first_name": f"Name {number}"} if number % 4 else {}
        server.user(f"user-{number}", email=f"u{number}@shop.test", plan="gold", **known)
    server.user("user-7", test_user=True)


def edited(server: SegueServer, team: Team, *messages: dict[str, Any]) -> Writing:
    slug = campaign(server, "seen", messages=list(messages))
    return Writing(team["author"], begin="edit", campaign=slug)


def look(writing: Writing, **settings: str) -> str:
    """Return the step with its preview as these settings have it."""
    query = urlencode({f"preview.{name}": value for name, value in settings.items()})
    return writing.member.page(f"{writing.path}/message?{query}")


def notes(html: str) -> dict[str, str]:
    """Return what there is to look at: words by the field that they lead to."""
    found = LexborHTMLParser(html).css(".notes li")
    return {
        (one.css_first("a").attributes["href"] or "").lstrip("#"): " ".join(one.text().split())
        for one in found
    }


def frame_of(html: str) -> str:
    frame = LexborHTMLParser(html).css_first("#preview iframe")
    assert frame is not None
    assert frame.attributes["sandbox"] == ""
    return frame.attributes["src"] or ""


# As whom


def test_a_message_is_shown_as_the_user_who_was_chosen(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": EMAIL})
    html = look(writing, whose="chosen", user="user-1")
    assert text_of(html, "#preview-subject") == "Hi Name 1"
    assert "u1@shop.test" in text_of(html, ".mail-head")
    frame = team["author"].get(frame_of(html))
    assert "Hi Name 1" in frame.text


def test_a_random_user_is_one_of_the_known_and_another_on_demand(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"email": EMAIL})
    seen = {text_of(look(writing, seed=str(seed)), ".as-whom b") for seed in range(3)}
    assert len(seen) == 3
    assert all(one.startswith("user-") for one in seen)


def test_a_made_up_user_has_the_attributes_and_the_event_that_were_typed(
    server: SegueServer, team: Team
) -> None:
    body = "{{ first_name }} {{ event_properties.item }} {{ trigger_properties.item }}"
    writing = edited(server, team, {"sms": {"body": body}})
    html = look(
        writing, whose="made_up", attributes='{"first_name": "Zoë"}', properties='{"item": 7}'
    )
    assert "Zoë 7 7" in team["author"].get(frame_of(html)).text
    overlaid = look(writing, whose="chosen", user="user-1", attributes='{"first_name": "Zoë"}')
    assert "Zoë" in team["author"].get(frame_of(overlaid)).text


@pytest.mark.parametrize(
    ("settings", "field", "told"),
    [
        ({"whose": "chosen", "user": "nobody<b>"}, "user", "There is no user 'nobody<b>'"),
        ({"attributes": "{"}, "attributes", "Is not used"),
        ({"properties": "[1]"}, "properties", "Is not used"),
        ({"attributes": '{"a": "' + "x" * 4_000 + '"}'}, "attributes", "at most 4,000"),
        ({"seed": "9" * 500}, "", ""),
    ],
)
def test_settings_that_make_no_sense_say_so_and_the_message_is_shown_anyway(
    settings: dict[str, str], field: str, told: str, server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"email": EMAIL})
    html = look(writing, **settings)
    assert text_of(html, "#preview-subject").startswith("Hi")
    if field:
        assert told in text_of(html, f"[id='preview.{field}-fault']")


def test_who_would_get_none_is_told_of_and_it_can_be_looked_at(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"push": {"title": "Hi {{ user_id }}", "body": "x"}})
    html = look(writing, whose="chosen", user="user-1")
    assert "no device that takes push" in notes(html)["messages[0].push"]
    assert "Hi user-1" in team["author"].get(frame_of(html)).text


# What is doubtful


def test_liquid_is_told_of_at_the_character_with_the_nearest_name(
    server: SegueServer, team: Team
) -> None:
    email = {**EMAIL, "subject": "Hi {{ first_nme }}"}
    writing = edited(server, team, {"email": email})
    html = look(writing)
    told = notes(html)["messages[0].email.subject"]
    assert told.startswith("Subject, character 7: no attribute first_nme in all 8 profiles")
    assert "nearest: first_name" in told


def test_an_attribute_that_is_empty_in_some_asks_for_a_default(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"email": EMAIL})
    told = notes(look(writing))
    expected = "in 25 % of profiles first_name is empty: add | default: 'there'"
    assert told == {"messages[0].email.subject": f"Subject, character 7: {expected}"}


def test_a_broken_template_is_told_of_with_its_line(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": EMAIL})
    writing.write("message", **{"messages[0].email.html": "<p>\n  {{ plan | nope }}</p>"})
    told = notes(look(writing))["messages[0].email.html"]
    assert told == "HTML, line 2, character 13: there is no filter 'nope'"


def test_a_blank_subject_a_long_body_and_no_way_out_are_told_of(
    server: SegueServer, team: Team
) -> None:
    email = {"from": "a@shop.test", "subject": " ", "html": f"<p>{'x' * 110_000}</p>"}
    writing = edited(server, team, {"email": email})
    told = notes(look(writing))
    assert "is blank" in told["messages[0].email.subject"]
    assert "over 102 kB" in told["messages[0].email.html"]
    assert "no unsubscribe link" in told["messages[0].email"]


def test_an_email_without_a_sender_can_be_looked_at_meanwhile(team: Team) -> None:
    writing = Writing(team["author"])
    writing.write("message", **{"messages[0].email.subject": "Hi", "messages[0].email.text": "T"})
    html = look(writing)
    assert "no usable From address" in notes(html)["messages[0].email.from"]
    assert text_of(html, "#preview-subject") == "Hi"


def test_a_text_says_what_it_takes_with_its_links_as_they_are_sent(
    server: SegueServer, team: Team
) -> None:
    long = "https://shop.test/" + "x" * 300
    writing = edited(server, team, {"sms": {"body": f"Hi {long}"}})
    assert "1 message of GSM-7" in text_of(look(writing), "#preview-segments")
    writing.write("message", **{"messages[0].sms.body": f"Hi {long} 🎉"})
    assert "1 message of UCS-2" in text_of(look(writing), "#preview-segments")
    form = [pair for pair in writing.form("message") if "shorten_links" not in pair[0]]
    team["author"].send(f"{writing.path}/message", [*form, ("go", "save")])
    assert "5 messages of UCS-2: 324" in text_of(look(writing), "#preview-segments")


def test_links_are_listed_with_their_aliases_and_followers(server: SegueServer, team: Team) -> None:
    slug = campaign(server, "seen", messages=[{"email": EMAIL}])
    triggers = [
        {"interact_with_campaign": {"campaign": slug, "interaction": "alias_click", "alias": alias}}
        for alias in ("cta", "gone")
    ]
    campaign(server, "follower", delivery={"triggers": triggers})
    html = look(Writing(team["author"], begin="edit", campaign=slug))
    rows = [
        [cell.text(strip=True) for cell in row.css("td")]
        for row in LexborHTMLParser(html).css(".links tbody tr")
    ]
    assert [row[:2] for row in rows] == [
        ["cta", "https://shop.test/sale"],
        ["link-2", "https://shop.test/b"],
    ]
    assert rows[0][2].startswith("Follower")
    assert rows[1][2] == "no campaign"
    told = notes(html)["messages[0].email.html"]
    assert "follows clicks on the link gone" in told


def test_the_reference_has_the_attributes_that_users_have(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": EMAIL})
    said = text_of(look(writing), "#liquid-reference")
    assert "{{ plan }} never empty" in said
    assert "{{ first_name }} empty in 25 %" in said
    for name in ("{{ trigger.alias }}", "{{ campaign.name }}", "{{ preferences_url }}", "| upcase"):
        assert name in said


# Frames


def test_an_email_stands_in_a_frame_that_can_do_nothing(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": EMAIL})
    answer = team["author"].get(frame_of(look(writing, whose="chosen", user="user-1")))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["cache-control"] == "no-store"
    tree = LexborHTMLParser(answer.text)
    assert [one.attributes["href"] for one in tree.css("a")] == ["#", "#", "#"]
    assert tree.css("a")[0].attributes["title"] == "https://shop.test/sale"
    assert "/t/o/" not in answer.text  # who looks at it has opened nothing


def test_no_preview_tells_a_link_that_acts_for_its_user(server: SegueServer, team: Team) -> None:
    email = {**EMAIL, "text": "Stop: {{ unsubscribe_url }} {{ preferences_url }}"}
    writing = edited(server, team, {"email": email})
    html = look(writing, whose="chosen", user="user-1")
    assert "/t/u/…" in html
    for text in (html, team["author"].get(frame_of(html)).text):
        assert not [one for one in text.replace('"', " ").split() if "/t/" in one and len(one) > 60]


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_an_email_is_shown_on_both_grounds_with_its_own_colours(
    ground: str, server: SegueServer, team: Team
) -> None:
    dark = "@media screen and (prefers-color-scheme: dark) { h1 { color: white } }"
    own = f"<style>h1 {{ color: red }} {dark}</style>"
    html = HTML.replace("<title>", own + "<title>")
    writing = edited(server, team, {"email": {**EMAIL, "html": html, "inline_css": False}})
    frame = team["author"].get(frame_of(look(writing, ground=ground))).text
    scheme = frame.index(f"color-scheme: {ground}")
    assert scheme < frame.index("h1 { color: red }")
    assert f"({'min' if ground == 'dark' else 'max'}-width: 0) {{ h1 {{ color: white }} }}" in frame


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"push": {"title": "<i>T", "body": "B", "buttons": [{"id": "a", "text": "Go"}]}}, ["Go"]),
        (
            {"push": {"title": "T", "pages": [{"id": "a", "image_url": "https://x.test/1.png"}]}},
            ["1.png"],
        ),
        ({"sms": {"body": "<i>T", "media_urls": ["https://x.test/2.png"]}}, ["2.png"]),
        ({"in_app_message": {"body": "<i>T", "style": "slide_up"}}, ['data-style="slide_up"']),
        (
            {"content_card": {"title": "<i>T", "pinned": True, "link": "https://x.test"}},
            ["Pinned", "https://x.test"],
        ),
    ],
)
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_what_goes_to_phones_is_shown_on_one(
    message: dict[str, Any], parts: list[str], ground: str, server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, message)
    answer = team["author"].get(frame_of(look(writing, ground=ground)))
    assert f'data-ground="{ground}"' in answer.text
    assert "<i>T" not in answer.text
    assert [one for one in parts if one not in answer.text] == []
    assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_a_webhook_is_shown_as_the_request(server: SegueServer, team: Team) -> None:
    webhook = {
        "url": "https://hook.test/{{ user_id }}",
        "headers": {"X-A": "1"},
        "body": {"a": "{{ plan }}"},
    }
    writing = edited(server, team, {"webhook": webhook})
    html = look(writing, whose="chosen", user="user-2")
    said = text_of(html, "#preview-shown pre")
    assert said.startswith("POST https://hook.test/user-2 X-A: 1")
    assert said.endswith('{"a":"gold"}')


# Refreshing


def test_without_a_script_a_button_keeps_what_was_typed_and_shows_it(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}}, {"email": EMAIL})
    typed = {
        "messages[1].email.subject": "Typed",
        "preview.place": "messages[1]",
        "preview.ground": "dark",
        "preview.attributes": '{"plan": "x"}',
    }
    answer = team["author"].send(f"{writing.path}/preview", changed(writing.form("message"), typed))
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert place.endswith("#preview")
    html = team["author"].page(place.partition("#")[0])
    assert text_of(html, "#preview-subject") == "Typed"
    assert text_of(html, "[id='preview.attributes']").strip() == '{"plan": "x"}'
    assert "preview.ground=dark" in frame_of(html)


def test_a_script_gets_the_preview_alone_and_what_was_typed_is_kept(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"email": EMAIL})
    form = changed(writing.form("message"), {"messages[0].email.subject": "Typed"})
    before = frame_of(look(writing))
    answer = team["author"].send(f"{writing.path}/preview", form, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert text_of(answer.text, "#preview-subject") == "Typed"
    assert dict(writing.form("message"))["messages[0].email.subject"] == "Typed"
    assert frame_of(f'<div id="preview">{answer.text}</div>') != before


def test_a_campaign_without_messages_says_what_to_do(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    writing.press("message", "remove messages[0]")
    assert "There is no message yet" in text_of(look(writing), "#preview-shown")
    assert "nothing to show" in team["author"].get(f"{writing.path}/frame").text


# On a phone


def test_a_draft_can_be_sent_to_a_test_users_phone(server: SegueServer, team: Team) -> None:
    long = "https://shop.test/" + "x" * 100
    writing = edited(server, team, {"email": EMAIL}, {"sms": {"body": f"Hi {{{{ plan }}}} {long}"}})
    html = look(writing, whose="chosen", user="user-1")
    assert "Send to the phone" not in html
    assert "preview it as user-7" in text_of(html, "#preview-shown")
    settings = {"preview.whose": "chosen", "preview.user": "user-7", "preview.place": "messages[1]"}
    html = look(writing, whose="chosen", user="user-7", place="messages[1]")
    assert "Send to the phone of user-7" in html
    typed = {"messages[0].email.subject": "Typed {{ first_name }}", **settings}
    for place in ("messages[0]", "messages[1]"):
        form = changed(writing.form("message"), {**typed, "send": place})
        answer = team["author"].send(f"{writing.path}/test-send", form)
        assert "virtual phone of user-7" in team["author"].page(answer.headers["location"])
    text, mail = server.api.get("/api/v1/phones/user-7/messages").json()["data"]
    assert mail["content"]["subject"] == "Typed Name 7"
    assert text["content"]["body"].startswith("Hi gold http")
    click = next(one for one in text["actions"] if one["act"] == "sms_short_link_click")
    followed = team["author"].get(click["url"])
    assert followed.headers["location"] == long
    timeline = str(server.timeline("user-7"))
    assert "triggered" not in timeline


def test_no_test_goes_to_who_has_no_phone(server: SegueServer, team: Team) -> None:
    writing = edited(server, team, {"email": EMAIL})
    settings = {"preview.whose": "chosen", "preview.user": "user-1", "send": "messages[0]"}
    form = changed(writing.form("message"), settings)
    answer = team["author"].send(f"{writing.path}/test-send", form)
    said = team["author"].page(answer.headers["location"])
    assert "No test was sent" in text_of(said, ".flash")
    assert "test_user" in text_of(said, ".flash")
    assert team["viewer"].post(f"{writing.path}/test-send").status_code == 403


def test_a_message_that_cannot_be_filled_in_is_not_sent_as_a_test(
    server: SegueServer, team: Team
) -> None:
    writing = edited(server, team, {"sms": {"body": "Hi"}})
    settings = {
        "preview.whose": "chosen",
        "preview.user": "user-7",
        "send": "messages[0]",
        "messages[0].sms.body": "{{ plan | nope }}",
    }
    form = changed(writing.form("message"), settings)
    answer = team["author"].send(f"{writing.path}/test-send", form)
    said = team["author"].page(answer.headers["location"])
    assert "there is no filter 'nope'" in text_of(said, ".flash")
