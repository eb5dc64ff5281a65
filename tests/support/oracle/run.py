"""The oracle reads a log line by line: what happens, what people do with campaigns, and time."""

from datetime import datetime
from typing import Any

import msgspec

from segue.model import interactions as catalogue
from segue.model.campaigns import Campaign
from segue.model.ids import derive_id
from segue.model.instants import DAY, parse_instant
from segue.model.workspace import Segment, Workspace
from tests.support.oracle.deciding import Decider
from tests.support.oracle.local_time import instant_of, zone_of
from tests.support.oracle.memory import Act, Life, Receipt, User
from tests.support.oracle.profiles import set_attributes
from tests.support.oracle.schedules import next_occurrence

PURCHASE_FIELDS = ("product_id", "price", "currency", "quantity")
INTERACTION_FIELDS = (
    *("variant", "alias", "button", "page", "conversion_event", "machine"),
    "subscription_group",
)
Lines = list[dict[str, Any]]


class Oracle(Decider):
    """One run over a log."""

    def __init__(
        self,
        campaigns: dict[str, Campaign],
        segments: dict[str, Segment] | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        """Take a folder's documents: what no line sets, holds from the first line on."""
        super().__init__()
        self.campaigns = campaigns
        self.segments, self.workspace = segments or {}, workspace
        self.seen_ids: dict[tuple[str, str], int] = {}
        self.arrivals: list[
            tuple[int, str, str, int]
        ] = []  # of schedules: when, who, what, published when

    def run(self, lines: Lines, until: str | None) -> Lines:
        """Read the lines in order, then let the time pass until `until`."""
        for number, line in enumerate(lines):
            moment = line.get("received_at") or line.get("time")
            now = max(self.now, parse_instant(moment)) if moment else self.now
            if number == 0:
                self.begin(lines, now)
            elif now > self.now:
                self.pass_time(now)
            self.now = now
            self.read(line, number)
        if until is not None:
            self.pass_time(parse_instant(until))
        return self.decided

    def begin(self, lines: Lines, now: int) -> None:
        """Put in force what no line says: the workspace, segments and campaigns one by one."""
        knowledge, controls = self.knowledge, [line for line in lines if "control" in line]
        if self.workspace is not None and not any("workspace" in line for line in controls):
            knowledge.workspace = self.workspace
        said = [line["segment"]["slug"] for line in controls if "segment" in line]
        for slug, segment in self.segments.items():
            if slug not in said:
                knowledge.segments[slug] = segment
        published = [line["campaign"] for line in controls if line["control"] == "publish"]
        for slug, campaign in self.campaigns.items():
            knowledge.lives[slug] = Life([campaign])
            if slug not in published:
                self.publish(slug, campaign, now)

    def publish(self, slug: str, campaign: Campaign, now: int, campaign_id: str = "") -> None:
        """Make a campaign active by a new version."""
        life = self.knowledge.lives[slug]
        if life.status == "draft":
            life.versions.clear()
        life.id = life.id or campaign_id or derive_id(0, "campaign", slug)
        life.versions.append(campaign)
        life.status = "active"
        life.published_at = life.version_at = now

    def pass_time(self, until: int) -> None:
        """Come to all that is due by then: waits and schedules, in the order of their time."""
        while True:
            walks = [
                (found[0], slug, found[1])
                for slug, life in self.lives("active")
                if (found := self.next_walk(life)) is not None and found[0] <= until
            ]
            if not walks:
                break
            self.walk(*min(walks, key=lambda walk: walk[:2]))
        self.fire_timers(until)

    def next_walk(self, life: Life) -> tuple[int, datetime | None] | None:
        """Return when a schedule comes next: after its publication, by what holds now."""
        schedule, knowledge = life.newest.delivery.schedule, self.knowledge
        if schedule is None:
            return None
        since = max(life.published_at, life.version_at, knowledge.workspace_at)
        return next_occurrence(schedule, knowledge.workspace, max(since - 1, life.walked_at))

    def walk(self, walk_at: int, slug: str, wall: datetime | None) -> None:
        """Come to every user that is known, at once or when their own clock shows the time."""
        self.fire_timers(walk_at)
        life = self.knowledge.lives[slug]
        self.now = life.walked_at = walk_at
        for user_id in sorted(self.users):
            user = self.users[user_id]
            if not user.is_known():
                continue
            if wall is None:
                self.arrive(user_id, slug, walk_at, life.published_at)
                continue
            due = instant_of(wall, zone_of(user.attributes, self.knowledge.workspace))
            arrival = (due, user_id, slug, life.published_at)
            if arrival in self.arrivals:  # a clock change makes two local times one
                self.knowledge.seen["two local times of a schedule at once"] += 1
            else:
                self.arrivals.append(arrival)

    def arrive(self, user_id: str, slug: str, at: int, published_at: int) -> None:
        """Enter a user to whom a schedule has come, if both are there as they were."""
        life, user = self.knowledge.lives[slug], self.users.get(user_id)
        is_meant = life.status == "active" and life.published_at == published_at
        if is_meant and user is not None and user.is_known():
            schedule = life.newest.delivery.schedule
            assert schedule is not None
            whose, form = "local" if schedule.local else "common", "cron" if schedule.cron else "at"
            self.knowledge.seen[f"schedule {whose} {form}"] += 1
            act_id = derive_id(at, "schedule", slug, user_id)
            self.enter_directly(slug, Act(act_id, user_id, "schedule", at))

    def fire_timers(self, now: int) -> None:
        """Fire what is due, one at a time, with those that come up meanwhile."""
        while True:
            waits = [
                (standing.wait.due, user_id, slug, -1)
                for user_id, user in self.users.items()
                for slug, standing in user.standings.items()
                if standing.wait is not None
            ]
            timers = [timer for timer in (*waits, *self.arrivals) if timer[0] <= now]
            if not timers:
                return
            self.now, user_id, slug, published_at = min(timers)
            if published_at >= 0:
                self.arrivals.remove((self.now, user_id, slug, published_at))
                self.arrive(user_id, slug, self.now, published_at)
            else:
                standing = self.users[user_id].standing(slug)
                wait, standing.wait = standing.wait, None
                assert wait is not None
                self.decide_send(user_id, wait)
                self.accept_sends(user_id)

    def read(self, line: dict[str, Any], number: int) -> None:
        """Do what one line says."""
        if "control" in line:
            self.control(line, number)
            return
        user = self.users.setdefault(line["user_id"], User())
        if "attributes" in line:
            set_attributes(user, line["attributes"])
            return
        if "id" in line:
            # semantics.md 8: the same id from the same user inside 24 hours is applied once
            key = line["user_id"], line["id"]
            seen_at = self.seen_ids.get(key)
            if seen_at is not None and self.now - seen_at < DAY:
                return
            self.seen_ids[key] = self.now
        self.happen(user, self.act_of(line, number))

    def act_of(self, line: dict[str, Any], number: int) -> Act:
        """Return the event of a line; T is the client's word, never later than now."""
        time = line.get("time")
        happened_at = self.now if time is None else min(parse_instant(time), self.now)
        act_id = line.get("id") or derive_id(self.now, "event", number)
        act = Act(act_id, line["user_id"], line["name"], happened_at)
        act.properties = line.get("properties") or {}
        act.purchase = {name: line[name] for name in PURCHASE_FIELDS if line.get(name) is not None}
        act.campaign = self.knowledge.find(line.get("campaign"))
        for name in INTERACTION_FIELDS:
            setattr(act, name, line.get(name))
        return act

    def happen(self, user: User, act: Act) -> None:
        """Handle an event of the log, then everything that follows from it."""
        if act.name in catalogue.ACTS:
            channel, _, what = act.name.partition("_")
            if what == "unsubscribe" and act.subscription_group is not None:
                self.knowledge.seen["unsubscribed from a group"] += 1
                user.subscriptions.pop(act.subscription_group, None)  # as of those who said nothing
            elif what in ("unsubscribe", "spam_report"):
                user.subscriptions[channel] = "unsubscribed"
            if what == "bounce":
                user.dead_channels.add(channel)
            life = self.knowledge.lives.get(act.campaign or "")
            if life is None or life.status == "draft":
                return
            if act.name in catalogue.VIEW_ACTS:
                self.note_view(user, act)
            if life.status == "archived":  # semantics.md 2: recorded, and fires nothing
                self.name_variant(user, act)
                self.note(user, act)
                return
        self.handle(act)

    def note_view(self, user: User, act: Act) -> None:
        """In-app messages and cards are received at the first view after they were sent."""
        standing = user.peek(act.campaign)
        sent_at, receipt = standing.last_sent, standing.receipt
        if sent_at is None or sent_at > act.happened_at:
            return
        if receipt is None or receipt.is_control or receipt.at < sent_at:
            standing.receipt = Receipt(act.happened_at, act.variant or standing.sent_variant)

    def control(self, line: dict[str, Any], number: int) -> None:
        """Do what a person or a program says; to advance is only time."""
        knowledge, slug = self.knowledge, line.get("campaign", "")
        match line["control"]:
            case "publish":
                self.publish(slug, self.document_of(line), self.now, line.get("campaign_id", ""))
            case "edit":
                knowledge.lives[slug].versions.append(self.document_of(line))
                knowledge.lives[slug].version_at = self.now
            case "stop" | "archive":
                self.end(slug, "stopped" if line["control"] == "stop" else "archived")
            case "workspace":
                knowledge.workspace = msgspec.convert(line["workspace"], Workspace)
                knowledge.workspace_at = self.now
            case "segment":
                segment = msgspec.convert(line["segment"], Segment)
                knowledge.segments[segment.slug] = segment
            case "delete_segment":
                knowledge.segments.pop(line["slug"], None)
            case "erase":
                self.users.pop(line["user_id"], None)
                # also schedules on their way: nothing of an erased user is left anywhere
                self.arrivals = [one for one in self.arrivals if one[1] != line["user_id"]]
            case "send":
                act_id = derive_id(self.now, "event", number)
                self.enter_directly(slug, Act(act_id, line["user_id"], "api_trigger", self.now))
            case "backfill":
                for event in line["events"]:
                    act = self.act_of(event, number=-1)
                    act.is_backfill = True
                    self.enter_directly(slug, act)

    def document_of(self, line: dict[str, Any]) -> Campaign:
        """Return the document that a line carries, else the folder's."""
        if "document" in line:
            return msgspec.convert(line["document"], Campaign)
        return self.campaigns[line["campaign"]]

    def enter_directly(self, slug: str, act: Act) -> None:
        """Consider one campaign because it was asked for, with all that follows from it."""
        self.users.setdefault(act.user_id, User())
        if self.knowledge.lives[slug].status != "draft":
            self.queue, self.entered = [], []
            self.consider(slug, act)
            self.handle_queue()
            self.accept_sends(act.user_id)

    def end(self, slug: str, status: str) -> None:
        """Stop or archive a campaign (semantics.md 1): who waits, is cancelled."""
        life = self.knowledge.lives[slug]
        if life.status == "draft":
            return  # there is nothing to stop
        life.status = status
        for user_id in sorted(self.users):
            wait = self.users[user_id].peek(slug).wait
            if wait is not None:
                self.users[user_id].standing(slug).wait = None
                self.decide(user_id, slug, "cancel", wait.cause, f"campaign_{status}", wait)


def decide_log(
    campaigns: dict[str, Campaign],
    lines: Lines,
    until: str | None,
    segments: dict[str, Segment] | None = None,
    workspace: Workspace | None = None,
) -> Lines:
    """Return the decision lines that `segue run` must write for a log."""
    return Oracle(campaigns, segments, workspace).run(lines, until)
