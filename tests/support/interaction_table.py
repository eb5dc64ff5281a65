"""The Campaign Connector's table as rows: each interaction and option, what does it, what nearly.

`sale` is the campaign that rows name, `other` one like it; only `sale` bears the tag. `PEOPLE`
says how users stand with both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from segue.engine.bucketing import is_in_control, variant_of
from segue.engine.checks import decode_campaign
from segue.model.interactions import INTERACTIONS
from tests.support.story import Story, campaign

TARGETS: Final = ("sale", "other")
TAG: Final = {"tag": "season"}
BUTTONS: Final = [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}]
PAGES: Final = [{"id": name, "image_url": f"https://shop.test/{name}"} for name in ("p1", "p2")]
LINKS: Final = '<a href="https://shop.test/1" data-alias="cta">1</a>'
MESSAGES: Final[list[dict[str, Any]]] = [
    {"email": {"subject": "Hello", "html": LINKS}},
    {"push": {"title": "Hello", "buttons": BUTTONS, "pages": PAGES}},
    {"sms": {"body": "Hello"}},
    {"webhook": {"url": "https://shop.test/hook"}},
    {"in_app_message": {"body": "Hello", "buttons": BUTTONS}},
    {"content_card": {"title": "Hello"}},
]


class Deed(Protocol):
    """Something a user does with a campaign, now or a while ago."""

    def __call__(self, story: Story, user: str, slug: str, ago: str | None = None) -> None:
        """Let it happen in the story."""


def go(story: Story, user: str, slug: str, ago: str | None = None) -> None:
    """Trigger the campaign: it is sent, or the user waits, or enters the control group."""
    story.happens(user, f"{slug}-go", ago=ago)


def of_target(name: str) -> Deed:
    """Return an event that only the one campaign listens to."""

    def deed(story: Story, user: str, slug: str, ago: str | None = None) -> None:
        story.happens(user, f"{slug}-{name}", ago=ago)

    return deed


def does(name: str, **more: Any) -> Deed:
    """Return a plain act of a person or a mailbox."""

    def deed(story: Story, user: str, slug: str, ago: str | None = None) -> None:
        story.happens(user, name, ago=ago, campaign=slug, **more)

    return deed


@dataclass(frozen=True)
class Try:
    """A deed of one of `PEOPLE`, with one of `TARGETS`."""

    deed: Deed
    who: str = "A"
    slug: str = "sale"


@dataclass(frozen=True)
class Row:
    """An interaction with one choice of options: what does it, and what nearly does."""

    name: str
    option: str  # the one that the row is about, or "plain"
    interaction: str
    spec: dict[str, Any]
    done_by: Try
    near: tuple[Try, ...]

    @property
    def is_prepared(self) -> bool:
        """Whether the campaigns are sent first: not where sending them is the deed."""
        return self.done_by.deed is not go

    @property
    def happening(self) -> dict[str, Any]:
        """The row as a trigger, exception, conversion or filter."""
        return {"interact_with_campaign": {"interaction": self.interaction, **self.spec}}


@dataclass(frozen=True)
class Entry:
    """A line of the table below; the rows are made of it."""

    interaction: str
    option: str
    options: dict[str, Any]
    deed: Deed
    near: tuple[Try, ...]
    who: str = "A"


def entry(interaction: str, deed: Deed, *near: Deed | Try, who: str = "A", **options: Any) -> Entry:
    tries = tuple(one if isinstance(one, Try) else Try(one, who) for one in near)
    named = [name for name in options if name not in INTERACTIONS[interaction].required]
    option = named[0] if named else "plain"
    return Entry(interaction, option, options, deed, tries, who)


IN_CONTROL: Final = Try(go, "control")
buys, rates = of_target("bought"), of_target("rated")
clicks_in_app, clicks_push = does("in_app_message_click"), does("push_button_click")
says_yes, says_no = (does("in_app_message_click", button=one) for one in ("yes", "no"))
cta, footer = (does("email_click", alias=one) for one in ("cta", "footer"))
page_1, page_2 = (does("push_story_page_click", page=one) for one in ("p1", "p2"))
machine_opens, opens = does("email_open", machine=True), does("email_open")
taps, views, sees_card = (
    does(name) for name in ("push_direct_open", "in_app_message_view", "content_card_view")
)

# Each line: the interaction, what does it, what nearly does, and the options.
ENTRIES: Final = (
    entry("in_app_message_view", views, clicks_in_app, sees_card),
    entry("in_app_message_click", says_yes, views),
    entry("in_app_message_click", clicks_in_app, says_yes, body_only=True),
    entry("in_app_message_button_click", says_yes, clicks_in_app),
    entry("in_app_message_button_click", says_yes, says_no, clicks_in_app, button="yes"),
    entry("email_click", footer, opens, does("email_unsubscribe")),
    entry("email_alias_click", cta, footer, does("email_click"), alias="cta"),
    entry("email_open", machine_opens, footer),
    entry("email_machine_open", machine_opens, opens),
    entry("email_other_open", opens, machine_opens),
    entry("push_direct_open", taps, clicks_push),
    entry("push_button_click", does("push_button_click", button="no"), taps),
    entry(
        "push_button_click",
        does("push_button_click", button="yes"),
        does("push_button_click", button="no"),
        button="yes",
    ),
    entry("push_story_page_click", page_2, taps),
    entry("push_story_page_click", page_1, page_2, page="p1"),
    entry("conversion", rates, Try(buys, "control")),
    entry("conversion", buys, rates, conversion_event="A"),
    entry("conversion", rates, buys, conversion_event="B"),
    entry("conversion", buys, who="control", include_control=True),
    entry("email_receive", go, IN_CONTROL),
    entry("email_receive", does("email_delivered"), does("email_bounce"), outcome="delivered"),
    entry("sms_receive", go, IN_CONTROL),
    entry("sms_receive", does("sms_delivered"), does("push_delivered"), outcome="delivered"),
    entry("push_receive", go, IN_CONTROL),
    entry("push_receive", does("push_delivered"), does("sms_delivered"), outcome="delivered"),
    entry("webhook_receive", go, IN_CONTROL),
    entry("sms_short_link_click", does("sms_short_link_click"), footer),
    entry("control_group_enroll", go, Try(go, "A"), who="control"),
    entry("content_card_view", sees_card, does("content_card_click"), views),
    entry("content_card_click", does("content_card_click"), sees_card),
    entry("content_card_dismiss", does("content_card_dismiss"), sees_card),
    entry("alias_click", cta, footer, does("email_click"), alias="cta"),
    # Without a wait, the exception is only an event.
    entry("exception_event", of_target("stop"), Try(of_target("stop"), "newcomer")),
)
# Nobody in the control group has a variant.
NEVER: Final = {("control_group_enroll", "variant")}


def rows() -> Iterator[Row]:
    """Yield every row: each entry with the campaign named; each interaction by the other names."""
    seen: set[str] = set()
    for one in ENTRIES:
        yield _row(one, one.option, {"campaign": "sale"}, Try(one.deed, one.who, "other"))
        if one.interaction not in seen:
            seen.add(one.interaction)
            yield _row(one, "tag", {"campaign": TAG}, Try(one.deed, one.who, "other"))
            yield _row(one, "any", {"campaign": "any"}, by="other")
            if (one.interaction, "variant") not in NEVER:
                named = {"campaign": "sale", "variant": "A"}
                yield _row(one, "variant", named, Try(one.deed, "B"))


def _row(one: Entry, option: str, named: dict[str, Any], *near: Try, by: str = "sale") -> Row:
    value = one.options.get(option)
    return Row(
        name=f"{one.interaction}-{option}" + (f"-{value}" if isinstance(value, str) else ""),
        option=option,
        interaction=one.interaction,
        spec={**named, **one.options},
        done_by=Try(one.deed, one.who, by),
        near=(*one.near, *near),
    )


ROWS: Final = tuple(rows())


def target(slug: str, *, delay: str | None = None) -> dict[str, Any]:
    """Return a campaign that can produce every interaction; exception events where it delays."""
    parts: dict[str, Any] = {"tags": ["season"]} if slug == "sale" else {}
    if delay is not None:
        parts |= {"delay": delay, "exceptions": [{"event": f"{slug}-stop"}]}
    conversions = [{"event": f"{slug}-{name}", "within": "30d"} for name in ("bought", "rated")]
    variants = [{"name": name, "percent": 40, "messages": MESSAGES} for name in ("A", "B")]
    return campaign(
        slug,
        {"event": f"{slug}-go"},
        re_eligibility="always",
        variants=variants,
        control_percent=20,
        conversions=conversions,
        **parts,
    )


def _people() -> dict[str, str]:
    variants = decode_campaign(target("sale")).all_variants()
    found: dict[str, str] = {}
    for number in range(400):
        user = f"u{number}"
        groups = {
            "control" if is_in_control(slug, user, 20) else variant_of(slug, user, variants, 20)
            for slug in TARGETS
        }
        if len(groups) == 1:
            name = groups.pop()
            found.setdefault("newcomer" if name == "A" and "A" in found else name, user)
    return found


# By name, users who stand alike with both targets: in variant A, in B, in the control group.
PEOPLE: Final = _people()


def story_of(row: Row, *listeners: dict[str, Any]) -> Story:
    """Return a story with the targets, and campaigns that listen to the row."""
    delay = "60d" if row.interaction == "exception_event" else None
    return Story(*(target(slug, delay=delay) for slug in TARGETS), *listeners)


def prepare(story: Story, row: Row) -> None:
    """Send the targets to everybody but the newcomer, a minute ago."""
    if row.is_prepared:
        for slug in TARGETS:
            for name in ("A", "B", "control"):
                go(story, PEOPLE[name], slug)
        story.waits("1m")


def listener(slug: str, row: Row, trigger: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a campaign by a channel whose own receipt is not what the row is about."""
    channel: dict[str, Any] = {"webhook": {"url": "https://shop.test/hook"}}
    if row.interaction == "webhook_receive":
        channel = {"push": {"title": "Hello"}}
    return campaign(slug, trigger, messages=[channel], **more)


def did_not(row: Row) -> dict[str, Any]:
    """Return the row as a trigger: that it does not come within a week."""
    return {"did_not": {"interaction": row.interaction, **row.spec, "within": "7d"}}
