"""Settings from the environment: what is to be text stays text, whatever it looks like."""

from pathlib import Path

import pytest

from segue.model.problems import InvalidError
from segue.services.settings import Settings, read_settings


def read(folder: Path, **variables: str) -> Settings:
    return read_settings(folder, {f"SEGUE_{name}": text for name, text in variables.items()}, {})


def test_a_phone_number_and_a_key_of_digits_are_text(tmp_path: Path) -> None:
    twilio = read(
        tmp_path,
        CHANNELS__SMS__TWILIO__FROM="+15005550006",
        CHANNELS__SMS__TWILIO__ACCOUNT_SID="1e5",
        CHANNELS__SMS__TWILIO__AUTH_TOKEN="0123456789",
        CHANNELS__SMS__TWILIO__TIMEOUT_S="4",
    ).channels.sms.twilio
    assert twilio is not None
    assert (twilio.from_, twilio.account_sid) == ("+15005550006", "1e5")
    assert (twilio.auth_token, twilio.timeout_s) == ("0123456789", 4.0)


def test_other_kinds_are_read_as_toml_has_them(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        PORT="9000",
        PUBLIC_URL='"https://shop.test"',
        CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES='["10.0.0.0/8"]',
        CHANNELS__SMS__HTTP__URL="https://sms.test",
        CHANNELS__SMS__HTTP__HEADERS='{X-Key = "1", X-Other = "2"}',
        CHANNELS__SMS__HTTP__HEADERS__X_MORE="3",
    )
    assert settings.port == 9_000
    assert settings.public_url == "https://shop.test"
    assert settings.channels.webhook.allow_private_addresses == ["10.0.0.0/8"]
    assert settings.channels.sms.http is not None
    assert settings.channels.sms.http.headers == {"X-Key": "1", "X-Other": "2", "x_more": "3"}


def test_a_provider_that_is_half_set_up_says_what_lacks(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        read(tmp_path, CHANNELS__PUSH__APNS__KEY_ID="K", CHANNELS__SMS__HTTP__METHOD="POST")
    assert {problem.path for problem in caught.value.problems} == {
        "channels.push.apns.key_file",
        "channels.push.apns.team_id",
        "channels.push.apns.topic",
        "channels.sms.http.url",
    }


def test_short_links_begin_with_a_domain_of_their_own_or_with_ours(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="9000").short_base_url == "http://127.0.0.1:9000"
    public = {"PUBLIC_URL": "https://shop.test/segue/"}
    assert read(tmp_path, **public).short_base_url == "https://shop.test/segue"
    (tmp_path / "segue.toml").write_text('short_url = "https://go.test/"\n')
    assert read(tmp_path, **public).short_base_url == "https://go.test"
    assert read(tmp_path, SHORT_URL="http://s.test").short_base_url == "http://s.test"


@pytest.mark.parametrize("text", ["go.test", "https://", "https://go.test/?x", "https://go test"])
def test_a_short_url_that_would_be_no_link_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(tmp_path, SHORT_URL=text)
    [problem] = caught.value.problems
    assert problem.path == "short_url"
    assert repr(text) in problem.message or text in problem.message


def test_the_secrets_of_email_providers_are_not_shown(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        CHANNELS__EMAIL__MAILGUN__SIGNING_KEY="0123456789012345",
        CHANNELS__EMAIL__POSTMARK__USERNAME="hook",
        CHANNELS__EMAIL__POSTMARK__PASSWORD="1234567890123456",
        CHANNELS__EMAIL__PROVIDER_OPENS_AND_CLICKS="true",
    )
    shown = repr(settings)
    assert "0123456789012345" not in shown
    assert "1234567890123456" not in shown
    assert "username='hook', password='***'" in shown
    assert settings.channels.email.provider_opens_and_clicks


def test_a_hook_that_anybody_could_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        read(
            tmp_path,
            CHANNELS__EMAIL__SES__TOPIC_ARNS='["my-topic"]',
            CHANNELS__EMAIL__MAILGUN__SIGNING_KEY="short",
            CHANNELS__EMAIL__POSTMARK__USERNAME="a:b",
            CHANNELS__EMAIL__POSTMARK__PASSWORD="short",
        )
    assert {problem.path for problem in caught.value.problems} == {
        "channels.email.ses.topic_arns[0]",
        "channels.email.mailgun.signing_key",
        "channels.email.postmark.username",
        "channels.email.postmark.password",
    }
