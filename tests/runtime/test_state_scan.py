"""A scan sees all users as they are at its beginning, whatever happens to them meanwhile."""

from pathlib import Path
from random import Random

import pytest

from segue.model.events import AttributeChange
from segue.model.log_records import AttributesReceived, UserErased
from segue.model.state import UserState
from segue.runtime.state_scan import scan
from segue.storage.open import open_stores
from segue.storage.ports import Checkpoint
from tests.support.live import LiveRuntime

START = 1_000_000


def write(live: LiveRuntime, value: int, *users: str) -> AttributesReceived:
    changes = [AttributeChange(user, {"value": value}) for user in users]
    return AttributesReceived(live.clock.now(), changes)


class Seen:
    """What a scan came upon: a value by user, each once."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def visit(self, user_id: str, state: UserState) -> None:
        assert user_id not in self.values, f"{user_id} came twice"
        self.values[user_id] = state.attributes["value"]


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.runtime.state_scan.STATES_SCANNED_MAX", 3)
    monkeypatch.setattr("segue.storage.sqlite_snapshot._STATES_SCANNED_MAX", 5)


async def test_written_and_unwritten_states_are_seen_once() -> None:
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([write(live, 1, "ann", "bob")])
    await live.checkpoint()
    await live.hand_in([write(live, 2, "bob", "cat")])
    seen = Seen()
    assert await scan(live.runtime, seen.visit) == 3
    assert seen.values == {"ann": 1, "bob": 2, "cat": 2}
    await live.stop()


async def test_an_erased_user_is_not_seen() -> None:
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([write(live, 1, "ann", "bob")])
    await live.checkpoint()
    await live.hand_in([UserErased(live.clock.now(), "ann")])
    seen = Seen()
    await scan(live.runtime, seen.visit)
    assert seen.values == {"bob": 1}
    await live.stop()


@pytest.mark.usefixtures("few_at_a_time")
@pytest.mark.parametrize("is_on_disk", [False, True])
async def test_what_changes_during_a_scan_is_seen_as_it_was(
    is_on_disk: bool, tmp_path: Path
) -> None:
    """Changes, new users and checkpoints come between any two steps of the scan."""
    live = LiveRuntime(START)
    if is_on_disk:
        live.stores = open_stores(tmp_path)
    await live.start()
    users = [f"user-{number}" for number in range(40)]
    for seed in range(6):
        random = Random(seed)
        await live.hand_in([write(live, seed, *random.sample(users, 20))])
        await live.checkpoint()
        await live.hand_in([write(live, 100 + seed, *random.sample(users, 10))])
        states = live.runtime.states
        there = states.ids_between("", None)
        expected = {user: states.get(user).attributes["value"] for user in there}

        seen, happenings = Seen(), Happenings(live, random, users)
        count = await scan(live.runtime, seen.visit, happenings.come)
        assert (seen.values, count) == (expected, len(expected)), f"seed {seed}"
        assert happenings.count > 5
    await live.stop()
    live.stores.close()


class Happenings:
    """What comes in between: whenever a scan tells its progress, users change at once."""

    def __init__(self, live: LiveRuntime, random: Random, users: list[str]) -> None:
        self.count = 0
        self._states = live.runtime.states
        self._snapshot = live.stores.snapshot
        self._random = random
        self._users = users

    def come(self, done: int, total: int) -> None:
        """Change some users, known and new; now and then, write a checkpoint."""
        assert 0 < done <= total
        self.count += 1
        for user in [*self._random.sample(self._users, 4), f"new-{self._random.random()}"]:
            self._states.put(user, UserState(attributes={"value": -1}))
        if self._random.random() < 0.5:
            states, erased = self._states.begin_writing()
            position = self._snapshot.position()
            self._snapshot.commit(Checkpoint(position, states=states, erased=erased))
            self._states.end_writing(is_written=True)


async def test_a_failure_to_look_ends_the_scan_and_leaves_nothing_held() -> None:
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([write(live, 1, "ann")])

    def visit(user_id: str, _state: UserState) -> None:
        raise ValueError(user_id)

    with pytest.raises(ValueError, match="ann"):
        await scan(live.runtime, visit)
    with live.runtime.states.held() as view:
        assert list(view) == ["ann"]
    assert live.runtime.states._views == []
    await live.stop()
