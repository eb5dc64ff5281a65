"""A folder of documents: campaigns, segments and the workspace, one YAML or JSON file each."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.campaigns import Campaign
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Segment
from segue.runtime.line_records import Project

_SUFFIXES: Final = (".yaml", ".yml", ".json")
WORKSPACE_FILES: Final = ("workspace.yaml", "workspace.yml", "workspace.json")
T = TypeVar("T")
S = TypeVar("S", Campaign, Segment)


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


def read_project(folder: Path) -> Project:
    """Read a folder: campaigns in it or in `campaigns/`, `segments/`, and `workspace.yaml`.

    Raises:
        InvalidError: with the faults of all files, each path led by its file's name.
    """
    if not folder.is_dir():
        raise InvalidError([Problem(str(folder), "is no folder")], "The folder of campaigns")
    reader = _Reader(folder)
    project = Project()
    places = [path for path in _documents(folder) if path.name not in WORKSPACE_FILES]
    for path in [*places, *_documents(folder / "campaigns")]:
        reader.add(path, decode_campaign, project.campaigns)
    for path in _documents(folder / "segments"):
        reader.add(path, decode_segment, project.segments)
    for path in (folder / name for name in WORKSPACE_FILES):
        if path.exists():
            project.workspace = reader.read(path, decode_workspace)
    if reader.problems:
        raise InvalidError(reader.problems, f"The folder {folder}")
    return project


def _documents(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)


class _Reader:
    """Reads documents, and goes on past those that are bad."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._folder = folder

    def read(self, path: Path, decode: Callable[[Any], T]) -> T | None:
        """Return a file's document; None, with its problems noted, if it is bad."""
        name = path.relative_to(self._folder).as_posix()
        try:
            return decode(read_yaml(path.read_text(encoding="utf-8"), name))
        except InvalidError as error:
            self.problems += [Problem(f"{name}: {one.path}", one.message) for one in error.problems]
            return None

    def add(self, path: Path, decode: Callable[[Any], S], found: dict[str, S]) -> None:
        """Put a file's document under its slug, which no other may have."""
        document = self.read(path, decode)
        if document is None:
            return
        if document.slug in found:
            name = path.relative_to(self._folder).as_posix()
            self.problems.append(Problem(f"{name}: slug", f'"{document.slug}" is used twice'))
        found[document.slug] = document
