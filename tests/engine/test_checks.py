"""What is wrong with a campaign is said before it is published, with the path of every fault."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.documents import (
    REMOVED,
    campaign,
    did_not,
    email,
    follower,
    interaction,
    push,
    spoilt,
)

from segue.engine.checks import check_campaign, decode_campaign
from segue.engine.reference_checks import check_cycles, check_references
from segue.engine.target_checks import KnownCampaign
from segue.model.interactions import INTERACTIONS
from segue.model.problems import InvalidError, Problem

TRIGGER = "delivery.triggers[0]"
EXCEPTION = "delivery.exceptions[0]"
SPEC = f"{TRIGGER}.interact_with_campaign"


def problems_of(raw: object) -> list[Problem]:
    with pytest.raises(InvalidError) as refused:
        decode_campaign(raw)
    return refused.value.problems


def variant(name: str, percent: int, *messages: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "percent": percent, "messages": list(messages) or [email()]}


def split(*variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": REMOVED, "variants": list(variants), **more}


def audience(**node: Any) -> dict[str, Any]:
    return {"audience": node}


def nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"attribute": "age", "gt": 17}
    for _ in range(levels):
        node = {"not": node}
    return {"audience": node}


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"slug": "any"}, "slug", '"any" stands for every campaign'),
    (
        {"subscription": "all", "subscription_group": "news"},
        "subscription",
        '"all" goes also to those who left the group "news"',
    ),
    ({"subscription": "some"}, "subscription", 'must be one of "all", "opted_in", "subscribed"'),
    (
        {"messages": [email(unsubscribe="group")]},
        "messages[0].email.unsubscribe",
        "needs a subscription_group of the campaign",
    ),
    (
        split(variant("A", 50), variant("B", 50, push(), email(unsubscribe="group"))),
        "variants[1].messages[1].email.unsubscribe",
        "needs a subscription_group of the campaign",
    ),
    # one kind per happening
    ({TRIGGER: {}}, TRIGGER, "must be exactly one of event, purchase, session_start"),
    ({EXCEPTION: {}}, EXCEPTION, "session_start, interact_with_campaign; it has none"),
    ({TRIGGER: {"event": "a", "purchase": {}}}, TRIGGER, "did_not; it has event, purchase"),
    ({"conversions": [{"within": "3d"}]}, "conversions[0]", "it has none"),
    # events
    ({TRIGGER: {"event": "email_open"}}, f"{TRIGGER}.event", "write interact_with_campaign"),
    ({TRIGGER: {"event": "alias_click"}}, f"{TRIGGER}.event", "write interact_with_campaign"),
    ({TRIGGER: {"event": "email_bounce"}}, f"{TRIGGER}.event", "write interact_with_campaign"),
    ({TRIGGER: {"event": {"name": "purchase"}}}, f"{TRIGGER}.event.name", "write `purchase: {}`"),
    ({EXCEPTION: {"event": "session_start"}}, f"{EXCEPTION}.event", "write `session_start: {}`"),
    ({TRIGGER: {"event": ""}}, f"{TRIGGER}.event", "must have 1 to 255 characters, not 0"),
    ({TRIGGER: {"event": "x" * 256}}, f"{TRIGGER}.event", "must have 1 to 255 characters"),
    (
        {TRIGGER: {"event": {"name": "a", "where": [{"property": "b"}]}}},
        f"{TRIGGER}.event.where[0]",
        "compares with nothing",
    ),
    (
        {TRIGGER: {"purchase": {"where": [{"property": "b", "matches": "("}]}}},
        f"{TRIGGER}.purchase.where[0].matches",
        "is no regular expression",
    ),
    # interactions
    (
        {f"{SPEC}.interaction": "emali_open"},
        f"{SPEC}.interaction",
        '"emali_open" is no interaction; did you mean "email_open"?',
    ),
    ({TRIGGER: interaction("email_alias_click")}, f"{SPEC}.alias", "email_alias_click needs it"),
    ({TRIGGER: interaction("alias_click", "any")}, f"{SPEC}.alias", "alias_click needs it"),
    (
        {TRIGGER: interaction("email_open", alias="cta")},
        f"{SPEC}.alias",
        "email_open takes no alias; it takes no options",
    ),
    (
        {TRIGGER: interaction("push_button_click", page="1")},
        f"{SPEC}.page",
        "push_button_click takes no page; it takes button",
    ),
    (
        {TRIGGER: interaction("email_click", body_only=True)},
        f"{SPEC}.body_only",
        "takes no body_only",
    ),
    (
        {TRIGGER: interaction("email_open", conversion_event="A")},
        f"{SPEC}.conversion_event",
        "takes no conversion_event",
    ),
    (
        {TRIGGER: interaction("email_open", outcome="delivered")},
        f"{SPEC}.outcome",
        "takes no outcome",
    ),
    (
        {TRIGGER: interaction("email_open", include_control=True)},
        f"{SPEC}.include_control",
        "conversion does",
    ),
    ({TRIGGER: interaction("email_open", "")}, f"{SPEC}.campaign", "must not be empty"),
    (
        {TRIGGER: interaction("email_alias_click", alias="")},
        f"{SPEC}.alias",
        "must not be empty",
    ),
    ({TRIGGER: interaction("email_receive", "resend")}, f"{SPEC}.campaign", "by itself"),
    # did_not
    (
        {"delivery": {"triggers": [did_not("email_opne")]}},
        f"{TRIGGER}.did_not.interaction",
        '"email_opne" is no interaction to wait for; did you mean "email_open"?',
    ),
    *(
        ({"delivery": {"triggers": [did_not(name)]}}, f"{TRIGGER}.did_not.interaction", "wait for")
        for name in (
            *("email_receive", "sms_receive", "push_receive", "webhook_receive"),
            *("control_group_enroll", "exception_event", "alias_click", "in_app_message_view"),
            *("content_card_view", "did_not"),
        )
    ),
    (
        {"delivery": {"triggers": [did_not("email_alias_click")]}},
        f"{TRIGGER}.did_not.alias",
        "is missing",
    ),
    (
        {"delivery": {"triggers": [did_not("email_open", page="1")]}},
        f"{TRIGGER}.did_not.page",
        "email_open takes no page",
    ),
    (
        {"delivery": {"triggers": [did_not("email_open", "resend")]}},
        f"{TRIGGER}.did_not.campaign",
        "by itself",
    ),
    (
        {"delivery": {"triggers": [did_not("email_open", within="366d")]}},
        f"{TRIGGER}.did_not.within",
        'must be at most 365 days, not "366d"',
    ),
    (
        {"delivery": {"triggers": [did_not("email_open", within="0s")]}},
        f"{TRIGGER}.did_not.within",
        'must be longer than nothing, not "0s"',
    ),
    ({TRIGGER: did_not("email_open")}, "delivery.delay", "brings its own delay"),
    ({TRIGGER: did_not("email_open")}, "delivery.exceptions", "brings its own exception"),
    (
        {"delivery": {"triggers": [did_not("email_open"), {"event": "a"}]}},
        "delivery.triggers",
        "stands alone",
    ),
    (
        {"delivery": {"triggers": [did_not("email_open"), did_not("email_click", within="8d")]}},
        "delivery.triggers",
        "the same `within`",
    ),
    (
        {TRIGGER: {"session_start": {}}, EXCEPTION: {"session_start": None}},
        f"{EXCEPTION}.session_start",
        "may not be both trigger and exception",
    ),
    # durations
    ({"delivery.delay": {"after": "366d"}}, "delivery.delay.after", "at most 365 days"),
    ({"re_eligibility": {"after": "721d"}}, "re_eligibility.after", "at most 720 days"),
    (
        {"conversions": [{"purchase": {}, "within": "31d"}]},
        "conversions[0].within",
        'must be at most 30 days, not "31d"',
    ),
    (
        {"conversions": [{"purchase": {}}, {"purchase": {}, "within": "0m"}]},
        "conversions[1].within",
        "longer than nothing",
    ),
    # variants and control
    ({"variants": [variant("A", 100)]}, "messages", "stand beside variants"),
    ({"messages": REMOVED}, "messages", "a campaign needs `messages` or `variants`"),
    ({"control_percent": 100}, "control_percent", "leaves nobody to send to; at most 99"),
    (split(variant("A", 50), variant("B", 40)), "variants", "sum to 90, not 100"),
    (split(variant("A", 100), control_percent=5), "variants", "sum to 105, not 100"),
    (split(variant("A", 50), variant("A", 50)), "variants[1].name", '"A" is another variant'),
    (split(variant("A", 100), variant("B", 0)), "variants[1].percent", "must be at least 1"),
    # messages
    ({"messages[0]": {}}, "messages[0]", "content_card; it has none"),
    (
        {"messages[0]": {**email(), **push()}},
        "messages[0]",
        "must be exactly one of email, push, sms",
    ),
    ({"messages": [email(), email()]}, "messages[1]", "second email message"),
    (
        split(variant("A", 50), variant("B", 50, push(), push())),
        "variants[1].messages[1]",
        "second push message",
    ),
    ({"messages[0].email.text": REMOVED}, "messages[0].email", "needs html, text or both"),
    (
        {"messages[0]": {"content_card": {"title": "Hi", "expires_after": "31d"}}},
        "messages[0].content_card.expires_after",
        "at most 30 days",
    ),
    (
        {"messages[0]": {"in_app_message": {"body": "Hi", "expires_after": "0s"}}},
        "messages[0].in_app_message.expires_after",
        "longer than nothing",
    ),
    # audience
    (audience(), "audience", "must be exactly one of all, any, not, attribute, event"),
    (audience(attribute="a", eq=1, all=[]), "audience", "it has all, attribute"),
    (audience(all=[]), "audience.all", "is empty"),
    (audience(any=[]), "audience.any", "is empty"),
    (audience(attribute="a"), "audience", "compares with nothing; add an operator"),
    (audience(any=[{"not": {"attribute": "a"}}]), "audience.any[0].not", "compares with nothing"),
    (audience(all=[{"attribute": "a", "eq": 1}], gt=5), "audience", "gt needs an `attribute`"),
    (audience(attribute="a", before="soon"), "audience.before", "'soon' is no instant"),
    (audience(attribute="a", after="2026-13-01"), "audience.after", "is no instant"),
    (audience(attribute="a", in_last="3 days"), "audience.in_last", "'3 days' is no duration"),
    (audience(attribute="a", not_in_last=""), "audience.not_in_last", "is no duration"),
    (audience(attribute="a", matches="(a"), "audience.matches", "is no regular expression"),
    (audience(attribute="a", matches="a" * 1_001), "audience.matches", "longer than 1000"),
    (audience(attribute="a", matches="(a+)+b"), "audience.matches", "can take for ever"),
    (audience(attribute="a", matches="^(a|a)*$"), "audience.matches", "can take for ever"),
    (audience(attribute="a", matches="(x{1,9}){2,}"), "audience.matches", "can take for ever"),
    (nested(20), "audience" + ".not" * 20, "is nested deeper than 20 levels"),
]


@pytest.mark.parametrize(("overrides", "path", "sentence"), FAULTS)
def test_a_fault_is_told_with_its_path_and_how_to_mend_it(
    overrides: dict[str, Any], path: str, sentence: str
) -> None:
    found = problems_of(campaign(overrides=overrides))

    assert path in [problem.path for problem in found]
    assert any(sentence in one.message for one in found if one.path == path), found


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {TRIGGER: {"event": {"name": "added_to_cart", "where": [{"property": "x", "gte": 1}]}}},
        {TRIGGER: {"purchase": {}}, EXCEPTION: {"session_start": {}}},
        {TRIGGER: interaction("email_alias_click", alias="cta", variant="A")},
        {TRIGGER: interaction("conversion", "any", conversion_event="B", include_control=True)},
        {TRIGGER: interaction("email_receive", {"tag": "sale"}, outcome="delivered")},
        {EXCEPTION: interaction("email_open", "resend")},
        {"delivery": {"triggers": [did_not("email_other_open")]}},
        {"delivery": {"triggers": [did_not("conversion", conversion_event="B")]}},
        {"delivery": {"triggers": [did_not("email_open"), did_not("email_click", within="1w")]}},
        {"delivery.delay": "immediately"},
        {"delivery.delay": {"after": "365d"}},
        {"re_eligibility": {"after": "720d"}},
        {"conversions": [{"purchase": {}, "within": "30d"}, interaction("email_click", "resend")]},
        {"control_percent": 99},
        {"messages": [email(html="<p>Hello</p>"), push()]},
        split(variant("A", 45), variant("B", 45, push()), control_percent=10),
        audience(all=[{"attribute": "a", "in": ["FR"]}, {"not": {"attribute": "b", "gt": 1}}]),
        audience(attribute="a", matches=r"^[a-z]+@shop\.test$"),
        audience(attribute="a", before="2026-11-01T00:00:00Z", in_last="1h30m"),
        nested(19),
    ],
)
def test_a_campaign_that_is_right_has_no_fault(overrides: dict[str, Any]) -> None:
    assert check_campaign(decode_campaign(campaign(overrides=overrides))) == []


@pytest.mark.parametrize("row", INTERACTIONS.values(), ids=lambda row: row.name)
def test_every_interaction_can_be_followed_with_all_its_options(row: Any) -> None:
    values = {"body_only": True, "outcome": "delivered", "conversion_event": "A"}
    options = {option: values.get(option, "x") for option in row.options}
    decode_campaign(campaign(overrides={TRIGGER: interaction(row.name, **options)}))


def test_every_fault_of_meaning_is_told_at_once() -> None:
    document = campaign(
        overrides={
            TRIGGER: interaction("emali_open"),
            "delivery.delay.after": "400d",
            "messages[0].email.text": REMOVED,
        },
        audience={"all": []},
    )
    assert {problem.path for problem in problems_of(document)} == {
        f"{SPEC}.interaction",
        "delivery.delay.after",
        "messages[0].email",
        "audience.all",
    }


def test_the_faults_of_the_shape_come_before_those_of_the_meaning() -> None:
    document = campaign(overrides={"name": 5, "messages[0].email.text": REMOVED})
    assert [problem.path for problem in problems_of(document)] == ["name"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
PARTS = st.sampled_from(
    [
        *([part for fault, _, _ in FAULTS for part in fault.values() if part is not REMOVED]),
        *("any", "7d", "email_open", "matches", [], {}, 0, 100),
    ]
)
PLACES = (
    *("slug", "tags", "delivery", "delivery.delay", "delivery.triggers", "delivery.exceptions"),
    *(TRIGGER, f"{TRIGGER}.event", f"{TRIGGER}.did_not", SPEC, f"{SPEC}.campaign", EXCEPTION),
    *("audience", "re_eligibility", "messages", "messages[0]", "messages[0].email", "variants"),
    *("control_percent", "conversions", f"{SPEC}.interaction", f"{SPEC}.alias"),
)


@given(JUNK)
@example({"slug": {}, "delivery": {"triggers": [{}]}})
def test_junk_is_only_ever_refused(raw: object) -> None:
    assert problems_of(raw)


@given(st.dictionaries(st.sampled_from(PLACES), PARTS | JUNK, min_size=1, max_size=4))
def test_a_campaign_with_junk_inside_is_taken_or_refused(overrides: dict[str, Any]) -> None:
    document = campaign()
    for path, value in overrides.items():
        try:
            document = spoilt(document, {path: value})
        except (KeyError, IndexError, TypeError):
            continue  # another override took the place away
    try:
        taken = decode_campaign(document)
    except InvalidError:
        return
    assert check_campaign(taken) == []
    check_references(taken, {})
    check_cycles(taken, {})


# References


def known(
    slug: str = "spring-sale",
    *,
    status: str = "active",
    tags: Sequence[str] = (),
    channels: Sequence[str] = ("email",),
    has_control: bool = False,
    conversions: int = 0,
) -> dict[str, KnownCampaign]:
    bodies = {
        "email": email(html='<a href="https://shop.test" data-alias="cta">Go</a>'),
        "push": push(
            buttons=[{"id": "claim", "text": "Claim"}],
            pages=[{"id": "one", "image_url": "https://shop.test/1.png"}],
        ),
        "in_app_message": {
            "in_app_message": {"body": "Hi", "buttons": [{"id": "claim", "text": "Claim"}]}
        },
        "content_card": {"content_card": {"title": "Hi"}},
        "sms": {"sms": {"body": "Hi"}},
        "webhook": {"webhook": {"url": "https://shop.test"}},
    }
    document = decode_campaign(
        follower(
            slug,
            tags=list(tags),
            messages=[bodies[channel] for channel in sorted(channels)],
            control_percent=10 if has_control else 0,
            conversions=[{"purchase": {}}] * conversions,
        )
    )
    return {slug: KnownCampaign(slug, f"id-of-{slug}", status, document)}


def follows(*triggers: dict[str, Any], exceptions: list[dict[str, Any]] | None = None) -> Any:
    delivery: dict[str, Any] = {"triggers": list(triggers)}
    if exceptions is not None:
        delivery |= {"exceptions": exceptions, "delay": {"after": "7d"}}
    return decode_campaign(campaign(delivery=delivery))


@pytest.mark.parametrize(
    ("trigger", "others", "path", "sentence"),
    [
        (
            interaction("email_open", "spring-slae"),
            known(),
            f"{SPEC}.campaign",
            'there is no campaign "spring-slae"; did you mean "spring-sale"?',
        ),
        (interaction("email_open", "x"), {}, f"{SPEC}.campaign", "; there are: none"),
        (
            interaction("email_open"),
            known(status="archived"),
            f"{SPEC}.campaign",
            "spring-sale is archived; its interactions fire nothing",
        ),
        (
            interaction("push_direct_open"),
            known(),
            f"{SPEC}.interaction",
            "spring-sale has no push message, so push_direct_open can never happen",
        ),
        (
            did_not("push_direct_open"),
            known(),
            f"{TRIGGER}.did_not.interaction",
            "spring-sale has no push message",
        ),
        (
            interaction("push_receive", "id-of-spring-sale"),
            known(),
            f"{SPEC}.interaction",
            "spring-sale has no push message",
        ),
        (
            interaction("control_group_enroll"),
            known(),
            f"{SPEC}.interaction",
            "spring-sale has no control group",
        ),
        (
            interaction("conversion"),
            known(),
            f"{SPEC}.interaction",
            "spring-sale has no conversion events",
        ),
        (
            interaction("conversion", conversion_event="C"),
            known(conversions=2),
            f"{SPEC}.conversion_event",
            "spring-sale has no conversion event C",
        ),
        (
            did_not("conversion", conversion_event="C"),
            known(conversions=2),
            f"{TRIGGER}.did_not.conversion_event",
            "spring-sale has no conversion event C",
        ),
    ],
)
def test_a_reference_that_can_never_fire_is_an_error_that_says_why(
    trigger: dict[str, Any], others: dict[str, KnownCampaign], path: str, sentence: str
) -> None:
    [problem] = check_references(follows(trigger), others).errors
    assert problem.path == path
    assert sentence in problem.message


def test_exceptions_and_conversions_are_references_too() -> None:
    document = campaign(conversions=[interaction("sms_receive")])
    document["delivery"]["exceptions"] = [{"purchase": {}}, interaction("email_open", "gone")]
    found = check_references(decode_campaign(document), known())
    assert [problem.path for problem in found.errors] == [
        "delivery.exceptions[1].interact_with_campaign.campaign",
        "conversions[0].interact_with_campaign.interaction",
    ]


def test_a_reference_to_oneself_is_checked_against_the_document() -> None:
    mine = [interaction("email_click", "resend"), interaction("push_direct_open", "resend")]
    [problem] = check_references(follows({"event": "x"}, exceptions=mine), {}).errors
    assert problem.path == "delivery.exceptions[1].interact_with_campaign.interaction"
    assert "resend has no push message" in problem.message


@pytest.mark.parametrize(
    ("trigger", "others"),
    [
        (interaction("email_open"), known()),
        (interaction("email_open"), known(status="draft")),
        (interaction("email_open", "id-of-spring-sale"), known()),
        (interaction("push_direct_open", "any"), known()),
        (interaction("alias_click", alias="cta"), known()),
        (interaction("control_group_enroll"), known(has_control=True)),
        (interaction("conversion"), known(conversions=1)),
        (interaction("conversion", conversion_event="B"), known(conversions=2)),
        (interaction("email_open", {"tag": "sale"}), known(tags=["sale"])),
    ],
)
def test_a_reference_that_can_fire_is_no_problem(
    trigger: dict[str, Any], others: dict[str, KnownCampaign]
) -> None:
    found = check_references(follows(trigger), others)
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize(
    ("document", "others", "path", "sentence"),
    [
        (
            follower("resend", interaction("email_open")),
            known(status="stopped"),
            f"{SPEC}.campaign",
            "spring-sale is stopped",
        ),
        (
            follower("resend", interaction("email_open", {"tag": "sale"})),
            known(tags=["sales"]),
            f"{SPEC}.campaign",
            'no campaign bears the tag "sale"',
        ),
        (
            follower("resend", interaction("email_open", {"tag": "sale"})),
            known(tags=["sale"], status="archived"),
            f"{SPEC}.campaign",
            'no campaign bears the tag "sale"',
        ),
        (
            campaign(overrides={"delivery.delay": "immediately"}),
            known(),
            "delivery.exceptions",
            "do nothing without a delay",
        ),
        (
            campaign(overrides={"delivery.delay": {"after": "0s"}}),
            known(),
            "delivery.exceptions",
            "do nothing without a delay",
        ),
        (
            campaign(overrides={EXCEPTION: interaction("email_open")}),
            known(),
            f"{EXCEPTION}.interact_with_campaign.interaction",
            "email_other_open is a person's",
        ),
        (
            follower("resend", did_not("email_open")),
            known(),
            f"{TRIGGER}.did_not.interaction",
            "email_other_open is a person's",
        ),
    ],
)
def test_what_is_doubtful_is_a_warning(
    document: dict[str, Any], others: dict[str, KnownCampaign], path: str, sentence: str
) -> None:
    found = check_references(decode_campaign(document), others)
    assert found.errors == []
    [problem] = found.warnings
    assert problem.path == path
    assert sentence in problem.message
