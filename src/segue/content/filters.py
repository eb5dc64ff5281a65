"""The filters that python-liquid lacks, and safer ones in place of some that it has.

Replaced are those whose cost is not bounded by the size of what they take and give (`join`,
`replace`, `uniq`, `strip_html`), and `date`, which read the machine's clock and time zone.
`liquid.py` weighs what goes into and comes out of every filter.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from liquid import Environment, Markup, is_undefined
from liquid.builtin.filters.array import join as liquid_join
from liquid.builtin.filters.extra import safe
from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.filter import (
    liquid_filter,
    sequence_filter,
    string_filter,
    with_context,
    with_environment,
)
from msgspec.json import encode as encode_json

from segue.content.budget import WEIGHT_MAX

_DATE_FORMAT_LENGTH_MAX: Final = 200
_DATE_LENGTH_MAX: Final = 64
# No widths: "%9999999d" would be ten million characters.
_DATE_DIRECTIVE: Final = re.compile(r"%[-_0^#]?[a-zA-Z%]")
_DATE_FORMS: Final = ("%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y", "%m/%d/%Y", "%Y/%m/%d")
_EPOCH_DIGITS_MAX: Final = 12
_BLOCKS: Final = {"<script": "</script>", "<style": "</style>", "<!--": "-->"}


def add_filters(environment: Environment) -> None:
    """Register the filters of this module with `environment`."""
    named: dict[str, Callable[..., object]] = {
        "as_json_string": as_json,
        "base64": base64,
        "date": format_date,
        "hmac_sha1": hmac_sha1,
        "join": join,
        "json": as_json,
        "json_escape": json_escape,
        "md5": _hash_filter("md5"),
        "number_with_delimiter": number_with_delimiter,
        "property_accessor": property_accessor,
        "raw": safe,
        "replace": replace,
        "sha1": _hash_filter("sha1"),
        "sha2": _hash_filter("sha256"),
        "sha256": _hash_filter("sha256"),
        "strip_html": strip_html,
        "uniq": uniq,
        "url_escape": url_escape,
        "url_param_escape": url_param_escape,
    }
    for name, function in named.items():
        environment.add_filter(name, function)


@with_environment
@sequence_filter
def join(left: Iterable[Any], separator: object = " ", *, environment: Environment) -> str:
    """Return the items as one text; the separators are counted before it is made."""
    items = list(left)
    separator = separator if isinstance(separator, str) else str(separator)
    _refuse_length(len(items) * len(separator))
    return str_or_markup(liquid_join(items, separator, environment=environment))


@string_filter
def replace(text: str, old: object, new: object = "") -> str:
    """Return `text` with `old` replaced; the length is counted before it is made."""
    old_text = old if isinstance(old, str) else str(old)
    new_text = new if isinstance(new, str) else str(new)
    _refuse_length(text.count(old_text) * len(new_text))
    return text.replace(old_text, new_text)


@sequence_filter
def uniq(items: Iterable[Any], key: object = None) -> list[object]:
    """Return the items without those that came before, by `key` if there is one."""
    seen: set[object] = set()
    kept: list[object] = []
    for item in items:
        value = item.get(key) if key is not None and isinstance(item, dict) else item
        # Lists and objects cannot be hashed; and to Python, but to nobody else, 1 is True.
        mark = repr(value) if isinstance(value, list | dict) else (isinstance(value, bool), value)
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


@string_filter
def strip_html(text: str) -> str:
    """Return `text` without tags, comments, scripts and styles."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters grow; places must agree
        lowered = text
    parts: list[str] = []
    position = 0
    never_closed: set[str] = set()
    while (start := text.find("<", position)) >= 0:
        end = _markup_end(lowered, start, never_closed)
        if end < 0:
            break
        parts.append(text[position:start])
        position = end
    parts.append(text[position:])
    stripped = "".join(parts)
    return Markup(stripped) if isinstance(text, Markup) else stripped


