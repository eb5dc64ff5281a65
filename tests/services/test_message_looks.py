"""Messages that are being written, looked at as users would get them; and what users have."""

from typing import Any

import pytest

from segue.model.events import AttributeChange
from segue.model.instants import SECOND, parse_instant
from segue.model.limits import PROFILES_SAMPLED_MAX
from segue.model.log_records import AttributesReceived
from segue.services.composition_sketch import sketch_of_message
from segue.services.message_notes import notes_on
from segue.services.message_places import message_places
from segue.services.profile_samples import ProfileSample, ProfileSamples, is_blank
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
NOBODY = ProfileSample([], [], {}, is_everybody=True)
SOME = ProfileSample(["a", "b"], [], {"first_name": 0.5, "plan": 0.0, "rare": 0.004}, False)


def said(message: dict[str, Any], sample: ProfileSample = SOME, **tree: Any) -> list[str]:
    whole = {"messages": [message], **tree}
    (place,) = message_places(whole)
    return [
        f"{note.path}{f' at {note.where}' if note.where else ''}: {note.text}"
        for note in notes_on(whole, place, sample)
    ]


async def test_a_sample_says_what_users_have_and_how_often_it_is_blank() -> None:
    live = LiveRuntime(START)
    await live.start()
    changes = [
        AttributeChange("ann", {"first_name": "Ann", "plan": "gold"}),
        AttributeChange("bob", {"first_name": "", "plan": "gold", "test_user": True}),
        AttributeChange("cleo", {"plan": "gold", "odd": None}),
        AttributeChange("dan", {"plan": "gold", "test_user": "true"}),
    ]
    samples = ProfileSamples(live.runtime)
    assert samples.get().user_ids == []
    await live.hand_in([AttributesReceived(START, changes)])
    found = samples.get()  # one of nobody is not kept
    assert found.user_ids == ["ann", "bob", "cleo", "dan"]
    assert found.test_users == ["bob"]
    assert list(found.blank.items())[:3] == [("plan", 0), ("test_user", 0.5), ("first_name", 0.75)]
    assert found.words == "all 4 profiles"
    await live.hand_in([AttributesReceived(START, [AttributeChange("eve", {"new": 1})])])
    assert samples.get() is found
    live.clock.advance(61 * SECOND)
    assert "eve" in samples.get().user_ids
    await live.stop()


async def test_a_sample_is_bounded() -> None:
    live = LiveRuntime(START)
    await live.start()
    changes = [AttributeChange(f"{i:05}", {"n": i}) for i in range(PROFILES_SAMPLED_MAX + 3)]
    await live.hand_in([AttributesReceived(START, changes)])
    found = ProfileSamples(live.runtime).get()
    assert len(found.user_ids) == PROFILES_SAMPLED_MAX
    assert not found.is_everybody
    assert found.words == "500 profiles looked at"
    await live.stop()


@pytest.mark.parametrize("value", [None, "", False, [], {}])
def test_what_the_default_filter_stands_in_for_is_blank(value: Any) -> None:
    assert is_blank(value)
    assert not is_blank(0)


def test_messages_are_found_with_their_variant_and_channel() -> None:
    tree = {
        "variants": [
            {"name": "A", "messages": [{"sms": {"body": "x"}}, {}, "odd", {"push": None}]},
            "odd",
            {"messages": None},
            {"messages": [{"email": {}}]},
        ]
    }
    found = [(one.place, one.variant, one.channel) for one in message_places(tree)]
    assert found == [
        ("variants[0].messages[0]", "A", "sms"),
        ("variants[0].messages[3]", "A", "push"),
        ("variants[3].messages[0]", "4", "email"),
    ]
    assert message_places({"messages": "odd"}) == []


def test_a_message_is_read_by_itself_however_little_of_the_rest_is_there() -> None:
    message = {"push": {"title": "", "buttons": [{"id": "a"}, {"id": 5}], "pages": "odd"}}
    document = sketch_of_message({"name": "", "slug": "", "delivery": 5}, message, "B")
    assert document.variants[0].name == "B"
    push = document.variants[0].messages[0].push
    assert push is not None
    assert push.title == "…"
    assert [one.id for one in push.buttons] == ["a", "…"]
    assert push.pages == []


def test_notes_tell_the_place_in_the_document_and_in_the_text() -> None:
    email = {"subject": "", "html": "<p>\n{{ plan | nope }}{{ unsubscribe_url }}</p>", "x": 1}
    found = said({"email": email})
    assert "messages[0].email.subject: must not be empty" in found
    assert "messages[0].email.html at line 2, character 11: there is no filter 'nope'" in found
    assert any(one.startswith("messages[0].email.x: ") for one in found)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{{ first_nme }}", "no attribute `first_nme` in 2 profiles looked at; nearest: `first_n"),
        ("{{ quite_another }}", "no attribute `quite_another` in 2 profiles looked at."),
        ("{{ unsubscribe_ur }}", "nearest: `unsubscribe_url`."),
        ("{{ first_name }}", "in 50 % of profiles (of 2 profiles looked at) `first_name` is empty"),
        ("{{ custom_attribute.first_name }}", "`first_name` is empty"),
        ("{{ rare }}", "in under 1 % of profiles"),
        ("{{ first_name | default: 'you' }}", ""),
        ("{% if first_name %}{{ first_name }}{% endif %}", ""),
        ("{{ plan }}{{ user_id }}{{ event_properties.x }}{{ campaign.name }}{{ 'now' }}", ""),
        ("{{ email_address }}{{ phone_number }}{% assign x = 1 %}{{ x }}", ""),
    ],
)
def test_attributes_that_nobody_or_not_everybody_has_are_told_of(body: str, told: str) -> None:
    found = said({"sms": {"body": body}})
    assert len(found) == (1 if told else 0), found
    assert all(told in one for one in found)


def test_where_there_are_no_users_nothing_is_told_of_attributes() -> None:
    assert said({"sms": {"body": "{{ first_nme }}"}}, NOBODY) == []


def test_an_email_to_everybody_needs_no_way_out() -> None:
    email = {"subject": "Receipt", "text": "Thanks"}
    assert any("no unsubscribe link" in one for one in said({"email": email}))
    assert said({"email": email}, subscription="all") == []
    assert said({"email": {**email, "unsubscribe": "none"}}) == []
