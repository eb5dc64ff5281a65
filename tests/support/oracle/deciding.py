"""From an act to decisions: the steps of semantics.md 3, for one act after the other."""

from dataclasses import replace
from typing import Any

from segue.model import interactions as catalogue
from segue.model.ids import derive_id
from segue.model.instants import format_instant, parse_duration
from segue.model.limits import CHAIN_HOPS_MAX
from tests.support.oracle.caps import counts
from tests.support.oracle.due import Due, due_verdict
from tests.support.oracle.entry import refusal
from tests.support.oracle.local_time import in_days, next_weekday, zone_of
from tests.support.oracle.matching import delay_of, exceptions_of, matches, triggers_of
from tests.support.oracle.memory import (
    PUSHED,
    Act,
    Knowledge,
    Life,
    Receipt,
    Send,
    SentMessage,
    User,
    Wait,
)
from tests.support.oracle.splits import bucket_of, variant_of

LETTERS = "ABCD"


class Decider:
    """The state of one run, and the decision lines so far."""

    def __init__(self) -> None:
        """Start with nothing known and nobody there."""
        self.knowledge = Knowledge()
        self.users: dict[str, User] = {}
        self.now = 0
        self.decided: list[dict[str, Any]] = []
        self.queue: list[Act] = []  # derived acts, first in, first out
        self.entered: list[str] = []  # because of one event, timer or hand-over
        self.sends: list[Send] = []  # decided, not yet accepted

    def lives(self, *statuses: str) -> list[tuple[str, Life]]:
        """Return the campaigns of these statuses, by slug."""
        lives = sorted(self.knowledge.lives.items())
        return [(slug, life) for slug, life in lives if life.status in statuses]

    def handle(self, act: Act) -> None:
        """Handle an event, then the ones derived from it, first in, first out; then its sends."""
        self.handle_to_the_end(act)
        self.accept_sends(act.user_id)

    def handle_to_the_end(self, act: Act) -> None:
        """Handle an event and the ones derived from it."""
        self.entered = []
        self.queue = [act]
        self.handle_queue()

    def handle_queue(self) -> None:
        """Handle the acts that are there, and those that come up meanwhile."""
        while self.queue:
            first = self.queue.pop(0)
            user = self.users[first.user_id]
            self.name_variant(user, first)
            self.cancel_by_exceptions(first)
            self.credit_conversions(first)
            self.enter_by_triggers(first)
            self.note(user, first)

    def name_variant(self, user: User, act: Act) -> None:
        """Say with which variant an interaction was: its own word, else the latest receipt's."""
        receipt = user.peek(act.campaign).receipt
        if act.variant is None and receipt is not None:
            act.variant = receipt.variant
        act.is_control = act.name == "conversion" and act.variant == "control"

    def note(self, user: User, act: Act) -> None:
        """Count the act itself: only now, so that "has never done X" was true of this X."""
        if act.name not in catalogue.ACTS:
            user.events.append(act)
        elif act.campaign is not None:
            user.acts.append(act)
            user.standing(act.campaign)

    def derive(self, act: Act, name: str, slug: str, variant: str | None, *more: str) -> Act:
        """Queue an act that follows from another, with the same T."""
        act_id = derive_id(self.now, name, slug, *more, act.user_id, act.id)
        derived = Act(act_id, act.user_id, name, act.happened_at, act.hops, slug, variant)
        self.queue.append(derived)
        return derived

    def cancel_by_exceptions(self, act: Act) -> None:
        """Step 2: every wait that names the event, where T' <= T < due, is cancelled."""
        user = self.users[act.user_id]
        for slug, _ in self.lives("active"):
            wait = user.peek(slug).wait
            if not wait or not wait.entered_at <= act.happened_at < wait.due:
                continue
            exceptions = exceptions_of(wait.document)
            if not any(matches(exception, act, self.knowledge) for exception in exceptions):
                continue
            self.knowledge.seen[f"cancelled while {'held' if wait.is_held else 'waiting'}"] += 1
            user.standing(slug).wait = None
            self.decide(act.user_id, slug, "cancel", act.id, "exception_event", wait)
            self.derive(act, "exception_event", slug, wait.variant)

    def credit_conversions(self, act: Act) -> None:
        """Step 3 (semantics.md 6): one per conversion event and receipt, inside its window."""
        user = self.users[act.user_id]
        for slug, life in self.lives("active", "stopped"):
            receipt = user.peek(slug).receipt
            for letter, conversion in zip(LETTERS, life.newest.conversions, strict=False):
                if receipt is None or letter in receipt.credited:
                    continue
                closes_at = receipt.at + parse_duration(conversion.within)
                is_open = receipt.at <= act.happened_at <= closes_at
                if not is_open or not matches(conversion, act, self.knowledge):
                    continue
                receipt.credited.append(letter)
                self.decide(
                    act.user_id,
                    slug,
                    "convert",
                    act.id,
                    variant=receipt.variant,
                    conversion_event=letter,
                )
                derived = self.derive(act, "conversion", slug, receipt.variant, letter)
                derived.conversion_event = letter
                derived.properties, derived.purchase = act.properties, act.purchase

    def enter_by_triggers(self, act: Act) -> None:
        """Step 4: for every active campaign the event triggers, the entry checks."""
        for slug, life in self.lives("active"):
            triggers = triggers_of(life.newest)
            if any(matches(trigger, act, self.knowledge) for trigger in triggers):
                self.consider(slug, act)

    def consider(self, slug: str, act: Act) -> None:
        """Enter the user, or say why not."""
        life, user = self.knowledge.lives[slug], self.users[act.user_id]
        reason = refusal(life, user, act, self.knowledge)
        if reason is None and CHAIN_HOPS_MAX in (act.hops, self.entered.count(slug)):
            reason = "chain_limit"
        if reason is not None:
            self.decide(act.user_id, slug, "refuse", act.id, reason)
            return
        self.entered.append(slug)
        if self.is_for_control(life, act.user_id):
            self.enroll(slug, act)
        else:
            self.enter(life, act)

    def is_for_control(self, life: Life, user_id: str) -> bool:
        """semantics.md 5: treated users never become control nor the reverse."""
        standing = self.users[user_id].peek(life.newest.slug)
        is_in_share = bucket_of(life.newest.slug, user_id) < life.newest.control_percent
        return standing.enrolled_at is not None or (standing.last_sent is None and is_in_share)

    def enroll(self, slug: str, act: Act) -> None:
        """The control group: sends nothing, emits control_group_enroll."""
        standing = self.users[act.user_id].standing(slug)
        self.decide(act.user_id, slug, "control", act.id, "control_group")
        standing.enrolled_at = act.happened_at
        standing.receipt = Receipt(act.happened_at, "control", is_control=True)
        self.derive(act, "control_group_enroll", slug, "control").hops += 1

    def enter(self, life: Life, act: Act) -> None:
        """due = T plus the delay, never earlier than now."""
        campaign = life.newest
        due = max(self.due_of(life, act), self.now)
        send_id = derive_id(self.now, "send", campaign.slug, act.user_id, act.id)
        variant = variant_of(campaign, act.user_id).name
        wait = Wait(send_id, act.happened_at, due, campaign, variant, act.hops, act.id)
        self.decide(act.user_id, campaign.slug, "enter", act.id, wait=wait, due=format_instant(due))
        if due <= self.now:
            self.decide_send(act.user_id, wait)
        else:
            self.users[act.user_id].standing(campaign.slug).wait = wait

    def due_of(self, life: Life, act: Act) -> int:
        """Return T plus the delay; local times are the user's."""
        delay, at = delay_of(life.newest), act.happened_at
        zone = zone_of(self.users[act.user_id].attributes, self.knowledge.workspace)
        if any(trigger.did_not for trigger in life.newest.delivery.triggers):
            self.knowledge.seen["delay did_not"] += 1
        if delay is None:
            self.knowledge.seen["delay immediately"] += 1
            return at
        if delay.after is not None:
            self.knowledge.seen["delay after"] += 1
            return at + parse_duration(delay.after)
        assert delay.at is not None
        if delay.on_next is not None:
            self.knowledge.seen["delay on_next"] += 1
            return next_weekday(at, delay.on_next, delay.at, zone)
        assert delay.in_days is not None
        self.knowledge.seen["delay in_days"] += 1
        return in_days(at, delay.in_days, delay.at, zone)

    def decide_send(self, user_id: str, wait: Wait) -> None:
        """At due time: skip, hold, or send by the channels that are open."""
        user, slug = self.users[user_id], wait.document.slug
        verdict = due_verdict(Due(wait, user, self.now, self.knowledge, self.sends))
        if verdict.reason is not None:
            self.decide(user_id, slug, "skip", wait.cause, verdict.reason, wait)
        elif verdict.held_until is not None:
            user.standing(slug).wait = replace(wait, due=verdict.held_until, is_held=True)
        else:
            self.decide(user_id, slug, "send", wait.cause, wait=wait, send_id=wait.send_id)
            user.standing(slug).is_unaccepted = True
            self.sends.append(Send(wait, slug, verdict.channels))

    def accept_sends(self, user_id: str) -> None:
        """Accept what was decided, in order, channel by channel, with all that follows."""
        user = self.users[user_id]
        while self.sends:
            send = self.sends[0]
            standing, life = user.standing(send.slug), self.knowledge.lives[send.slug]
            most = life.newest.delivery.recipients_max
            if most is not None and len(life.sent) >= most:
                self.sends.pop(0)
                standing.is_unaccepted = False
                wait = send.wait
                self.decide(user_id, send.slug, "skip", wait.cause, "recipients_max", wait)
                continue
            life.sent.append(send.wait.send_id)
            standing.last_sent, standing.sent_variant = self.now, send.wait.variant
            is_received = False
            while send.channels:
                channel = send.channels.pop(0)
                if not send.channels:
                    self.sends.pop(0)
                    standing.is_unaccepted = False
                if channel in PUSHED:
                    if not is_received:
                        standing.receipt = Receipt(self.now, send.wait.variant)
                    is_received = True
                    self.receive(user_id, send, channel)

    def receive(self, user_id: str, send: Send, channel: str) -> None:
        """Count a message that was handed over, and handle that it was received."""
        wait = send.wait
        if counts(self.knowledge.lives[send.slug]):
            message = SentMessage(self.now, channel, send.slug, wait.send_id)
            self.users[user_id].messages.append(message)
        act_id = derive_id(self.now, "receive", wait.send_id, channel)
        act = Act(act_id, user_id, f"{channel}_receive", self.now, wait.hops + 1)
        act.campaign, act.variant = send.slug, wait.variant
        self.handle_to_the_end(act)

    def decide(
        self,
        user_id: str,
        slug: str,
        decision: str,
        cause: str,
        reason: str | None = None,
        wait: Wait | None = None,
        **more: str | None,
    ) -> None:
        """Write a decision line."""
        line: dict[str, Any] = {"at": format_instant(self.now), "user_id": user_id}
        line |= {"campaign": slug, "decision": decision, "cause": cause, "reason": reason}
        if wait is not None:
            line |= {"variant": wait.variant}
        line |= more
        self.decided.append({name: value for name, value in line.items() if value is not None})
