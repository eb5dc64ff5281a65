"""Settings, Delivery rules: the workspace as a form, with lists that are edited by buttons."""

import re
from html import unescape
from typing import Any

import pytest
from tests.support.members import Team
from tests.support.servers import SegueServer

from segue.model.limits import CAPS_MAX

pytestmark = pytest.mark.slow

PATH = "/settings/delivery"
MARKUP = "<script>alert(1)</script>"


def fields(page: str) -> dict[str, str]:
    """Return what a browser would send of the form, but for buttons."""
    form = page[page.index('<form method="post" action="/settings/delivery"') :]
    form = form[: form.index("</form>")]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        is_off = 'type="checkbox"' in tag and " checked" not in tag
        if name and not is_off:
            found[name[1]] = unescape(value[1]) if value else ""
    for name, inner in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    for name, inner in re.findall(
        r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S
    ):
        found[name] = unescape(inner)
    return found


def workspace(server: SegueServer) -> dict[str, Any]:
    return dict(server.api.get("/api/v1/workspace").json())


def put(server: SegueServer, **document: Any) -> None:
    answer = server.api.put("/api/v1/workspace", json=document)
    assert answer.status_code == 200, answer.text


def test_what_is_filled_in_holds_and_the_form_shows_it_again(
    server: SegueServer, team: Team
) -> None:
    put(server)
    admin = team["admin"]
    form = {
        **fields(admin.page(PATH)),
        "name": "Corner Shop",
        "time_zone": "Europe/Paris",
        "has_quiet_hours": "yes",
        "quiet_hours.from": "21:00",
        "quiet_hours.to": "08:00",
        "quiet_hours.otherwise": "skip",
        "channels.sms.on_unknown": "resend",
        "caps[0].slug": "weekly",
        "caps[0].messages_max": "3",
        "caps[0].within": "7d",
        "caps[0].channel": "email",
        "caps[0].tag": "offers",
        "subscription_groups[0].slug": "news",
        "subscription_groups[0].name": "Newsletter",
        "subscription_groups[0].description": "Once a week.",
    }
    answer = admin.post(PATH, form)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    assert workspace(server) == {
        "name": "Corner Shop",
        "time_zone": "Europe/Paris",
        "quiet_hours": {"from": "21:00", "to": "08:00", "otherwise": "skip"},
        "caps": [
            {
                "slug": "weekly",
                "messages_max": 3,
                "within": "7d",
                "channel": "email",
                "tag": "offers",
            }
        ],
        "channels": {"sms": {"on_unknown": "resend"}},
        "subscription_groups": [
            {"slug": "news", "name": "Newsletter", "description": "Once a week."}
        ],
    }
    page = admin.page(PATH)
    assert "The rules are saved" in page
    assert "Changed <time" in page
    assert "by admin@shop.test" in page
    assert {**fields(page), "seen": ""} == {**form, "seen": ""}


def test_what_is_left_alone_is_saved_as_it_was(server: SegueServer, team: Team) -> None:
    document = {
        "name": MARKUP,
        "caps": [{"slug": "daily", "messages_max": 1, "within": "1d"}],
        "subscription_groups": [{"slug": "news", "name": MARKUP, "description": "a\nb"}],
    }
    put(server, **document)
    before = workspace(server)
    page = team["admin"].page(PATH)
    assert MARKUP not in page
    assert team["admin"].post(PATH, fields(page)).status_code == 303
    assert workspace(server) == before


def test_a_list_is_edited_by_buttons_and_nothing_is_saved_before_save(
    server: SegueServer, team: Team
) -> None:
    put(server, caps=[{"slug": "one", "messages_max": 1, "within": "1d"}])
    admin, before = team["admin"], workspace(server)
    changes = admin.page("/settings/changes").count("changed the delivery rules")
    form = {**fields(admin.page(PATH)), "name": "typed and not saved"}
    answer = admin.post(PATH, {**form, "edit": "add caps"})
    assert answer.status_code == 200
    more = fields(answer.text)
    assert more["name"] == "typed and not saved"
    assert {name for name in more if name.startswith("caps[1]")}
    assert 'id="caps[1]" tabindex="-1" data-focus' in answer.text
    less = fields(admin.post(PATH, {**more, "edit": "remove caps[0]"}).text)
    assert less["caps[0].slug"] == ""
    assert not any(name.startswith("caps[1]") for name in less)
    assert workspace(server) == before
    assert admin.page("/settings/changes").count("changed the delivery rules") == changes


