"""What the world outside a simulated server saw: what it was told, and the messages it got."""

from collections import Counter
from collections.abc import Callable, Iterable

from segue.simulator.audit import Audit, BrokenError


class Witness:
    """Notes what is wrong at the moment it is seen; the world looks at `broken` after each step."""

    def __init__(self, audit: Audit) -> None:
        self.broken: str | None = None
        self.taken: Counter[str] = Counter()  # by message, and by device of a push
        self._audit = audit
        self._called: dict[str, int] = {}  # by message, for which of its attempts

    def check(self, look: Callable[[], None]) -> None:
        """Look at something, and note the first thing that is wrong with it."""
        try:
            look()
        except BrokenError as error:
            self.broken = self.broken or str(error)

    def acknowledged(self, what: str, marks: Iterable[tuple[str, str]]) -> None:
        """Take in that a call was acknowledged: all it brought must be in the log by now."""
        self._audit.catch_up()
        missing = [mark for mark in marks if mark not in self._audit.marks]
        if missing:
            user, mark = missing[0]
            raise BrokenError(f"{what} was acknowledged, and {mark} of {user} is not in the log")

    def called(self, key: str, due: int | None, now: int) -> None:
        """Take in that a message reached its provider, at an instant of the engine's time.

        `due` is when its send was due, if anybody decided on it.
        """
        self._audit.catch_up()
        message = self._audit.messages.get(key)
        if message is None or message.phase != "attempted":
            phase = "of no attempt" if message is None else message.phase
            raise BrokenError(f"{key} was handed over, and the log says it is {phase}")
        if self._called.get(key) == message.attempts:
            raise BrokenError(f"{key} was handed over twice for one attempt")
        self._called[key] = message.attempts
        if due is None:
            raise BrokenError(f"{key} was handed over, and nobody decided to send it")
        if now < due:
            raise BrokenError(f"{key} was handed over before it was due")

    def took(self, key: str, device: str = "") -> None:
        """Take in that a provider has a message for good."""
        name = f"{key}/{device}" if device else key
        may_double = self._audit.was_resent(key)
        if self.taken[name] and not may_double:
            raise BrokenError(f"{key} was taken twice, and its channel drops what is unknown")
        self.taken[name] += 1
        self.taken[key] += bool(device)

    def at_the_end(self) -> None:
        """Compare what providers have with what the log says they have."""
        for key, message in self._audit.messages.items():
            if message.settled_as == "accepted" and not self.taken[key]:
                raise BrokenError(f"{key} was accepted, the log says, and its provider has it not")
            is_refused = message.settled_as == "refused" and not key.endswith("/push")
            if is_refused and self.taken[key] and not self._audit.was_resent(key):
                raise BrokenError(f"{key} was refused, the log says, and its provider has it")
