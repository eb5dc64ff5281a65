"""Documents of the wrong shape are refused with every fault, its path and how to mend it."""

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType, field
from tests.support.documents import REMOVED, campaign, email, interaction, spoilt

from segue.model.campaigns import Campaign, Purchase, SessionStart
from segue.model.decoding import decode_document, did_you_mean, nearest_field_hint, shown
from segue.model.events import AttributeChange, Event
from segue.model.problems import InvalidError, Problem

TRIGGER = "delivery.triggers[0]"


def problems_of(raw: object, type_: type[Struct] = Campaign) -> list[Problem]:
    with pytest.raises(InvalidError) as refused:
        decode_document(raw, type_)
    return refused.value.problems


def test_a_document_that_decodes_is_what_msgspec_makes_of_it() -> None:
    document = campaign(
        audience={"all": [{"attribute": "country", "in": ["FR", "BE"]}, {"not": {"any": []}}]},
        tags=["onboarding"],
        re_eligibility={"after": "30d"},
        conversions=[{"purchase": {"where": [{"property": "price", "gte": 5}]}, "within": "3d"}],
        messages=[{"webhook": {"url": "https://shop.test", "body": {"a": [1, None, 2.5, True]}}}],
    )
    assert decode_document(document, Campaign) == msgspec.convert(document, Campaign)


@pytest.mark.parametrize(
    ("overrides", "path", "sentence"),
    [
        ({"name": REMOVED}, "name", "is missing"),
        ({"name": 5}, "name", "must be text, not 5"),
        ({"name": None}, "name", "must be text, not null"),
        ({"name": ""}, "name", "must not be empty"),
        ({"names": "x"}, "names", '"names" is no field here; did you mean "name"?'),
        ({"reEligibility": "x"}, "reEligibility", 'did you mean "re_eligibility"?'),
        ({"zzz": 1}, "zzz", "there are: audience, control_percent, conversions, delivery"),
        ({"slug": "Spring Sale"}, "slug", '"Spring Sale" is no slug; write a-z, 0-9'),
        ({"slug": "spring-sale\n"}, "slug", "is no slug"),
        ({"slug": "a" * 101}, "slug", "has 101 characters; at most 100 are allowed"),
        ({"tags": "sale"}, "tags", 'must be a list, not "sale"'),
        ({"tags": ["a", 5]}, "tags[1]", "must be text, not 5"),
        ({"control_percent": 140}, "control_percent", "a whole number from 0 to 100, not 140"),
        ({"control_percent": 1.5}, "control_percent", "a whole number from 0 to 100, not 1.5"),
        ({"control_percent": True}, "control_percent", "a whole number from 0 to 100, not true"),
        ({"control_percent": "5"}, "control_percent", 'a whole number from 0 to 100, not "5"'),
        ({"delivery": []}, "delivery", "must be an object, not []"),
        (
            {"delivery.type": "sometimes"},
            "delivery.type",
            'must be one of "action", "api", "scheduled", not "sometimes"',
        ),
        (
            {"delivery.exceptions": [{"purchase": {}}] * 21},
            "delivery.exceptions",
            "has 21 entries; at most 20 are allowed",
        ),
        (
            {"delivery.delay": "7d"},
            "delivery.delay",
            'must be "immediately" or an object, not "7d"',
        ),
        (
            {"delivery.delay.after": "7 days"},
            "delivery.delay.after",
            '"7 days" is no duration; write a number and a unit, such as 90s, 45m, 3h, 7d or 2w',
        ),
        ({"delivery.delay.after": 7}, "delivery.delay.after", "must be a duration, not 7"),
        ({"delivery.delay.after": "7d\n"}, "delivery.delay.after", "is no duration"),
        ({"delivery.delay.after": "9" * 5_000 + "d"}, "delivery.delay.after", "at most 255"),
        (
            {"re_eligibility": "sometimes"},
            "re_eligibility",
            'must be one of "always", "never" or an object with "after", not "sometimes"',
        ),
        ({"re_eligibility": {"aftre": "7d"}}, "re_eligibility.aftre", 'did you mean "after"?'),
        ({f"{TRIGGER}.events": "x"}, f"{TRIGGER}.events", 'did you mean "event"?'),
        (
            {TRIGGER: {"interact_with_campaign": {"campaign": "x"}}},
            f"{TRIGGER}.interact_with_campaign.interaction",
            "is missing",
        ),
        (
            {TRIGGER: interaction("conversion", conversion_event="E")},
            f"{TRIGGER}.interact_with_campaign.conversion_event",
            'must be one of "A", "B", "C", "D", not "E"',
        ),
        (
            {TRIGGER: interaction("email_open", campaign=5)},
            f"{TRIGGER}.interact_with_campaign.campaign",
            'must be text or an object with "tag", not 5',
        ),
        (
            {TRIGGER: interaction("email_open", campaign={"tga": "x"})},
            f"{TRIGGER}.interact_with_campaign.campaign.tga",
            'did you mean "tag"?',
        ),
        ({TRIGGER: {"event": {"names": "x"}}}, f"{TRIGGER}.event.names", 'did you mean "name"?'),
        ({TRIGGER: {"event": 5}}, f"{TRIGGER}.event", 'text or an object with "name", not 5'),
        (
            {"audience": {"any": [{"not": {"attribute": "age", "gt": "x"}}]}},
            "audience.any[0].not.gt",
            'must be a number, not "x"',
        ),
        (
            {"audience": {"attribute": "age", "eq": [1]}},
            "audience.eq",
            "must be text or a number or true or false, not [1]",
        ),
        ({"messages[0]": {"emial": {}}}, "messages[0].emial", 'did you mean "email"?'),
        ({"messages[0].email.headers": {"X-A": 5}}, "messages[0].email.headers.X-A", "not 5"),
        ({"messages[0].email.inline_css": "no"}, "messages[0].email.inline_css", "true or false"),
    ],
)
def test_a_fault_is_told_with_its_path_and_how_to_mend_it(
    overrides: dict[str, Any], path: str, sentence: str
) -> None:
    found = problems_of(campaign(overrides=overrides))

    assert path in [problem.path for problem in found]
    assert any(sentence in one.message for one in found if one.path == path), found


