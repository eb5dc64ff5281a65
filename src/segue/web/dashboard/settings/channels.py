"""Settings, Channels: how each provider is set up, how it does, and a test message."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from segue.model.problems import InvalidError
from segue.model.suppressions import SuppressedChannel
from segue.services.application import Application
from segue.services.explanations.words import channel_word
from segue.services.trial_sends import Outcome
from segue.web.audit import note_change
from segue.web.dashboard.forms import Form, faults_of, read_form
from segue.web.dashboard.pages import Page, PageRequest
from segue.web.dashboard.shell import done, page

_PATH: Final = "/settings/channels"
_TRIED: Final[Mapping[str, SuppressedChannel]] = {"email": "email", "sms": "sms"}
_FLASH: Final[Mapping[Outcome, str]] = {
    "accepted": "success",
    "refused": "error",
    "later": "warning",
    "unknown": "warning",
}
_FAILED: Final = {
    "refused": "refused a message",
    "later": "did not take a message",
    "unknown": "broke off, and nobody knows whether the message went out",
}
_SET_UP: Final = {
    "yes": ("set up", "good"),
    "no": ("not set up", "quiet"),
    "always": ("needs no provider", "neutral"),
}
_SECONDS: Final = 60


def _channels(
    request: PageRequest,
    application: Application,
    form: Form,
    faults: Mapping[str, str] | None = None,
    tried: str = "",
) -> Response[Any]:
    settings = application.settings
    cards = application.channel_cards()
    return page(
        request,
        "settings/channels.html",
        title="Channels",
        status=422 if faults else 200,
        cards=cards,
        set_up_count=sum(one.is_set_up == "yes" for one in cards),
        settings=settings,
        set_up=_SET_UP,
        failed=_FAILED,
        channel_word=channel_word,
        lasting=_lasting,
        reports=sorted(application.receipts.counts.items()),
        tried=tried,
        to=form.text("to"),
        faults=faults or {},
        is_reachable=settings.public_url is not None,
    )


@get(_PATH, sync_to_thread=False)
def show_channels(request: PageRequest, application: Application) -> Response[Any]:
    """Show a card for each provider."""
    return _channels(request, application, Form(()))


@post(f"{_PATH}/{{channel:str}}/test", opt={"permission": "admin", "audit": "sent a test message"})
async def send_test(channel: str, request: PageRequest, application: Application) -> Response[Any]:
    """Send a test message to the address that was typed in, and say what was answered."""
    found = _TRIED.get(channel)
    cards = application.channel_cards()
    if found is None or not any(one.key == found and one.has_trial for one in cards):
        raise NotFoundException(f"There is no channel {channel!r} that a test could go by.")
    form = await read_form(request)
    try:
        trial = await application.trials.send(found, form.text("to"))
    except InvalidError as error:
        return _channels(request, application, form, _at(found, faults_of(error)), found)
    note_change(request, channel_word(found), f"to {form.text('to')}: {trial.outcome}")
    return done(_PATH, trial.sentence, _FLASH[trial.outcome])


def _at(channel: str, faults: Mapping[str, str]) -> Mapping[str, str]:
    """Return faults by the ids of fields: the page has one form for each channel."""
    return {f"to-{channel}": said for said in faults.values()}


def _lasting(seconds: float) -> str:
    """Return a short time in words."""
    if seconds < _SECONDS:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / _SECONDS)} min"


PAGE = Page(
    _PATH,
    "Channels",
    (show_channels, send_test),
    group="Settings",
    icon="radio",
    key="l",
)
