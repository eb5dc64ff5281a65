"""Ends of a fold that needs no server: states in a dictionary, sends accepted or read."""

from collections.abc import Callable, Iterable
from typing import Literal

from segue.engine.plan import Plan
from segue.model.effects import Count, Deliver
from segue.model.events import SendSettled, SettledAs
from segue.model.log_records import HandOver
from segue.model.state import EMPTY_STATE, UserState
from segue.model.verdicts import Verdict
from segue.runtime.recipients import most_recipients

Sends = Literal["accepted", "recorded"]


class DictStates:
    """Users' states in a dictionary."""

    def __init__(self, states: dict[str, UserState] | None = None) -> None:
        self.states = states if states is not None else {}

    def get(self, user_id: str) -> UserState:
        """Return the user's state, an empty one for a user never seen."""
        return self.states.get(user_id, EMPTY_STATE)

    def put(self, user_id: str, state: UserState) -> None:
        """Keep the user's new state."""
        self.states[user_id] = state

    def erase(self, user_id: str) -> None:
        """Forget the user."""
        self.states.pop(user_id, None)

    def ids_between(self, after: str, through: str | None) -> list[str]:
        """Return the ids of users with a state with after < id <= through (None: all), in order."""
        return sorted(
            user_id
            for user_id in self.states
            if user_id > after and (through is None or user_id <= through)
        )


class RunOutcomes:
    """Verdicts are collected; sends are accepted at once, or come to an end by the log."""

    def __init__(self, sends: Sends, plan: Callable[[], Plan]) -> None:
        self.sends = sends
        self.verdicts: list[Verdict] = []
        self.sent_counts: dict[str, int] = {}  # by campaign
        self._plan = plan

    def decided(self, verdicts: list[Verdict]) -> None:
        """Collect decisions, in order."""
        self.verdicts.extend(verdicts)

    def count(self, count: Count, now: int) -> None:
        """A run prints decisions; nobody reads counters of it."""

    def deliver(self, deliver: Deliver) -> Iterable[SendSettled]:
        """Accept a send, unless the campaign may reach no more users."""
        if self.sends == "recorded":
            return ()
        slug, send_id = deliver.campaign, deliver.send_id
        most, sent_count = most_recipients(self._plan(), slug), self.sent_counts.get(slug, 0)
        may_send = most is None or sent_count < most
        if may_send:
            self.sent_counts[slug] = sent_count + 1
        settled_as: SettledAs = "accepted" if may_send else "skipped"
        reason = None if may_send else "recipients_max"
        return [
            SendSettled(deliver.user_id, slug, send_id, channel, settled_as, reason)
            for channel in deliver.channels
        ]

    def handing_over(self, record: HandOver) -> None:
        """Nothing is handed over in a run; the engine sees a recorded outcome next."""

    def take(self) -> list[Verdict]:
        """Return the decisions since the last call."""
        verdicts, self.verdicts = self.verdicts, []
        return verdicts
