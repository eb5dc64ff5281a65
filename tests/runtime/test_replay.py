"""The log decided again gives what was recorded; what does not is found, with its place."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from segue.engine.checks import decode_campaign
from segue.errors import SegueError
from segue.model.events import Event
from segue.model.instants import DAY, HOUR, parse_instant
from segue.model.log_records import CampaignPublished, EventsReceived, TimeAdvanced
from segue.model.verdicts import Verdict
from segue.runtime.replay import Comparison, compare_with_record
from segue.storage.ports import Checkpoint, Position
from tests.support.random_worlds import world_of_seed
from tests.support.recorder import Recorder
from tests.support.story import campaign

pytestmark = pytest.mark.slow

NOW = parse_instant("2026-11-01T00:00:00Z")


def recorded(seed: int) -> Recorder:
    return Recorder().take_world(world_of_seed(seed))


def compare(recorder: Recorder) -> Comparison:
    return compare_with_record(recorder.journal, recorder.snapshot)


def a_day_of_one_user() -> Recorder:
    """Return a record of three decisions: in, out again after a day, and in."""
    document = campaign("c", {"event": "go"}, delay="1d", re_eligibility="always")
    recorder = Recorder().take(CampaignPublished(NOW, "id-c", 1, decode_campaign(document)))
    for at in (NOW + HOUR, NOW + 2 * DAY):
        recorder.take(EventsReceived(at, [Event("ann", "go")]))
    return recorder


def write_down(recorder: Recorder, change: Callable[[list[Verdict]], list[Verdict]]) -> Recorder:
    """Write a checkpoint with other verdicts than were decided."""
    recorder.kept.verdicts = change(recorder.kept.verdicts)
    return recorder.checkpoint()


def test_random_worlds_replay_as_they_were_recorded() -> None:
    compared = 0
    for seed in range(150):
        recorder = recorded(seed)
        count = len(recorder.verdicts)
        found = compare(recorder.checkpoint())
        assert found.difference is None, f"seed {seed}: {found.difference}"
        assert (found.equal, found.lost, found.entries_behind) == (count, 0, 0)
        compared += count
    assert compared > 1_000


def test_what_came_due_between_the_last_record_and_the_checkpoint_is_compared() -> None:
    recorder = a_day_of_one_user().let_pass(NOW + 4 * DAY)
    assert [one.decision for one in recorder.verdicts] == ["enter", "send", "enter", "send"]
    assert compare(recorder.checkpoint()).equal == 4


def test_what_was_not_written_down_when_the_server_died_is_told_and_not_compared() -> None:
    recorder = a_day_of_one_user().checkpoint()
    recorder.take(EventsReceived(NOW + 9 * DAY, [Event("bob", "go"), Event("eve", "go")]))
    found = compare(recorder)
    assert found.difference is None
    assert (found.equal, found.entries_behind) == (3, 3)  # one more send of ann's is settled


def test_nothing_recorded_is_nothing_compared() -> None:
    assert compare(Recorder()).equal == 0


def test_a_changed_decision_is_found_with_its_place() -> None:
    recorder = a_day_of_one_user()
    write_down(recorder, lambda made: [*made[:2], replace(made[2], variant="B")])
    found = compare(recorder)
    assert found.equal == 2
    assert found.difference is not None
    assert found.difference.recorded is not None
    assert found.difference.decided is not None
    assert (found.difference.recorded.variant, found.difference.decided.variant) == ("B", "A")
    place = found.difference.place
    assert str(place) == "entry 3 of the log (block 4, accepted 2026-11-03T00:00:00Z)"


def test_a_decision_that_was_not_recorded_is_found() -> None:
    difference = compare(write_down(a_day_of_one_user(), lambda made: made[:2])).difference
    assert difference is not None
    assert difference.recorded is None
    assert difference.decided is not None
    assert difference.decided.decision == "enter"


def test_a_decision_that_is_not_made_again_is_found() -> None:
    one_more = Verdict(NOW + 3 * DAY, "eve", "c", "enter", "e1")
    difference = compare(write_down(a_day_of_one_user(), lambda made: [*made, one_more])).difference
    assert difference is not None
    assert (difference.recorded, difference.decided) == (one_more, None)


def test_two_decisions_in_another_order_are_a_difference() -> None:
    assert compare(write_down(a_day_of_one_user(), lambda made: made[::-1])).difference is not None


def test_verdicts_that_were_dropped_are_passed_over_and_counted() -> None:
    recorder = a_day_of_one_user().checkpoint()
    recorder.take(EventsReceived(NOW + 9 * DAY, [Event("bob", "go")]))
    recorder.checkpoint().snapshot.forget_verdicts(0)
    found = compare(recorder)
    assert found.difference is None
    assert (found.lost, found.equal) == (3, 2)


def test_a_first_kept_decision_that_is_never_made_is_a_difference() -> None:
    recorder = a_day_of_one_user().checkpoint()
    stranger = Verdict(NOW, "eve", "c", "enter", "e1")
    end = recorder.journal.log_end()
    position = Position(end.seq, end.next_ordinal, recorder.fold.now)
    recorder.snapshot.commit(Checkpoint(position, verdicts=[stranger]))
    recorder.snapshot.forget_verdicts(0)
    difference = compare(recorder).difference
    assert difference is not None
    assert difference.recorded == stranger


def test_of_a_log_without_its_beginning_nothing_is_claimed() -> None:
    recorder = a_day_of_one_user().take(TimeAdvanced(NOW + 9 * DAY)).checkpoint()
    recorder.journal.index_users(recorder.journal.log_end().seq, [])
    assert recorder.journal.forget_log(1, recorder.journal.log_end().seq) > 0
    with pytest.raises(SegueError, match="log_bytes_max has dropped what came before"):
        compare(recorder)