def test_every_fault_of_a_document_is_told_at_once() -> None:
    document = campaign(
        overrides={"name": 5, "messages[0].email.subject": REMOVED, "delivery.delay.after": "soon"},
        control_percent=140,
        tgas=[],
    )
    assert {problem.path for problem in problems_of(document)} == {
        "name",
        "delivery.delay.after",
        "messages[0].email.subject",
        "control_percent",
        "tgas",
    }


@pytest.mark.parametrize("raw", [None, [], "text", 5, True])
def test_what_is_no_object_is_no_campaign(raw: object) -> None:
    [problem] = problems_of(raw)
    assert problem.path == ""
    assert 'must be an object with "slug", "name", "delivery"' in problem.message


# What YAML makes of things


@pytest.mark.parametrize(
    ("kind", "expected"), [("session_start", SessionStart()), ("purchase", Purchase())]
)
def test_a_kind_with_nothing_behind_it_means_any(kind: str, expected: Struct) -> None:
    document = campaign(
        overrides={TRIGGER: {kind: None}}, conversions=[{kind: None, "within": "1d"}]
    )
    decoded = decode_document(document, Campaign)
    assert getattr(decoded.delivery.triggers[0], kind) == expected
    assert getattr(decoded.conversions[0], kind) == expected


def test_a_null_beside_a_kind_that_is_written_is_a_null() -> None:
    document = campaign(overrides={TRIGGER: {"event": "x", "purchase": None}})
    assert decode_document(document, Campaign).delivery.triggers[0].purchase is None


def test_a_null_outside_a_happening_stays_a_null() -> None:
    change = {"user_id": "u1", "attributes": {"purchase": None, "session_start": None}}
    assert decode_document(change, AttributeChange).attributes == change["attributes"]

    body = {"purchase": None}
    document = campaign(messages=[{"webhook": {"url": "https://shop.test", "body": body}}])
    [message] = decode_document(document, Campaign).messages
    assert message.webhook is not None
    assert message.webhook.body == body


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 1, 10, tzinfo=UTC), "2026-11-01T10:00:00+00:00"),
        (datetime(2026, 11, 1), "2026-11-01T00:00:00"),  # noqa: DTZ001 - as YAML reads one
        (date(2026, 11, 1), "2026-11-01"),
    ],
)
def test_a_moment_that_the_reader_made_an_object_is_its_text(moment: date, text: str) -> None:
    document = campaign(audience={"attribute": "joined", "before": moment})
    decoded = decode_document(document, Campaign)
    assert decoded.audience is not None
    assert decoded.audience.before == text


