"""One progress bar for everything long, on stderr; silent where that is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def byte_progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` bytes are done; the function yielded takes how many more are."""
    if not sys.stderr.isatty():
        yield lambda _more: None
        return
    bar = _bar(DownloadColumn())
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda more: bar.update(task, advance=more)


@contextmanager
def entry_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many entries are done; the function yielded takes that and how many there are."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    bar = _bar(MofNCompleteColumn())
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def task_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show several things, one after the other: what is done, how much of it, and of how much."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    bar = _bar(MofNCompleteColumn())
    with bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )


def _bar(count: ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        count,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
