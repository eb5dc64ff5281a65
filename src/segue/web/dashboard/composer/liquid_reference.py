"""What templates can say, for the reference beside the messages: names with a word on each."""

from collections.abc import Sequence

from msgspec import Struct

from segue.content.context import CAMPAIGN_MEMBERS, RESERVED_NAMES, TRIGGER_MEMBERS
from segue.content.variables import filter_names
from segue.model.limits import ATTRIBUTES_SHOWN_MAX
from segue.services.profile_samples import ProfileSample

_PLAIN = str.isidentifier


class Entry(Struct, frozen=True):
    """Something to copy into a template, and what it is."""

    code: str
    words: str = ""


class Topic(Struct, frozen=True):
    """Entries of one kind."""

    title: str
    entries: Sequence[Entry]
    hint: str = ""


def liquid_reference(sample: ProfileSample) -> list[Topic]:
    """Return the reference, with the attributes that users have."""
    attributes = [
        Entry(_attribute(name), _filled(share))
        for name, share in list(sample.blank.items())[:ATTRIBUTES_SHOWN_MAX]
    ]
    properties = "what the event, or the program’s call, brought; NAME is a property’s"
    return [
        Topic(
            "Attributes",
            [Entry("{{ user_id }}"), *attributes],
            f"Of {sample.words}." if sample.user_ids else "There are no users yet.",
        ),
        Topic(
            "What started it",
            [
                Entry("{{ event_properties.NAME }}", properties),
                *(Entry(f"{{{{ trigger.{name} }}}}") for name in sorted(TRIGGER_MEMBERS)),
            ],
        ),
        Topic(
            "The campaign",
            [Entry(f"{{{{ campaign.{name} }}}}") for name in sorted(CAMPAIGN_MEMBERS)],
        ),
        Topic(
            "Addresses, in emails",
            [
                Entry("{{ unsubscribe_url }}", "ends what the email’s unsubscribe mode says"),
                Entry("{{ preferences_url }}", "lets users choose what they get"),
                Entry("{{ set_user_to_unsubscribed_url }}", "ends all email"),
            ],
        ),
        Topic(
            "Not sending",
            [Entry("{% abort_message('why') %}", "no message for this user; the reason is kept")],
        ),
        Topic("Filters", [Entry(_FILTERS.get(name, f"| {name}")) for name in filter_names()]),
    ]


# With an argument, where one is needed.
_FILTERS = {
    "default": "| default: 'there'",
    "date": "| date: '%d %B %Y'",
    "append": "| append: '!'",
    "truncate": "| truncate: 40",
    "replace": "| replace: 'a', 'b'",
    "number_with_delimiter": "| number_with_delimiter: ','",
}


def _attribute(name: str) -> str:
    is_reserved = name in RESERVED_NAMES
    if _PLAIN(name) and not is_reserved:
        return f"{{{{ {name} }}}}"
    return f"{{{{ custom_attribute.{name} }}}}" if _PLAIN(name) else f"{{{{ ${{{name}}} }}}}"


def _filled(blank: float) -> str:
    return "never empty" if not blank else f"empty in {blank:.0%}".replace("%", " %")
