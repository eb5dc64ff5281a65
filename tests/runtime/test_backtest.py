"""A backtest decides for the draft as if it had been there, and changes nothing for others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.model.filters import Filter
from segue.model.log_records import CampaignPublished
from segue.model.verdicts import Verdict
from segue.runtime.backtest import Backtest, accepted_at_once
from segue.runtime.guest import Guest
from segue.runtime.in_memory import RunOutcomes
from segue.runtime.recorded import RecordedLog
from tests.support.drafts import Together, alone, record_without
from tests.support.random_worlds import World, world_of_seed
from tests.support.recorder import Recorder

pytestmark = pytest.mark.slow

SEEDS = range(100)


def backtest(world: World, draft: str, recorder: Recorder, since: int) -> list[Verdict]:
    log = RecordedLog(recorder.journal, recorder.snapshot)
    test = Backtest(log, world.campaigns[draft], accepted_at_once, since)
    test.run()
    return test.outcomes.take()


def assert_as_if_it_had_been_there(world: World, draft: str, part: float) -> int:
    """Compare both, with the draft published after a part of the log."""
    world = alone(world, draft)
    recorder = record_without(world, draft)
    log = RecordedLog(recorder.journal, recorder.snapshot)
    begin, end = log.begin.received_at, log.end.received_at
    since = begin + int((end - begin) * part)
    together = Together(world.campaigns[draft], recorder, since).outcomes.take()
    assert [one for one in together if one.campaign != draft] == recorder.verdicts
    decided = backtest(world, draft, recorder, since)
    assert decided == [one for one in together if one.campaign == draft]
    return len(decided)


def test_a_draft_decides_in_random_worlds_as_if_it_had_been_there() -> None:
    decided = 0
    for seed in SEEDS:
        world = world_of_seed(seed)
        for draft in world.campaigns.keys() - {"c0"}:
            try:
                decided += assert_as_if_it_had_been_there(world, draft, part=(seed % 4) / 4)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {draft}: {error}") from error
    assert decided > 500


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_a_draft_decides_in_any_world_as_if_it_had_been_there(seed: int, part: float) -> None:
    world = world_of_seed(seed)
    assert_as_if_it_had_been_there(world, max(world.campaigns), part)


def test_others_decide_as_recorded_whatever_the_draft_does() -> None:
    """Here they may follow the draft, be stopped by it, and count its messages."""
    decided = 0
    for seed in SEEDS:
        world = world_of_seed(seed)
        for draft in sorted(world.campaigns):
            recorder = record_without(world, draft)
            log = RecordedLog(recorder.journal, recorder.snapshot)
            host_outcomes = RunOutcomes("recorded", lambda: host.plan)  # noqa: B023
            host = log.new_fold(host_outcomes, filters=_filters_of(world))
            published = CampaignPublished(log.begin.received_at, "", 1, world.campaigns[draft])
            guest_outcomes = RunOutcomes("accepted", lambda: guest.plan)  # noqa: B023
            guest = Guest(published, host, guest_outcomes)
            guest.is_present = True
            for record, place in log.records():
                host.apply(record, place.ordinal)
            assert host_outcomes.verdicts == recorder.verdicts, f"seed {seed}, {draft}"
            decided += len(guest_outcomes.verdicts)
    assert decided > 500


def _filters_of(world: World) -> list[Filter]:
    return [one.audience for one in world.campaigns.values() if one.audience is not None]
