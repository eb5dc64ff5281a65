"""What a server knows, compared with what its log says (the oracle); and that all stays bounded."""

from collections.abc import Sequence
from typing import Final

from segue.model.limits import SENDERS_MAX
from segue.model.state import STATE_PARTS, UserState
from segue.runtime.runtime import Runtime
from segue.simulator.audit import Audit, BrokenError
from segue.simulator.oracle import Oracle
from segue.storage.outbox_items import OutboxItem

_DECIDED_AT_ONCE_MAX: Final = 60  # messages, about one small block


def check_states(runtime: Runtime, oracle: Oracle) -> None:
    """Raise BrokenError unless every user's state is what the log makes of them."""
    expected = oracle.states.states
    for user_id, state in expected.items():
        found = runtime.state_of(user_id)
        if found != state:
            raise BrokenError(f"the state of {user_id} {_difference(found, state)}")
    known = runtime.states.ids_after("", len(expected) + 1)
    if surplus := set(known) - expected.keys():
        raise BrokenError(f"{min(surplus)} has a state, and the log knows nothing of them")
    _check_tokens(oracle)


def check_timers(runtime: Runtime, oracle: Oracle) -> None:
    """Raise BrokenError unless the timers are those that the log sets."""
    expected = sorted(oracle.timers)
    campaigns = sorted({timer.campaign for timer in expected} | runtime.plan.campaigns.keys())
    found = sorted(timer for slug in campaigns for timer in runtime.timers.of_campaign(slug))
    if found != expected:
        surplus, missing = set(found) - set(expected), set(expected) - set(found)
        raise BrokenError(f"timers differ: {sorted(surplus)} too many, {sorted(missing)} missing")


def check_verdicts(runtime: Runtime, oracle: Oracle, written: int) -> None:
    """Raise BrokenError unless the decisions not written down yet are those the log gives."""
    found, expected = runtime.outcomes.pending_verdicts(), oracle.verdicts[written:]
    if found != expected:
        raise BrokenError(_first_difference("decision", found, expected, written))


def check_record(runtime: Runtime, oracle: Oracle) -> None:
    """Raise BrokenError unless the decisions on record are the first that the log gives."""
    found = list(runtime.snapshot.read_verdicts())
    expected = oracle.verdicts[: len(found)]
    if found != expected:
        raise BrokenError(_first_difference("recorded decision", found, expected, 0))


def check_counters(runtime: Runtime, oracle: Oracle, slug: str) -> None:
    """Raise BrokenError unless a campaign's counters are what the log adds up to."""
    found: dict[object, float] = {}
    for counter, amount in runtime.counters.since(slug, 0):
        found[counter] = found.get(counter, 0.0) + amount
    expected = {name: amount for name, amount in oracle.counts.items() if name.campaign == slug}
    for name in found.keys() | expected.keys():
        if found.get(name, 0.0) != expected.get(name, 0.0):  # type: ignore[call-overload]
            raise BrokenError(
                f"{name} is counted {found.get(name, 0.0)} times, and the log has "
                f"{expected.get(name, 0.0)}"  # type: ignore[call-overload]
            )


def check_outbox(runtime: Runtime, oracle: Oracle, audit: Audit) -> None:
    """Raise BrokenError unless outbox and dead letters are what the log leaves in them."""
    found, expected = runtime.outcomes.outbox, oracle.outbox
    for key in sorted(found.items.keys() | expected.items.keys()):
        left, right = (_plain(box.items.get(key), audit) for box in (found, expected))
        if left != right:
            raise BrokenError(f"the outbox has {left}, and the log leaves {right}")
    now = oracle.fold.now
    letters = [
        [(one.key, one.reason) for one in box.letters.newest(now)] for box in (found, expected)
    ]
    if sorted(letters[0]) != sorted(letters[1]):
        raise BrokenError(f"the dead letters are {letters[0]}, and the log leaves {letters[1]}")


def check_walks(runtime: Runtime, oracle: Oracle) -> None:
    """Raise BrokenError unless schedules have come as far as the log says."""
    found, expected = runtime.processor.fold.walks, oracle.fold.walks
    if found != expected:
        raise BrokenError(f"schedules have come to {found}, and the log says {expected}")


def check_campaigns(runtime: Runtime, audit: Audit) -> None:
    """Raise BrokenError unless each campaign's row says what the log says of it."""
    for campaign in runtime.journal.list_campaigns():
        logged = audit.statuses.get(campaign.slug)
        row = (campaign.status, campaign.version)
        if (logged or ("draft", 0)) != row:
            raise BrokenError(f"{campaign.slug} is {row} in its row, and {logged} in the log")


def check_bounds(runtime: Runtime, events_max: int) -> None:
    """Raise BrokenError if anything is kept beyond its bound; a call brings up to `events_max`."""
    processor, kept = runtime.processor, runtime.kept_counts()
    bounds = {
        "hand-overs under way": SENDERS_MAX,
        "messages to hand over": processor.outbox_max + _DECIDED_AT_ONCE_MAX,
        "entries to decide": runtime.ingest.backlog_max + events_max + SENDERS_MAX,
        "recent ids": runtime.recent_ids.ids_max,
        "clean states": runtime.states.cache_max,
        "turns of messages": 2 * kept["messages to hand over"] + SENDERS_MAX,
    }
    for what, most in bounds.items():
        if kept[what] > most:
            raise BrokenError(f"{kept[what]} {what} are kept; at most {most}")
    if processor.failure is not None:
        raise BrokenError(f"deciding stopped: {processor.failure!r}")


def _plain(item: OutboxItem | None, audit: Audit) -> tuple[object, ...] | None:
    """Return an item without what is not told by the log: when it may go at the earliest."""
    if item is None:
        return None
    is_attempted = item.is_attempted and not audit.resends(item.channel)
    return (item.deliver, item.channel, item.attempts, item.tried, is_attempted)


def _check_tokens(oracle: Oracle) -> None:
    owners: dict[str, str] = {}
    for user_id, state in oracle.states.states.items():
        for device in state.devices:
            other = owners.setdefault(device.token, user_id)
            if other != user_id:
                raise BrokenError(f"{device.token} is a device of {other} and of {user_id}")


def _difference(found: UserState | None, expected: UserState) -> str:
    """Return in what a state is not as the log makes it."""
    if found is None:
        return "is gone, and the log makes one"
    name: str = next(one for one in STATE_PARTS if getattr(found, one) != getattr(expected, one))
    left, right = getattr(found, name), getattr(expected, name)
    if isinstance(left, dict):
        keys = left.keys() | right.keys()
        key = min(one for one in keys if left.get(one) != right.get(one))
        name, left, right = f"{name}[{key!r}]", left.get(key), right.get(key)
    return f"has {name} {left}, and the log makes it {right}"


def _first_difference(
    what: str, found: Sequence[object], expected: Sequence[object], first: int
) -> str:
    for number in range(max(len(found), len(expected))):
        left = found[number] if number < len(found) else None
        right = expected[number] if number < len(expected) else None
        if left != right:
            return f"{what} {first + number} is {left}, and the log gives {right}"
    return f"{what}s differ"
