"""The use cases of the product's brief, told as stories in virtual time (semantics.md 2, 3)."""

from tests.support.story import EMAIL, Story, campaign, interacts


def non_openers() -> Story:
    return Story(
        campaign("spring-sale", {"event": "sale_started"}, messages=EMAIL),
        campaign(
            "resend",
            interacts("spring-sale", "email_receive"),
            delay="7d",
            exceptions=[interacts("spring-sale", "email_open")],
            messages=EMAIL,
        ),
    ).publish("resend", "spring-sale")


def test_the_email_is_sent_again_to_those_who_did_not_open_within_a_week() -> None:
    story = non_openers().happens("silent", "sale_started").happens("opens", "sale_started")
    story.waits("2d").happens("opens", "email_open", campaign="spring-sale").waits("5d")
    assert story.of("silent", "resend") == ["enter", "send"]
    assert story.of("opens", "resend") == ["enter", "cancel: exception_event"]


def test_an_open_at_the_very_end_of_the_week_comes_too_late() -> None:
    story = non_openers().happens("late", "sale_started").waits("7d")
    story.happens("late", "email_open", campaign="spring-sale")
    assert story.of("late", "resend") == ["enter", "send"]


def test_did_not_is_short_for_receive_delay_and_exception() -> None:
    did_not = {"campaign": "spring-sale", "interaction": "email_other_open", "within": "7d"}
    story = Story(
        campaign("spring-sale", {"event": "sale_started"}, messages=EMAIL),
        campaign("resend", {"did_not": did_not}, messages=EMAIL),
    ).publish("resend", "spring-sale")
    for user in ("silent", "machine", "opens"):
        story.happens(user, "sale_started")
    story.waits("1d").happens("machine", "email_open", campaign="spring-sale", machine=True)
    story.happens("opens", "email_open", campaign="spring-sale").waits("6d")
    assert story.of("silent", "resend") == ["enter", "send"]
    assert story.of("machine", "resend") == ["enter", "send"]
    assert story.of("opens", "resend") == ["enter", "cancel: exception_event"]


def test_those_who_clicked_the_free_shipping_push_get_the_next_offer() -> None:
    story = Story(
        campaign("free-shipping", {"event": "visited_pricing"}),
        campaign("fifteen-off", interacts("free-shipping", "push_direct_open")),
    ).publish("fifteen-off", "free-shipping")
    story.happens("taps", "visited_pricing").happens("ignores", "visited_pricing").waits("5h")
    story.happens("taps", "push_direct_open", campaign="free-shipping")
    assert story.of("taps", "fifteen-off") == ["enter", "send"]
    assert story.of("ignores", "fifteen-off") == []


def test_the_cart_is_recalled_unless_they_bought_or_opened() -> None:
    bought = {"purchase": {}}
    story = Story(
        campaign("cart", {"event": "added_to_cart"}, delay="1h", exceptions=[bought]),
        campaign(
            "cart-again",
            interacts("cart", "push_receive"),
            delay="1d",
            exceptions=[bought, interacts("cart", "push_direct_open")],
        ),
    ).publish("cart-again", "cart")
    for user in ("buys", "opens", "nothing"):
        story.happens(user, "added_to_cart")
    story.waits("2h").happens("opens", "push_direct_open", campaign="cart")
    story.happens("buys", "purchase", product_id="sku-1", price=20).waits("1d")
    assert story.of("nothing", "cart-again") == ["enter", "send"]
    assert story.of("opens", "cart-again") == ["enter", "cancel: exception_event"]
    assert story.of("buys", "cart-again") == ["enter", "cancel: exception_event"]


def test_an_onboarding_message_that_was_clicked_brings_the_next() -> None:
    in_app = [{"in_app_message": {"body": "Welcome", "buttons": [{"id": "more", "text": "More"}]}}]
    clicked = interacts("welcome", "in_app_message_button_click", button="more")
    story = Story(
        campaign("welcome", {"session_start": {}}, messages=in_app),
        campaign("features", clicked, messages=in_app),
    ).publish("features", "welcome")
    story.happens("u", "session_start").happens("u", "in_app_message_view", campaign="welcome")
    story.happens("u", "in_app_message_click", campaign="welcome")
    assert story.of("u", "features") == []
    story.happens("u", "in_app_message_click", campaign="welcome", button="more")
    assert story.of("u", "features") == ["enter", "send"]


