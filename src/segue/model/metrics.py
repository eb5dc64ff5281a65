"""The closed list of metrics: what is counted of each campaign (semantics.md 7).

All are counted by variant; messages and what is done with them also by channel.
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

MetricName = Literal[
    "entered",
    "entered_by",
    "refused",
    "waiting",
    "waiting_by",
    "cancelled",
    "cancelled_by",
    "skipped",
    "control",
    "unique_control",
    "recipients",
    "received",
    "unique_received",
    "sent",
    "failed",
    "messages_skipped",
    "delivered",
    "unique_delivered",
    "bounced",
    "unique_bounced",
    "opens",
    "unique_opens",
    "machine_opens",
    "unique_machine_opens",
    "clicks",
    "unique_clicks",
    "alias_clicks",
    "unique_alias_clicks",
    "button_clicks",
    "unique_button_clicks",
    "page_clicks",
    "unique_page_clicks",
    "impressions",
    "unique_impressions",
    "dismissals",
    "unique_dismissals",
    "unsubscribes",
    "unique_unsubscribes",
    "spam_reports",
    "unique_spam_reports",
    "conversions",
    "unique_conversions",
    "revenue",
]

# count: how often; unique: once for each user, or for each user and receipt; gauge: how many
# there are; money: amounts, which only add up within a currency.
MetricKind = Literal["count", "unique", "gauge", "money"]
# A connection is the act and the campaign it was with, as "spring-sale/email_click".
DetailKind = Literal["reason", "connection", "alias", "button", "page", "conversion_event"]


class Metric(Struct, frozen=True):
    """One metric. `unique` is its counterpart that counts a user, or a receipt, once."""

    name: MetricName
    label: str
    sentence: str
    kind: MetricKind = "count"
    detail: DetailKind | None = None
    unique: MetricName | None = None
    has_channel: bool = False


_ENTRIES: Final = (
    Metric("entered", "Entered", "A trigger entered the user: into the wait, or at once."),
    Metric(
        "entered_by",
        "Entered by connection",
        "Those of the entries that an interaction with a campaign began.",
        detail="connection",
    ),
    Metric("refused", "Refused", "A trigger did not enter the user.", detail="reason"),
    Metric(
        "waiting",
        "Waiting",
        "Users whose wait is not over, those held by quiet hours among them.",
        kind="gauge",
    ),
    Metric(
        "waiting_by",
        "Waiting by connection",
        "Those of the waiting users whose wait an interaction with a campaign began.",
        kind="gauge",
        detail="connection",
    ),
    Metric("cancelled", "Cancelled", "A wait was ended before it was due.", detail="reason"),
    Metric(
        "cancelled_by",
        "Cancelled by connection",
        "Those of the cancelled waits that an interaction with a campaign had begun.",
        detail="connection",
    ),
    Metric("skipped", "Skipped", "A wait was over and nothing was sent.", detail="reason"),
    Metric(
        "control",
        "Control",
        "A trigger enrolled the user in the control group.",
        unique="unique_control",
    ),
    Metric(
        "unique_control",
        "Users in control",
        "A user was enrolled in the control group for the first time.",
        kind="unique",
    ),
)

_SENDS: Final = (
    Metric(
        "recipients", "Sends", "A send had its first message handed over, on whichever channel."
    ),
    Metric(
        "received",
        "Received",
        "A user received the campaign: at hand-over, or where the message is shown in an app, "
        "at its first view. Conversions count from here.",
        unique="unique_received",
    ),
    Metric(
        "unique_received",
        "Users who received it",
        "A user received the campaign for the first time.",
        kind="unique",
    ),
)

_MESSAGES: Final = (
    Metric("sent", "Sent", "A message was handed over: its provider accepted it."),
    Metric("failed", "Failed", "A message was refused by its provider.", detail="reason"),
    Metric(
        "messages_skipped",
        "Messages skipped",
        "A message of a send was not made or not handed over, whatever its other channels did.",
        detail="reason",
    ),
    Metric(
        "delivered",
        "Delivered",
        "A provider reported that a message arrived.",
        unique="unique_delivered",
    ),
    Metric(
        "unique_delivered",
        "Unique delivered",
        "The first such report of a receipt and channel.",
        kind="unique",
    ),
    Metric(
        "bounced",
        "Bounced",
        "A message that had been accepted came back.",
        unique="unique_bounced",
    ),
    Metric("unique_bounced", "Unique bounced", "The first bounce of a receipt.", kind="unique"),
)

_ACTS: Final = (
    Metric(
        "opens",
        "Opens",
        "A person opened an email or a push notification.",
        unique="unique_opens",
    ),
    Metric(
        "unique_opens", "Unique opens", "The first open of a receipt and channel.", kind="unique"
    ),
    Metric(
        "machine_opens",
        "Machine opens",
        "A mail program or a scanner loaded the pixel, with nobody looking.",
        unique="unique_machine_opens",
    ),
    Metric(
        "unique_machine_opens",
        "Unique machine opens",
        "The first machine open of a receipt.",
        kind="unique",
    ),
    Metric(
        "clicks",
        "Clicks",
        "A link, a button, a page or the body of a message was clicked.",
        unique="unique_clicks",
    ),
    Metric(
        "unique_clicks",
        "Unique clicks",
        "The first click of a receipt and channel, on whatever it was.",
        kind="unique",
    ),
    Metric(
        "alias_clicks",
        "Clicks by alias",
        "Those of the clicks that were on a link, by its alias.",
        detail="alias",
        unique="unique_alias_clicks",
    ),
    Metric(
        "unique_alias_clicks",
        "Unique clicks by alias",
        "The first click of a receipt on the links of an alias.",
        kind="unique",
        detail="alias",
    ),
    Metric(
        "button_clicks",
        "Clicks by button",
        "Those of the clicks that were on a button, by its id.",
        detail="button",
        unique="unique_button_clicks",
    ),
    Metric(
        "unique_button_clicks",
        "Unique clicks by button",
        "The first click of a receipt and channel on a button.",
        kind="unique",
        detail="button",
    ),
    Metric(
        "page_clicks",
        "Clicks by page",
        "Those of the clicks that were on a page of a push story, by its id.",
        detail="page",
        unique="unique_page_clicks",
    ),
    Metric(
        "unique_page_clicks",
        "Unique clicks by page",
        "The first click of a receipt on a page.",
        kind="unique",
        detail="page",
    ),
    Metric(
        "impressions",
        "Impressions",
        "An in-app message or a content card was displayed.",
        unique="unique_impressions",
    ),
    Metric(
        "unique_impressions",
        "Unique impressions",
        "The first display of a receipt and channel.",
        kind="unique",
    ),
    Metric("dismissals", "Dismissals", "A content card was dismissed.", unique="unique_dismissals"),
    Metric(
        "unique_dismissals",
        "Unique dismissals",
        "The first dismissal of a receipt.",
        kind="unique",
    ),
    Metric(
        "unsubscribes",
        "Unsubscribes",
        "A user unsubscribed by a link of this campaign, or by a word in answer to its SMS.",
        unique="unique_unsubscribes",
    ),
    Metric(
        "unique_unsubscribes",
        "Unique unsubscribes",
        "The first unsubscribe of a receipt.",
        kind="unique",
    ),
    Metric(
        "spam_reports",
        "Spam reports",
        "A user reported a message of this campaign as spam.",
        unique="unique_spam_reports",
    ),
    Metric(
        "unique_spam_reports",
        "Unique spam reports",
        "The first spam report of a receipt.",
        kind="unique",
    ),
)

_CONVERSIONS: Final = (
    Metric(
        "conversions",
        "Conversions",
        "A conversion event happened in its window: once for each of A to D and receipt.",
        detail="conversion_event",
        unique="unique_conversions",
    ),
    Metric(
        "unique_conversions",
        "Users who converted",
        "A user did a conversion event for the first time, under the variant they received first.",
        kind="unique",
        detail="conversion_event",
    ),
    Metric(
        "revenue",
        "Revenue",
        "Price times quantity of the purchases that were conversions, by conversion event and "
        "currency.",
        kind="money",
        detail="conversion_event",
    ),
)

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *_ENTRIES,
        *_SENDS,
        *(replace(one, has_channel=True) for one in (*_MESSAGES, *_ACTS)),
        *_CONVERSIONS,
    )
}
