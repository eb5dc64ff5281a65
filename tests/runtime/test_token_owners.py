"""A push token is one user's at a time, through restarts, crashes and failed commits."""

import asyncio
from collections.abc import Sequence

import pytest

from segue.errors import StorageFullError
from segue.model.devices import Device
from segue.model.events import DeviceChanged
from segue.model.instants import parse_instant
from segue.model.log_records import Block, UserErased
from segue.storage.ports import StoredCampaign
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")


def phone(user_id: str, token: str = "t", name: str = "phone", **more: bool) -> DeviceChanged:
    return DeviceChanged(user_id, Device(name, "android", token), **more)


async def started() -> LiveRuntime:
    live = LiveRuntime(START)
    await live.start()
    return live


async def take(live: LiveRuntime, *changes: DeviceChanged) -> None:
    await live.runtime.ingest.take_devices(changes)
    await live.settle()


def tokens(live: LiveRuntime, user_id: str) -> list[str]:
    state = live.runtime.state_of(user_id)
    return [] if state is None else [device.token for device in state.devices]


@pytest.mark.parametrize("pause", ["none", "checkpoint", "stop", "crash", "checkpoint, crash"])
async def test_who_registers_a_token_takes_it_from_who_had_it_also_after_a(pause: str) -> None:
    live = await started()
    await take(live, phone("ada"), phone("ada", "other", "watch"))
    if "checkpoint" in pause:
        await live.checkpoint()
    if pause == "stop":
        await live.stop()
    if "crash" in pause:
        await live.crash()
    if pause not in ("none", "checkpoint"):
        await live.start()
    await take(live, phone("bob"))
    assert tokens(live, "ada") == ["other"]
    assert tokens(live, "bob") == ["t"]
    await live.stop()
    logged = [
        change
        for block in live.stores.journal.read_log()
        for record in block.records
        for change in getattr(record, "changes", [])
    ]
    assert logged[-2] == phone("ada", is_removed=True), "the taking is in ada's own history"


async def test_a_former_owner_with_a_newer_token_keeps_it() -> None:
    live = await started()
    await take(live, phone("ada"))
    await take(live, phone("ada", "newer"))
    await take(live, phone("bob"))
    assert tokens(live, "ada") == ["newer"]
    await live.stop()


async def test_of_two_who_register_a_token_at_once_the_later_one_has_it() -> None:
    live = await started()
    await take(live, phone("ada"), phone("bob"), phone("eve"))
    assert [tokens(live, user) for user in ("ada", "bob", "eve")] == [[], [], ["t"]]
    await live.stop()


async def test_a_token_that_was_let_go_of_is_taken_from_nobody() -> None:
    live = await started()
    await take(live, phone("ada"))
    await take(live, phone("ada", is_removed=True))
    await live.checkpoint()
    await take(live, phone("bob"))
    await take(live, phone("ada", is_removed=True))
    assert live.runtime.checkpoints.token_owners.owner_of("t") == "bob"
    await take(live, phone("bob", "", is_removed=True))
    assert tokens(live, "bob") == []
    await live.stop()


@pytest.mark.parametrize("is_written", [False, True])
async def test_of_an_erased_user_not_even_the_token_is_remembered(is_written: bool) -> None:
    live = await started()
    await take(live, phone("ada"))
    if is_written:
        await live.checkpoint()
    await live.hand_in([UserErased(START, "ada")])
    await live.checkpoint()
    assert live.runtime.checkpoints.token_owners.owner_of("t") is None
    assert live.stores.snapshot.token_owner("t") is None
    await live.stop()


async def test_a_registration_that_could_not_be_logged_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = await started()
    await take(live, phone("ada"))
    journal = live.stores.journal
    append = journal.append

    def full(block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(journal, "append", full)
    with pytest.raises(OSError, match="no space"):
        await take(live, phone("bob"))
    monkeypatch.setattr(journal, "append", append)
    await take(live, phone("bob"))
    assert [tokens(live, user) for user in ("ada", "bob")] == [[], ["t"]]
    await live.stop()


async def test_a_token_is_taken_from_who_has_it_though_a_registration_in_between_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Found by `segue simulate`: the taking was from bob, who never came to have it.
    live = await started()
    await take(live, phone("ada"))
    journal = live.stores.journal
    append, failures = journal.append, 1

    def full_once(block: Block, campaigns: Sequence[StoredCampaign] = ()) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StorageFullError("no space left")
        append(block, campaigns)

    monkeypatch.setattr(journal, "append", full_once)
    ingest = live.runtime.ingest
    bob, cy = await asyncio.gather(
        ingest.take_devices([phone("bob")]),
        ingest.take_devices([phone("cy")]),
        return_exceptions=True,
    )
    await live.settle()
    assert (type(bob), cy) == (StorageFullError, None)
    assert [tokens(live, user) for user in ("ada", "bob", "cy")] == [[], [], ["t"]]
    await live.stop()


async def test_a_checkpoint_before_a_registration_is_durable_does_not_forget_it() -> None:
    # Found by `segue simulate`: nothing else had changed, so nothing was written, and it was lost.
    live = await started()
    registering = asyncio.create_task(live.runtime.ingest.take_devices([phone("ada")]))
    await asyncio.sleep(0)
    await live.checkpoint()
    await registering
    await take(live, phone("bob"))
    assert [tokens(live, user) for user in ("ada", "bob")] == [[], ["t"]]
    await live.stop()
