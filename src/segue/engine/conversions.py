"""Credit an event to the receipts whose window is open (semantics.md 6)."""

from msgspec.structs import replace

from segue.engine.draft import Act, Draft
from segue.engine.hearing import is_bound, note_conversions
from segue.engine.plan import LETTERS, ConversionRule
from segue.model.events import PURCHASE, Event
from segue.model.ids import derive_id
from segue.model.interactions import CONVERSION
from segue.model.state import Receipt


def convert(draft: Draft, act: Act, rules: list[ConversionRule]) -> None:
    """Credit the act once per conversion event and receipt, to each campaign's latest receipt."""
    if draft.watch is not None:
        note_conversions(draft, act, rules)
    for rule in rules:
        receipt = draft.membership(rule.campaign).receipt
        if receipt is None or receipt.converted >> rule.index & 1:
            continue
        if receipt.at <= act.happened_at <= receipt.at + rule.window and is_bound(
            draft, act, rule.binding
        ):
            _credit(draft, act, rule, receipt)


def _credit(draft: Draft, act: Act, rule: ConversionRule, receipt: Receipt) -> None:
    slug, letter = rule.campaign, LETTERS[rule.index]
    bit = 1 << rule.index
    membership = draft.membership(slug)
    credited = replace(
        membership,
        receipt=replace(receipt, converted=receipt.converted | bit),
        converted=membership.converted | bit,
    )
    draft.set_membership(slug, credited)
    draft.decided(
        act.id, act.now, slug, "convert", variant=receipt.variant, conversion_event=letter
    )
    draft.count(slug, receipt.variant, "conversions", letter)
    if not membership.converted & bit:
        draft.count(slug, membership.arm or receipt.variant, "unique_conversions", letter)
    if act.event.name == PURCHASE and act.event.price is not None:
        revenue = act.event.price * (act.event.quantity or 1)
        detail = f"{letter} {(act.event.currency or '').upper()}".rstrip()
        draft.count(slug, receipt.variant, "revenue", detail, amount=revenue)
    event = Event(
        draft.user_id,
        CONVERSION,
        campaign=slug,
        variant=receipt.variant,
        conversion_event=letter,  # type: ignore[arg-type]
        properties=act.event.properties,
        product_id=act.event.product_id,
        price=act.event.price,
        currency=act.event.currency,
        quantity=act.event.quantity,
    )
    act_id = derive_id(act.now, CONVERSION, slug, letter, draft.user_id, act.id)
    draft.acts.append(Act(event, act.happened_at, act.now, act.hops, act_id))
