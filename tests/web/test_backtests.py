"""`/api/v1/backtests` on a real server: begun, asked for, cancelled, refused."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

BACKTESTS = "/api/v1/backtests"


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("backtests") / "data") as server:
        server.create(document("first"))
        server.publish("first")
        for name in ("ann", "bob"):
            server.event(name, "go")
        yield server


@pytest.fixture
def api(segue: SegueServer) -> httpx2.Client:
    return segue.api


def document(slug: str, **more: Any) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [{"event": "go"}]}
    messages = [{"email": {"subject": "Hi", "text": "Hi"}}]
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": messages, **more}


def begun(api: httpx2.Client, **body: Any) -> str:
    answer = api.post(BACKTESTS, json={"document": document("draft"), **body})
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "running"
    return str(answer.json()["id"])


def ended(api: httpx2.Client, backtest: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        answer = api.get(f"{BACKTESTS}/{backtest}")
        assert answer.status_code == 200, answer.text
        job = dict(answer.json())
        return job if job["status"] != "running" else None

    return dict(eventually(find, "the end of the backtest"))


def test_a_draft_is_run_over_the_log_while_the_server_serves(
    segue: SegueServer, api: httpx2.Client
) -> None:
    job = ended(api, begun(api))
    assert (job["status"], job["campaign"], job["error"]) == ("done", "draft", None)
    result = job["result"]
    assert (result["totals"]["entered"], result["totals"]["sent"]) == (2, 2)
    assert job["progress"] == {"done": result["entries"], "total": result["entries"]}
    assert {one["user_id"] for one in result["examples"]} == {"ann", "bob"}
    segue.event("eve", "go")
    assert ended(api, begun(api, examples=0))["result"]["totals"]["entered"] == 3
    assert api.get("/api/v1/campaigns/draft").status_code == 404


def test_it_begins_where_it_is_told_to(api: httpx2.Client) -> None:
    first = ended(api, begun(api))["result"]
    later = ended(api, begun(api, since=first["until"]))["result"]
    assert later["since"] == first["until"]
    assert later["totals"]["entered"] <= 1


def test_a_running_one_can_be_cancelled_and_one_that_has_ended_stays(api: httpx2.Client) -> None:
    backtest = begun(api)
    assert api.delete(f"{BACKTESTS}/{backtest}").status_code == 204
    assert ended(api, backtest)["status"] == "cancelled"
    done = begun(api)
    ended(api, done)
    assert api.delete(f"{BACKTESTS}/{done}").status_code == 204
    assert ended(api, done)["status"] == "done"


def test_more_than_may_run_at_once_are_told_to_come_back(api: httpx2.Client) -> None:
    running = [begun(api), begun(api)]
    answer = api.post(BACKTESTS, json={"document": document("draft")})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert [ended(api, one)["status"] for one in running] == ["done", "done"]


def test_what_is_wrong_is_said_at_once(api: httpx2.Client) -> None:
    follows = {"interact_with_campaign": {"campaign": "firsts", "interaction": "email_receive"}}
    wrong = document("draft", delivery={"triggers": [follows]})
    answer = api.post(BACKTESTS, json={"document": wrong})
    assert answer.status_code == 422
    assert 'did you mean "first"' in answer.json()["errors"][0]["message"]
    answer = api.post(BACKTESTS, json={"document": document("draft"), "since": "yesterday"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "since"
    assert api.get(f"{BACKTESTS}/none").status_code == 404
    assert api.delete(f"{BACKTESTS}/none").status_code == 404


def test_what_only_the_log_can_tell_is_said_by_the_backtest(api: httpx2.Client) -> None:
    job = ended(api, begun(api, since="2999-01-01T00:00:00Z"))
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["problems"][0]["path"] == "since"
    assert "after the end of the log" in job["error"]
