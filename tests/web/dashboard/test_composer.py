"""The composer over HTTP: beginnings, steps, lists, faults at their fields, conflicts and roles."""

from datetime import UTC, datetime, timedelta

import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.support.composing import Writing, campaign, publish, summary, text_of
from tests.support.forms import changed
from tests.support.members import Team
from tests.support.servers import SegueServer

pytestmark = pytest.mark.slow

HTMX = {"HX-Request": "true"}


def whole(server: SegueServer, team: Team) -> Writing:
    """Begin with something that could be published as it is."""
    return Writing(team["author"], recipe="resend", campaign=campaign(server))


# Beginning


def test_a_blank_campaign_tells_of_faults_only_once_its_step_was_left(team: Team) -> None:
    writing = Writing(team["author"])
    assert "not yet" in writing.page("message")
    assert summary(writing.page("message")) == []
    writing.write("message", "continue")
    html = writing.page("message")
    assert any("Name: must not be empty" in one for one in summary(html))
    assert text_of(html, "#name-fault").startswith("must not be empty")
    assert "problem" in text_of(html, "#step-message")


def test_every_step_is_kept_and_can_be_visited_in_any_order(team: Team) -> None:
    writing = Writing(team["author"])
    assert "Conversions" in writing.write("limits", "continue", frequency_caps="ignore")
    writing.write("message", name="Written <b>anyhow</b>")
    assert "Written &lt;b&gt;anyhow&lt;/b&gt;" in writing.page("limits")
    kept = dict(writing.form("limits"))
    assert kept["frequency_caps"] == "ignore"
    assert "Written &lt;b&gt;anyhow" in team["viewer"].page("/compose")


def test_the_slug_follows_from_the_name_until_somebody_writes_it(team: Team) -> None:
    writing = Writing(team["author"])
    writing.write("message", name="Größe & Würde!")
    assert dict(writing.form("message"))["slug"] == "groe-wurde"
    writing.write("message", name="Another name")
    assert dict(writing.form("message"))["slug"] == "another-name"
    writing.write("message", slug="mine")
    writing.write("message", name="A third")
    assert dict(writing.form("message"))["slug"] == "mine"


def test_a_slug_that_is_taken_is_a_fault_at_its_field(server: SegueServer, team: Team) -> None:
    slug = campaign(server)
    writing = Writing(team["author"], recipe="cart")
    html = writing.write("message", slug=slug)
    assert "another campaign" in text_of(html, "#slug-fault")


def test_the_recipe_of_re_sending_follows_a_campaign_with_its_own_email(
    server: SegueServer, team: Team
) -> None:
    slug = campaign(server)
    writing = Writing(team["author"], recipe="resend", campaign=slug)
    document = writing.keep()
    assert document["messages"][0]["email"]["subject"] == "Sale"
    received = {"interaction": "email_receive", "campaign": slug}
    opened = {"interaction": "email_other_open", "campaign": slug}
    assert document["delivery"] == {
        "triggers": [{"interact_with_campaign": received}],
        "delay": {"after": "7d"},
        "exceptions": [{"interact_with_campaign": opened}],
    }


def test_a_recipe_without_a_campaign_makes_a_draft_to_follow(team: Team) -> None:
    writing = Writing(team["author"], recipe="next_offer", campaign="")
    assert "clicks a link in “First message”" in text_of(writing.page("delivery"), "#sentence")
    server = team["author"].server
    assert server.api.get("/api/v1/campaigns/first-message").json()["status"] == "draft"


def test_a_follower_begins_with_its_interaction_for_the_graph(
    server: SegueServer, team: Team
) -> None:
    slug = campaign(server)
    writing = Writing(team["author"], begin="follower", campaign=slug, interaction="email_click")
    sent = dict(writing.form("delivery"))
    place = "delivery.triggers[0].interact_with_campaign"
    assert (sent[f"{place}.interaction"], sent[f"{place}.campaign"]) == ("email_click", slug)


def test_what_is_discarded_is_gone_and_its_campaign_as_it_was(
    server: SegueServer, team: Team
) -> None:
    slug = campaign(server)
    before = server.api.get(f"/api/v1/campaigns/{slug}").json()
    writing = Writing(team["author"], begin="edit", campaign=slug)
    writing.write("message", name="Changed")
    assert team["author"].post(f"{writing.path}/discard").status_code == 303
    gone = team["author"].get(f"{writing.path}/message")
    assert gone.status_code == 404
    assert "finished or discarded" in gone.text
    assert server.api.get(f"/api/v1/campaigns/{slug}").json() == before


