"""Random worlds without hours, schedules, segments or caps, for tests of other things."""

from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from segue.model.campaigns import Campaign
from segue.model.instants import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from segue.model.interactions import INTERACTIONS

START = parse_instant("2026-11-01T00:00:00Z")
STEPS = (0, 0, 0, SECOND, 10 * MINUTE, 10 * MINUTE, HOUR, DAY)
DELAYS = (None, None, "10m", "10m", "1h", "1d")
EVENTS = ("go", "buy", "look")
TAGS = ("red", "blue")
ALIASES = ("cta", "footer")
BUTTONS = ("yes", "no")
MESSAGES: dict[str, dict[str, Any]] = {
    "email": {
        "from": "Shop <hi@shop.test>",
        "subject": "Hello",
        "html": '<p><a href="https://shop.test/1" data-alias="cta">A</a>'
        '<a href="https://shop.test/2" data-alias="footer">B</a></p>',
        "text": "Hello",
    },
    "push": {
        "title": "Hello",
        "buttons": [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}],
    },
    "webhook": {"url": "https://shop.test/hook"},
    "content_card": {"title": "Hello"},
    "in_app_message": {
        "body": "Hello",
        "buttons": [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}],
    },
}
# What may be followed, by the channel of the target; None fits every campaign.
FOLLOWABLE: dict[str | None, tuple[str, ...]] = {
    "email": (
        "email_receive",
        "email_receive",
        "email_open",
        "email_machine_open",
        "email_other_open",
        "email_click",
        "email_alias_click",
    ),
    "push": ("push_receive", "push_receive", "push_direct_open", "push_button_click"),
    "webhook": ("webhook_receive",),
    "content_card": ("content_card_view", "content_card_click", "content_card_dismiss"),
    "in_app_message": (
        "in_app_message_view",
        "in_app_message_click",
        "in_app_message_button_click",
    ),
}
DID_NOTS = {
    "email": ("email_open", "email_other_open", "email_click", "email_alias_click"),
    "push": ("push_direct_open", "push_button_click"),
    "content_card": ("content_card_click",),
    "in_app_message": ("in_app_message_click", "in_app_message_button_click"),
}
# Acts that follow without a person; a circle of them needs a delay or a limit (semantics.md 2).
AUTOMATIC = (
    "email_receive",
    "push_receive",
    "webhook_receive",
    "control_group_enroll",
    "conversion",
    "exception_event",
)


@dataclass(frozen=True)
class World:
    """Campaigns, a log, and the moment up to which it is run."""

    campaigns: dict[str, Campaign]
    lines: list[dict[str, Any]]
    until: str | None


@dataclass(frozen=True)
class _Target:
    """What others know of a campaign before it is written."""

    slug: str
    channels: tuple[str, ...]
    tags: tuple[str, ...]
    variants: int
    conversions: int
    control_percent: int


