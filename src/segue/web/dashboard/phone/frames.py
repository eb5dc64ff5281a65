"""Framed pages of a phone: a mail as it was written, and a sample app with the real SDK."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Response, get

from segue.errors import NotFoundError
from segue.services.application import Application
from segue.web.dashboard.pages import PageRequest
from segue.web.dashboard.phone.showing import PATH
from segue.web.dashboard.places import user_in
from segue.web.dashboard.shell import FRAMED_HEADERS, render
from segue.web.rehearsed import base_of

_HEAD: Final = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_NEW_TAB: Final = '<base target="_blank">'
_MAIL: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src https: data: {ours}; font-src https: data:; "
    "frame-ancestors 'self'"
)
# Who may not tap loads nothing: each pixel is an open.
_MAIL_TO_LOOK_AT: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "frame-ancestors 'self'"
)
# An origin of its own: it has a phone's token and nothing else, and keeps nothing in the browser.
_APP: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self' {ours}; style-src 'self' {ours}; "
    "connect-src 'self' {ours}; img-src https: data:; frame-ancestors 'self'"
)


@get(f"{PATH}/mail/{{message_id:str}}")
async def show_mail(
    segment: str, message_id: str, request: PageRequest, application: Application
) -> Response[str]:
    """Give a mail as its reader sees it. Its pixel and links are the real ones, for who may tap."""
    message = await application.phone_taps.message(user_in(segment), message_id)
    html = message.content.get("html")
    if message.channel != "email" or html is None:
        raise NotFoundError("this message is no mail with HTML")
    if request.auth.may("draft"):
        return _framed(_with_new_tabs(html), _MAIL, application)
    tracked = f"{application.settings.base_url}/t/"
    return _framed(html.replace(tracked, "#"), _MAIL_TO_LOOK_AT, application)


@get(f"{PATH}/app", opt={"permission": "draft"}, sync_to_thread=False)
def show_app(segment: str, request: PageRequest, application: Application) -> Response[str]:
    """Give a sample app in which the SDK speaks for the phone's user."""
    user_id = user_in(segment)
    token = application.phones.issue_token(user_id).token
    text = render(request, "phone/app.html", user_id=user_id, token=token, base=base_of(request))
    return _framed(text, _APP, application)


def _framed(text: str, policy: str, application: Application) -> Response[str]:
    parts = urlsplit(application.settings.base_url)
    headers: dict[str, Any] = {
        **FRAMED_HEADERS,
        "Content-Security-Policy": policy.format(ours=f"{parts.scheme}://{parts.netloc}"),
        "Cache-Control": "no-store",
    }
    return Response(text, media_type="text/html", headers=headers)


def _with_new_tabs(html: str) -> str:
    """Return a mail whose links open beside the page that shows it, as in a mail program."""
    found = _HEAD.search(html) or _DOCTYPE.match(html)
    end = found.end() if found is not None else 0
    return html[:end] + _NEW_TAB + html[end:]
