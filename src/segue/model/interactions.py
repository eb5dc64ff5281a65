"""The Campaign Connector's catalogue: each interaction and the plain act that it is a reading of.

What is logged is the plain act; several interactions may read the same act (semantics.md 2).
"""

from typing import Final, Literal

from msgspec import Struct

from segue.model.channels import Channel

Option = Literal["alias", "button", "page", "conversion_event", "body_only", "outcome"]
Reading = Literal["any", "machine", "person", "aliased", "button"]


class Interaction(Struct, frozen=True):
    """One row of the table in semantics.md 2."""

    name: str
    label: str
    act: str
    channel: Channel | None
    reading: Reading = "any"
    options: tuple[Option, ...] = ()
    required: tuple[Option, ...] = ()


_ROWS: Final = (
    Interaction(
        "in_app_message_view", "View in-app message", "in_app_message_view", "in_app_message"
    ),
    Interaction(
        "in_app_message_click",
        "Click in-app message",
        "in_app_message_click",
        "in_app_message",
        options=("body_only",),
    ),
    Interaction(
        "in_app_message_button_click",
        "Click in-app message button",
        "in_app_message_click",
        "in_app_message",
        reading="button",
        options=("button",),
    ),
    Interaction("email_click", "Click email", "email_click", "email"),
    Interaction(
        "email_alias_click",
        "Click alias in email",
        "email_click",
        "email",
        reading="aliased",
        options=("alias",),
        required=("alias",),
    ),
    Interaction("email_open", "Open email", "email_open", "email"),
    Interaction(
        "email_machine_open", "Open email (machine)", "email_open", "email", reading="machine"
    ),
    Interaction("email_other_open", "Open email (person)", "email_open", "email", reading="person"),
    Interaction("push_direct_open", "Directly open push notification", "push_direct_open", "push"),
    Interaction(
        "push_button_click",
        "Click push notification button",
        "push_button_click",
        "push",
        options=("button",),
    ),
    Interaction(
        "push_story_page_click",
        "Click push story page",
        "push_story_page_click",
        "push",
        options=("page",),
    ),
    Interaction(
        "conversion", "Perform conversion event", "conversion", None, options=("conversion_event",)
    ),
    Interaction("email_receive", "Receive email", "email_receive", "email", options=("outcome",)),
    Interaction("sms_receive", "Receive SMS", "sms_receive", "sms", options=("outcome",)),
    Interaction(
        "push_receive", "Receive push notification", "push_receive", "push", options=("outcome",)
    ),
    Interaction("webhook_receive", "Receive webhook", "webhook_receive", "webhook"),
    Interaction("sms_short_link_click", "Click shortened SMS link", "sms_short_link_click", "sms"),
    Interaction(
        "control_group_enroll", "Are enrolled in the control group", "control_group_enroll", None
    ),
    Interaction("content_card_view", "View content card", "content_card_view", "content_card"),
    Interaction("content_card_click", "Click content card", "content_card_click", "content_card"),
    Interaction(
        "content_card_dismiss", "Dismiss content card", "content_card_dismiss", "content_card"
    ),
    Interaction(
        "alias_click",
        "Click alias in any campaign",
        "email_click",
        None,
        reading="aliased",
        options=("alias",),
        required=("alias",),
    ),
    Interaction("exception_event", "Perform exception event", "exception_event", None),
)

# The one act that tells a control group from the treated: followers have to ask for it.
CONVERSION: Final = "conversion"

INTERACTIONS: Final[dict[str, Interaction]] = {row.name: row for row in _ROWS}

# Receipts of the provider: with `outcome: delivered` a receive waits for these instead.
DELIVERED_ACTS: Final[dict[str, str]] = {
    "email_receive": "email_delivered",
    "sms_receive": "sms_delivered",
    "push_receive": "push_delivered",
}

# The engine derives these from the log itself; a log may repeat them, a client may not send them.
DERIVED_ACTS: Final = frozenset(
    (
        "email_receive",
        "sms_receive",
        "push_receive",
        "webhook_receive",
        "conversion",
        "control_group_enroll",
        "exception_event",
    )
)

# Acts of a person or a mailbox that no interaction reads, but the counters do.
COUNTED_ACTS: Final = frozenset(
    (
        "email_bounce",
        "email_spam_report",
        "email_unsubscribe",
        "sms_bounce",
        "sms_undelivered",
        "sms_unsubscribe",
        *DELIVERED_ACTS.values(),
    )
)

ACTS: Final = frozenset(row.act for row in _ROWS) | COUNTED_ACTS

# The receive interaction that comes before each other one: what `did_not` waits after.
RECEIVE_BY_CHANNEL: Final[dict[Channel, str]] = {
    "email": "email_receive",
    "push": "push_receive",
    "sms": "sms_receive",
    "webhook": "webhook_receive",
    "in_app_message": "in_app_message_view",
    "content_card": "content_card_view",
}

# They change the profile whatever becomes of their campaign.
PROFILE_ACTS: Final = frozenset(
    ("email_bounce", "email_spam_report", "email_unsubscribe", "sms_bounce", "sms_unsubscribe")
)

VIEW_ACTS: Final = frozenset(("in_app_message_view", "content_card_view"))


def receives_before(interaction: str) -> list[str]:
    """Return the receipts that come before an interaction: of its channel, or else of any."""
    channel = INTERACTIONS[interaction].channel
    return [name for of, name in RECEIVE_BY_CHANNEL.items() if channel in (None, of)]
