"""`segue doctor` as a person runs it: beside a server, and on settings that are no good."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.commands import run_segue, segue
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow


def test_beside_a_running_server_everything_is_looked_at_and_nothing_changed(
    tmp_path: Path,
) -> None:
    with SegueServer(tmp_path / "data") as server:
        port = str(urlsplit(server.url).port)
        told = json.loads(run_segue("doctor", "--json", "--data", server.data, "--port", port))
        assert server.api.get("/readyz").status_code == 200
    found = {one["name"]: one for one in told["findings"]}
    assert told["is_well"]
    assert told["settings"]["port"] == int(port)
    assert f"is ready at http://127.0.0.1:{port}/readyz" in found["server"]["detail"]
    assert found["integrity"]["state"] == "ok"


def test_settings_that_are_no_good_are_told_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('port = "many"\n')
    done = segue("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("fail  settings: port: ")
    assert "segue.toml" in done.stdout