def test_names_that_the_reader_made_numbers_are_text() -> None:
    document = campaign(overrides={"messages[0].email.headers": {2: "a", None: "b", True: "c"}})
    [message] = decode_document(document, Campaign).messages
    assert message.email is not None
    assert message.email.headers == {"2": "a", "null": "b", "true": "c"}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "must be a finite number, not nan"),
        (float("inf"), "must be a finite number, not inf"),
        (2**64, "is too large a number"),
        (-(10**4_000), "is too large a number"),
        ("\ud800", "holds half a character"),
        ({"a"}, "must be a plain value, not a set"),
        (b"a", "must be a plain value, not a bytes"),
    ],
)
@pytest.mark.parametrize("path", ["audience.eq", "name", "messages[1].webhook.body"])
def test_a_value_that_the_log_cannot_hold_is_refused(
    path: str, value: object, sentence: str
) -> None:
    webhook = {"webhook": {"url": "https://shop.test"}}
    document = campaign(messages=[email(), webhook], audience={"attribute": "a"})
    found = problems_of(spoilt(document, {path: value}))
    assert [problem.path for problem in found] == [path]
    assert sentence in found[0].message


# What is hostile


@pytest.mark.parametrize("levels", [61, 500, 100_000])
def test_a_tree_that_is_too_deep_is_a_fault_and_no_crash(levels: int) -> None:
    audience: dict[str, Any] = {"attribute": "a", "eq": 1}
    for _ in range(levels):
        audience = {"not": audience}
    document = campaign()
    document["audience"] = audience
    assert problems_of(document) == [Problem("audience", "is nested deeper than 60 levels")]


def test_a_document_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    [problem] = problems_of(campaign(tags=loop))
    assert "is nested deeper than" in problem.message


def test_a_document_that_unfolds_without_end_is_refused() -> None:
    value: Any = "x"
    for _ in range(30):
        value = [value] * 10
    document = {"user_id": "u1", "attributes": {"a": value}}
    [problem] = problems_of(document, AttributeChange)
    assert "has more than 2000000 values" in problem.message


def test_what_is_shown_of_a_bad_value_is_short() -> None:
    document = campaign(overrides={"control_percent": "x" * 1_000, "y" * 1_000: 1})
    for problem in problems_of(document):
        assert len(problem.path) < 100
        assert len(problem.message) < 400


def test_no_more_faults_are_told_than_anyone_reads() -> None:
    found = problems_of(campaign(**{f"field{number}": 1 for number in range(100_000)}))
    assert len(found) == 201
    assert found[-1].message == "has more faults; these are the first 200"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JUNK)
def test_junk_is_refused_in_words(raw: object) -> None:
    found = problems_of(raw)
    assert all(problem.message for problem in found)


PATHS = (
    *("slug", "name", "tags", "delivery", "delivery.triggers", "delivery.delay", TRIGGER),
    *("delivery.delay.after", "delivery.exceptions", "messages", "messages[0].email", "variants"),
    *("messages[0].email.subject", "messages[0].email.headers", "audience", "control_percent"),
    *("re_eligibility", f"{TRIGGER}.interact_with_campaign.campaign", "conversions", "unknown"),
)
VALUES = JUNK | st.sampled_from([{}, [], {"after": "7d"}, "7d", "never", {"tag": "x"}, 7, 7.0])


@given(st.dictionaries(st.sampled_from(PATHS), VALUES, max_size=2))
def test_what_decodes_is_exactly_what_msgspec_decodes(overrides: dict[str, Any]) -> None:
    document = campaign()
    for path, value in overrides.items():
        try:
            document = spoilt(document, {path: value})
        except (KeyError, IndexError, TypeError):
            continue  # another override took the place away
    try:
        converted = msgspec.convert(document, Campaign)
    except msgspec.ValidationError:
        with pytest.raises(InvalidError):
            decode_document(document, Campaign)
        return

    unkept = ("finite", "too large", "half a character")
    try:
        decoded = decode_document(document, Campaign)
    except InvalidError as error:
        told = [problem.message for problem in error.problems]
        if not all(any(word in message for word in unkept) for message in told):
            raise
    else:
        assert decoded == converted


