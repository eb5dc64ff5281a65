"""Pages that users of our users see: who unsubscribes, or chooses what to get.

Plain forms that work without scripts. Everything that comes from documents or profiles is escaped.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from litestar import Response

from segue.services.preferences import Choice, Preferences

STYLES: Final = (Path(__file__).parent / "static" / "pages.css").read_bytes()
HEADERS: Final[dict[str, Any]] = {
    "Cache-Control": "no-store, max-age=0",
    "Referrer-Policy": "no-referrer",  # the address of a page is what lets its user choose
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="../pages.css">
</head>
<body>
<main>
{sender}<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_STILL: Final = (
    '<p class="aside">Messages about something you asked for, such as a new password or an order, '
    "may still come.</p>"
)


def page(title: str, body: str, sender: str = "", status: int = 200) -> Response[str]:
    """Return a page; `body` is HTML, the others are texts."""
    named = f'<p class="sender">{escape(sender)}</p>\n' if sender else ""
    text = _PAGE.format(title=escape(title), sender=named, body=body)
    return Response(text, status_code=status, media_type="text/html", headers=HEADERS)


def missing_page() -> Response[str]:
    """Return the page of a link that we did not make, or whose user is gone."""
    body = (
        "<p>The link may have been cut off on its way. "
        "Follow it again from the message, or copy all of it.</p>"
    )
    return page("This link does not exist", body, status=404)


def unsubscribe_page(sender: str, group: str | None, preferences: str) -> Response[str]:
    """Return the page that asks first; `preferences` is the path of the page with choices."""
    body = f"""<p>{_no_more(sender, group)}</p>
<form method="post">
<p><button class="main" name="List-Unsubscribe" value="One-Click">Unsubscribe</button></p>
</form>
{_link_to(preferences)}"""
    return page("Unsubscribe?", body, sender)


def unsubscribed_page(sender: str, group: str | None, preferences: str) -> Response[str]:
    """Return the page that says it is done, and lets it be undone."""
    body = f"""{_status(_no_more(sender, group))}
<form method="post">
<p class="asked">Was that a mistake? <button name="again" value="1">Subscribe again</button></p>
</form>
{_link_to(preferences)}
{_STILL}"""
    return page("You are unsubscribed", body, sender)


def subscribed_again_page(sender: str, group: str | None, preferences: str) -> Response[str]:
    """Return the page that says that an unsubscribe was undone."""
    what = f"“{escape(group)}”" if group is not None else f"emails{_from(sender)}"
    body = f"""{_status(f"You will get {what} as before.")}
{_link_to(preferences)}"""
    return page("You are subscribed again", body, sender)


def preferences_page(found: Preferences, changed: Sequence[Choice] | None = None) -> Response[str]:
    """Return the page with choices; after they were saved, with those that are new."""
    said = "" if changed is None else _saved(changed)
    if not found.choices():
        body = f"{said}<p>We have no address of yours, and send you nothing.</p>"
        return page("What you get", body, found.sender)
    body = f"""{said}<form method="post">
{_fieldset("How we may reach you", "If one is off, nothing comes that way.", found.channels)}
{_fieldset("What you want to get", "", found.groups)}
<p><button class="main" name="save" value="1">Save</button></p>
</form>
<form method="post">
<p><button name="nothing" value="1">Unsubscribe from everything</button></p>
</form>
{_STILL}"""
    return page("What you get", body, found.sender)


def _fieldset(legend: str, hint: str, choices: Sequence[Choice]) -> str:
    if not choices:
        return ""
    rows = "\n".join(_row(one) for one in choices)
    told = f'<p class="hint">{escape(hint)}</p>\n' if hint else ""
    return f"<fieldset>\n<legend>{escape(legend)}</legend>\n{told}{rows}\n</fieldset>"


def _row(choice: Choice) -> str:
    """Return a choice. It tells what was shown, so that only what the user changed is saved."""
    name = escape(choice.name)
    checked = " checked" if choice.is_on else ""
    about = f' aria-describedby="about-{name}"' if choice.description else ""
    described = (
        f'<span class="about" id="about-{name}">{escape(choice.description)}</span>'
        if choice.description
        else ""
    )
    was = f'<input type="hidden" name="was" value="{name}">' if choice.is_on else ""
    return f"""<div class="choice">
<input type="hidden" name="shown" value="{name}">{was}
<input type="checkbox" id="on-{name}" name="on" value="{name}"{checked}{about}>
<label for="on-{name}">{escape(choice.label)}</label>{described}
</div>"""


def _saved(changed: Sequence[Choice]) -> str:
    if not changed:
        return _status("Saved. Nothing is different from before.") + "\n"
    rows = "".join(
        f"<li>{escape(one.label)}: <strong>{'on' if one.is_on else 'off'}</strong></li>"
        for one in changed
    )
    return f"{_status(f'Saved. From now on:<ul>{rows}</ul>')}\n"


def _status(said: str) -> str:
    """Return what has just become so, where readers of screens and keyboards begin."""
    return f'<div class="status" role="status" tabindex="-1" autofocus>{said}</div>'


def _no_more(sender: str, group: str | None) -> str:
    if group is None:
        return f"You will get no more emails{_from(sender)}."
    return f"You will get no more “{escape(group)}”{_from(sender)}."


def _from(sender: str) -> str:
    return f" from {escape(sender)}" if sender else ""


def _link_to(preferences: str) -> str:
    return f'<p><a href="{escape(preferences)}">Choose what you get</a></p>'
