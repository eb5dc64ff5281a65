"""Places of a document as its forms call them: "trigger 1, condition 2, property"."""

import re
from typing import Final

from segue.web.dashboard.document_values import OPERATOR_WORDS

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_MEMBERS: Final = {
    "triggers": "trigger",
    "exceptions": "exception",
    "conversions": "conversion event",
    "variants": "variant",
    "messages": "message",
    "where": "condition",
    "buttons": "button",
    "pages": "page",
    "all": "filter",
    "any": "filter",
}
_UNSAID: Final = frozenset(("delivery", "interact_with_campaign", "schedule", "audience"))
_WORDS: Final = {
    "delivery": "what starts it",
    "interact_with_campaign": "interaction",
    "did_not": "what did not happen",
    "re_eligibility": "re-eligibility",
    "window": "duration",
    "time_of_day": "hours of the day",
    "html": "HTML",
    "sms": "SMS",
    "url": "URL",
}
_COMPARED: Final = re.compile(r"\.where\[|^audience\b")


def place_words(path: str) -> str:
    """Return a place in words; the whole campaign, if there is none."""
    said: list[str] = []
    found = [(match[1], match[2]) for match in _STEP.finditer(path)]
    for index, (name, number) in enumerate(found):
        is_last = index == len(found) - 1
        if number is not None:
            earlier = said.pop() if said else "entry"
            said.append(f"{_MEMBERS.get(earlier, earlier)} {int(number) + 1}")
        elif name in _UNSAID and not is_last:
            continue
        elif not is_last and found[index + 1][1] is not None:
            said.append(name)
        else:
            words = OPERATOR_WORDS if is_last and _COMPARED.search(path) else _WORDS
            said.append(words.get(name) or name.replace("_", " "))
    text = ", ".join(said) or "the campaign"
    return text[0].upper() + text[1:]
