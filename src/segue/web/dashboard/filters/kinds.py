"""The kinds of filters as the builder offers them, with what each compares."""

from typing import Any, Final

from segue.engine.audience import RETARGETING_KINDS
from segue.engine.retargeting import channels_of
from segue.model.channels import CHANNELS
from segue.services.explanations.words import channel_word
from segue.web.dashboard.document_values import OPERATOR_WORDS

GROUP_WORDS: Final = {
    "all": "match all of these",
    "any": "match at least one of these",
}
LEAF_GROUPS: Final = (
    (
        "Profile",
        {
            "attribute": "have an attribute",
            "subscription": "have a subscription",
            "reachable": "can be reached by a channel",
            "segment": "are in a segment",
        },
    ),
    (
        "What they did",
        {
            "event": "did a custom event",
            "purchase": "made a purchase",
            "session": "started a session",
        },
    ),
    (
        "Campaigns",
        {
            "received": "received a campaign",
            "opened": "opened a campaign",
            "clicked": "clicked in a campaign",
            "converted": "converted from a campaign",
            "in_control": "are in a campaign’s control group",
            "interact_with_campaign": "interacted with a campaign in another way",
        },
    ),
)
LEAF_KINDS: Final = tuple(kind for _, words in LEAF_GROUPS for kind in words)
PAST_KINDS: Final = ("event", "purchase", "session")
CAMPAIGN_KINDS: Final = (*RETARGETING_KINDS, "interact_with_campaign")
UNSAID: Final = "needs a value to compare with"
HOLDS_WORDS: Final = (("yes", "Users who"), ("no", "Not users who"))
STATE_WORDS: Final = (
    ("subscribed", "is subscribed"),
    ("opted_in", "is opted in"),
    ("unsubscribed", "is unsubscribed"),
)
COUNT_WORDS: Final = {
    "gte": "at least",
    "eq": "exactly",
    "lte": "at most",
    "gt": "more than",
    "lt": "fewer than",
}
MOMENT_WORDS: Final = {
    name: OPERATOR_WORDS[name] for name in ("in_last", "not_in_last", "before", "after")
}
CHANNEL_WORDS: Final = tuple((one, channel_word(one)) for one in CHANNELS)
CHANNELS_OF: Final = {
    kind: [(one, channel_word(one)) for one in channels_of(kind)] for kind in RETARGETING_KINDS
}


def new_leaf(kind: str = "attribute") -> dict[str, Any]:
    """Return a filter of a kind of which nothing is said yet."""
    match kind:
        case "attribute":
            return {"attribute": "", "eq": {}}
        case "event" | "segment" | "reachable":
            return {kind: ""}
        case "subscription":
            return {kind: {}}
        case "interact_with_campaign":
            return {kind: {"interaction": ""}}
        case _:
            return {kind: {}}


def kind_of_filter(node: Any) -> str:
    """Return which kind a filter is; one of which nothing is said is on an attribute."""
    found = node if isinstance(node, dict) else {}
    kinds = ("not", *GROUP_WORDS, *LEAF_KINDS)
    return next((one for one in kinds if one in found), "attribute")
