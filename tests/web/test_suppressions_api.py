"""The suppression list over HTTP: look, put addresses on it, take them off."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from tests.support.servers import Mailbox, SegueServer, eventually, mail_server
from tests.support.user_links import mailed

pytestmark = pytest.mark.slow

LIST = "/api/v1/suppressions"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    with mail_server() as served:
        yield served


@pytest.fixture(scope="module")
def segue(
    tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, str]
) -> Iterator[SegueServer]:
    settings = {
        "SEGUE_CHANNELS__EMAIL__SMTP_URL": mailbox[1],
        "SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>",
    }
    with SegueServer(tmp_path_factory.mktemp("suppressions") / "data", **settings) as server:
        server.create(mailed("news"))
        server.publish("news")
        yield server


@pytest.fixture
def api(segue: SegueServer) -> Iterator[httpx2.Client]:
    yield segue.api
    for one in listed(segue.api):
        segue.api.delete(f"{LIST}/{one['channel']}/{quote(one['address'], safe='')}")
    assert listed(segue.api) == []


def listed(api: httpx2.Client, **asked: Any) -> list[dict[str, Any]]:
    return list(api.get(LIST, params=asked).json()["data"])


def addresses(api: httpx2.Client, **asked: Any) -> list[str]:
    return [one["address"] for one in listed(api, **asked)]


def add(api: httpx2.Client, channel: str, *given: str, **more: Any) -> httpx2.Response:
    return api.post(LIST, json={"channel": channel, "addresses": given, **more})


def test_addresses_are_added_in_one_spelling_and_once(api: httpx2.Client) -> None:
    answer = add(api, "email", "Ann@Shop.test", "ann@shop.test", "bob@shop.test", reason="import")
    assert answer.status_code == 201
    assert answer.json() == {"added": 2, "known": 1}
    assert add(api, "email", "BOB@shop.test", reason="import").json() == {"added": 0, "known": 1}
    assert add(api, "sms", "+32 470 12-34-56").json() == {"added": 1, "known": 0}
    found = listed(api)
    assert [(one["channel"], one["address"], one["reason"]) for one in found] == [
        ("email", "ann@shop.test", "import"),
        ("email", "bob@shop.test", "import"),
        ("sms", "+32470123456", "manual"),
    ]
    assert all(one["since"].endswith("Z") and "campaign" not in one for one in found)


def test_a_list_is_read_in_pages_by_channel_or_by_a_part_of_the_address(
    api: httpx2.Client,
) -> None:
    add(api, "email", "a@x.test", "b@y.test", "c@x.test")
    add(api, "email", "b@y.test", reason="complaint")
    add(api, "sms", "+32470123456", "+32470123457")
    read: list[tuple[str, str]] = []
    cursor = ""
    for _ in range(9):
        page = api.get(LIST, params={"limit": 2, "cursor": cursor}).json()
        read += [(one["address"], one["reason"]) for one in page["data"]]
        cursor = page.get("next_cursor", "")
        if not cursor:
            break
    assert read == [
        ("a@x.test", "manual"),
        ("b@y.test", "complaint"),
        ("b@y.test", "manual"),
        ("c@x.test", "manual"),
        ("+32470123456", "manual"),
        ("+32470123457", "manual"),
    ]
    assert addresses(api, channel="sms") == ["+32470123456", "+32470123457"]
    assert addresses(api, q="X.test") == ["a@x.test", "c@x.test"]
    assert addresses(api, q="457", channel="email") == []
    assert api.get(LIST, params={"cursor": "zzz"}).json() == {"data": []}
    assert api.get(LIST, params={"channel": "fax"}).status_code == 404


def test_every_address_that_is_none_is_told_and_nothing_is_added(api: httpx2.Client) -> None:
    answer = add(api, "email", "a@x.test", "nobody", "b@x.test\n")
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == ["addresses[1]", "addresses[2]"]
    assert '"nobody" is not an email address' in answer.json()["detail"]
    assert "with a country code" in add(api, "sms", "0470 12 34 56").json()["detail"]
    for bad in ({"channel": "push", "addresses": ["x"]}, {"channel": "email", "addresses": []}):
        assert api.post(LIST, json=bad).status_code == 422
    assert (
        api.post(LIST, json={"channel": "email", "addresses": ["a@x.t"] * 10_001}).status_code
        == 422
    )
    assert listed(api) == []


def test_an_address_with_any_character_that_it_may_have_is_taken_off(api: httpx2.Client) -> None:
    odd = ["a/b@x.test", "a+b%2f@x.test", "./..//@x.test", "é?#&@x.test"]
    assert add(api, "email", *odd).json() == {"added": 4, "known": 0}
    for address in addresses(api):
        assert api.delete(f"{LIST}/email/{quote(address, safe='')}").status_code == 204
    assert listed(api) == []
    missing = api.delete(f"{LIST}/email/a%2Fb@x.test")
    assert missing.status_code == 404
    assert "is not on the suppression list of email" in missing.json()["detail"]


def test_only_an_admin_changes_it(segue: SegueServer, api: httpx2.Client) -> None:
    reader = {"Authorization": f"Bearer {segue.key_for('read', 'campaigns', 'send')}"}
    assert api.get(LIST, headers=reader).status_code == 200
    body = {"channel": "email", "addresses": ["a@x.test"]}
    assert api.post(LIST, json=body, headers=reader).status_code == 403
    assert api.delete(f"{LIST}/email/a@x.test", headers=reader).status_code == 403


def test_a_bounce_of_one_user_suppresses_the_address_for_all_until_it_is_taken_off(
    segue: SegueServer, api: httpx2.Client, mailbox: tuple[Mailbox, str]
) -> None:
    segue.user("ann", email="Shared@people.test")
    segue.user("bob", email="shared@people.test")
    segue.event("ann", "email_bounce", campaign="news")
    [entry] = eventually(lambda: listed(api, q="shared"), "the entry")
    assert (entry["reason"], entry["campaign"]) == ("bounce", "news")
    segue.event("ann", "go")
    segue.event("bob", "go")
    eventually(lambda: ("skip", "suppressed") in segue.decisions("bob", "news"), "the skip")
    assert segue.decisions("ann", "news")[-1] == ("skip", "unreachable")
    skip = next(one for one in segue.timeline("bob") if one.get("decision") == "skip")
    assert skip["why"] == "The address is on the suppression list."
    told = api.get("/api/v1/campaigns/news/explain", params={"user_id": "bob"}).json()
    assert "on the suppression list (messages to it came back)" in told["summary"]
    assert api.delete(f"{LIST}/email/SHARED@people.test").status_code == 204
    # The address lives again for the user whose mail had come back, and their profile is as it was.
    assert api.get("/api/v1/users/ann").json()["attributes"] == {"email": "Shared@people.test"}
    segue.event("ann", "go")
    segue.event("bob", "go")
    mails = eventually(
        lambda: (found := [*mailbox[0].to("hared@people.test")]) and len(found) == 2 and found,
        "both mails",
    )
    assert sorted(mail["To"] for mail in mails) == ["Shared@people.test", "shared@people.test"]
