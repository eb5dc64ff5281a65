"""API-triggered campaigns: who is taken, what is set before, and what templates see."""

from typing import Any

import pytest

from segue.errors import BusyError, ConflictError
from segue.model.limits import EVENT_BYTES_MAX, INGEST_BACKLOG_EVENTS_MAX, RECIPIENTS_PER_CALL_MAX
from segue.model.log_records import AttributesReceived, SendsRequested
from segue.model.problems import InvalidError
from segue.model.rendered import RenderedEmail
from segue.services.triggered_sends import Requested, request_sends
from tests.support.desk import Desk
from tests.support.documents import email, follower

TEXT = (
    "{{ trigger_properties.code }} {{ api_trigger_properties.code }} {{ event_properties.code }} "
    "for {{ first_name }}"
)


async def publish(desk: Desk, slug: str = "code", **parts: Any) -> None:
    document = follower(slug, delivery={"type": "api"}, messages=[email(text=TEXT)], **parts)
    desk.campaigns.create(document)
    await desk.publish(slug)


async def send(desk: Desk, *recipients: Any, slug: str = "code", **more: Any) -> Requested:
    body = {"recipients": list(recipients), **more}
    campaign = desk.campaigns.find(slug)
    requested = await request_sends(desk.live.runtime, campaign, body)
    await desk.live.settle()
    return requested


def texts(desk: Desk) -> dict[str, str]:
    """Return what each user got."""
    mails = [one.message for one in desk.live.mailbox.delivered]
    return {
        mail.user_id: str(mail.text).strip() for mail in mails if isinstance(mail, RenderedEmail)
    }


def address(user: str, **more: Any) -> dict[str, Any]:
    return {"email": f"{user}@people.test", **more}


async def test_a_recipients_properties_lie_over_those_of_all(desk: Desk) -> None:
    await publish(desk)
    await desk.knows("ann", "bob")
    ann = {"user_id": "ann", "trigger_properties": {"code": "A1"}}
    requested = await send(desk, ann, {"user_id": "bob"}, trigger_properties={"code": "all"})
    assert requested == Requested(2, [])
    assert texts(desk) == {
        "ann": "A1 A1 A1 for",
        "bob": "all all all for",
    }


async def test_attributes_are_set_before_the_send_in_the_same_transaction(desk: Desk) -> None:
    await publish(desk, audience={"attribute": "plan", "eq": "gold"})
    ann = {"user_id": "ann", "attributes": address("ann", plan="gold", first_name="Ann")}
    await send(desk, ann, {"user_id": "bob"})
    assert texts(desk) == {"ann": "for Ann"}
    assert ("bob", "refuse", "not_in_audience") in desk.decided("code")
    [block] = [
        block
        for block in desk.live.stores.journal.read_log()
        if any(isinstance(record, SendsRequested) for record in block.records)
    ]
    assert [type(record) for record in block.records] == [AttributesReceived, SendsRequested]


async def test_the_campaigns_rules_hold_as_after_any_trigger(desk: Desk) -> None:
    await publish(desk, re_eligibility="never")
    await desk.knows("ann")
    await send(desk, {"user_id": "ann"}, {"user_id": "ann"})
    await send(desk, {"user_id": "ann"})
    assert [(kind, reason) for _, kind, reason in desk.decided("code")] == [
        ("enter", None),
        ("send", None),
        ("refuse", "already_waiting"),
        ("refuse", "not_re_eligible"),
    ]


async def test_a_bad_recipient_is_rejected_by_index_and_the_rest_taken(desk: Desk) -> None:
    await publish(desk)
    requested = await send(
        desk,
        {"user_id": "ann", "attributes": address("ann")},
        {"userid": "bob"},
        7,
        {"user_id": "cat", "trigger_properties": {"huge": 1 << 80}},
        {"user_id": "dan", "trigger_properties": {"text": "x" * EVENT_BYTES_MAX}},
        {"user_id": "eve", "attributes": {f"a{number}": 1 for number in range(1_001)}},
    )
    assert requested.accepted == 1
    assert [one.index for one in requested.rejected] == [1, 2, 3, 4, 5]
    messages = [one.message for one in requested.rejected]
    assert '"userid" is no field here' in messages[0]
    assert "trigger_properties.huge" in messages[2]
    assert f"at most {EVENT_BYTES_MAX}" in messages[3]
    assert "1001 attributes; at most 1000" in messages[4]
    assert list(texts(desk)) == ["ann"]


async def test_a_call_with_no_good_recipient_leaves_the_log_as_it_is(desk: Desk) -> None:
    await publish(desk)
    end = desk.live.stores.journal.log_end()
    assert (await send(desk, {})).accepted == 0
    assert desk.live.stores.journal.log_end() == end


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "recipients"),
        ({"recipients": []}, "recipients"),
        ({"recipients": "ann"}, "recipients"),
        ({"recipients": [{"user_id": "u"}] * (RECIPIENTS_PER_CALL_MAX + 1)}, "recipients"),
        ({"recipients": [{"user_id": "u"}], "properties": {}}, "properties"),
        ({"recipients": [{"user_id": "u"}], "trigger_properties": 1}, "trigger_properties"),
        ([], ""),
    ],
)
async def test_a_call_that_is_bad_as_a_whole_is_refused(desk: Desk, body: Any, path: str) -> None:
    await publish(desk)
    with pytest.raises(InvalidError) as refused:
        await request_sends(desk.live.runtime, desk.campaigns.find("code"), body)
    assert [problem.path for problem in refused.value.problems] == [path]


async def test_only_active_campaigns_of_the_type_can_be_sent(desk: Desk) -> None:
    desk.draft("action")
    await desk.publish("action")
    with pytest.raises(ConflictError, match='action is of type "action"'):
        await send(desk, {"user_id": "ann"}, slug="action")
    await publish(desk)
    await desk.campaigns.stop("code")
    with pytest.raises(ConflictError, match="code is stopped; publish it"):
        await send(desk, {"user_id": "ann"})


async def test_while_too_much_is_waiting_nothing_is_taken(desk: Desk) -> None:
    await publish(desk)
    desk.live.runtime.processor.backlog_entries = INGEST_BACKLOG_EVENTS_MAX + 1
    with pytest.raises(BusyError):
        await send(desk, {"user_id": "ann"})
    desk.live.runtime.processor.backlog_entries = 0
