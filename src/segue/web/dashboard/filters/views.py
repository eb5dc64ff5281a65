"""What the templates show of a filter: each part with its place in the form and in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from segue.model.limits import FILTER_DEPTH_MAX
from segue.services.audiences import filter_clause
from segue.services.explanations.words import Words
from segue.services.suggestions import Suggestions
from segue.web.dashboard import document_values
from segue.web.dashboard.document_values import TAG, loose, operand_text
from segue.web.dashboard.filters.kinds import (
    CHANNEL_WORDS,
    CHANNELS_OF,
    COUNT_WORDS,
    GROUP_WORDS,
    HOLDS_WORDS,
    LEAF_GROUPS,
    MOMENT_WORDS,
    STATE_WORDS,
    kind_of_filter,
)
from segue.web.dashboard.form_fields import Tree

_TURNED: Final = ("holds", "does not hold")


def plain_operand_text(operator: str, operand: Any) -> str:
    """Return what an operator compares with; a number that is whole without its ".0"."""
    is_whole = isinstance(operand, float) and operand.is_integer()
    return operand_text(operator, int(operand) if is_whole else operand)


class FilterView(Struct, frozen=True):
    """A filter in a form.

    `turns` are the places with a field that says whether it holds, "yes" or "no": those of each
    `not` around it, and at last its own, `place`.
    """

    place: str
    turns: Sequence[tuple[str, str]]
    kind: str
    node: Any
    sentence: str  # "" where it is not whole
    members: Sequence["FilterView"] = ()
    can_have_groups: bool = True
    number: str = ""  # such as "2.1": the first of the second

    @property
    def outer(self) -> str:
        """The place that goes when it is removed."""
        return self.turns[0][0]

    @property
    def is_group(self) -> bool:
        """Whether others are in it."""
        return self.kind in GROUP_WORDS


def filter_view(node: Any, place: str, words: Words) -> FilterView:
    """Return what a form shows of a filter."""
    return _Viewer(words).of(node, place, 1, "")


class _Viewer:
    def __init__(self, words: Words) -> None:
        self._words = words

    def of(self, node: Any, place: str, depth: int, number: str) -> FilterView:
        turns = []
        while kind_of_filter(node) == "not" and depth < 2 * FILTER_DEPTH_MAX:
            turns.append((place, "no"))
            node, place, depth = node["not"], f"{place}.not", depth + 1
        turns.append((place, "yes"))
        kind = kind_of_filter(node)
        found: Tree = node if isinstance(node, dict) else {}
        members: list[FilterView] = []
        sentence = ""
        if kind in GROUP_WORDS:
            inner = found[kind] if isinstance(found[kind], list) else []
            if depth < 2 * FILTER_DEPTH_MAX:
                members = [
                    self.of(one, f"{place}.{kind}[{index}]", depth + 1, f"{number}{index + 1}.")
                    for index, one in enumerate(inner)
                ]
        else:
            sentence = self._sentence(found, len(turns) - 1)
        return FilterView(
            place=place,
            turns=turns,
            kind=kind,
            node=loose(found),
            sentence=sentence,
            members=members,
            can_have_groups=depth < FILTER_DEPTH_MAX,
            number=number.removesuffix("."),
        )

    def _sentence(self, node: Tree, turn_count: int) -> str:
        clause = filter_clause(node, self._words)
        return f"It {_TURNED[turn_count % 2]} that {clause}." if clause else ""


def campaign_options(offer: Suggestions, chosen: str) -> list[tuple[str, str]]:
    """Return what can be chosen as a campaign; what was chosen before stays a choice."""
    options = [
        ("any", "any campaign"),
        *((f"{TAG}{tag}", f"any tagged “{tag}”") for tag in offer.tags),
        *offer.campaigns,
    ]
    if chosen not in (value for value, _ in options):
        options.append((chosen, offer.choices.name(chosen)))
    return options


# What templates/filters say things with, beside a view and what can be suggested.
HELPERS: Final[Mapping[str, Any]] = {
    **document_values.HELPERS,
    "campaign_options": campaign_options,
    "channel_words": CHANNEL_WORDS,
    "channels_of": CHANNELS_OF,
    "count_words": COUNT_WORDS,
    "group_words": GROUP_WORDS,
    "holds_words": HOLDS_WORDS,
    "leaf_groups": LEAF_GROUPS,
    "moment_words": MOMENT_WORDS,
    "operand_text": plain_operand_text,
    "state_words": STATE_WORDS,
}
