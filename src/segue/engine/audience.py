"""An audience, compiled once per plan to a predicate on a profile (semantics.md 4)."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from segue.engine.values import compile_comparison, lookup
from segue.model.filters import Filter

# (attributes, T) -> belongs to the audience
Audience = Callable[[Mapping[str, Any], int], bool]


def everybody(_attributes: Mapping[str, Any], _at: int) -> bool:
    """Accept every user: the audience of a campaign that names none."""
    return True


def compile_audience(node: Filter | None) -> Audience:
    """Return the predicate of a filter tree."""
    if node is None:
        return everybody
    if node.all is not UNSET:
        parts = [compile_audience(part) for part in node.all]
        return lambda attributes, at: all(part(attributes, at) for part in parts)
    if node.any is not UNSET:
        parts = [compile_audience(part) for part in node.any]
        return lambda attributes, at: any(part(attributes, at) for part in parts)
    if node.not_ is not UNSET:
        inner = compile_audience(node.not_)
        return lambda attributes, at: not inner(attributes, at)
    test = compile_comparison(node)
    path = str(node.attribute)
    return lambda attributes, at: test(lookup(attributes, path), at)
