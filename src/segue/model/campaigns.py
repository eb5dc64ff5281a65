"""The campaign document (interface.md): what an author writes, as frozen structs.

Shapes only. What the parts mean together is checked in `segue.engine.checks` and compiled in
`segue.engine.plan`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from segue.model.filters import Filter, PropertyCondition
from segue.model.limits import CONVERSIONS_MAX, EXCEPTIONS_MAX, TRIGGERS_MAX, VARIANTS_MAX
from segue.model.messages import Duration, Message, Text

# Alone, `$` also matches before a line's end.
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$(?!\n)", max_length=100)]
Percent = Annotated[int, Meta(ge=0, le=100)]


class Tagged(Struct, frozen=True, forbid_unknown_fields=True):
    """Every campaign that bears a tag."""

    tag: Text


class InteractWithCampaign(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An interaction with another campaign; `campaign` is a slug, an id, a tag or "any"."""

    interaction: str
    campaign: str | Tagged = "any"
    variant: str | None = None
    alias: str | None = None
    button: str | None = None
    page: str | None = None
    conversion_event: Literal["A", "B", "C", "D"] | None = None
    body_only: bool = False
    outcome: Literal["delivered"] | None = None
    include_control: bool = False


class DidNot(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Received the campaign and did not do the interaction `within` a time."""

    interaction: str
    within: Duration
    campaign: str | Tagged = "any"
    variant: str | None = None
    alias: str | None = None
    button: str | None = None
    page: str | None = None


class CustomEvent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A custom event by name, with conditions on its properties."""

    name: Text
    where: list[PropertyCondition] = field(default_factory=list)


class Purchase(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A purchase: any, or of one product, with conditions on its properties."""

    product_id: Text | None = None
    where: list[PropertyCondition] = field(default_factory=list)


class SessionStart(Struct, frozen=True, forbid_unknown_fields=True):
    """The start of a session."""


class Happening(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something a campaign listens to: exactly one of these.

    Triggers, exceptions and conversions are lists of it.
    """

    event: str | CustomEvent | None = None
    purchase: Purchase | None = None
    session_start: SessionStart | None = None
    interact_with_campaign: InteractWithCampaign | None = None


class Trigger(Happening, frozen=True):
    """A happening that enters a user; or, in short, one that did not come in time."""

    did_not: DidNot | None = None


class Conversion(Happening, frozen=True, kw_only=True):
    """A happening that counts as success within a time after receipt (semantics.md 6)."""

    within: Duration = "3d"


class After(Struct, frozen=True, forbid_unknown_fields=True):
    """A delay counted from the trigger, or a pause counted from the last send."""

    after: Duration


class ActionDelivery(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Action-based delivery: any of the triggers starts the wait."""

    triggers: Annotated[list[Trigger], Meta(min_length=1, max_length=TRIGGERS_MAX)]
    type: Literal["action"] = "action"
    delay: Literal["immediately"] | After = "immediately"
    exceptions: Annotated[list[Happening], Meta(max_length=EXCEPTIONS_MAX)] = field(
        default_factory=list
    )


class Variant(Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the campaign's messages, and the share of users who get it."""

    name: Text
    percent: Percent
    messages: Annotated[list[Message], Meta(min_length=1)]


class Campaign(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A campaign as its author wrote it: `messages` for one variant, or `variants`."""

    slug: Slug
    name: Text
    description: str = ""
    tags: list[Text] = field(default_factory=list)
    delivery: ActionDelivery
    audience: Filter | None = None
    re_eligibility: Literal["never", "always"] | After = "never"
    messages: list[Message] = field(default_factory=list)
    variants: Annotated[list[Variant], Meta(max_length=VARIANTS_MAX)] = field(default_factory=list)
    control_percent: Percent = 0
    conversions: Annotated[list[Conversion], Meta(max_length=CONVERSIONS_MAX)] = field(
        default_factory=list
    )

    def all_variants(self) -> list[Variant]:
        """Return the variants; messages at the top are one variant, A, for all but the control."""
        if self.variants:
            return self.variants
        return [Variant(name="A", percent=100 - self.control_percent, messages=self.messages)]