def test_an_unknown_step_is_a_page_that_says_which_there_are(team: Team) -> None:
    writing = Writing(team["author"])
    answer = team["author"].get(f"{writing.path}/design")
    assert answer.status_code == 404
    assert "conversions, review" in answer.text


# Lists and choices


def test_members_are_added_moved_and_removed_by_buttons(server: SegueServer, team: Team) -> None:
    writing = whole(server, team)
    writing.press("delivery", "add delivery.triggers")
    writing.fill("delivery", {"delivery.triggers[1].kind": "purchase"})
    writing.press("delivery", "up delivery.triggers[1]")
    kinds = [value for name, value in writing.form("delivery") if name.endswith("].kind")]
    assert kinds == ["purchase", "interact_with_campaign", "interact_with_campaign"]
    writing.press("delivery", "remove delivery.triggers[1]")
    triggers = writing.keep()["delivery"]["triggers"]
    assert triggers == [{"purchase": {}}]


def test_a_button_leads_on_to_the_member_that_it_made(team: Team) -> None:
    writing = Writing(team["author"], recipe="cart")
    form = changed(writing.form("delivery"), {"edit": "add delivery.triggers"})
    answer = team["author"].send(f"{writing.path}/delivery", form)
    assert answer.headers["location"].endswith("/delivery#delivery.triggers[1]")


def test_conditions_are_written_one_choice_after_another(server: SegueServer, team: Team) -> None:
    writing = whole(server, team)
    writing.fill("delivery", {"delivery.triggers[0].kind": "event"})
    writing.fill("delivery", {"delivery.triggers[0].event": "added_to_cart"})
    where = "delivery.triggers[0].event.where[0]"
    writing.fill("delivery", {f"{where}.property": "value"})
    writing.fill("delivery", {f"{where}.more0": "gte"})
    writing.fill("delivery", {f"{where}.gte": "100"})
    writing.fill("delivery", {f"{where}.more1": "in"})
    writing.fill("delivery", {f"{where}.in": 'a\r\n7\r\n"7"\r\ntrue'})
    writing.fill("delivery", {f"{where}.gte.operator": "gt"})
    trigger = writing.keep()["delivery"]["triggers"][0]
    condition = {"property": "value", "gt": 100, "in": ["a", 7, "7", True]}
    assert trigger == {"event": {"name": "added_to_cart", "where": [condition]}}


def test_an_operator_that_compares_with_nothing_is_a_fault_at_its_field(team: Team) -> None:
    writing = Writing(team["author"], recipe="cart")
    where = "delivery.triggers[0].event.where[0]"
    writing.fill("delivery", {f"{where}.property": "value"})
    writing.fill("delivery", {f"{where}.more0": "gte"})
    html = writing.write("delivery")
    assert f'id="{where}.gte-fault"' in html
    assert any("condition 1, is at least" in one for one in summary(html))


def test_only_campaigns_that_can_produce_an_interaction_are_offered(
    server: SegueServer, team: Team
) -> None:
    mail = campaign(server, "mail", tags=["offered"])
    push = campaign(server, "push", messages=[{"push": {"title": "Hello"}}])
    writing = Writing(team["author"], begin="follower", campaign=mail, interaction="email_open")
    place = "delivery.triggers[0].interact_with_campaign"
    choice = f'select[name="{place}.campaign"] option'
    offered = {
        one.attributes["value"] for one in LexborHTMLParser(writing.page("delivery")).css(choice)
    }
    assert {mail, "any", "tag:offered"} <= offered
    assert push not in offered
    writing.fill("delivery", {f"{place}.interaction": "alias_click", f"{place}.campaign": mail})
    assert '<option value="cta">' in writing.page("delivery")


def test_a_rhythm_is_written_as_a_cron_expression(server: SegueServer, team: Team) -> None:
    writing = whole(server, team)
    writing.fill("delivery", {"delivery.type": "scheduled"})
    writing.fill("delivery", {"delivery.schedule.how": "weekly"})
    form = changed(writing.form("delivery"), {"delivery.schedule.time": "08:30", "go": "save"})
    days = [("delivery.schedule.days", one) for one in "51"]
    others = [pair for pair in form if pair[0] != "delivery.schedule.days"]
    team["author"].send(f"{writing.path}/delivery", [*others, *days])
    delivery = writing.keep()["delivery"]
    assert delivery == {"type": "scheduled", "schedule": {"cron": "30 8 * * 1,5"}}


