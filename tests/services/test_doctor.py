"""What the doctor finds: of settings, the folder, its files, the clock, channels, a server."""

import fcntl
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from segue.clock import FixedClock
from segue.model.campaigns import Campaign, CustomEvent, Delivery, Trigger
from segue.model.instants import DAY, HOUR, MINUTE, parse_instant
from segue.model.log_records import Block, TimeAdvanced
from segue.model.messages import Email, Message
from segue.services import doctor_files
from segue.services.doctor import examine
from segue.services.findings import Finding, is_well
from segue.services.settings import read_settings
from segue.services.shown_settings import shown_settings
from segue.storage.hold_ports import StoredHold
from segue.storage.open import open_stores
from segue.storage.ports import StoredCampaign
from tests.support.http_server import QuietHandler, serving

NOW = parse_instant("2026-11-25T12:00:00Z")


def findings(data: Path, now: int = NOW, **settings: Any) -> dict[str, Finding]:
    flags = {"data": str(data), "port": 1, **settings}
    found = examine(read_settings(data.parent, {}, flags), FixedClock(now))
    return {one.name: one for one in found}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of a server that has ended."""
    with open_stores(tmp_path / "data") as stores:
        stores.journal.append(Block(1, 0, [TimeAdvanced(NOW)]))
    return tmp_path / "data"


def test_a_folder_that_is_well_has_nothing_broken(data: Path) -> None:
    found = findings(data)
    assert is_well(list(found.values()))
    assert found["integrity"].detail.endswith("1 of 1 blocks are behind the last checkpoint")
    assert [one.name for one in found.values() if one.state == "warn"] == ["accounts"]
    assert found["channel email"].detail == (
        "no provider is set up, and no active campaign needs one"
    )


def test_before_the_first_start_nothing_is_broken_and_nothing_is_made(tmp_path: Path) -> None:
    found = findings(tmp_path / "data")
    assert is_well(list(found.values()))
    assert "the first `segue serve` makes it" in found["data folder"].detail
    assert not (tmp_path / "data").exists()


def cut_off(data: Path) -> None:
    path = data / "segue.db"
    path.write_bytes(path.read_bytes()[:-1])


def overwrite(data: Path) -> None:
    (data / "state.db").write_bytes(b"no database" * 100)


def spoil(data: Path) -> None:
    path = data / "state.db"
    path.write_bytes(path.read_bytes()[:-1024] + b"\xa5" * 1024)


def open_to_others(data: Path) -> None:
    data.chmod(0o755)


def write_newer(data: Path) -> None:
    _set_version(data, 99)


def write_older(data: Path) -> None:
    _set_version(data, 1)


def _set_version(data: Path, version: int) -> None:
    connection = sqlite3.connect(data / "segue.db")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def lose_log(data: Path) -> None:
    with open_stores(data) as stores:
        for seq in (2, 3):
            stores.journal.append(Block(seq, seq - 1, [TimeAdvanced(NOW)]))
        stores.journal.forget_log(1, 3)


@pytest.mark.parametrize(
    ("harm", "name", "state", "detail", "remedy"),
    [
        (cut_off, "integrity", "fail", "its end is missing", "segue db restore"),
        (overwrite, "database", "fail", "not a database", "segue db restore"),
        (spoil, "integrity", "fail", "state.db", "segue db rebuild"),
        (open_to_others, "data folder", "warn", "may be entered by others", "chmod 700"),
        (write_newer, "segue.db", "fail", "written by a newer Segue", "Update Segue"),
        (write_older, "segue.db", "warn", "this Segue writes format", "make a backup first"),
        (lose_log, "integrity", "fail", "begins with block 3", ""),
    ],
)
def test_what_is_wrong_with_a_folder_is_told_with_its_remedy(
    data: Path, harm: Callable[[Path], None], name: str, state: str, detail: str, remedy: str
) -> None:
    harm(data)
    found = findings(data)[name]
    assert found.state == state
    assert detail in found.detail
    assert remedy in found.remedy


@pytest.mark.parametrize(("free", "state"), [(1 << 40, "ok"), (500 << 20, "warn"), (1, "fail")])
def test_a_disk_that_fills_up_is_told_before_it_is_full(
    data: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    monkeypatch.setattr(doctor_files.shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free))
    assert findings(data)["disk"].state == state


class Usage(tuple[int, int, int]):
    """What `shutil.disk_usage` gives."""

    def __new__(cls, *numbers: int) -> "Usage":
        return super().__new__(cls, numbers)  # type: ignore[type-var]

    total = property(lambda self: self[0])
    free = property(lambda self: self[2])


@pytest.mark.parametrize(
    ("now", "state", "detail"),
    [
        (NOW + DAY, "ok", "2026-11-26"),
        (NOW - MINUTE, "warn", "1m ahead of it"),
        (NOW - 2 * HOUR, "fail", "2h ahead of it"),
        (0, "fail", "ahead of it"),
    ],
)
def test_a_clock_that_went_back_is_told_by_the_log(
    data: Path, now: int, state: str, detail: str
) -> None:
    found = findings(data, now)["clock"]
    assert (found.state, detail in found.detail) == (state, True)


def test_a_clock_that_never_was_set_is_told_without_a_log(tmp_path: Path) -> None:
    open_stores(tmp_path / "data").close()
    assert findings(tmp_path / "data", 0)["clock"].state == "fail"


def test_active_campaigns_without_a_provider_are_told(data: Path) -> None:
    document = Campaign(
        slug="welcome",
        name="Welcome",
        delivery=Delivery(triggers=[Trigger(event=CustomEvent("came"))]),
        messages=[Message(email=Email(subject="Hello", text="Hello"))],
    )
    campaign = StoredCampaign("id-1", document, "active", 1, 1, 1, 1)
    with open_stores(data) as stores:
        stores.journal.save_campaign(campaign)
        draft = replace(document, slug="draft")
        stores.journal.save_campaign(StoredCampaign("id-2", draft, "draft", 0, 1, 1))
    found = findings(data)["channel email"]
    assert found.state == "warn"
    assert found.detail.endswith("messages of 1 active campaigns are refused: welcome")
    assert "smtp_url" in found.remedy
    channels = {"email": {"smtp_url": "smtp://user:word@mail.test:25"}}
    assert findings(data, channels=channels)["channel email"].state == "ok"  # nobody is asked


def test_a_provider_that_cannot_be_set_up_is_told(data: Path) -> None:
    fcm = {"service_account_file": str(data / "nowhere.json")}
    found = findings(data, channels={"push": {"fcm": fcm}})["channels"]
    assert found.state == "fail"
    assert "nowhere.json" in found.detail


def test_a_hold_and_phones_for_everybody_are_told(data: Path) -> None:
    with open_stores(data) as stores:
        stores.journal.hold.put(StoredHold(NOW, "ann@shop.test"))
    found = findings(data, channels={"to_phone": "everybody"})
    assert "by ann@shop.test" in found["sending"].detail
    assert found["phones"].state == "warn"


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({}, "ok"),
        ({"host": "0.0.0.0"}, "warn"),
        ({"host": "0.0.0.0", "public_url": "http://shop.test"}, "warn"),
        ({"host": "0.0.0.0", "public_url": "https://shop.test"}, "ok"),
    ],
)
def test_addresses_that_readers_cannot_follow_are_told(
    data: Path, settings: dict[str, Any], state: str
) -> None:
    assert findings(data, **settings)["addresses"].state == state


@pytest.mark.parametrize(
    ("status", "body", "state", "detail"),
    [
        (200, {"status": "ready"}, "ok", "is ready at"),
        (503, {"detail": "the disk is full"}, "fail", "the disk is full"),
        (404, None, "fail", "is it another program?"),
        (0, None, "warn", "does not answer at"),
    ],
)
def test_a_server_that_has_the_folder_open_is_asked_how_it_is(
    data: Path, status: int, body: Any, state: str, detail: str
) -> None:
    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
            self.send_response(status)
            content = json.dumps(body).encode() if body is not None else b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with (data / "lock").open("r+b") as lock, serving(Handler) as origin:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate()
        lock.write(b"4711\n")
        lock.flush()
        port = int(origin.rpartition(":")[2]) if status else 1
        found = findings(data, port=port)["server"]
    assert (found.state, detail in found.detail) == (state, True), found
    assert "process 4711" in found.detail


def test_settings_are_shown_without_their_secrets(tmp_path: Path) -> None:
    variables = {
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": "smtp://user:word@mail.test:25",
        "SEGUE_CHANNELS__EMAIL__MAILGUN__SIGNING_KEY": "signing-key-of-mailgun",
        "SEGUE_CHANNELS__SMS__HTTP__URL": "https://sms.test/key-of-sms/send",
        "SEGUE_CHANNELS__SMS__HTTP__HEADERS": '{Authorization = "Bearer bearer-of-sms"}',
        "SEGUE_SDK__IDENTITY_SECRET": "secret-of-identity",
        "SEGUE_PUBLIC_URL": "https://user:pass-of-url@shop.test",
    }
    shown = shown_settings(read_settings(tmp_path, variables, {}))
    assert shown["channels.email.smtp_url"] == "smtp://***@mail.test:25"
    assert shown["public_url"] == "https://***@shop.test"
    text = str(shown)
    for secret in ("word", "signing-key", "key-of-sms", "bearer-of", "secret-of", "pass-of"):
        assert secret not in text, secret
    assert sys.getsizeof(text) < 10_000
