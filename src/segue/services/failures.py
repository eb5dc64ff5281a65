"""Messages that did not go out, by cause: how many, since when, an example, and what to do."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from segue.model.instants import DAY
from segue.model.limits import FAILURES_DAYS
from segue.model.reasons import REASONS
from segue.model.verdicts import Verdict
from segue.runtime.moments import Moment
from segue.runtime.runtime import Runtime
from segue.services.activity import Activity, ActivityFilter
from segue.services.moment_words import PROBLEMS
from segue.storage.ports import Sums

# What to do about a message that did not go out, by the reason.
REMEDIES: Final[Mapping[str, str]] = {
    "no_address": (
        "Tell Segue the address: the attribute email or phone, or a device that takes push. "
        "Or ask in the audience for users who have one."
    ),
    "unreachable": (
        "Ask the user for a new address. Setting the attribute to another one lets messages out "
        "again."
    ),
    "unsubscribed": "Nothing: the user does not want these messages.",
    "not_opted_in": (
        "Nothing, unless the user has opted in: then set the subscription to opted_in."
    ),
    "suppressed": (
        "Look up the address in the suppression list: if it is there by mistake, take it off. "
        "Else ask the user for another."
    ),
    "frequency_cap": "Nothing, if the caps are as you want them: they are in the workspace.",
    "template_error": "Mend the template: the example says where it failed. Then publish the edit.",
    "aborted": "Nothing, if the template is to abort then; it says why itself.",
    "refused": (
        "Read what the provider said in the example: most often the sender, the login or the "
        "content is not what it takes."
    ),
    "gave_up": (
        "Look whether the provider can be reached from the server: network, address, login. "
        "`segue doctor` tries it."
    ),
    "unknown_outcome": (
        "Ask the provider whether it has the message. `on_unknown` in the workspace says whether "
        "such messages are sent again."
    ),
    "rate_limited": "Raise sends_per_minute_max of the campaign, or ask the provider for more.",
    "recipients_max": "Raise recipients_max of the campaign, if more users are to have it.",
    "campaign_stopped": "Nothing: the campaign was stopped before its messages had gone out.",
}
_METRICS: Final = ("failed", "messages_skipped")


class FailureGroup(Struct):
    """Messages of a campaign and a channel that did not go out for the same reason.

    `first_day` and `last_day` are the days (UTC) in which they were; `example` is the newest send
    that ended for the reason, if it is among the newest decisions.
    """

    campaign: str
    channel: str
    reason: str
    count: int
    first_day: int
    last_day: int
    example: Verdict | None = None

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return REASONS.get(self.reason, self.reason)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES.get(self.reason, "")

    @property
    def is_problem(self) -> bool:
        """Whether somebody should have a look."""
        return self.reason in PROBLEMS


async def failures_of(runtime: Runtime, activity: Activity) -> list[FailureGroup]:
    """Return what did not go out in the last days, what needs a look first, then the most."""
    today = runtime.clock.now() // DAY * DAY
    days = [today - back * DAY for back in range(FAILURES_DAYS - 1, -1, -1)]
    groups: list[FailureGroup] = []
    for slug in runtime.plan.campaigns:
        [sums] = await runtime.counters.add_up(slug, [Sums([*days, today + DAY])])
        found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for counter, amount in sums.items():
            if counter.metric in _METRICS and round(amount):
                found[counter.channel, counter.detail].append((counter.hour, round(amount)))
        groups += [
            FailureGroup(
                slug,
                channel,
                reason,
                sum(count for _, count in seen),
                min(day for day, _ in seen),
                max(day for day, _ in seen),
            )
            for (channel, reason), seen in found.items()
        ]
    await _add_examples(activity, groups)
    return sorted(groups, key=lambda one: (not one.is_problem, -one.count))


async def _add_examples(activity: Activity, groups: list[FailureGroup]) -> None:
    """Give each group the newest send that ended so."""
    newest: dict[tuple[str, str], Verdict] = {}
    for moment in reversed(await activity.newest_moments(_SkipFilter(), _LOOKED_AT_MAX)):
        if isinstance(moment.what, Verdict) and moment.what.reason is not None:
            newest[moment.what.campaign, moment.what.reason] = moment.what
    for group in groups:
        group.example = newest.get((group.campaign, group.reason))


_LOOKED_AT_MAX: Final = 1_000


class _SkipFilter(ActivityFilter, frozen=True):
    """Wants the sends that ended without a message."""

    def takes(self, moment: Moment, plan: object) -> bool:
        """Return whether a moment is such an end."""
        return isinstance(moment.what, Verdict) and moment.what.reason in REMEDIES
