"""The closed list of reasons: why a user was refused, cancelled or skipped, as a sentence."""

from typing import Final, Literal, get_args

REASONS: Final[dict[str, str]] = {
    # refuse: a trigger that did not enter (semantics.md 3)
    "published_after_event": "It happened before this campaign was published.",
    "outside_window": "It was before the campaign's window, or after its end.",
    "not_in_audience": "The user was not in the audience at that moment.",
    "not_re_eligible": "The user has had this campaign, and may not have it again yet.",
    "already_waiting": "The user was already waiting for this campaign.",
    "chain_limit": "Too many campaigns had followed each other with nobody acting in between.",
    # control
    "control_group": "The user is in the campaign's control group, which gets nothing.",
    # cancel: a wait that ended before it was due
    "exception_event": "The user did what the campaign names as an exception.",
    "campaign_stopped": "The campaign was stopped.",
    "campaign_archived": "The campaign was archived.",
    # skip: due, and not sent
    "outside_time_of_day": "It was outside the hours in which the campaign sends.",
    "quiet_hours": "It was in the quiet hours of the user's day.",
    "unsubscribed": "The user has unsubscribed from every channel of this campaign.",
    "not_opted_in": "The campaign goes to those alone who opted in, and the user has not.",
    "unreachable": "The user's address no longer accepts messages.",
    "no_address": "The user has no address for this channel.",
    "suppressed": "The address is on the suppression list.",
    "frequency_cap": "The user has had as many messages as the workspace's caps allow.",
    "recipients_max": "The campaign had been sent to as many users as it may reach.",
    "rate_limited": "Its turn did not come in time: the campaign or the provider takes so few.",
    "aborted": "The message's template aborted it for this user.",
    "template_error": "The message's template failed for this user.",
    "refused": "The provider refused the message.",
    "gave_up": "The provider could not be reached in the time allowed.",
    "unknown_outcome": "Segue was cut off during hand-over and cannot know whether it went out.",
}

# Why a message that did not go out may do so later, if somebody mends what was wrong: the
# provider's settings or account, the template, or nothing but a cable. Those messages are kept as
# dead letters. The others ended as somebody wanted (`aborted`, caps, limits, a stopped campaign),
# or for what only the user can change (`unsubscribed`, `unreachable`, `no_address`).
Mendable = Literal["refused", "gave_up", "template_error", "unknown_outcome"]
MENDABLE: Final[tuple[Mendable, ...]] = get_args(Mendable)
