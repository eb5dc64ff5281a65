"""What a draft sees of the record, case by case: caps, schedules, sends, its own past."""

from typing import Any

from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange, Event
from segue.model.filters import Filter
from segue.model.instants import HOUR, parse_instant, to_datetime
from segue.model.log_records import (
    AttributesReceived,
    CampaignPublished,
    CampaignStopped,
    EventsReceived,
    Recipient,
    SegmentSet,
    SendsRequested,
    TimeAdvanced,
    UserErased,
    WorkspaceSet,
)
from segue.model.workspace import Cap, QuietHours, Segment, Workspace
from segue.runtime.backtest import Backtest, accepted_at_once
from segue.runtime.recorded import RecordedLog
from tests.support.recorder import Recorder
from tests.support.story import EMAIL, campaign, interacts

NOW = parse_instant("2026-11-02T00:00:00Z")  # a Monday
GO = {"event": "go"}


class Record:
    """A log that is told in hours after NOW."""

    def __init__(self, *documents: dict[str, Any], workspace: Workspace | None = None) -> None:
        self.recorder = Recorder()
        if workspace is not None:
            self.recorder.take(WorkspaceSet(NOW, workspace))
        for document in documents:
            self.publishes(0, document)

    def publishes(self, hour: float, document: dict[str, Any], version: int = 1) -> "Record":
        decoded = decode_campaign(document)
        record = CampaignPublished(self._at(hour), f"id-{decoded.slug}", version, decoded)
        self.recorder.take(record)
        return self

    def happens(self, hour: float, user_id: str, name: str, **more: Any) -> "Record":
        ago = more.pop("ago", 0)
        time = to_datetime(self._at(hour - ago))
        self.recorder.take(EventsReceived(self._at(hour), [Event(user_id, name, time, **more)]))
        return self

    def knows(self, hour: float, user_id: str, **attributes: Any) -> "Record":
        change = AttributeChange(user_id, attributes)
        self.recorder.take(AttributesReceived(self._at(hour), [change]))
        return self

    def ends(self, hour: float) -> "Record":
        self.recorder.take(TimeAdvanced(self._at(hour)))
        return self

    def decides(self, draft: dict[str, Any], since: float | None = None) -> list[str]:
        """Return what the draft decides, such as "ann cancel: exception_event"."""
        log = RecordedLog(self.recorder.journal, self.recorder.snapshot)
        since_at = self._at(since) if since is not None else None
        test = Backtest(log, decode_campaign(draft), accepted_at_once, since_at)
        test.run()
        return [
            f"{one.user_id} {one.decision}" + (f": {one.reason}" if one.reason else "")
            for one in test.outcomes.take()
        ]

    def _at(self, hour: float) -> int:
        return NOW + int(hour * HOUR)


