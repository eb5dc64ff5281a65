"""A story in virtual time: publish, let things happen, let time pass, look at what was decided."""

from typing import Any

import msgspec

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.instants import format_instant, parse_duration, parse_instant
from segue.model.verdicts import Verdict
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import Line, read_line
from segue.runtime.offline import OfflineRun


class Story:
    """One `segue run`, told step by step."""

    def __init__(self, *documents: dict[str, Any], start: str = "2026-11-01T00:00:00Z") -> None:
        campaigns: dict[str, Campaign] = {}
        for document in documents:
            campaign = decode_campaign(document)
            campaigns[campaign.slug] = campaign
        self.now = parse_instant(start)
        self.verdicts: list[Verdict] = []
        survey = Survey(published=set(campaigns))
        self._run = OfflineRun(Project(campaigns), survey)

    def publish(self, *slugs: str) -> "Story":
        for slug in slugs:
            self._tell({"control": "publish", "campaign": slug})
        return self

    def stop(self, slug: str) -> "Story":
        return self._tell({"control": "stop", "campaign": slug})

    def archive(self, slug: str) -> "Story":
        return self._tell({"control": "archive", "campaign": slug})

    def happens(self, user_id: str, name: str, *, ago: str | None = None, **more: Any) -> "Story":
        """Something happens to a user now, or is reported now and happened a while `ago`."""
        at = self.now - (parse_duration(ago) if ago else 0)
        line = {"user_id": user_id, "name": name, "time": format_instant(at), **more}
        return self._tell({**line, "received_at": format_instant(self.now)})

    def knows(self, user_id: str, **attributes: Any) -> "Story":
        return self._tell({"user_id": user_id, "attributes": attributes})

    def waits(self, duration: str) -> "Story":
        self.now += parse_duration(duration)
        self.verdicts += self._run.advance(self.now)
        return self

    def of(self, user_id: str, campaign: str) -> list[str]:
        """Return what was decided, such as "enter" or "cancel: exception_event"."""
        return [
            verdict.decision + (f": {verdict.reason}" if verdict.reason else "")
            for verdict in self.verdicts
            if verdict.user_id == user_id and verdict.campaign == campaign
        ]

    def _tell(self, line: dict[str, Any]) -> "Story":
        line = {"time": format_instant(self.now), **line}
        read: Line | None = read_line(msgspec.json.encode(line))
        assert read is not None
        self.verdicts += self._run.feed([read])
        return self


def campaign(slug: str, *triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a push campaign; `delay` and `exceptions` go where they belong."""
    delivery: dict[str, Any] = {"type": "action", "triggers": list(triggers)}
    if "delay" in more:
        delivery["delay"] = {"after": more.pop("delay")}
    if "exceptions" in more:
        delivery["exceptions"] = more.pop("exceptions")
    messages = more.pop("messages", [{"push": {"title": slug}}])
    return {"slug": slug, "name": slug, "delivery": delivery, "messages": messages, **more}


EMAIL: list[dict[str, Any]] = [{"email": {"subject": "Hello", "text": "Hello"}}]


def interacts(target: str, interaction: str, **options: Any) -> dict[str, Any]:
    spec = {"campaign": target, "interaction": interaction, **options}
    return {"interact_with_campaign": spec}
