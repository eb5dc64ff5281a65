"""A log is folded as it was recorded, whatever is left of it."""

from pathlib import Path

import pytest

from segue.engine.checks import decode_campaign
from segue.errors import SegueError
from segue.model.events import Event
from segue.model.instants import DAY, parse_instant
from segue.model.log_records import Block, CampaignPublished, EventsReceived, TimeAdvanced
from segue.runtime.in_memory import RunOutcomes
from segue.runtime.recorded import RecordedLog, Unheard
from segue.storage.open import open_stores
from tests.support.recorder import Recorder
from tests.support.story import campaign

NOW = parse_instant("2026-11-01T00:00:00Z")
GO = {"event": "go"}


def published(slug: str, at: int, audience: dict[str, object] | None = None) -> CampaignPublished:
    more = {"audience": audience} if audience else {}
    document = decode_campaign(campaign(slug, GO, re_eligibility="always", **more))
    return CampaignPublished(at, f"id-{slug}", 1, document)


def decisions(log: RecordedLog) -> list[tuple[str, str]]:
    outcomes = RunOutcomes("recorded", lambda: fold.plan)
    fold = log.new_fold(outcomes)
    for record, place in log.records():
        fold.apply(record, place.ordinal)
    return [(one.campaign, one.decision) for one in outcomes.take()]


def opened(recorder: Recorder) -> RecordedLog:
    return RecordedLog(recorder.journal, recorder.snapshot)


def test_campaigns_published_in_a_part_that_was_dropped_are_in_the_plan() -> None:
    recorder = Recorder().take(published("old", NOW), TimeAdvanced(NOW + DAY))
    recorder.take(EventsReceived(NOW + 2 * DAY, [Event("ann", "go")]))
    recorder.checkpoint()
    recorder.journal.index_users(recorder.journal.log_end().seq, [])
    recorder.journal.forget_log(1, recorder.journal.log_end().seq)
    log = opened(recorder)
    assert not log.is_whole
    assert log.begin.received_at > NOW
    assert log.new_fold(Unheard()).plan.find("old") is not None


def test_changes_behind_the_checkpoint_are_known_once() -> None:
    recorder = Recorder().take(published("a", NOW)).checkpoint().take(published("b", NOW + DAY))
    assert opened(recorder).changes == [published("a", NOW), published("b", NOW + DAY)]


def test_a_filter_that_came_later_is_followed_from_the_first_record() -> None:
    seen = {"event": {"name": "seen", "count": {"gte": 2}}}
    recorder = Recorder().take(*(EventsReceived(NOW, [Event("ann", "seen")]) for _ in range(2)))
    recorder.take(published("c", NOW + DAY, seen))
    recorder.take(EventsReceived(NOW + 2 * DAY, [Event("ann", "go")]))
    assert decisions(opened(recorder)) == [("c", "enter"), ("c", "send")]


def test_records_come_after_one_block_and_through_another() -> None:
    recorder = Recorder().take(*(TimeAdvanced(NOW + number) for number in range(5)))
    found = [record.received_at - NOW for record, _ in opened(recorder).records(1, 4)]
    assert found == [1, 2, 3]


def test_progress_counts_entries_up_to_all_of_them() -> None:
    recorder = Recorder().take(EventsReceived(NOW, [Event("ann", "go"), Event("bob", "go")]))
    recorder.take(TimeAdvanced(NOW + 1))
    told: list[tuple[int, int]] = []
    list(opened(recorder).records(progress=lambda done, total: told.append((done, total))))
    assert told == [(2, 3), (3, 3)]


def test_blocks_that_are_dropped_before_they_were_read_are_missed(tmp_path: Path) -> None:
    with open_stores(tmp_path) as stores:
        for number in range(60):
            stores.journal.append(Block(number + 1, number, [TimeAdvanced(NOW + number)]))
        records = RecordedLog(stores.journal, stores.snapshot).records()
        next(records)
        stores.journal.forget_log(1, 50)
        with pytest.raises(SegueError, match=r"blocks 17 to 49 of the log were dropped before"):
            list(records)
