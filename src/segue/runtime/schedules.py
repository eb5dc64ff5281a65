"""When scheduled campaigns come to their users, as far as the plan and past walks tell.

A walk is a record of the log. Live the server writes it, in parts; over a file the run makes it.
"""

from collections.abc import Mapping

from segue.engine.plan import Plan, PublishedCampaign
from segue.engine.recurrence import next_occurrence
from segue.model.log_records import ScheduleWalked


class Schedules:
    """Finds the next walk; what it computed stays until the plan or a walk changes."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._walked: dict[str, ScheduleWalked] = {}
        self._next: ScheduleWalked | None = None

    def next_walk(self, plan: Plan, walked: Mapping[str, ScheduleWalked]) -> ScheduleWalked | None:
        """Return the walk to make next, as of its own instant; None when none will come.

        A walk that was begun goes on where its last part ended.
        """
        if plan is not self._plan or walked != self._walked:
            self._plan, self._walked = plan, dict(walked)
            walks = [
                walk
                for slug, campaign in plan.campaigns.items()
                if campaign.status == "active"
                if (walk := _next_of(campaign, walked.get(slug), plan)) is not None
            ]
            self._next = min(walks, key=lambda one: (one.walk_at, one.campaign), default=None)
        return self._next


def _next_of(
    campaign: PublishedCampaign, last: ScheduleWalked | None, plan: Plan
) -> ScheduleWalked | None:
    schedule = campaign.newest.document.delivery.schedule
    if schedule is None:
        return None
    since = campaign.scheduled_at
    if not schedule.local and schedule.time_zone is None:
        since = max(since, plan.zone_set_at)
    after = since - 1  # what came before was for the schedule as it was then
    if last is not None and last.walk_at >= campaign.published_at:
        if last.through is not None:
            at = last.walk_at
            return ScheduleWalked(at, campaign.slug, at, last.wall, after=last.through)
        after = max(after, last.walk_at)
    occurrence = next_occurrence(schedule, plan.workspace.time_zone, after)
    if occurrence is None:
        return None
    wall = occurrence.wall.isoformat() if occurrence.wall is not None else None
    return ScheduleWalked(occurrence.walk_at, campaign.slug, occurrence.walk_at, wall)
