"""Following other campaigns, and who is in which variant or in the control group.

The rules are those of semantics.md 2 and 5, and C1 to C16 of campaign-facts.md 10.
`test_interactions_table.py` goes through every interaction and option.
"""

from typing import Any

import pytest
from tests.support.story import EMAIL, Story, campaign, interacts

from segue.engine.bucketing import bucket_of, is_in_control, variant_of
from segue.engine.checks import decode_campaign
from segue.engine.doubts import doubts_of
from segue.model.problems import InvalidError

GO = {"event": "go"}
ALWAYS = {"re_eligibility": "always"}
BUTTONS = [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}]
IN_APP = [{"in_app_message": {"body": "Hello", "buttons": BUTTONS}}]
CARD = [{"content_card": {"title": "Hello"}}]
CONTROLLED = next(user for user in map(str, range(99)) if is_in_control("target", user, 50))
TREATED = next(user for user in map(str, range(99)) if not is_in_control("target", user, 50))


def followed(*triggers: dict[str, Any], **parts: Any) -> Story:
    """Return a story with an email campaign `target`, and `follower`, both published."""
    target = campaign("target", GO, **{"messages": EMAIL, **ALWAYS, **parts})
    follower = campaign("follower", *triggers, **ALWAYS)
    return Story(target, follower).publish("follower", "target")


def entries(story: Story, user: str = "u", slug: str = "follower") -> int:
    return story.of(user, slug).count("enter")


# The publish rule


def test_an_event_before_publication_never_enters_however_late_it_arrives() -> None:
    """semantics.md 2: T ≥ the follower's own `published_at`; the instant itself is inside."""
    story = Story(campaign("c", GO, **ALWAYS)).waits("1h").publish("c").waits("1d")
    story.happens("u", "go", ago="25h").happens("u", "go", ago="24h")
    assert story.of("u", "c") == ["refuse: published_after_event", "enter", "send"]


def test_a_connected_set_may_be_published_at_one_instant() -> None:
    """semantics.md 2: followers before targets; what follows at that very instant enters."""
    schedule = {"at": "2026-11-02T09:00:00Z"}
    target = campaign("target", type="scheduled", schedule=schedule, control_percent=50)
    story = Story(
        target,
        campaign("received", interacts("target", "push_receive")),
        campaign("enrolled", interacts("target", "control_group_enroll")),
    )
    story.knows(CONTROLLED, fan=True).knows(TREATED, fan=True)
    story.waits_until("2026-11-02T09:00:00Z").publish("received", "enrolled", "target").waits("0s")
    assert story.of(TREATED, "received") == ["enter", "send"]
    assert story.of(CONTROLLED, "enrolled") == ["enter", "send"]


def test_what_happened_before_a_second_publication_enters_nobody_either() -> None:
    """semantics.md 1, 2: a stopped campaign becomes active with a new `published_at`."""
    story = followed(interacts("target", "email_click"))
    story.stop("follower").waits("1h").happens("u", "email_click", campaign="target", ago="1m")
    story.publish("follower").happens("u", "email_click", campaign="target", ago="2m")
    assert story.of("u", "follower") == ["refuse: published_after_event"]


# What the decisions of campaign-facts.md 10 add


def test_c1_any_and_a_tag_mean_the_campaigns_that_there_are_by_then() -> None:
    """semantics.md 2: a slug, an id, a tag or any; campaign-facts.md C1."""
    story = Story(
        campaign("any-click", interacts("any", "email_click"), **ALWAYS),
        campaign("red-click", interacts({"tag": "red"}, "email_click"), **ALWAYS),
        campaign("late", {"event": "x"}, messages=EMAIL, tags=["red"]),
        campaign("plain", {"event": "x"}, messages=EMAIL),
    ).publish("any-click", "red-click", "plain")
    story.waits("1d").publish("late")
    for slug in ("late", "plain"):
        story.happens("u", "email_click", campaign=slug)
    assert (entries(story, "u", "any-click"), entries(story, "u", "red-click")) == (2, 1)


