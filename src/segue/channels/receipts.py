"""What somebody outside reports of a message that we sent: a provider's webhook, a returned mail.

Whoever reads such reports makes a `Receipt` of each that is of use; services/receipts.py takes it
from there. A message is named by the token in its Message-ID (decision 0023).
"""

import re
from typing import Final, Literal

from msgspec import Struct

from segue.model.limits import RECEIPT_DETAIL_LENGTH_MAX, RECEIPT_LINK_LENGTH_MAX

# The plain acts that can be reported of an email.
ReceiptAct = Literal[
    "email_delivered",
    "email_bounce",  # hard: no message will ever arrive at this address
    "email_spam_report",
    "email_open",
    "email_click",
    "email_unsubscribe",
]

# RFC 3463: these speak of the recipient's address; 5.1.7 and 5.1.8 of the sender's. 5.7.x is
# about us or the content: taking it for a dead address would empty a list in an hour.
_DEAD_ADDRESS: Final = re.compile(r"5\.1\.(?:0|1|2|3|4|6|10)\b|5\.2\.1\b")
# Temporary, a full mailbox, a mail too large, the sender's address, the content, a policy.
_LIVE_ADDRESS: Final = re.compile(r"4\.\d|5\.1\.[78]\b|5\.2\.[23]\b|5\.3\.4\b|5\.[67]\.\d")
_STATUS: Final = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)")


class Receipt(Struct, frozen=True):
    """One report of one message."""

    act: ReceiptAct
    token: str  # what names the message; see `token_of`
    id: str  # the reporter's own id of this report: a repeated one is harmless
    at: int | None = None  # the instant, by the reporter's word; None: when it is taken
    link: str | None = None  # of a click
    machine: bool | None = None  # of an open
    detail: str = ""  # what the mail server said, for people


def make_receipt(
    act: ReceiptAct,
    token: str,
    report_id: str,
    at: int | None = None,
    *,
    link: str | None = None,
    machine: bool | None = None,
    detail: str = "",
) -> Receipt:
    """Return a receipt of a reporter's words, which may be of any length."""
    if link is not None and len(link) > RECEIPT_LINK_LENGTH_MAX:
        link = None
    detail = " ".join(detail[: 4 * RECEIPT_DETAIL_LENGTH_MAX].split())
    return Receipt(act, token, report_id, at, link, machine, detail[:RECEIPT_DETAIL_LENGTH_MAX])


def token_of(message_id: str) -> str:
    """Return the token in a Message-ID, with or without its angle brackets; "" if it has none."""
    token, at_sign, _domain = message_id.strip().removeprefix("<").partition("@")
    return token if at_sign else ""


def is_address_dead(status: str) -> bool | None:
    """Return what an enhanced status code (RFC 3463) says of the address; None: nothing.

    Such as 5.1.1. What stands behind the code does not matter.
    """
    if _DEAD_ADDRESS.match(status):
        return True
    return False if _LIVE_ADDRESS.match(status) else None


def status_in(text: str) -> str:
    """Return the first enhanced status code in what a mail server said; "" if there is none."""
    found = _STATUS.search(text[:1_000])
    return found[0] if found else ""
