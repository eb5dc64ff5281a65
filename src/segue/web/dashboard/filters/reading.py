"""From the fields of a form to a filter, with what its buttons do to it.

Every filter has fields `holds` ("no" puts a `not` around it), `kind`, and `was`: the kind whose
fields were shown, which is another one when a kind was just chosen. A form that names a `who`
says everyone, a segment or filters with it.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from segue.model.interactions import INTERACTIONS
from segue.model.limits import FILTER_DEPTH_MAX
from segue.web.dashboard.document_values import (
    OPERATOR_WORDS,
    TAG,
    campaign_value,
    kind_of,
    read_duration,
    read_operators,
    same_or_new,
)
from segue.web.dashboard.filters.kinds import (
    CAMPAIGN_KINDS,
    CHANNELS_OF,
    GROUP_WORDS,
    LEAF_KINDS,
    PAST_KINDS,
    new_leaf,
)
from segue.web.dashboard.form_fields import Fields, Tree, lookup

EDIT_FIELD: Final = "edit_filter"
_BLANKS: Final[Mapping[str, Any]] = {"value": {}, "values": [], "truth": True}
_DEPTH_READ_MAX: Final = 2 * FILTER_DEPTH_MAX  # deeper ones are refused anyway; reading must end


class Edit(Struct, frozen=True):
    """What a button does: adds to the list at a place, as it was shown, or takes away from one."""

    verb: str = ""
    place: str = ""

    def adds_to(self, place: str) -> bool:
        """Return whether a member is added to a list."""
        return (self.verb, self.place) == ("add", place)

    def removes(self, place: str) -> bool:
        """Return whether a member goes."""
        return (self.verb, self.place) == ("remove", place)


def read_audience(fields: Fields, edit: str = "", old: Any = None) -> Tree | None:
    """Return the audience that a form says; None for everyone.

    `edit` is the value of the button that was pressed; `old` is the filter before, of which what
    no field can hold stays as it was where its text is unchanged.
    """
    who, before = fields.text("who"), old if isinstance(old, dict) else None
    match who:
        case "everyone":
            return None
        case "segment":
            slug = fields.text("segment") or lookup(before or {}, "segment")
            return {"segment": slug or ""}
        case "filters" if not fields.has("kind"):
            return {"all": [before if before is not None else new_leaf()]}
        case _:
            return read_filter(fields, edit, old)


def read_filter(fields: Fields, edit: str = "", old: Any = None) -> Tree:
    """Return the filter that a form says at a place."""
    verb, _, place = edit.partition(" ")
    return _read(fields, Edit(verb, place), old, 1)


def _read(fields: Fields, edit: Edit, old: Any, depth: int) -> Tree:
    before = old if isinstance(old, dict) else {}
    if depth > _DEPTH_READ_MAX:
        return new_leaf()
    if fields.has("not.holds"):
        node = _read(fields.at("not"), edit, before.get("not"), depth + 1)
    else:
        node = _read_kind(fields, edit, before, depth)
    return {"not": node} if fields.text("holds") == "no" else node


def _read_kind(fields: Fields, edit: Edit, before: Tree, depth: int) -> Tree:
    kind = fields.text("kind")
    was = fields.text("was") or kind
    if was in GROUP_WORDS:
        members = _read_members(fields, was, edit, before.get(was), depth)
        return {kind if kind in GROUP_WORDS else was: members}
    if kind in GROUP_WORDS:
        return {kind: [_read_leaf(fields, was, was, edit, before)]}
    return _read_leaf(fields, kind, was, edit, before)


def _read_members(fields: Fields, kind: str, edit: Edit, old: Any, depth: int) -> list[Tree]:
    members = []
    for index, one in enumerate(fields.each(kind)):
        if not edit.removes(one.place):
            members.append(_read(one, edit, _at(old, index), depth + 1))
    if edit.adds_to(fields.name(kind)):
        members.append(new_leaf())
    return members


def _read_leaf(fields: Fields, kind: str, was: str, edit: Edit, before: Tree) -> Tree:
    if kind not in LEAF_KINDS:
        kind = was if was in LEAF_KINDS else "attribute"
    if kind != was and not (kind in CAMPAIGN_KINDS and was in CAMPAIGN_KINDS):
        return new_leaf(kind)
    if kind in PAST_KINDS:
        return {kind: _read_past(fields, kind, edit, before.get(kind))}
    if kind in CAMPAIGN_KINDS:
        return {kind: _read_campaign(fields.at(was), kind, before.get(kind))}
    match kind:
        case "attribute":
            name = same_or_new(before.get("attribute"), fields.raw("attribute"))
            return {"attribute": name, **_read_operators(fields, before)}
        case "subscription":
            return {"subscription": _read_subscription(fields, edit)}
        case _:
            return {kind: fields.text(kind)}


def _read_past(fields: Fields, kind: str, edit: Edit, old: Any) -> Any:
    """Return events, purchases or sessions; an event that only has a name may be the name."""
    inner = fields.at(kind)
    before = old if isinstance(old, dict) else {}
    past: Tree = {}
    if kind == "event":
        is_short = fields.has("event")
        typed = fields.raw("event") if is_short else inner.raw("name")
        past["name"] = same_or_new(old if is_short else before.get("name"), typed)
    elif product := same_or_new(before.get("product_id"), inner.raw("product_id")):
        past["product_id"] = product
    if kind != "session" and (where := _read_where(inner, edit, before.get("where"))):
        past["where"] = where
    for name in ("count", "first", "last"):
        if found := _read_operators(inner.at(name), before.get(name)):
            past[name] = found
    if within := read_duration(inner, "within"):
        past["within"] = within
    return past["name"] if kind == "event" and is_short and len(past) == 1 else past


def _read_where(fields: Fields, edit: Edit, old: Any) -> list[Tree]:
    where: list[Tree] = []
    for index, one in enumerate(fields.each("where")):
        if not edit.removes(one.place):
            before = _at(old, index)
            name = same_or_new(before.get("property"), one.raw("property"))
            where.append({"property": name, **_read_operators(one, before)})
    if edit.adds_to(fields.name("where")):
        where.append({"property": "", "eq": {}})
    return where


def _read_operators(fields: Fields, old: Any) -> Tree:
    """Return what something is compared with, and the comparison that was chosen to be added."""
    read = read_operators(fields, old)
    added = fields.text("new_operator")
    if added in OPERATOR_WORDS and added not in read:
        read[added] = _BLANKS.get(kind_of(added), "")
    return read


def _read_campaign(fields: Fields, kind: str, old: Any) -> Tree:
    """Return what was done with which campaigns; options that a kind does not take go."""
    before = old if isinstance(old, dict) else {}
    spec: Tree = {}
    options: tuple[str, ...] = ("alias",) if kind == "clicked" else ()
    if kind == "interact_with_campaign":
        spec["interaction"] = fields.text("interaction")
        found = INTERACTIONS.get(spec["interaction"])
        options = found.options if found is not None else ()
    elif (channel := fields.text("channel")) in dict(CHANNELS_OF[kind]):
        spec["channel"] = channel
    campaign = fields.text("campaign")
    if "campaign" in before and campaign_value(before["campaign"]) == campaign:
        spec["campaign"] = before["campaign"]
    elif campaign not in ("", "any"):  # any is what is meant where nothing is said
        tag = campaign.removeprefix(TAG)
        spec["campaign"] = campaign if tag == campaign else {"tag": tag}
    for name in ("variant", "alias", "button", "page", "conversion_event"):
        value = same_or_new(before.get(name), fields.raw(name))
        if value and (name == "variant" or name in options):
            spec[name] = value
    if "body_only" in options and fields.has("body_only"):
        spec["body_only"] = True
    if "outcome" in options and fields.text("outcome"):
        spec["outcome"] = fields.text("outcome")
    if spec.get("interaction") == "conversion" and fields.has("include_control"):
        spec["include_control"] = True
    if within := read_duration(fields, "within"):
        spec["within"] = within
    return spec


def _read_subscription(fields: Fields, edit: Edit) -> dict[str, str]:
    pairs = {
        one.text("name"): one.text("state")
        for one in fields.each("subscription")
        if one.text("name") and not edit.removes(one.place)
    }
    added = fields.text("subscription.new")
    if added and added not in pairs:
        pairs[added] = "subscribed"
    return pairs


def _at(old: Any, index: int) -> Tree:
    found = old[index] if isinstance(old, list) and index < len(old) else None
    return found if isinstance(found, dict) else {}
