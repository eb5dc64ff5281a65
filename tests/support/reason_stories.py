"""For every reason the shortest story that produces it, about user "ann" and campaign "c"."""

from collections.abc import Callable
from typing import Any, Final

from segue.model.explanations import Explanation
from tests.support.recorded import Recorded
from tests.support.story import EMAIL, campaign, interacts

GO: Final = {"event": "go"}


def document(*triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return campaign "c", an email called "The offer"; some fields go into its delivery."""
    written = campaign(
        "c", *(triggers or (GO,)), **{"messages": EMAIL, "name": "The offer", **more}
    )
    for name in ("window", "time_of_day", "quiet_hours", "recipients_max", "sends_per_minute_max"):
        if name in written:
            written["delivery"][name] = written.pop(name)
    return written


def sent_to_ann(**more: Any) -> Recorded:
    """Return a story in which the trigger has come."""
    return Recorded(document(**more)).publish("c").happens("ann", "go")


def answered(settled_as: str, reason: str | None, detail: str | None, **more: Any) -> Recorded:
    """Return a story in which the message comes to this end."""
    story = Recorded(document(**more))
    story.answers["c"] = (settled_as, reason, detail)
    return story.publish("c").happens("ann", "go")


def published_after_event() -> Recorded:
    return Recorded(document()).waits("3d").publish("c").waits("1d").happens("ann", "go", ago="4d")


def outside_window() -> Recorded:
    window = {"start": "2026-11-02T00:00:00", "end": "2026-11-09T00:00:00"}
    return sent_to_ann(window=window)


def not_in_audience() -> Recorded:
    audience = {
        "all": [
            {"attribute": "country", "in": ["FR", "BE"]},
            {"not": {"event": {"name": "bought", "within": "30d"}}},
        ]
    }
    story = Recorded(document(audience=audience)).publish("c").knows("ann", country="DE")
    return story.waits("1h").happens("ann", "bought").waits("1h").happens("ann", "go")


def not_re_eligible() -> Recorded:
    story = Recorded(document(re_eligibility={"after": "30d"}, control_percent=99)).publish("c")
    return story.happens("ann", "go").waits("2d").happens("ann", "go")


def already_waiting() -> Recorded:
    story = sent_to_ann(delay="2d", exceptions=[{"event": "stop"}], re_eligibility="always")
    return story.waits("1h").happens("ann", "go").waits("1h")


def chain_limit() -> Recorded:
    ping = campaign("ping", interacts("c", "push_receive"), re_eligibility="always")
    pong = document(
        GO,
        interacts("ping", "push_receive"),
        re_eligibility="always",
        messages=[{"push": {"title": "c"}}],
    )
    return Recorded(ping, pong).publish("ping", "c").happens("ann", "go")


def control_group() -> Recorded:
    return sent_to_ann(control_percent=99)


def exception_event() -> Recorded:
    story = sent_to_ann(delay="7d", exceptions=[{"event": "stop"}])
    return story.waits("2d").happens("ann", "stop")


def campaign_stopped() -> Recorded:
    return sent_to_ann(delay="7d").waits("2d").stop("c")


def campaign_archived() -> Recorded:
    return sent_to_ann(delay="7d").waits("2d").archive("c")


def outside_time_of_day() -> Recorded:
    hours = {"from": "12:00", "to": "21:00", "otherwise": "skip"}
    story = Recorded(document(time_of_day=hours)).publish("c")
    return story.knows("ann", time_zone="America/New_York").happens("ann", "go")


def quiet_hours() -> Recorded:
    story = Recorded(document()).workspace(
        time_zone="Europe/Paris", quiet_hours={"from": "08:00", "to": "11:00", "otherwise": "skip"}
    )
    return story.publish("c").happens("ann", "go")


def unsubscribed() -> Recorded:
    story = Recorded(document()).publish("c").knows("ann", email_subscribe="unsubscribed")
    return story.waits("1d").happens("ann", "go")


def not_opted_in() -> Recorded:
    story = Recorded(document(subscription="opted_in")).publish("c")
    return story.knows("ann", email_subscribe="subscribed").waits("1d").happens("ann", "go")


def unreachable() -> Recorded:
    story = Recorded(document()).publish("c").knows("ann", email="ann@people.test")
    return story.happens("ann", "email_bounce", campaign="c").waits("1d").happens("ann", "go")


def frequency_cap() -> Recorded:
    cap = {"slug": "weekly", "messages_max": 2, "within": "7d", "channel": "email"}
    news = campaign("news", {"event": "news"}, messages=EMAIL, re_eligibility="always")
    story = Recorded(news, document()).workspace(caps=[cap]).publish("news", "c")
    story.happens("ann", "news").waits("1h").happens("ann", "news").waits("1h")
    return story.happens("ann", "go")


def recipients_max() -> Recorded:
    story = Recorded(document(recipients_max=1)).publish("c")
    return story.happens("bob", "go").happens("ann", "go")


STORIES: Final[dict[str, Callable[[], Recorded]]] = {
    "published_after_event": published_after_event,
    "outside_window": outside_window,
    "not_in_audience": not_in_audience,
    "not_re_eligible": not_re_eligible,
    "already_waiting": already_waiting,
    "chain_limit": chain_limit,
    "control_group": control_group,
    "exception_event": exception_event,
    "campaign_stopped": campaign_stopped,
    "campaign_archived": campaign_archived,
    "outside_time_of_day": outside_time_of_day,
    "quiet_hours": quiet_hours,
    "unsubscribed": unsubscribed,
    "not_opted_in": not_opted_in,
    "unreachable": unreachable,
    "suppressed": lambda: answered("skipped", "suppressed", "a complaint"),
    "frequency_cap": frequency_cap,
    "recipients_max": recipients_max,
    "rate_limited": lambda: answered("skipped", "rate_limited", None, sends_per_minute_max=5),
    "no_address": lambda: answered("skipped", "no_address", "no email"),
    "aborted": lambda: answered("skipped", "aborted", "nothing left in the cart"),
    "template_error": lambda: answered("skipped", "template_error", "email.text:1: divided by 0"),
    "refused": lambda: answered("refused", "refused", "554 5.7.1 looks like spam"),
    "gave_up": lambda: answered("refused", "gave_up", "451 4.3.2 try later"),
    "unknown_outcome": lambda: answered("skipped", "unknown_outcome", None),
}


def explained(reason: str) -> Explanation:
    """Return the explanation of a reason's story."""
    return STORIES[reason]().explain("ann", "c")
