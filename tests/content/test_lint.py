from typing import Any

from msgspec.structs import replace

from segue.content.lint import errors_in, warnings_in
from segue.model.campaigns import Campaign, Delivery, Trigger, Variant
from segue.model.messages import Email, Message, Push, Sms, Webhook

LINK = "<a href='{{ unsubscribe_url }}'>Stop</a>"


def campaign(*messages: Message, **more: Any) -> Campaign:
    delivery = Delivery(triggers=[Trigger(event="x")])
    return Campaign(slug="a", name="A", delivery=delivery, messages=list(messages), **more)


def email(**parts: Any) -> Campaign:
    return campaign(Message(email=Email(subject="x", **parts)))


def errors(subject: Campaign) -> dict[str, str]:
    return {problem.path: problem.message for problem in errors_in(subject)}


def warnings(subject: Campaign) -> dict[str, str]:
    return {problem.path: problem.message for problem in warnings_in(subject)}


def test_a_sound_campaign_has_neither_errors_nor_warnings() -> None:
    sound = email(
        from_="Shop <hi@shop.test>",
        html=f"<p>Hi {{{{ first_name }}}}, {{{{ campaign.name }}}}</p>{LINK}",
    )
    assert errors(sound) == {}
    assert warnings(sound) == {}


def test_a_fault_is_shown_with_its_path_and_line() -> None:
    faulty = campaign(
        variants=[
            Variant(name="A", percent=50, messages=[Message(sms=Sms(body="ok"))]),
            Variant(
                name="B",
                percent=50,
                messages=[
                    Message(sms=Sms(body="ok")),
                    Message(webhook=Webhook(url="https://a.test", body={"a": ["x", "\n{{ y"]})),
                ],
            ),
        ]
    )
    assert errors(faulty) == {
        "variants[1].messages[1].webhook.body.a[1]": "line 2: this {{ is never closed by }}"
    }


def test_every_fault_of_a_template_is_shown() -> None:
    assert len(errors_in(email(html="{{ a | nope }}{{ b | neither }}"))) == 2


def test_an_email_needs_html_or_text() -> None:
    assert errors(email()) == {"messages[0].email": "has neither html nor text"}


def test_a_from_without_an_address_is_an_error() -> None:
    assert "is no email address" in errors(email(text="x", from_="Shop"))["messages[0].email.from"]
    assert errors(email(text="x", from_="{{ sender }}")) == {}


def test_headers_that_are_not_the_authors_are_errors() -> None:
    found = errors(email(text="x", headers={"Bcc": "a@b.test", "A b": "x", "X-A": "1", "x-a": "2"}))
    assert set(found) == {
        "messages[0].email.headers.Bcc",
        "messages[0].email.headers.A b",
        "messages[0].email.headers.x-a",
    }


def test_a_webhook_needs_a_web_url() -> None:
    assert "messages[0].webhook.url" in errors(campaign(Message(webhook=Webhook(url="a.test"))))


def test_a_name_that_a_push_provider_keeps_for_itself_is_an_error() -> None:
    extra = {"aps": "1", "gcm.n": "1", "shop": "1"}
    found = errors(campaign(Message(push=Push(title="x", extra=extra))))
    assert set(found) == {"messages[0].push.extra.aps", "messages[0].push.extra.gcm.n"}


def test_a_body_over_the_limit_is_an_error() -> None:
    assert "at most" in errors(email(text="x" * 500_000))["messages[0].email.text"]


def test_a_missing_unsubscribe_link_is_a_warning() -> None:
    assert "unsubscribe" in warnings(email(html="<p>x</p>"))["messages[0].email"]
    assert warnings(email(text="{{${set_user_to_unsubscribed_url}}}")) == {}


def test_a_link_to_the_preferences_will_do_and_what_goes_to_all_needs_none() -> None:
    assert warnings(email(html="<a href='{{ preferences_url }}'>Choose</a>")) == {}
    receipt = email(html="Thank you", unsubscribe="none")
    assert warnings(receipt) == {}
    assert warnings(replace(email(html="Thank you"), subscription="all")) == {}
    asked = replace(email(html="Thank you", unsubscribe="all"), subscription="all")
    assert "unsubscribe link" in warnings(asked)["messages[0].email"]


def test_a_body_that_inboxes_cut_off_is_a_warning() -> None:
    assert "103 kB" in warnings(email(html="<p>x</p>" * 13_200 + LINK))["messages[0].email.html"]


def test_a_link_that_leads_nowhere_is_a_warning() -> None:
    found = warnings(email(html=f"<a href='www.shop.test'>x</a>{LINK}"))
    assert "www.shop.test" in found["messages[0].email.html"]


def test_a_member_that_does_not_exist_is_a_warning() -> None:
    found = warnings(campaign(Message(sms=Sms(body="{{ trigger.linkk }}{{ campaign.name }}"))))
    assert "trigger.linkk is always empty" in found["messages[0].sms.body"]


def test_html_that_could_not_be_sent_is_a_warning() -> None:
    assert "messages[0].email.html" in warnings(email(html="<div>" * 5_000 + LINK))


def test_a_link_of_a_text_that_would_not_be_shortened_is_a_warning() -> None:
    found = warnings(campaign(Message(sms=Sms(body="Look at www.shop.test/sale."))))
    assert "'www.shop.test/sale' is not shortened" in found["messages[0].sms.body"]
    for body in ("https://www.shop.test", "me@www.shop.test", "https://a.test/?u=www.b.test"):
        assert warnings(campaign(Message(sms=Sms(body=body)))) == {}
    assert warnings(campaign(Message(sms=Sms(body="www.shop.test", shorten_links=False)))) == {}
