"""What random campaigns listen to: triggers, exceptions, conversions, interactions."""

from typing import Any

from segue.model.interactions import INTERACTIONS
from tests.support.random_worlds.messages import DID_NOTS, FOLLOWABLE
from tests.support.random_worlds.stage import ALIASES, EVENTS, PARTS, Stage, Target


class Happenings:
    """Writes what happens to others' messages, and to nobody's."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.random = stage.random

    def any(self) -> dict[str, Any]:
        """Return anything that a campaign can listen to."""
        happening = self._any()
        self.stage.heard.append(happening)
        return happening

    def _any(self) -> dict[str, Any]:
        random = self.random
        kind = random.random()
        if kind < 0.55:
            return {"interact_with_campaign": self.interaction()}
        if kind < 0.8:
            return {"event": random.choice(EVENTS)}
        if kind < 0.87:
            return {"event": {"name": random.choice(EVENTS), "where": [self.condition()]}}
        if kind < 0.95:
            return {"purchase": self.purchase()}
        return {"session_start": {}}

    def condition(self) -> dict[str, Any]:
        """Return a condition on an event's properties."""
        random = self.random
        return {"property": "a.b", random.choice(("eq", "gte", "ne")): random.choice((1, 2))}

    def purchase(self) -> dict[str, Any]:
        """Return which purchases are meant."""
        where = [{"property": "price", "gt": 10}] if self.stage.happens(0.5) else []
        product = {"product_id": "sku"} if self.stage.happens(0.5) else {}
        return {**product, "where": where}

    def campaign(self, target: Target) -> Any:
        """Return one of the names that a reference to a campaign may use."""
        kind = self.random.random()
        if kind < 0.1:
            return "any"
        if kind < 0.25 and target.tags:
            return {"tag": self.random.choice(target.tags)}
        if kind < 0.5 and target.id is not None:
            return target.id
        return target.slug

    def interaction(self, but: str = "") -> dict[str, Any]:
        """Return an interaction with some campaign but one."""
        random = self.random
        others = [target for target in self.stage.targets if target.slug != but]
        target = random.choice(others or self.stage.targets)
        names = list(FOLLOWABLE[random.choice(target.channels)])
        if target.conversions and random.random() < 0.25:
            names = ["conversion"]
        elif target.control_percent and random.random() < 0.25:
            names = ["control_group_enroll"]
        elif random.random() < 0.15:
            names = ["exception_event"]
        name = random.choice(names)
        spec: dict[str, Any] = {"interaction": name, "campaign": self.campaign(target)}
        self._add_options(spec)
        if name == "conversion":
            if random.random() < 0.4:
                spec["conversion_event"] = "AB"[random.randrange(target.conversions)]
            if random.random() < 0.4:
                spec["include_control"] = True
        if target.variants == 2 and spec["campaign"] == target.slug and random.random() < 0.3:
            spec["variant"] = random.choice(("V1", "V2"))
        return spec

    def _add_options(self, spec: dict[str, Any]) -> None:
        random = self.random
        options = INTERACTIONS[spec["interaction"]].options
        if "alias" in options:
            spec["alias"] = random.choice(ALIASES)
            if random.random() < 0.3:
                spec |= {"interaction": "alias_click", "campaign": "any"}
        for name in ("button", "page"):
            if name in options and random.random() < 0.6:
                spec[name] = random.choice(PARTS)
        if "body_only" in options and random.random() < 0.5:
            spec["body_only"] = True
        if "outcome" in options and random.random() < 0.15:
            spec["outcome"] = "delivered"

    def did_not(self, but: str) -> dict[str, Any] | None:
        """Return an interaction to wait for in vain; None if no other campaign has one."""
        random = self.random
        pairs = [
            (target, channel)
            for target in self.stage.targets
            for channel in target.channels
            if channel in DID_NOTS and target.slug != but
        ]
        if not pairs:
            return None
        target, channel = random.choice(pairs)
        name = random.choice(DID_NOTS[channel])
        did_not = {
            "interaction": name,
            "campaign": self.campaign(target),
            "within": random.choice(("10m", "1h", "1d")),
        }
        options = INTERACTIONS[name].options
        if "alias" in options:
            did_not["alias"] = random.choice(ALIASES)
        if "button" in options and random.random() < 0.5:
            did_not["button"] = random.choice(PARTS)
        if "page" in options and random.random() < 0.5:
            did_not["page"] = random.choice(PARTS)
        spec = {name: value for name, value in did_not.items() if name != "within"}
        self.stage.heard.append({"interact_with_campaign": spec})
        return did_not