def test_c2_a_click_is_on_the_body_or_any_button_unless_the_body_alone_is_wanted() -> None:
    """semantics.md 2; campaign-facts.md C2."""
    story = Story(
        campaign("target", GO, messages=IN_APP),
        campaign("click", interacts("target", "in_app_message_click"), **ALWAYS),
        campaign("body", interacts("target", "in_app_message_click", body_only=True), **ALWAYS),
        campaign("button", interacts("target", "in_app_message_button_click"), **ALWAYS),
        campaign("yes", interacts("target", "in_app_message_button_click", button="yes"), **ALWAYS),
    ).publish("click", "body", "button", "yes", "target")
    for button in ({}, {"button": "yes"}, {"button": "no"}):
        story.happens("u", "in_app_message_click", campaign="target", **button)
    counted = {slug: entries(story, "u", slug) for slug in ("click", "body", "button", "yes")}
    assert counted == {"click": 3, "body": 1, "button": 2, "yes": 1}


def test_c3_following_an_unsubscribe_link_is_no_click() -> None:
    """semantics.md 2; campaign-facts.md C3: nor is it one for filters."""
    story = followed(interacts("target", "email_click"))
    story.happens("u", "email_unsubscribe", campaign="target")
    assert story.of("u", "follower") == []


def test_c4_an_open_is_a_machines_or_a_persons_and_each_half_can_be_followed() -> None:
    """semantics.md 2; campaign-facts.md C4: as an exception, the whole is warned of."""
    names = ("email_open", "email_machine_open", "email_other_open")
    followers = [campaign(one, interacts("target", one), **ALWAYS) for one in names]
    story = Story(campaign("target", GO, messages=EMAIL), *followers).publish(*names, "target")
    for machine in ({"machine": True}, {"machine": False}, {}):
        story.happens("u", "email_open", campaign="target", **machine)
    assert [entries(story, "u", one) for one in names] == [3, 1, 2]
    waits = campaign("c", GO, delay="1d", exceptions=[interacts("target", "email_open")])
    [doubt] = doubts_of(decode_campaign(waits))
    assert "email_other_open is a person's" in doubt.message


def test_c5_a_receipt_is_the_hand_over_once_per_send_and_delivered_can_be_waited_for() -> None:
    """semantics.md 2; campaign-facts.md C5."""
    target = campaign("target", GO, messages=EMAIL)
    story = Story(
        target,
        campaign("handed", interacts("target", "email_receive"), **ALWAYS),
        campaign("delivered", interacts("target", "email_receive", outcome="delivered"), **ALWAYS),
        sends="recorded",
    ).publish("handed", "delivered", "target")
    story.happens("u", "go")
    assert story.of("u", "handed") == []
    story.settles("u", "target", "accepted", channel="email")
    story.settles("u", "target", "accepted", channel="email")
    assert (entries(story, "u", "handed"), entries(story, "u", "delivered")) == (1, 0)
    story.happens("u", "email_bounce", campaign="target")
    assert entries(story, "u", "delivered") == 0
    story.happens("u", "email_delivered", campaign="target")
    assert (entries(story, "u", "handed"), entries(story, "u", "delivered")) == (1, 1)


def test_c5_a_webhook_that_was_not_answered_well_is_not_received() -> None:
    """semantics.md 2, `webhook_receive`: the endpoint answered 2xx."""
    hook = [{"webhook": {"url": "https://shop.test/hook"}}]
    story = Story(
        campaign("target", GO, messages=hook),
        campaign("follower", interacts("target", "webhook_receive")),
        sends="recorded",
    ).publish("follower", "target")
    story.happens("u", "go").settles("u", "target", "refused", channel="webhook", reason="gave_up")
    assert story.of("u", "target") == ["enter", "send", "skip: gave_up"]
    assert story.of("u", "follower") == []


