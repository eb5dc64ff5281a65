"""Projects on a real server: planned, applied and exported by the API."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.documents import email, follower, interaction
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

PROJECTS = "/api/v1/projects"
HTML = [email(**{"from": "hi@shop.test", "html": '<a href="{{ unsubscribe_url }}">Bye</a>'})]


@pytest.fixture
def segue(tmp_path: Any) -> Iterator[SegueServer]:
    with SegueServer(tmp_path / "data") as server:
        yield server


def entry(slug: str, *triggers: Any, status: str = "active", **parts: Any) -> dict[str, Any]:
    document = follower(slug, *triggers, **{"messages": HTML, **parts})
    return {"status": status, "document": document}


def ask(segue: SegueServer, verb: str, body: Any, **query: Any) -> httpx2.Response:
    return segue.api.post(f"{PROJECTS}/{verb}", json=body, params=query)


def done(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


SALE = {
    "campaigns": [
        entry("sale", {"event": "go"}),
        entry("second", interaction("email_click", "sale"), audience={"segment": "fans"}),
    ],
    "segments": [{"slug": "fans", "name": "Fans", "filter": {"attribute": "age", "gte": 18}}],
    "workspace": {"time_zone": "Europe/Paris"},
}


def test_a_project_is_planned_applied_and_exported(segue: SegueServer) -> None:
    plan = done(ask(segue, "plan", SALE))
    assert {one["slug"]: one["actions"] for one in plan["changes"]} == {
        "": ["change"],
        "fans": ["create"],
        "sale": ["create", "publish"],
        "second": ["create", "publish"],
    }
    assert plan["publish_order"] == ["second", "sale"]
    assert segue.api.get("/api/v1/campaigns").json()["data"] == []
    applied = done(ask(segue, "apply", SALE, expect=plan["fingerprint"]))
    assert applied == plan
    campaigns = segue.api.get("/api/v1/campaigns").json()["data"]
    assert {one["status"] for one in campaigns} == {"active"}
    assert len({one["published_at"] for one in campaigns}) == 1
    exported = done(segue.api.get(f"{PROJECTS}/export"))
    assert [one["status"] for one in exported["campaigns"]] == ["active", "active"]
    again = done(ask(segue, "apply", exported, prune=True))
    assert (again["changes"], again["left"]) == ([], [])
    assert len(again["unchanged"]) == 4


def test_a_difference_is_told_path_by_path(segue: SegueServer) -> None:
    done(ask(segue, "apply", SALE))
    changed = {"campaigns": [entry("sale", {"event": "go"}, status="stopped", name="New")]}
    plan = done(ask(segue, "plan", changed))
    [change] = plan["changes"]
    assert change["actions"] == ["change", "stop"]
    assert change["differences"] == [
        {"path": "name", "old": "Resend to non-openers", "new": "New"},
        {"path": "status", "old": "active", "new": "stopped"},
    ]
    assert plan["left"] == ["segments/fans", "campaigns/second"]
    pruned = done(ask(segue, "plan", {"campaigns": []}, prune=True))
    assert [one["actions"] for one in pruned["changes"]] == [["delete"], ["archive"], ["archive"]]


def test_faults_of_all_documents_come_at_once_and_nothing_is_applied(segue: SegueServer) -> None:
    bad = {
        "campaigns": [entry("a", status="published"), {"document": {"slug": "b"}}],
        "segments": [{"slug": "s"}],
        "workspace": {"time_zone": "Atlantis"},
    }
    shape = ask(segue, "apply", bad)
    assert shape.status_code == 422
    assert {one["path"] for one in shape.json()["errors"]} == {"campaigns[0].status"}
    bad["campaigns"] = [entry("a"), {"document": {"slug": "b"}}, entry("a")]
    paths = {one["path"] for one in ask(segue, "apply", bad).json()["errors"]}
    assert paths == {
        "campaigns[1].document.name",
        "campaigns[1].document.delivery",
        "campaigns[2].document.slug",
        "segments[0].name",
        "segments[0].filter",
        "workspace.time_zone",
    }
    lost = {"campaigns": [entry("a"), entry("b", interaction("email_click", "lost"))]}
    [fault] = ask(segue, "apply", lost).json()["errors"]
    assert fault["path"].startswith("campaigns/b: delivery.triggers[0]")
    assert segue.api.get("/api/v1/campaigns").json()["data"] == []


def test_what_changed_since_the_plan_is_not_overrun(segue: SegueServer) -> None:
    plan = done(ask(segue, "plan", SALE))
    segue.create(follower("meanwhile", {"event": "go"}, messages=HTML))
    answer = ask(segue, "apply", SALE, expect=plan["fingerprint"])
    assert answer.status_code == 409
    assert "plan again" in answer.json()["detail"]


def test_the_workspace_is_an_admins_and_campaigns_are_their_authors(segue: SegueServer) -> None:
    headers = {"Authorization": f"Bearer {segue.key_for('read', 'campaigns')}"}

    def is_known() -> bool:
        return segue.api.get(f"{PROJECTS}/export", headers=headers).status_code == 200

    eventually(is_known, "the key")
    refused = segue.api.post(f"{PROJECTS}/apply", json=SALE, headers=headers)
    assert refused.status_code == 403
    assert "workspace" in refused.json()["detail"]
    assert segue.api.get(f"{PROJECTS}/export").json()["campaigns"] == []
    theirs = {**SALE, "workspace": {"time_zone": "UTC"}}
    assert segue.api.post(f"{PROJECTS}/apply", json=theirs, headers=headers).status_code == 200
