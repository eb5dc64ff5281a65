"""Users are found by their present addresses, through checkpoints, crashes and erasure."""

from typing import Any

import pytest

from segue.model.events import AttributeChange
from segue.model.instants import parse_instant
from segue.model.log_records import UserErased
from segue.runtime import address_index
from segue.storage.ports import Checkpoint
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
PHONE = "+32470123456"


async def started() -> LiveRuntime:
    live = LiveRuntime(START)
    await live.start()
    return live


async def learn(live: LiveRuntime, **users: dict[str, Any]) -> None:
    changes = [AttributeChange(user_id, attributes) for user_id, attributes in users.items()]
    await live.runtime.ingest.take_attributes(changes)
    await live.settle()


def with_phone(live: LiveRuntime, after: str = "", limit: int = 100) -> list[str]:
    return live.runtime.checkpoints.addresses.users_with("sms", PHONE, after, limit)


PAUSES = ["none", "checkpoint", "stop", "crash", "checkpoint, crash"]


async def pause_of(live: LiveRuntime, pause: str) -> None:
    if "checkpoint" in pause:
        await live.checkpoint()
    if pause == "stop":
        await live.stop()
    if "crash" in pause:
        await live.crash()
    if pause not in ("none", "checkpoint"):
        await live.start()


@pytest.mark.parametrize("second", PAUSES)
@pytest.mark.parametrize("first", PAUSES)
async def test_an_address_is_that_of_who_has_it_now_also_after_a(first: str, second: str) -> None:
    live = await started()
    await learn(live, ann={"phone": PHONE}, bob={"phone": PHONE}, cat={"phone": "+32499999999"})
    await pause_of(live, first)
    assert with_phone(live) == ["ann", "bob"]
    await learn(
        live, ann={"phone": "+32488888888"}, cat={"phone": "+32 470 12.34.56"}, bob={"x": 1}
    )
    await pause_of(live, second)
    assert with_phone(live) == ["bob", "cat"]
    await live.stop()


@pytest.mark.parametrize("pause", PAUSES)
async def test_an_erased_user_is_found_no_more_also_after_a(pause: str) -> None:
    live = await started()
    await learn(live, ann={"phone": PHONE}, bob={"phone": PHONE})
    await pause_of(live, pause)
    await live.hand_in([UserErased(START, "ann")])
    assert with_phone(live) == ["bob"]
    await live.checkpoint()
    assert live.stores.snapshot.users_at("sms", PHONE) == ["bob"]
    await live.stop()


async def test_what_a_failed_checkpoint_did_not_write_is_found_and_written_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = await started()
    await learn(live, ann={"phone": PHONE})
    snapshot = live.stores.snapshot
    commit = snapshot.commit

    def full(checkpoint: Checkpoint) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(snapshot, "commit", full)
    with pytest.raises(OSError, match="no space"):
        await live.checkpoint()
    monkeypatch.setattr(snapshot, "commit", commit)
    assert with_phone(live) == ["ann"]
    await live.checkpoint()
    assert snapshot.users_at("sms", PHONE) == ["ann"]
    await live.stop()


async def test_users_who_share_an_address_are_told_page_by_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address_index, "_USERS_READ_MAX", 2)
    live = await started()
    users = [f"u{number}" for number in range(9)]
    await learn(live, **{user: {"phone": PHONE} for user in users if user not in ("u1", "u8")})
    await live.checkpoint()
    await learn(live, u1={"phone": PHONE}, u8={"phone": PHONE}, u2={"phone": None})
    told: list[str] = []
    while page := with_phone(live, told[-1] if told else "", 3):
        told += page
    assert told == [user for user in users if user != "u2"]
    await live.stop()
