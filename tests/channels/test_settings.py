"""Settings of the channels: their defaults, their names, and that no secret is shown."""

import msgspec
import pytest

from segue.channels.settings import (
    ChannelSettings,
    EmailSettings,
    WebhookSettings,
    without_credentials,
)


def test_everything_has_a_default() -> None:
    settings = msgspec.convert({}, ChannelSettings)
    assert settings.email == EmailSettings(None, None, 30, 4)
    assert settings.webhook == WebhookSettings(None, [], 30)


def test_the_sender_address_is_called_from() -> None:
    settings = msgspec.convert({"email": {"from": "shop@shop.test"}}, ChannelSettings)
    assert settings.email.from_ == "shop@shop.test"


@pytest.mark.parametrize(
    "given", [{"sms": {}}, {"email": {"smtp": ""}}, {"webhook": {"timeout_s": 0}}]
)
def test_an_unknown_name_or_an_impossible_value_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, ChannelSettings)


@pytest.mark.parametrize("password", ["sesame", "ses/ame", "sesame@", "a?sesame", "#sesame:"])
def test_no_secret_is_shown(password: str) -> None:
    settings = ChannelSettings(
        EmailSettings(f"smtp://user:{password}@mail.test:25"), WebhookSettings("whsec_sesame")
    )
    for shown in (repr(settings), str(settings), repr(settings.email.__rich_repr__())):
        assert "ame" not in shown.replace("Name", "")
        assert "mail.test" in shown


def test_an_address_without_credentials_is_shown_as_it_is() -> None:
    assert without_credentials("smtp://mail.test:25") == "smtp://mail.test:25"
