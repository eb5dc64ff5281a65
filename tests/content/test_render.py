import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from segue.clock import FixedClock
from segue.content.codes import CodeMaker
from segue.content.context import template_context
from segue.content.headers import SenderInvalidError
from segue.content.links import Origin, origin_of
from segue.content.liquid import LiquidAborted, LiquidError
from segue.content.render import AddressMissing, Renderer
from segue.content.short_links import Shortener
from segue.content.tokens import TokenKind, TokenSigner, Tracked, address_mark
from segue.model.campaigns import Campaign, Delivery, Trigger
from segue.model.channels import Channel
from segue.model.devices import RegisteredDevice
from segue.model.messages import (
    Button,
    ContentCard,
    Email,
    InAppMessage,
    MessageBody,
    Push,
    Sms,
    StoryPage,
    Webhook,
)
from segue.model.rendered import (
    Rendered,
    RenderedEmail,
    RenderedNote,
    RenderedPush,
    RenderedSms,
    RenderedWebhook,
)
from segue.model.state import TriggerContext

SIGNER = TokenSigner(b"a secret of thirty-two bytes ok!")
RENDERER = Renderer(
    "https://go.test", SIGNER, FixedClock(), default_from="Segue <no-reply@go.test>"
)
SEND_ID = "01900000-0000-7000-8000-000000000000"
CAMPAIGN = Campaign(
    slug="spring-sale", name="Spring", delivery=Delivery(triggers=[Trigger(event="x")])
)
TRIGGER = TriggerContext(name="added", time=0, event_id="e", properties={"sku": "a b"})
ADDRESS = "ann@user.test"
ORIGIN = Origin(SEND_ID, "u1", "spring-sale", "A")
PHONE = RegisteredDevice("phone", "android", "token")


def render(channel: Channel, body: MessageBody, **attributes: Any) -> Rendered:
    context = template_context("u1", attributes, CAMPAIGN, "c1", "A", TRIGGER, SEND_ID)
    return RENDERER.render(channel, body, attributes, context, ORIGIN, [PHONE])


def email(
    subject: str = "Hi", *, profile: dict[str, Any] | None = None, **parts: Any
) -> RenderedEmail:
    profile = {"email": ADDRESS} | (profile or {})
    rendered = render("email", Email(subject=subject, **parts), **profile)
    assert isinstance(rendered, RenderedEmail)
    return rendered


def webhook(profile: dict[str, Any] | None = None, **parts: Any) -> RenderedWebhook:
    rendered = render("webhook", Webhook(**parts), **(profile or {}))
    assert isinstance(rendered, RenderedWebhook)
    return rendered


def test_an_email_is_filled_in_everywhere() -> None:
    made = email(
        "For {{ first_name }}",
        from_="{{ shop }} <hi@shop.test>",
        reply_to="help+{{ user_id }}@shop.test",
        preheader="Look, {{ first_name }}",
        html="<p>Hi {{ first_name }}</p>",
        text="Hi {{ first_name }}",
        headers={"X-Tier": "{{ tier | default: 'none' }}"},
        profile={"first_name": "Ann", "shop": "Shop"},
    )
    assert (made.to, made.from_) == (ADDRESS, "Shop <hi@shop.test>")
    assert (made.subject, made.reply_to) == ("For Ann", "help+u1@shop.test")
    assert made.text == "Hi Ann"
    assert made.html is not None
    assert "Look, Ann</div><p>Hi Ann</p>" in made.html
    assert made.headers["X-Tier"] == "none"
    assert (made.send_id, made.user_id, made.campaign) == (SEND_ID, "u1", "spring-sale")


def test_a_first_name_of_script_is_text_in_the_html_body() -> None:
    made = email(
        "{{ first_name }}",
        html="<p>{{ first_name }}</p>",
        preheader="{{ first_name }}",
        profile={"first_name": "<script>"},
    )
    assert made.html is not None
    assert "<script" not in made.html
    assert made.html.count("&lt;script&gt;") == 2
    assert made.text == "<script>"
    assert made.subject == "<script>"


