"""Writes documents as YAML, the same bytes for the same document, and puts them into a folder."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct, field

from segue.model.problems import InvalidError
from segue.model.workspace import Workspace
from segue.services.configuration import CampaignEntry, Configuration
from segue.services.differences import fingerprint_of, plain
from segue.services.project_files import (
    PLAIN_VALUES,
    WORKSPACE_FILES,
    campaign_files,
    read_campaign,
    read_file,
    read_segment,
    read_workspace,
    segment_files,
    workspace_files,
)

_ONE_LINE: Final = 1 << 20  # a value is not wrapped, so that a difference in git is one line
_CONTENT_FIELDS: Final = ("messages", "variants")  # may hold anything, in the author's order
_SUBJECTS: Final = ("attribute", "property")  # of a comparison
_TRAILING_SPACE: Final = re.compile(r"[ \t](\n|$)")  # a literal block would lose it
_OTHER_LINE_ENDS: Final = re.compile("[\r\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """YAML in blocks, with texts of several lines as they are, and lists set in."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Set lists in below their name, as people write them."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write what occurs twice out twice."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if _OTHER_LINE_ENDS.search(text):
        style = '"'  # YAML takes them for line ends, and would fold them
    elif "\n" in text and _TRAILING_SPACE.search(text) is None:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
# A text is quoted where either our reader or one of YAML 1.1 would take it for something else.
_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, ()),
        *PLAIN_VALUES.get(first, ()),
    ]
    for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *PLAIN_VALUES}
}


class Written(Struct):
    """What an export did to a folder: names of files."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)  # of what is not there, or archived


class _Wanted(Struct, frozen=True):
    """What a file is to hold, and what tells whether one holds it already."""

    values: dict[str, Any]
    said: bytes


class _File(Struct, frozen=True):
    path: Path
    said: bytes  # nothing where the document is bad


def write_project(folder: Path, configuration: Configuration) -> Written:
    """Write documents into a folder, which is made if it is not there.

    A document that has a file keeps it, and a file that says the same already is left as it is,
    comments and all.
    """
    done = Written()
    campaigns = {
        slug: _Wanted(campaign_values(entry), _said_by_campaign(entry))
        for slug, entry in configuration.campaigns.items()
    }
    segments = {
        slug: _Wanted(_readable(plain(segment)), fingerprint_of(segment))
        for slug, segment in configuration.segments.items()
    }
    campaign_places = _files(campaign_files(folder), lambda p: _said_by_campaign(read_campaign(p)))
    segment_places = _files(segment_files(folder), lambda p: fingerprint_of(read_segment(p)))
    _write_all(done, folder, "campaigns", campaigns, campaign_places)
    _write_all(done, folder, "segments", segments, segment_places)
    if configuration.workspace is not None:
        workspace = configuration.workspace
        wanted = _Wanted(workspace_values(workspace), fingerprint_of(workspace))
        path = next((one for one in workspace_files(folder)), folder / WORKSPACE_FILES[0])
        _write(done, folder, path, wanted, _said(path, lambda p: fingerprint_of(read_workspace(p))))
    return done


def to_yaml(value: Any) -> str:
    """Return plain values as YAML."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_ONE_LINE)


def campaign_values(entry: CampaignEntry) -> dict[str, Any]:
    """Return a campaign's file as plain values; a status stands behind the names."""
    values = _readable(plain(entry.document))
    if entry.status == "active":
        return values
    names = {name: values.pop(name) for name in ("slug", "name")}
    return {**names, "status": entry.status, **values}


def _readable(values: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which a filter begins with what it is about."""
    return {
        name: value if name in _CONTENT_FIELDS else _with_subject_first(value)
        for name, value in values.items()
    }


def _with_subject_first(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_subject_first(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _with_subject_first(one) for name, one in value.items()}
    first = {name: inner.pop(name) for name in _SUBJECTS if name in inner}
    return {**first, **inner}


def workspace_values(workspace: Workspace) -> dict[str, Any]:
    """Return the workspace's file as plain values; the time zone is always said."""
    return {"time_zone": workspace.time_zone, **plain(workspace)}


def _said_by_campaign(entry: CampaignEntry) -> bytes:
    return f"{entry.status} ".encode() + fingerprint_of(entry.document)


def _files(paths: Iterable[Path], read: Callable[[Path], bytes]) -> dict[str, _File]:
    """Return the files by the slug they give; one that gives none goes by its name."""
    found: dict[str, _File] = {}
    for path in paths:
        try:
            raw = read_file(path)
        except InvalidError:
            raw = None
        slug = raw.get("slug") if isinstance(raw, dict) else None
        found[str(slug or path.name)] = _File(path, _said(path, read))
    return found


def _said(path: Path, read: Callable[[Path], bytes]) -> bytes:
    try:
        return read(path) if path.exists() else b""
    except InvalidError:
        return b""


def _write_all(
    done: Written,
    folder: Path,
    kind: str,
    wanted: Mapping[str, _Wanted],
    files: Mapping[str, _File],
) -> None:
    for slug, one in sorted(wanted.items()):
        file = files.get(slug) or _File(folder / kind / f"{slug}.yaml", b"")
        _write(done, folder, file.path, one, file.said)
    surplus = (file.path for slug, file in files.items() if slug not in wanted)
    done.surplus += sorted(path.relative_to(folder).as_posix() for path in surplus)


def _write(done: Written, folder: Path, path: Path, wanted: _Wanted, said: bytes) -> None:
    name = path.relative_to(folder).as_posix()
    if said == wanted.said:
        done.unchanged.append(name)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        text = msgspec.json.format(msgspec.json.encode(wanted.values)).decode() + "\n"
    else:
        text = to_yaml(wanted.values)
    path.write_text(text, encoding="utf-8")
    done.written.append(name)
