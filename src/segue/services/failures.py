"""Messages that did not go out, by cause: how many, since when, an example, and what to do."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from segue.model.instants import DAY, from_datetime
from segue.model.limits import FAILURES_DAYS
from segue.model.reasons import MENDABLE, REASONS
from segue.model.verdicts import Verdict
from segue.runtime.moments import Moment
from segue.runtime.runtime import Runtime
from segue.services.activity import Activity, ActivityFilter
from segue.services.dead_letters import DeadLetters, LetterFilter, LetterGroup
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
_LOOKED_AT_MAX: Final = 1_000


class Example(Struct, frozen=True):
    """One of the messages that did not go out, the newest that is known."""

    user_id: str
    at: int
    detail: str


class FailureGroup(Struct):
    """Messages of a campaign and a channel that did not go out for the same reason.

    Those that may be tried again are known each by itself (`is_listed`); of the others the days
    (UTC) are known, and an example, if one is among the newest decisions.
    """

    campaign: str
    channel: str
    reason: str
    count: int
    first_at: int
    last_at: int
    is_listed: bool = False
    example: Example | None = None

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


async def failures_of(
    runtime: Runtime, activity: Activity, letters: DeadLetters
) -> list[FailureGroup]:
    """Return what did not go out: what needs a look first, then the most.

    What may be tried again is in the list of such messages; the rest is counted, and added up
    over the last days.
    """
    groups = [_listed(one) for one in letters.summary(LetterFilter()).groups]
    counted = [one for slug in runtime.plan.campaigns for one in await _counted(runtime, slug)]
    await _add_examples(activity, counted)
    return sorted([*groups, *counted], key=lambda one: (not one.is_problem, -one.count))


def _listed(group: LetterGroup) -> FailureGroup:
    example = group.example
    return FailureGroup(
        group.campaign,
        group.channel,
        group.reason,
        group.count,
        from_datetime(group.first_failed_at),
        from_datetime(group.last_failed_at),
        is_listed=True,
        example=Example(example.user_id, from_datetime(example.failed_at), example.detail),
    )


async def _counted(runtime: Runtime, slug: str) -> list[FailureGroup]:
    today = runtime.clock.now() // DAY * DAY
    days = [today - back * DAY for back in range(FAILURES_DAYS - 1, -1, -1)]
    [sums] = await runtime.counters.add_up(slug, [Sums([*days, today + DAY])])
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for counter, amount in sums.items():
        is_wanted = counter.metric in _METRICS and counter.detail not in MENDABLE
        if is_wanted and round(amount):
            found[counter.channel, counter.detail].append((counter.hour, round(amount)))
    return [
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


async def _add_examples(activity: Activity, groups: list[FailureGroup]) -> None:
    """Give each group the newest send that ended so."""
    newest: dict[tuple[str, str], Example] = {}
    for moment in reversed(await activity.newest_moments(_SkipFilter(), _LOOKED_AT_MAX)):
        if isinstance(moment.what, Verdict) and moment.what.reason is not None:
            skip = moment.what
            example = Example(skip.user_id, skip.at, skip.detail or "")
            newest[skip.campaign, moment.what.reason] = example
    for group in groups:
        group.example = newest.get((group.campaign, group.reason))


class _SkipFilter(ActivityFilter, frozen=True):
    """Wants the sends that ended without a message."""

    def takes(self, moment: Moment, plan: object) -> bool:
        """Return whether a moment is such an end."""
        return isinstance(moment.what, Verdict) and moment.what.reason in REMEDIES
