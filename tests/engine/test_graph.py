"""Who follows whom, in which order to publish, and which campaigns go in circles."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.documents import did_not, email, follower, interaction, push

from segue.engine.checks import decode_campaign
from segue.engine.graph import Edge, cycles, edges, publish_order
from segue.engine.reference_checks import check_cycles
from segue.model.campaigns import Campaign


def keyed(*documents: dict[str, Any]) -> dict[str, Campaign]:
    return {document["slug"]: decode_campaign(document) for document in documents}


def opens(slug: str, *targets: Any, **parts: Any) -> dict[str, Any]:
    """Return a campaign that follows an open of the targets: a person has to act."""
    return follower(slug, *(interaction("email_open", target) for target in targets), **parts)


def receives(slug: str, *targets: Any, **parts: Any) -> dict[str, Any]:
    """Return a campaign that follows the receipt of the targets: nobody has to act."""
    return follower(slug, *(interaction("email_receive", target) for target in targets), **parts)


# Edges


def test_an_edge_says_who_follows_whom_on_what_and_where_it_stands() -> None:
    campaigns = keyed(follower("sale"), opens("resend", "sale"))
    path = "delivery.triggers[0].interact_with_campaign"
    assert edges(campaigns) == [Edge("resend", "sale", "email_open", path)]


def test_exceptions_and_conversions_make_no_follower() -> None:
    resend = follower("resend", conversions=[interaction("email_open", "sale")])
    resend["delivery"] |= {
        "delay": {"after": "1d"},
        "exceptions": [interaction("email_open", "sale")],
    }
    assert edges(keyed(follower("sale"), resend)) == []


def test_a_did_not_follows_its_campaign() -> None:
    campaigns = keyed(follower("sale"), follower("resend", did_not("email_open", "sale")))
    assert edges(campaigns) == [
        Edge("resend", "sale", "did_not", "delivery.triggers[0].did_not"),
    ]


def test_a_reference_may_be_an_id_and_one_that_leads_nowhere_gives_no_edge() -> None:
    campaigns = keyed(follower("sale"), opens("resend", "id-of-sale", "gone"))
    [edge] = edges(campaigns, {"id-of-sale": "sale"})
    assert edge.target == "sale"
    assert edges(campaigns) == []


@pytest.mark.parametrize(
    ("trigger", "targets"),
    [
        (interaction("email_open", "any"), ["mails", "tagged"]),
        (interaction("email_open", {"tag": "sale"}), ["tagged"]),
        (interaction("alias_click", "any", alias="cta"), ["mails", "tagged"]),
        (interaction("push_direct_open", "any"), ["pushes"]),
        (interaction("control_group_enroll", "any"), ["pushes"]),
        (interaction("conversion", "any"), ["mails"]),
        (interaction("conversion", "any", conversion_event="B"), []),
        (interaction("exception_event", "any"), ["waits"]),
        (did_not("email_open", "any"), ["mails", "tagged"]),
    ],
)
def test_a_tag_or_any_leads_to_those_that_can_produce_the_interaction(
    trigger: dict[str, Any], targets: list[str]
) -> None:
    sms = [{"sms": {"body": "Hello"}}]
    waits = {"triggers": [did_not("sms_short_link_click", "x")]}
    campaigns = keyed(
        follower("mails", conversions=[{"purchase": {}}]),
        follower("tagged", tags=["sale"]),
        follower("pushes", messages=[push()], control_percent=10, tags=["sale"]),
        follower("waits", delivery=waits, messages=sms),
        follower("follows", trigger, messages=sms),
    )
    assert [edge.target for edge in edges(campaigns)] == targets


# Order


def test_followers_are_published_before_their_targets() -> None:
    campaigns = keyed(follower("a"), opens("b", "a"), opens("c", "b", "a"), follower("d"))
    assert publish_order(campaigns) == ["c", "b", "a", "d"]


def test_the_order_does_not_depend_on_how_the_campaigns_are_listed() -> None:
    documents = [opens("a", "b"), opens("b", "c"), opens("c", "a"), opens("d", "a"), follower("e")]
    assert publish_order(keyed(*documents)) == publish_order(keyed(*reversed(documents)))


def test_a_chain_of_any_length_has_an_order() -> None:
    campaigns = keyed(*(opens(f"c{n:05}", f"c{n + 1:05}") for n in range(3_000)))
    assert publish_order(campaigns) == sorted(campaigns)
    assert publish_order(dict(reversed(campaigns.items()))) == sorted(campaigns)


LINKS = st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from("abcdefg")))


@given(LINKS)
def test_only_a_loop_can_put_a_target_before_its_follower(links: dict[str, set[str]]) -> None:
    campaigns = keyed(*(opens(slug, *sorted(to - {slug})) for slug, to in links.items()))
    order = publish_order(campaigns)
    in_loops = {frozenset(loop) for loop in cycles(campaigns)}

    assert sorted(order) == sorted(campaigns)
    for edge in edges(campaigns):
        if order.index(edge.target) < order.index(edge.follower):
            assert any({edge.target, edge.follower} <= loop for loop in in_loops), edge


# Loops


@pytest.mark.parametrize(
    ("documents", "loops"),
    [
        ([follower("a"), opens("b", "a")], []),
        ([opens("a", "b"), opens("b", "a")], [["a", "b"]]),
        ([opens("a", "c"), opens("b", "a"), opens("c", "b")], [["a", "b", "c"]]),
        ([opens("a", "b", "c"), opens("b", "a"), opens("c", "a")], [["a", "b"], ["a", "c"]]),
        (
            [opens("a", "b", "d"), opens("b", "a"), opens("c", "b"), opens("d", "c")],
            [["a", "b"], ["a", "b", "c", "d"]],
        ),
        ([opens("a", "any")], [["a"]]),
        ([opens("a", {"tag": "sale"}, tags=["sale"])], [["a"]]),
        ([opens("outside", "a"), opens("a", "b"), opens("b", "a")], [["a", "b"]]),
    ],
)
def test_loops_are_found_in_the_order_of_what_happens(
    documents: list[dict[str, Any]], loops: list[list[str]]
) -> None:
    assert cycles(keyed(*documents)) == loops


@given(LINKS)
def test_every_loop_goes_along_edges(links: dict[str, set[str]]) -> None:
    campaigns = keyed(*(opens(slug, *sorted(to - {slug})) for slug, to in links.items()))
    pairs = {(edge.target, edge.follower) for edge in edges(campaigns)}
    for loop in cycles(campaigns):
        assert set(zip(loop, (*loop[1:], loop[0]), strict=True)) <= pairs


# What publishing says about them

DELAYED = {"delivery": {"triggers": [interaction("email_receive", "a")], "delay": {"after": "1s"}}}
AT_ONCE = {"delivery": {"triggers": [interaction("email_receive", "a")], "delay": {"after": "0s"}}}
BY_RECEIPT = {"conversions": [{"purchase": {}}, interaction("email_receive", "a")]}
BY_CONTROL = {"control_percent": 10}


@pytest.mark.parametrize(
    "b",
    [
        receives("b", "a"),
        follower("b", interaction("email_receive", "a", outcome="delivered")),
        receives("b", "any"),
        receives("b", "a", re_eligibility={"after": "0s"}),
        follower("b", **AT_ONCE),
        follower("b", interaction("control_group_enroll", "a")),
        follower("b", interaction("conversion", "a")),
        follower("b", interaction("conversion", "a", conversion_event="B")),
        follower("b", {"event": "x"}, interaction("email_receive", "a")),
    ],
)
def test_a_loop_that_nothing_ever_stops_is_an_error(b: dict[str, Any]) -> None:
    a = decode_campaign(receives("a", "b", **BY_RECEIPT, **BY_CONTROL))
    found = check_cycles(a, keyed(b))
    [problem] = found.errors
    assert problem.path == "delivery.triggers[0].interact_with_campaign"
    assert "a loop that nothing ever stops: a → b → a; give one of these a delay" in problem.message
    assert found.warnings == []


@pytest.mark.parametrize(
    "b",
    [
        opens("b", "a"),
        follower("b", **DELAYED),
        follower("b", did_not("email_open", "a")),
        receives("b", "a", re_eligibility="never"),
        receives("b", "a", re_eligibility={"after": "1h"}),
        follower("b", interaction("conversion", "a", conversion_event="A")),
    ],
)
def test_any_other_loop_is_a_warning_that_names_it(b: dict[str, Any]) -> None:
    a = decode_campaign(receives("a", "b", **BY_RECEIPT))
    found = check_cycles(a, keyed(b))
    assert found.errors == []
    [problem] = found.warnings
    assert problem.path == "delivery.triggers[0].interact_with_campaign"
    assert problem.message == "closes a loop of campaigns: a → b → a"


def test_a_loop_that_the_campaign_is_not_in_is_not_its_affair() -> None:
    others = keyed(receives("a", "b"), receives("b", "a"))
    found = check_cycles(decode_campaign(receives("c", "a")), others)
    assert (found.errors, found.warnings) == ([], [])


def test_a_person_on_the_short_way_round_does_not_hide_the_endless_way() -> None:
    b = follower("b", interaction("email_open", "a"), interaction("email_receive", "c"))
    others = keyed(b, receives("c", "a"))
    found = check_cycles(decode_campaign(receives("a", "b")), others)
    [problem] = found.errors
    assert "a → c → b → a" in problem.message


def test_a_campaign_that_follows_any_of_which_it_is_one_closes_a_loop() -> None:
    found = check_cycles(decode_campaign(opens("a", "any", messages=[email()])), {})
    assert [problem.message for problem in found.warnings] == ["closes a loop of campaigns: a → a"]


def test_a_loop_through_an_id_is_seen() -> None:
    a = decode_campaign(opens("a", "id-of-b"))
    found = check_cycles(a, keyed(opens("b", "a")), {"id-of-b": "b"})
    assert len(found.warnings) == 1
