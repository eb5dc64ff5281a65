"""Email to a real mail server: what each of its answers, and each break, comes to."""

import asyncio

import pytest
from msgspec.structs import replace

from segue.channels.sender import Accepted, Refused, TryLater, Unknown
from segue.channels.settings import EmailSettings
from segue.channels.smtp import SmtpSender
from segue.clock import FixedClock
from segue.errors import SegueError
from segue.model.rendered import RenderedEmail, RenderedWebhook
from tests.channels.fake_smtp import PostOffice, post_office

MAIL = RenderedEmail(
    "snd_1", "ada", "welcome", "ada@people.test", "Shop <shop@shop.test>", "Hello", text="Hi"
)
AT = 1_790_000_000_000_000


def sender_to(
    office: PostOffice,
    clock: FixedClock | None = None,
    scheme: str = "smtp",
    **settings: float | str,
) -> SmtpSender:
    url = f"{scheme}://{office.url}"
    return SmtpSender(EmailSettings(smtp_url=url, **settings), clock or FixedClock(AT))  # type: ignore[arg-type]


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with post_office() as office:
        sender = sender_to(office)
        answer = await sender.send(MAIL)
        await sender.close()
    assert answer == Accepted("250 2.0.0 taken")
    assert office.envelopes[0][:2] == ("shop@shop.test", "ada@people.test")
    assert office.mails[0]["Subject"] == "Hello"
    assert office.mails[0].get_content() == "Hi\r\n"


async def test_bounces_go_to_the_return_path_and_the_from_header_stays() -> None:
    async with post_office() as office:
        sender = sender_to(office, return_path="bounces@shop.test")
        await sender.send(MAIL)
        await sender.close()
    assert office.envelopes[0][:2] == ("bounces@shop.test", "ada@people.test")
    assert office.mails[0]["From"] == "Shop <shop@shop.test>"


@pytest.mark.parametrize(
    ("offers_dsn", "code", "expected"),
    [
        (True, "", [["RET=HDRS"]]),
        (True, "aB3", [["RET=HDRS", "ENVID=aB3"]]),
        (False, "aB3", []),
    ],
)
async def test_a_server_that_can_is_asked_to_return_headers_and_the_messages_code(
    offers_dsn: bool, code: str, expected: list[list[str]]
) -> None:
    async with post_office() as office:
        office.offers_dsn = offers_dsn
        sender = sender_to(office)
        assert isinstance(await sender.send(replace(MAIL, return_code=code)), Accepted)
        await sender.close()
    assert office.dsn_options == expected


async def test_the_return_path_has_the_messages_code_behind_a_plus_sign() -> None:
    async with post_office() as office:
        sender = sender_to(office, return_path=f"{'b' * 40}@return.shop.test")
        await sender.send(replace(MAIL, return_code="c" * 16))
        await sender.close()
    [(address, _, _)] = office.envelopes
    assert address == f"{'b' * 40}+{'c' * 16}@return.shop.test"
    assert len(address.partition("@")[0]) <= 64


async def test_lines_that_begin_with_a_dot_keep_it() -> None:
    text = ".\n..two\n.end\nSubject: none\n"
    async with post_office() as office:
        sender = sender_to(office)
        await sender.send(replace(MAIL, text=text))
        await sender.close()
    assert office.mails[0].get_content().replace("\r\n", "\n") == text


async def test_one_connection_carries_many_mails() -> None:
    async with post_office() as office:
        sender = sender_to(office)
        for _ in range(20):
            assert isinstance(await sender.send(MAIL), Accepted)
        await sender.close()
    assert len(office.raw) == 20
    assert office.connection_count == 1


async def test_no_more_connections_are_opened_than_the_settings_allow() -> None:
    async with post_office() as office:
        office.gate, office.gate_holds = asyncio.Event(), 3
        sender = sender_to(office, connections_max=3)
        sending = [asyncio.create_task(sender.send(MAIL)) for _ in range(12)]
        await office.at_gate.wait()
        office.gate.set()
        answers = await asyncio.gather(*sending)
        await sender.close()
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert office.connection_count == office.open_max == 3


async def test_a_connection_that_lay_idle_for_long_is_not_used_again() -> None:
    clock = FixedClock(AT)
    async with post_office() as office:
        sender = sender_to(office, clock)
        await sender.send(MAIL)
        clock.advance(61_000_000)
        await sender.send(MAIL)
        await sender.close()
    assert office.connection_count == 2


