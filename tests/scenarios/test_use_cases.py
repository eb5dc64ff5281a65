"""The use cases of the product, told as stories in virtual time."""

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
