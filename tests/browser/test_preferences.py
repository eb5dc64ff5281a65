"""The preference page in Chromium: by keyboard alone, without scripts, in any width and ground."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.servers import SegueServer
from tests.support.user_links import link_for, mailed

pytestmark = pytest.mark.slow

GROUPS = [
    {"slug": "newsletter", "name": "Newsletter", "description": "Once a week: what is new."},
    {"slug": "offers", "name": "Offers"},
]
# The lightness of two colours, as WCAG 2.2 compares them.
CONTRAST = """(selectors) => selectors.map((selector) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return a === 0 ? null : 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const element = document.querySelector(selector);
  let ground = null;
  for (let one = element; ground === null; one = one.parentElement) {
    ground = light(getComputedStyle(one).backgroundColor);
  }
  const ink = light(getComputedStyle(element).color);
  return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
})"""


@pytest.fixture(scope="module")
def segue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SegueServer]:
    settings = {"SEGUE_CHANNELS__EMAIL__FROM": "Shop <hi@shop.test>"}
    with SegueServer(tmp_path_factory.mktemp("pages") / "data", **settings) as server:
        workspace = {"name": "Corner Shop", "subscription_groups": GROUPS}
        assert server.api.put("/api/v1/workspace", json=workspace).status_code == 200
        server.create(mailed("news", subscription_group="newsletter"))
        server.publish("news")
        yield server


@pytest.fixture
def ann(segue: SegueServer, request: pytest.FixtureRequest) -> str:
    user_id = f"ann-{request.node.name}"[:100]
    address = {"email": "ann@shop.test", "phone": "+32470123456"}
    segue.user(user_id, **address, subscription_groups={"newsletter": "subscribed"})
    return user_id


def subscriptions(segue: SegueServer, user_id: str) -> dict[str, str]:
    return dict(segue.api.get(f"/api/v1/users/{user_id}").json()["subscriptions"])


def focused(page: Page) -> str:
    """Return what has the focus: its label, its text, or its role."""
    found: str = page.evaluate(
        "() => { const one = document.activeElement;"
        " return one.labels?.[0]?.textContent || one.role || one.textContent.trim() }"
    )
    return found


def press_until(page: Page, name: str) -> list[str]:
    """Press Tab until something of this name has the focus; return what had it on the way."""
    seen: list[str] = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen[-1] == name:
            return seen
    message = f"{name!r} is not reached by Tab: {seen}"
    raise AssertionError(message)


def test_choices_are_saved_by_the_keyboard_alone(segue: SegueServer, ann: str, page: Page) -> None:
    page.goto(link_for(segue, ann, "news", "preferences"))
    order = press_until(page, "Newsletter")
    assert order == ["Email", "Text messages", "Newsletter"]
    page.keyboard.press("Space")
    press_until(page, "Offers")
    page.keyboard.press("Space")
    press_until(page, "Save")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"  # whoever presses keys sees where they are
    with page.expect_navigation():
        page.keyboard.press("Enter")
    # Read out first, and Tab goes on from there.
    expect(page.get_by_role("status")).to_be_focused()
    assert page.get_by_role("status").inner_text().split("\n") == [
        "Saved. From now on:",
        "Newsletter: off",
        "Offers: on",
    ]
    assert subscriptions(segue, ann) == {"offers": "opted_in"}
    press_until(page, "Unsubscribe from everything")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("checkbox", checked=True).count() == 0
    assert subscriptions(segue, ann) == {"email": "unsubscribed", "sms": "unsubscribed"}


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_the_pages_are_whole_and_readable_without_scripts(
    segue: SegueServer, ann: str, browser: Browser, ground: str, width: int, tmp_path: Path
) -> None:
    context = browser.new_context(
        java_script_enabled=False,
        color_scheme=ground,  # type: ignore[arg-type]
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    try:
        page.goto(link_for(segue, ann, "news", "unsubscribe"))
        page.get_by_role("button", name="Unsubscribe").click()
        assert page.get_by_role("status").inner_text() == (
            "You will get no more “Newsletter” from Corner Shop."
        )
        page.get_by_role("button", name="Subscribe again").click()
        assert subscriptions(segue, ann) == {"newsletter": "subscribed"}
        page.get_by_role("link", name="Choose what you get").click()
        page.get_by_label("Offers").check()
        page.get_by_role("button", name="Save").click()
        assert page.get_by_label("Offers").is_checked()
        parts = ("h1", ".hint", ".about", ".aside", "label", ".main", ".status", ".sender")
        ratios = page.evaluate(CONTRAST, list(parts))
        assert {part: ratio for part, ratio in zip(parts, ratios, strict=True) if ratio < 4.5} == {}
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width
        small = page.evaluate(
            "() => [...document.querySelectorAll('button, label')]"
            ".filter((one) => one.getBoundingClientRect().height < 24).length"
        )
        assert small == 0
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert problems == []
    finally:
        context.close()