# Other structs: bodies of requests, settings


class Inner(Struct):
    """Takes unknown fields."""

    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5


class Body(Struct, forbid_unknown_fields=True):
    """Holds a field of every type that a request's body may have."""

    count: Annotated[int, Meta(ge=1)] = 1
    kind: Literal["a", 1] = "a"
    from_: str | UnsetType = field(default=UNSET, name="from")
    time: datetime | None = None
    inner: Inner | None = None
    numbers: dict[Annotated[str, Meta(max_length=3)], int] = field(default_factory=dict)
    name: Annotated[str, Meta(min_length=2)] = "ab"
    code: Annotated[str, Meta(pattern="^x")] = "x"
    pair: tuple[int, int] | None = None
    ratio: Annotated[float, Meta(ge=0)] = 0


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"count": 0}, "count", "must be a whole number of at least 1, not 0"),
        ({"kind": "b"}, "kind", 'must be one of 1, "a", not "b"'),
        ({"kind": True}, "kind", 'must be one of 1, "a", not true'),
        ({"from": None}, "from", "must be text, not null"),
        ({"from_": "x"}, "from_", '"from_" is no field here; did you mean "from"?'),
        (
            {"time": "yesterday"},
            "time",
            'must be an instant such as 2026-11-01T10:00:00Z, not "yesterday"',
        ),
        ({"inner": 5}, "inner", "must be an object, not 5"),
        ({"inner": {"share": 1}}, "inner.share", "must be a number above 0 and below 1, not 1"),
        ({"numbers": []}, "numbers", "must be an object, not []"),
        ({"numbers": {"a": "b"}}, "numbers.a", 'must be a whole number, not "b"'),
        (
            {"numbers": {"abcd": 1}},
            "numbers.abcd",
            "as a name: has 4 characters; at most 3 are allowed",
        ),
        ({"name": "a"}, "name", "has 1 characters; at least 2 are needed"),
        ({"code": "y"}, "code", '"y" is no text that matches ^x'),
        ({"pair": [1, "a"]}, "pair[1]", "Expected `int`, got `str`"),
        ({"ratio": -1}, "ratio", "must be a number of at least 0, not -1"),
    ],
)
def test_the_body_of_a_request_is_read_in_the_same_way(
    body: dict[str, Any], path: str, message: str
) -> None:
    assert problems_of(body, Body) == [Problem(path, message)]


def test_a_struct_that_takes_unknown_fields_takes_them() -> None:
    body = {"inner": {"unknown": 1}, "time": "2026-11-01T10:00:00Z", "pair": [1, 2]}
    assert decode_document(body, Body) == msgspec.convert(body, Body)


def test_what_was_sent_leads_the_sentence() -> None:
    with pytest.raises(InvalidError, match=r"The body has 1 fault\(s\): count: must be"):
        decode_document({"count": 0}, Body, "The body")


def test_the_nearest_field_is_named_for_a_message_of_msgspec() -> None:
    message = "Object contains unknown field `user_di`"
    assert nearest_field_hint(message, Event) == '; did you mean "user_id"?'
    assert nearest_field_hint("Expected `int`", Event) == ""


def test_a_name_that_is_near_none_is_answered_with_those_there_are() -> None:
    assert did_you_mean("Emali-Open", ["email_open", "x"]) == '; did you mean "email_open"?'
    assert did_you_mean("zzz", ["b", "a"]) == "; there are: a, b"
    assert did_you_mean("zzz", []) == "; there are: none"
    assert did_you_mean("zzz", [f"c{number:02}" for number in range(99)]).endswith("c23, …")


def test_a_value_is_shown_as_json_and_cut() -> None:
    assert shown({"a": [True, None]}) == '{"a":[true,null]}'
    assert shown("x" * 100) == '"' + "x" * 79 + "…"
    assert shown("\ud800") == json.dumps("\ud800").replace('"', "'")
    assert shown(10**5_000) == "a int"
