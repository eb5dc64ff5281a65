"""What a provider needs to be told in a mail's headers, so that its reports name the message.

Each takes its own headers out of the mail again before it goes on.
"""

from collections.abc import Mapping
from json import dumps
from typing import Final

from segue.channels.postmark import metadata_of
from segue.channels.receipts import token_of
from segue.channels.sendgrid import TOKEN_ARGUMENT
from segue.channels.settings import EmailSettings

_TOKEN_LENGTH_MAX: Final = 900  # a line of a header ends at 998


def provider_headers(settings: EmailSettings, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to add for the providers that are set up; an author's own go first."""
    token = token_of(headers.get("Message-ID", ""))
    if not token or len(token) > _TOKEN_LENGTH_MAX:
        return {}
    added: dict[str, str] = {}
    if settings.sendgrid is not None:
        # Its reports of opens, clicks, complaints and unsubscribes have no Message-ID.
        added["X-SMTPAPI"] = dumps({"unique_args": {TOKEN_ARGUMENT: token}})
    if settings.postmark is not None:
        added |= {"X-PM-KeepID": "true", **metadata_of(token)}
    given = {name.lower() for name in headers}
    return {name: value for name, value in added.items() if name.lower() not in given}
