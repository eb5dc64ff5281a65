"""The reference cannot fall behind: it has every interaction, and every field of the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct, inspect

from segue.model import campaigns, filters, messages, workspace
from segue.model.interactions import DELIVERED_ACTS, DERIVED_ACTS, INTERACTIONS, Interaction

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
ROOTS = (campaigns.Campaign, workspace.Segment, workspace.Workspace)

# The heading under which each struct's fields stand.
HEADINGS: Final[dict[type[Struct], str]] = {
    campaigns.Campaign: "campaign",
    campaigns.Delivery: "delivery",
    campaigns.Trigger: "triggers",
    campaigns.Happening: "exceptions",
    campaigns.Conversion: "conversions",
    campaigns.CustomEvent: "event",
    campaigns.Purchase: "purchase",
    campaigns.InteractWithCampaign: "interact_with_campaign",
    campaigns.DidNot: "did_not",
    campaigns.Schedule: "schedule",
    campaigns.Delay: "delay",
    campaigns.Window: "window",
    campaigns.TimeOfDay: "time_of_day",
    campaigns.After: "after",
    campaigns.Variant: "variant",
    messages.Message: "message",
    messages.Email: "email",
    messages.Push: "push",
    messages.Button: "button",
    messages.StoryPage: "page",
    messages.Sms: "sms",
    messages.Webhook: "webhook",
    messages.InAppMessage: "in_app_message",
    messages.ContentCard: "content_card",
    filters.PropertyCondition: "where",
    filters.Tagged: "tag",
    filters.Filter: "filter",
    filters.PastEvent: "past events",
    filters.PastPurchase: "past purchases",
    filters.PastSession: "past sessions",
    filters.CountCondition: "count",
    filters.MomentCondition: "moment",
    filters.Retargeting: "retargeting",
    filters.PastInteraction: "past interaction",
    workspace.Segment: "segment",
    workspace.Workspace: "workspace",
    workspace.QuietHours: "quiet_hours",
    workspace.Cap: "cap",
    workspace.ChannelPolicy: "channel policy",
    workspace.SubscriptionGroup: "subscription group",
}
EMPTY: Final = {campaigns.SessionStart}  # it has no fields


def sections_of(page: str) -> dict[str, str]:
    """Return what stands under each heading."""
    parts = re.split(r"^## (.+)\n", (REFERENCE / page).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def structs_in(type_: Any, seen: set[type[Struct]]) -> Iterator[inspect.StructType]:
    """Yield every struct that a type is made of, each once."""
    if isinstance(type_, inspect.StructType):
        if type_.cls in seen:
            return
        seen.add(type_.cls)
        yield type_
        for field in type_.fields:
            yield from structs_in(field.type, seen)
    for name in ("types", "item_type", "key_type", "value_type"):
        inner = getattr(type_, name, ())
        for one in inner if isinstance(inner, tuple) else (inner,):
            yield from structs_in(one, seen)


def all_structs() -> list[inspect.StructType]:
    seen: set[type[Struct]] = set()
    return [one for root in ROOTS for one in structs_in(inspect.type_info(root), seen)]


def rows_of(section: str) -> list[str]:
    return re.findall(r"^\| `?(\w+)`? \| [^|]+ \|$", section, re.MULTILINE)


def documented(heading: str) -> list[str]:
    """Return the fields under a heading; operators stand in a table of their own."""
    sections = sections_of("campaign.md")
    rows = rows_of(sections[heading])
    return [*rows, *rows_of(sections["operators"])] if "operators" in rows else rows


@pytest.mark.parametrize("struct", all_structs(), ids=lambda one: one.cls.__name__)
def test_every_field_of_a_document_has_its_row(struct: inspect.StructType) -> None:
    if struct.cls in EMPTY:
        assert not struct.fields
        return
    rows = documented(HEADINGS[struct.cls])
    assert sorted({*rows} - {"operators"}) == sorted(one.encode_name for one in struct.fields)


def test_every_heading_of_the_documents_is_that_of_a_struct() -> None:
    assert {*HEADINGS.values(), "operators"} == set(sections_of("campaign.md"))
    assert {one.cls for one in all_structs()} == {*HEADINGS, *EMPTY}


def test_every_interaction_has_its_heading_and_no_other_has() -> None:
    assert {*INTERACTIONS, "did_not"} == set(sections_of("interactions.md"))


@pytest.mark.parametrize("row", INTERACTIONS.values(), ids=lambda row: row.name)
def test_the_page_tells_an_interactions_act_and_options(row: Interaction) -> None:
    section = sections_of("interactions.md")[row.name]
    [act] = re.findall(r"^Act: `(\w+)`(.*)\.$", section, re.MULTILINE)
    assert act[0] == row.act
    assert (act[1] == ", by Segue") == (row.act in DERIVED_ACTS)
    options = " ".join(re.findall(r"^Options: (.+)$", section, re.MULTILINE))
    told = set(re.findall(r"`(\w+)(?:: delivered)?`", options)) - {*DELIVERED_ACTS.values()}
    wanted = {*row.options} | ({"include_control"} if row.name == "conversion" else set())
    assert told == wanted
    assert ("must be given" in options) == bool(row.required)


def test_the_page_tells_what_did_not_takes() -> None:
    section = sections_of("interactions.md")["did_not"]
    options = " ".join(re.findall(r"^Options: (.+)$", section, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", options)) == set(campaigns.DidNot.__struct_fields__)