@pytest.mark.parametrize("idle_us", [0, 5_000_000])
async def test_a_connection_the_server_closed_is_replaced_unnoticed(idle_us: int) -> None:
    clock = FixedClock(AT)
    async with post_office() as office:
        sender = sender_to(office, clock)
        await sender.send(MAIL)
        clock.advance(idle_us)
        office.hang_up()
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, Accepted)
    assert len(office.raw) == 2


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA command"])
@pytest.mark.parametrize("said", [None, "421 4.4.2 idle too long"])
async def test_a_reused_connection_that_breaks_before_the_content_is_tried_afresh_once(
    command: str, said: str | None
) -> None:
    async with post_office() as office:
        sender = sender_to(office)
        await sender.send(MAIL)
        office.say(command, said)
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, Accepted)
    assert len(office.raw) == 2
    assert office.connection_count == 2


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA command"])
async def test_a_new_connection_that_breaks_before_the_content_is_tried_later(command: str) -> None:
    async with post_office() as office:
        office.say(command, None)
        sender = sender_to(office)
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, TryLater)
    assert office.connection_count == 1


@pytest.mark.parametrize("is_reused", [False, True])
async def test_a_break_after_the_content_leaves_the_outcome_unknown(is_reused: bool) -> None:
    async with post_office() as office:
        sender = sender_to(office)
        if is_reused:
            await sender.send(MAIL)
        office.say("DATA", None)
        answer = await sender.send(MAIL)
        count = office.connection_count
        again = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, Unknown)
    assert "after the mail was sent" in answer.detail
    assert count == 1, "it must not be sent a second time"
    assert isinstance(again, Accepted)


async def test_no_answer_to_the_content_in_time_leaves_the_outcome_unknown() -> None:
    async with post_office() as office:
        sender = sender_to(office, timeout_s=0.05)
        office.scan = asyncio.Event()
        answer = await sender.send(MAIL)
        await sender.close()
        office.scan.set()
    assert isinstance(answer, Unknown)


async def test_an_answer_to_the_content_that_is_no_smtp_leaves_the_outcome_unknown() -> None:
    async with post_office() as office:
        office.say("DATA", "??? what")
        sender = sender_to(office)
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("command", "said", "expected"),
    [
        ("MAIL", "451 4.3.0 later", TryLater("451 4.3.0 later")),
        ("MAIL", "550 5.1.8 who are you", Refused("550 5.1.8 who are you")),
        ("MAIL", "550 no", Refused("550 no")),
        ("MAIL", "530 5.7.0 log in", TryLater("530 5.7.0 log in")),
        ("RCPT", "450 4.2.0 greylisted", TryLater("450 4.2.0 greylisted")),
        ("RCPT", "550 no such user", Refused("550 no such user", is_address_dead=True)),
        ("RCPT", "551 moved", Refused("551 moved", is_address_dead=True)),
        ("RCPT", "553 no mailbox", Refused("553 no mailbox", is_address_dead=True)),
        ("RCPT", "550 5.1.1 unknown", Refused("550 5.1.1 unknown", is_address_dead=True)),
        ("RCPT", "554 5.1.10 null MX", Refused("554 5.1.10 null MX", is_address_dead=True)),
        ("RCPT", "550 5.2.1 disabled", Refused("550 5.2.1 disabled", is_address_dead=True)),
        ("RCPT", "550 5.7.1 listed at rbl", Refused("550 5.7.1 listed at rbl")),
        ("RCPT", "550 5.1.8 bad sender", Refused("550 5.1.8 bad sender")),
        ("RCPT", "554 5.7.1 relaying denied", Refused("554 5.7.1 relaying denied")),
        ("RCPT", "552 5.2.2 full", TryLater("552 5.2.2 full")),
        ("RCPT", "550 5.2.2 over quota", TryLater("550 5.2.2 over quota")),
        ("RCPT", "552 full", TryLater("552 full")),
        ("RCPT", "421 4.3.2 going down", TryLater("421 4.3.2 going down")),
        ("DATA command", "451 4.7.0 busy", TryLater("451 4.7.0 busy")),
        ("DATA command", "554 5.5.1 no", Refused("554 5.5.1 no")),
        ("DATA", "451 4.7.1 scanner is down", TryLater("451 4.7.1 scanner is down")),
        ("DATA", "550 5.7.1 spam", Refused("550 5.7.1 spam")),
        ("DATA", "552 5.3.4 too large", Refused("552 5.3.4 too large")),
    ],
)
async def test_an_answer_is_sorted_by_its_codes(
    command: str, said: str, expected: TryLater | Refused
) -> None:
    async with post_office() as office:
        office.say(command, said)
        sender = sender_to(office)
        answer = await sender.send(MAIL)
        again = await sender.send(MAIL)
        await sender.close()
    assert answer == expected
    assert isinstance(again, Accepted), "one refusal must not spoil the connection"
    if not said.startswith("421"):
        assert office.connection_count == 1


async def test_a_login_is_made_and_its_specials_are_read_from_the_url() -> None:
    async with post_office(login=("us@er", "p/ss:w@rd")) as office:
        url = f"smtp://us%40er:p%2Fss:w%40rd@{office.url}"
        sender = SmtpSender(EmailSettings(smtp_url=url), FixedClock(AT))
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, Accepted)
    assert office.logins[0] == (b"us@er", b"p/ss:w@rd")