def test_users_of_the_control_group_can_be_followed() -> None:
    story = Story(
        campaign("offer", {"event": "go"}, control_percent=50),
        campaign("ask-why", interacts("offer", "control_group_enroll")),
    ).publish("ask-why", "offer")
    users = [f"u{number}" for number in range(40)]
    for user in users:
        story.happens(user, "go")
    control = [user for user in users if story.of(user, "offer") == ["control: control_group"]]
    assert 5 < len(control) < 35
    for user in users:
        expected = ["enter", "send"] if user in control else []
        assert story.of(user, "ask-why") == expected


def test_a_follower_published_in_week_four_of_nine_enters_those_of_weeks_four_to_nine() -> None:
    story = Story(
        campaign("marketing", {"event": "seen"}, messages=EMAIL),
        campaign("follow-on", interacts("marketing", "email_click")),
    ).publish("marketing")
    for week in range(1, 10):
        if week == 4:
            story.publish("follow-on")
        story.happens(f"week-{week}", "email_click", campaign="marketing").waits("7d")
    entered = [week for week in range(1, 10) if story.of(f"week-{week}", "follow-on")]
    assert entered == [4, 5, 6, 7, 8, 9]


def launch(*, follower_first: bool) -> Story:
    """Return a story in which an email goes out to everybody the moment it is published."""
    original = campaign(
        "original",
        type="scheduled",
        schedule={"at": "2026-11-01T00:00:00Z"},
        messages=EMAIL,
        control_percent=50,
    )
    story = Story(
        original,
        campaign("got-it", interacts("original", "email_receive")),
        campaign("left-out", interacts("original", "control_group_enroll")),
    )
    for number in range(20):
        story.knows(f"u{number}", country="FR")
    followers = ("got-it", "left-out")
    order = (*followers, "original") if follower_first else ("original", *followers)
    for slug in order:
        story.publish(slug).waits("0s")
    return story.waits("1m")


def test_followers_published_before_the_original_reach_everybody_it_reaches() -> None:
    story = launch(follower_first=True)
    groups = {"got-it": 0, "left-out": 0}
    for number in range(20):
        is_control = story.of(f"u{number}", "original") == ["control: control_group"]
        mine, other = ("left-out", "got-it") if is_control else ("got-it", "left-out")
        assert story.of(f"u{number}", mine) == ["enter", "send"]
        assert story.of(f"u{number}", other) == []
        groups[mine] += 1
    assert min(groups.values()) > 3


def test_followers_published_after_the_original_miss_those_it_reached_at_once() -> None:
    story = launch(follower_first=False)
    for number in range(20):
        assert story.of(f"u{number}", "original") != []
        assert story.of(f"u{number}", "got-it") == story.of(f"u{number}", "left-out") == []


def test_an_open_before_the_wait_began_does_not_keep_the_second_email_away() -> None:
    story = non_openers().happens("eager", "sale_started").waits("6d")
    story.happens("eager", "email_open", campaign="spring-sale", ago="7d").waits("1d")
    assert story.of("eager", "resend") == ["enter", "send"]


def test_a_segment_of_all_users_reaches_everybody_who_interacts_and_a_small_one_does_not() -> None:
    everybody = {"any": [{"attribute": "app", "is_blank": True}, {"attribute": "app", "ne": ""}]}
    segments = [
        {"slug": "all-users", "name": "All users", "filter": everybody},
        {"slug": "fans", "name": "Fans", "filter": {"attribute": "fan", "eq": True}},
    ]
    clicked = interacts("original", "email_click")
    story = Story(
        campaign("original", {"event": "go"}, messages=EMAIL),
        campaign("to-all", clicked, audience={"segment": "all-users"}),
        campaign("to-fans", clicked, audience={"segment": "fans"}),
        segments=segments,
    ).publish("to-all", "to-fans", "original")
    story.knows("fan", fan=True, app="shop").knows("other", app="shop")
    for user in ("fan", "other", "stranger"):
        story.happens(user, "email_click", campaign="original")
        assert story.of(user, "to-all") == ["enter", "send"]
    assert story.of("fan", "to-fans") == ["enter", "send"]
    assert story.of("other", "to-fans") == ["refuse: not_in_audience"]
