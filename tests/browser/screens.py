"""`make screens`: a picture of every page, light and dark, wide and narrow, into screens/."""

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from segue.web.dashboard.registry import PAGES
from tests.browser.conftest import ARGUMENTS, NAMES
from tests.support.dashboard import demo_server, signed_in_context

FOLDER = Path(__file__).parent.parent.parent / "screens"
SIZES = {"wide": (1280, 800), "narrow": (320, 640)}
WARM_UP_MS = 6_000  # so that people have opened, clicked and bought something


def take(context: BrowserContext, url: str, address: str, name: str) -> None:
    page = context.new_page()
    page.goto(url + address)
    file_name = re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-") or "home"
    page.screenshot(path=FOLDER / f"{file_name}.{name}.png", full_page=True)
    page.close()


def main(wanted: list[str]) -> None:
    """Take the pictures; `wanted` are beginnings of addresses, all if there are none."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    path = next(filter(None, map(shutil.which, NAMES)))
    with demo_server() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                options = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
                outside = browser.new_context(**options)  # type: ignore[arg-type]
                inside = signed_in_context(browser, demo, **options)
                if (size, theme) == ("wide", "light"):
                    inside.new_page().wait_for_timeout(WARM_UP_MS)
                for page in PAGES:
                    for address in page.addresses:
                        if not wanted or any(address.startswith(one) for one in wanted):
                            context = outside if page.is_public else inside
                            take(context, demo.url, address, f"{size}.{theme}")
                outside.close()
                inside.close()
        browser.close()
    print(f"{len(list(FOLDER.iterdir()))} pictures in {FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1:])
