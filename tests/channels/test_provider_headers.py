"""What a mail tells a provider, so that its reports name it."""

import json

import pytest

from segue.channels.provider_headers import provider_headers
from segue.channels.settings import EmailSettings, PostmarkSettings, SendGridSettings
from tests.support.provider_calls import POSTMARK_LOGIN, SendGrid, all_providers

TOKEN = "t" * 200
HEADERS = {"Message-ID": f"<{TOKEN}@shop.test>"}
SENDGRID = EmailSettings(sendgrid=SendGridSettings(SendGrid().verification_key))
POSTMARK = EmailSettings(postmark=PostmarkSettings(*POSTMARK_LOGIN))


def test_without_a_provider_nothing_is_added() -> None:
    assert provider_headers(EmailSettings(), HEADERS) == {}


def test_sendgrid_gets_the_token_as_an_argument() -> None:
    added = provider_headers(SENDGRID, HEADERS)
    assert {name: json.loads(value) for name, value in added.items()} == {
        "X-SMTPAPI": {"unique_args": {"segue": TOKEN}}
    }


def test_postmark_gets_it_in_pieces_and_keeps_our_message_id() -> None:
    added = provider_headers(POSTMARK, HEADERS)
    assert added.pop("X-PM-KeepID") == "true"
    assert list(added) == [f"X-PM-Metadata-segue-{number}" for number in (1, 2, 3)]
    assert "".join(added.values()) == TOKEN


def test_a_header_of_the_author_stays() -> None:
    given = {**HEADERS, "x-smtpapi": '{"category": "mine"}'}
    assert provider_headers(SENDGRID, given) == {}


@pytest.mark.parametrize("message_id", ["", "<x>", f"<{'t' * 901}@shop.test>"])
def test_a_mail_without_a_token_that_fits_gets_none(message_id: str) -> None:
    settings = all_providers(SendGrid())
    assert provider_headers(settings, {"Message-ID": message_id}) == {}
    assert provider_headers(settings, {}) == {}
