"""The workspace on a real server: time zone, caps, channels, subscription groups."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.documents import campaign
from tests.support.servers import SegueServer, eventually

pytestmark = pytest.mark.slow

WORKSPACE, CAPS, CHANNELS = (f"/api/v1/{name}" for name in ("workspace", "caps", "channels"))
PLAIN: dict[str, Any] = {
    "name": "",
    "time_zone": "UTC",
    "quiet_hours": None,
    "caps": [],
    "channels": {},
    "subscription_groups": [],
}
WEEKLY = {"slug": "weekly", "messages_max": 3, "within": "7d"}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    with SegueServer(tmp_path_factory.mktemp("workspace") / "data") as server:
        yield server


@pytest.fixture
def api(segue: SegueServer) -> Iterator[httpx2.Client]:
    yield segue.api
    assert segue.api.put(WORKSPACE, json={}).status_code == 200


def errors(answer: httpx2.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {one["path"] for one in answer.json()["errors"]}


def test_a_workspace_is_replaced_as_a_whole_and_can_be_sent_back(api: httpx2.Client) -> None:
    assert api.get(WORKSPACE).json() == PLAIN
    hours = {"from": "22:00", "to": "08:00", "otherwise": "skip"}
    wanted = {**PLAIN, "time_zone": "Europe/Paris", "quiet_hours": hours, "caps": [WEEKLY]}
    assert api.put(WORKSPACE, json=wanted).json() == wanted
    assert api.put(WORKSPACE, json=api.get(WORKSPACE).json()).json() == wanted
    assert api.put(WORKSPACE, json={"time_zone": "Asia/Tokyo"}).json() == {
        **PLAIN,
        "time_zone": "Asia/Tokyo",
    }


def test_every_fault_of_a_workspace_is_told(api: httpx2.Client) -> None:
    bad = {"time_zone": "Atlantis", "caps": [WEEKLY, WEEKLY]}
    assert errors(api.put(WORKSPACE, json=bad)) == {"time_zone", "caps[1].slug"}
    assert errors(api.put(WORKSPACE, json={"timezone": "UTC"})) == {"timezone"}


def test_caps_come_and_go_one_by_one(api: httpx2.Client) -> None:
    assert api.post(CAPS, json=WEEKLY).status_code == 201
    assert api.post(CAPS, json=WEEKLY).status_code == 409
    daily = {"messages_max": 1, "within": "1d", "channel": "push"}
    made = api.put(f"{CAPS}/daily", json=daily)
    assert (made.status_code, made.json()["slug"]) == (201, "daily")
    changed = api.put(f"{CAPS}/weekly", json={**WEEKLY, "messages_max": 5})
    assert (changed.status_code, changed.json()["messages_max"]) == (200, 5)
    listed = api.get(CAPS, params={"limit": 1}).json()
    assert ([one["slug"] for one in listed["data"]], listed["next_cursor"]) == (["daily"], "daily")
    assert api.get(f"{CAPS}/weekly").json()["messages_max"] == 5
    assert api.delete(f"{CAPS}/daily").status_code == 204
    assert [one["slug"] for one in api.get(WORKSPACE).json()["caps"]] == ["weekly"]
    missing = api.delete(f"{CAPS}/daly")
    assert missing.status_code == 404
    assert api.get(f"{CAPS}/wekly").json()["detail"].endswith('did you mean "weekly"?')


def test_a_cap_is_refused_by_its_own_paths_and_when_there_are_too_many(
    api: httpx2.Client,
) -> None:
    assert errors(api.post(CAPS, json={**WEEKLY, "within": "31d"})) == {"within"}
    assert errors(api.post(CAPS, json={**WEEKLY, "messages_max": 0})) == {"messages_max"}
    assert api.put(f"{CAPS}/other", json=WEEKLY).status_code == 409
    for number in range(10):
        assert api.post(CAPS, json={**WEEKLY, "slug": f"cap-{number}"}).status_code == 201
    assert errors(api.post(CAPS, json=WEEKLY)) == {"caps"}


def test_a_channels_policy_is_chosen_and_given_back(api: httpx2.Client) -> None:
    """semantics.md 8: resend is the default for webhooks, drop for the rest."""
    rules = {one["channel"]: one for one in api.get(CHANNELS).json()["data"]}
    resent = {"webhook", "in_app_message", "content_card"}  # a repeat of these is harmless
    assert {one["on_unknown"] for name, one in rules.items() if name not in resent} == {"drop"}
    assert rules["webhook"] == {"channel": "webhook", "on_unknown": "resend", "is_default": True}
    chosen = api.put(f"{CHANNELS}/email", json={"on_unknown": "resend"}).json()
    assert chosen == {"channel": "email", "on_unknown": "resend", "is_default": False}
    assert api.get(WORKSPACE).json()["channels"] == {"email": {"on_unknown": "resend"}}
    back = api.put(f"{CHANNELS}/email", json={"on_unknown": None}).json()
    assert back == rules["email"]
    assert api.get(WORKSPACE).json()["channels"] == {}
    assert errors(api.put(f"{CHANNELS}/email", json={"on_unknown": "retry"})) == {"on_unknown"}
    assert 'did you mean "email"?' in api.put(f"{CHANNELS}/emial", json={}).json()["detail"]


def test_a_subscription_group_that_something_names_stays(segue: SegueServer) -> None:
    api = segue.api
    groups = [{"slug": slug, "name": slug.title()} for slug in ("news", "offers", "unused")]
    api.put(WORKSPACE, json={"subscription_groups": groups})
    document = campaign("newsletter", subscription_group="news")
    document["delivery"] = {"triggers": [{"event": "go"}]}
    segue.create(document)
    segue.publish("newsletter")
    filter_ = {"subscription": {"offers": "opted_in"}}
    api.post("/api/v1/segments", json={"slug": "wanting", "name": "W", "filter": filter_})
    answer = api.put(WORKSPACE, json={"subscription_groups": groups[2:]})
    assert answer.status_code == 409
    assert '"news" is in use by the campaign newsletter' in answer.json()["detail"]
    assert '"offers" is in use by the segment wanting' in answer.json()["detail"]
    assert api.put(WORKSPACE, json={"subscription_groups": groups[:2]}).status_code == 200
    api.post("/api/v1/campaigns/newsletter/archive")
    api.delete("/api/v1/segments/wanting")
    assert api.put(WORKSPACE, json={}).status_code == 200


def test_only_an_admin_changes_the_workspace(segue: SegueServer) -> None:
    headers = {"Authorization": f"Bearer {segue.key_for('read', 'campaigns')}"}

    def is_known() -> bool:
        return segue.api.get(WORKSPACE, headers=headers).status_code == 200

    eventually(is_known, "the key")
    for path in (WORKSPACE, f"{CAPS}/weekly", f"{CHANNELS}/email"):
        assert segue.api.put(path, json={}, headers=headers).status_code == 403
