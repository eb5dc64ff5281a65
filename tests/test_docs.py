"""The docs cannot fall behind: what the program has, the reference has a heading for."""

from pathlib import Path

import msgspec

from segue.cli.main import segue
from segue.model.reasons import REASONS
from segue.services.settings import Settings

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def headings(page: str) -> set[str]:
    lines = (REFERENCE / page).read_text().splitlines()
    return {line.removeprefix("## ").strip() for line in lines if line.startswith("## ")}


def test_every_command_has_its_heading() -> None:
    assert {f"segue {name}" for name in segue.commands} == headings("commands.md")


def test_every_reason_has_its_heading() -> None:
    assert set(REASONS) == headings("reasons.md")


def test_every_setting_has_its_heading() -> None:
    documented = headings("settings.md")
    for field in msgspec.structs.fields(Settings):
        name = field.encode_name
        assert any(one == name or one.startswith(f"{name}.") for one in documented), name