def test_links_are_tracked_and_the_pixel_is_there() -> None:
    made = email(html='<a href="https://shop.test/{{ event_properties.sku | url_encode }}">x</a>')
    assert made.html is not None
    click = SIGNER.read(made.html.split("/t/c/")[1].split('"')[0], "click")
    assert click is not None
    assert (click.link, click.alias, click.send_id) == ("https://shop.test/a+b", "link-1", SEND_ID)
    assert "/t/o/" in made.html


def test_tracking_can_be_switched_off() -> None:
    html = '<a href="https://shop.test">x</a>'
    made = email(html=html, track_clicks=False, track_opens=False)
    assert made.html == f"<html><head></head><body>{html}</body></html>"


def test_what_the_provider_counts_the_mail_does_not_tell_itself() -> None:
    html = '<a href="https://shop.test" data-alias="cta">x</a>'
    plain = '<html><head></head><body><a href="https://shop.test">x</a></body></html>'
    renderer = Renderer(
        "https://go.test", SIGNER, FixedClock(), "hi@go.test", is_counted_by_provider=True
    )
    for more, reported in (
        ({}, ("open", "click")),
        ({"track_clicks": False}, ("open",)),
        ({"track_opens": False}, ("click",)),
        ({"track_opens": False, "track_clicks": False}, ()),
    ):
        body = Email(subject="Hi", html=html, **more)
        made = renderer.render("email", body, {"email": ADDRESS}, {}, ORIGIN)
        assert isinstance(made, RenderedEmail)
        assert made.html == plain
        token = made.headers["Message-ID"].strip("<>").partition("@")[0]
        tracked = SIGNER.read(token, "report")
        assert tracked is not None
        assert tracked.reported == reported


def test_the_alias_of_a_link_is_for_us_alone_also_where_clicks_are_not_tracked() -> None:
    made = email(html='<a href="https://shop.test" data-alias="cta">x</a>', track_clicks=False)
    assert made.html is not None
    assert '<a href="https://shop.test">x</a>' in made.html


def test_an_email_without_text_gets_one_from_its_html() -> None:
    assert (
        email(html='<p>Hi</p><a href="https://a.test">Go</a>').text == "Hi\n\nGo (https://a.test)"
    )


def test_an_email_of_text_alone_has_its_links_as_they_are() -> None:
    made = email(text="Go to https://a.test & {{ x }}", profile={"x": "<b>"})
    assert made.html is None
    assert made.text == "Go to https://a.test & <b>"


def test_styles_are_moved_into_elements_unless_the_author_says_no() -> None:
    html = "<style>p{color:red}</style><p>x</p>"
    assert '<p style="color: red;">' in (email(html=html).html or "")
    assert "<p>" in (email(html=html, inline_css=False).html or "")


def render_with_an_unsubscribe_address(user_id: str = "u1") -> RenderedEmail:
    renderer = Renderer(
        "https://go.test",
        SIGNER,
        FixedClock(),
        default_from="Segue <no-reply@go.test>",
        unsubscribe_address="bye@go.test",
    )
    origin = Origin(SEND_ID, user_id, "spring-sale", "A")
    attributes = {"email": ADDRESS}
    context = template_context(user_id, attributes, CAMPAIGN, "c1", "A", TRIGGER, SEND_ID)
    made = renderer.render("email", Email(subject="Hi", text="Hi"), attributes, context, origin)
    assert isinstance(made, RenderedEmail)
    return made


def test_a_mail_can_be_answered_to_unsubscribe_where_there_is_an_address_for_it() -> None:
    made = render_with_an_unsubscribe_address()
    page, mail = made.headers["List-Unsubscribe"].split(", ")
    assert page.startswith("<https://go.test/t/u/")
    address, _, subject = mail.partition("?subject=")
    assert address == "<mailto:bye@go.test"
    token = subject.removeprefix("unsubscribe:").rstrip(">")
    assert SIGNER.read(token, "report") is not None
    assert made.headers["Message-ID"].startswith(f"<{token}@")


