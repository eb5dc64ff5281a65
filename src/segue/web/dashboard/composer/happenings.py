"""Triggers, exceptions and conversions in forms: what somebody does, with its conditions."""

from typing import Any, Final

from segue.model.interactions import INTERACTIONS
from segue.web.dashboard.document_values import TAG, read_duration, read_operators, same_or_new
from segue.web.dashboard.form_fields import Fields, Tree

KIND_WORDS: Final = {
    "interact_with_campaign": "interacts with a campaign",
    "event": "does a custom event",
    "purchase": "makes a purchase",
    "session_start": "starts a session",
    "did_not": "did not do something with a campaign in time",
}
TRIGGER_KINDS: Final = tuple(KIND_WORDS)
HAPPENING_KINDS: Final = TRIGGER_KINDS[:-1]
_OPTIONS: Final = ("alias", "button", "page", "conversion_event")


def new_interaction() -> Tree:
    """Return a happening of which nothing is said yet."""
    return {"interact_with_campaign": {"interaction": "", "campaign": ""}}


def kind_of_happening(happening: Any) -> str:
    """Return which kind a happening is; of none, an interaction that is still to be chosen."""
    found = happening if isinstance(happening, dict) else {}
    return next((one for one in KIND_WORDS if found.get(one) is not None), "interact_with_campaign")


def read_happenings(fields: Fields, name: str, old: Any) -> list[Tree]:
    """Return a list of happenings, each by what stood at its place."""
    earlier = old if isinstance(old, list) else []
    return [
        read_happening(one, earlier[index] if index < len(earlier) else {})
        for index, one in enumerate(fields.each(name))
    ]


def read_happening(fields: Fields, old: Any) -> Tree:
    """Return what one says; of a kind that was just chosen, its beginning."""
    before = old if isinstance(old, dict) else {}
    kind = fields.text("kind")
    if kind not in KIND_WORDS:
        kind = kind_of_happening(before)
    inner, earlier = fields.at(kind), before.get(kind)
    match kind:
        case "event":
            return {"event": _read_event(fields, earlier)}
        case "purchase":
            return {"purchase": _read_purchase(inner, earlier)}
        case "session_start":
            return {"session_start": {}}
        case _:
            spec = _read_interaction(inner, earlier if isinstance(earlier, dict) else {})
            if kind == "did_not":
                spec = {"interaction": spec.pop("interaction"), **spec}
                spec["within"] = read_duration(inner, "within")
                for name in ("body_only", "outcome", "include_control"):
                    spec.pop(name, None)
            return {kind: spec}


def _read_event(fields: Fields, old: Any) -> Any:
    """Return an event: its name alone, unless it has conditions or was written out."""
    is_long = isinstance(old, dict)
    old_name = old.get("name") if is_long else old
    inner = fields.at("event")
    typed = inner.raw("name") if fields.has("event.name") else fields.raw("event")
    name = same_or_new(old_name, typed)
    where = _read_where(inner, old.get("where") if is_long else None)
    if not is_long and not where:
        return name
    return {"name": name, **({"where": where} if where else {})}


def _read_purchase(fields: Fields, old: Any) -> Tree:
    before = old if isinstance(old, dict) else {}
    product = same_or_new(before.get("product_id"), fields.raw("product_id"))
    where = _read_where(fields, before.get("where"))
    return {**({"product_id": product} if product else {}), **({"where": where} if where else {})}


def _read_where(fields: Fields, old: Any) -> list[Tree]:
    """Return conditions on properties; the last field is one more, if a property is named."""
    earlier = old if isinstance(old, list) else []
    where = []
    for index, one in enumerate(fields.each("where")):
        before = earlier[index] if index < len(earlier) else {}
        name = same_or_new(before.get("property"), one.raw("property"))
        if name or index < len(earlier):
            where.append({"property": name, **read_operators(one, before)})
    return where


def _read_interaction(fields: Fields, old: Tree) -> Tree:
    if not old and not fields.has("interaction"):
        return {"interaction": "", "campaign": ""}  # this kind was only just chosen
    name = fields.text("interaction")
    campaign = fields.text("campaign") or ("" if fields.has("campaign") else old.get("campaign"))
    spec: Tree = {"interaction": name, "campaign": _campaign_of(campaign, old.get("campaign"))}
    if spec["campaign"] is None:
        spec.pop("campaign")
    interaction = INTERACTIONS.get(name)
    taken = interaction.options if interaction is not None else ()
    for option in ("variant", *_OPTIONS):
        value = same_or_new(old.get(option), fields.raw(option))
        if value and (option == "variant" or option in taken):
            spec[option] = value
        elif option in taken and interaction is not None and option in interaction.required:
            spec[option] = ""
    if "body_only" in taken and fields.has("body_only"):
        spec["body_only"] = True
    if "outcome" in taken and fields.text("outcome"):
        spec["outcome"] = fields.text("outcome")
    if name == "conversion" and fields.has("include_control"):
        spec["include_control"] = True
    return spec


def _campaign_of(value: Any, old: Any) -> Any:
    if isinstance(value, str) and value.startswith(TAG):
        return {"tag": value.removeprefix(TAG)}
    if value == "any" and old is None:
        return None  # as it was: any is what is meant where nothing is said
    return value