class _Author:
    """Writes the documents of one world."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.targets = [self._target(number) for number in range(random.randint(2, 5))]

    def _target(self, number: int) -> _Target:
        random = self.random
        count = random.choice((1, 1, 1, 2))
        return _Target(
            slug=f"c{number}",
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
            delivery["triggers"] = [{"did_not": self._did_not()}]
            delivery["exceptions"] = [self._happening()] if random.random() < 0.2 else []
        else:
            count = random.choice((1, 1, 2, 3))
            # the first campaigns begin the chains, the others follow
            begins = number == 0 or random.random() < 0.25
            first = {"event": random.choice(EVENTS)} if begins else self._interaction()
            delivery["triggers"] = [first] + [self._happening() for _ in range(count - 1)]
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
                {**self._happening(), "within": random.choice(("10m", "1h", "1d"))}
                for _ in range(target.conversions)
            ],
        }
        self._break_circles(number, document)
        self._write_messages(target, document)
        if random.random() < 0.15:
            document["audience"] = self._audience()
        return document

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

    def _write_messages(self, target: _Target, document: dict[str, Any]) -> None:
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
        exceptions = [self._happening() for _ in range(count)]
        if count > 1:
            exceptions[-1] = {"event": self.random.choice(EVENTS)}
        overlapping = self.random.choice(triggers)
        if count and self.random.random() < 0.2 and "session_start" not in overlapping:
            exceptions[0] = overlapping
        if any("session_start" in each for each in triggers):
            exceptions = [each for each in exceptions if "session_start" not in each]
        return exceptions

    def _happening(self) -> dict[str, Any]:
        random = self.random
        kind = random.random()
        if kind < 0.55:
            return self._interaction()
        if kind < 0.8:
            return {"event": random.choice(EVENTS)}
        if kind < 0.87:
            where = [{"property": "a.b", random.choice(("eq", "gte", "ne")): random.choice((1, 2))}]
            return {"event": {"name": random.choice(EVENTS), "where": where}}
        if kind < 0.95:
            where = [{"property": "price", "gt": 10}] if random.random() < 0.5 else []
            product = {"product_id": "sku"} if random.random() < 0.5 else {}
            return {"purchase": {**product, "where": where}}
        return {"session_start": {}}

    def _campaign_spec(self, target: _Target) -> Any:
        kind = self.random.random()
        if kind < 0.1:
            return "any"
        if kind < 0.25 and target.tags:
            return {"tag": self.random.choice(target.tags)}
        return target.slug

    def _interaction(self) -> dict[str, Any]:
        random = self.random
        target = random.choice(self.targets)
        names = list(FOLLOWABLE[random.choice(target.channels)])
        if target.conversions and random.random() < 0.25:
            names = ["conversion"]
        elif target.control_percent and random.random() < 0.25:
            names = ["control_group_enroll"]
        elif random.random() < 0.15:
            names = ["exception_event"]
        name = random.choice(names)
        spec: dict[str, Any] = {"interaction": name, "campaign": self._campaign_spec(target)}
        self._add_options(spec)
        if name == "conversion":
            if random.random() < 0.4:
                spec["conversion_event"] = "AB"[random.randrange(target.conversions)]
            if random.random() < 0.4:
                spec["include_control"] = True
        if target.variants == 2 and spec["campaign"] == target.slug and random.random() < 0.3:
            spec["variant"] = random.choice(("V1", "V2"))
        return {"interact_with_campaign": spec}

    def _add_options(self, spec: dict[str, Any]) -> None:
        random = self.random
        options = INTERACTIONS[spec["interaction"]].options
        if "alias" in options:
            spec["alias"] = random.choice(ALIASES)
            if random.random() < 0.3:
                spec |= {"interaction": "alias_click", "campaign": "any"}
        if "button" in options and random.random() < 0.6:
            spec["button"] = random.choice(BUTTONS)
        if "body_only" in options and random.random() < 0.5:
            spec["body_only"] = True
        if "outcome" in options and random.random() < 0.15:
            spec["outcome"] = "delivered"

    def _did_not(self) -> dict[str, Any]:
        random = self.random
        pairs = [
            (target, channel)
            for target in self.targets
            for channel in target.channels
            if channel in DID_NOTS
        ]
        target, channel = random.choice(pairs)
        name = random.choice(DID_NOTS[channel])
        did_not = {
            "interaction": name,
            "campaign": self._campaign_spec(target),
            "within": random.choice(("10m", "1h", "1d")),
        }
        if name == "email_alias_click":
            did_not["alias"] = random.choice(ALIASES)
        if "button" in INTERACTIONS[name].options and random.random() < 0.5:
            did_not["button"] = random.choice(BUTTONS)
        return did_not

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

    def __init__(self, random: Random, targets: list[_Target]) -> None:
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
        random = self.random
        kind = random.random()
        if kind < 0.35:
            properties = {"properties": {"a": {"b": random.choice((1, 2, "x"))}}}
            return {"name": random.choice(EVENTS)} | (properties if random.random() < 0.4 else {})
        if kind < 0.43:
            price = random.choice((5, 20))
            product = random.choice(("sku", "other"))
            bought = {"product_id": product, "price": price, "currency": "EUR", "quantity": 1}
            return {"name": "purchase", **bought}
        if kind < 0.47:
            return {"name": "session_start"}
        return self._interaction()

    def _interaction(self) -> dict[str, Any]:
        random = self.random
        target = random.choice(self.targets)
        channel = random.choice(target.channels)
        names = [INTERACTIONS[name].act for name in FOLLOWABLE[channel]]
        if channel == "email":
            names += ["email_bounce", "email_unsubscribe", "email_spam_report", "email_delivered"]
        if channel == "push":
            names.append("push_delivered")
        if random.random() < 0.05:
            names = ["conversion", "exception_event", "control_group_enroll"]
        name = random.choice(names)
        line: dict[str, Any] = {"name": name, "campaign": target.slug}
        if name == "email_open" and random.random() < 0.6:
            line["machine"] = random.random() < 0.5
        if name == "email_click" and random.random() < 0.7:
            line["alias"] = random.choice((*ALIASES, "wrong"))
        if name == "push_button_click":
            line["button"] = random.choice((*BUTTONS, "wrong"))
        if name == "in_app_message_click" and random.random() < 0.6:
            line["button"] = random.choice((*BUTTONS, "wrong"))
        if name == "conversion":
            line["conversion_event"] = random.choice("AB")
        if target.variants == 2 and random.random() < 0.2:
            line["variant"] = random.choice(("V1", "V2"))
        return line


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
