"""Mails as mail systems send them back, in the shapes of those that are met most.

Written after the grammars (RFC 3462, 3464, 5965) and the layout of each program's own.
"""

from textwrap import dedent


def mail(headers: str, body: str = "") -> bytes:
    """Return a mail of headers and a body, both as indented text."""
    text = f"{dedent(headers).strip()}\n\n{dedent(body).lstrip()}"
    return text.replace("\n", "\r\n").encode()


def original(message_id: str, more: str = "") -> str:
    """Return the headers of a mail of ours."""
    lines = (
        "Return-Path: <hi@shop.test>",
        "From: Shop <hi@shop.test>",
        "To: ada@people.test",
        "Subject: Sale",
        f"Message-ID: {message_id}",
        more,
    )
    return "\n".join(filter(None, lines))


def multipart(headers: str, boundary: str, parts: list[tuple[str, str]]) -> bytes:
    """Return a multipart mail; `headers` lack its closing parameter, the boundary."""
    body = "".join(f"--{boundary}\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    head = dedent(headers).strip()
    text = f'{head}; boundary="{boundary}"\nMIME-Version: 1.0\n\n{body}--{boundary}--\n'
    return text.replace("\n", "\r\n").encode()


def report(
    status: str,
    returned: str,
    *,
    sender: str = "MAILER-DAEMON@mx.test",
    to: str = "bounces@shop.test",
    words: str = "I'm sorry to have to inform you that it could not be delivered.",
    returned_as: str = "message/rfc822",
    more: str = "",
    report_id: str = "report-1@mx.test",
    date: str = "Sun, 1 Nov 2026 12:00:00 +0100",
) -> bytes:
    """Return a delivery status notification (RFC 3464)."""
    headers = f"""\
Return-Path: <>
Date: {date}
From: {sender}
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <{report_id}>
{more}
Content-Type: multipart/report; report-type=delivery-status"""
    headers = "\n".join(line for line in headers.splitlines() if line)
    parts = [
        ("text/plain; charset=us-ascii", words),
        ("message/delivery-status", dedent(status).strip() + "\n"),
        (returned_as, returned + "\n\nHi Ada\n"),
    ]
    return multipart(headers, "4YZ.1414/mx.test", parts)


def failed(
    status: str = "5.1.1", diagnostic: str = "", action: str = "failed", envelope_id: str = ""
) -> str:
    """Return the fields of a report on one recipient."""
    lines = (
        "Reporting-MTA: dns; mx.test",
        f"Original-Envelope-Id: {envelope_id}" if envelope_id else "",
        "Arrival-Date: Sun, 1 Nov 2026 11:59:58 +0100 (CET)",
        "-",
        "Final-Recipient: rfc822; ada@people.test",
        "Original-Recipient: rfc822;ada@people.test",
        f"Action: {action}",
        f"Status: {status}",
        "Remote-MTA: dns; mx.people.test",
        f"Diagnostic-Code: {diagnostic}" if diagnostic else "",
    )
    return "\n".join(line if line != "-" else "" for line in lines if line)


def postfix(message_id: str) -> bytes:
    """Return a bounce of Postfix."""
    status = """\
Reporting-MTA: dns; mx.test
X-Postfix-Queue-ID: 9C1F72A0F
X-Postfix-Sender: rfc822; hi@shop.test
Arrival-Date: Sun,  1 Nov 2026 11:59:58 +0100 (CET)

Final-Recipient: rfc822; ada@people.test
Original-Recipient: rfc822;ada@people.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.people.test
Diagnostic-Code: smtp; 550 5.1.1 <ada@people.test>: Recipient address rejected:
    User unknown in virtual mailbox table"""
    return report(
        status, original(message_id), sender="MAILER-DAEMON@mx.test (Mail Delivery System)"
    )


def exim(message_id: str) -> bytes:
    """Return a bounce of Exim, whose status is always 5.0.0."""
    status = """\
Reporting-MTA: dns; exim.test

Action: failed
Final-Recipient: rfc822;ada@people.test
Status: 5.0.0
Remote-MTA: dns; mx.people.test
Diagnostic-Code: smtp; 550 No such user here"""
    return report(
        status,
        original(message_id),
        sender="Mail Delivery System <Mailer-Daemon@exim.test>",
        more="X-Failed-Recipients: ada@people.test",
        returned_as="text/rfc822-headers",
    )


def exchange(message_id: str) -> bytes:
    """Return a non-delivery report of Exchange Online: the words are HTML in parts of their own."""
    inner = """\
--inner
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Delivery has failed to these recipi=
ents.
--inner
Content-Type: text/html

<b>Delivery has failed</b>
--inner--
"""
    status = """\
Reporting-MTA: dns;AM0PR01.prod.outlook.test
Received-From-MTA: dns;mx.test
Arrival-Date: Sun, 1 Nov 2026 11:00:00 +0000

Final-Recipient: rfc822;ada@people.test
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@people.test
 not found by SMTP address lookup
"""
    headers = """\
Date: Sun, 1 Nov 2026 11:00:00 +0000
From: <postmaster@outlook.test>
To: <bounces@shop.test>
Subject: Undeliverable: Sale
Auto-Submitted: auto-replied
Message-ID: <ndr-1@AM0PR01.outlook.test>
In-Reply-To: <0102@elsewhere.test>
Content-Type: multipart/report; report-type=delivery-status"""
    parts = [
        ('multipart/alternative; differences=Content-Type;\n\tboundary="inner"', inner),
        ("message/delivery-status", status),
        ("message/rfc822", "Received: from mx.test\n" + original(message_id) + "\n\nHi\n"),
    ]
    return multipart(headers, "_000_outer_", parts)


def gmail(message_id: str) -> bytes:
    """Return a bounce of Gmail."""
    status = """\
Reporting-MTA: dns; googlemail.test
Arrival-Date: Sun, 01 Nov 2026 03:59:58 -0800 (PST)
X-Original-Message-ID: <elsewhere@shop.test>

Final-Recipient: rfc822; ada@people.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
 550 5.1.1 Learn more at https://support.test/NoSuchUser
Last-Attempt-Date: Sun, 01 Nov 2026 04:00:00 -0800 (PST)"""
    sender = "Mail Delivery Subsystem <mailer-daemon@googlemail.test>"
    return report(status, original(message_id), sender=sender)


def qmail(message_id: str, why: str = "Sorry, no mailbox here by that name. (#5.1.1)") -> bytes:
    """Return a bounce of qmail: one text, the mail below a line."""
    body = f"""\
Hi. This is the qmail-send program at qmail.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@people.test>:
{why}

--- Below this line is a copy of the message.

{original(message_id)}

Hi Ada
"""
    return mail(
        """\
        Return-Path: <>
        Date: 1 Nov 2026 11:00:00 -0000
        From: MAILER-DAEMON@qmail.test
        To: bounces@shop.test
        Subject: failure notice
        """,
        body,
    )


def feedback(message_id: str, kind: str = "abuse", more: str = "", redacted: bool = True) -> bytes:
    """Return a complaint (RFC 5965), its recipient blacked out as Yahoo's are."""
    returned = original(message_id)
    if redacted:
        returned = returned.replace("ada@people.test", "[redacted]")
    fields = f"""\
Feedback-Type: {kind}
User-Agent: Loop-Agent/1.0
Version: 1
Original-Mail-From: <hi@shop.test>
Original-Rcpt-To: <redacted@people.test>
Arrival-Date: Sun, 1 Nov 2026 11:59:58 +0100
Source-IP: 192.0.2.7
Reported-Domain: shop.test
{more}"""
    headers = """\
Date: Sun, 1 Nov 2026 12:10:00 +0100
From: feedback@arf.people.test
To: complaints@shop.test
Subject: FW: Sale
Message-ID: <arf-1@people.test>
Content-Type: multipart/report; report-type=feedback-report"""
    parts = [
        ("text/plain", "This is an email abuse report."),
        ("message/feedback-report", fields.strip() + "\n"),
        ("message/rfc822", returned + "\n\nHi\n"),
    ]
    return multipart(headers, "part1_13d", parts)


def outlook_complaint(message_id: str, sender: str = "staff@hotmail.com") -> bytes:
    """Return a complaint of Outlook.com: the mail attached, no report."""
    headers = f"""\
Date: Sun, 1 Nov 2026 12:10:00 +0000
From: <{sender}>
To: complaints@shop.test
Subject: complaint about message from 192.0.2.7
Message-ID: <jmr-1@hotmail.test>
Content-Type: multipart/mixed"""
    returned = original(message_id, "X-HmXmrOriginalRecipient: ada@people.test")
    return multipart(headers, "jmr", [("message/rfc822", returned + "\n\nHi\n")])


def out_of_office(message_id: str) -> bytes:
    """Return what a person's mailbox answers while they are away."""
    return mail(
        f"""\
        Return-Path: <>
        From: Ada <ada@people.test>
        To: bounces@shop.test
        Subject: Out of office: Sale
        Auto-Submitted: auto-replied (vacation)
        In-Reply-To: {message_id}
        References: {message_id}
        Message-ID: <vacation-1@people.test>
        """,
        "I am away until 550 5.1.1 November.",
    )
