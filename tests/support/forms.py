"""Forms of pages as a browser without scripts would send them."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

Pairs = list[tuple[str, str]]


def form_of(html: str, action: str) -> Pairs:
    """Return what the form of a page would send, without its buttons."""
    forms = [
        one for one in LexborHTMLParser(html).css("form") if one.attributes.get("action") == action
    ]
    assert len(forms) == 1, f"{len(forms)} forms for {action}"
    pairs: Pairs = []
    for field in forms[0].css("input, select, textarea"):
        name = field.attributes.get("name")
        if name and "disabled" not in field.attributes:
            pairs += [(name, value) for value in _values(field)]
    return pairs


def _values(field: LexborNode) -> list[str]:
    match field.tag:
        case "select":
            options = field.css("option")
            chosen = [one for one in options if "selected" in one.attributes] or options[:1]
            return [_value_of(one) for one in chosen]
        case "textarea":
            # A browser sends line ends as CRLF.
            return [field.text().replace("\n", "\r\n")]
    kind = field.attributes.get("type") or "text"
    if kind in ("checkbox", "radio") and "checked" not in field.attributes:
        return []
    return [field.attributes.get("value") or ""]


def _value_of(option: LexborNode) -> str:
    value = option.attributes.get("value")
    return option.text() if value is None and "value" not in option.attributes else value or ""


def with_values(pairs: Pairs, **values: str) -> Pairs:
    """Return a form with some fields filled in otherwise; `__` in a name stands for a dot."""
    return changed(pairs, {name.replace("__", "."): value for name, value in values.items()})


def changed(pairs: Pairs, values: dict[str, str]) -> Pairs:
    """Return a form with fields changed; one that is not there yet is added."""
    kept = [(name, value) for name, value in pairs if name not in values]
    return [*kept, *values.items()]
