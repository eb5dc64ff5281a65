"""Complaints: mails by which mailbox providers pass on that somebody pressed "spam"."""

from typing import Final, Literal

from segue.channels.mail_mime import Headers, Part

# RFC 5965 7.3 and its registry. The others tell of no person's wish: auth-failure, not-spam.
_COMPLAINTS: Final = ("abuse", "fraud", "virus", "other")
_OPT_OUTS: Final = ("opt-out", "opt-out-list", "unsubscribe")
# Outlook.com's complaints are no reports by RFC 5965: the mail attached, marked by a header.
_OUTLOOK_SENDERS: Final = ("staff@hotmail.com", "staff@outlook.com")
_OUTLOOK_MARK: Final = "X-HmXmrOriginalRecipient"


def read_complaint(
    mail: Part, fields: Headers
) -> Literal["email_spam_report", "email_unsubscribe"] | None:
    """Return what a complaint asks for; None if it is none."""
    kind = fields.get("Feedback-Type").lower()
    if kind in _COMPLAINTS or (not kind and _is_outlooks(mail)):
        return "email_spam_report"
    return "email_unsubscribe" if kind in _OPT_OUTS else None


def _is_outlooks(mail: Part) -> bool:
    sender = mail.headers.get("From").lower()
    return any(one in sender for one in _OUTLOOK_SENDERS) and any(
        returned.has(_OUTLOOK_MARK) for returned in mail.attached_mails()
    )
