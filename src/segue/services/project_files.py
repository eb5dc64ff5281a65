"""A folder of documents: campaigns, segments and the workspace, one YAML or JSON file each."""

import re
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from msgspec import Struct

from segue.engine.checks import decode_campaign
from segue.engine.workspace_checks import decode_segment, decode_workspace
from segue.model.decoding import shown
from segue.model.problems import InvalidError, Problem
from segue.model.workspace import Segment, Workspace
from segue.runtime.line_records import Project
from segue.services.configuration import CampaignEntry, Configuration, DocumentReader
from segue.storage.ports import CampaignStatus

_SUFFIXES: Final = (".yaml", ".yml", ".json")
WORKSPACE_FILES: Final = ("workspace.yaml", "workspace.yml", "workspace.json")


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: NO is a country, on is a word, 21:00 a time, and 01234 a code."""


# As YAML 1.2 has them: what begins so, and what it must look like.
_PLAIN: Final = {
    "bool": ("tTfF", r"true|True|TRUE|false|False|FALSE"),
    "int": ("-+0123456789", r"[-+]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F]+"),
    "float": (
        "-+.0123456789",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
    ),
}
_TAG: Final = "tag:yaml.org,2002:"
# The resolvers are shared with the parent class until they are copied.
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].removeprefix(_TAG) not in _PLAIN]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, (_first, _form) in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_form})$"), list(_first))
PLAIN_VALUES: Final = _Loader.yaml_implicit_resolvers


def read_yaml(text: str, where: str) -> Any:
    """Read one YAML (or JSON) document.

    Raises:
        InvalidError: it is not YAML; the problem names the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader underneath
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidError([Problem("", f"is no YAML: {error}")], where) from None


class Folder(Struct):
    """What a folder holds, and in which file; files go by "campaigns/<slug>" and the like."""

    configuration: Configuration
    files: dict[str, str]


def read_project(folder: Path) -> Project:
    """Read a folder as `segue run` takes it: whatever its status, a campaign is one.

    Raises:
        InvalidError: with the faults of all files, each path led by its file's name.
    """
    found = read_folder(folder).configuration
    campaigns = {slug: entry.document for slug, entry in found.campaigns.items()}
    return Project(campaigns, found.segments, found.workspace)


def read_folder(folder: Path) -> Folder:
    """Read a folder: campaigns in it or in `campaigns/`, `segments/`, and `workspace.yaml`.

    Raises:
        InvalidError: with the faults of all files, each path led by its file's name.
    """
    if not folder.is_dir():
        raise InvalidError([Problem(str(folder), "is no folder")], "The folder of campaigns")
    found = Configuration()
    files: dict[str, str] = {}
    reader = DocumentReader(": ")
    for path in campaign_files(folder):
        name = path.relative_to(folder).as_posix()
        entry = reader.read(name, path, read_campaign)
        if entry is not None and reader.is_new(name, entry.document.slug, found.campaigns):
            found.campaigns[entry.document.slug] = entry
            files[f"campaigns/{entry.document.slug}"] = name
    for path in segment_files(folder):
        name = path.relative_to(folder).as_posix()
        segment = reader.read(name, path, read_segment)
        if segment is not None and reader.is_new(name, segment.slug, found.segments):
            found.segments[segment.slug] = segment
            files[f"segments/{segment.slug}"] = name
    for path in workspace_files(folder):
        found.workspace = reader.read(path.name, path, read_workspace)
        files["workspace"] = path.name
    reader.raise_problems(f"The folder {folder}")
    return Folder(found, files)


def campaign_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold campaigns."""
    places = [path for path in _documents(folder) if path.name not in WORKSPACE_FILES]
    return [*places, *_documents(folder / "campaigns")]


def segment_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold segments."""
    return _documents(folder / "segments")


def workspace_files(folder: Path) -> list[Path]:
    """Return the file of a folder that holds the workspace, if there is one."""
    return [path for name in WORKSPACE_FILES if (path := folder / name).exists()][:1]


def read_file(path: Path) -> Any:
    """Read a file's YAML (or JSON) document.

    Raises:
        InvalidError: it holds none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidError([Problem("", f"is no text in UTF-8: {error}")], path.name) from None
    return read_yaml(text, path.name)


def read_campaign(path: Path) -> CampaignEntry:
    """Read a campaign's file: the document, and beside its fields perhaps a `status`.

    Raises:
        InvalidError: with every fault.
    """
    raw = read_file(path)
    if not isinstance(raw, dict) or "status" not in raw:
        return CampaignEntry(decode_campaign(raw))
    document = {key: value for key, value in raw.items() if key != "status"}
    status = next((one for one in get_args(CampaignStatus) if one == raw["status"]), None)
    if status is not None:
        return CampaignEntry(decode_campaign(document), status)
    message = f"must be one of {', '.join(get_args(CampaignStatus))}, not {shown(raw['status'])}"
    problems = [Problem("status", message)]
    try:
        decode_campaign(document)
    except InvalidError as error:
        problems += error.problems
    raise InvalidError(problems, path.name)


def read_segment(path: Path) -> Segment:
    """Read a segment's file.

    Raises:
        InvalidError: with every fault.
    """
    return decode_segment(read_file(path))


def read_workspace(path: Path) -> Workspace:
    """Read the workspace's file.

    Raises:
        InvalidError: with every fault.
    """
    return decode_workspace(read_file(path))


def _documents(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
