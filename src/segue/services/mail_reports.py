"""Mails that report of ours become events: each is read, and its message found, as it is handed in.

The events are durable when `take` returns, so that whoever had the mail may let go of it then.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from segue.channels.mail_reports import MailOutcome, MailReader, MailReport, Name
from segue.channels.receipts import Receipt, make_receipt
from segue.content.tokens import TokenSigner, Tracked
from segue.model.limits import MAIL_REPORT_BYTES_MAX
from segue.services.receipts import Receipts

SOURCE: Final = "mail"
# Given a code of a return path, the message it stands for.
FindCode = Callable[[str], Tracked | None]


class MailTaken(Struct, frozen=True):
    """What became of a mail; "unmatched" reports of no mail of ours."""

    outcome: MailOutcome | Literal["unmatched"]
    accepted: int = 0
    duplicates: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether there is nothing in it for a person."""
        return self.outcome in ("reported", "no_failure", "soft_bounce", "no_complaint")


class MailReports:
    """The door for mails that come back."""

    def __init__(
        self, receipts: Receipts, signer: TokenSigner, find: FindCode, return_path: str | None
    ) -> None:
        self._receipts = receipts
        self._signer = signer
        self._find = find
        self._reader = MailReader(return_path)

    async def take(self, content: bytes) -> MailTaken:
        """Record what a mail reports; a second time it changes nothing.

        Raises:
            BusyError: more is waiting to be decided than memory should hold; hand it in later.
        """
        content = content[:MAIL_REPORT_BYTES_MAX]
        outcome, receipts = await asyncio.to_thread(self._read, content)
        if not receipts:
            self._receipts.note(SOURCE, outcome)
            return MailTaken(outcome)
        taken = await self._receipts.take(SOURCE, receipts)
        return MailTaken(outcome, taken.accepted, taken.duplicates)

    def note_unreadable(self) -> None:
        """Count a mail that could not be read at all, for those who operate the server."""
        self._receipts.note(SOURCE, "unreadable")

    def _read(self, content: bytes) -> tuple[MailOutcome | Literal["unmatched"], list[Receipt]]:
        reading = self._reader.read(content)
        receipts = [found for one in reading.reports if (found := self._receipt(one)) is not None]
        speaks_of_mails = reading.outcome not in ("auto_reply", "no_report")
        if speaks_of_mails and not receipts and not any(map(self._token, reading.names)):
            return "unmatched", []
        return reading.outcome, receipts

    def _receipt(self, report: MailReport) -> Receipt | None:
        for name in report.names:
            if (token := self._token(name)) is not None:
                return make_receipt(report.act, token, report.id, report.at, detail=report.detail)
        return None

    def _token(self, name: Name) -> str | None:
        is_code = name.kind == "code"
        found = self._find(name.text) if is_code else self._signer.read(name.text, "report")
        if found is None or found.kind != "report" or found.channel != "email":
            return None
        return self._signer.sign(found) if is_code else name.text