def test_an_unsubscribe_header_that_would_be_folded_has_the_page_alone() -> None:
    header = render_with_an_unsubscribe_address("u" * 255).headers["List-Unsubscribe"]
    assert "mailto:" not in header
    assert len(header) < 900


def test_one_click_unsubscribing_follows_rfc_8058() -> None:
    made = email(
        html="<a href='{{ unsubscribe_url }}'>a</a>"
        "<a href='{{${set_user_to_unsubscribed_url}}}'>b</a>",
        headers={"List-Unsubscribe": "<https://evil.test>", "list-unsubscribe-post": "no"},
    )
    url = made.headers["List-Unsubscribe"].strip("<>")
    assert url.startswith("https://go.test/t/u/")
    assert SIGNER.read(url.rpartition("/")[2], "unsubscribe") is not None
    assert made.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "list-unsubscribe-post" not in made.headers
    assert made.html is not None
    assert made.html.count(f'href="{url}"') == 2


def link_in(made: RenderedEmail, name: str) -> Tracked | None:
    """Return what the email's link of this class stands for."""
    found = re.search(rf'class="{name}" href="https://go.test/t/[up]/([^"]+)"', made.html or "")
    assert found is not None
    kind: TokenKind = "preferences" if name == "preferences" else "unsubscribe"
    return SIGNER.read(found[1], kind)


UNSUBSCRIBING = (
    '<a class="own" href="{{ unsubscribe_url }}">a</a>'
    '<a class="global" href="{{ set_user_to_unsubscribed_url }}">b</a>'
    '<a class="preferences" href="{{ preferences_url }}">c</a>'
)


@pytest.mark.parametrize(
    ("campaign", "mode", "group", "has_header"),
    [
        ({}, None, None, True),
        ({"subscription_group": "news"}, None, "news", True),
        ({"subscription_group": "news"}, "all", None, True),
        ({"subscription_group": "news"}, "none", None, False),
        ({"subscription": "all"}, None, None, False),
        ({"subscription": "all"}, "all", None, True),
        ({"subscription": "opted_in"}, None, None, True),
    ],
)
def test_an_unsubscribe_ends_what_email_or_campaign_say(
    campaign: dict[str, Any], mode: Any, group: str | None, has_header: bool
) -> None:
    document = replace(CAMPAIGN, **campaign)
    origin = origin_of(SEND_ID, "u1", document, "A")
    body = Email(subject="Hi", html=UNSUBSCRIBING, unsubscribe=mode)
    context = template_context("u1", {}, document, "c1", "A", TRIGGER, SEND_ID)
    made = RENDERER.render("email", body, {"email": ADDRESS}, context, origin)
    assert isinstance(made, RenderedEmail)
    own, everything, page = (link_in(made, one) for one in ("own", "global", "preferences"))
    assert own is not None
    assert everything is not None
    assert page is not None
    assert (own.group, everything.group, page.group) == (group, None, None)
    assert (page.kind, page.user_id, page.campaign) == ("preferences", "u1", "spring-sale")
    assert ("List-Unsubscribe" in made.headers) == has_header
    assert ("List-Unsubscribe-Post" in made.headers) == has_header
    if has_header:
        token = made.headers["List-Unsubscribe"].strip("<>").rpartition("/")[2]
        assert SIGNER.read(token, "unsubscribe") == own


