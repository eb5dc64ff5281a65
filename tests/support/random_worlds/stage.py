"""What all of a world share: where and when it plays, and the few names in it."""

from dataclasses import dataclass
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from segue.model.instants import DAY, HOUR, MINUTE, parse_instant, to_datetime

# When a world begins, and zones of its people; in most of them clocks change within hours or days.
STAGES = (
    ("2026-11-01T00:00:00Z", ("America/New_York", "Europe/Paris")),
    ("2026-10-31T20:00:00Z", ("America/New_York", "UTC")),
    ("2026-10-24T18:00:00Z", ("Europe/Paris", "Asia/Beirut")),
    ("2026-03-28T18:00:00Z", ("Europe/Paris", "Asia/Beirut")),
    ("2026-10-03T12:00:00Z", ("Australia/Lord_Howe", "America/New_York")),
    ("2026-04-04T12:00:00Z", ("Australia/Lord_Howe", "Pacific/Apia")),
    ("2026-03-08T04:00:00Z", ("America/New_York", "Europe/Paris")),
    ("2026-10-31T22:00:00Z", ("America/Havana", "Europe/Paris")),  # midnight comes twice
    ("2026-04-23T16:00:00Z", ("Africa/Cairo", "Asia/Kathmandu")),  # there was no midnight
    ("2026-09-26T08:00:00Z", ("Pacific/Chatham", "UTC")),
    ("2011-12-29T20:00:00Z", ("Pacific/Apia", "Pacific/Kiritimati")),  # there was no 30 December
)
EVENTS = ("go", "buy", "look")
TAGS = ("red", "blue")
ALIASES = ("cta", "footer")
PARTS = ("yes", "no")  # ids of buttons, and of pages of a push story
GROUPS = ("news", "offers")
SEGMENTS = ("s0", "s1", "s2")
LATER = (0, 10 * MINUTE, HOUR, 5 * HOUR, DAY)


@dataclass(frozen=True)
class Target:
    """What others know of a campaign before it is written."""

    slug: str
    id: str | None  # None: it is not known before it is published
    kind: str
    channels: tuple[str, ...]
    tags: tuple[str, ...]
    variants: int
    conversions: int
    control_percent: int


class Stage:
    """Where one world plays: its dice, its clock, and what it is mostly about."""

    def __init__(self, random: Random) -> None:
        self.random = random
        start, zones = random.choice(STAGES)
        self.start = parse_instant(start)
        self.zones = zones
        # Not everything happens everywhere: what does, happens often.
        self.has_hours = self.happens(0.4)
        self.has_caps = self.happens(0.3)
        self.has_filters = self.happens(0.4)
        self.has_edits = self.happens(0.4)
        self.has_schedules = self.happens(0.3)
        self.goes_round = self.happens(0.04)  # campaigns may follow each other for ever
        self.targets: list[Target] = []
        # What documents listen to
        self.heard: list[dict[str, Any]] = [{"event": name} for name in EVENTS]

    def happens(self, probability: float) -> bool:
        """Throw the dice."""
        return self.random.random() < probability

    def clock(self, after: str | None = None) -> str:
        """Return a time of the day that some user's clock shows soon, or soon after another."""
        if after is not None:
            hour, minute = map(int, after.split(":"))
            minutes = hour * 60 + minute + self.random.choice((5, 10, 15))
            return f"{minutes // 60 % 24:02}:{minutes % 60:02}"
        at = self.start + self.random.randrange(0, 30 * HOUR, 5 * MINUTE)
        zone = ZoneInfo(self.random.choice(self.zones))
        return to_datetime(at).astimezone(zone).strftime("%H:%M")

    def moment(self, *, is_local: bool) -> str:
        """Return a moment near the beginning, as text: with an offset, or as clocks show it."""
        at = to_datetime(self.start + self.random.choice((-HOUR, *LATER, 2 * DAY, 4 * DAY)))
        if not is_local and self.happens(0.4):
            return at.isoformat()
        zone = ZoneInfo(self.random.choice(self.zones))
        return at.astimezone(zone).replace(tzinfo=None).isoformat()
