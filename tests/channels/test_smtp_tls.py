"""TLS to mail servers: taken where offered, required where asked, verified where it matters."""

from pathlib import Path

import pytest

from segue.channels.sender import Accepted, TryLater
from segue.channels.settings import EmailSettings
from segue.channels.smtp import SmtpSender
from segue.channels.smtp_pool import read_smtp_url
from segue.clock import FixedClock
from tests.channels.certificates import certificate
from tests.channels.fake_smtp import post_office
from tests.channels.test_smtp import MAIL


async def send_to(url: str) -> object:
    sender = SmtpSender(EmailSettings(smtp_url=url), FixedClock())
    answer = await sender.send(MAIL)
    await sender.close()
    return answer


async def test_tls_is_taken_where_it_is_offered(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "127.0.0.1")
    async with post_office(tls=tls) as office:
        answer = await send_to(f"smtp://{office.url}")
    assert isinstance(answer, Accepted)
    assert office.was_encrypted == [True]


async def test_tls_that_is_required_is_not_done_without() -> None:
    async with post_office() as office:
        answer = await send_to(f"smtp+starttls://{office.url}")
    assert isinstance(answer, TryLater)
    assert "STARTTLS" in answer.detail
    assert not office.raw


@pytest.mark.parametrize("is_from_start", [False, True])
async def test_a_certificate_nobody_vouches_for_is_refused_unless_told(
    tmp_path: Path, is_from_start: bool
) -> None:
    tls, _ = certificate(tmp_path, "127.0.0.1")
    scheme = "smtps" if is_from_start else "smtp+starttls"
    async with post_office(tls=tls, is_tls_from_start=is_from_start) as office:
        refused = await send_to(f"{scheme}://{office.url}")
        accepted = await send_to(f"{scheme}://{office.url}?verify=no")
    assert isinstance(refused, TryLater)
    assert "CERTIFICATE_VERIFY_FAILED" in refused.detail
    assert isinstance(accepted, Accepted)


@pytest.mark.parametrize(("name", "is_taken"), [("127.0.0.1", True), ("other.test", False)])
async def test_a_certificate_must_be_for_the_server_that_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_taken: bool
) -> None:
    tls, file = certificate(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with post_office(tls=tls, is_tls_from_start=True) as office:
        answer = await send_to(f"smtps://{office.url}")
    assert isinstance(answer, Accepted if is_taken else TryLater)


async def test_a_login_is_made_within_tls(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "127.0.0.1")
    async with post_office(login=("user", "secret"), tls=tls) as office:
        answer = await send_to(f"smtp+starttls://user:secret@{office.url}?verify=no")
    assert isinstance(answer, Accepted)
    assert office.was_encrypted == [True]


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls", "is_verified"),
    [
        ("smtp://mail.test", 25, False, None, True),
        ("smtp://user:secret@mail.test", 587, False, None, True),
        ("smtp+starttls://mail.test", 587, False, True, True),
        ("smtps://mail.test", 465, True, None, True),
        ("smtp://mail.test:2525/", 2525, False, None, True),
        ("smtp://localhost", 25, False, None, False),
        ("smtps://localhost", 465, True, None, True),
        ("smtps://[::1]?verify=no", 465, True, None, False),
    ],
)
def test_a_url_says_where_and_how_safely(
    url: str, port: int, use_tls: bool, start_tls: bool | None, is_verified: bool
) -> None:
    server = read_smtp_url(url)
    assert (server.port, server.use_tls, server.start_tls) == (port, use_tls, start_tls)
    assert server.is_verified is is_verified
    assert "secret" not in repr(server)