def test_c6_a_follower_may_be_an_in_app_message_made_available_when_it_is_due() -> None:
    """semantics.md 3: not pushed, and received only when viewed; campaign-facts.md C6."""
    story = Story(
        campaign("target", GO),
        campaign("tip", interacts("target", "push_direct_open"), delay="1h", messages=IN_APP),
        campaign("seen", interacts("tip", "in_app_message_view")),
    ).publish("seen", "tip", "target")
    story.happens("u", "go").happens("u", "push_direct_open", campaign="target").waits("1h")
    assert story.of("u", "tip") == ["enter", "send"]
    assert story.of("u", "seen") == []
    assert story.happens("u", "in_app_message_view", campaign="tip").of("u", "seen") != []


def test_c7_control_users_are_enrolled_at_the_trigger_after_all_checks_of_it() -> None:
    """semantics.md 3, step 4, `control_group`; campaign-facts.md C7: delay or not."""
    audience = {"attribute": "fan", "eq": True}
    target = campaign("target", GO, delay="1d", audience=audience, control_percent=50)
    enrolled = campaign("enrolled", interacts("target", "control_group_enroll"), **ALWAYS)
    story = Story(target, enrolled).publish("enrolled", "target").happens(CONTROLLED, "go")
    assert story.of(CONTROLLED, "target") == ["refuse: not_in_audience"]
    story.knows(CONTROLLED, fan=True).happens(CONTROLLED, "go").happens(CONTROLLED, "go")
    assert story.of(CONTROLLED, "target")[1:] == [
        "control: control_group",
        "refuse: not_re_eligible",
    ]
    assert story.of(CONTROLLED, "enrolled") == ["enter", "send"]


def test_c8_a_campaign_of_several_channels_has_one_control_group() -> None:
    """campaign-facts.md C8: one enrolment per user."""
    messages = [*EMAIL, {"push": {"title": "Hello"}}]
    story = followed(
        interacts("target", "control_group_enroll"), messages=messages, control_percent=50
    )
    story.happens(CONTROLLED, "go").happens(TREATED, "go")
    assert (entries(story, CONTROLLED), entries(story, TREATED)) == (1, 0)


def test_c9_a_conversion_fires_by_its_letter_and_for_the_control_group_only_if_asked() -> None:
    """semantics.md 2, 5; campaign-facts.md C9."""
    story = Story(
        campaign(
            "target", GO, control_percent=50, conversions=[{"event": "buy"}, {"event": "rate"}]
        ),
        campaign("each", interacts("target", "conversion"), **ALWAYS),
        campaign("b", interacts("target", "conversion", conversion_event="B"), **ALWAYS),
        campaign("all", interacts("target", "conversion", include_control=True), **ALWAYS),
    ).publish("each", "b", "all", "target")
    for user in (CONTROLLED, TREATED):
        story.happens(user, "go").happens(user, "buy").happens(user, "rate")
        assert story.of(user, "target")[-2:] == ["convert", "convert"]
    counted = {slug: entries(story, TREATED, slug) for slug in ("each", "b", "all")}
    assert counted == {"each": 2, "b": 1, "all": 2}
    counted = {slug: entries(story, CONTROLLED, slug) for slug in ("each", "b", "all")}
    assert counted == {"each": 0, "b": 0, "all": 2}


def test_c10_every_occurrence_is_an_event_and_re_eligibility_decides() -> None:
    """campaign-facts.md C10."""
    clicked = interacts("target", "email_click")
    story = Story(
        campaign("target", GO, messages=EMAIL),
        campaign("each", clicked, **ALWAYS),
        campaign("first", clicked),
    ).publish("each", "first", "target")
    for _ in range(3):
        story.happens("u", "email_click", campaign="target")
    assert (entries(story, "u", "each"), entries(story, "u", "first")) == (3, 1)


