"""Step 4, Limits: how often the same user may get it, and how fast and how far it goes."""

from typing import Any, Final

from segue.model.instants import MINUTE
from segue.model.limits import HELD_MAX
from segue.services.application import Application
from segue.services.compositions import Composition
from segue.services.explanations.words import counted, span
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.document_values import read_duration, read_number
from segue.web.dashboard.form_fields import Fields, Tree, lookup, put
from segue.web.dashboard.pages import PageRequest

_AGAIN: Final = (
    ("never", "Never again", "each user gets it once at most"),
    ("always", "Always", "as often as it is triggered"),
    ("after", "After a time", "counted in exact seconds from the last send"),
)
_CAPS: Final = (
    ("respect", "Respect them", "it counts, and is not sent to whoever has had enough"),
    ("ignore", "Ignore them", "it is sent to everybody, and does not count"),
    (
        "ignore_but_count",
        "Ignore them, but count",
        "it is sent to everybody, and others are held back for it",
    ),
)
_NUMBERS: Final = ("sends_per_minute_max", "recipients_max")


def _read(fields: Fields, tree: Tree) -> None:
    old = tree.get("re_eligibility")
    kind = fields.text("re_eligibility.kind") or _kind_of(old)
    if kind == "after":
        has_field = fields.has("re_eligibility.after")
        again: Any = read_duration(fields, "re_eligibility.after") if has_field else "30d"
        tree["re_eligibility"] = {"after": again}
    else:
        put(tree, "re_eligibility", kind)
    put(tree, "frequency_caps", fields.text("frequency_caps") or tree.get("frequency_caps"))
    delivery = tree.get("delivery")
    if not isinstance(delivery, dict):
        delivery = tree["delivery"] = {}
    for name in _NUMBERS:
        put(delivery, name, read_number(fields.at("delivery"), name))


def _kind_of(value: Any) -> str:
    if isinstance(value, dict):
        return "after"
    return value if isinstance(value, str) and value else "never"


def _context(
    _request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    rate = lookup(composition.tree, "delivery.sends_per_minute_max")
    most = lookup(composition.tree, "delivery.recipients_max")
    users = application.runtime.snapshot.count_users()
    return {
        "again": _AGAIN,
        "again_kind": _kind_of(composition.tree.get("re_eligibility")),
        "caps": _CAPS,
        "workspace_caps": application.workspace.get().caps,
        "time_to_finish": _time_to_finish(rate, most, users),
    }


def _time_to_finish(rate: Any, most: Any, users: int) -> str:
    """Return how long a rate takes, for as many as there may be; "" where nothing is limited."""
    if not isinstance(rate, int) or rate < 1:
        return ""
    is_bounded = isinstance(most, int) and 0 < most < users
    count = most if is_bounded else users
    whom = counted(count, "recipient") if is_bounded else f"all {counted(count, 'user')}"
    takes = -(-count // rate) * MINUTE
    held = span(HELD_MAX)
    if takes > HELD_MAX:
        return (
            f"At this rate {whom} would take {span(takes)}. Nobody is kept waiting longer than "
            f"{held}: the rest would be skipped as rate_limited, if all came at once."
        )
    return f"At this rate {whom} take {span(takes) if count else 'no time'}, if all come at once."


STEP = Step(
    "limits",
    "Limits",
    (
        "re_eligibility",
        "frequency_caps",
        "delivery.sends_per_minute_max",
        "delivery.recipients_max",
    ),
    "composer/limits.html",
    _context,
    _read,
)
