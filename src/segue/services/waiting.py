"""Who waits for a campaign, those due first first, a page at a time."""

import re
from typing import Final

from msgspec import Struct

from segue.model.instants import format_instant
from segue.model.problems import InvalidError, Problem
from segue.runtime.runtime import Runtime
from segue.runtime.totals import LiveTotals
from segue.storage.ports import TimerKey

_CURSOR: Final = re.compile(r"([0-9]{1,18}) (.*)", re.DOTALL)  # due instant and user of the last


class Waiter(Struct, frozen=True, omit_defaults=True):
    """A user who waits: since when, until when, and for which variant.

    One who is `held` was due already, and waits for hours in which the campaign may send.
    """

    user_id: str
    entered: str
    due: str
    variant: str
    held: bool = False


class WaitingPage(Struct, frozen=True, omit_defaults=True):
    """Some of those who wait, and how many do in all; `next_cursor` asks for the next."""

    count: int
    data: list[Waiter]
    next_cursor: str | None = None


async def waiting_for(
    runtime: Runtime, totals: LiveTotals, slug: str, limit: int, cursor: str
) -> WaitingPage:
    """Return who waits for a campaign behind a cursor.

    Raises:
        InvalidError: the cursor is none of ours.
    """
    after = _read_cursor(cursor, slug) if cursor else None
    keys, last = await runtime.timers.page_of(slug, limit, after)
    count = (await totals.of([slug]))[slug].of("waiting")
    runtime.states.prefetch(key.user_id for key in keys)
    waiters = [waiter for key in keys if (waiter := _waiter(runtime, key)) is not None]
    return WaitingPage(count, waiters, f"{last.due_at} {last.user_id}" if last else None)


def _waiter(runtime: Runtime, key: TimerKey) -> Waiter | None:
    """Return who a timer is for; None if they are no longer waiting for it."""
    state = runtime.state_of(key.user_id)
    membership = state.memberships.get(key.campaign) if state is not None else None
    wait = membership.wait if membership is not None else None
    if wait is None or wait.due_at != key.due_at:
        return None
    entered, due = format_instant(wait.entered_at), format_instant(wait.due_at)
    return Waiter(key.user_id, entered, due, wait.variant, wait.is_held)


def _read_cursor(cursor: str, slug: str) -> TimerKey:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        problem = Problem("cursor", f"{cursor!r} is none; take next_cursor of the page before")
        raise InvalidError([problem], "The request")
    return TimerKey(int(found[1]), found[2], slug)
