"""Writes the log of a random world: what people do, and what is done with campaigns meanwhile."""

from typing import Any

from segue.model.instants import DAY, HOUR, MINUTE, SECOND, format_instant
from segue.model.interactions import DELIVERED_ACTS, INTERACTIONS
from tests.support.random_worlds.acts import details_of_act, happened, name_of_act
from tests.support.random_worlds.author import Author
from tests.support.random_worlds.stage import (
    GROUPS,
    LATER,
    PARTS,
    SEGMENTS,
    Stage,
    Target,
)

SHORT_STEPS = (0, 0, 0, SECOND, 5 * MINUTE, 10 * MINUTE)
LONG_STEPS = (15 * MINUTE, 15 * MINUTE, HOUR, HOUR, 5 * HOUR, DAY)
PART_OPTIONS = ("alias", "button", "page", "conversion_event")
STATES = ("opted_in", "subscribed", "unsubscribed")

Line = dict[str, Any]


class Diary:
    """Writes one log; statuses are kept, so that a campaign's life is a possible one."""

    def __init__(self, stage: Stage, author: Author) -> None:
        self.stage = stage
        self.random = stage.random
        self.author = author
        self.users = [f"u{number}" for number in range(self.random.choice((1, 1, 2, 3)))]
        self.status = {target.slug: "active" for target in stage.targets}
        self.now = stage.start
        self.published: set[str] = set()  # by a line
        self.unsaid: set[str] = set()  # published at first without a line, later by one
        self.acts: list[Line] = []  # interactions so far, to be backfilled

    def lines(self) -> list[Line]:
        """Return the log; some campaigns say when they are published, the others begin at once."""
        random = self.random
        lines: list[Line] = []
        if random.random() < 0.3:
            lines.append(self._control("workspace", workspace=self.author.workspace()))
        if random.random() < 0.3:
            lines.append(self._segment())
        for user in self.users:
            lines.append(self._attributes(user, self._zone() | self._fact()))
        for target in self.stage.targets:
            if target.id is not None or random.random() < 0.3:
                self.status[target.slug] = "draft"
                if random.random() < 0.7:
                    lines.append(self._publish(target))
        for _ in range(random.randint(20, 150)):
            self.now += random.choice(SHORT_STEPS if random.random() < 0.8 else LONG_STEPS)
            lines.append(self._line())
        lines[:0] = [self._first_publication(slug) for slug in sorted(self.unsaid)]
        for target in self.stage.targets:
            if self.status[target.slug] == "draft":
                # without the line it would have been published from the start
                lines.append(self._publish(target))
        return lines

    def _control(self, word: str, **more: Any) -> Line:
        return {"control": word, **more, "time": format_instant(self.now)}

    def _publish(self, target: Target) -> Line:
        line = self._control("publish", campaign=target.slug)
        if target.id is not None:
            line["campaign_id"] = target.id
        if self.stage.has_edits and self.random.random() < 0.3:
            line["document"] = self._document(target)
        self.status[target.slug] = "active"
        self.published.add(target.slug)
        return line

    def _first_publication(self, slug: str) -> Line:
        """Return what goes without saying only as long as no line says it later."""
        return {"control": "publish", "campaign": slug, "time": format_instant(self.stage.start)}

    def _document(self, target: Target) -> dict[str, Any]:
        return self.author.document(self.stage.targets.index(target))

    def _line(self) -> Line:
        kind = self.random.random()
        if kind < (0.12 if self.stage.has_edits else 0.06):
            return self._change_of_status()
        if kind < 0.14:
            return self._control("advance")
        if kind < 0.18:
            return self._common_change()
        if kind < 0.27:
            return self._attributes(self.random.choice(self.users), self._fact())
        if kind < 0.31:
            return self._entry()
        return self._event()

    def _change_of_status(self) -> Line:
        targets = self.stage.targets
        idle = [one for one in targets if self.status[one.slug] in ("draft", "stopped")]
        target = self.random.choice(idle if idle and self.random.random() < 0.7 else targets)
        status = self.status[target.slug]
        if status in ("draft", "stopped"):
            if status == "stopped" and target.slug not in self.published:
                self.unsaid.add(target.slug)
            return self._publish(target)
        if status == "active" and self.stage.has_edits and self.random.random() < 0.7:
            return self._control("edit", campaign=target.slug, document=self._document(target))
        if status == "active" and target.slug != "c0":
            word = self.random.choice(("stop", "stop", "stop", "archive"))
            self.status[target.slug] = "stopped" if word == "stop" else "archived"
            return self._control(word, campaign=target.slug)
        return self._control("advance")

    def _common_change(self) -> Line:
        kind = self.random.random()
        if kind < 0.3:
            return self._control("workspace", workspace=self.author.workspace())
        if kind < 0.75:
            return self._segment()
        if kind < 0.85:
            return self._control("delete_segment", slug=self.random.choice(SEGMENTS))
        return self._control("erase", user_id=self.random.choice(self.users))

    def _segment(self) -> Line:
        slug = self.random.choice(SEGMENTS)
        return self._control("segment", segment=self.author.audiences.segment(slug))

    def _entry(self) -> Line:
        """Return a line that enters users by itself: for a program, or after the fact."""
        random = self.random
        slugs = [
            target.slug
            for target in self.stage.targets
            if target.kind == "api" and self.status[target.slug] != "draft"
        ]
        if slugs and random.random() < 0.8:
            slug, user = random.choice(slugs), random.choice(self.users)
            return self._control("send", campaign=slug, user_id=user)
        target = random.choice(self.stage.targets)
        if self.acts and target.kind == "action" and self.status[target.slug] != "draft":
            events = random.sample(self.acts, min(len(self.acts), random.randint(1, 2)))
            return self._control("backfill", campaign=target.slug, events=events)
        return self._control("advance")

    def _attributes(self, user: str, attributes: dict[str, Any]) -> Line:
        line: Line = {"user_id": user, "attributes": attributes}
        return {**line, "time": format_instant(self.now)}

    def _zone(self) -> dict[str, Any]:
        zones = (*self.stage.zones, *self.stage.zones, None, "Nowhere/Atoll", 3)
        return {"time_zone": self.random.choice(zones)}

    def _fact(self) -> dict[str, Any]:
        random = self.random
        seen = format_instant(self.now - random.choice((0, HOUR, DAY, DAY + SECOND)))
        choices: list[dict[str, Any]] = [
            {"plan": random.choice(("gold", "free", "", None, 1))},
            {"seen": random.choice((seen, seen, None, "never"))},
            {"age": random.choice((20, 30, 40.5, None, True))},
            {"likes": random.choice((["tea"], ["tea", "wine"], [], None))},
            {"address": random.choice(({"city": "Paris"}, {"city": 1}, None))},
            {"email": random.choice(("a@shop.test", "b@shop.test", None))},
            {"phone": random.choice(("+32470000001", "+32470000002", None))},
            {"sms_subscribe": random.choice(STATES)},
            {"email_subscribe": random.choice((*STATES, "maybe"))},
            {f"{random.choice(('push', 'sms'))}_subscribe": random.choice(STATES)},
            {"subscription_groups": {random.choice(GROUPS): random.choice(STATES)}},
            {"subscription_groups": dict.fromkeys(GROUPS, "subscribed")},
            self._zone(),
        ]
        return random.choice(choices)

    def _event(self) -> Line:
        random = self.random
        line: Line = {"user_id": random.choice(self.users)}
        line |= self._happened()
        line["time"] = format_instant(self.now)
        kind = random.random()
        if kind < 0.2:  # it comes late
            line["received_at"] = line["time"]
            line["time"] = format_instant(self.now - random.choice((SECOND, *LATER[1:])))
        elif kind < 0.25:  # by a clock that is ahead
            line["received_at"] = line["time"]
            line["time"] = format_instant(self.now + HOUR)
        if random.random() < 0.15:
            line["id"] = random.choice(("i1", "i2"))
        if "campaign" in line:
            act = {name: value for name, value in line.items() if name != "received_at"}
            self.acts.append(act | {"id": f"b{len(self.acts)}"})
        return line

    def _happened(self) -> Line:
        random = self.random
        kind = random.random()
        if kind < 0.65:
            return self._heard(random.choice(self.stage.heard))
        channel = random.choice(("email", "email", "sms"))
        reached = [target for target in self.stage.targets if channel in target.channels]
        if kind < 0.68 and reached:
            name = random.choice(("bounce", "bounce", "unsubscribe"))
            line: Line = {"name": f"{channel}_{name}", "campaign": random.choice(reached).slug}
            if name == "unsubscribe" and random.random() < 0.5:
                line["subscription_group"] = random.choice(GROUPS)
            return line
        return happened(random) or self._interaction()

    def _heard(self, happening: dict[str, Any]) -> Line:
        """Return what some document listens to, or almost."""
        random = self.random
        if "event" in happening:
            event = happening["event"]
            if isinstance(event, str):
                return {"name": event}
            return {"name": event["name"], "properties": {"a": {"b": random.choice((1, 2))}}}
        if "purchase" in happening:
            bought = {"product_id": random.choice(("sku", "other")), "price": 20}
            return {"name": "purchase", **bought, "currency": "EUR"}
        if "session_start" in happening:
            return {"name": "session_start"}
        spec = happening["interact_with_campaign"]
        row = INTERACTIONS[spec["interaction"]]
        line: Line = {
            "name": row.act,
            "campaign": random.choice(self._meant(spec["campaign"])).slug,
        }
        if "outcome" in spec:
            line["name"] = DELIVERED_ACTS[row.act]
        line |= {name: spec[name] for name in (*PART_OPTIONS, "variant") if name in spec}
        if row.reading == "button":
            line.setdefault("button", random.choice(PARTS))
        if row.reading in ("machine", "person"):
            line["machine"] = row.reading == "machine"
        if row.act == "conversion":
            line.setdefault("conversion_event", random.choice("AB"))
        return line

    def _meant(self, reference: Any) -> list[Target]:
        """Return the campaigns that a reference means; all, if there is none."""
        targets = self.stage.targets
        if isinstance(reference, dict):
            found = [target for target in targets if reference["tag"] in target.tags]
        else:
            found = [target for target in targets if reference in (target.slug, target.id)]
        return found or targets

    def _interaction(self) -> Line:
        random = self.random
        target = random.choice(self.stage.targets)
        name = name_of_act(random, random.choice(target.channels))
        is_known = self.status[target.slug] != "draft" and target.id is not None
        line: Line = {"name": name, "campaign": target.slug}
        if is_known and random.random() < 0.3:
            line["campaign"] = target.id
        return line | details_of_act(random, name, target)
