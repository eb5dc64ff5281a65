"""What can be read of a document that is not finished: the nearest one that is whole in shape.

What is missing gets a mark in its place, and what cannot be read is left out, so that sentence,
drawing and counts can be told of the rest.
"""

import copy
import re
from typing import Any, Final

from msgspec.structs import replace

from segue.engine.audience_checks import check_audience
from segue.engine.happening_checks import check_happening
from segue.engine.recurrence import parse_cron
from segue.model.campaigns import Campaign, Delivery
from segue.model.decoding import decode_document
from segue.model.problems import InvalidError

_MARK: Final = "…"
_ALL: Final = 100  # per cent
_TOLD: Final = ("name", "slug", "tags", "subscription", "subscription_group")
_ROUNDS_MAX: Final = 12  # each takes faults away; documents are not nested deeper
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
Tree = dict[str, Any]


def sketch_of(tree: Tree) -> Campaign:
    """Return the nearest whole document; what it has in common with the tree means the same."""
    rest = _without_meaningless(copy.deepcopy(tree))
    for _ in range(_ROUNDS_MAX):
        try:
            document = decode_document(rest, Campaign)
        except InvalidError as error:
            # From the end, so that the places of what comes before stay as they are.
            for problem in reversed(error.problems):
                _mend(rest, problem.path)
        else:
            return _that_can_be_told(document)
    return Campaign(slug="x", name=_MARK, delivery=Delivery())


def sketch_of_message(tree: Tree, message: Any, variant: str) -> Campaign:
    """Return the nearest whole campaign of one message alone, whatever else is in the tree."""
    return sketch_of(alone(tree, message, variant))


def alone(tree: Tree, message: Any, variant: str) -> Tree:
    """Return a document of one message, with what messages can tell of their campaign."""
    told = {name: tree[name] for name in _TOLD if tree.get(name)}
    variants = [{"name": variant, "percent": _ALL, "messages": [message]}]
    return {**_without_meaningless(told), "variants": variants}


def _without_meaningless(tree: Tree) -> Tree:
    """Give names to what has none yet, so that its faults do not take away the rest."""
    if not tree.get("slug"):
        tree["slug"] = "x"
    if not tree.get("name"):
        tree["name"] = _MARK
    if not isinstance(tree.get("delivery"), dict):
        tree["delivery"] = {}
    return tree


def _mend(tree: Tree, path: str) -> None:
    """Put a mark where a text is missing; what still cannot be read goes, then what it is in."""
    steps = [match[1] or int(match[2]) for match in _STEP.finditer(path)]
    holders: list[Any] = [tree]
    for step in steps[:-1]:
        inner = _at(holders[-1], step)
        if not isinstance(inner, dict | list):
            break
        holders.append(inner)
    if not steps:
        return
    holder, last = holders[-1], steps[len(holders) - 1]
    found = _at(holder, last)
    if len(holders) == len(steps) and found in (None, "") and isinstance(holder, dict):
        holder[str(last)] = _MARK
    elif isinstance(holder, dict) and last in holder and found != _MARK:
        del holder[str(last)]
    elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        del holder[last]
    else:
        _drop_holder(holders, steps)


def _drop_holder(holders: list[Any], steps: list[Any]) -> None:
    """Take away the document that a fault is in: no mark will do in it."""
    if len(holders) < 2:  # noqa: PLR2004 - the whole, and what is in it
        holders[0].pop(steps[0], None)
        return
    outer, step = holders[-2], steps[len(holders) - 2]
    if isinstance(outer, list):
        del outer[step]
    else:
        outer.pop(step, None)


def _at(holder: Any, step: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(step)
    if isinstance(holder, list) and isinstance(step, int) and step < len(holder):
        return holder[step]
    return None


def _that_can_be_told(document: Campaign) -> Campaign:
    """Leave out of a document what is right in shape and means nothing."""

    delivery = document.delivery
    schedule = delivery.schedule
    if schedule is not None and schedule.cron is not None:
        try:
            parse_cron(schedule.cron)
        except ValueError:
            schedule = replace(schedule, cron=None)
    delivery = replace(
        delivery,
        schedule=schedule,
        triggers=[one for one in delivery.triggers if not list(check_happening(one, ""))],
        exceptions=[one for one in delivery.exceptions if not list(check_happening(one, ""))],
    )
    audience = document.audience
    if list(check_audience(audience, "audience")):
        audience = None
    conversions = [one for one in document.conversions if not list(check_happening(one, ""))]
    return replace(document, delivery=delivery, audience=audience, conversions=conversions)