def draft(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return campaign("draft", *(triggers or (GO,)), **{"re_eligibility": "always", **more})


def other(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return campaign("other", *(triggers or (GO,)), **{"re_eligibility": "always", **more})


def test_a_follower_reacts_to_what_was_derived_in_the_record() -> None:
    record = Record(other(messages=EMAIL, conversions=[{"purchase": {}, "within": "3d"}]))
    record.happens(1, "ann", "go").happens(2, "ann", "purchase", product_id="x", price=1.0)
    receives, converts = interacts("other", "email_receive"), interacts("other", "conversion")
    assert record.decides(draft(receives)) == ["ann enter", "ann send"]
    assert record.decides(draft(converts)) == ["ann enter", "ann send"]


def test_an_interaction_may_name_its_campaign_by_id() -> None:
    record = Record(other(messages=EMAIL)).happens(1, "ann", "email_click", campaign="id-other")
    assert record.decides(draft(interacts("other", "email_click"))) == ["ann enter", "ann send"]


def test_what_happens_before_it_was_published_enters_nobody() -> None:
    record = Record(other()).happens(1, "ann", "go").happens(3, "ann", "go", ago=1.5)
    record.happens(4, "ann", "go")
    refused_and_entered = ["ann refuse: published_after_event", "ann enter", "ann send"]
    assert record.decides(draft(), since=2) == refused_and_entered


def test_a_wait_that_is_not_over_at_the_end_stays_a_wait() -> None:
    record = Record(other()).happens(1, "ann", "go").ends(10)
    assert record.decides(draft(delay="9h")) == ["ann enter", "ann send"]
    assert record.decides(draft(delay="10h")) == ["ann enter"]


def test_its_own_conversions_count_from_its_own_receipts() -> None:
    conversions = [{"purchase": {}, "within": "3d"}]
    record = Record(other()).happens(1, "ann", "go")
    record.happens(2, "ann", "purchase", product_id="x", price=1.0)
    assert record.decides(draft(conversions=conversions))[-1] == "ann convert"


def test_what_was_recorded_under_its_slug_is_left_out_but_for_what_people_did() -> None:
    record = Record(draft(messages=EMAIL, delay="1h"))
    record.happens(1, "ann", "go").happens(3, "ann", "email_open", campaign="draft")
    record.recorder.take(CampaignStopped(NOW + 4 * HOUR, "draft"))
    record.happens(5, "bob", "go").ends(9)
    opened = [interacts("draft", "email_open")]
    changed = draft(messages=EMAIL, delay="3h", exceptions=opened)
    assert record.decides(changed) == [
        "ann enter",
        "ann cancel: exception_event",
        "bob enter",
        "bob send",
    ]


def test_caps_count_what_others_sent_and_what_it_sent_itself() -> None:
    workspace = Workspace(caps=[Cap("daily", 2, "1d")])
    record = Record(other({"event": "stop"}), workspace=workspace)
    record.happens(1, "ann", "stop").happens(2, "ann", "go").happens(3, "ann", "go")
    assert record.decides(draft()) == [
        "ann enter",
        "ann send",
        "ann enter",
        "ann skip: frequency_cap",
    ]


def test_its_messages_do_not_count_for_others() -> None:
    workspace = Workspace(caps=[Cap("daily", 1, "1d")])
    record = Record(other(delay="1h"), workspace=workspace).happens(1, "ann", "go").ends(9)
    record.happens(10, "ann", "stop")
    after = [interacts("other", "push_receive"), {"event": "stop"}]
    assert [one.decision for one in record.recorder.verdicts] == ["enter", "send"]
    assert record.decides(draft(GO, *after)) == [
        "ann enter",
        "ann send",
        "ann enter",  # the other's push came, although the draft had sent one before
        "ann skip: frequency_cap",
        "ann enter",
        "ann skip: frequency_cap",
    ]


def test_a_scheduled_draft_comes_to_all_who_were_known_then() -> None:
    schedule = {"cron": "0 12 * * *"}
    document = draft(re_eligibility="always")
    document["delivery"] = {"type": "scheduled", "schedule": schedule}
    record = Record(other()).knows(1, "ann", country="FR").knows(13, "bob", country="DE").ends(40)
    expected = ["ann enter", "ann send", "ann enter", "ann send", "bob enter", "bob send"]
    assert record.decides(document) == expected
    assert record.decides(document, since=20) == expected[2:]


def test_a_scheduled_draft_comes_to_each_at_their_own_time() -> None:
    document = draft()
    schedule = {"at": "2026-11-03T09:00:00", "local": True}
    document["delivery"] = {"type": "scheduled", "schedule": schedule}
    record = Record(other()).knows(1, "ann", time_zone="Asia/Tokyo").knows(1, "bob", country="DE")
    assert record.ends(24 + 1).decides(document) == ["ann enter", "ann send"]
    both = record.ends(24 + 10).decides(document)
    assert both == ["ann enter", "ann send", "bob enter", "bob send"]


def test_an_api_draft_takes_the_requests_that_were_made_for_its_slug() -> None:
    document = draft(re_eligibility="never")
    document["delivery"] = {"type": "api"}
    record = Record(document)
    for hour in (1, 2):
        record.recorder.take(SendsRequested(NOW + hour * HOUR, "draft", [Recipient("ann")]))
    assert record.decides(document) == ["ann enter", "ann send", "ann refuse: not_re_eligible"]


def test_it_reaches_no_more_users_than_it_may() -> None:
    document = draft()
    document["delivery"]["recipients_max"] = 1
    record = Record(other()).happens(1, "ann", "go").happens(2, "bob", "go")
    assert record.decides(document)[2:] == ["bob enter", "bob send", "bob skip: recipients_max"]


def test_an_address_that_another_campaign_found_dead_is_dead_for_it() -> None:
    record = Record(other({"event": "stop"}, messages=EMAIL))
    record.recorder.unreachable.add("other")
    record.knows(0, "ann", email="ann@shop.test").happens(1, "ann", "stop").happens(2, "ann", "go")
    assert record.decides(draft(messages=EMAIL)) == ["ann enter", "ann skip: unreachable"]
    record.knows(3, "ann", email="new@shop.test").happens(4, "ann", "go")
    assert record.decides(draft(messages=EMAIL))[-1] == "ann send"


def test_an_erased_user_begins_anew() -> None:
    record = Record(other()).happens(1, "ann", "go")
    record.recorder.take(UserErased(NOW + 2 * HOUR, "ann"))
    record.happens(3, "ann", "go")
    once = draft(re_eligibility="never")
    assert record.decides(once) == ["ann enter", "ann send", "ann enter", "ann send"]


def test_a_filter_asks_about_all_that_was_recorded_before_it_was_published() -> None:
    seen = {"event": {"name": "seen", "count": {"gte": 2}}}
    record = Record(other()).happens(1, "ann", "seen").happens(2, "ann", "seen")
    record.happens(3, "bob", "seen").happens(4, "ann", "go").happens(4, "bob", "go")
    decided = record.decides(draft(audience=seen), since=3.5)
    assert decided == ["ann enter", "ann send", "bob refuse: not_in_audience"]


def test_quiet_hours_are_those_that_held_at_the_time() -> None:
    workspace = Workspace(quiet_hours=QuietHours("22:00", "08:00"))
    record = Record(other(), workspace=workspace).happens(1, "ann", "go").ends(7)
    assert record.decides(draft()) == ["ann enter"]
    record.ends(9).recorder.take(WorkspaceSet(NOW + 10 * HOUR, Workspace()))
    record.happens(23, "bob", "go")
    assert record.decides(draft()) == ["ann enter", "ann send", "bob enter", "bob send"]


def test_a_segment_is_what_it_was_at_the_time() -> None:
    def french(country: str) -> Segment:
        node = Filter(attribute="country", eq=country)
        return Segment(slug="french", name="French", filter=node)

    record = Record(other())
    record.recorder.take(SegmentSet(NOW, french("FR")))
    record.knows(1, "ann", country="FR").happens(2, "ann", "go")
    record.recorder.take(SegmentSet(NOW + 3 * HOUR, french("BE")))
    record.happens(4, "ann", "go")
    decided = record.decides(draft(audience={"segment": "french"}))
    assert decided == ["ann enter", "ann send", "ann refuse: not_in_audience"]
