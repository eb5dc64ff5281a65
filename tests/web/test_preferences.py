"""The pages behind a message's links: unsubscribing, undoing it, and choosing what to get."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.servers import SegueServer
from tests.support.user_links import content_for, link_for, link_of, mailed

pytestmark = pytest.mark.slow

GROUPS = [
    {"slug": "newsletter", "name": "Newsletter", "description": "Once a week."},
    {"slug": "offers", "name": "Offers & <b>sales</b>"},
]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ADDRESSES = {"email": "anna.lee@shop.test", "phone": "+32 470 12 34 56", "city": "Ghent"}


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    settings = {"SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>"}
    with SegueServer(tmp_path_factory.mktemp("preferences") / "data", **settings) as server:
        workspace = {"name": "Corner <Shop>", "subscription_groups": GROUPS}
        assert server.api.put("/api/v1/workspace", json=workspace).status_code == 200
        texts = [{"sms": {"body": "{{ preferences_url }}", "shorten_links": False}}]
        for document in (
            mailed("news", subscription_group="newsletter"),
            mailed("plain"),
            mailed("receipt", subscription="all"),
            mailed("texted", messages=texts),
        ):
            server.create(document)
            server.publish(document["slug"])
        yield server


@pytest.fixture
def ann(segue: SegueServer, request: pytest.FixtureRequest) -> str:
    """Make a user for this test alone, who gets the newsletter."""
    user_id = f"ann-{request.node.name}"[:100]
    segue.user(user_id, **ADDRESSES, subscription_groups={"newsletter": "subscribed"})
    return user_id


def subscriptions(segue: SegueServer, user_id: str) -> dict[str, str]:
    return dict(segue.api.get(f"/api/v1/users/{user_id}").json()["subscriptions"])


def changes(segue: SegueServer, user_id: str) -> list[Any]:
    """Return what was logged of the user, without ids and times."""
    found: list[Any] = []
    for line in segue.timeline(user_id)[1:]:
        if "attributes" in line:
            found.append(line["attributes"])
        elif "name" in line:
            found.append((line["name"], line["campaign"], line.get("subscription_group")))
    return found


def unsubscribes(segue: SegueServer, campaign: str) -> int:
    totals = segue.api.get(f"/api/v1/campaigns/{campaign}/stats").json()["totals"]
    return int(totals.get("unsubscribes", 0))


def form_of(text: str) -> dict[str, list[str]]:
    """Return what a browser would send of the first form as it is."""

    def values(name: str) -> list[str]:
        return re.findall(rf'name="{name}" value="([^"]+)"', text)

    ticked = re.findall(r'name="on" value="([^"]+)" checked', text)
    return {"shown": values("shown"), "was": values("was"), "on": ticked, "save": ["1"]}


def test_the_page_shows_what_can_be_chosen_and_no_more_of_the_profile(
    segue: SegueServer, ann: str
) -> None:
    page = httpx2.get(link_for(segue, ann, "news", "preferences"))
    assert page.status_code == 200
    assert form_of(page.text) == {
        "shown": ["email", "sms", "newsletter", "offers"],
        "was": ["email", "sms", "newsletter"],
        "on": ["email", "sms", "newsletter"],
        "save": ["1"],
    }
    assert "a…@shop.test" in page.text
    assert "+32…56" in page.text
    assert "Offers &amp; &lt;b&gt;sales&lt;/b&gt;" in page.text
    assert "Corner &lt;Shop&gt;" in page.text
    for hidden in ("anna", "470", "Ghent", ann):
        assert hidden not in page.text


def test_the_page_runs_nothing_loads_its_styles_from_us_and_tells_nobody_its_address(
    segue: SegueServer, ann: str
) -> None:
    url = link_for(segue, ann, "news", "preferences")
    page = httpx2.get(url)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'; form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert "<script" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in page.headers["cache-control"]
    [href] = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    styles = httpx2.get(httpx2.URL(url).join(href))
    assert styles.headers["content-type"].startswith("text/css")
    again = httpx2.get(styles.url, headers={"If-None-Match": styles.headers["etag"]})
    assert again.status_code == 304


def test_only_what_the_user_changed_is_saved_and_once(segue: SegueServer, ann: str) -> None:
    url = link_for(segue, ann, "news", "preferences")
    form = form_of(httpx2.get(url).text)
    form["on"] = ["email", "sms", "offers"]
    # Meanwhile somebody else turns a channel off, which the page still shows as on.
    segue.user(ann, sms_subscribe="unsubscribed")
    saved = httpx2.post(url, data=form)
    assert "Newsletter: <strong>off</strong>" in saved.text
    assert "sales&lt;/b&gt;: <strong>on</strong>" in saved.text
    assert subscriptions(segue, ann) == {"sms": "unsubscribed", "offers": "opted_in"}
    logged = [
        {"sms_subscribe": "unsubscribed"},
        {"subscription_groups": {"newsletter": "unsubscribed", "offers": "opted_in"}},
    ]
    assert changes(segue, ann) == logged
    assert "Nothing is different" in httpx2.post(url, data=form).text
    assert changes(segue, ann) == logged


def test_email_that_is_turned_off_is_an_unsubscribe_of_the_campaign(
    segue: SegueServer, ann: str
) -> None:
    before = unsubscribes(segue, "plain")
    url = link_for(segue, ann, "plain", "preferences")
    form = form_of(httpx2.get(url).text)
    httpx2.post(url, data={**form, "on": ["sms", "newsletter"]})
    assert subscriptions(segue, ann) == {"email": "unsubscribed", "newsletter": "subscribed"}
    assert changes(segue, ann) == [("email_unsubscribe", "plain", None)]
    assert unsubscribes(segue, "plain") == before + 1
    form = form_of(httpx2.get(url).text)
    assert form["on"] == ["sms", "newsletter"]
    httpx2.post(url, data={**form, "on": ["email", "sms", "newsletter"]})
    assert subscriptions(segue, ann) == {"email": "opted_in", "newsletter": "subscribed"}


def test_everything_can_be_ended_at_once_from_a_text_message_too(
    segue: SegueServer, ann: str
) -> None:
    url = link_of(content_for(segue, ann, "texted")["body"], "preferences")
    saved = httpx2.post(url, data={"nothing": "1"})
    assert saved.text.count("<strong>off</strong>") == 3
    assert form_of(saved.text)["on"] == []
    assert subscriptions(segue, ann) == {"email": "unsubscribed", "sms": "unsubscribed"}
    assert changes(segue, ann)[-3:] == [
        ("email_unsubscribe", "texted", None),
        ("sms_unsubscribe", "texted", None),
        {"subscription_groups": {"newsletter": "unsubscribed"}},
    ]


def test_looking_changes_nothing(segue: SegueServer, ann: str) -> None:
    for page in ("preferences", "unsubscribe"):
        url = link_for(segue, ann, "news", page)  # type: ignore[arg-type]
        assert httpx2.get(url).status_code == 200
        assert httpx2.head(url).status_code in (200, 405)
    assert changes(segue, ann) == []


def test_a_campaign_of_a_group_unsubscribes_from_the_group_by_one_click(
    segue: SegueServer, ann: str
) -> None:
    before = unsubscribes(segue, "news")
    header = content_for(segue, ann, "news")["headers"]["List-Unsubscribe"].strip("<>")
    assert "“Newsletter” from Corner &lt;Shop&gt;" in httpx2.get(header).text
    done = httpx2.post(header, data=ONE_CLICK)
    assert done.status_code == 200
    assert subscriptions(segue, ann) == {}
    assert changes(segue, ann) == [("email_unsubscribe", "news", "newsletter")]
    assert unsubscribes(segue, "news") == before + 1
    segue.event(ann, "go")
    assert segue.decisions(ann, "news")[-1] == ("skip", "unsubscribed")
    assert segue.decisions(ann, "plain")[1] == ("send", None)


def test_providers_may_send_the_one_click_as_multipart(segue: SegueServer, ann: str) -> None:
    url = link_for(segue, ann, "plain", "unsubscribe")
    part = {"List-Unsubscribe": (None, "One-Click")}
    assert httpx2.post(url, files=part).status_code == 200
    assert subscriptions(segue, ann)["email"] == "unsubscribed"


def test_an_unsubscribe_can_be_undone_and_leads_to_the_choices(
    segue: SegueServer, ann: str
) -> None:
    for campaign, name in (("news", "newsletter"), ("plain", "email")):
        url = link_for(segue, ann, campaign, "unsubscribe")
        done = httpx2.post(url, data=ONE_CLICK)
        assert 'name="again"' in done.text
        [path] = re.findall(r'href="(\.\./p/[^"]+)"', done.text)
        assert httpx2.get(httpx2.URL(url).join(path)).status_code == 200
        assert subscriptions(segue, ann).get(name) in (None, "unsubscribed")
        again = httpx2.post(url, data={"again": "1"})
        assert "subscribed again" in again.text
        assert subscriptions(segue, ann) == {"newsletter": "subscribed"}


def test_messages_to_all_have_no_list_unsubscribe_but_may_be_unsubscribed_from(
    segue: SegueServer, ann: str
) -> None:
    content = content_for(segue, ann, "receipt")
    assert not [name for name in content["headers"] if name.startswith("List-Unsubscribe")]
    httpx2.post(link_of(content["html"], "unsubscribe"), data=ONE_CLICK)
    assert subscriptions(segue, ann)["email"] == "unsubscribed"
    segue.event(ann, "go")
    assert segue.decisions(ann, "receipt")[:2] == [("enter", None), ("send", None)]


def test_a_link_that_is_forged_or_of_another_kind_or_an_erased_users_is_404(
    segue: SegueServer, ann: str
) -> None:
    preferences = link_for(segue, ann, "news", "preferences")
    unsubscribe = link_for(segue, ann, "news", "unsubscribe")
    swapped = preferences.replace("/t/p/", "/t/u/"), unsubscribe.replace("/t/u/", "/t/p/")
    for url in (*swapped, preferences[:-1], segue.url + "/t/p/forged"):
        for answer in (httpx2.get(url), httpx2.post(url, data={"nothing": "1"})):
            assert answer.status_code == 404
            assert "This link does not exist" in answer.text
    assert changes(segue, ann) == []
    assert segue.api.delete(f"/api/v1/users/{ann}").status_code == 204
    assert httpx2.get(preferences).status_code == 404
    assert httpx2.post(preferences, data={"nothing": "1"}).status_code == 404
    assert segue.api.get(f"/api/v1/users/{ann}").status_code == 404


def test_names_that_were_not_offered_and_forms_beyond_measure_change_nothing(
    segue: SegueServer, ann: str
) -> None:
    url = link_for(segue, ann, "news", "preferences")
    odd = {"shown": ["webhook", "nobody", "push", "x" * 99], "on": ["nobody", "webhook", "push"]}
    assert "Nothing is different" in httpx2.post(url, data=odd).text
    many = "&".join(["shown=offers&on=offers"] * 400)
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx2.post(url, content=many, headers=as_form).status_code == 400
    long = "shown=" + "x" * 70_000
    assert httpx2.post(url, content=long, headers=as_form).status_code == 413
    broken = b"shown=offers&on=%ff%00&\xff=1;%zz"
    assert httpx2.post(url, content=broken, headers=as_form).status_code == 200
    assert changes(segue, ann) == []
