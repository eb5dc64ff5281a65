"""A second, slow and obvious implementation of the rules, to hold the engine against.

It shares the documents' structs with the engine and nothing else: plain lists and loops over every
campaign for every event. "semantics.md n" below names the section that a step follows.
"""

import operator
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from msgspec import UNSET

from segue.model import campaigns as document
from segue.model import interactions as catalogue
from segue.model.campaigns import Campaign, Happening, InteractWithCampaign
from segue.model.filters import Comparison, Filter, PropertyCondition
from segue.model.instants import DAY, format_instant, parse_duration, parse_instant

HOPS_MAX = 10  # semantics.md 3: a chain is cut after 10 hops
LETTERS = "ABCD"
CHANNELS_WITH_RECEIPT = ("email", "push", "sms", "webhook")
SUBSCRIPTION_STATES = ("opted_in", "subscribed", "unsubscribed")
PURCHASE_FIELDS = ("product_id", "price", "currency", "quantity")
OPTIONS = ("alias", "button", "page")
INTERACTION_FIELDS = ("campaign", "variant", *OPTIONS, "conversion_event", "machine")
COMPARES = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


@dataclass
class Act:  # An event at its place in the log, or one the engine derives from it
    user_id: str
    name: str
    happened_at: int
    hops: int = 0
    campaign: str | None = None
    variant: str | None = None
    is_control: bool = False
    properties: dict[str, Any] = field(default_factory=dict)
    purchase: dict[str, Any] = field(default_factory=dict)
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: str | None = None
    machine: bool | None = None


@dataclass
class Receipt:  # When a user received a campaign, saw it, or entered its control group
    at: int
    variant: str | None
    is_control: bool = False
    credited: list[str] = field(default_factory=list)


@dataclass
class Wait:  # A send that waits for its time: entered by an event of T'
    entered_at: int
    due: int
    variant: document.Variant
    hops: int


@dataclass
class Send:  # A send that was decided, and the channels not yet accepted
    slug: str
    variant: document.Variant
    hops: int
    channels: list[str]


@dataclass
class Standing:  # How one user stands with one campaign
    wait: Wait | None = None
    unaccepted: int = 0
    last_sent: int | None = None
    sent_variant: str | None = None
    enrolled_at: int | None = None
    receipt: Receipt | None = None


@dataclass
class User:  # One user's profile and standings
    attributes: dict[str, Any] = field(default_factory=dict)
    seen_ids: dict[str, int] = field(default_factory=dict)
    email_subscription: str = "subscribed"
    is_email_dead: bool = False
    standings: dict[str, Standing] = field(default_factory=dict)

    def standing(self, slug: str) -> Standing:
        """Return the standing with a campaign, a blank one at first."""
        return self.standings.setdefault(slug, Standing())


@dataclass
class Life:  # A campaign's status (semantics.md 1)
    status: str = "draft"
    published_at: int = 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, operand: Any) -> bool:
    if _is_number(value) and _is_number(operand):
        return bool(value == operand)
    return type(value) is type(operand) and bool(value == operand)


