"""Which routes of the API are written down in the audit trail, and what each asks for."""

from typing import Any

from litestar.handlers import HTTPRouteHandler

from segue.web.api import (
    backtests,
    campaigns,
    events,
    phones,
    projects,
    publishing,
    push_devices,
    segments,
    sends,
    users,
    workspace,
)
from segue.web.audit import is_audited
from segue.web.auth import permission_of

MODULES: list[Any] = [
    backtests,
    campaigns,
    phones,
    projects,
    publishing,
    push_devices,
    segments,
    sends,
    users,
    workspace,
]
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def writing() -> list[HTTPRouteHandler]:
    handlers = [events.take_events, *(one for module in MODULES for one in module.HANDLERS)]
    return [one for one in handlers if _WRITES & set(one.http_methods)]


def test_routes_of_the_scope_campaigns_say_whether_they_touch_what_is_published() -> None:
    found: dict[str, set[str]] = {}
    for handler in writing():
        if handler.opt["scope"] == "campaigns":
            found.setdefault(permission_of(handler), set()).add(handler.handler_name)
    assert found == {
        "draft": {
            "create_campaign",
            "replace_campaign",  # of a published one only with "publish": the service looks
            "delete_campaign",
            "duplicate_campaign",
            "create_segment",
            "start_backtest",
            "cancel_backtest",
        },
        "publish": {
            "publish_campaign",
            "publish_campaigns",
            "stop_campaign",
            "archive_campaign",
            "put_segment",
            "delete_segment",
            "apply_project",
        },
    }


def test_every_change_is_written_down_but_for_what_changes_nothing() -> None:
    left_out = {one.handler_name for one in writing() if not is_audited(one.opt)}
    assert left_out == {
        "start_backtest",
        "cancel_backtest",
        "count_audience",
        "cancel_count",
        "plan_project",
        "preview_campaign",
        "issue_token",
    }
