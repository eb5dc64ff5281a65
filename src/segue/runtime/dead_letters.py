"""The messages that failed and may be tried again, as the log has made them: a bounded list.

A message comes here from the outbox, and goes back there when a person has it tried again.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from segue.model.effects import Deliver
from segue.model.events import SendSettled
from segue.model.limits import DEAD_LETTER_LIFE_MAX, DEAD_LETTERS_MAX
from segue.model.reasons import MENDABLE, Mendable
from segue.runtime.kept import Kept
from segue.storage.outbox_items import DeadLetter, OutboxItem

_BY_NAME: Final[dict[str | None, Mendable]] = {reason: reason for reason in MENDABLE}


class DeadLetters:
    """The newest of them, in the order in which they failed."""

    def __init__(self, letters: Iterable[DeadLetter] = ()) -> None:
        self._kept = Kept((letter.key, letter) for letter in letters)
        self._claimed: set[str] = set()

    def __len__(self) -> int:
        return len(self._kept.items)

    def newest(self, now: int) -> list[DeadLetter]:
        """Return those that are not too old by an instant, the newest first."""
        oldest = now - DEAD_LETTER_LIFE_MAX
        return [one for one in reversed(self._kept.items.values()) if one.settled_at >= oldest]

    def find(self, key: str) -> DeadLetter | None:
        """Return a letter by its key."""
        return self._kept.items.get(key)

    def settled(self, item: OutboxItem, settled: SendSettled, now: int) -> None:
        """Keep a message that has come to its end, if a person can mend why it did not go out."""
        reason = _BY_NAME.get(settled.reason)
        if settled.settled_as == "accepted" or reason is None:
            return
        deliver = replace(item.deliver, channels=[item.channel])
        ended = replace(item, deliver=deliver, is_attempted=False)
        self.put(DeadLetter(ended, now, reason, settled.detail or ""))
        self.prune(now)

    def put(self, letter: DeadLetter) -> None:
        """Keep a letter; one that is there already stays in its place."""
        self._kept.put(letter.key, letter)

    def remove(self, key: str) -> None:
        """Let go of a letter: it is tried again, or nobody wants it any more."""
        self._kept.remove(key)

    def forget(self, user_id: str) -> None:
        """Let go of a user's letters."""
        for letter in list(self._kept.items.values()):
            if letter.item.deliver.user_id == user_id:
                self.remove(letter.key)

    def prune(self, now: int) -> None:
        """Let go of the oldest, as far as they are too many or too old."""
        for letter in list(self._surplus(now)):
            self.remove(letter.key)

    def _surplus(self, now: int) -> Iterable[DeadLetter]:
        left = len(self._kept.items)
        for letter in self._kept.items.values():
            if left <= DEAD_LETTERS_MAX and letter.settled_at >= now - DEAD_LETTER_LIFE_MAX:
                return
            left -= 1
            yield letter

    def claim(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return those that nobody else is about to retry or dismiss; they are the caller's."""
        free = [one for one in letters if one.key not in self._claimed]
        free = [one for one in free if self.find(one.key) is not None]
        self._claimed.update(one.key for one in free)
        return free

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Give letters back that were claimed, whatever has become of them."""
        self._claimed.difference_update(one.key for one in letters)

    def begin_writing(self, now: int) -> tuple[list[DeadLetter], list[str]]:
        """Return the letters to write and the keys to delete."""
        self.prune(now)
        return self._kept.begin_writing()

    def end_writing(self, is_written: bool) -> None:
        """Forget what was written; after a failure it is written again."""
        self._kept.end_writing(is_written)


def send_again(letter: DeadLetter, may_double: bool) -> Deliver:
    """Return the message as it is to be handed over again.

    Devices of which nobody knows whether they have the push are asked again if it may double.
    """
    tried = letter.item.tried
    if may_double:
        tried = replace(tried, unknown=[])
    return replace(letter.item.deliver, tried=tried)