def _contains(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(_equal(member, operand) for member in value)


def _compare_instants(value: Any, name: str, operand: Any, happened_at: int) -> bool:
    try:
        instant = parse_instant(value)
    except (TypeError, ValueError):
        return False
    if name in ("before", "after"):
        bound = parse_instant(operand)
        return instant < bound if name == "before" else instant > bound
    is_in_last = happened_at - parse_duration(operand) <= instant <= happened_at
    return is_in_last == (name == "in_last")


def _operator_holds(value: Any, name: str, operand: Any, happened_at: int) -> bool:
    holds: bool
    # semantics.md 4: an unknown attribute is false; `is_blank` and `not` see it
    if name in ("is_blank", "is_not_blank"):
        is_blank = value is None or value == ""
        holds = (is_blank == operand) == (name == "is_blank")
    elif value is None:
        holds = False
    elif name in ("eq", "ne"):
        holds = _equal(value, operand) == (name == "eq")
    elif name in ("in_", "not_in"):
        holds = any(_equal(value, member) for member in operand) == (name == "in_")
    elif name in COMPARES:
        holds = _is_number(value) and COMPARES[name](value, operand)
    elif name in ("contains", "not_contains"):
        can_contain = isinstance(value, str | list)
        holds = can_contain and _contains(value, operand) == (name == "contains")
    elif name == "matches":
        holds = isinstance(value, str) and re.search(operand, value) is not None
    else:
        holds = _compare_instants(value, name, operand, happened_at)
    return holds


def comparison_holds(comparison: Comparison, value: Any, happened_at: int) -> bool:
    """Say whether all the operators that are written hold for the value."""
    pairs = comparison.operators()
    return all(_operator_holds(value, name, operand, happened_at) for name, operand in pairs)


def look_up(values: dict[str, Any], name: str) -> Any:
    """Return the value of that full name; else `a.b` reaches into nested ones."""
    if name in values:
        return values[name]
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def filter_holds(node: Filter, profile: dict[str, Any], happened_at: int) -> bool:
    """Say whether the audience's tree holds for a profile."""
    holds = []
    if node.all is not UNSET:
        holds.append(all(filter_holds(child, profile, happened_at) for child in node.all))
    if node.any is not UNSET:
        holds.append(any(filter_holds(child, profile, happened_at) for child in node.any))
    if node.not_ is not UNSET:
        holds.append(not filter_holds(node.not_, profile, happened_at))
    if node.attribute is not UNSET:
        holds.append(comparison_holds(node, look_up(profile, node.attribute), happened_at))
    return all(holds)


def _where_holds(where: list[PropertyCondition], values: dict[str, Any], at: int) -> bool:
    return all(comparison_holds(each, look_up(values, each.property), at) for each in where)


def bucket_of(slug: str, user_id: str) -> int:
    """Return the user's stable place, 0 to 99, in a campaign's split."""
    digest = blake2b(f"{slug}\0{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 100


def variant_of(campaign: Campaign, user_id: str) -> document.Variant:
    """Return the variant of a user who is not in the control group."""
    variants = campaign.all_variants()
    upper = campaign.control_percent
    for variant in variants:
        upper += variant.percent
        if len(variants) == 1 or bucket_of(campaign.slug, user_id) < upper:
            return variant
    return variants[-1]


# semantics.md 2: did_not is short for receive + delay + exception, and compiled to it


def _receive_of(short: document.DidNot) -> Happening:
    channel = catalogue.INTERACTIONS[short.interaction].channel
    assert channel is not None
    receive = catalogue.RECEIVE_BY_CHANNEL[channel]
    spec = InteractWithCampaign(receive, campaign=short.campaign, variant=short.variant)
    return Happening(interact_with_campaign=spec)


def _exception_of(short: document.DidNot) -> Happening:
    fields = ("interaction", "campaign", "variant", *OPTIONS)
    spec = InteractWithCampaign(**{name: getattr(short, name) for name in fields})
    return Happening(interact_with_campaign=spec)


def triggers_of(campaign: Campaign) -> list[tuple[Happening, int]]:
    """Return what enters a user, each with its delay."""
    delay = campaign.delivery.delay
    plain = parse_duration(delay.after or "0s") if isinstance(delay, document.Delay) else 0
    return [
        (trigger, plain)
        if trigger.did_not is None
        else (_receive_of(trigger.did_not), parse_duration(trigger.did_not.within))
        for trigger in campaign.delivery.triggers
    ]


def exceptions_of(campaign: Campaign) -> list[Happening]:
    """Return what cancels a wait."""
    shorts = [trigger.did_not for trigger in campaign.delivery.triggers]
    compiled = [_exception_of(short) for short in shorts if short is not None]
    return [*campaign.delivery.exceptions, *compiled]


class Oracle:
    """The state of one run, and the decision lines so far."""

    def __init__(self, campaigns: dict[str, Campaign]) -> None:
        """Start with every campaign a draft, and no users."""
        self.campaigns = campaigns
        self.lives = {slug: Life() for slug in campaigns}
        self.users: dict[str, User] = {}
        self.now = 0
        self.decided: list[dict[str, Any]] = []
        self.queue: list[Act] = []  # derived acts, first in, first out
        self.sends: list[Send] = []  # decided, not yet accepted

    def run(self, lines: list[dict[str, Any]], until: str | None) -> list[dict[str, Any]]:
        """Read the lines in order, then let the time pass until `until`."""
        published = [line["campaign"] for line in lines if line.get("control") == "publish"]
        for number, line in enumerate(lines):
            moment = line.get("received_at") or line.get("time")
            now = max(self.now, parse_instant(moment)) if moment else self.now
            self.fire_waits(now)
            self.now = now
            if number == 0:
                unsaid = [slug for slug in self.campaigns if slug not in published]
                self.lives.update({slug: Life("active", now) for slug in unsaid})
            self.read(line)
        if until is not None:
            self.fire_waits(parse_instant(until))
        return self.decided

    def fire_waits(self, now: int) -> None:
        """Fire what is due, one wait at a time, with those that come up meanwhile."""
        while True:
            due = [
                (standing.wait.due, user_id, slug)
                for user_id, user in self.users.items()
                for slug, standing in user.standings.items()
                if standing.wait is not None and standing.wait.due <= now
            ]
            if not due:
                return
            self.now, user_id, slug = min(due)
            standing = self.users[user_id].standing(slug)
            wait, standing.wait = standing.wait, None
            assert wait is not None
            self.decide_send(user_id, slug, wait.variant, wait.hops)
            self.accept_sends(user_id)

    def read(self, line: dict[str, Any]) -> None:
        """Do what one line says."""
        if "control" in line:
            self.control(line["control"], line.get("campaign", ""))
            return
        user = self.users.setdefault(line["user_id"], User())
        if "attributes" in line:
            self.set_attributes(user, line["attributes"])
            return
        if "id" in line:
            # semantics.md 8: the same id from the same user inside 24 hours is applied once
            seen_at = user.seen_ids.get(line["id"])
            if seen_at is not None and self.now - seen_at < DAY:
                return
            user.seen_ids[line["id"]] = self.now
        self.handle_line(user, self.act_of(line))

    def act_of(self, line: dict[str, Any]) -> Act:
        """Return the event of a line; T is the client's word, never later than now."""
        time = line.get("time")
        happened_at = self.now if time is None else min(parse_instant(time), self.now)
        act = Act(line["user_id"], line["name"], happened_at)
        act.properties = line.get("properties") or {}
        act.purchase = {name: line[name] for name in PURCHASE_FIELDS if line.get(name) is not None}
        for name in INTERACTION_FIELDS:
            setattr(act, name, line.get(name))
        return act

    def control(self, word: str, slug: str) -> None:
        """Publish, stop or archive a campaign (semantics.md 1); to advance is only time."""
        if word == "publish":
            self.lives[slug] = Life("active", self.now)
        if word not in ("stop", "archive") or self.lives[slug].status == "draft":
            return  # a draft has nothing to stop
        self.lives[slug].status = "stopped" if word == "stop" else "archived"
        reason = f"campaign_{self.lives[slug].status}"
        for user_id in sorted(self.users):
            standing = self.users[user_id].standing(slug)
            if standing.wait is not None:
                variant = standing.wait.variant.name
                standing.wait = None
                self.decide(user_id, slug, "cancel", reason=reason, variant=variant)

    def set_attributes(self, user: User, attributes: dict[str, Any]) -> None:
        """Change a profile; what an address and a subscription say lies there too."""
        address = user.attributes.get("email", "")
        for name, value in attributes.items():
            if value is None:
                user.attributes.pop(name, None)
            else:
                user.attributes[name] = value
        if user.attributes.get("email", "") != address:
            user.is_email_dead = False
        if attributes.get("email_subscribe") in SUBSCRIPTION_STATES:
            user.email_subscription = attributes["email_subscribe"]

    def handle_line(self, user: User, act: Act) -> None:
        """Handle an event of the log, then everything that follows from it."""
        if act.name in catalogue.ACTS:
            if act.name in ("email_unsubscribe", "email_spam_report"):
                user.email_subscription = "unsubscribed"
            if act.name == "email_bounce":
                user.is_email_dead = True
            # semantics.md 2: with an archived campaign they are recorded and fire nothing
            life = self.lives.get(act.campaign or "", Life())
            if life.status in ("draft", "archived"):
                return
            if act.name in catalogue.VIEW_ACTS:
                self.note_view(user, act)
        self.handle_to_the_end(act)
        self.accept_sends(act.user_id)

    def note_view(self, user: User, act: Act) -> None:
        """In-app messages and cards are received when they are viewed (semantics.md 6)."""
        assert act.campaign is not None
        standing = user.standing(act.campaign)
        sent_at = standing.last_sent
        if sent_at is None or sent_at > act.happened_at:
            return
        receipt = standing.receipt
        if receipt is not None and not receipt.is_control and receipt.at >= sent_at:
            return
        standing.receipt = Receipt(act.happened_at, act.variant or standing.sent_variant)

    def handle_to_the_end(self, act: Act) -> None:
        """Handle an event, then the ones derived from it, first in, first out."""
        self.queue = [act]
        while self.queue:
            first = self.queue.pop(0)
            self.cancel_by_exceptions(first)
            self.credit_conversions(first)
            self.enter_by_triggers(first)

    def derive(self, act: Act, name: str, slug: str, variant: str | None, hops: int) -> Act:
        """Queue an act that follows from another, with the same T."""
        self.queue.append(Act(act.user_id, name, act.happened_at, hops, slug, variant))
        return self.queue[-1]

    def cancel_by_exceptions(self, act: Act) -> None:
        """Step 2: every wait that names the event, where T' <= T < due, is cancelled."""
        user = self.users[act.user_id]
        for slug in sorted(self.campaigns):
            standing = user.standing(slug)
            wait = standing.wait
            is_active = self.lives[slug].status == "active"
            if not is_active or not wait or not wait.entered_at <= act.happened_at < wait.due:
                continue
            exceptions = exceptions_of(self.campaigns[slug])
            if not any(self.matches(exception, act) for exception in exceptions):
                continue
            standing.wait = None
            variant = wait.variant.name
            self.decide(act.user_id, slug, "cancel", reason="exception_event", variant=variant)
            self.derive(act, "exception_event", slug, variant, act.hops + 1)

    def credit_conversions(self, act: Act) -> None:
        """Step 3 (semantics.md 6): one per conversion event and receipt, inside its window."""
        user = self.users[act.user_id]
        for slug in sorted(self.campaigns):
            receipt = user.standing(slug).receipt
            if self.lives[slug].status not in ("active", "stopped") or receipt is None:
                continue
            conversions = self.campaigns[slug].conversions
            for letter, conversion in zip(LETTERS, conversions, strict=False):
                closes_at = receipt.at + parse_duration(conversion.within)
                is_open = receipt.at <= act.happened_at <= closes_at
                if not is_open or letter in receipt.credited or not self.matches(conversion, act):
                    continue
                receipt.credited.append(letter)
                variant = receipt.variant
                self.decide(act.user_id, slug, "convert", variant=variant, conversion_event=letter)
                derived = self.derive(act, "conversion", slug, variant, act.hops)
                derived.conversion_event, derived.is_control = letter, receipt.is_control
                derived.properties, derived.purchase = act.properties, act.purchase

    def enter_by_triggers(self, act: Act) -> None:
        """Step 4: for every active campaign the event triggers, the entry checks."""
        for slug in sorted(self.campaigns):
            if self.lives[slug].status != "active":
                continue
            triggers = triggers_of(self.campaigns[slug])
            delays = [delay for trigger, delay in triggers if self.matches(trigger, act)]
            if not delays:
                continue
            reason = self.refusal(slug, act)
            if reason is not None:
                self.decide(act.user_id, slug, "refuse", reason=reason)
            elif self.is_for_control(slug, act.user_id):
                self.enroll(slug, act)
            else:
                self.enter(slug, act, delays[0])

    def refusal(self, slug: str, act: Act) -> str | None:
        """Return the first entry check that fails."""
        user, happened_at = self.users[act.user_id], act.happened_at
        campaign, standing = self.campaigns[slug], user.standing(slug)
        audience = campaign.audience
        reason = None
        if happened_at < self.lives[slug].published_at:
            reason = "published_after_event"
        elif audience and not filter_holds(audience, user.attributes, happened_at):
            reason = "not_in_audience"
        elif not self.is_re_eligible(campaign, standing, happened_at):
            reason = "not_re_eligible"
        elif standing.wait is not None or standing.unaccepted > 0:
            reason = "already_waiting"
        elif act.hops >= HOPS_MAX:
            reason = "chain_limit"
        return reason

    def is_re_eligible(self, campaign: Campaign, standing: Standing, happened_at: int) -> bool:
        """semantics.md 3: counted from the last send, or from enrolment."""
        moments = [at for at in (standing.last_sent, standing.enrolled_at) if at is not None]
        rule = campaign.re_eligibility
        if not moments or isinstance(rule, str):
            return not moments or rule == "always"
        return happened_at >= max(moments) + parse_duration(rule.after)

    def is_for_control(self, slug: str, user_id: str) -> bool:
        """semantics.md 5: treated users never become control nor the reverse."""
        standing = self.users[user_id].standing(slug)
        is_in_share = bucket_of(slug, user_id) < self.campaigns[slug].control_percent
        return standing.enrolled_at is not None or (standing.last_sent is None and is_in_share)

    def enroll(self, slug: str, act: Act) -> None:
        """The control group: sends nothing, emits control_group_enroll."""
        standing = self.users[act.user_id].standing(slug)
        self.decide(act.user_id, slug, "control", reason="control_group")
        standing.enrolled_at = act.happened_at
        standing.receipt = Receipt(act.happened_at, "control", is_control=True)
        self.derive(act, "control_group_enroll", slug, "control", act.hops + 1)

    def enter(self, slug: str, act: Act, delay: int) -> None:
        """due = T plus the delay, never earlier than now."""
        variant = variant_of(self.campaigns[slug], act.user_id)
        due = max(act.happened_at + delay, self.now)
        self.decide(act.user_id, slug, "enter", variant=variant.name, due=format_instant(due))
        if due <= self.now:
            self.decide_send(act.user_id, slug, variant, act.hops)
        else:
            standing = self.users[act.user_id].standing(slug)
            standing.wait = Wait(act.happened_at, due, variant, act.hops)

    def decide_send(self, user_id: str, slug: str, variant: document.Variant, hops: int) -> None:
        """At due time: send, unless every channel of the variant is blocked; only email can be."""
        user = self.users[user_id]
        channels: list[str] = [message.channel for message in variant.messages]
        is_unsubscribed = user.email_subscription == "unsubscribed"
        if is_unsubscribed or user.is_email_dead:
            channels = [channel for channel in channels if channel != "email"]
        if not channels:
            reason = "unsubscribed" if is_unsubscribed else "unreachable"
            self.decide(user_id, slug, "skip", reason=reason, variant=variant.name)
            return
        self.decide(user_id, slug, "send", variant=variant.name)
        user.standing(slug).unaccepted += 1
        self.sends.append(Send(slug, variant, hops, channels))

    def accept_sends(self, user_id: str) -> None:
        """Accept what was decided, in order, channel by channel, with all that follows."""
        while self.sends:
            send = self.sends.pop(0)
            standing = self.users[user_id].standing(send.slug)
            is_receipt_set = False
            standing.last_sent, standing.sent_variant = self.now, send.variant.name
            for place, channel in enumerate(send.channels):
                if place == len(send.channels) - 1:
                    standing.unaccepted -= 1
                if channel not in CHANNELS_WITH_RECEIPT:
                    continue
                if not is_receipt_set:
                    standing.receipt = Receipt(self.now, send.variant.name)
                    is_receipt_set = True
                place_of_act = (self.now, send.hops + 1, send.slug, send.variant.name)
                self.handle_to_the_end(Act(user_id, f"{channel}_receive", *place_of_act))

    def matches(self, happening: Happening, act: Act) -> bool:
        """Say whether an event is what a campaign listens to."""
        if happening.event is not None:
            if isinstance(happening.event, str):
                return act.name == happening.event
            named, where = act.name == happening.event.name, happening.event.where
            return named and _where_holds(where, act.properties, act.happened_at)
        if happening.purchase is not None:
            return act.name == "purchase" and _purchase_matches(happening.purchase, act)
        interaction = happening.interact_with_campaign
        if interaction is not None:
            return self.interaction_matches(interaction, act)
        return happening.session_start is not None and act.name == "session_start"

    def interaction_matches(self, spec: InteractWithCampaign, act: Act) -> bool:
        """Say whether an act with a campaign is read by an interaction."""
        row = catalogue.INTERACTIONS[spec.interaction]
        act_name = row.act
        if spec.outcome is not None:
            act_name = catalogue.DELIVERED_ACTS[spec.interaction]
        if act.name != act_name or not self.campaign_matches(spec.campaign, act.campaign):
            return False
        if act.is_control and not spec.include_control:
            return False
        if spec.variant and spec.variant != self.variant_of_act(act):
            return False
        reading_holds = {
            "any": True,
            "machine": act.machine is True,
            "person": act.machine is not True,
            "aliased": act.alias is not None and act.alias == spec.alias,
            "button": act.button is not None,
        }
        if not reading_holds[row.reading] or (spec.body_only and act.button is not None):
            return False
        options = ("button", "page", "conversion_event")
        return all(getattr(spec, name) in (None, getattr(act, name)) for name in options)

    def campaign_matches(self, spec: str | document.Tagged, slug: str | None) -> bool:
        """Say whether a campaign is the one, any, or one that bears the tag."""
        if isinstance(spec, document.Tagged):
            return slug in self.campaigns and spec.tag in self.campaigns[slug].tags
        return spec in ("any", slug)

    def variant_of_act(self, act: Act) -> str | None:
        """Return the variant that the act names, else that of the user's latest receipt."""
        if act.variant is not None or act.campaign is None:
            return act.variant
        receipt = self.users[act.user_id].standing(act.campaign).receipt
        return receipt.variant if receipt else None

    def decide(self, user_id: str, slug: str, decision: str, **more: str | None) -> None:
        """Write a decision line."""
        line: dict[str, Any] = {"at": format_instant(self.now), "user_id": user_id}
        line |= {"campaign": slug, "decision": decision}
        line.update({name: value for name, value in more.items() if value is not None})
        self.decided.append(line)


def _purchase_matches(spec: document.Purchase, act: Act) -> bool:
    if spec.product_id is not None and act.purchase.get("product_id") != spec.product_id:
        return False
    return _where_holds(spec.where, {**act.properties, **act.purchase}, act.happened_at)


def decide_log(
    campaigns: dict[str, Campaign], lines: list[dict[str, Any]], until: str | None
) -> list[dict[str, Any]]:
    """Return the decision lines that `segue run` must write for a log."""
    return Oracle(campaigns).run(lines, until)
