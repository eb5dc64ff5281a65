"""`segue backtest`: beside a server, as a table and as JSON, and as `segue run` would decide."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow


def segue(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segue", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def document(slug: str, trigger: dict[str, Any], **more: Any) -> dict[str, Any]:
    delivery = {"type": "action", "triggers": [trigger], **more.pop("delivery", {})}
    messages = [{"email": {"subject": "Hi", "text": "Hi"}}]
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": messages, **more}


def clicked() -> dict[str, Any]:
    return {"interact_with_campaign": {"campaign": "sale", "interaction": "email_click"}}


DRAFT = document(
    "next",
    clicked(),
    delivery={"delay": {"after": "1h"}, "exceptions": [{"purchase": {}}]},
    re_eligibility="always",
    conversions=[{"event": "joined", "within": "1d"}],
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("backtest") / "data") as server:
        server.create(document("sale", {"event": "never"}))
        server.publish("sale")
        for name in ("ann", "bob", "eve"):
            server.event(name, "email_click", campaign="sale")
        server.event("bob", "purchase", product_id="x", price=3.0, currency="EUR")
        server.event("eve", "email_click", campaign="sale")
        server.event("eve", "joined")
        yield server


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "next.yaml"
    path.write_text(json.dumps(DRAFT))  # JSON is YAML
    return path


def test_a_draft_is_tried_while_a_server_has_the_folder_open(
    served: SegueServer, draft: Path
) -> None:
    done = segue("backtest", str(draft), "--data", str(served.data), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    totals = result["totals"]
    assert (totals["entered"], result["waiting"]) == (3, 2)
    assert totals["cancelled"] == {"exception_event": 1}
    assert totals["refused"] == {"already_waiting": 1}
    assert {one["decision"] for one in result["examples"]} == {"enter", "cancel", "refuse"}


def test_the_table_says_the_numbers_the_reasons_and_examples(
    served: SegueServer, draft: Path
) -> None:
    done = segue("backtest", str(draft), "--data", str(served.data), "--limit", "1")
    assert done.returncode == 0, done.stderr
    assert "in all" in done.stdout
    assert "2 users wait for it at the end." in done.stdout
    assert "1 refused: already_waiting. The user was already waiting" in done.stdout
    examples = [line for line in done.stdout.splitlines() if " by email_click of sale" in line]
    assert [line.split()[1:3] for line in examples] == [["ann", "enter,"], ["eve", "refuse"]]


def test_it_decides_as_a_run_over_the_exported_log_that_has_the_draft(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    data = tmp_path_factory.mktemp("exported") / "data"
    at_once = {**DRAFT, "delivery": {"type": "action", "triggers": [clicked()]}}
    with SegueServer(data) as server:
        server.create(document("sale", {"event": "never"}))
        server.publish("sale")
        for name in ("ann", "bob", "ann", "eve"):
            server.event(name, "email_click", campaign="sale")
        server.event("eve", "joined")
    folder = tmp_path / "campaigns"
    folder.mkdir()
    (folder / "next.json").write_text(json.dumps(at_once))
    lines = tmp_path / "log.ndjson"
    lines.write_text(segue("log", "--data", str(data)).stdout)
    ran = segue("run", str(folder), "--events", str(lines))
    decided = [json.loads(line) for line in ran.stdout.splitlines()]
    of_draft = [one for one in decided if one["campaign"] == "next"]
    done = segue(
        "backtest", str(folder / "next.json"), "--data", str(data), "--json", "--limit", "20"
    )
    result = json.loads(done.stdout)
    told = [
        (one["at"], one["user_id"], one["decision"], one["cause"]) for one in result["examples"]
    ]
    assert sorted(told) == sorted(
        (one["at"], one["user_id"], one["decision"], one["cause"]) for one in of_draft
    )
    assert [one["decision"] for one in of_draft].count("convert") == 1
    assert result["totals"]["sent"] == 4


def test_a_folder_without_a_log_is_told_apart_from_an_empty_one(
    tmp_path: Path, draft: Path
) -> None:
    done = segue("backtest", str(draft), "--data", str(tmp_path / "none"))
    assert done.returncode == 1
    assert f"There is no database of Segue in {tmp_path / 'none'}" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_bad_draft_is_refused_on_one_line_with_every_fault(
    served: SegueServer, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("slug: bad\nname: Bad\ndelivery: {triggers: 5}\nmesages: []\n")
    done = segue("backtest", str(bad), "--data", str(served.data))
    assert done.returncode == 1
    assert 'did you mean "messages"' in done.stderr
    assert "delivery.triggers" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bad_instant_is_wrong_use(draft: Path) -> None:
    done = segue("backtest", str(draft), "--since", "yesterday")
    assert done.returncode == 2
    assert "yesterday" in done.stderr
