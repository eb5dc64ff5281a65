"""A user who is erased takes everything along: also what was on its way, and if they come back."""

import pytest

from segue.engine.checks import decode_campaign
from segue.model.events import AttributeChange
from segue.model.instants import FOREVER, HOUR, parse_instant
from segue.model.log_records import AttributesReceived, CampaignPublished, UserErased
from segue.runtime.replay import compare_with_record
from tests.support.documents import campaign
from tests.support.live import LiveRuntime

START = parse_instant("2026-11-01T00:00:00Z")
PARIS = AttributeChange("ann", {"time_zone": "Europe/Paris", "email": "ann@people.test"})


async def walked() -> LiveRuntime:
    """Return a server whose campaign is on its way to ann, for nine in the morning where she is."""
    live = LiveRuntime(START)
    await live.start()
    await live.hand_in([AttributesReceived(START, [PARIS])])
    schedule = {"type": "scheduled", "schedule": {"cron": "0 9 * * *", "local": True}}
    document = decode_campaign(campaign("morning", delivery=schedule, re_eligibility="always"))
    await live.hand_in([CampaignPublished(START, "id-morning", 1, document)])
    await live.move_to(START + 20 * HOUR)  # the morning has come to the first zone
    assert on_the_way(live), "the schedule is on its way"
    return live


def on_the_way(live: LiveRuntime) -> list[str]:
    """Return to whom the schedule is on its way, in memory or as it is written down."""
    stored = live.stores.snapshot.timers_between(-1, FOREVER)
    return [key.user_id for key in (*stored, *live.runtime.timers.of_campaign(f"morning@{START}"))]


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("is_back", [False, True])
async def test_a_schedule_on_its_way_to_an_erased_user_does_not_arrive(
    is_written: bool, is_back: bool
) -> None:
    # Found by `segue simulate --seed 76 --days 1`, and by seed 295 where the user came back.
    live = await walked()
    if is_written:
        await live.checkpoint()
    now = live.clock.now()
    await live.hand_in([UserErased(now, "ann")])
    if is_back:
        await live.hand_in([AttributesReceived(now, [PARIS])])
    assert live.runtime.timers.of_campaign(f"morning@{START}") == []
    await live.checkpoint()
    assert on_the_way(live) == []
    await live.crash()
    await live.start()
    assert on_the_way(live) == []
    await live.stop()
    assert compare_with_record(live.stores.journal, live.stores.snapshot).difference is None
