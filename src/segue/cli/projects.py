"""`segue plan`, `apply` and `export`: campaigns, segments and caps as YAML files in git."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from segue.cli.project_output import print_plan
from segue.cli.project_places import (
    Place,
    RemoteProjects,
    folder_to_change,
    folder_to_read,
)
from segue.errors import SegueError
from segue.model.problems import InvalidError, Problem
from segue.services.project_export import write_project
from segue.services.project_files import Folder, read_folder
from segue.services.settings import KEY_VARIABLE

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
_PRUNE = click.option(
    "--prune", is_flag=True, help="Archive and delete what the folder does not hold."
)


def _of_a_place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where it works."""
    options = (
        click.option("--data", help="The data folder."),
        click.option("--url", help="A server that runs, such as http://127.0.0.1:8000."),
        click.option("--key", envvar=KEY_VARIABLE, help=f"Its API key.  [env: {KEY_VARIABLE}]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_FOLDER
@_PRUNE
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_of_a_place
def plan(
    folder: Path, prune: bool, as_json: bool, data: str | None, url: str | None, key: str | None
) -> None:
    """Show what `segue apply` would change, and in which order it would publish.

    Exit code 0: nothing would change. 1: something would, or the folder has faults.
    """
    project = read_folder(folder)
    folder_there = folder_to_read(data, may_be_missing=True)
    with _place(folder_there, data, url, key) as place, _names_files(project):
        found = place.plan(project.configuration, prune=prune)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        print_plan(found, project.files)
    if found.changes:
        sys.exit(1)


@click.command()
@_FOLDER
@_PRUNE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--expect", help="Only if the plan had this fingerprint.")
@_of_a_place
def apply(
    folder: Path,
    prune: bool,
    yes: bool,
    expect: str | None,
    data: str | None,
    url: str | None,
    key: str | None,
) -> None:
    """Make the server hold what FOLDER says: all of it at one instant, or nothing.

    Asks before, on a terminal. A second time it changes nothing.
    """
    project = read_folder(folder)
    with _place(folder_to_change(data), data, url, key) as place, _names_files(project):
        found = place.plan(project.configuration, prune=prune)
        is_asked = bool(found.changes) and not yes and sys.stdin.isatty() and sys.stdout.isatty()
        if is_asked:
            print_plan(found, project.files)
            click.confirm("Apply this?", abort=True)
        done = place.apply(project.configuration, prune=prune, expected=expect or found.fingerprint)
    print_plan(done, project.files, is_done=True)


@click.command()
@_FOLDER
@_of_a_place
def export(folder: Path, data: str | None, url: str | None, key: str | None) -> None:
    """Write what the server holds into FOLDER, one file for each campaign and segment.

    A file that says the same already is left as it is.
    """
    with _place(folder_to_read(data), data, url, key) as place:
        configuration = place.export()
    try:
        done = write_project(folder, configuration)
    except OSError as error:
        raise SegueError(f"{folder} cannot be written: {error.strerror}") from error
    for name in done.written:
        click.echo(name)
    if done.surplus:
        names = ", ".join(done.surplus)
        click.echo(f"left alone, of nothing that the server has active: {names}", err=True)


@contextmanager
def _place(
    folder: AbstractContextManager[Place], data: str | None, url: str | None, key: str | None
) -> Iterator[Place]:
    """Give the server, or where none is named, the data folder."""
    if url is None:
        with folder as place:
            yield place
        return
    if data is not None:
        raise click.UsageError("--data and --url are two places; name one of them")
    remote = RemoteProjects(url, key)
    try:
        yield remote
    finally:
        remote.close()


@contextmanager
def _names_files(project: Folder) -> Iterator[None]:
    """Tell faults by the files they are in."""
    try:
        yield
    except InvalidError as error:
        problems = []
        for one in error.problems:
            place, separator, path = one.path.partition(": ")
            name = project.files.get(place, place)
            problems.append(Problem(f"{name}{separator}{path}", one.message))
        raise InvalidError(problems, "The project") from None