def test_messages_of_every_channel_can_lead_to_the_preferences() -> None:
    text = render("sms", Sms(body="{{ preferences_url }}"), phone="+32470123456")
    note = render("push", Push(title="Hi", deep_link="{{ preferences_url }}"))
    card = render("content_card", ContentCard(title="Hi", link="{{ preferences_url }}"))
    hook = render("webhook", Webhook(url="https://a.test", body="{{ preferences_url }}"))
    assert isinstance(text, RenderedSms)
    assert isinstance(note, RenderedPush)
    assert isinstance(card, RenderedNote)
    assert isinstance(hook, RenderedWebhook)
    links = (text.body, note.deep_link, card.content["link"], (hook.body or b"").decode())
    for link, channel in zip(links, ("sms", "push", "content_card", "webhook"), strict=True):
        tracked = SIGNER.read(str(link).removeprefix("https://go.test/t/p/"), "preferences")
        assert tracked is not None
        assert (tracked.user_id, tracked.channel) == ("u1", channel)


def test_the_message_id_names_the_message_and_is_the_same_at_every_try() -> None:
    first, second = email(text="a"), email(text="a", from_="x@shop.test")
    token, _, domain = first.headers["Message-ID"].strip("<>").partition("@")
    assert SIGNER.read(token, "report") == Tracked(
        "report", "u1", "spring-sale", "A", SEND_ID, "email", address=address_mark(ADDRESS)
    )
    assert domain == "go.test"
    assert second.headers["Message-ID"] == f"<{token}@shop.test>"
    assert email(text="a").headers == first.headers
    assert first.headers["X-Segue-Send-Id"] == SEND_ID
    assert first.headers["Feedback-ID"] == "spring-sale:A:email:segue"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\0"])
def test_no_value_can_start_a_header_of_its_own(end: str) -> None:
    evil = f"x{end}Bcc: all@user.test{end}{end}body"
    made = email(
        "{{ evil }}",
        text="x",
        from_="{{ evil }} <a@shop.test>",
        reply_to="{{ evil }} <a@shop.test>",
        headers={"X-A": "{{ evil }}", f"X-B{end}Bcc": "x", "Bcc": "x", "to": "x"},
        profile={"evil": evil},
    )
    lines = [made.subject, made.from_, made.reply_to or "", *made.headers, *made.headers.values()]
    assert all(len(line.splitlines()) == 1 and "\0" not in line for line in lines)
    assert {name.lower() for name in made.headers}.isdisjoint({"bcc", "to"})


def test_a_name_cannot_become_a_second_sender() -> None:
    made = email(text="x", from_="{{ n }} <a@shop.test>", profile={"n": 'Evil, b@evil.test, "C'})
    assert made.from_ == '"Evil, b@evil.test, C" <a@shop.test>'
    with pytest.raises(SenderInvalidError):
        email(text="x", from_="{{ n }} <a@shop.test>", profile={"n": "E <b@evil.test>"})


def test_without_any_from_address_an_email_is_not_made() -> None:
    renderer = Renderer("https://go.test", SIGNER, FixedClock())
    origin = Origin(SEND_ID, "u1", "spring-sale", "A")
    with pytest.raises(SenderInvalidError, match="neither the message nor the settings"):
        renderer.render("email", Email(subject="x", text="x"), {"email": ADDRESS}, {}, origin)


@pytest.mark.parametrize(
    "address", [ADDRESS, " ann@user.test ", "a.b+c@müller.example", "u@localhost"]
)
def test_usable_addresses_are_used(address: str) -> None:
    assert email(text="x", profile={"email": address}).to == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        7,
        ["ann@user.test"],
        "ann",
        "ann@",
        "@user.test",
        "a@b@c.test",
        "a@user.test,b@user.test",
        "a@user.test;b@user.test",
        "a@user.test\n",
        "a@user.test\r\nBcc: b@user.test",
        "Ann <a@user.test>",
        "a b@user.test",
        '"a"@user.test',
        "a@user..test",
        "a@-user.test",
        "a" * 65 + "@user.test",
        "a@" + "u" * 320,
    ],
)
def test_a_profile_without_a_usable_address_gets_no_email(address: object) -> None:
    with pytest.raises(AddressMissing):
        email(text="x", profile={"email": address})


