"""Does an act satisfy what a rule listens to; and what a watch is told of it."""

from collections.abc import Mapping

from segue.engine.draft import Act, Draft
from segue.engine.happening_trace import conditions_of
from segue.engine.listeners import Listener
from segue.engine.matching import Binding
from segue.engine.plan import LETTERS, ConversionRule, ExceptionRule, TriggerRule
from segue.engine.watching import Heard, Hearing
from segue.model.events import Event
from segue.model.instants import format_duration, to_datetime
from segue.model.state import Membership, Receipt, Wait
from segue.model.traces import Condition, Facts


def is_bound(draft: Draft, act: Act, binding: Binding) -> bool:
    """Return whether an act that has the binding's key satisfies all of it."""
    event = act.event
    if act.is_of_control and not binding.include_control:
        return False
    if binding.variant is not None and binding.variant != event.variant:
        return False
    if binding.is_receipt and not _is_receipt(draft, act):
        return False
    return binding.test is None or binding.test(event, act.happened_at)


def _is_receipt(draft: Draft, act: Act) -> bool:
    """Return whether an act is the one by which the user received its campaign."""
    receipt = draft.membership(act.event.campaign or "").receipt
    return receipt is not None and receipt.at == act.happened_at


def variant_done_with(event: Event, memberships: Mapping[str, Membership]) -> str | None:
    """Return the variant an interaction was with: its own word, else the latest receipt's."""
    if event.variant is not None or event.campaign is None:
        return event.variant
    membership = memberships.get(event.campaign)
    receipt = membership.receipt if membership is not None else None
    return receipt.variant if receipt is not None else None


def note_triggers(draft: Draft, act: Act, rules: list[TriggerRule]) -> None:
    """Tell the watch of the triggers whose key an act has; the first that fits is considered."""
    considered: set[str] = set()
    for rule in rules:
        slug = rule.campaign.slug
        if draft.watch is None or not draft.watch.is_about(slug):
            continue
        conditions = _conditions(draft, act, rule.listener)
        outcome: Hearing = "passed_over" if slug in considered else "considered"
        if _note(draft, slug, rule.listener, outcome, {"conditions": conditions}):
            considered.add(slug)


def note_exceptions(draft: Draft, act: Act, rules: list[ExceptionRule]) -> None:
    """Tell the watch of the exceptions whose key an act has, before they cancel anything.

    A wait hears the exceptions of its own version; where nobody waits, or the newest version
    alone has the exception, the newest version's is told of.
    """
    cancelled: set[str] = set()
    heard = {(rule.campaign, rule.version, rule.listener.path) for rule in rules}
    for rule in rules:
        slug, path = rule.campaign, rule.listener.path
        if draft.watch is None or not draft.watch.is_about(slug):
            continue
        wait = draft.membership(slug).wait
        is_own = wait is not None and wait.version == rule.version
        if not is_own and (
            rule.version != draft.plan.campaigns[slug].newest.number
            or (wait is not None and (slug, wait.version, path) in heard)
        ):
            continue
        outcome = _exception_outcome(act, rule, wait)
        if outcome == "cancelled" and slug in cancelled:
            outcome = "passed_over"
        facts = _exception_facts(act, rule, wait)
        facts["conditions"] = _conditions(draft, act, rule.listener)
        if _note(draft, slug, rule.listener, outcome, facts) and outcome == "cancelled":
            cancelled.add(slug)


def _exception_outcome(act: Act, rule: ExceptionRule, wait: Wait | None) -> Hearing:
    if wait is None:
        return "nobody_waiting"
    if wait.version != rule.version:
        return "other_version"
    if act.happened_at < wait.entered_at:
        return "before_wait"
    return "cancelled" if act.happened_at < wait.due_at else "after_due"


def _exception_facts(act: Act, rule: ExceptionRule, wait: Wait | None) -> Facts:
    facts: Facts = {"happened_at": to_datetime(act.happened_at), "version": rule.version}
    if wait is not None:
        facts["waits_since"] = to_datetime(wait.entered_at)
        facts["due_at"] = to_datetime(wait.due_at)
        facts["wait_version"] = wait.version
    return facts


def note_conversions(draft: Draft, act: Act, rules: list[ConversionRule]) -> None:
    """Tell the watch of the conversion events whose key an act has, before any is credited."""
    for rule in rules:
        if draft.watch is None or not draft.watch.is_about(rule.campaign):
            continue
        receipt = draft.membership(rule.campaign).receipt
        facts: Facts = {
            "conditions": _conditions(draft, act, rule.listener),
            "conversion_event": LETTERS[rule.index],
            "within": format_duration(rule.window),
            "happened_at": to_datetime(act.happened_at),
        }
        if receipt is not None:
            facts["received_at"] = to_datetime(receipt.at)
            facts["until"] = to_datetime(receipt.at + rule.window)
            facts["is_control"] = receipt.is_control
        outcome = _conversion_outcome(act, rule, receipt)
        _note(draft, rule.campaign, rule.listener, outcome, facts)


def _conversion_outcome(act: Act, rule: ConversionRule, receipt: Receipt | None) -> Hearing:
    if receipt is None:
        return "no_receipt"
    if receipt.converted >> rule.index & 1:
        return "already_credited"
    if act.happened_at < receipt.at:
        return "before_receipt"
    return "credited" if act.happened_at <= receipt.at + rule.window else "window_closed"


def _conditions(draft: Draft, act: Act, listener: Listener) -> list[Condition]:
    variant = variant_done_with(act.event, draft.memberships)
    conditions = conditions_of(
        listener.happening, act.event, act.happened_at, variant, act.is_of_control
    )
    if listener.is_receipt:
        is_receipt = _is_receipt(draft, act)
        conditions.append(Condition("is_receipt", "eq", True, is_receipt, is_receipt))
    return conditions


def _note(draft: Draft, campaign: str, listener: Listener, outcome: Hearing, facts: Facts) -> bool:
    """Note what was heard, and return whether all its conditions hold."""
    is_matched = all(condition.is_passed for condition in facts["conditions"])
    if draft.watch is not None:
        heard = outcome if is_matched else "unmatched"
        draft.watch.seen.append(Heard(campaign, listener.role, listener.path, heard, facts))
    return is_matched
