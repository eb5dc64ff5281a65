"""Whether random worlds are dense enough: everything that can be decided is, and more than once."""

from collections import Counter
from typing import get_args

import pytest
from tests.support.oracle import Oracle
from tests.support.random_worlds import world_of_seed

from segue.model.filters import KINDS
from segue.model.interactions import INTERACTIONS
from segue.model.reasons import REASONS
from segue.runtime.lines import ControlKind

pytestmark = pytest.mark.slow

SEEDS = range(600)
OFTEN = 5  # a rule that is looked at once may have been looked at by chance

# In a run every send is accepted at once: no provider, template or pace gives a reason of its own.
REASONS_OF_PROVIDERS = {
    "aborted",
    "gave_up",
    "no_address",
    "rate_limited",
    "refused",
    "suppressed",
    "template_error",
    "unknown_outcome",
}
DECIDED = {
    *("enter", "send", "convert", "control control_group"),
    *("cancel exception_event", "cancel campaign_stopped", "cancel campaign_archived"),
    *("refuse published_after_event", "refuse outside_window", "refuse not_in_audience"),
    *("refuse not_re_eligible", "refuse already_waiting", "refuse chain_limit"),
    *("refuse campaign_stopped", "refuse campaign_archived"),
    *("skip outside_window", "skip not_in_audience", "skip outside_time_of_day"),
    *("skip quiet_hours", "skip unsubscribed", "skip unreachable", "skip frequency_cap"),
    *("skip recipients_max", "skip not_opted_in"),
}
HEARD = {f"heard {name}" for name in ("event", "purchase", "session_start", *INTERACTIONS)}
FILTERS = {f"filter {kind.rstrip('_')} {holds}" for kind in KINDS for holds in (True, False)}
DELAYS = {f"delay {form}" for form in ("immediately", "after", "on_next", "in_days", "did_not")}
HELD = {
    *("held: outside_time_of_day", "held: quiet_hours"),
    *("cancelled while held", "cancelled while waiting"),
}
CAPS = {
    *("cap by days", "cap rolling", "cap of any channel", "cap of a channel"),
    *("cap of a tag", "cap of all tags"),
}
SCHEDULES = {f"schedule {whose} {form}" for whose in ("common", "local") for form in ("at", "cron")}
SUBSCRIPTIONS = {"sent to all", "unsubscribed from a group"}
# A run makes its own walks, and nothing fails in it: these it reads only from a recorded log.
OF_RECORDED_LOGS = ("schedule", "retry")
CONTROLS = {f"line {word}" for word in get_args(ControlKind) if word not in OF_RECORDED_LOGS}


def counts_of_worlds() -> Counter[str]:
    """Count what the oracle looks at and decides in all the worlds."""
    counted: Counter[str] = Counter()
    for seed in SEEDS:
        world = world_of_seed(seed)
        oracle = Oracle(world.campaigns, world.segments, world.workspace)
        for line in oracle.run(world.lines, world.until):
            counted[" ".join(line[name] for name in ("decision", "reason") if name in line)] += 1
        counted += oracle.knowledge.seen
        counted.update(f"line {line['control']}" for line in world.lines if "control" in line)
    return counted


def test_random_worlds_decide_everything_there_is_to_decide() -> None:
    counts = counts_of_worlds()
    everything = (
        DECIDED | HEARD | FILTERS | DELAYS | HELD | CAPS | SUBSCRIPTIONS | SCHEDULES | CONTROLS
    )
    assert {name: counts[name] for name in sorted(everything) if counts[name] < OFTEN} == {}


def test_every_reason_is_one_that_random_worlds_give_or_a_providers() -> None:
    given = {name.partition(" ")[2] for name in DECIDED if " " in name}
    assert given | REASONS_OF_PROVIDERS == set(REASONS)
    assert not given & REASONS_OF_PROVIDERS
