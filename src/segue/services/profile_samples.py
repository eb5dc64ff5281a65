"""What attributes users have, and how often they are blank: of a bounded sample, kept a minute."""

from collections import Counter
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from segue.model.instants import MINUTE
from segue.model.limits import PROFILES_SAMPLED_MAX
from segue.model.state import UserState
from segue.runtime.phones import TEST_USER
from segue.runtime.runtime import Runtime

_KEPT_FOR: Final = MINUTE


class ProfileSample(Struct, frozen=True):
    """Some users, and the share of them in whom each attribute is blank."""

    user_ids: list[str]
    test_users: list[str]  # of those
    blank: dict[str, float]  # by attribute, those that most have first
    is_everybody: bool

    @property
    def words(self) -> str:
        """How many profiles were looked at."""
        count = len(self.user_ids)
        return f"all {count:,} profiles" if self.is_everybody else f"{count:,} profiles looked at"


class ProfileSamples:
    """The newest sample."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sample: ProfileSample | None = None
        self._taken_at = 0

    def get(self) -> ProfileSample:
        """Return a sample that is at most a minute old; one without users is taken anew."""
        now = self._runtime.clock.now()
        if (
            self._sample is None
            or not self._sample.user_ids
            or not 0 <= now - self._taken_at < _KEPT_FOR
        ):
            self._sample = _sample_of(self._states())
            self._taken_at = now
        return self._sample

    def _states(self) -> dict[str, UserState]:
        """Return the first users by their ids, as they are now, and one more than is sampled."""
        count = PROFILES_SAMPLED_MAX + 1
        stored: dict[str, UserState | None] = dict(self._runtime.snapshot.list_users("", count))
        with self._runtime.states.held() as changed:
            newest = sorted({**stored, **changed}.items())
        return dict(islice(((user, state) for user, state in newest if state is not None), count))


def is_blank(value: Any) -> bool:
    """Return whether Liquid's filter `default` would stand in for a value."""
    return value is None or value is False or value in ("", [], {})


def _sample_of(states: dict[str, UserState]) -> ProfileSample:
    users = list(states)[:PROFILES_SAMPLED_MAX]
    seen: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for user in users:
        attributes = states[user].attributes
        seen.update(attributes.keys())
        filled.update(name for name, value in attributes.items() if not is_blank(value))
    order = sorted(seen, key=lambda name: (-filled[name], name))
    blank = {name: 1 - filled[name] / len(users) for name in order}
    test_users = [user for user in users if states[user].attributes.get(TEST_USER) is True]
    return ProfileSample(users, test_users, blank, is_everybody=len(states) <= PROFILES_SAMPLED_MAX)
