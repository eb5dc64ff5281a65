"""A run whose counters are kept, beside a tape of all it took in, decided and handed over."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from segue.engine.plan import Plan
from segue.model.campaigns import Campaign
from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled
from segue.model.instants import HOUR, from_datetime
from segue.model.metrics import METRICS
from segue.model.verdicts import Verdict
from segue.runtime.in_memory import RunOutcomes, Sends
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import ControlLine, EventLine, accepted_at, read_line
from segue.runtime.offline import OfflineRun


class CountKey(NamedTuple):
    """What a number is of."""

    campaign: str
    hour: int
    variant: str
    metric: str
    detail: str
    channel: str


class Happened(NamedTuple):
    """An event was taken in; `at` is T."""

    now: int
    at: int
    event: EventLine


class Published(NamedTuple):
    """A campaign was published."""

    slug: str


class Erased(NamedTuple):
    """A user was erased."""

    user_id: str


class Settled(NamedTuple):
    """What became of the messages of a send."""

    now: int
    send: Deliver
    outcomes: list[SendSettled]


Tape = list[Happened | Published | Erased | Settled | Verdict]
Settle = Callable[[Deliver], list[SendSettled]]


def accept(deliver: Deliver) -> list[SendSettled]:
    """Let every message of a send be accepted."""
    return [settled(deliver, channel) for channel in deliver.channels]


def settled(
    deliver: Deliver, channel: Any, settled_as: Any = "accepted", reason: str | None = None
) -> SendSettled:
    user_id, campaign, send_id = deliver.user_id, deliver.campaign, deliver.send_id
    return SendSettled(user_id, campaign, send_id, channel, settled_as, reason)


class _Outcomes(RunOutcomes):
    def __init__(self, plan: Callable[[], Plan], settle: Settle) -> None:
        super().__init__("accepted", plan)
        self.tape: Tape = []
        self.counts: dict[CountKey, float] = defaultdict(float)
        self._settle = settle

    def decided(self, verdicts: list[Verdict]) -> None:
        super().decided(verdicts)
        self.tape += verdicts

    def count(self, count: Count, now: int) -> None:
        hour = now - now % HOUR
        key = CountKey(
            count.campaign, hour, count.variant, count.metric, count.detail, count.channel
        )
        self.counts[key] += count.amount

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        outcomes = self._settle(deliver)
        self.tape.append(Settled(deliver.decided_at, deliver, outcomes))
        return outcomes


class CountedRun(OfflineRun):
    """Feed it lines one by one; `settle` says what becomes of each send."""

    def __init__(
        self,
        campaigns: dict[str, Campaign],
        lines: list[dict[str, Any]],
        settle: Settle = accept,
        sends: Sends = "accepted",
    ) -> None:
        self._lines = [read_line(msgspec.json.encode(line)) for line in lines]
        survey = Survey()
        for line in self._lines:
            if line is not None:
                survey.look_at(line)
        super().__init__(Project(campaigns), survey, sends)
        self._kept = _Outcomes(lambda: self._fold.plan, settle)
        self._outcomes = self._fold.outcomes = self._kept
        self.tape.extend(Published(slug) for slug in campaigns.keys() - survey.published)

    @property
    def tape(self) -> Tape:
        return self._kept.tape

    @property
    def counts(self) -> dict[CountKey, float]:
        return {key: amount for key, amount in self._kept.counts.items() if amount}

    def all(self, after_each: Callable[[], None] = lambda: None) -> "CountedRun":
        """Feed every line, each after what was due before it."""
        for line in self._lines:
            assert line is not None
            now = accepted_at(line, self._fold.now)
            if self.lines_done:  # nothing is due before the first, and it is what publishes
                self.advance(now)
            match line:
                case EventLine():
                    at = now if line.time is None else min(from_datetime(line.time), now)
                    self.tape.append(Happened(now, at, line))
                case ControlLine(control="publish", campaign=str(slug)):
                    self.tape.append(Published(slug))
                case ControlLine(control="erase", user_id=str(user_id)):
                    self.tape.append(Erased(user_id))
            self.feed([line])
            after_each()
        return self

    def waiting(self) -> Counter[tuple[str, str, str]]:
        """Return how many users wait, as their states have it.

        By campaign and variant; and of those whose wait an interaction began, also by which.
        """
        found: Counter[tuple[str, str, str]] = Counter()
        for state in self._states.states.values():
            for slug, membership in state.memberships.items():
                if (wait := membership.wait) is not None:
                    found[slug, wait.variant, ""] += 1
                    if wait.trigger.interaction is not None:
                        connection = f"{wait.trigger.campaign}/{wait.trigger.interaction}"
                        found[slug, wait.variant, connection] += 1
        return found

    def waiting_as_counted(self) -> Counter[tuple[str, str, str]]:
        """Return the same as the counters have it, where it is not nothing."""
        found: Counter[tuple[str, str, str]] = Counter()
        for key, amount in self._kept.counts.items():
            if METRICS[key.metric].kind == "gauge":
                found[key.campaign, key.variant, key.detail] += int(amount)
        return Counter({pair: amount for pair, amount in found.items() if amount})

    def totals(self, campaign: str) -> dict[Any, float]:
        """Return the numbers of a campaign: by metric, or by metric and detail where it has one."""
        sums: dict[Any, float] = defaultdict(float)
        for key, amount in self._kept.counts.items():
            if key.campaign == campaign:
                sums[(key.metric, key.detail) if key.detail else key.metric] += amount
        return {name: amount for name, amount in sums.items() if amount}
