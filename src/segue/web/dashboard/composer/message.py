"""Step 1, Message: what is sent, in how many variants, with a preview beside it."""

import json
from typing import Any, Final

from segue.model.channels import CHANNELS
from segue.model.limits import VARIANTS_MAX
from segue.services.application import Application
from segue.services.compositions import Composition
from segue.services.message_edits import control_of, is_blank_message
from segue.services.message_places import channel_of
from segue.web.dashboard.composer.liquid_reference import liquid_reference
from segue.web.dashboard.composer.message_fields import (
    CHANNEL_WORDS,
    MESSAGE_FIELDS,
)
from segue.web.dashboard.composer.message_reading import body_text, new_member, read_messages
from segue.web.dashboard.composer.preview import preview_context, query_settings
from segue.web.dashboard.composer.step import Step
from segue.web.dashboard.form_fields import Tree
from segue.web.dashboard.pages import PageRequest

_ALL: Final = 100  # per cent


def _context(
    request: PageRequest, application: Application, composition: Composition
) -> dict[str, Any]:
    tree = composition.tree
    variants = tree.get("variants") or []
    context = {
        "variants": variants,
        "can_vary": len(variants) < VARIANTS_MAX,
        "shares": _shares(tree),
        "fields_of": MESSAGE_FIELDS,
        "channel_words": CHANNEL_WORDS,
        "channel_of": channel_of,
        "more_channels": _more_channels,
        "is_blank_message": is_blank_message,
        "body_text": body_text,
        "json_doubt": _json_doubt,
    }
    if request.method != "GET":
        return context  # the pane beside the form is written by itself
    settings = query_settings(request, application)
    return {
        **context,
        **preview_context(application, composition, settings),
        "not_kept": "",
        "reference": liquid_reference(application.looks.sample()),
    }


def _more_channels(messages: Any) -> list[str]:
    """Return the channels that a variant has no message of yet."""
    taken = {channel_of(one) for one in (messages if isinstance(messages, list) else ())}
    return [one for one in CHANNELS if one not in taken]


def _shares(tree: Tree) -> str:
    """Return how the users are shared out, as a sentence."""
    variants = [one for one in tree.get("variants") or [] if isinstance(one, dict)]
    percents = [one.get("percent") for one in variants]
    if any(isinstance(one, bool) or not isinstance(one, int) for one in percents):
        return "The shares are whole numbers of per cent."
    total = sum(one for one in percents if isinstance(one, int)) + control_of(tree)
    if total == _ALL:
        return "All users are shared out: the shares sum to 100 %."
    return f"The shares sum to {total} %, and have to sum to 100 %."


def _json_doubt(body: Any) -> str:
    """Return why a body that looks like JSON is sent as text."""
    if not isinstance(body, str) or not body.lstrip().startswith(("{", "[")):
        return ""
    try:
        json.loads(body)
    except ValueError as error:
        return f"It is sent as text, for it is no JSON as it stands: {error}."
    return "It is sent as text: what is filled in is not escaped. Choose JSON to have it escaped."


STEP = Step(
    "message",
    "Message",
    ("messages", "variants", "control_percent", "name", "slug", "description", "tags"),
    "composer/message.html",
    _context,
    read_messages,
    new_member,
)
