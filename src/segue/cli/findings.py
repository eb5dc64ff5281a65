"""Findings on the terminal: a line each, with its remedy below; or as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
import msgspec

from segue.services.findings import Finding, is_well

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


def show_findings(
    findings: Sequence[Finding], *, as_json: bool, more: Mapping[str, Any] | None = None
) -> None:
    """Print what was found; exit with 1 if anything is broken."""
    if as_json:
        told = {"is_well": is_well(findings), **(more or {}), "findings": findings}
        click.echo(msgspec.json.encode(told))
    else:
        for one in findings:
            click.echo(f"{click.style(f'{one.state:5}', _COLOURS[one.state])} {_line(one)}")
    if not is_well(findings):
        raise SystemExit(1)


def _line(one: Finding) -> str:
    line = f"{one.name}: {one.detail}"
    return f"{line}\n      {one.remedy}" if one.remedy else line