def test_a_template_can_stop_the_message_from_any_part() -> None:
    with pytest.raises(LiquidAborted, match="enough"):
        email("{% abort_message('enough') %}", text="x")


def test_an_error_names_the_part() -> None:
    with pytest.raises(LiquidError, match=r"^email\.headers\.X-A, line 1: "):
        email(text="x", headers={"X-A": "{{ 1 | divided_by: 0 }}"})
    with pytest.raises(LiquidError, match=r"^push\.buttons\[0\]\.text, line 1: "):
        render("push", Push(title="x", buttons=[Button(id="a", text="{{ x | nope }}")]))


def test_html_that_no_parser_should_see_is_an_error_of_the_template() -> None:
    with pytest.raises(LiquidError, match=r"^email\.html: "):
        email(html="<div>" * 60_000)


def test_a_webhooks_object_is_filled_in_and_sent_as_json() -> None:
    made = webhook(
        profile={"name": 'An "n"', "n": 3},
        url="https://hook.test/{{ user_id }}",
        method="PUT",
        headers={"X-Key": "{{ name }}", "Bad\nName": "x"},
        body={"name": "{{ name }}", "list": ["{{ n }}", 1, None, {"deep": "{{ n }}!"}]},
    )
    assert (made.url, made.method) == ("https://hook.test/u1", "PUT")
    assert made.headers == {"X-Key": 'An "n"', "Content-Type": "application/json"}
    assert made.body is not None
    assert json.loads(made.body) == {"name": 'An "n"', "list": ["3", 1, None, {"deep": "3!"}]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"a": 1}', "application/json"),
        ("[1]", "application/json"),
        ("a=1", "text/plain; charset=utf-8"),
    ],
)
def test_a_webhooks_text_is_sent_as_it_is(body: str, kind: str) -> None:
    made = webhook(url="https://hook.test", body=body)
    assert made.body == body.encode()
    assert made.headers == {"Content-Type": kind}


def test_a_webhook_keeps_its_authors_content_type() -> None:
    made = webhook(url="https://hook.test", body="a=1", headers={"content-type": "x/y"})
    assert made.headers == {"content-type": "x/y"}


def test_a_webhook_without_a_body_has_no_content_type() -> None:
    made = webhook(url="https://hook.test", method="GET")
    assert (made.body, made.headers) == (None, {})


@pytest.mark.parametrize(
    "url", ["ftp://a.test", "{{ nobody }}", "https://a.test/\r\nX: y", "/local"]
)
def test_a_webhook_goes_to_a_web_url_only(url: str) -> None:
    with pytest.raises(LiquidError, match=r"webhook\.url"):
        webhook(url=url)


def test_a_push_is_filled_in_all_the_way_down_and_what_came_out_empty_is_left_out() -> None:
    body = Push(
        title="{{ n }}",
        body=" {{ nobody }} ",
        deep_link="{{ nobody }}",
        image_url="https://a.test/{{ n }}",
        buttons=[Button(id="a", text="{{ n }}"), Button(id="b", text="B", link="shop://{{ n }}")],
        pages=[StoryPage(id="p", image_url="{{ n }}", title="{{ nobody }}", body="{{ n }}")],
        extra={"k": "{{ n }}"},
    )
    made = render("push", body, n="<Ann>")
    assert made == RenderedPush(
        SEND_ID,
        "u1",
        "spring-sale",
        "A",
        [PHONE],
        "<Ann>",
        image_url="https://a.test/<Ann>",
        buttons=[Button("a", "<Ann>"), Button("b", "B", "shop://<Ann>")],
        pages=[StoryPage("p", "<Ann>", body="<Ann>")],
        extra={"k": "<Ann>"},
        token=SIGNER.sign(Tracked("report", "u1", "spring-sale", "A", SEND_ID, "push")),
    )


