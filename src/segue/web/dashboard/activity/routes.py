"""The pages of Activity, as the registry takes them."""

from segue.web.dashboard.activity.failing import retry_failures, show_failures
from segue.web.dashboard.activity.live import PATH, show_activity, stream_activity
from segue.web.dashboard.pages import Page

PAGE = Page(
    PATH,
    "Activity",
    (show_activity, stream_activity, show_failures, retry_failures),
    group="Messaging",
    icon="activity",
    key="y",
    samples=(PATH, "/activity?kind=send&user=nobody-has-this-id", "/activity/failures"),
)
