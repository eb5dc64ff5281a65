"""What a mail reports of a mail of ours: bounces, complaints, wishes to get no more.

Reads RFC 3464 (delivery status), RFC 5965 (feedback), what programs older than both write, and
mails to the address in List-Unsubscribe. Never raises, whatever the bytes.
"""

import re
from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct

from segue.channels.mail_bounces import (
    Delivered,
    Delivery,
    Failed,
    is_from_a_mail_system,
    read_delivery_status,
    read_old_bounce,
)
from segue.channels.mail_complaints import read_complaint
from segue.channels.mail_mime import Headers, Part, read_mail
from segue.channels.receipts import ReceiptAct, token_of

# What there was in a mail. All but "reported" change nothing about a user.
MailOutcome = Literal[
    "reported",
    "no_failure",  # on its way, or handed on
    "soft_bounce",  # the message is lost, and the address is not
    "no_complaint",
    "auto_reply",
    "no_report",
]

_UNSUBSCRIBE: Final = re.compile(r"\s*unsubscribe:([\w\s-]+)", re.ASCII | re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<([^<>@\s]+@[^<>\s]*)>")
# Where mail systems note to which address a mail came in.
_CAME_TO: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_AUTO_REPLY_HEADERS: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From")
_NAMES_MAX: Final = 50  # each is a signature to check or a code to look up


class Name(Struct, frozen=True):
    """What may name a message of ours: a signed token, or a code that stands for one."""

    kind: Literal["token", "code"]
    text: str


class MailReport(Struct, frozen=True):
    """One thing that is reported of one message: the first of the names that is ours."""

    act: ReceiptAct
    names: tuple[Name, ...]
    id: str
    at: int | None
    detail: str


class MailReading(Struct, frozen=True):
    """What a mail says; where it reports nothing, `names` may name what it speaks of."""

    outcome: MailOutcome
    reports: list[MailReport]
    names: tuple[Name, ...] = ()


class MailReader:
    """Reads mails that come back; `return_path` is the address that bounces go to."""

    def __init__(self, return_path: str | None = None) -> None:
        self._code: re.Pattern[str] | None = None
        if return_path is not None:
            local, _, domain = return_path.rpartition("@")
            address = rf"(?<![\w.+-]){re.escape(local)}\+([\w-]{{1,64}})@{re.escape(domain)}"
            self._code = re.compile(address, re.ASCII | re.IGNORECASE)

    def read(self, content: bytes) -> MailReading:
        """Return what a mail says of messages of ours."""
        mail = read_mail(content)
        report_id = _id_of(mail, content)
        for part in mail.walk():
            if part.kind in ("message/delivery-status", "message/global-delivery-status"):
                return self._delivery_status(mail, part, report_id)
            if part.kind == "message/feedback-report":
                return self._feedback(mail, part, report_id)
        return self._without_a_report(mail, report_id)

    def _without_a_report(self, mail: Part, report_id: str) -> MailReading:
        unsubscribe = _UNSUBSCRIBE.fullmatch(mail.headers.text("Subject"))
        if unsubscribe is not None:
            names: tuple[Name, ...] = (Name("token", "".join(unsubscribe[1].split())),)
            return _reading(mail, "email_unsubscribe", names, report_id, "by mail")
        act = read_complaint(mail, Headers(b""))
        if act is not None:
            return _reading(mail, act, self._names(mail), report_id, "")
        bounce = read_old_bounce(mail) if is_from_a_mail_system(mail.headers) else None
        if bounce is None:
            return MailReading("auto_reply" if _is_auto_reply(mail.headers) else "no_report", [])
        # Only by the mail that it returns: an out-of-office reply names ours as well.
        names = _names_of_mails(bounce.returned)
        if not bounce.status.is_dead:
            return MailReading("soft_bounce", [], names)
        return _reading(mail, "email_bounce", names, report_id, bounce.status.detail)

    def _delivery_status(self, mail: Part, status: Part, report_id: str) -> MailReading:
        groups = status.groups()
        deliveries = read_delivery_status(groups)
        names = self._names(mail, groups)
        at = mail.headers.date()
        reports = [
            MailReport(act, names, f"{report_id}:{one.recipient}", at, one.detail)
            for one in deliveries
            if (act := _act_of(one)) is not None
        ]
        if reports:
            return MailReading("reported", reports)
        is_soft = any(isinstance(one, Failed) for one in deliveries)
        return MailReading("soft_bounce" if is_soft else "no_failure", [], names)

    def _feedback(self, mail: Part, feedback: Part, report_id: str) -> MailReading:
        groups = feedback.groups()
        fields = groups[0] if groups else Headers(b"")
        act = read_complaint(mail, fields)
        names = self._names(mail, groups)
        if act is None:
            return MailReading("no_complaint", [], names)
        detail = " ".join(filter(None, (fields.get("Feedback-Type"), fields.get("User-Agent"))))
        return _reading(mail, act, names, report_id, detail)

    def _names(self, mail: Part, groups: list[Headers] | None = None) -> tuple[Name, ...]:
        """Return what may name the message, the surest first."""
        returned = mail.attached_mails()
        found = [*_names_of_mails(returned)]
        for headers in (mail.headers, *returned):
            for header in (*_CAME_TO, "Return-Path"):
                found += self._codes(headers.all(header))
        for fields in groups or ():
            found += self._codes(fields.all("Original-Mail-From"))
        for header in ("In-Reply-To", "References"):
            for message_id in _MESSAGE_ID.findall(mail.headers.get(header)):
                found.append(Name("token", token_of(message_id)))
        for fields in groups or ():
            found += [Name("code", code) for code in fields.all("Original-Envelope-Id") if code]
        return tuple(dict.fromkeys(found))[:_NAMES_MAX]

    def _codes(self, values: list[str]) -> list[Name]:
        if self._code is None:
            return []
        return [Name("code", code) for value in values for code in self._code.findall(value)]


def _act_of(delivery: Delivery) -> ReceiptAct | None:
    match delivery:
        case Delivered():
            return "email_delivered"
        case Failed(is_dead=True):
            return "email_bounce"
        case _:
            return None


def _reading(
    mail: Part, act: ReceiptAct, names: tuple[Name, ...], report_id: str, detail: str
) -> MailReading:
    return MailReading("reported", [MailReport(act, names, report_id, mail.headers.date(), detail)])


def _names_of_mails(mails: list[Headers]) -> tuple[Name, ...]:
    ids = ("".join(headers.get("Message-ID").split()) for headers in mails)
    return tuple(Name("token", token) for one in ids if (token := token_of(one)))


def _id_of(mail: Part, content: bytes) -> str:
    """Return what tells this mail from others, wherever it is read again."""
    own = mail.headers.get("Message-ID")
    return blake2b(own.encode("utf-8", "replace") if own else content, digest_size=16).hexdigest()


def _is_auto_reply(headers: Headers) -> bool:
    submitted = headers.get("Auto-Submitted").lower()
    return (
        submitted.startswith(("auto-replied", "auto-generated", "auto-notified"))
        or headers.get("Precedence").lower() == "auto_reply"
        or any(headers.has(name) for name in _AUTO_REPLY_HEADERS)
    )
