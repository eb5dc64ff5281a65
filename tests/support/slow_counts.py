"""Counts a tape once more, slowly and without the engine, by the words of semantics.md 7."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from segue.model.campaigns import Campaign
from segue.model.instants import HOUR
from segue.model.verdicts import Verdict
from tests.support.counted_run import CountKey, Erased, Happened, Published, Settled, Tape

# What is counted of an act: metric, channel, and the field that says what it was done to.
ACTS = {
    "email_open": ("opens", "email", None),
    "push_direct_open": ("opens", "push", None),
    "email_click": ("clicks", "email", "alias"),
    "sms_short_link_click": ("clicks", "sms", "alias"),
    "push_button_click": ("clicks", "push", "button"),
    "push_story_page_click": ("clicks", "push", "page"),
    "in_app_message_click": ("clicks", "in_app_message", "button"),
    "content_card_click": ("clicks", "content_card", None),
    "content_card_dismiss": ("dismissals", "content_card", None),
    "in_app_message_view": ("impressions", "in_app_message", None),
    "content_card_view": ("impressions", "content_card", None),
    "email_delivered": ("delivered", "email", None),
    "sms_delivered": ("delivered", "sms", None),
    "push_delivered": ("delivered", "push", None),
    "email_bounce": ("bounced", "email", None),
    "sms_bounce": ("bounced", "sms", None),
    "sms_undelivered": ("bounced", "sms", None),
    "email_unsubscribe": ("unsubscribes", "email", None),
    "sms_unsubscribe": ("unsubscribes", "sms", None),
    "email_spam_report": ("spam_reports", "email", None),
}
PUSHED = ("email", "push", "sms", "webhook")
# Why a channel is closed when a wait is due; which of these is not looked at here.
CLOSED = ("unsubscribed", "not_opted_in", "unreachable", "frequency_cap")
METRIC_OF_DECISION = {"enter": "entered", "refuse": "refused", "cancel": "cancelled"}


@dataclass
class Pair:
    """One user and one campaign."""

    sent_at: int | None = None
    sent_variant: str = ""
    receipts: list[tuple[int, str]] = field(default_factory=list)  # when, and in which variant
    converted: set[str] = field(default_factory=set)
    seen: set[tuple[object, ...]] = field(default_factory=set)  # of the latest receipt

    @property
    def variant(self) -> str:
        return self.receipts[-1][1] if self.receipts else ""


class SlowCounts:
    """Reads the tape from its beginning to its end."""

    def __init__(self, campaigns: dict[str, Campaign]) -> None:
        self.counts: dict[CountKey, float] = defaultdict(float)
        self._campaigns = campaigns
        self._published: set[str] = set()
        self._pairs: dict[tuple[str, str], Pair] = defaultdict(Pair)
        self._prices: dict[str, tuple[float, str]] = {}  # of purchases, by event id
        self._act: Happened | None = None  # to be counted after the decisions it leads to

    def read(self, tape: Tape) -> "SlowCounts":
        for entry in tape:
            if not (isinstance(entry, Verdict) and self._is_of_act(entry)):
                self._count_act()
            match entry:
                case Published():
                    self._published.add(entry.slug)
                case Happened():
                    self._happen(entry)
                case Settled():
                    self._settle(entry)
                case Erased():
                    self._erase(entry)
                case Verdict():
                    self._decide(entry)
        self._count_act()
        return self

    def _is_of_act(self, verdict: Verdict) -> bool:
        return self._act is not None and verdict.cause == self._act.event.id

    def _add(
        self,
        campaign: str,
        now: int,
        variant: str,
        metric: str,
        detail: str = "",
        channel: str = "",
        amount: float = 1,
    ) -> None:
        key = CountKey(campaign, now - now % HOUR, variant, metric, detail, channel)
        self.counts[key] += amount

    def _happen(self, act: Happened) -> None:
        event = act.event
        if event.name == "purchase" and event.price is not None:
            amount = event.price * (event.quantity or 1)
            self._prices[event.id or ""] = amount, event.currency or ""
        if event.campaign not in self._published or event.name not in ACTS:
            return
        self._act = act
        pair = self._pairs[event.user_id, event.campaign]
        if event.name.endswith("_view") and pair.sent_at is not None and act.at >= pair.sent_at:
            if pair.receipts and pair.receipts[-1][0] >= pair.sent_at:
                return  # this send was received already
            self._receive(pair, event.campaign, act.now, act.at, event.variant or pair.sent_variant)

    def _receive(self, pair: Pair, campaign: str, now: int, at: int, variant: str) -> None:
        metric = "control" if variant == "control" else "received"
        self._add(campaign, now, variant, metric)
        if not pair.receipts:
            self._add(campaign, now, variant, f"unique_{metric}")
        pair.receipts.append((at, variant))
        pair.seen = set()

    def _count_act(self) -> None:
        act, self._act = self._act, None
        if act is None or act.event.campaign is None:
            return
        event, campaign = act.event, act.event.campaign
        metric, channel, detail_field = ACTS[event.name]
        if event.name == "email_open" and event.machine:
            metric = "machine_opens"
        detail = getattr(event, detail_field) if detail_field else None
        pair = self._pairs[event.user_id, campaign]
        names = [(metric, "")]
        if detail:
            names.append((f"{detail_field}_clicks", detail))
        for name, what in names:
            variant = event.variant or pair.variant
            self._add(campaign, act.now, variant, name, what, channel)
            if (name, what, channel) not in pair.seen:
                self._add(campaign, act.now, variant, f"unique_{name}", what, channel)
            pair.seen.add((name, what, channel))

    def _settle(self, entry: Settled) -> None:
        send, now = entry.send, entry.now
        pair = self._pairs[send.user_id, send.campaign]
        for channel in self._written(send.campaign, send.variant):
            if channel not in send.channels:
                self._add(send.campaign, now, send.variant, "messages_skipped", "closed", channel)
        accepted = [one.channel for one in entry.outcomes if one.settled_as == "accepted"]
        if accepted:
            pair.sent_at, pair.sent_variant = now, send.variant
            self._add(send.campaign, now, send.variant, "recipients")
        if any(channel in PUSHED for channel in accepted):
            self._receive(pair, send.campaign, now, now, send.variant)
        for one in entry.outcomes:
            metric = {"accepted": "sent", "refused": "failed"}.get(
                one.settled_as, "messages_skipped"
            )
            self._add(send.campaign, now, send.variant, metric, one.reason or "", one.channel)

    def _erase(self, entry: Erased) -> None:
        for user_id, campaign in list(self._pairs):
            if user_id == entry.user_id:
                del self._pairs[user_id, campaign]

    def _decide(self, verdict: Verdict) -> None:
        campaign, variant, reason = verdict.campaign, verdict.variant or "", verdict.reason or ""
        pair = self._pairs[verdict.user_id, campaign]
        match verdict.decision:
            case "enter" | "refuse" | "cancel":
                metric = METRIC_OF_DECISION[verdict.decision]
                self._add(campaign, verdict.at, variant, metric, reason)
            case "skip":
                self._add(campaign, verdict.at, variant, "skipped", reason)
                if reason in CLOSED:
                    for channel in self._written(campaign, variant):
                        self._add(
                            campaign, verdict.at, variant, "messages_skipped", "closed", channel
                        )
            case "control":
                self._receive(pair, campaign, verdict.at, verdict.at, "control")
            case "convert":
                self._convert(pair, verdict)

    def _convert(self, pair: Pair, verdict: Verdict) -> None:
        campaign, variant = verdict.campaign, verdict.variant or ""
        letter = verdict.conversion_event or ""
        self._add(campaign, verdict.at, variant, "conversions", letter)
        if letter not in pair.converted:
            first_variant = pair.receipts[0][1]
            self._add(campaign, verdict.at, first_variant, "unique_conversions", letter)
        pair.converted.add(letter)
        if verdict.cause in self._prices:
            amount, currency = self._prices[verdict.cause]
            detail = f"{letter} {currency}".strip()
            self._add(campaign, verdict.at, variant, "revenue", detail, amount=amount)

    def _written(self, campaign: str, variant: str) -> Iterable[str]:
        for written in self._campaigns[campaign].all_variants():
            if written.name == variant:
                return [message.channel for message in written.messages]
        return []