def test_c11_every_view_of_a_card_is_one_and_re_eligibility_keeps_the_first() -> None:
    """semantics.md 2, as named; campaign-facts.md C11 would have the first alone by default."""
    viewed = interacts("target", "content_card_view")
    story = Story(
        campaign("target", GO, messages=CARD),
        campaign("each", viewed, **ALWAYS),
        campaign("first", viewed),
    ).publish("each", "first", "target")
    story.happens("u", "go")
    for _ in range(2):
        story.happens("u", "content_card_view", campaign="target")
    assert (entries(story, "u", "each"), entries(story, "u", "first")) == (2, 1)


def test_c12_an_alias_is_matched_as_it_was_clicked_in_the_variant_that_was_sent() -> None:
    """semantics.md 2; campaign-facts.md C12: a new name in the mail leaves history as it was."""

    def mail(alias: str) -> list[dict[str, Any]]:
        html = f'<a href="https://shop.test" data-alias="{alias}">Come in</a>'
        return [{"email": {"subject": "Hello", "html": html}}]

    story = followed(interacts("target", "email_alias_click", alias="cta"), messages=mail("cta"))
    story.happens("u", "go").edit(campaign("target", GO, messages=mail("enter")))
    story.happens("u", "email_click", campaign="target", alias="enter")
    assert story.of("u", "follower") == []
    story.happens("u", "email_click", campaign="target", alias="cta")
    assert entries(story) == 1


def test_c13_an_interaction_is_the_addressed_users_alone_even_with_a_shared_address() -> None:
    """semantics.md 2; campaign-facts.md C13."""
    story = followed(interacts("target", "email_click"))
    for user in ("ann", "bob"):
        story.knows(user, email="both@home.test").happens(user, "go")
    story.happens("ann", "email_click", campaign="target")
    assert (entries(story, "ann"), entries(story, "bob")) == (1, 0)


@pytest.mark.parametrize(
    ("interaction", "act"),
    [("email_other_open", "email_open"), ("email_click", "email_click"), ("conversion", "bought")],
)
def test_c14_not_to_have_opened_clicked_or_converted_is_a_trigger(
    interaction: str, act: str
) -> None:
    """semantics.md 2, `did_not`; campaign-facts.md C14."""
    unmoved = {"did_not": {"campaign": "target", "interaction": interaction, "within": "7d"}}
    story = followed(unmoved, conversions=[{"event": "bought", "within": "30d"}])
    more = {"campaign": "target"} if act.startswith("email") else {}
    story.happens("does", "go").happens("does-not", "go").waits("2d").happens("does", act, **more)
    story.waits("5d")
    assert story.of("does", "follower") == ["enter", "cancel: exception_event"]
    assert story.of("does-not", "follower") == ["enter", "send"]


def test_c15_a_backfill_enters_what_was_missed_once_with_the_delay_from_its_own_time() -> None:
    """semantics.md 2, missed users; campaign-facts.md C15."""
    clicked = interacts("target", "email_click")
    story = Story(campaign("target", GO, messages=EMAIL), campaign("f", clicked, delay="3d"))
    story.publish("target")
    click = {"name": "email_click", "campaign": "target"}
    for user in ("long-ago", "lately"):
        story.waits("2d").happens(user, **click)
    story.waits("1d").publish("f")
    assert story.of("lately", "f") == []
    times = {"long-ago": "2026-11-03T00:00:00Z", "lately": "2026-11-05T00:00:00Z"}
    story.backfill("f", *({"user_id": user, "time": at, **click} for user, at in times.items()))
    assert story.of("long-ago", "f") == ["enter", "send"]
    assert story.of("lately", "f") == ["enter"]
    assert story.waits("7d").sent("lately", "f") == ["2026-11-08T00:00:00Z"]


def test_c16_the_wait_knows_what_the_follower_may_say_of_the_interaction() -> None:
    """campaign-facts.md C16: `trigger` in its templates."""
    clicked = interacts("target", "email_click")
    story = Story(campaign("target", GO, messages=EMAIL), campaign("f", clicked, delay="1h"))
    story.publish("f", "target").happens("u", "go").waits("1h")
    story.happens("u", "email_click", campaign="target", alias="cta", link="https://shop.test/1")
    wait = story.state("u").memberships["f"].wait
    assert wait is not None
    told = wait.trigger
    assert (told.campaign, told.interaction, told.variant) == ("target", "email_click", "A")
    assert (told.alias, told.link, told.time) == ("cta", "https://shop.test/1", story.now)


