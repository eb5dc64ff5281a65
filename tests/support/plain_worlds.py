"""Random worlds of action-based campaigns alone, without hours, segments or caps."""

from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from segue.model.campaigns import Campaign
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from tests.support.random_worlds import World
from tests.support.random_worlds.acts import details_of_act, happened, name_of_act
from tests.support.random_worlds.happenings import Happenings
from tests.support.random_worlds.messages import AUTOMATIC, DID_NOTS, MESSAGES
from tests.support.random_worlds.stage import EVENTS, TAGS, Stage, Target

START = parse_instant("2026-11-01T00:00:00Z")
STEPS = (0, 0, 0, SECOND, 10 * MINUTE, 10 * MINUTE, HOUR, DAY)
DELAYS = (None, None, "10m", "10m", "1h", "1d")


class _Author:
    """Writes the documents of one world."""

    def __init__(self, random: Random) -> None:
        self.random = random
        stage = Stage(random)
        self.targets = [self._target(number) for number in range(random.randint(2, 5))]
        stage.targets = self.targets
        self.happenings = Happenings(stage)

    def _target(self, number: int) -> Target:
        random = self.random
        count = random.choice((1, 1, 1, 2))
        return Target(
            slug=f"c{number}",
            id=None,
            kind="action",
            channels=tuple(random.sample(list(MESSAGES), count)),
            tags=tuple(tag for tag in TAGS if random.random() < 0.5),
            variants=random.choice((1, 1, 2)),
            conversions=random.choice((0, 1, 1, 2)),
            control_percent=random.choice((0, 0, 0, 50)),
        )

    def campaigns(self) -> dict[str, Campaign]:
        """Return the world's campaigns."""
        documents = [self._document(number) for number in range(len(self.targets))]
        return {each["slug"]: msgspec.convert(each, Campaign) for each in documents}

    def _document(self, number: int) -> dict[str, Any]:
        random, target = self.random, self.targets[number]
        delivery: dict[str, Any] = {"type": "action"}
        if random.random() < 0.2 and any(
            set(each.channels) & set(DID_NOTS) for each in self.targets
        ):
            delivery["triggers"] = [{"did_not": self.happenings.did_not(but="")}]
            delivery["exceptions"] = [self.happenings.any()] if random.random() < 0.2 else []
        else:
            count = random.choice((1, 1, 2, 3))
            # the first campaigns begin the chains, the others follow
            begins = number == 0 or random.random() < 0.25
            first = {"event": random.choice(EVENTS)} if begins else self._follows()
            delivery["triggers"] = [first] + [self.happenings.any() for _ in range(count - 1)]
            delay = random.choice(DELAYS)
            if delay is not None:
                delivery["delay"] = {"after": delay}
                count = random.choice((0, 1, 2, 3))
                delivery["exceptions"] = self._exceptions(delivery["triggers"], count)
        document: dict[str, Any] = {
            "slug": target.slug,
            "name": target.slug,
            "tags": list(target.tags),
            "delivery": delivery,
            "re_eligibility": random.choice(
                ("never", "always", "always", {"after": "10m"}, {"after": "1h"}, {"after": "1d"})
            ),
            "control_percent": target.control_percent,
            "conversions": [
                {**self.happenings.any(), "within": random.choice(("10m", "1h", "1d"))}
                for _ in range(target.conversions)
            ],
        }
        self._break_circles(number, document)
        self._write_messages(target, document)
        if random.random() < 0.15:
            document["audience"] = self._audience()
        return document

    def _follows(self) -> dict[str, Any]:
        return {"interact_with_campaign": self.happenings.interaction()}

    def _break_circles(self, number: int, document: dict[str, Any]) -> None:
        """Limit what could follow automatically, at once and forever, but to an earlier one."""
        delivery = document["delivery"]
        earlier = [each.slug for each in self.targets[:number]]
        for trigger in delivery["triggers"]:
            interaction = trigger.get("interact_with_campaign", {})
            if (
                interaction.get("interaction") in AUTOMATIC
                and interaction["campaign"] not in earlier
                and "delay" not in delivery
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
        document["variants"] = [
            {"name": "V1", "percent": rest // 2, "messages": messages},
            {"name": "V2", "percent": rest - rest // 2, "messages": second},
        ]

    def _exceptions(self, triggers: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
        exceptions = [self.happenings.any() for _ in range(count)]
        if count > 1:
            exceptions[-1] = {"event": self.random.choice(EVENTS)}
        overlapping = self.random.choice(triggers)
        if count and self.random.random() < 0.2 and "session_start" not in overlapping:
            exceptions[0] = overlapping
        if any("session_start" in each for each in triggers):
            exceptions = [each for each in exceptions if "session_start" not in each]
        return exceptions

    def _audience(self, depth: int = 0) -> dict[str, Any]:
        random = self.random
        kind = random.random()
        if depth < 2 and kind < 0.3:
            children = [self._audience(depth + 1) for _ in range(random.randint(1, 2))]
            return {random.choice(("all", "any")): children}
        if depth < 2 and kind < 0.5:
            return {"not": self._audience(depth + 1)}
        conditions: list[dict[str, Any]] = [
            {"attribute": "plan", random.choice(("eq", "ne")): random.choice(("gold", "free"))},
            {"attribute": "plan", random.choice(("in", "not_in")): ["gold", 1]},
            {"attribute": "plan", random.choice(("is_blank", "is_not_blank")): True},
            {"attribute": "plan", "matches": "^g"},
            {"attribute": "seen", random.choice(("in_last", "not_in_last")): "1d"},
            {"attribute": "seen", random.choice(("before", "after")): "2026-11-02T00:00:00Z"},
        ]
        return random.choice(conditions)


class _Diary:
    """Writes the log of one world."""

    def __init__(self, random: Random, targets: list[Target]) -> None:
        self.random = random
        self.targets = targets
        self.users = [f"u{number}" for number in range(random.randint(1, 3))]
        self.status = {target.slug: "active" for target in targets}
        self.now = START

    def lines(self) -> list[dict[str, Any]]:
        """Return the log; some campaigns say when they are published, the others begin at once."""
        random = self.random
        lines: list[dict[str, Any]] = []
        for target in self.targets:
            if random.random() < 0.25:
                self.status[target.slug] = "draft"
                if random.random() < 0.7:
                    lines.append(self._control("publish", target.slug))
        for _ in range(random.randint(5, 40)):
            self.now += random.choice(STEPS)
            lines.append(self._line())
        for slug, status in self.status.items():
            if status == "draft":  # without the line it would have been published from the start
                lines.append(self._control("publish", slug))
        return lines

    def _control(self, word: str, slug: str) -> dict[str, Any]:
        statuses = {"publish": "active", "stop": "stopped", "archive": "archived"}
        self.status[slug] = statuses[word]
        return {"control": word, "campaign": slug, "time": format_instant(self.now)}

    def _line(self) -> dict[str, Any]:
        kind = self.random.random()
        if kind < 0.08:
            return self._change_of_status()
        if kind < 0.11:
            return {"control": "advance", "time": format_instant(self.now)}
        if kind < 0.2:
            return self._attributes()
        return self._event()

    def _change_of_status(self) -> dict[str, Any]:
        slug = self.random.choice(self.targets).slug
        status = self.status[slug]
        if status in ("draft", "stopped"):
            return self._control("publish", slug)
        if status == "active" and slug != "c0":
            return self._control(self.random.choice(("stop", "stop", "archive")), slug)
        return {"control": "advance", "time": format_instant(self.now)}

    def _attributes(self) -> dict[str, Any]:
        random = self.random
        seen = format_instant(self.now - random.choice((0, HOUR, DAY, DAY + SECOND)))
        choices: list[dict[str, Any]] = [
            {"plan": random.choice(("gold", "free", "", None, 1))},
            {"seen": random.choice((seen, seen, None, "never"))},
            {"email": random.choice(("a@shop.test", "b@shop.test"))},
            {"email_subscribe": random.choice(("opted_in", "subscribed", "unsubscribed"))},
        ]
        line = {"user_id": random.choice(self.users), "attributes": random.choice(choices)}
        return {**line, "time": format_instant(self.now)}

    def _event(self) -> dict[str, Any]:
        random = self.random
        line: dict[str, Any] = {"user_id": random.choice(self.users)}
        line |= self._happened()
        line["time"] = format_instant(self.now)
        kind = random.random()
        if kind < 0.2:  # it comes late
            line["received_at"] = line["time"]
            ago = random.choice((SECOND, 10 * MINUTE, HOUR, DAY))
            line["time"] = format_instant(self.now - ago)
        elif kind < 0.25:  # by a clock that is ahead
            line["received_at"] = line["time"]
            line["time"] = format_instant(self.now + HOUR)
        if random.random() < 0.15:
            line["id"] = random.choice(("i1", "i2"))
        return line

    def _happened(self) -> dict[str, Any]:
        return happened(self.random) or self._interaction()

    def _interaction(self) -> dict[str, Any]:
        random = self.random
        target = random.choice(self.targets)
        name = name_of_act(random, random.choice(target.channels))
        return {"name": name, "campaign": target.slug, **details_of_act(random, name, target)}


def world_of_seed(seed: int) -> World:
    """Return the world that follows from a number."""
    random = Random(seed)
    author = _Author(random)
    campaigns = author.campaigns()
    diary = _Diary(random, author.targets)
    lines = diary.lines()
    until = format_instant(diary.now + random.choice((0, HOUR, 20 * DAY)))
    return World(campaigns, lines, until)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world; a failing one shrinks by leaving lines of its log out.

    Lines that publish, stop or archive stay, so that a campaign's life stays a possible one.
    """
    world = world_of_seed(draw(st.integers(0, 2**32)))
    kept = [draw(st.sampled_from((False, True, True, True))) for _ in world.lines]
    lines = [
        line
        for line, is_kept in zip(world.lines, kept, strict=True)
        if is_kept or line.get("control") in ("publish", "stop", "archive")
    ]
    return World(world.campaigns, lines, world.until)
