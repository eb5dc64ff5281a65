"""What rehearsals, and what comes next in them, are called."""

from typing import Any, Final

from segue.model.instants import HOUR, MINUTE
from segue.model.limits import REHEARSAL_IDLE_MAX, REHEARSAL_LIFE_MAX
from segue.services.rehearsal_time import Due, Skipped, span_words
from segue.services.rehearsals import Rehearsal
from segue.web.dashboard.words import iso

# Nothing live is changed by it, so nothing of it is written down.
DRAFT: Final[dict[str, Any]] = {"permission": "draft", "audit": False}
LIMITS: Final[dict[str, Any]] = {
    "idle_minutes": REHEARSAL_IDLE_MAX // MINUTE,
    "life_hours": REHEARSAL_LIFE_MAX // HOUR,
}


def name_of(rehearsal: Rehearsal) -> str:
    """Return what a rehearsal is called."""
    rehearsed = rehearsal.cast.rehearsed
    if rehearsed is None:
        return "Rehearsal of everything that is active"
    return f"Rehearsal of “{rehearsed.name}”"


def campaign_name(rehearsal: Rehearsal, slug: str) -> str:
    """Return what a campaign of a rehearsal is called."""
    found = rehearsal.application.runtime.plan.campaigns.get(slug)
    return found.newest.document.name if found is not None else slug


def due_words(rehearsal: Rehearsal, due: Due) -> str:
    """Return whose turn it is next."""
    whom = f"for {due.user_id}" if due.user_id else "for everybody"
    return f"“{campaign_name(rehearsal, due.campaign)}” {whom}"


def clock_words(at: int) -> str:
    """Return an instant as a sentence names it."""
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def skipped_words(skipped: Skipped) -> str:
    """Return what a skip did."""
    stops = f"{skipped.stop_count:,} times something happened on the way"
    if skipped.is_cut:
        return f"It is {clock_words(skipped.at)} now: {stops}, and so it stopped there. Skip again."
    if not skipped.stop_count:
        return f"It is {clock_words(skipped.at)} now. Nothing happened by itself on the way."
    if skipped.stop_count == 1:
        stops = "once something happened on the way"
    return f"It is {clock_words(skipped.at)} now; {stops}."


def next_words(rehearsal: Rehearsal, due: Due | None, before: int) -> str:
    """Return what a skip to the next waiting send did."""
    if due is None:
        return "Nobody waits for anything: do something on a phone, or send an event."
    skipped = span_words(due.at - before)
    return f"Skipped {skipped}, to {clock_words(due.at)}: {due_words(rehearsal, due)} was due."
