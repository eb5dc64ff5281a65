"""Everything that is wrong with segments and with the workspace, with paths."""

from collections.abc import Iterator, Mapping

from segue.engine.audience_checks import check_audience, check_groups
from segue.engine.happening_checks import check_length
from segue.engine.local_time import is_zone
from segue.engine.references import leaves_of, segments_in
from segue.model.channels import CHANNELS
from segue.model.decoding import decode_document, did_you_mean, shown
from segue.model.filters import Filter
from segue.model.limits import CAP_WINDOW_MAX
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Segment, Workspace


def decode_segment(raw: object) -> Segment:
    """Read a segment document.

    Raises:
        InvalidError: with every fault: those of its shape, or if it has none, of its meaning.
    """
    segment = decode_document(raw, Segment, "The segment")
    problems = list(check_audience(segment.filter, "filter"))
    if problems:
        raise InvalidError(problems, "The segment")
    return segment


def decode_workspace(raw: object) -> Workspace:
    """Read a workspace document.

    Raises:
        InvalidError: with every fault: those of its shape, or if it has none, of its meaning.
    """
    workspace = decode_document(raw, Workspace, "The workspace")
    problems = list(check_workspace(workspace))
    if problems:
        raise InvalidError(problems, "The workspace")
    return workspace


def check_workspace(workspace: Workspace) -> Iterator[Problem]:
    """Yield what is wrong with a workspace by itself."""
    if not is_zone(workspace.time_zone):
        message = f"{shown(workspace.time_zone)} is no time zone; write it as Europe/Paris"
        yield Problem("time_zone", message)
    quiet = workspace.quiet_hours
    if quiet is not None and quiet.from_ == quiet.to:
        message = "is the same as from: the whole day would be quiet, and nothing ever sent"
        yield Problem("quiet_hours.to", message)
    yield from _check_unique("caps", [cap.slug for cap in workspace.caps])
    for index, cap in enumerate(workspace.caps):
        path = f"caps[{index}].within"
        yield from check_length(cap.within, path, CAP_WINDOW_MAX, may_be_nothing=False)
    groups = [group.slug for group in workspace.subscription_groups]
    yield from _check_unique("subscription_groups", groups)
    for index, slug in enumerate(groups):
        if slug in CHANNELS:
            message = f"{shown(slug)} is a channel; choose another slug"
            yield Problem(f"subscription_groups[{index}].slug", message)


def _check_unique(name: str, slugs: list[str]) -> Iterator[Problem]:
    for index, slug in enumerate(slugs):
        if slug in slugs[:index]:
            yield Problem(f"{name}[{index}].slug", f"{shown(slug)} is used twice")


def check_filter_among(
    node: Filter | None, path: str, segments: Mapping[str, Segment], workspace: Workspace
) -> Iterator[Problem]:
    """Yield the segments and subscription groups that a filter names and that are not there."""
    groups = {group.slug for group in workspace.subscription_groups}
    for slug, place in segments_in(node, path):
        if slug not in segments:
            hint = did_you_mean(slug, [*segments])
            yield Problem(place, f"there is no segment {shown(slug)}{hint}")
    for leaf, place in leaves_of(node, path):
        yield from check_groups(leaf, place, groups)


def check_segment_among(
    segment: Segment, segments: Mapping[str, Segment], workspace: Workspace
) -> Iterator[Problem]:
    """Yield what is wrong with a segment among the others: names unknown, and circles."""
    among = {**segments, segment.slug: segment}
    yield from check_filter_among(segment.filter, "filter", among, workspace)
    for slug, place in segments_in(segment.filter, "filter"):
        if segment.slug in _reached_from(slug, among):
            message = f"{slug} rests on {segment.slug} itself: segments may not go in a circle"
            yield Problem(place, message)


def _reached_from(slug: str, segments: Mapping[str, Segment]) -> set[str]:
    reached: set[str] = set()
    pending = [slug]
    while pending:
        one = pending.pop()
        if one in segments and one not in reached:
            pending += [inner for inner, _ in segments_in(segments[one].filter, "")]
        reached.add(one)
    return reached
