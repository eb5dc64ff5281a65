"""Step 3, Audience: who may get it."""

from typing import Any, Final

from segue.model.campaigns import Subscription
from segue.services.application import Application
from segue.services.compositions import Composition
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.filters.counting import Asked
from segue.web.dashboard.filters.reading import EDIT_FIELD, read_audience
from segue.web.dashboard.filters.views import HELPERS, filter_view
from segue.web.dashboard.form_fields import Fields, Tree, put
from segue.web.dashboard.pages import PageRequest

_WHO: Final = (
    ("everyone", "Everyone", "whom the trigger, the schedule or the program names"),
    ("segment", "A segment", "a saved audience, as it is when they enter"),
    ("filters", "Users who pass filters", "those of this campaign alone"),
)
_SUBSCRIPTIONS: Final[tuple[tuple[Subscription, str], ...]] = (
    ("subscribed", "those who have not unsubscribed from the channel"),
    ("opted_in", "those alone who opted in to it"),
    ("all", "everybody, whatever they subscribed to"),
)


def _read(fields: Fields, tree: Tree) -> None:
    audience = fields.at("audience")
    read = read_audience(audience, fields.text(EDIT_FIELD), tree.get("audience"))
    put(tree, "audience", read)
    put(tree, "subscription_group", fields.text("subscription_group"))
    subscription = fields.text("subscription")
    put(tree, "subscription", subscription if subscription != "subscribed" else None)
    put(tree, "recheck_audience", fields.has("recheck_audience") or None)


def who_of(audience: Any) -> str:
    """Return how an audience is chosen."""
    if audience is None:
        return "everyone"
    is_segment = isinstance(audience, dict) and set(audience) == {"segment"}
    return "segment" if is_segment else "filters"


def _context(
    request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    audience = composition.tree.get("audience")
    who, path = who_of(audience), f"/compose/{composition.id}/audience"
    may_write = request.auth.may("draft")
    channels = application.compositions.sketch(composition).channels()
    view = None
    if who == "filters":
        view = filter_view(audience, "audience", application.audiences.words())
    return {
        **HELPERS,
        "who": who,
        "who_options": _WHO,
        "subscriptions": _SUBSCRIPTIONS,
        "view": view,
        "offer": application.audiences.names.all(),
        "live": {"path": path, "target": "#composer", "may_post": may_write},
        "asked": Asked("", channels, path, is_written=may_write),
        "place": "audience",
    }


STEP = Step(
    "audience",
    "Audience",
    ("audience", "recheck_audience", "subscription_group", "subscription"),
    "composer/audience.html",
    _context,
    _read,
)
