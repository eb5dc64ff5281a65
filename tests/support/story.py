"""A story in virtual time: publish, let things happen, let time pass, look at what was decided."""

from collections.abc import Sequence
from typing import Any

import msgspec

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.campaigns import Campaign
from segue.model.instants import format_instant, parse_duration, parse_instant
from segue.model.state import EMPTY_STATE, UserState
from segue.model.verdicts import Verdict
from segue.model.workspace import Segment
from segue.runtime.in_memory import Sends
from segue.runtime.line_records import Project, Survey
from segue.runtime.lines import Line, read_line
from segue.runtime.offline import OfflineRun


class Story:
    """One `segue run`, told step by step."""

    def __init__(
        self,
        *documents: dict[str, Any],
        start: str = "2026-11-01T00:00:00Z",
        segments: Sequence[dict[str, Any]] = (),
        workspace: dict[str, Any] | None = None,
        sends: Sends = "accepted",
    ) -> None:
        campaigns: dict[str, Campaign] = {}
        for document in documents:
            campaign = decode_campaign(document)
            campaigns[campaign.slug] = campaign
        known: dict[str, Segment] = {}
        for document in segments:
            segment = decode_segment(document)
            known[segment.slug] = segment
        holds = decode_workspace(workspace) if workspace is not None else None
        self.now = parse_instant(start)
        self.verdicts: list[Verdict] = []
        survey = Survey(published=set(campaigns))
        self._run = OfflineRun(Project(campaigns, known, holds), survey, sends)

    def publish(self, *slugs: str) -> "Story":
        for slug in slugs:
            self._tell({"control": "publish", "campaign": slug})
        return self

    def edit(self, document: dict[str, Any]) -> "Story":
        """Give an active campaign a new version."""
        decode_campaign(document)
        line = {"control": "edit", "campaign": document["slug"], "document": document}
        return self._tell(line)

    def stop(self, slug: str) -> "Story":
        return self._tell({"control": "stop", "campaign": slug})

    def archive(self, slug: str) -> "Story":
        return self._tell({"control": "archive", "campaign": slug})

    def send(self, slug: str, user_id: str, **properties: Any) -> "Story":
        """Ask for a campaign to be sent to a user, as a program does by the API."""
        line = {"control": "send", "campaign": slug, "user_id": user_id}
        return self._tell({**line, "trigger_properties": properties})

    def settles(
        self, user_id: str, slug: str, outcome: str, *, channel: str = "push", **more: Any
    ) -> "Story":
        """Say what became of the last send; told with `sends="recorded"`, else it is known."""
        send_id = self.last(user_id, slug, "send").send_id
        line = {"user_id": user_id, "campaign": slug, "send_id": send_id}
        return self._tell({**line, "outcome": outcome, "channel": channel, **more})

    def retries(
        self, user_id: str, slug: str, *, channel: str = "push", accepted: Sequence[str] = ()
    ) -> "Story":
        """Have a message of the last send tried once more; `accepted` others did go out."""
        sent = self.last(user_id, slug, "send")
        line = {"control": "retry", "campaign": slug, "user_id": user_id, "cause": sent.cause}
        line |= {"send_id": sent.send_id, "variant": sent.variant, "channel": channel}
        return self._tell({**line, "accepted": list(accepted)} if accepted else line)

    def backfill(self, slug: str, *events: dict[str, Any]) -> "Story":
        """Let interactions from before a follower's publication enter it after all."""
        return self._tell({"control": "backfill", "campaign": slug, "events": list(events)})

    def workspace(self, **parts: Any) -> "Story":
        """Set the workspace anew, whole."""
        decode_workspace(parts)
        return self._tell({"control": "workspace", "workspace": parts})

    def segment(self, slug: str, node: dict[str, Any]) -> "Story":
        """Set a segment."""
        document = {"slug": slug, "name": slug, "filter": node}
        decode_segment(document)
        return self._tell({"control": "segment", "segment": document})

    def erase(self, user_id: str) -> "Story":
        return self._tell({"control": "erase", "user_id": user_id})

    def happens(self, user_id: str, name: str, *, ago: str | None = None, **more: Any) -> "Story":
        """Something happens to a user now, or is reported now and happened a while `ago`."""
        at = self.now - (parse_duration(ago) if ago else 0)
        line = {"user_id": user_id, "name": name, "time": format_instant(at), **more}
        return self._tell({**line, "received_at": format_instant(self.now)})

    def knows(self, user_id: str, **attributes: Any) -> "Story":
        return self._tell({"user_id": user_id, "attributes": attributes})

    def batch(self, *lines: dict[str, Any]) -> "Story":
        """Let lines come in one call, all accepted now."""
        return self._tell(*lines)

    def waits(self, duration: str) -> "Story":
        return self.waits_until(format_instant(self.now + parse_duration(duration)))

    def waits_until(self, instant: str) -> "Story":
        self.now = parse_instant(instant)
        self.verdicts += self._run.advance(self.now)
        return self

    def of(self, user_id: str, campaign: str) -> list[str]:
        """Return what was decided, such as "enter" or "cancel: exception_event"."""
        return [
            verdict.decision + (f": {verdict.reason}" if verdict.reason else "")
            for verdict in self.verdicts
            if verdict.user_id == user_id and verdict.campaign == campaign
        ]

    def last(self, user_id: str, campaign: str, decision: str) -> Verdict:
        """Return the last decision of a kind."""
        return [
            verdict
            for verdict in self.verdicts
            if (verdict.user_id, verdict.campaign) == (user_id, campaign)
            if verdict.decision == decision
        ][-1]

    def due(self, user_id: str, campaign: str) -> str:
        """Return until when the user was to wait when they entered last."""
        due = self.last(user_id, campaign, "enter").due
        assert due is not None
        return format_instant(due)

    def sent(self, user_id: str, campaign: str) -> list[str]:
        """Return when the campaign was sent to the user."""
        return [
            format_instant(verdict.at)
            for verdict in self.verdicts
            if (verdict.user_id, verdict.campaign) == (user_id, campaign)
            if verdict.decision == "send"
        ]

    def state(self, user_id: str) -> UserState:
        """Return what the engine remembers of the user."""
        return self._run.checkpoint().states.get(user_id, EMPTY_STATE)

    def _tell(self, *lines: dict[str, Any]) -> "Story":
        read: list[Line] = []
        for line in lines:
            one = read_line(msgspec.json.encode({"time": format_instant(self.now), **line}))
            assert one is not None
            read.append(one)
        self.verdicts += self._run.feed(read)
        return self


def campaign(slug: str, *triggers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a push campaign; `delay`, `exceptions` and the like go where they belong."""
    delivery: dict[str, Any] = {"type": "action", "triggers": list(triggers)}
    for name in _OF_DELIVERY & more.keys():
        delivery[name] = more.pop(name)
    delay = delivery.get("delay", "immediately")
    if isinstance(delay, str) and delay != "immediately":
        delivery["delay"] = {"after": delay}
    messages = {} if "variants" in more else {"messages": [{"push": {"title": slug}}]}
    return {"slug": slug, "name": slug, "delivery": delivery, **messages, **more}


_OF_DELIVERY = {
    "delay",
    "exceptions",
    "quiet_hours",
    "recipients_max",
    "schedule",
    "time_of_day",
    "type",
    "window",
}
EMAIL: list[dict[str, Any]] = [{"email": {"subject": "Hello", "text": "Hello"}}]


def interacts(target: Any, interaction: str, **options: Any) -> dict[str, Any]:
    spec = {"campaign": target, "interaction": interaction, **options}
    return {"interact_with_campaign": spec}
