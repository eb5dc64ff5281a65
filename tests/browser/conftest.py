"""Chromium for each module of browser tests, and a page in it for each test.

While Playwright is open its event loop counts as running in this thread, and no test of another
module that has a loop of its own could run; so it is closed with the module.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")  # as tools/install-browser
PATIENCE_MS = 15_000
AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # tests run as root in containers, where the sandbox cannot
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"there is none of {', '.join(NAMES)} on the PATH; `make browser` installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def complaints(tab: Page) -> list[str]:
    """Return what axe finds, each with the places."""
    tab.evaluate(AXE.read_text())
    found = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}"
        for one in found["violations"]
    ]