def test_a_text_message_is_filled_in_and_goes_to_the_users_number() -> None:
    body = Sms(
        body="Hi {{ n }} ",
        from_="{{ n }}",
        media_urls=["https://a.test/{{ n }}", "{{ nobody }}", "ftp://a.test"],
    )
    made = render("sms", body, n="Ann", phone="+32 (470) 12-34.56")
    assert made == RenderedSms(
        SEND_ID,
        "u1",
        "spring-sale",
        "+32470123456",
        "Hi Ann",
        "Ann",
        ["https://a.test/Ann"],
        "A",
        token=SIGNER.sign(Tracked("report", "u1", "spring-sale", "A", SEND_ID, "sms")),
    )


@pytest.mark.parametrize(
    "phone",
    [
        None,
        "",
        "0470 12 34 56",
        "32470123456",
        "+0470123456",
        "+32",
        "+1" * 30,
        32470123456,
        "+32٤٧٠١٢٣",
    ],
)
def test_without_a_number_with_its_country_code_there_is_no_text_message(phone: object) -> None:
    with pytest.raises(AddressMissing, match=r"phone attribute|country code"):
        render("sms", Sms(body="Hi"), phone=phone)


def test_without_a_device_there_is_no_push() -> None:
    with pytest.raises(AddressMissing, match="no device"):
        RENDERER.render("push", Push(title="Hi"), {}, {}, ORIGIN)


@pytest.mark.parametrize(
    ("channel", "body", "part"),
    [
        ("push", Push(title="{{ nobody }}"), r"push\.title"),
        ("sms", Sms(body="{{ nobody }}"), r"sms\.body"),
    ],
)
def test_a_message_that_came_out_empty_is_not_sent(
    channel: Channel, body: MessageBody, part: str
) -> None:
    with pytest.raises(LiquidError, match=part):
        render(channel, body, phone="+32470123456")


def test_links_of_a_text_are_shortened_once_they_are_filled_in_unless_it_says_otherwise() -> None:
    shortener = Shortener("https://s.test", CodeMaker(b"a secret of thirty-two bytes ok!"))
    renderer = Renderer("https://go.test", SIGNER, FixedClock(), shortener=shortener)
    context = template_context("u1", {"n": "Ann"}, CAMPAIGN, "c1", "A", TRIGGER, SEND_ID)
    profile = {"phone": "+32470123456"}
    made = {}
    for shorten_links in (True, False):
        for filling in (renderer, renderer.for_previews()):
            body = Sms(
                body="Hi {{ n }}, see {{ 'https://a.test/' | append: n }}.",
                media_urls=["https://a.test/picture.png"],
                shorten_links=shorten_links,
            )
            sms = filling.render("sms", body, profile, context, ORIGIN)
            assert isinstance(sms, RenderedSms)
            assert sms.media_urls == ["https://a.test/picture.png"]
            made[shorten_links, filling is renderer] = (
                sms.body,
                [(one.alias, one.link) for one in sms.short_links],
            )
    assert made[False, True] == made[False, False] == ("Hi Ann, see https://a.test/Ann.", [])
    text, links = made[True, True]
    assert re.fullmatch(r"Hi Ann, see https://s\.test/s/\w{8}\.", text)
    assert links == [("link-1", "https://a.test/Ann")]
    assert made[True, False] == ("Hi Ann, see https://s.test/s/00000001.", links)


def test_in_app_messages_and_cards_are_filled_in() -> None:
    bodies: list[tuple[Channel, MessageBody]] = [
        ("in_app_message", InAppMessage(body="{{ n }}")),
        ("content_card", ContentCard(title="{{ n }}", pinned=True)),
    ]
    contents = {}
    for channel, body in bodies:
        made = render(channel, body, n="<Ann>")
        assert isinstance(made, RenderedNote)
        assert made.channel == channel
        contents[channel] = made.content
    assert contents == {
        "in_app_message": {"body": "<Ann>"},
        "content_card": {"title": "<Ann>", "pinned": True},
    }
