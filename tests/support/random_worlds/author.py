"""Writes the documents of a random world: campaigns, and the workspace they share."""

from dataclasses import replace
from typing import Any

from tests.support.random_worlds.audiences import Audiences
from tests.support.random_worlds.happenings import Happenings
from tests.support.random_worlds.messages import AUTOMATIC, MESSAGES
from tests.support.random_worlds.stage import EVENTS, GROUPS, TAGS, Stage, Target

PAUSES = ("5m", "10m", "10m", "1h", "1d")
DELAYS = (None, None, "5m", "10m", "15m", "1h", "1d")
PUSHED = ["email", "push", "sms", "webhook"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CRONS = (
    "*/30 1-3,20 * * *",
    "30 2 * * *",
    "0 0,3,9 * * *",
    "15 8-10/2 * * 1-5",
    "0 1 1 * 0",
    "45 23 * * *",
)


class Author:
    """Writes documents, of the same campaign also more than one."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.random = stage.random
        self.happenings = Happenings(stage)
        self.audiences = Audiences(stage)
        count = 2 if stage.goes_round else self.random.randint(2, 5)
        stage.targets = [self._target(number) for number in range(count)]

    def _target(self, number: int) -> Target:
        random = self.random
        count = random.choice((1, 1, 1, 2))
        kinds = ["action"] * 6 + ["api"] + ["scheduled"] * (4 if self.stage.has_schedules else 0)
        used = PUSHED if self.stage.has_caps and random.random() < 0.8 else list(MESSAGES)
        return Target(
            slug=f"c{number}",
            id=f"id-{number}" if random.random() < 0.3 else None,
            kind="action" if number == 0 else random.choice(kinds),
            channels=tuple(random.sample(used, count)),
            tags=tuple(tag for tag in TAGS if random.random() < 0.5),
            variants=random.choice((1, 1, 2)),
            conversions=random.choice((0, 1, 1, 2)),
            control_percent=random.choice((0, 0, 0, 50)),
        )

    def workspace(self) -> dict[str, Any]:
        """Return what holds for all campaigns."""
        stage, random = self.stage, self.random
        groups = [{"slug": slug, "name": slug} for slug in GROUPS]
        workspace: dict[str, Any] = {"subscription_groups": groups}
        workspace["time_zone"] = random.choice(("UTC", *stage.zones))
        if stage.has_hours and random.random() < 0.6:
            workspace["quiet_hours"] = self._hours("next_available")
        if stage.has_caps:
            count = random.randint(1, 3)
            workspace["caps"] = [self._cap(f"cap-{number}") for number in range(count)]
        return workspace

    def _cap(self, slug: str) -> dict[str, Any]:
        random = self.random
        cap: dict[str, Any] = {
            "slug": slug,
            "messages_max": random.choice((1, 1, 2, 3)),
            "within": random.choice(("10m", "1h", "1d", "2d", "1w", "25h")),
            "channel": random.choice(("any", "any", *self._used())),
        }
        return cap | ({"tag": random.choice(TAGS)} if random.random() < 0.4 else {})

    def _used(self) -> list[str]:
        """Return the channels that count for caps, as often as campaigns use them."""
        used = [channel for target in self.stage.targets for channel in target.channels]
        return [channel for channel in used if channel in PUSHED]

    def _hours(self, likely: str) -> dict[str, Any]:
        """Return hours of the day, never the whole of it."""
        start = end = self.stage.clock()
        while end == start:
            end = self.stage.clock(after=start if self.random.random() < 0.3 else None)
        unlikely = "skip" if likely == "next_available" else "next_available"
        otherwise = self.random.choice((likely, likely, unlikely))
        return {"from": start, "to": end, "otherwise": otherwise}

    def document(self, number: int) -> dict[str, Any]:
        """Return a document of a campaign, each time another."""
        random, target = self.random, self.stage.targets[number]
        if number and self.stage.has_edits and random.random() < 0.3:
            target = self._otherwise(target)
        delivery = self._delivery(number, target)
        self._add_hours(delivery)
        if random.random() < 0.1:
            delivery["recipients_max"] = random.choice((1, 3, 6))
        document: dict[str, Any] = {
            "slug": target.slug,
            "name": target.slug,
            "tags": list(target.tags),
            "delivery": delivery,
            "re_eligibility": self._re_eligibility(),
            "control_percent": target.control_percent,
            "conversions": [
                {**self.happenings.any(), "within": random.choice(("10m", "1h", "1d"))}
                for _ in range(target.conversions)
            ],
        }
        self._break_circles(number, document)
        self._write_messages(target, document)
        if random.random() < (0.75 if self.stage.has_filters else 0.08):
            document["audience"] = self.audiences.any()
            document["recheck_audience"] = random.random() < 0.75
        if self.stage.has_caps and random.random() < 0.3:
            document["frequency_caps"] = random.choice(("ignore", "ignore_but_count"))
        if random.random() < 0.1:
            document["subscription_group"] = random.choice(GROUPS)
            document["subscription"] = random.choice(("subscribed", "opted_in"))
        elif random.random() < 0.2:
            document["subscription"] = random.choice(("opted_in", "all"))
        return document

    def _re_eligibility(self) -> Any:
        random = self.random
        if random.random() < (0.7 if self.stage.has_caps else 0.3):
            return "always"
        return random.choice(("never", *({"after": pause} for pause in PAUSES)))

    def _otherwise(self, target: Target) -> Target:
        """Return what a version is like that is not as others know the campaign."""
        random = self.random
        if random.random() < 0.4:
            return replace(target, variants=3 - target.variants)
        if random.random() < 0.5:
            return replace(target, control_percent=random.choice((0, 20, 50)))
        return replace(target, channels=tuple(random.sample(list(MESSAGES), 2)))

    def _delivery(self, number: int, target: Target) -> dict[str, Any]:
        random = self.random
        delivery: dict[str, Any] = {"type": target.kind}
        if target.kind == "scheduled":
            delivery["schedule"] = self._schedule()
            return delivery
        if target.kind == "api":
            self._add_wait(delivery, [])
            return delivery
        did_not = self.happenings.did_not(target.slug) if random.random() < 0.2 else None
        if did_not is not None:
            delivery["triggers"] = [{"did_not": did_not}]
            return delivery
        # the first campaigns begin the chains, the others follow
        begins = number == 0 or random.random() < (0.6 if self.stage.has_caps else 0.25)
        first = {"event": random.choice(EVENTS)} if begins else self._following(target)
        count = random.choice((0, 0, 1, 2))
        delivery["triggers"] = [first, *(self._trigger(target) for _ in range(count))]
        self._add_wait(delivery, delivery["triggers"])
        return delivery

    def _trigger(self, target: Target) -> dict[str, Any]:
        trigger = self.happenings.any()
        return self._following(target) if "interact_with_campaign" in trigger else trigger

    def _following(self, target: Target) -> dict[str, Any]:
        trigger = {"interact_with_campaign": self.happenings.interaction(but=target.slug)}
        self.stage.heard.append(trigger)
        return trigger

    def _add_wait(self, delivery: dict[str, Any], triggers: list[dict[str, Any]]) -> None:
        random = self.random
        delay = random.choice(DELAYS)
        if self.stage.has_caps and random.random() < 0.5:
            delay = None
        if delay is not None:
            delivery["delay"] = {"after": delay}
        elif random.random() < 0.3:
            when = random.choice(({"on_next": random.choice(WEEKDAYS)}, {"in_days": 0}))
            when = when if random.random() < 0.6 else {"in_days": random.choice((1, 2))}
            delivery["delay"] = {**when, "at": self.stage.clock()}
        count = random.choice((0, 1, 2, 2, 3))
        delivery["exceptions"] = self._exceptions(triggers, count)

    def _exceptions(self, triggers: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
        exceptions = [self.happenings.any() for _ in range(count)]
        if count > 1:
            exceptions[-1] = {"event": self.random.choice(EVENTS)}
        if count > 2:
            exceptions[1] = self.random.choice(self.stage.heard)
        if count and triggers and self.random.random() < 0.2:
            exceptions[0] = self.random.choice(triggers)
        if any("session_start" in each for each in triggers):
            exceptions = [each for each in exceptions if "session_start" not in each]
        return exceptions

    def _schedule(self) -> dict[str, Any]:
        stage, random = self.stage, self.random
        is_local = random.random() < 0.5
        if random.random() < 0.4:
            schedule: dict[str, Any] = {"at": stage.moment(is_local=is_local)}
        else:
            schedule = {"cron": random.choice(CRONS)}
        if is_local:
            schedule["local"] = True
        elif random.random() < 0.5:
            schedule["time_zone"] = random.choice(stage.zones)
        return schedule

    def _add_hours(self, delivery: dict[str, Any]) -> None:
        stage, random = self.stage, self.random
        if random.random() < (0.3 if stage.has_hours else 0.05):
            delivery["window"] = self._window()
        if random.random() < (0.3 if stage.has_hours else 0.05):
            delivery["time_of_day"] = self._hours("skip")
        if stage.has_hours and random.random() < 0.5:
            own = self._hours("next_available")
            delivery["quiet_hours"] = random.choice(("respect", "ignore", own, own))

    def _window(self) -> dict[str, Any]:
        """Return a window with a start, an end, or both in order."""
        while True:
            is_local = self.stage.happens(0.4)
            start, end = (self.stage.moment(is_local=is_local) for _ in range(2))
            window: dict[str, Any] = {"local": True} if is_local else {}
            kind = self.random.random()
            if kind < 0.3:
                return {"start": start, **window}
            if kind < 0.6:
                return {"end": end, **window}
            if ("+" in start) == ("+" in end) and start < end:
                return {"start": start, "end": end, **window}

    def _break_circles(self, number: int, document: dict[str, Any]) -> None:
        """Limit what could follow automatically, at once and forever, but to an earlier one."""
        if self.stage.goes_round:
            return
        delivery = document["delivery"]
        earlier = [each.slug for each in self.stage.targets[:number]]
        delay = delivery.get("delay", {})
        for trigger in delivery.get("triggers", ()):
            interaction = trigger.get("interact_with_campaign", {})
            if (
                interaction.get("interaction") in AUTOMATIC
                and interaction["campaign"] not in earlier
                and "after" not in delay
                and delay.get("in_days", 0) == 0
                and "on_next" not in delay
                and document["re_eligibility"] == "always"
            ):
                document["re_eligibility"] = self.random.choice(("never", {"after": "10m"}))

    def _write_messages(self, target: Target, document: dict[str, Any]) -> None:
        messages = [{channel: MESSAGES[channel]} for channel in target.channels]
        if target.variants == 1:
            document["messages"] = messages
            return
        rest = 100 - target.control_percent
        second = self.random.sample(messages, self.random.randint(1, len(messages)))
        percent = rest // self.random.choice((2, 2, 4))
        document["variants"] = [
            {"name": "V1", "percent": percent, "messages": messages},
            {"name": "V2", "percent": rest - percent, "messages": second},
        ]
