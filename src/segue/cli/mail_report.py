"""`segue mail-report`: what a mail server pipes mails into that come back."""

import sys
from typing import BinaryIO, Final

import click
import httpx2

from segue.model.limits import MAIL_REPORT_BYTES_MAX
from segue.services.settings import KEY_VARIABLE

_EX_TEMPFAIL: Final = 75  # sysexits.h: a mail server keeps the mail, and tries again
_TIMEOUT_S: Final = 30.0
_DRAINED_AT_ONCE: Final = 64 * 1024


@click.command("mail-report")
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--url", default="http://127.0.0.1:8000", show_default=True, help="The server that runs."
)
@click.option("--key", envvar=KEY_VARIABLE, help=f"Its API key.  [env: {KEY_VARIABLE}]")
def mail_report(file: BinaryIO, url: str, key: str | None) -> None:
    """Hand a mail that came back to a server: a bounce, a complaint, a wish to get no more.

    Reads one mail from FILE or stdin. Exit code 0: the server has it, whatever it is. 75: it has
    not, and the mail server should try again.
    """
    content = file.read(MAIL_REPORT_BYTES_MAX)
    while file.read(_DRAINED_AT_ONCE):  # a mail server may take a closed pipe for a failure
        pass
    headers = {"Content-Type": "message/rfc822"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        answer = httpx2.post(
            f"{url.rstrip('/')}/api/v1/mail-reports",
            content=content,
            headers=headers,
            timeout=_TIMEOUT_S,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        _try_again(f"no Segue server answers at {url}: {error}")
    if not answer.is_success:
        _try_again(f"the server answers {answer.status_code}: {answer.text[:300]}")


def _try_again(why: str) -> None:
    click.echo(f"segue: {why}", err=True)
    sys.exit(_EX_TEMPFAIL)