def test_an_act_is_with_the_variant_that_it_names_else_that_of_the_latest_receipt() -> None:
    """semantics.md 2: every interaction takes `variant`."""
    push = [{"push": {"title": "Hello"}}]
    variants = [{"name": name, "percent": 50, "messages": push} for name in "AB"]
    opened = interacts("target", "push_direct_open", variant="A")
    story = Story(campaign("target", GO, variants=variants), campaign("f", opened, **ALWAYS))
    story.publish("f", "target").happens("u", "push_direct_open", campaign="target")
    assert story.of("u", "f") == []
    story.happens("u", "go")
    received = story.last("u", "target", "send").variant
    for variant in ({}, {"variant": "A"}, {"variant": "B"}):
        story.happens("u", "push_direct_open", campaign="target", **variant)
    assert entries(story, "u", "f") == (2 if received == "A" else 1)


# Variants and control


def split(*shares: int, control: int = 0) -> dict[str, Any]:
    push = [{"push": {"title": "Hello"}}]
    names = "ABCDEFGHI"
    variants = [
        {"name": name, "percent": share, "messages": push}
        for name, share in zip(names, shares, strict=False)
    ]
    return {"variants": variants, "control_percent": control}


def test_everybody_has_a_share_by_the_hash_and_keeps_it_across_entries() -> None:
    """semantics.md 5: a stable hash of campaign and user; kept while the split is unchanged."""
    parts = split(30, 50, control=20)
    story = Story(campaign("c", GO, **parts, **ALWAYS)).publish("c")
    seen = set()
    for user in map(str, range(60)):
        story.happens(user, "go").waits("1h").happens(user, "go")
        bucket = bucket_of("c", user)
        group = "control" if bucket < 20 else "A" if bucket < 50 else "B"
        decided = [v for v in story.verdicts if v.user_id == user and v.decision != "send"]
        assert [one.variant or one.decision for one in decided] == [group, group]
        seen.add(group)
    assert seen == {"control", "A", "B"}


def test_treated_users_never_become_control_nor_the_reverse() -> None:
    """semantics.md 5: whatever the split becomes."""
    story = Story(campaign("c", GO, **split(50, control=50), **ALWAYS)).publish("c")
    users = [str(number) for number in range(30)]
    control = {user for user in users if is_in_control("c", user, 50)}
    for user in users:
        story.happens(user, "go")
    for share in (99, 1):
        story.edit(campaign("c", GO, **split(100 - share, control=share), **ALWAYS))
        for user in users:
            last = story.happens(user, "go").of(user, "c")[-1]
            assert last == ("control: control_group" if user in control else "send")


def test_a_treated_user_whose_bucket_is_the_controls_now_still_gets_a_variant() -> None:
    """semantics.md 5."""
    variants = decode_campaign(campaign("c", GO, **split(40, 30, control=30))).all_variants()
    inside = [user for user in map(str, range(200)) if bucket_of("c", user) < 30]
    assert {variant_of("c", user, variants, 30) for user in inside} == {"A", "B"}


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (split(50, 40), "sum to 90, not 100"),
        (split(*[12] * 7, 16), None),
        (split(*[11] * 8, 12), "has 9 entries; at most 8"),
        (split(0, 100), "must be at least 1"),
    ],
)
def test_one_to_eight_variants_share_a_hundred_per_cent(
    parts: dict[str, Any], fault: str | None
) -> None:
    """semantics.md 5."""
    if fault is None:
        decode_campaign(campaign("c", GO, **parts))
    else:
        with pytest.raises(InvalidError, match=fault):
            decode_campaign(campaign("c", GO, **parts))