def _markup_end(text: str, start: int, never_closed: set[str]) -> int:
    for opening, closing in _BLOCKS.items():
        if text.startswith(opening, start) and opening not in never_closed:
            end = text.find(closing, start)
            if end >= 0:
                return end + len(closing)
            # Looking to the end again for each of many would take quadratic time.
            never_closed.add(opening)
    return text.find(">", start) + 1 or -1


@string_filter
def base64(text: str) -> str:
    """Return `text` in base64."""
    return b64encode(text.encode()).decode()


@string_filter
def hmac_sha1(text: str, key: object) -> str:
    """Return the HMAC-SHA-1 of `text` in hexadecimal."""
    return hmac.new(str(key).encode(), text.encode(), "sha1").hexdigest()


@string_filter
def url_escape(text: str) -> str:
    """Return `text` with what a URL may not hold in percent form."""
    return quote(text, safe="!#$&'()*+,/:;=?@[]~%")


@string_filter
def url_param_escape(text: str) -> str:
    """Return `text` fit for the value of a query parameter."""
    return quote(text, safe="")


@string_filter
def json_escape(text: str) -> str:
    """Return `text` fit for the inside of a JSON string."""
    return encode_json(str(text)).decode()[1:-1]


@liquid_filter
def as_json(value: object) -> str:
    """Return `value` as JSON."""
    return encode_json(None if is_undefined(value) else value, enc_hook=str).decode()


@liquid_filter
def number_with_delimiter(value: object, delimiter: object = ",") -> object:
    """Return a number with its thousands set apart; what is no number stays as it is."""
    whole, point, fraction = str(value).partition(".")
    if not whole.lstrip("-").isdecimal():
        return value
    return f"{int(whole):,}".replace(",", str(delimiter)) + point + fraction


@liquid_filter
def property_accessor(value: object, name: object) -> object:
    """Return the member of `value` called `name`."""
    return value.get(str(name)) if isinstance(value, dict) else None


def str_or_markup(value: Any) -> str:
    """Return a filter's untyped result as the text it is, Markup included."""
    return value if isinstance(value, str) else str(value)


def _hash_filter(algorithm: str) -> Callable[..., object]:
    @string_filter
    def filter_(text: str) -> str:
        return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()

    return filter_


@with_context
@liquid_filter
def format_date(value: object, form: object = "%Y-%m-%d", *, context: Any) -> object:
    """Return a date in the form of strftime, in UTC; what is no date stays as it is."""
    if is_undefined(value) or value is None:
        return ""
    moment = context.budget.now if value in ("now", "today") else _read_date(value)
    if moment is None:
        return value
    text = str(form)
    if len(text) > _DATE_FORMAT_LENGTH_MAX or "%" in _DATE_DIRECTIVE.sub("", text):
        message = f"{text[:50]!r} is no form of a date"
        raise FilterArgumentError(message, token=None)
    # The C library reads %s in the machine's time zone.
    shown = moment.strftime(text.replace("%s", str(int(moment.timestamp()))))
    return Markup(shown) if isinstance(form, Markup) else shown


def _read_date(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    text = str(value).strip()
    if len(text) > _DATE_LENGTH_MAX:
        return None
    if text.isdecimal() and len(text) <= _EPOCH_DIGITS_MAX:
        try:
            return datetime.fromtimestamp(int(text), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return _read_date_text(text) if isinstance(value, str) else None


def _read_date_text(text: str) -> datetime | None:
    for reader in _DATE_READERS:
        try:
            moment = reader(text)
        except (ValueError, IndexError, TypeError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _date_reader(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form).replace(tzinfo=UTC)


_DATE_READERS: Final[tuple[Callable[[str], datetime], ...]] = (
    datetime.fromisoformat,
    *map(_date_reader, _DATE_FORMS),
    parsedate_to_datetime,
)


def _refuse_length(length: int) -> None:
    if length > WEIGHT_MAX:
        message = "a value is too large to work with"
        raise ResourceLimitError(message, token=None)
