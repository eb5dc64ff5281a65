"""Real servers for tests: Segue in a process of its own, and a mail server that keeps mails."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2
from aiosmtpd.controller import Controller

PATIENCE_S = 20.0


def eventually(find: Callable[[], Any], what: str) -> Any:
    """Return what `find` finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.01)
    message = f"{what} did not come within {PATIENCE_S} s"
    raise AssertionError(message)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """A mail server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.senders: list[str] = []  # of the envelopes, mail by mail
        self.refusal: str | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal is not None:
            return self.refusal
        self.senders.append(envelope.mail_from)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def to(self, address: str, subject: str | None = None) -> list[EmailMessage]:
        """Return the mails for an address, all or those of a subject."""
        return [
            mail
            for mail in self.mails
            if address in mail["To"] and (subject is None or mail["Subject"] == subject)
        ]


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    """Run a real SMTP server on a free loopback port; yield its mailbox and its URL."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def _bounded(limits: Mapping[str, float]) -> str:
    """Return a program that is Segue with other bounds."""
    lines = ["import importlib"]
    for place, bound in limits.items():
        module, _, name = place.rpartition(".")
        lines.append(f"vars(importlib.import_module({module!r}))[{name!r}] = {bound!r}")
    return "\n".join([*lines, "importlib.import_module('segue.cli.main').main()"])


class SegueServer:
    """`segue serve` in a process of its own."""

    def __init__(
        self,
        data: Path,
        port: int = 0,
        within: Sequence[str] = (),
        limits: Mapping[str, float] | None = None,
        **environment: str,
    ) -> None:
        self.data = data
        self._limits = limits  # by module and name: bounds that are reached sooner than the real
        self._within = within  # a command that runs the one that follows it
        self._port = port  # to be given where its public URL is another than the one it listens on
        self._environment = environment
        self.key = ""
        self.first_link = ""  # where the first account is made
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self.client: httpx2.Client | None = None

    def start(self) -> "SegueServer":
        """Start it on a free port, and wait until it says where."""
        self.data.mkdir(parents=True, exist_ok=True)
        program = ["-m", "segue"] if self._limits is None else ["-c", _bounded(self._limits)]
        command = [*self._within, sys.executable, *program, "serve"]
        command += ["--data", str(self.data)]
        command += ["--port", str(self._port)]
        with (self.data / "stderr.txt").open("a") as stderr:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **self._environment},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=self.data,
            )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        found = re.search(r"https?://\S+", first)
        assert found, f"{first!r}; {(self.data / 'stderr.txt').read_text()}"
        self.url = f"http://127.0.0.1:{self._port}" if self._port else found[0]
        if not self.key:
            second = self._process.stdout.readline()
            self.key = second.rsplit(" ", 1)[-1].strip()
            self.first_link = self._process.stdout.readline().rsplit(" ", 1)[-1].strip()
        headers = {"Authorization": f"Bearer {self.key}"}
        self.client = httpx2.Client(base_url=self.url, headers=headers, timeout=30)
        return self

    @property
    def api(self) -> httpx2.Client:
        assert self.client is not None
        return self.client

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._end()

    def _end(self) -> int:
        assert self._process is not None
        code = self._process.wait(PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self.client is not None:
            self.client.close()
        self._process = None
        return code

    def __enter__(self) -> "SegueServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()

    # What tests ask of it

    def key_for(self, *scopes: str) -> str:
        """Make an API key of these scopes, as a person would, and return it."""
        command = [sys.executable, "-m", "segue", "key", "create", "--scopes", ",".join(scopes)]
        made = subprocess.run(
            [*command, "--data", str(self.data)], capture_output=True, text=True, check=True
        )
        return made.stdout.strip()

    def create(self, document: dict[str, Any]) -> None:
        answer = self.api.post("/api/v1/campaigns", json=document)
        assert answer.status_code == 201, answer.text

    def publish(self, slug: str) -> dict[str, Any]:
        answer = self.api.post(f"/api/v1/campaigns/{slug}/publish")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def user(self, user_id: str, **attributes: Any) -> None:
        body = {"user_id": user_id, "attributes": attributes}
        answer = self.api.post("/api/v1/users", json=body)
        assert answer.status_code == 202, answer.text

    def event(self, user_id: str, name: str, **more: Any) -> None:
        body = {"events": [{"user_id": user_id, "name": name, **more}]}
        answer = self.api.post("/api/v1/events", json=body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["accepted"] == 1, answer.text

    def timeline(self, user_id: str) -> list[dict[str, Any]]:
        answer = self.api.get(f"/api/v1/users/{user_id}/timeline", params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["data"])

    def decisions(self, user_id: str, campaign: str) -> list[tuple[str, str | None]]:
        """Return what was decided about a user and a campaign: decision and reason."""
        return [
            (line["decision"], line.get("reason"))
            for line in self.timeline(user_id)
            if line.get("campaign") == campaign and "decision" in line
        ]
