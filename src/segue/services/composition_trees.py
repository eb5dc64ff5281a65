"""What a campaign begins with: nothing, another campaign, or one of the recipes (ux.md B2, 6)."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any, Final, Literal, assert_never

from msgspec import Struct, to_builtins

from segue.model.campaigns import Campaign
from segue.model.interactions import INTERACTIONS

Tree = dict[str, Any]
RecipeKey = Literal["resend", "next_offer", "cart"]

_SLUG_LENGTH_MAX: Final = 100
_SLUG_KEPT_MAX: Final = 90  # so that a number still fits behind it


class Recipe(Struct, frozen=True):
    """A shape of campaign that many begin with; `follows` says that it needs another campaign."""

    key: RecipeKey
    title: str
    words: str
    follows: bool


RECIPES: Final[Sequence[Recipe]] = (
    Recipe(
        "resend",
        "Re-send to those who did not open",
        "A week after an email, the same message again to everybody who did not open it.",
        follows=True,
    ),
    Recipe(
        "next_offer",
        "Next offer to those who clicked",
        "A day after a click, an offer that fits, unless they have bought meanwhile.",
        follows=True,
    ),
    Recipe(
        "cart",
        "Cart reminder unless bought",
        "Two hours after something was put into the cart, a reminder, unless it was bought.",
        follows=False,
    ),
)


def recipe_of(key: str) -> Recipe | None:
    """Return a recipe by its key."""
    return next((one for one in RECIPES if one.key == key), None)


def blank_tree() -> Tree:
    """Return a document in which everything has to be said, and nothing surprises."""
    return {
        "name": "",
        "slug": "",
        "delivery": {"type": "action", "triggers": []},
        "re_eligibility": "never",
        "messages": [{"email": {"subject": ""}}],
    }


def tree_of(document: Campaign) -> Tree:
    """Return a document as the plain values that its forms change."""
    tree: Tree = to_builtins(document)
    return tree


def follower_tree(target: Campaign, interaction: str) -> Tree:
    """Return a campaign that follows another one by an interaction."""
    tree = blank_tree()
    label = INTERACTIONS[interaction].label.lower() if interaction in INTERACTIONS else "following"
    tree["name"] = f"{target.name}: {label}"
    tree["delivery"]["triggers"] = [_interaction(target.slug, interaction)]
    return tree


def recipe_tree(recipe: Recipe, target: Campaign | None) -> Tree:
    """Return what a recipe comes to; `target` is the campaign that it follows."""
    tree = blank_tree()
    delivery = tree["delivery"]
    slug = target.slug if target is not None else ""
    name = target.name if target is not None else ""
    match recipe.key:
        case "resend":
            tree["name"] = f"{name}: again to non-openers"
            delivery["triggers"] = [_interaction(slug, "email_receive")]
            delivery["delay"] = {"after": "7d"}
            delivery["exceptions"] = [_interaction(slug, "email_other_open")]
            tree["messages"] = _emails_of(target) or tree["messages"]
        case "next_offer":
            tree["name"] = f"{name}: next offer"
            delivery["triggers"] = [_interaction(slug, "email_click")]
            delivery["delay"] = {"after": "1d"}
            delivery["exceptions"] = [{"purchase": {}}]
            tree["conversions"] = [{"purchase": {}, "within": "3d"}]
        case "cart":
            tree["name"] = "Cart reminder"
            delivery["triggers"] = [{"event": "added_to_cart"}]
            delivery["delay"] = {"after": "2h"}
            delivery["exceptions"] = [{"purchase": {}}]
            tree["re_eligibility"] = {"after": "7d"}
            tree["conversions"] = [{"purchase": {}, "within": "3d"}]
        case _:
            assert_never(recipe.key)
    return tree


def first_tree(recipe: Recipe) -> Tree:
    """Return the campaign that a recipe follows where there is none yet: a plain email."""
    link = '<a href="https://example.com" data-alias="main">See more</a>'
    unsubscribe = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
    return {
        "name": "First message",
        "slug": "",
        "description": f"Made for “{recipe.title}”: write its email, and say what starts it.",
        "delivery": {"type": "action", "triggers": [{"event": "signed_up"}]},
        "re_eligibility": "never",
        "messages": [
            {
                "email": {
                    "subject": "Hello, {{ first_name | default: 'you' }}",
                    "html": f"<p>Hello!</p>\n<p>{link}</p>\n<p>{unsubscribe}</p>",
                }
            }
        ],
    }


def free_slug(name: str, taken: Collection[str]) -> str:
    """Return a slug that comes from a name and that no other campaign has; "" of no name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH_MAX].strip("-")
    if not slug and name.strip():
        slug = "campaign"
    if not slug or slug not in taken:
        return slug
    slug, number = slug[:_SLUG_KEPT_MAX].rstrip("-"), 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"


def _interaction(slug: str, interaction: str) -> Tree:
    return {"interact_with_campaign": {"interaction": interaction, "campaign": slug}}


def _emails_of(target: Campaign | None) -> list[Any]:
    """Return the emails of a campaign's first variant that has any, to be sent again."""
    for variant in target.all_variants() if target is not None else ():
        emails = [to_builtins(one) for one in variant.messages if one.email is not None]
        if emails:
            return emails
    return []
