"""What holds for every test: one time zone database, kept seeds, and no network but our own."""

import hashlib
import ipaddress
import os
import socket
import sys
import zoneinfo
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.database import ExampleDatabase

# Zones come from the tzdata package alone, here and in programs that tests start, so that every
# machine computes the same local times.
os.environ["PYTHONTZPATH"] = ""
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()


class KeptSeeds(ExampleDatabase):
    """Failing examples as files, to be committed with what mends them, and tried in every run.

    Hypothesis deletes an example that no longer fails. Here only those of this very run go, which
    it finds on the way to the smallest; what was there when the run began stays for ever.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.kept = set(folder.glob("*/*"))

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of one test."""
        return [path.read_bytes() for path in sorted(self._folder_of(key).glob("*"))]

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example that failed; those that were merely interesting are left out."""
        if not key.endswith((b".secondary", b".pareto")):
            self._folder_of(key).mkdir(parents=True, exist_ok=True)
            self._path_of(key, value).write_bytes(value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Drop an example of this run."""
        path = self._path_of(key, value)
        if path.exists() and path not in self.kept:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _folder_of(self, key: bytes) -> Path:
        return self.folder / hashlib.sha256(key).hexdigest()[:16]

    def _path_of(self, key: bytes, value: bytes) -> Path:
        return self._folder_of(key) / hashlib.sha256(value).hexdigest()[:16]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one random world be named by its seed (tests/engine/test_against_oracle.py), and more."""
    parser.addoption("--world", type=int, metavar="SEED", help="try this random world alone")
    parser.addoption("--kills", type=int, default=15, help="of a server (tests/e2e/test_kill.py)")


settings.register_profile(
    "ci",
    settings.get_profile("default"),
    database=KeptSeeds(Path(__file__).parent / "seeds"),
    deadline=None,  # a busy machine is no failure; pytest-timeout ends what hangs
    derandomize=False,  # every run looks somewhere new
    print_blob=True,
)
settings.register_profile("thorough", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")


class NetworkForbiddenError(RuntimeError):
    """A test reached beyond this machine. No OSError, which the code under test may expect."""


def forbid_network(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse sockets and name look-ups that leave this machine (an audit hook)."""
    if event in ("socket.connect", "socket.bind", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # else a Unix socket's path
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
        if is_numeric(host) or host in ("", socket.gethostname()):
            return  # needs no name server
    else:
        return
    if host is not None and not is_loopback(host):
        message = (
            f"{event} of {host!r}: tests may only reach this machine, at 127.0.0.1 or ::1. "
            "Start a local server, or hand the code a resolver of the test's own."
        )
        raise NetworkForbiddenError(message)


def is_loopback(host: object) -> bool:
    """Return whether `host` is this machine and nothing but."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if is_numeric(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"


def is_numeric(host: object) -> bool:
    """Return whether `host` is an address rather than a name."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


sys.addaudithook(forbid_network)
