"""Settings, Channels: what each provider's card says, and the test message through it."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.support.members import Team, member
from tests.support.receiver import Receiver, webhook_receiver
from tests.support.servers import Mailbox, SegueServer, eventually, free_port, mail_server

from segue.channels.settings import EmailSettings
from segue.model.accounts import ROLES
from segue.services.dns_texts import dns_records

pytestmark = pytest.mark.slow

PATH = "/settings/channels"
SECRETS = ("mail-password", "sms-key-of-ours", "signing-key-of-mailgun", "callback-secret-of-ours")


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


@pytest.fixture(scope="module")
def provider() -> Iterator[Receiver]:
    with webhook_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, str], provider: Receiver
) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_PUBLIC_URL": "http://segue.shop.test",
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": mailbox[1],
        "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
        "SEGUE_CHANNELS__EMAIL__MAILGUN__SIGNING_KEY": "signing-key-of-mailgun",
        "SEGUE_CHANNELS__SMS__HTTP__URL": provider.url,
        "SEGUE_CHANNELS__SMS__HTTP__HEADERS": '{ Authorization = "Bearer sms-key-of-ours" }',
        "SEGUE_CHANNELS__SMS__HTTP__BODY": '{"to": {{ to | json }}}',
        "SEGUE_CHANNELS__SMS__HTTP__SENDS_PER_SECOND_MAX": "7",
        "SEGUE_CHANNELS__SMS__HTTP__CALLBACKS__SECRET": "callback-secret-of-ours",
    }
    data = tmp_path_factory.mktemp("channels") / "data"
    with SegueServer(data, free_port(), **settings) as server:
        yield server


@pytest.fixture(scope="module")
def team(server: SegueServer) -> Team:
    return {role: member(server, role) for role in ROLES}


def card(page: str, key: str) -> str:
    """Return the text of a card, without its markup."""
    [text] = re.findall(
        rf'<section class="card provider" aria-labelledby="card-{key}">(.*?)</section>', page, re.S
    )
    values = re.sub(r'<input[^>]*value="([^"]*)"[^>]*>', r" \1 ", text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", values)).split())


def test_a_provider_that_is_set_up_shows_its_settings_and_limits_without_secrets(
    team: Team,
) -> None:
    page = team["viewer"].page(PATH)
    email, sms = card(page, "email"), card(page, "sms")
    assert "under [channels.email]" in email
    assert " from Shop <hi@shop.test>" in email
    assert "connections_max 4" in email
    assert "headers ***" in sms
    assert "sends_per_second_max 7" in sms
    assert not any(secret in page for secret in SECRETS)


def test_a_provider_that_is_not_set_up_says_what_to_set(team: Team) -> None:
    android = card(team["viewer"].page(PATH), "android")
    assert "not set up" in android
    assert "Set channels.push.fcm.service_account_file" in android
    assert "docs/howto/push.md" in android


def test_callback_addresses_begin_with_the_public_url_and_say_whether_they_are_taken(
    team: Team,
) -> None:
    page = team["viewer"].page(PATH)
    email = card(page, "email")
    assert "Mailgun taken http://segue.shop.test/hooks/email/mailgun" in email
    assert "SendGrid not taken until channels.email.sendgrid.verification_key is set" in email
    assert "taken http://segue.shop.test/hooks/sms/http" in card(page, "sms")


def test_the_dns_records_of_the_sending_domain_are_told(team: Team) -> None:
    email = card(team["viewer"].page(PATH), "email")
    assert "SPF at shop.test v=spf1 a:127.0.0.1 ~all" in email
    assert "DKIM at selector._domainkey.shop.test" in email
    assert "DMARC at _dmarc.shop.test v=DMARC1; p=none" in email


def test_spf_names_the_provider_and_is_for_the_domain_that_bounces_go_to() -> None:
    settings = EmailSettings(
        smtp_url="smtp+starttls://apikey:x@smtp.sendgrid.net:587",
        from_="Shop <hi@shop.test>",
        return_path="back@bounces.shop.test",
    )
    spf, dkim, _ = dns_records(settings)
    assert (spf.name, spf.text) == ("bounces.shop.test", "v=spf1 include:sendgrid.net ~all")
    assert dkim.name.endswith(".shop.test")
    assert dns_records(EmailSettings(smtp_url="smtp://localhost")) == []


def test_a_test_email_goes_by_the_real_sender_and_its_answer_is_told(
    team: Team, mailbox: tuple[Mailbox, str]
) -> None:
    admin = team["admin"]
    answer = admin.post(f"{PATH}/email/test", {"to": "Ann@people.test"})
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    [mail] = eventually(lambda: mailbox[0].to("Ann@people.test"), "the test")
    assert mail["From"] == "Shop <hi@shop.test>"
    assert "This is a test message" in mail.get_content()
    page = admin.page(PATH)
    told = unescape(page)
    assert "The provider took the message to ann@people.test and answered “250 OK”." in told
    assert "Last success just now" in card(page, "email")
    assert "sent a test message" in admin.page("/settings/changes")


def test_a_refused_test_is_told_in_the_providers_words_and_stands_on_the_card(
    team: Team, mailbox: tuple[Mailbox, str]
) -> None:
    admin = team["admin"]
    mailbox[0].refusal = "550 5.7.1 not with <this> text"
    try:
        admin.post(f"{PATH}/email/test", {"to": "ann@people.test"})
    finally:
        mailbox[0].refusal = None
    page = admin.page(PATH)
    assert "The provider refused the message to ann@people.test: 550 5.7.1 not" in unescape(page)
    assert "it refused a message, “550 5.7.1 not with <this> text”" in card(page, "email")
    assert "<this>" not in page


def test_a_test_sms_goes_to_the_provider_with_the_number_in_its_one_spelling(
    team: Team, provider: Receiver
) -> None:
    answer = team["admin"].post(f"{PATH}/sms/test", {"to": "+32 470 12 34 56"})
    assert answer.status_code == 303
    [(_, headers, body)] = provider.requests
    assert json.loads(body)["to"] == "+32470123456"
    assert headers["Authorization"] == "Bearer sms-key-of-ours"


@pytest.mark.parametrize(
    ("channel", "to", "fault"),
    [
        ("email", "", "is not an email address, such as ann@example.com"),
        ("email", "<script>alert(1)</script>", "is not an email address"),
        ("sms", "0470123456", "is not a number with a country code, such as +32470123456"),
        ("email", "gone@people.test", "is on the suppression list, since somebody put it there"),
    ],
)
def test_what_no_test_could_go_to_is_a_fault_at_its_field(
    team: Team, mailbox: tuple[Mailbox, str], channel: str, to: str, fault: str
) -> None:
    admin = team["admin"]
    admin.client.post(
        "/api/v1/suppressions", json={"channel": "email", "addresses": ["gone@people.test"]}
    )
    before = len(mailbox[0].mails)
    answer = admin.post(f"{PATH}/{channel}/test", {"to": to})
    assert answer.status_code == 422
    assert f'id="to-{channel}-fault"' in answer.text
    assert f'href="#to-{channel}"' in answer.text
    assert fault in unescape(answer.text)
    assert "<script>alert" not in answer.text
    assert len(mailbox[0].mails) == before


def test_only_an_admin_sends_tests_and_only_where_something_is_set_up(team: Team) -> None:
    assert "Send a test" not in team["publisher"].page(PATH)
    refused = team["publisher"].post(f"{PATH}/email/test", {"to": "ann@people.test"})
    assert refused.status_code == 403
    for channel in ("push", "webhook", "none"):
        assert team["admin"].post(f"{PATH}/{channel}/test", {"to": "a@b.test"}).status_code == 404


def test_without_a_public_url_the_page_says_that_nobody_outside_can_call(tmp_path: Path) -> None:
    with SegueServer(tmp_path / "data") as server:
        page = member(server, "viewer").page(PATH)
        assert "<code>public_url</code> is not set" in page
        assert "Send a test" not in page
