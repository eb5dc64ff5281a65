"""Writes the campaigns of a simulated world by seed: small, connected, on every channel."""

from typing import Any, Final

from msgspec import Struct

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.channels import Channel
from segue.model.workspace import Cap, ChannelPolicy, QuietHours, Workspace
from segue.simulator.dice import Dice

EVENTS: Final = ("go", "look", "stop")
_MESSAGES: Final[dict[Channel, dict[str, Any]]] = {
    "webhook": {"url": "https://shop.test/hook", "body": {"user": "{{ user_id }}"}},
    "email": {
        "from": "Shop <hi@shop.test>",
        "subject": "Hello {{ first_name }}",
        "text": "Have a look: https://shop.test/1",
    },
    "push": {"title": "Hello"},
    "sms": {"body": "Hello, see https://shop.test/1", "shorten_links": False},
    "content_card": {"title": "Hello"},
    "in_app_message": {"body": "Hello"},
}
_FOLLOWED: Final[dict[Channel, tuple[str, ...]]] = {
    "webhook": ("webhook_receive",),
    "email": ("email_receive", "email_open", "email_other_open", "email_click"),
    "push": ("push_receive", "push_direct_open"),
    "sms": ("sms_receive", "sms_short_link_click"),
    "content_card": ("content_card_view", "content_card_click"),
    "in_app_message": ("in_app_message_view", "in_app_message_click"),
}
_AUTOMATIC: Final = ("_receive", "_enroll", "_event", "conversion", "_view")  # not for did_not
_DELAYS: Final = ({"after": "5m"}, {"after": "1h"}, {"after": "6h"}, {"after": "2d"})
_LOCAL_DELAYS: Final = (
    {"in_days": 1, "at": "09:00"},
    {"in_days": 0, "at": "18:00"},
    {"on_next": "tuesday", "at": "02:30"},
)
_AUDIENCES: Final[tuple[dict[str, Any], ...]] = (
    {"attribute": "plan", "eq": "gold"},
    {"not": {"attribute": "plan", "eq": "gold"}},
    {"event": {"name": "look", "count": {"gte": 1}, "within": "1d"}},
    {"not": {"purchase": {"count": {"gte": 1}}}},
)
_SCHEDULES: Final[tuple[dict[str, Any], ...]] = (
    {"cron": "0 9 * * *", "local": True},
    {"cron": "30 2 * * *"},
    {"cron": "0 */6 * * *", "time_zone": "Europe/Paris"},
)
ZONES: Final = ("Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")


class Target(Struct, frozen=True):
    """What a follower has to know of a campaign."""

    slug: str
    channels: list[Channel]


class Author:
    """Writes documents; of the same campaign also more than one, since they are edited."""

    def __init__(self, dice: Dice, count: int) -> None:
        self._dice = dice
        self.targets = [Target(f"c{number}", self._channels()) for number in range(count)]
        throws = [dice.fraction() for _ in range(count)]
        self._kinds = ["action" if n == 0 else _kind(throw) for n, throw in enumerate(throws)]

    def kind(self, number: int) -> str:
        """Return the delivery type of a campaign, which stays."""
        return self._kinds[number]

    def campaign(self, number: int) -> Campaign:
        """Write a campaign, which may follow those with a lower number."""
        dice, target = self._dice, self.targets[number]
        messages = [{channel: _MESSAGES[channel]} for channel in target.channels]
        document: dict[str, Any] = {
            "slug": target.slug,
            "name": f"Campaign {number}",
            "tags": ["even"] if number % 2 == 0 else [],
            "delivery": self._delivery(number),
            "re_eligibility": dice.choice(("always", "always", "never", {"after": "1h"})),
        }
        if dice.happens(0.25):
            document["control_percent"] = 20
        if dice.happens(0.2):
            share = 40 if "control_percent" in document else 50
            document["variants"] = [
                {"name": name, "percent": share, "messages": messages} for name in ("V1", "V2")
            ]
        else:
            document["messages"] = messages
        if dice.happens(0.6):
            document["conversions"] = [{"purchase": {}, "within": dice.choice(("1h", "1d", "3d"))}]
        if dice.happens(0.25):
            document["audience"] = dice.choice(_AUDIENCES)
            document["recheck_audience"] = dice.happens(0.5)
        return decode_campaign(document)

    def workspace(self) -> Workspace:
        """Write what holds for all campaigns."""
        dice = self._dice
        quiet = QuietHours("22:00", "07:00") if dice.happens(0.4) else None
        caps = [Cap("few", 2, "1d")] if dice.happens(0.3) else []
        channels: dict[Channel, ChannelPolicy] = {}
        for channel in ("webhook", "email", "push"):
            if dice.happens(0.3):
                channels[channel] = ChannelPolicy(dice.choice(("resend", "drop")))
        return Workspace(
            time_zone=dice.choice(ZONES), quiet_hours=quiet, caps=caps, channels=channels
        )

    def _channels(self) -> list[Channel]:
        names = tuple(_MESSAGES)
        first, second = self._dice.choice(names), self._dice.choice(names)
        return [first, second] if first != second and self._dice.happens(0.3) else [first]

    def _delivery(self, number: int) -> dict[str, Any]:
        dice, kind = self._dice, self._kinds[number]
        delivery: dict[str, Any] = {"type": kind}
        if kind == "action":
            delivery["triggers"] = [self._trigger(number)]
        elif kind == "scheduled":
            delivery["schedule"] = dice.choice(_SCHEDULES)
        brings_own = any("did_not" in trigger for trigger in delivery.get("triggers", ()))
        if kind != "scheduled" and not brings_own and dice.happens(0.65):
            delivery["delay"] = dice.choice(_LOCAL_DELAYS if dice.happens(0.2) else _DELAYS)
            delivery["exceptions"] = [self._exception(number) for _ in range(2)]
        if dice.happens(0.15):
            hours = {"from": "08:00", "to": "20:00"}
            delivery["time_of_day"] = {
                **hours,
                "otherwise": dice.choice(("skip", "next_available")),
            }
        if dice.happens(0.15):
            delivery["sends_per_minute_max"] = dice.choice((1, 3))
        if dice.happens(0.1):
            delivery["recipients_max"] = 3
        return delivery

    def _trigger(self, number: int) -> dict[str, Any]:
        dice = self._dice
        if number == 0 or dice.happens(0.2):
            return {"event": dice.choice(("go", "go", "look"))}
        spec = self._interaction(dice.choice(self.targets[:number]))
        if dice.happens(0.2) and not spec["interaction"].endswith(_AUTOMATIC):
            return {"did_not": {**spec, "within": dice.choice(("1h", "1d"))}}
        return {"interact_with_campaign": spec}

    def _exception(self, number: int) -> dict[str, Any]:
        dice = self._dice
        if dice.happens(0.4):
            return {"event": "stop"}
        if dice.happens(0.3):
            return {"purchase": {}}
        return {"interact_with_campaign": self._interaction(self.targets[number - 1])}

    def _interaction(self, target: Target) -> dict[str, Any]:
        dice = self._dice
        if dice.happens(0.2):
            kinds = ("conversion", "control_group_enroll", "exception_event")
            return {"campaign": target.slug, "interaction": dice.choice(kinds)}
        names = _FOLLOWED[dice.choice(target.channels)]
        return {"campaign": target.slug, "interaction": dice.choice(names)}


def _kind(throw: float) -> str:
    shares = ((0.75, "action"), (0.88, "scheduled"), (1.0, "api"))
    return next(kind for share, kind in shares if throw < share)