# What stands around a step


def test_a_script_gets_the_step_with_stepper_and_sentence_written_anew(team: Team) -> None:
    writing = Writing(team["author"], recipe="cart")
    form = changed(writing.form("delivery"), {"delivery.delay.after": "5"})
    answer = team["author"].send(f"{writing.path}/delivery", form, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "wait 5 hours" in text_of(answer.text, "#sentence")
    assert "Delivery" in text_of(answer.text, ".stepper")
    assert summary(answer.text) == []  # its author is still at it


def test_a_sentence_is_told_of_what_is_not_whole(team: Team) -> None:
    writing = Writing(team["author"])
    said = text_of(writing.page("message"), "#sentence")
    assert said.startswith("When a user does something yet to be chosen, send an email")


def test_the_review_leads_to_each_field_and_lists_what_is_to_be_mended(team: Team) -> None:
    writing = Writing(team["author"], recipe="cart")
    writing.write("delivery", **{"delivery.delay.after": "soon"})
    html = writing.page("review")
    assert any("Delivery: Delay, after" in one for one in summary(html))
    links = {one.attributes["href"] for one in LexborHTMLParser(html).css("main a")}
    assert f"{writing.path}/delivery#delivery.delay.after" in links
    assert f"{writing.path}/limits#re_eligibility" in links
    assert "ask" in html.lower()


def test_a_delay_beyond_the_end_is_a_doubt_with_its_remedy(server: SegueServer, team: Team) -> None:
    writing = whole(server, team)
    soon = datetime.now(UTC) + timedelta(days=5)
    html = writing.fill("delivery", {"delivery.window.end": f"{soon:%Y-%m-%dT%H:%M}"})
    doubt = text_of(html, ".doubt")
    assert "the delay (1w) is longer than what is left of the window (4d23h" in doubt
    assert "shorten the delay, or move the end past" in doubt


# Conflicts and roles


def test_whoever_was_slower_may_compare_and_keep_theirs_as_a_draft(
    server: SegueServer, team: Team
) -> None:
    slug = campaign(server)
    publish(server, slug)
    author, publisher = team["author"], team["publisher"]
    mine = Writing(author, begin="edit", campaign=slug)
    mine.write("message", name="Mine")
    theirs = Writing(publisher, begin="edit", campaign=slug)
    theirs.write("message", name="Theirs")
    sent = publisher.post(f"{theirs.path}/publish", {"accept": ""})
    assert sent.status_code == 303, summary(sent.text)
    html = mine.page("message")
    expected = "published version 2 while you were editing version 1."
    assert f"{publisher.email} {expected}" in text_of(html, '[data-variant="warning"]')
    compared = author.page(f"{mine.path}/compare")
    assert "Theirs" in compared
    assert "Mine" in compared
    kept = author.post(f"{mine.path}/part")
    assert "edits no other" in author.page(kept.headers["location"])
    document = mine.keep()
    assert (document["name"], document["slug"]) == ("Mine", f"{slug}-2")
    assert server.api.get(f"/api/v1/campaigns/{slug}").json()["document"]["name"] == "Theirs"


def test_an_author_writes_and_a_publisher_publishes(server: SegueServer, team: Team) -> None:
    writing = Writing(team["author"], recipe="cart")
    review = writing.page("review")
    assert "Ask a publisher to publish it" in review
    assert team["publisher"].email in review
    assert team["author"].get(f"{writing.path}/publish").status_code == 403
    assert team["author"].post(f"{writing.path}/publish").status_code == 403
    viewer = team["viewer"]
    assert "takes the role author" in viewer.page(f"{writing.path}/delivery")
    assert viewer.post("/compose").status_code == 403
    assert viewer.post(f"{writing.path}/delivery").status_code == 403


def test_an_author_cannot_change_an_active_campaign(server: SegueServer, team: Team) -> None:
    slug = campaign(server)
    publish(server, slug)
    writing = Writing(team["author"], begin="edit", campaign=slug)
    assert team["author"].post(f"{writing.path}/keep").status_code == 409
    assert server.api.get(f"/api/v1/campaigns/{slug}").json()["version"] == 1
