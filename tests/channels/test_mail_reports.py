"""What mails that come back say of mails of ours, in the shapes of those who write them."""

from base64 import encodebytes
from quopri import encodestring

import pytest

from segue.channels.mail_reports import MailOutcome, MailReader, MailReading, Name
from segue.model.instants import parse_instant
from tests.channels import returned_mails as mails

TOKEN = "c2lnbmVk-dG9rZW4_" * 12
MESSAGE_ID = f"<{TOKEN}@shop.test>"
OURS = Name("token", TOKEN)


def read(content: bytes) -> MailReading:
    return MailReader("bounces@shop.test").read(content)


def acts(content: bytes) -> list[str]:
    """Return what a mail reports of our message."""
    return [one.act for one in read(content).reports if OURS in one.names]


@pytest.mark.parametrize(
    "program", [mails.postfix, mails.exim, mails.exchange, mails.gmail, mails.qmail]
)
def test_each_programs_bounce_names_the_message_first_and_is_hard(program: object) -> None:
    [report] = read(program(MESSAGE_ID)).reports  # type: ignore[operator]
    assert report.act == "email_bounce"
    assert report.names[0] == OURS
    assert "5.1.1" in report.detail or "No such user" in report.detail


def test_a_report_has_the_instant_and_the_words_of_the_server() -> None:
    [report] = read(mails.postfix(MESSAGE_ID)).reports
    assert report.at == parse_instant("2026-11-01T11:00:00.999999Z")
    assert report.detail == (
        "550 5.1.1 <ada@people.test>: Recipient address rejected: "
        "User unknown in virtual mailbox table"
    )


@pytest.mark.parametrize(
    ("status", "diagnostic", "is_hard"),
    [
        ("5.1.1", "", True),
        ("5.1.2", "smtp; 550 5.1.2 no such host", True),
        ("5.1.10", "", True),
        ("5.2.1", "smtp; 550 5.2.1 disabled", True),
        ("5.4.4", "X-Postfix; Host or domain name not found", True),
        ("5.4.310", "smtp;550 5.4.310 DNS domain does not exist", True),
        ("5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied", True),
        ("5.5.0", "smtp; 550 Requested action not taken: mailbox unavailable", True),
        ("5.0.0", "smtp; 550 no such user", True),
        ("5.0.0", "smtp; 550 5.1.1 unknown", True),
        ("5.0.0", "", True),
        ("", "smtp; 550 5.1.1 unknown", True),
        ("", "smtp; 553 no such name", True),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", False),
        ("5.2.3", "smtp; 552 5.2.3 too long", False),
        ("5.3.4", "smtp; 552 5.3.4 too big", False),
        ("5.3.0", "smtp; 550 5.3.0 no", False),
        ("5.4.7", "smtp; 550 5.4.7 expired", False),
        ("5.4.316", "smtp; 550 5.4.316 Message expired", False),
        ("5.1.8", "smtp; 550 5.1.8 bad sender", False),
        ("5.6.1", "smtp; 554 5.6.1 media", False),
        ("5.7.1", "smtp; 550 5.7.1 listed", False),
        ("5.7.509", "smtp; 550 5.7.509 DMARC", False),
        ("5.0.0", "smtp; 552 5.2.2 full", False),
        ("5.0.0", "smtp; 550 5.7.1 spam", False),
        ("5.0.0", "smtp; 552 quota", False),
        ("5.0.0", "smtp; 554 no", False),
        ("5.5.0", "", False),
        ("4.4.7", "smtp; 450 4.4.7 expired", False),
        ("4.4.1", "", False),
        ("4.0.0", "smtp; 550 5.1.1 unknown", False),
        ("", "", False),
        ("nonsense", "", False),
        ("5.1", "", False),
    ],
)
def test_which_failures_are_hard(status: str, diagnostic: str, is_hard: bool) -> None:
    bounce = mails.report(mails.failed(status, diagnostic), mails.original(MESSAGE_ID))
    assert acts(bounce) == (["email_bounce"] if is_hard else [])
    assert read(bounce).outcome == ("reported" if is_hard else "soft_bounce")


