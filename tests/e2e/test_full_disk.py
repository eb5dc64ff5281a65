"""A disk that fills up under a server: it says so, loses nothing, and goes on with new room."""

import json
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.support.commands import run_segue
from tests.support.documents import webhook_campaign
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

ALLOWED = {"SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]'}
TIGHT = 900_000  # bytes: what the files take at the start, and a few blocks more
FILLER = "".join(chr(0x4E00 + number) for number in range(8_000))


@contextmanager
def bounded_files(data: Path) -> Iterator[tuple[SegueServer, Callable[[], None]]]:
    """Give a server whose files may not grow beyond a size, and what lifts that.

    Needs nothing of the machine. SQLite takes it for a disk that fails to write.
    """
    with SegueServer(data, **ALLOWED) as server:
        _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (TIGHT, most))
        yield server, lambda: resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def small_disk(data: Path) -> Iterator[tuple[SegueServer, Callable[[], None]]]:
    """Give a server whose folder is a disk of its own, in a namespace, and what enlarges it."""
    data.mkdir(parents=True)
    mount = f"mount -t tmpfs -o size={4 * TIGHT} none '{data}'"
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            [*namespace, "sh", "-c", mount], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this machine gives nobody a namespace to mount in")
    within = [*namespace, "sh", "-c", f'{mount} && exec "$@"', "sh"]

    def enlarge() -> None:
        inside = ["nsenter", "--target", str(server.pid), "--user", "--mount"]
        again = ["mount", "-o", "remount,size=64m", str(data)]
        subprocess.run([*inside, "--preserve-credentials", *again], check=True)

    with SegueServer(data, within=within, **ALLOWED) as server:
        yield server, enlarge


def send(server: SegueServer, name: str, filler: str = "") -> httpx2.Response:
    event = {"id": name, "user_id": name, "name": "go", "properties": {"filler": filler + name}}
    return server.api.post("/api/v1/events", json={"events": [event]})


@pytest.mark.parametrize("disk", [bounded_files, small_disk])
def test_a_full_disk_refuses_in_words_and_loses_nothing_acknowledged(
    tmp_path: Path, disk: Callable[[Path], Iterator[tuple[SegueServer, Callable[[], None]]]]
) -> None:
    data = tmp_path / "data"
    with webhook_receiver() as receiver, disk(data) as (server, make_room):
        server.create(webhook_campaign("welcome", receiver.url, {"event": "go"}))
        server.publish("welcome")
        acknowledged: list[str] = []
        filler = FILLER
        while filler or server.api.get("/readyz").status_code == 200:
            name = f"e{len(acknowledged)}"
            if (answer := send(server, name, filler)).status_code == 202:
                acknowledged.append(name)
            else:
                filler = ""  # to where not even the smallest finds room
        assert answer.status_code in (503, 507), answer.text
        assert answer.headers["Retry-After"] == "5"
        assert "segue.db" in answer.json()["detail"]
        assert "Make room" in answer.json()["detail"]
        assert server.api.get("/readyz").status_code == 503
        assert server.api.get("/healthz").status_code == 200
        assert "segue_log_writable 0.0" in server.api.get("/metrics").text
        assert server.timeline("e0")  # what is there can be read

        make_room()
        eventually(lambda: server.api.get("/readyz").status_code == 200, "readiness")
        refused = f"e{len(acknowledged)}"
        assert send(server, refused).json()["accepted"] == 1
        acknowledged.append(refused)
        eventually(lambda: len(receiver.requests) >= len(acknowledged), "the sends")
        assert sorted(json.loads(body)["user"] for *_, body in receiver.requests) == sorted(
            acknowledged
        )
        eventually(lambda: ("send", None) in server.decisions(refused, "welcome"), "the outcome")
    if disk is bounded_files:  # the other disk is gone with its server
        lines = [json.loads(line) for line in run_segue("log", "--data", data).splitlines()]
        assert sorted(line["id"] for line in lines if "id" in line) == sorted(acknowledged)
        assert json.loads(run_segue("replay", "--json", "--data", data))["is_equal"]
