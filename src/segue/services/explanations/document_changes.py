"""What differs between two versions of a campaign, as paths of its document."""

from typing import Any, Final

import msgspec

from segue.model.campaigns import Campaign

_PATHS_MAX: Final = 6  # in one sentence; an edit of more is a new campaign to whoever reads it


def changed_paths(before: Campaign, after: Campaign) -> str:
    """Return the places that changed, "nothing" if none did."""
    paths = sorted(_changed(msgspec.to_builtins(before), msgspec.to_builtins(after)))
    shown = paths[:_PATHS_MAX]
    more = [f"{len(paths) - len(shown)} more"] if len(paths) > len(shown) else []
    return ", ".join([*shown, *more]) or "nothing"


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the fields that differ; those of the delivery one by one."""
    changed: list[str] = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name == "delivery" and isinstance(old, dict) and isinstance(new, dict):
            changed += [f"delivery.{inner}" for inner in _changed(old, new)]
        else:
            changed.append(name)
    return changed
