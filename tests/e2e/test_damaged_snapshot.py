"""A snapshot that was cut in half: the server builds it anew, and sends nothing twice."""

from pathlib import Path

import pytest
from tests.support.documents import webhook_campaign
from tests.support.receiver import webhook_receiver
from tests.support.servers import SegueServer, eventually

from segue.services.database_check import check_database

pytestmark = pytest.mark.slow

ALLOWED = {"SEGUE_CHANNELS__WEBHOOK__ALLOW_PRIVATE_ADDRESSES": '["127.0.0.0/8"]'}
USERS = [f"u{number}" for number in range(30)]


def test_half_a_snapshot_is_built_anew_from_the_log_and_nothing_goes_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = SegueServer(data, **ALLOWED)
    with webhook_receiver() as receiver, server:
        server.create(webhook_campaign("welcome", receiver.url, {"event": "came"}))
        follows = {"interact_with_campaign": {"campaign": "welcome", "interaction": "conversion"}}
        server.create(webhook_campaign("later", receiver.url, follows, delay={"after": "1d"}))
        for slug in ("later", "welcome"):
            server.publish(slug)
        events = [{"user_id": user, "name": "came"} for user in USERS]
        assert server.api.post("/api/v1/events", json={"events": events}).status_code == 202
        eventually(lambda: len(receiver.requests) == len(USERS), "the sends")
        server.event("u1", "purchase", product_id="x")
        assert server.stop() == 0
        before = check_database(data, is_deep=True, progress=lambda *_: None)
        path = data / "state.db"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        server.start()
        assert server.decisions("u1", "welcome") == [
            ("enter", None),
            ("send", None),
            ("convert", None),
        ]
        assert server.decisions("u1", "later") == [("enter", None)]
        waiting = server.api.get("/api/v1/campaigns/later/waiting").json()
        assert [one["user_id"] for one in waiting["data"]] == ["u1"]
        assert server.stop() == 0
    assert (data / "state.db.damaged").exists()
    assert "built anew from the log" in (data / "stderr.txt").read_text()
    after = check_database(data, is_deep=True, progress=lambda *_: None)
    assert [one.state for one in before + after] == ["ok"] * 12
    assert after[-1].detail == before[-1].detail  # as many counters, and each as the log says
    assert len(receiver.requests) == len(USERS)