@pytest.mark.parametrize(
    ("action", "status", "outcome"),
    [
        ("delayed", "4.4.1", "no_failure"),
        ("delayed", "5.1.1", "no_failure"),
        ("relayed", "2.1.9", "no_failure"),
        ("expanded", "2.1.5", "no_failure"),
        ("anything", "5.1.1", "no_failure"),
        ("delivered", "2.1.5", "reported"),
        ("FAILED", "5.1.1", "reported"),
        ("failed (permanently)", "5.1.1", "reported"),
    ],
)
def test_what_each_action_comes_to(action: str, status: str, outcome: MailOutcome) -> None:
    content = mails.report(mails.failed(status, action=action), mails.original(MESSAGE_ID))
    reading = read(content)
    assert reading.outcome == outcome
    expected = {"delivered": ["email_delivered"]}.get(action, ["email_bounce"])
    assert [one.act for one in reading.reports] == (expected if outcome == "reported" else [])


def test_an_address_that_stands_for_several_lives_while_one_of_them_does() -> None:
    group = mails.failed().replace("\n\n", "\n\nX: y\n").split("\n\n")[1]
    for action in ("delivered", "relayed", "expanded"):
        both = f"{mails.failed()}\n\n{group.replace('failed', action)}"
        content = mails.report(both, mails.original(MESSAGE_ID))
        assert "email_bounce" not in acts(content)
    both = f"{mails.failed()}\n\n{group.replace('failed', 'delayed')}"
    assert acts(mails.report(both, mails.original(MESSAGE_ID))) == ["email_bounce"]


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822", "message/global"])
def test_the_returned_mail_or_its_headers_name_the_message(kind: str) -> None:
    bounce = mails.report(mails.failed(), mails.original(MESSAGE_ID), returned_as=kind)
    assert acts(bounce) == ["email_bounce"]


def test_the_names_come_the_surest_first() -> None:
    content = mails.report(
        mails.failed(envelope_id="code-3"),
        mails.original(MESSAGE_ID).replace(
            "<hi@shop.test>\nFrom", "<bounces+code-2@shop.test>\nFrom"
        ),
        to="Bounces+code_1@Shop.TEST",
        more="References: <a@b.test> <ref@shop.test>\nIn-Reply-To: <reply@shop.test>",
    )
    [report] = read(content).reports
    assert report.names == (
        OURS,
        Name("code", "code_1"),
        Name("code", "code-2"),
        Name("token", "reply"),
        Name("token", "a"),
        Name("token", "ref"),
        Name("code", "code-3"),
    )


@pytest.mark.parametrize(
    "to", ["bounces+@shop.test", "xbounces+code@shop.test", "bounces-code@shop.test", "b+c@d.test"]
)
def test_an_address_of_another_form_holds_no_code(to: str) -> None:
    [report] = read(mails.report(mails.failed(), mails.original(MESSAGE_ID), to=to)).reports
    assert report.names == (OURS,)


def test_without_a_return_path_no_address_holds_a_code() -> None:
    content = mails.report(mails.failed(), mails.original(MESSAGE_ID), to="bounces+code@shop.test")
    [report] = MailReader().read(content).reports
    assert report.names == (OURS,)


@pytest.mark.parametrize("kind", ["abuse", "fraud", "virus", "other", "Abuse"])
def test_a_complaint_is_a_spam_report_also_with_its_recipient_blacked_out(kind: str) -> None:
    assert acts(mails.feedback(MESSAGE_ID, kind)) == ["email_spam_report"]


@pytest.mark.parametrize("kind", ["opt-out", "opt-out-list", "unsubscribe"])
def test_a_wish_to_opt_out_unsubscribes(kind: str) -> None:
    assert acts(mails.feedback(MESSAGE_ID, kind)) == ["email_unsubscribe"]


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "", "anything"])
def test_other_feedback_is_no_complaint(kind: str) -> None:
    assert read(mails.feedback(MESSAGE_ID, kind)).outcome == "no_complaint"


def test_a_complaint_that_hides_even_the_message_id_is_known_by_its_return_path() -> None:
    content = mails.feedback("<redacted>").replace(
        b"Original-Mail-From: <hi@shop.test>", b"Original-Mail-From: <bounces+abc@shop.test>"
    )
    [report] = read(content).reports
    assert report.names == (Name("code", "abc"),)


def test_outlooks_complaint_is_a_mail_with_ours_attached() -> None:
    assert acts(mails.outlook_complaint(MESSAGE_ID)) == ["email_spam_report"]
    assert not acts(mails.outlook_complaint(MESSAGE_ID, sender="ada@people.test"))


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", "reported"),
        ("550 no such user", "reported"),
        ("192.0.2.1 does not like recipient.\nRemote host said: 550 unknown", "reported"),
        ("mailbox is full (#5.2.2)", "soft_bounce"),
        ("This message is looping: it already has my Delivered-To line. (#5.4.6)", "soft_bounce"),
        ("Connected to 5.1.1.1 but greeting failed.", "soft_bounce"),
        ("Giving up after 550 days.", "soft_bounce"),
        ("I don't know.", "soft_bounce"),
    ],
)
def test_a_bounce_in_words_is_as_hard_as_the_code_in_it(why: str, outcome: MailOutcome) -> None:
    assert read(mails.qmail(MESSAGE_ID, why)).outcome == outcome


