"""`segue doctor`: is this installation set up well, and is anything about to go wrong?

It looks at what is here, beside a running server or without one. It asks no name server and no
provider, and changes nothing.
"""

import os
import resource
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from platform import python_version
from typing import Final
from urllib.parse import urlsplit

import httpx2

from segue import __version__
from segue.channels.guard import is_loopback
from segue.clock import Clock
from segue.errors import SegueError
from segue.model.instants import HOUR, SECOND, format_duration, format_instant, parse_instant
from segue.model.limits import CLOCK_BACK_TOLD
from segue.services.doctor_channels import channel_findings
from segue.services.doctor_files import file_findings
from segue.services.findings import Finding
from segue.services.settings import Settings
from segue.storage.formats import lock_owner
from segue.storage.open import JOURNAL_FILE, Stores, open_for_reading

_WRITTEN: Final = parse_instant("2026-01-01T00:00:00Z")  # no clock that is right is before this
_FILES_MIN: Final = 1_024  # open ones: connections, providers, and some to spare
_ANSWER_WAIT_S: Final = 3.0


def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Look at everything, in the order in which it is best mended."""
    return list(_findings(settings, clock))


def _findings(settings: Settings, clock: Clock) -> Iterator[Finding]:
    yield Finding(
        "versions",
        "ok",
        f"Segue {__version__}, Python {python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"time zones {version('tzdata')}",
    )
    yield _open_files()
    yield from _addresses(settings)
    if settings.database_url.startswith("memory:"):
        remedy = "Name a folder with `data`, unless that is what you want."
        yield Finding("data folder", "warn", "all is in memory, and gone with the server", remedy)
        return
    folder = settings.data_dir
    found = list(file_findings(folder))
    yield from found
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        return
    yield from _server(settings, folder)
    if not (folder / JOURNAL_FILE).exists():
        yield Finding("clock", "ok", f"it says {format_instant(clock.now())}")
        return
    try:
        stores = open_for_reading(folder)
    except SegueError as error:
        if all(one.state == "ok" for one in found):
            yield Finding("database", "fail", str(error))
        return
    with stores:
        yield _clock(stores, clock)
        yield from _people(stores)
        yield from channel_findings(settings, stores.journal, clock)


def _open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES_MIN:
        return Finding(
            "open files",
            "warn",
            f"a process may have {soft} open; connections beyond that are refused",
            f"Raise it: `ulimit -n {4 * _FILES_MIN}`, or LimitNOFILE in a systemd unit.",
        )
    return Finding("open files", "ok", f"a process may have {soft} open")


def _addresses(settings: Settings) -> Iterator[Finding]:
    """Yield whether links in messages lead to where their readers can follow them."""
    is_local = is_loopback(settings.host)
    url = settings.base_url
    detail = f"listens on {settings.host}:{settings.port}; links begin with {url}"
    if settings.public_url is None and not is_local:
        remedy = "Set public_url to the address that your users reach."
        yield Finding("addresses", "warn", detail, remedy)
    elif urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
        remedy = "Put a proxy with a certificate before it, and set public_url to https://…"
        yield Finding("addresses", "warn", f"{detail}, unencrypted", remedy)
    else:
        yield Finding("addresses", "ok", detail)


def _server(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Yield whether a server has the folder open, and how it says it is."""
    owner = lock_owner(folder)
    if owner is None:
        yield Finding("server", "ok", "none has the data folder open")
        return
    what = f"process {owner} has the data folder open"
    if owner.isdigit() and int(owner) == os.getpid():
        yield Finding("server", "ok", what)
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    if not _is_address(host):
        yield Finding("server", "ok", f"{what}; it was not asked, since {host!r} is a name")
        return
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    try:
        answer = httpx2.get(url, timeout=_ANSWER_WAIT_S, trust_env=False)
    except httpx2.HTTPError:
        remedy = "If it listens elsewhere, name its --host and --port here; else restart it."
        yield Finding("server", "warn", f"{what}, and does not answer at {url}", remedy)
        return
    if answer.is_success:
        yield Finding("server", "ok", f"{what}, and is ready at {url}")
    else:
        remedy = "Its log says more; `segue db check` says whether what it stores is whole."
        yield Finding("server", "fail", f"{what}, and says at {url}: {_problem(answer)}", remedy)


def _problem(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}; is it another program?"


def _clock(stores: Stores, clock: Clock) -> Finding:
    """Compare the clock with the log, whose time never goes back."""
    now, end = clock.now(), stores.journal.log_end().received_at
    says = f"it says {format_instant(now)}"
    remedy = "Set the clock right, and keep it so by NTP."
    ahead = end - now
    if ahead >= CLOCK_BACK_TOLD:
        detail = (
            f"{says}, and the newest entry of the log is {format_duration(ahead - ahead % SECOND)} "
            "ahead of it: until the clock has caught up, time stands still for waits"
        )
        if ahead >= HOUR:
            remedy += " If it was wrong before and is right now, restore a backup from before that."
        return Finding("clock", "fail" if ahead >= HOUR else "warn", detail, remedy)
    if now < _WRITTEN:
        return Finding("clock", "fail", f"{says}, which is long past", remedy)
    return Finding("clock", "ok", says)


def _people(stores: Stores) -> Iterator[Finding]:
    journal = stores.journal
    accounts = len(journal.accounts.all())
    keys = sum(key.revoked_at is None for key in journal.list_keys())
    detail = f"{accounts} accounts, {keys} API keys"
    if accounts == 0:
        remedy = "`segue user add EMAIL --role admin` makes one that signs in."
        yield Finding("accounts", "warn", detail, remedy)
    else:
        yield Finding("accounts", "ok", detail)
    hold = journal.hold.find()
    if hold is not None:
        detail = f"all of it is held since {format_instant(hold.since)}, by {hold.by}"
        remedy = "Settings, Delivery in the dashboard lets messages go."
        yield Finding("sending", "warn", detail, remedy)


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
