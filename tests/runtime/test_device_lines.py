"""Devices in the log as lines: written, read again, and decided about as they were."""

import msgspec
import pytest

from segue.model.devices import Device, WebPushKeys
from segue.model.events import DeviceChanged, SendSettled
from segue.model.instants import parse_instant
from segue.model.log_records import Block, DevicesChanged, Record, SendsSettled
from segue.runtime.in_memory import Sends
from segue.runtime.line_records import LineRecords, Project
from segue.runtime.lines import DeviceLine, accepted_at, lines_of, read_line
from segue.runtime.offline import OfflineRun
from tests.support.story import Story, campaign

AT = parse_instant("2026-11-01T10:00:00Z")
BROWSER = Device("browser", "web", "https://push.test/1", WebPushKeys("p", "a"))


def read_again(record: Record) -> list[Record | None]:
    """Return the records that a run makes of the lines of a record."""
    records = LineRecords({}, "recorded")
    found = []
    for fields in lines_of(Block(1, 0, [record])):
        line = read_line(msgspec.json.encode(fields))
        assert line is not None
        found.append(records.of(line, accepted_at(line, 0)))  # type: ignore[arg-type]
    return found


def test_devices_come_out_of_their_lines_as_they_went_in() -> None:
    changes = [
        DeviceChanged("ada", BROWSER),
        DeviceChanged("bob", Device("phone", "ios", "ab" * 32), is_removed=True),
    ]
    assert read_again(DevicesChanged(AT, changes)) == [DevicesChanged(AT, [one]) for one in changes]


@pytest.mark.parametrize("dead", [[], ["t1", "t2"]])
def test_dead_tokens_come_out_of_an_outcomes_line(dead: list[str]) -> None:
    settled = SendSettled("ada", "c", "s", "push", "accepted", dead_tokens=dead)
    (line,) = lines_of(Block(1, 0, [SendsSettled(AT, [settled])]))
    assert ("dead_tokens" in line) is bool(dead)
    assert read_again(SendsSettled(AT, [settled])) == [SendsSettled(AT, [settled])]


def test_a_line_as_a_person_writes_one_is_read() -> None:
    text = (
        b'{"user_id":"ada","device":{"id":"d","platform":"android","token":"t"},'
        b'"time":"2026-11-01T10:00:00Z"}'
    )
    line = read_line(text)
    assert isinstance(line, DeviceLine)
    assert line.device == Device("d", "android", "t")
    assert accepted_at(line, 0) == AT


def test_an_event_that_only_speaks_of_a_device_is_an_event() -> None:
    line = read_line(b'{"user_id":"ada","name":"seen","properties":{"device":"phone"}}')
    assert not isinstance(line, DeviceLine)


@pytest.mark.parametrize(
    "device",
    [
        b'{"id":"d","platform":"pager"}',
        b'{"platform":"ios"}',
        b'{"id":"","platform":"ios"}',
        b'{"id":"d","platform":"ios","tokens":"t"}',
        b'{"id":"d","platform":"ios","token":"' + b"t" * 5_000 + b'"}',
    ],
)
def test_a_line_with_no_device_in_it_is_refused(device: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_line(b'{"user_id":"ada","device":' + device + b"}")


@pytest.mark.parametrize("sends", ["accepted", "recorded"])
def test_a_run_keeps_devices_and_goes_on_from_a_checkpoint_with_them(sends: Sends) -> None:
    run = OfflineRun(Project(), sends=sends)
    lines = [
        b'{"user_id":"ada","device":{"id":"d","platform":"android","token":"t"}}',
        b'{"user_id":"ada","device":{"id":"e","platform":"android","token":"u"}}',
    ]
    run.feed(line for text in lines if (line := read_line(text)) is not None)
    packed = msgspec.msgpack.encode(run.checkpoint())
    again = msgspec.msgpack.decode(packed, type=type(run.checkpoint()))
    assert [device.token for device in again.states["ada"].devices] == ["t", "u"]


def test_in_a_run_a_user_without_a_device_is_taken_as_reachable() -> None:
    """interface.md, "The log"."""
    story = Story(campaign("hello", {"event": "go"})).publish("hello").happens("ada", "go")
    assert story.of("ada", "hello") == ["enter", "send"]