def test_a_bounce_in_words_counts_only_with_the_mail_itself_from_a_mail_system() -> None:
    bounce = mails.qmail(MESSAGE_ID)
    assert acts(bounce) == ["email_bounce"]
    person = bounce.replace(b"Return-Path: <>\r\n", b"").replace(b"MAILER-DAEMON", b"ada")
    assert read(person).outcome == "no_report"
    nothing_returned = bounce.partition(b"--- Below")[0]
    assert read(nothing_returned).outcome == "no_report"
    attached = mails.multipart(
        "From: MAILER-DAEMON@mx.test\nContent-Type: multipart/mixed",
        "b",
        [
            ("text/plain", "550 5.1.1 no such user"),
            ("message/rfc822", mails.original(MESSAGE_ID) + "\n\nHi\n"),
        ],
    )
    assert acts(attached) == ["email_bounce"]


def test_an_out_of_office_reply_is_nothing() -> None:
    assert read(mails.out_of_office(MESSAGE_ID)) == MailReading("auto_reply", [])


def test_a_persons_mail_is_nothing() -> None:
    reply = mails.mail(
        f"From: ada@people.test\nSubject: Re: Sale\nIn-Reply-To: {MESSAGE_ID}", "5.1.1 stars!"
    )
    assert read(reply) == MailReading("no_report", [])


@pytest.mark.parametrize(
    "subject",
    [
        f"unsubscribe:{TOKEN}",
        f"UNSUBSCRIBE: {TOKEN} ",
        f"unsubscribe:{TOKEN[:60]}\n {TOKEN[60:]}",
        f"=?utf-8?q?unsubscribe=3A{TOKEN.replace('_', '=5F')}?=",
    ],
)
def test_a_mail_to_the_unsubscribe_address_unsubscribes(subject: str) -> None:
    content = f"From: ada@people.test\nSubject: {subject}\n\n".encode()
    assert acts(content) == ["email_unsubscribe"]


@pytest.mark.parametrize("subject", ["unsubscribe", f"Re: unsubscribe:{TOKEN}", TOKEN])
def test_another_subject_unsubscribes_nobody(subject: str) -> None:
    content = f"From: ada@people.test\nSubject: {subject}\n\n".encode()
    assert read(content).outcome == "no_report"


def test_a_report_is_found_in_a_mail_that_passes_it_on() -> None:
    bounce = mails.postfix(MESSAGE_ID).decode()
    content = mails.multipart(
        "From: list@shop.test\nSubject: Fwd\nContent-Type: multipart/mixed",
        "outer",
        [("text/plain", "see below"), ("message/rfc822", bounce.replace("\r\n", "\n"))],
    )
    assert acts(content) == ["email_bounce"]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_part_in_an_encoding_of_transfer_is_read_through(encoding: str) -> None:
    encode = encodebytes if encoding == "base64" else encodestring
    status = encode(mails.failed().encode()).decode()
    returned = encode((mails.original(MESSAGE_ID) + "\n\nHi").encode()).decode()
    kind = f"message/delivery-status\nContent-Transfer-Encoding: {encoding}"
    as_mail = f"message/rfc822\nContent-Transfer-Encoding: {encoding}"
    content = mails.multipart(
        "From: MAILER-DAEMON@mx.test\nContent-Type: multipart/report",
        "b",
        [(kind, status), (as_mail, returned)],
    )
    assert acts(content) == ["email_bounce"]


def test_a_mail_that_was_cut_off_says_what_it_still_says() -> None:
    bounce = mails.postfix(MESSAGE_ID)
    end = bounce.index(b"Hi Ada")
    assert acts(bounce[:end]) == ["email_bounce"]


def test_the_same_mail_has_the_same_id_and_another_has_another() -> None:
    first, again = mails.postfix(MESSAGE_ID), mails.postfix(MESSAGE_ID)
    delivered_elsewhere = b"Delivered-To: other@shop.test\r\n" + again
    another = first.replace(b"<report-1@", b"<report-2@")
    ids = [read(one).reports[0].id for one in (first, again, delivered_elsewhere, another)]
    assert ids[0] == ids[1] == ids[2] != ids[3]
