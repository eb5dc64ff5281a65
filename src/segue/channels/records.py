"""What each provider answered last, since the program began: enough to see whether it works.

Only the last success and the last failure are kept, and numbers; the log has the rest.
"""

from typing import Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from segue.channels.sender import Accepted, Answer, Refused, TryLater, Unknown
from segue.clock import Clock
from segue.model.limits import PROVIDER_DETAIL_LENGTH_MAX

FailureKind = Literal["refused", "later", "unknown"]


class ProviderRecord(Struct, frozen=True):
    """A provider's last answers; instants are None of what has not happened."""

    accepted_count: int = 0
    accepted_at: int | None = None
    failed_count: int = 0
    failed_at: int | None = None
    failure: str = ""  # what it answered then
    failure_kind: FailureKind = "refused"


class ProviderRecords:
    """Records by provider. Names come from the program, so there are only so many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, ProviderRecord] = {}

    def of(self, provider: str) -> ProviderRecord:
        """Return the record of a provider."""
        return self._records.get(provider, ProviderRecord())

    def note(self, provider: str, answer: Answer) -> None:
        """Take an answer in. One that was given without asking the provider is none."""
        before = self.of(provider)
        match answer:
            case Accepted():
                self._records[provider] = replace(
                    before,
                    accepted_count=before.accepted_count + 1,
                    accepted_at=self._clock.now(),
                )
            case Refused():
                self._fail(provider, "refused", answer.detail)
            case TryLater(was_asked=True):
                self._fail(provider, "later", answer.detail)
            case TryLater():
                return
            case Unknown():
                self._fail(provider, "unknown", answer.detail)
            case _:
                assert_never(answer)

    def _fail(self, provider: str, kind: FailureKind, detail: str) -> None:
        before = self.of(provider)
        self._records[provider] = replace(
            before,
            failed_count=before.failed_count + 1,
            failed_at=self._clock.now(),
            failure=detail[:PROVIDER_DETAIL_LENGTH_MAX],
            failure_kind=kind,
        )