async def test_a_refused_login_is_tried_later_and_tells_no_secret() -> None:
    async with post_office(login=("user", "right")) as office:
        settings = EmailSettings(smtp_url=f"smtp://user:sesame@{office.url}")
        sender = SmtpSender(settings, FixedClock(AT))
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, TryLater)
    assert "refused the login (535)" in answer.detail
    assert "sesame" not in answer.detail + repr(settings) + repr(sender)


async def test_a_server_that_is_not_there_is_tried_later() -> None:
    async with post_office() as office:
        pass
    answer = await sender_to(office).send(MAIL)
    assert isinstance(answer, TryLater)
    assert office.url in answer.detail


@pytest.mark.parametrize("is_patient", [False, True])
async def test_a_server_that_never_greets_is_tried_later(is_patient: bool) -> None:
    is_gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_patient:
            await reader.read()
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        is_gone.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    sender = SmtpSender(EmailSettings(smtp_url=url, timeout_s=0.1), FixedClock(AT))
    assert isinstance(await sender.send(MAIL), TryLater)
    await is_gone.wait()
    server.close()
    await server.wait_closed()


async def test_a_server_that_does_not_want_us_is_quoted() -> None:
    async with post_office() as office:
        office.say("EHLO", "554 go away")
        office.say("HELO", "554 go away")
        sender = sender_to(office)
        answer = await sender.send(MAIL)
        await sender.close()
    assert isinstance(answer, TryLater)
    assert "answered 554 go away" in answer.detail


async def test_a_cancelled_hand_over_leaves_no_connection_half_used() -> None:
    async with post_office() as office:
        office.gate = asyncio.Event()
        sender = sender_to(office)
        sending = asyncio.create_task(sender.send(MAIL))
        await office.at_gate.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        office.gate.set()
        assert isinstance(await sender.send(MAIL), Accepted)
        await sender.close()
    assert office.connection_count == 2
    assert len(office.raw) == 1


async def test_a_connection_that_comes_back_after_closing_is_closed() -> None:
    async with post_office() as office:
        office.gate = asyncio.Event()
        sender = sender_to(office)
        sending = asyncio.create_task(sender.send(MAIL))
        await office.at_gate.wait()
        await sender.close()
        office.gate.set()
        assert isinstance(await sending, Accepted)
        await asyncio.sleep(0.02)
        assert all(server.transport is None for server in office.servers)


async def test_a_message_that_cannot_be_written_is_refused_and_not_raised() -> None:
    async with post_office() as office:
        sender = sender_to(office)
        assert await sender.send(replace(MAIL, to="nobody")) == Refused(
            "'nobody' is no email address", is_address_dead=True
        )
        assert isinstance(await sender.send(replace(MAIL, from_="nobody")), Refused)
        injected = replace(MAIL, headers={"X-A": "b\r\nBcc: eve@people.test"})
        assert isinstance(await sender.send(injected), Refused)
        call = RenderedWebhook("snd_1", "ada", "welcome", "http://shop.test", "POST")
        assert isinstance(await sender.send(call), Refused)
        await sender.close()
    assert not office.raw


async def test_an_international_address_needs_a_server_that_takes_it() -> None:
    mail = replace(MAIL, to="zoë@münchen.test")
    async with post_office() as office:
        sender = sender_to(office)
        answer = await sender.send(mail)
        await sender.close()
    assert isinstance(answer, Refused)
    assert not answer.is_address_dead
    async with post_office(enable_SMTPUTF8=True) as office:
        sender = sender_to(office)
        answer = await sender.send(mail)
        await sender.close()
    assert isinstance(answer, Accepted)
    assert office.envelopes[0][1] == "zoë@xn--mnchen-3ya.test"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://mail.test",
        "smtp://",
        "smtp://user:pass/word@mail.test",
        "smtp://mail.test:99999",
        "smtp://mail.test:port",
        "smtp://[mail.test",
        "smtp://mail.test/path",
        "smtp://mail.test?verify=no",
        "smtps://user:secret@10.0.0.1?verify=no",
        "smtp://127.0.0.1?verify=maybe",
        "smtp://127.0.0.1?secure=no",
    ],
)
def test_a_bad_url_is_named_without_being_repeated(url: str) -> None:
    with pytest.raises(SegueError, match="smtp_url") as caught:
        SmtpSender(EmailSettings(smtp_url=url), FixedClock())
    for secret in ("user", "secret", "pass/word"):
        assert secret not in str(caught.value).replace("user:password@host", "")


def test_a_sender_without_a_server_cannot_be_made() -> None:
    with pytest.raises(SegueError, match="not set"):
        SmtpSender(EmailSettings(), FixedClock())
