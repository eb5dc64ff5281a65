"""Random audiences and segments: all kinds of filters, on the little that happens in a world."""

from typing import Any

from segue.model.instants import format_instant
from tests.support.random_worlds.happenings import Happenings
from tests.support.random_worlds.messages import MESSAGES
from tests.support.random_worlds.stage import ALIASES, EVENTS, GROUPS, SEGMENTS, Stage, Target

WITHIN = ("5m", "10m", "1h", "1d")
DEPTH_MAX = 2
# The channels that a retargeting filter can be narrowed to
CHANNELS = {
    "received": tuple(MESSAGES),
    "opened": ("email", "push"),
    "clicked": ("email", "push", "sms", "content_card", "in_app_message"),
    "converted": (),
    "in_control": (),
}


class Audiences:
    """Writes filters."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.random = stage.random
        self.happenings = Happenings(stage)

    def segment(self, slug: str) -> dict[str, Any]:
        """Return a segment; it may rest on those before it."""
        known = SEGMENTS[: SEGMENTS.index(slug)]
        return {"slug": slug, "name": slug, "filter": self.any(known)}

    def any(self, segments: tuple[str, ...] = SEGMENTS, depth: int = 0) -> dict[str, Any]:
        """Return any filter; it may rest on these segments."""
        random = self.random
        kind = random.random()
        if depth < DEPTH_MAX and kind < 0.25:
            children = [self.any(segments, depth + 1) for _ in range(random.randint(1, 2))]
            return {random.choice(("all", "any")): children}
        if depth < DEPTH_MAX and kind < 0.45:
            return {"not": self.any(segments, depth + 1)}
        kinds = [self._attribute, self._past, self._past, self._retargeting, self._retargeting]
        kinds += [self._interaction, self._subscription, self._reachable]
        if segments and random.random() < 0.3:
            return {"segment": random.choice(segments)}
        return random.choice(kinds)()

    def _attribute(self) -> dict[str, Any]:
        random = self.random
        day = format_instant(self.stage.start)
        conditions: list[dict[str, Any]] = [
            {"attribute": "plan", random.choice(("eq", "ne")): random.choice(("gold", "free"))},
            {"attribute": "plan", random.choice(("in", "not_in")): ["gold", 1]},
            {"attribute": "plan", random.choice(("is_blank", "is_not_blank")): True},
            {"attribute": "plan", "matches": "^g"},
            {"attribute": "plan", random.choice(("contains", "not_contains")): "ol"},
            {"attribute": "age", random.choice(("gt", "gte", "lt", "lte")): 30},
            {"attribute": "likes", "contains": random.choice(("tea", "wine"))},
            {"attribute": "address.city", "eq": "Paris"},
            {"attribute": "seen", random.choice(("in_last", "not_in_last")): "1d"},
            {"attribute": "seen", random.choice(("before", "after")): day},
        ]
        return random.choice(conditions)

    def _past(self) -> dict[str, Any]:
        """Return a filter on events, purchases or sessions: how often, since when, first, last."""
        random = self.random
        past: dict[str, Any] = {}
        if random.random() < 0.5:
            past["count"] = {random.choice(("eq", "gt", "gte", "lt", "lte")): random.randint(0, 2)}
        if random.random() < 0.4:
            past["within"] = random.choice(WITHIN)
        for name in ("first", "last"):
            if random.random() < 0.25:
                past[name] = self._moment()
        kind = random.random()
        if kind < 0.1:
            return {"event": random.choice(EVENTS)}
        if kind < 0.6:
            if random.random() < 0.3:
                past["where"] = [self.happenings.condition()]
            return {"event": {"name": random.choice(EVENTS), **past}}
        if kind < 0.8:
            return {"purchase": {**self.happenings.purchase(), **past}}
        return {"session": past}

    def _moment(self) -> dict[str, Any]:
        random = self.random
        if random.random() < 0.7:
            return {random.choice(("in_last", "not_in_last")): random.choice(WITHIN)}
        return {random.choice(("before", "after")): format_instant(self.stage.start)}

    def _retargeting(self) -> dict[str, Any]:
        """Return one of the short filters on what a user had to do with campaigns."""
        random = self.random
        kind = random.choice(list(CHANNELS))
        target = random.choice(self._targets(kind))
        spec: dict[str, Any] = {"campaign": self.happenings.campaign(target)}
        if CHANNELS[kind] and random.random() < 0.3:
            used = [channel for channel in CHANNELS[kind] if channel in target.channels]
            spec["channel"] = random.choice(used or CHANNELS[kind])
        if kind == "clicked" and spec.get("channel") in (None, "email") and random.random() < 0.3:
            spec["alias"] = random.choice(ALIASES)
        if random.random() < 0.2:
            spec["variant"] = random.choice(("A", "V1", "V2"))
        return {kind: spec | self._within()}

    def _targets(self, kind: str) -> list[Target]:
        """Return the campaigns with which it is possible; all, if it is with none."""
        targets = self.stage.targets
        possible = targets
        if kind == "converted":
            possible = [target for target in targets if target.conversions]
        elif kind == "in_control":
            possible = [target for target in targets if target.control_percent]
        elif kind in ("opened", "clicked"):
            possible = [target for target in targets if {*CHANNELS[kind]} & {*target.channels}]
        return possible or targets

    def _interaction(self) -> dict[str, Any]:
        return {"interact_with_campaign": self.happenings.interaction() | self._within()}

    def _within(self) -> dict[str, Any]:
        return {"within": self.random.choice(WITHIN)} if self.random.random() < 0.4 else {}

    def _subscription(self) -> dict[str, Any]:
        random = self.random
        name = random.choice(("email", "push", "sms", *GROUPS))
        state = random.choice(("opted_in", "subscribed", "unsubscribed"))
        return {"subscription": {name: state}}

    def _reachable(self) -> dict[str, Any]:
        return {"reachable": self.random.choice(("email", "email", "email", *MESSAGES))}
