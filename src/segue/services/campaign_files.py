"""Campaign documents in a folder: one YAML or JSON file each."""

import re
from pathlib import Path
from typing import Any

import yaml

from segue.engine.checks import decode_campaign
from segue.model.campaigns import Campaign
from segue.model.problems import InvalidError, Problem

_SUFFIXES = (".yaml", ".yml", ".json")


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: NO is a country, and on is a word."""


# The resolvers are shared with the parent class until they are copied.
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read_yaml(text: str, where: str) -> Any:
    """Read one YAML (or JSON) document.

    Raises:
        InvalidError: it is not YAML; the problem names the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader underneath
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidError([Problem("", f"is no YAML: {error}")], where) from None


def read_campaigns(folder: Path) -> dict[str, Campaign]:
    """Read every campaign document of a folder, by slug.

    Raises:
        InvalidError: with the faults of all files, each path led by its file's name.
    """
    campaigns: dict[str, Campaign] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        raise InvalidError([Problem(str(folder), "is no folder")], "The folder of campaigns")
    for path in sorted(p for p in folder.iterdir() if p.suffix in _SUFFIXES):
        try:
            campaign = decode_campaign(read_yaml(path.read_text(encoding="utf-8"), path.name))
        except InvalidError as error:
            problems += [Problem(f"{path.name}: {p.path}", p.message) for p in error.problems]
            continue
        if campaign.slug in campaigns:
            problems.append(Problem(f"{path.name}: slug", f'"{campaign.slug}" is used twice'))
        campaigns[campaign.slug] = campaign
    if problems:
        raise InvalidError(problems, f"The folder {folder}")
    return campaigns