def test_the_first_button_of_the_form_saves_so_that_enter_does(team: Team) -> None:
    page = team["admin"].page(PATH)
    form = page[page.index('<form method="post" action="/settings/delivery"') :]
    [first] = re.findall(r"<button[^>]*>", form)[:1]
    assert "name=" not in first


def test_as_many_caps_as_there_may_be_leave_no_button_for_another(
    server: SegueServer, team: Team
) -> None:
    caps = [{"slug": f"c{n}", "messages_max": 1, "within": "1d"} for n in range(CAPS_MAX)]
    put(server, caps=caps)
    page = team["admin"].page(PATH)
    assert 'value="add caps"' not in page
    assert f"There may be {CAPS_MAX} at most." in page


@pytest.mark.parametrize(
    ("changes", "place", "fault"),
    [
        ({"time_zone": "Paris"}, "time_zone", '"Paris" is no time zone'),
        ({"has_quiet_hours": "yes"}, "quiet_hours.from", ""),
        (
            {"has_quiet_hours": "yes", "quiet_hours.from": "21:00", "quiet_hours.to": "21:00"},
            "quiet_hours.to",
            "the whole day would be quiet",
        ),
        ({"caps[0].messages_max": "many"}, "caps[0].messages_max", '"many"'),
        ({"caps[0].slug": ""}, "caps[0].slug", ""),
        ({"caps[0].within": "90d"}, "caps[0].within", "90d"),
        ({"subscription_groups[0].slug": "email"}, "subscription_groups[0].slug", "is a channel"),
    ],
)
def test_a_fault_stands_at_its_field_and_what_was_typed_stays(
    server: SegueServer, team: Team, changes: dict[str, str], place: str, fault: str
) -> None:
    put(server)
    form = {
        **fields(team["admin"].page(PATH)),
        "caps[0].slug": "weekly",
        "caps[0].messages_max": "3",
        "caps[0].within": "7d",
        "subscription_groups[0].slug": "news",
        "subscription_groups[0].name": "News",
        **changes,
    }
    answer = team["admin"].post(PATH, form)
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert f'id="{place}-fault"' in text
    assert f'<a href="#{place}">' in text
    assert fault in text
    shown = fields(answer.text)
    assert {name: shown[name] for name in changes} == changes
    assert workspace(server)["caps"] == []


def test_a_group_that_a_campaign_names_cannot_go(server: SegueServer, team: Team) -> None:
    put(server, subscription_groups=[{"slug": "news", "name": "News"}])
    server.create(
        {
            "slug": "letter",
            "name": "Letter",
            "subscription_group": "news",
            "delivery": {"triggers": [{"event": "go"}]},
            "messages": [{"in_app_message": {"body": "Hi"}}],
        }
    )
    admin = team["admin"]
    emptied = fields(
        admin.post(PATH, {**fields(admin.page(PATH)), "edit": "remove subscription_groups[0]"}).text
    )
    answer = admin.post(PATH, emptied)
    assert answer.status_code == 422
    assert "in use by the campaign letter" in unescape(answer.text)
    assert len(workspace(server)["subscription_groups"]) == 1
    server.api.delete("/api/v1/campaigns/letter")


def test_who_saves_over_the_change_of_another_is_told_first(
    server: SegueServer, team: Team
) -> None:
    put(server, name="before")
    admin = team["admin"]
    form = {**fields(admin.page(PATH)), "name": "mine"}
    put(server, name="theirs")
    answer = admin.post(PATH, form)
    assert answer.status_code == 422
    assert "Somebody has changed the rules since you opened this page" in answer.text
    assert workspace(server)["name"] == "theirs"
    assert admin.post(PATH, fields(answer.text)).status_code == 303
    assert workspace(server)["name"] == "mine"


def test_those_who_are_no_admins_read_and_cannot_write(server: SegueServer, team: Team) -> None:
    put(server, name="Corner Shop")
    for role in ("viewer", "author", "publisher"):
        page = team[role].page(PATH)
        assert 'value="Corner Shop"' in page
        assert '<fieldset class="boxes" disabled>' in page
        assert "Add a cap" not in page
        assert team[role].post(PATH, fields(page)).status_code == 403
