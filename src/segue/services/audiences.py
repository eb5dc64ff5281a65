"""Audiences as people write them: each filter in words, and whether a user belongs, and why."""

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from segue.engine.audience_checks import check_audience
from segue.engine.audience_trace import trace_audience
from segue.engine.plan import all_targets_of, missing_trackers
from segue.engine.workspace_checks import check_filter_among
from segue.errors import NotFoundError
from segue.model.decoding import decode_document
from segue.model.filters import Filter
from segue.model.problems import InvalidError
from segue.model.state import EMPTY_STATE
from segue.model.traces import FilterTrace
from segue.runtime.read_back import read_back_user
from segue.runtime.runtime import Runtime
from segue.services.counts import Counts
from segue.services.explanations.filter_words import culprits, tree_words, with_sentences
from segue.services.explanations.words import Words
from segue.services.segment_sizes import SegmentSizes
from segue.services.segments import Segments
from segue.services.suggestions import NameSuggestions


class UserTest(Struct, frozen=True):
    """Whether a user belongs to an audience: in a sentence, and filter by filter."""

    user_id: str
    is_member: bool
    sentence: str
    trace: FilterTrace | None  # None: the audience is everybody


class Audiences:
    """What can be told of an audience; `sizes` are those of segments, `names` what is known of."""

    def __init__(self, runtime: Runtime, segments: Segments, counts: Counts) -> None:
        self._runtime = runtime
        self.sizes = SegmentSizes(runtime, segments, counts)
        self.names = NameSuggestions(runtime)

    def words(self, user: str = "a user") -> Words:
        """Return what says things about filters, with the names of all campaigns."""
        runtime = self._runtime
        names = {one.slug: one.document.name for one in runtime.journal.list_campaigns()}
        return Words(user, runtime.plan, runtime.clock.now(), names)

    async def test(self, raw: Any, user_id: str) -> UserTest:
        """Return whether a user belongs to an audience, and why; None is everybody.

        What the filter asks about and nobody followed so far is read back from the log.

        Raises:
            InvalidError: with every fault of the filter.
            NotFoundError: nothing is known of the user.
        """
        runtime = self._runtime
        plan = runtime.plan
        node = _decoded(raw, runtime) if raw is not None else None
        missing = missing_trackers(plan, [node] if node is not None else [])
        found: Mapping[str, Any] = {}
        if missing:
            found = await asyncio.to_thread(read_back_user, runtime.journal, user_id, missing)
        known = runtime.state_of(user_id)
        if known is None and not found:
            message = f"nothing is known of a user {user_id!r}; check the id, which keeps its case"
            raise NotFoundError(message)
        state = known or EMPTY_STATE
        state = replace(state, histories={**state.histories, **found})
        now = runtime.clock.now()
        words = self.words(user_id)
        trace = trace_audience(node, state, now, all_targets_of(plan), plan.segments)
        if trace is None:
            sentence = words.sentence(f"{user_id} matches: it is for everyone")
            return UserTest(user_id, True, sentence, None)
        clause = f"{user_id} matches"
        if not trace.is_passed:
            clause = f"{user_id} does not match: {culprits(trace, words)}"
        return UserTest(
            user_id, trace.is_passed, words.sentence(clause), with_sentences(trace, words)
        )


def filter_clause(raw: Any, words: Words) -> str:
    """Return what a filter asks, as a clause; "" of one that is not whole."""
    try:
        node = decode_document(raw, Filter)
    except InvalidError:
        return ""
    if next(check_audience(node, ""), None) is not None:
        return ""
    trace = trace_audience(node, EMPTY_STATE, 0, {}, {})
    return tree_words(trace, words) if trace is not None else ""


def _decoded(raw: Any, runtime: Runtime) -> Filter:
    node = decode_document({"filter": raw}, _Wish, "The filter").filter
    plan = runtime.plan
    problems = list(check_audience(node, "filter")) or list(
        check_filter_among(node, "filter", plan.segments, plan.workspace)
    )
    if problems:
        raise InvalidError(problems, "The filter")
    return node


class _Wish(Struct, forbid_unknown_fields=True):
    filter: Filter
