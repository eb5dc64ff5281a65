"""`segue demo` in a process of its own, and a browser that is signed in to its dashboard."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx2
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.servers import PATIENCE_S


class Demo(Struct, frozen=True):
    """Where a demo runs, and who may sign in to it."""

    url: str
    email: str
    password: str
    key: str


@contextlib.contextmanager
def demo_server(pace_s: float = 0.2) -> Iterator[Demo]:
    """Run the demo's shop on a free port until the end of the `with`."""
    command = [sys.executable, "-m", "segue", "demo", "--port", "0", "--pace", str(pace_s)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    reading: threading.Thread | None = None
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        places = re.search(r"on (http://\S+), API key (\S+)", first)
        account = re.search(r"as (\S+), password (\S+)", second)
        assert places, first
        assert account, second
        # Nobody reads what else it tells, and it must not wait until somebody does.
        reading = threading.Thread(target=process.stdout.read)
        reading.start()
        demo = Demo(places[1], account[1], account[2], places[2])
        begin_rehearsal(demo)
        yield demo
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        if reading is not None:
            reading.join(PATIENCE_S)
        process.stdout.close()


def begin_rehearsal(demo: Demo) -> None:
    """Let whoever signs in have a rehearsal that goes on: its page is looked at as any other."""
    with httpx2.Client(base_url=demo.url, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        client.post("/sign-in", data={"email": demo.email, "password": demo.password})
        answer = client.post("/rehearsals", data={"users": "ada,ben"})
        event = {"name": "sale_started"}
        told = client.post(f"{answer.headers['location']}/phone/ada/event", data=event)
        assert told.status_code == 303, told.text


def signed_in_context(browser: Browser, demo: Demo, **options: object) -> BrowserContext:
    """Return a browser's context that is signed in to a demo."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, demo)
    page.close()
    return context


def sign_in(page: Page, demo: Demo) -> None:
    """Sign in by the form."""
    page.goto(f"{demo.url}/sign-in")
    page.fill("#email", demo.email)
    page.fill("#password", demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{demo.url}/")
