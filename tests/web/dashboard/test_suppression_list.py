"""Settings, Suppression list: looked at, looked through, added to, taken off."""

import re
from html import unescape

import pytest
from tests.support.members import Team
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

PATH = "/settings/suppressions"


def suppressed(server: SegueServer, *addresses: str, channel: str = "email") -> None:
    body = {"channel": channel, "addresses": list(addresses)}
    assert server.api.post("/api/v1/suppressions", json=body).status_code == 201


def listed(server: SegueServer, part: str) -> list[str]:
    answer = server.api.get("/api/v1/suppressions", params={"q": part})
    return [one["address"] for one in answer.json()["data"]]


def rows(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r"<tr>\s*<td>([^<]*)</td>", page)]


def test_addresses_are_shown_with_their_reason_and_found_by_a_part(
    server: SegueServer, team: Team
) -> None:
    suppressed(server, "ann@part.test", "bob@part.test")
    suppressed(server, "+32470000001", channel="sms")
    viewer = team["viewer"]
    page = viewer.page(f"{PATH}?q=part.test")
    assert rows(page) == ["ann@part.test", "bob@part.test"]
    assert "somebody put it there" in page
    assert rows(viewer.page(f"{PATH}?channel=sms&q=3247000")) == ["+32470000001"]
    assert rows(viewer.page(f"{PATH}?channel=email&q=3247000")) == []


def test_what_is_looked_for_and_not_there_is_said_with_a_way_back(team: Team) -> None:
    page = team["viewer"].page(f"{PATH}?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "None holds “<script>alert(1)</script>”" in unescape(page)
    assert "<script>alert" not in page
    assert f'href="{PATH}">Show the whole list' in page


def test_a_long_list_is_read_a_page_at_a_time(server: SegueServer, team: Team) -> None:
    addresses = [f"p{number:03}@pages.test" for number in range(55)]
    suppressed(server, *addresses)
    first = team["viewer"].page(f"{PATH}?q=pages.test")
    [path] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = team["viewer"].page(unescape(path))
    assert rows(first) + rows(second) == addresses
    assert "First page" in second


def test_an_admin_adds_addresses_one_to_a_line(server: SegueServer, team: Team) -> None:
    suppressed(server, "old@lines.test")
    form = {"channel": "email", "addresses": "new@lines.test\r\n\r\n  OLD@lines.test \r\n"}
    answer = team["admin"].post(f"{PATH}/new", form)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    assert "1 address put on the list; 1 were on it already." in team["admin"].page(PATH)
    assert listed(server, "lines.test") == ["new@lines.test", "old@lines.test"]
    assert "suppressed addresses" in team["admin"].page("/settings/changes")


@pytest.mark.parametrize(
    ("channel", "addresses", "told"),
    [
        ("email", "", "Type an address"),
        ("email", "fine@none.test\nnone.test", '"none.test" is not an email address'),
        ("sms", "0470123456", "is not a phone number with a country code"),
        ("email", "\n".join(f"x{n}" for n in range(9)), "and 4 more"),
    ],
)
def test_what_is_no_address_is_told_at_the_field_and_nothing_is_added(
    server: SegueServer, team: Team, channel: str, addresses: str, told: str
) -> None:
    answer = team["admin"].post(f"{PATH}/new", {"channel": channel, "addresses": addresses})
    assert answer.status_code == 422
    assert told in unescape(answer.text)
    assert 'id="addresses-fault"' in answer.text
    assert listed(server, "none.test") == []


def test_an_unknown_channel_is_a_fault_of_its_field(team: Team) -> None:
    answer = team["admin"].post(f"{PATH}/new", {"channel": "fax", "addresses": "a@b.test"})
    assert answer.status_code == 422
    assert 'id="channel-fault"' in answer.text


def test_an_address_is_taken_off_after_a_question(server: SegueServer, team: Team) -> None:
    suppressed(server, "off+1/2@gone.test")
    admin = team["admin"]
    [path] = re.findall(r'href="([^"]+/remove[^"]+)"', admin.page(f"{PATH}?q=gone.test"))
    question = admin.page(unescape(path))
    assert "somebody put it there" in question
    assert listed(server, "gone.test") == ["off+1/2@gone.test"]
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question))
    form.pop("back", None)
    assert admin.post(f"{PATH}/remove", form).status_code == 303
    assert listed(server, "gone.test") == []
    assert "may get messages again" in admin.page(PATH)


def test_what_is_not_on_the_list_is_a_page_that_says_so(team: Team) -> None:
    for query in ("?channel=email&address=not@there.test", "?channel=fax&address=1", ""):
        answer = team["admin"].get(f"{PATH}/remove{query}")
        assert answer.status_code == 404, query
        assert "<h1>" in answer.text
    answer = team["admin"].post(f"{PATH}/remove", {"channel": "email", "address": "not@there.test"})
    assert answer.status_code == 404


def test_only_an_admin_adds_and_takes_off(server: SegueServer, team: Team) -> None:
    suppressed(server, "kept@roles.test")
    for role in ("viewer", "author", "publisher"):
        page = team[role].page(f"{PATH}?q=roles.test")
        assert rows(page) == ["kept@roles.test"]
        assert "Take off" not in page
        assert "Suppress addresses" not in page
        assert team[role].get(f"{PATH}/new").status_code == 403
        form = {"channel": "email", "address": "kept@roles.test"}
        assert team[role].post(f"{PATH}/remove", form).status_code == 403
    assert listed(server, "roles.test") == ["kept@roles.test"]
