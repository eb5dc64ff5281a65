"""Bytes that are no decent mail: whatever they are, there is an answer, and soon."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segue.channels.mail_reports import MailReader
from segue.model.limits import MAIL_PARTS_MAX, MAIL_READ_BYTES_MAX
from tests.channels import returned_mails as mails

MESSAGE_ID = f"<{'dG9rZW4_' * 25}@shop.test>"
READER = MailReader("bounces@shop.test")
SAMPLES = [
    mails.postfix(MESSAGE_ID),
    mails.exchange(MESSAGE_ID),
    mails.qmail(MESSAGE_ID),
    mails.feedback(MESSAGE_ID),
    mails.outlook_complaint(MESSAGE_ID),
    mails.out_of_office(MESSAGE_ID),
]
# Pieces that mean something to a reader of mails.
PIECES = [
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff\xfe",
    "é\u2028".encode(),
    b"--4YZ.1414/mx.test\r\n",
    b"--4YZ.1414/mx.test--\r\n",
    b"Content-Type: multipart/mixed; boundary=4YZ.1414/mx.test\r\n\r\n",
    b"Content-Type: multipart/report; boundary*=\0''%ff\r\n\r\n",
    b"Content-Type: multipart/report; boundary*0*=no-such'x'%41; boundary*1=b\r\n\r\n",
    b'Content-Type: text/plain; charset="no\0such"\r\n',
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Subject: =?no-such?b?YQ?= =?utf-8?b?!?= =?utf-8?q?=FF?=\r\n",
    b"Date: Tue, 99 Foo 99999 99:99:99 +9999\r\n",
    b"Date: 1 Jan 0001 00:00:00 +2359\r\n",
    b"Action:\r\n",
    b"Status: \xd9\xa5.1.1\r\n",
]


@st.composite
def broken_mails(draw: st.DrawFn) -> bytes:
    """Draw a mail with pieces cut out, repeated, or put where they do not belong."""
    content = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 200)))
        put = draw(st.sampled_from([*PIECES, b"", content[start:end] * 2]) | st.binary(max_size=20))
        content = content[:start] + put + content[end:]
    return content


@given(broken_mails())
@example(b"")
@example(b"\n")
@example(b"From x\n\n")
@example(b"Date: 1 Jan 0001 00:00:00 +2359\nSubject: unsubscribe:x\n\n")
@example(b"Date: 31 Dec 9999 23:59:59 -2359\nSubject: unsubscribe:x\n\n")
def test_a_broken_mail_has_an_answer(content: bytes) -> None:
    for report in READER.read(content).reports:
        assert report.id


@given(st.binary(max_size=2_000))
def test_bytes_that_are_no_mail_at_all_report_nothing(content: bytes) -> None:
    assert READER.read(content).reports == []


MEGABYTE = 1_000_000
NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000)
)
SAME = b"Content-Type: multipart/mixed; boundary=b\n\n"
REPORT = b"Content-Type: message/delivery-status\n\n"
DAEMON = b"From: mailer-daemon@x.test\n"


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 4_000,
        b"\n" * MEGABYTE,
        b"\r" * MEGABYTE,
        b"a:\n" * 330_000,
        b"a: " + b"=?utf-8?q?" * 100_000,
        b"Subject: " + b"=?utf-8?q?x?= " * 70_000,
        b"Subject: unsubscribe:" + b" " * MEGABYTE + b"!",
        b"Content-Type: multipart/mixed" + b';x="' * 250_000,
        b"Content-Type: multipart/mixed; boundary=" + b"b" * MEGABYTE,
        b"References: " + b"<" * MEGABYTE,
        b"References: " + b"<a@" * 330_000,
        b"To: " + b"bounces+" * 120_000,
        b"Date: " + b"(" * MEGABYTE,
        NESTED,
        SAME + b"--b\n" * 250_000,
        SAME + (b"--b\n" + SAME) * 20_000,
        SAME + (b"--b" + b" " * 50_000 + b"x\n") * 20,
        SAME + (b"--b\n" + b"a:\n" * 2_000 + b"\n") * 150,
        b"Content-Type: message/rfc822\n\n" * 33_000,
        REPORT + b"a:\n\n" * 250_000,
        REPORT + b"Action: failed\n" * 66_000,
        REPORT + b" \n" * 500_000,
        REPORT + b"Action: failed\nDiagnostic-Code: " + b"5.1." * 250_000,
        DAEMON + b"\n" + b"-" * MEGABYTE,
        DAEMON + b"\n" + b"--- \n" * 200_000,
        DAEMON + b"\n" + b"--- copy of the " * 60_000,
        DAEMON + b"\n" + b"5.1.1" * 10_000 + b"\n--- copy of the message\nMessage-ID: <a@b>\n",
        b"Content-Transfer-Encoding: base64\n\n" + b"=" * MEGABYTE,
    ],
    ids=lambda content: bytes(content[:12]).hex(),
)
def test_a_megabyte_made_to_tire_its_reader_is_answered_soon(content: bytes) -> None:
    taken = []
    for _ in range(3):
        begun = time.process_time()
        READER.read(content)
        taken.append(time.process_time() - begun)
    assert min(taken) < 0.1


def test_a_mail_is_looked_into_as_far_as_its_bound() -> None:
    bounce = mails.postfix(MESSAGE_ID)
    start = bounce.index(b"I'm sorry")
    room = MAIL_READ_BYTES_MAX - len(bounce) - 100
    for padding, count in ((room, 1), (room + len(bounce), 0)):
        padded = bounce[:start] + b"x" * padding + b"\r\n" + bounce[start:]
        assert len(READER.read(padded).reports) == count


def test_parts_beyond_the_bound_are_not_looked_into() -> None:
    for count, expected in ((MAIL_PARTS_MAX - 4, 1), (MAIL_PARTS_MAX, 0)):
        parts = [("text/plain", "x")] * count
        parts += [("message/delivery-status", mails.failed())]
        content = mails.multipart("Content-Type: multipart/report", "b", parts)
        assert len(READER.read(content).reports) == expected
