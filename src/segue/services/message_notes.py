"""What is wrong or doubtful about one message that is being written, each with its place."""

import difflib
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from segue.content.context import RESERVED_NAMES
from segue.content.lint import shape_errors_in, templates_in, warnings_in
from segue.content.liquid import find_errors
from segue.content.variables import Reading, find_readings, place_in
from segue.model.campaigns import Campaign
from segue.model.decoding import decode_document
from segue.model.problems import InvalidError
from segue.services.composition_sketch import alone, sketch_of_message
from segue.services.message_places import MessagePlace
from segue.services.profile_samples import ProfileSample

_ROOT: Final = "variants[0].messages[0]"  # where `alone` puts it
# Beside those that templates always have: the commercial original's, and Liquid's own.
_OTHER_NAMES: Final = frozenset(("email_address", "phone_number", "email_footer", "now", "today"))
_NOTES_MAX: Final = 30  # nobody mends more in one go


class Note(Struct, frozen=True):
    """What an author should know: `path` is of the field, `where` of the character in it."""

    path: str
    where: str
    text: str
    is_fault: bool  # it cannot be sent so


def notes_on(tree: dict[str, Any], message: MessagePlace, sample: ProfileSample) -> list[Note]:
    """Return what there is to say about a message, faults first."""
    found = [
        Note(message.place + note.path.removeprefix(_ROOT), note.where, note.text, note.is_fault)
        for note in _notes(tree, message, sample)
    ]
    return sorted(found, key=lambda note: not note.is_fault)[:_NOTES_MAX]


def _notes(tree: dict[str, Any], message: MessagePlace, sample: ProfileSample) -> Iterator[Note]:
    written = alone(tree, message.message, message.variant)
    try:
        decode_document(written, Campaign)
    except InvalidError as error:
        for problem in error.problems:
            if problem.path.startswith(_ROOT):
                yield Note(problem.path, "", problem.message, is_fault=True)
    sketch = sketch_of_message(tree, message.message, message.variant)
    for problem in shape_errors_in(sketch):
        yield Note(problem.path, "", problem.message, is_fault=True)
    for path, template in templates_in(sketch):
        for fault in find_errors(template, path):
            where = "" if fault.index is None else place_in(template, fault.index)
            yield Note(path, where, fault.reason, is_fault=True)
        yield from _about_attributes(path, template, sample)
    for problem in warnings_in(sketch):
        yield Note(problem.path, "", problem.message, is_fault=False)


def _about_attributes(path: str, template: str, sample: ProfileSample) -> Iterator[Note]:
    """Yield which attributes nobody has, and which are blank in some users without a default."""
    if not sample.user_ids:
        return
    told: set[str] = set()
    for reading in find_readings(template):
        name = _attribute_of(reading)
        if name is None or name in told:
            continue
        told.add(name)
        text = _unknown(name, sample) if name not in sample.blank else _blank(name, reading, sample)
        if text:
            yield Note(path, place_in(template, reading.index), text, is_fault=False)


def _attribute_of(reading: Reading) -> str | None:
    """Return the attribute that is read; None where it is something else, or computed."""
    path = reading.path
    if path[0] == "custom_attribute":
        return path[1] if len(path) > 1 and path[1] else None
    is_ours = path[0] in RESERVED_NAMES or path[0] in _OTHER_NAMES
    return None if is_ours or not path[0] else path[0]


def _unknown(name: str, sample: ProfileSample) -> str:
    nearest = difflib.get_close_matches(name, [*sample.blank, *RESERVED_NAMES], n=1, cutoff=0.6)
    hint = f"; nearest: `{nearest[0]}`" if nearest else ""
    return f"no attribute `{name}` in {sample.words}{hint}."


def _blank(name: str, reading: Reading, sample: ProfileSample) -> str:
    share = sample.blank[name]
    if not reading.is_bare or not share:
        return ""
    percent = f"{share:.0%}".replace("%", " %") if share >= 0.01 else "under 1 %"  # noqa: PLR2004
    whom = "" if sample.is_everybody else f" (of {sample.words})"
    return f"in {percent} of profiles{whom} `{name}` is empty: add `| default: 'there'`"
