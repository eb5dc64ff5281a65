"""`segue run`: the campaigns of a folder over a file of lines, in virtual time."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Final

import click
import msgspec

from segue.cli.progress import byte_progress
from segue.errors import SegueError
from segue.model.instants import parse_instant
from segue.model.verdicts import Verdict
from segue.runtime.in_memory import Sends
from segue.runtime.line_records import Survey
from segue.runtime.lines import Line, read_line, verdict_line
from segue.runtime.offline import OfflineRun, read_checkpoint, write_checkpoint
from segue.services.project_files import read_project

_REJECTS_SHOWN: Final = 20


class _LineFile:
    """The lines of a file from an offset on; bad ones are told of on stderr and passed over."""

    def __init__(self, path: Path, offset: int, number: int) -> None:
        self.path = path
        self.offset = offset
        self.number = number
        self.rejected = 0

    def __iter__(self) -> Iterator[tuple[Line, int]]:
        """Yield lines with the offset behind each."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for text in file:
                self.number += 1
                self.offset += len(text)
                if (line := self._read(text)) is not None:
                    yield line, self.offset

    def _read(self, text: bytes) -> Line | None:
        try:
            return read_line(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.rejected += 1
            if self.rejected <= _REJECTS_SHOWN:
                shown = text[:120].decode("utf-8", "replace").strip()
                click.echo(f"{self.path}: line {self.number}: {error}: {shown}", err=True)
            return None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--events", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--until", help="Let time pass up to this instant after the last line.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@click.option("--batch-size", default=2_000, show_default=True, type=click.IntRange(1))
@click.option(
    "--sends",
    type=click.Choice(["accepted", "recorded"]),
    default="accepted",
    show_default=True,
    help="Take every send as accepted at once, or read what became of it in the lines.",
)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on from here if the file exists, and save here when the run ends or is stopped.",
)
@click.option("--max-lines", type=click.IntRange(1), help="Stop after so many lines.")
def run(
    folder: Path,
    events: Path,
    until: str | None,
    out: Path | None,
    batch_size: int,
    sends: Sends,
    checkpoint: Path | None,
    max_lines: int | None,
) -> None:
    """Decide what the campaigns in FOLDER would do about the lines of a file.

    Prints one JSON object a decision. No server, no database; time is the file's.
    """
    until_at = parse_instant(until) if until is not None else None
    resume_from = read_checkpoint(checkpoint) if checkpoint is not None else None
    engine = OfflineRun(read_project(folder), survey_of(events), sends, resume_from=resume_from)
    lines = _LineFile(events, engine.bytes_done, engine.lines_done)
    resumes = resume_from is not None
    target = out.open("ab" if resumes else "wb") if out else nullcontext(sys.stdout.buffer)
    with target as sink, byte_progress("Deciding", events.stat().st_size) as done:
        done(engine.bytes_done)
        try:
            is_finished = _decide_all(engine, lines, sink, batch_size, max_lines, done)
            if is_finished and until_at is not None:
                _write(sink, engine.advance(until_at))
        except KeyboardInterrupt:
            is_finished = False
        if checkpoint is not None:
            write_checkpoint(checkpoint, engine.checkpoint())
    if lines.rejected:
        message = f"{events}: {lines.rejected} line(s) could not be read; the rest was decided"
        raise SegueError(message)


def _decide_all(
    engine: OfflineRun,
    lines: _LineFile,
    sink: IO[bytes],
    batch_size: int,
    max_lines: int | None,
    done: Callable[[int], None],
) -> bool:
    """Feed the lines in batches; return whether the end of the file was reached."""
    supply = iter(lines)
    left = max_lines
    while batch := list(islice(supply, batch_size if left is None else min(left, batch_size))):
        before = engine.bytes_done
        _write(sink, engine.feed([line for line, _ in batch]))
        engine.bytes_done = batch[-1][1]
        done(engine.bytes_done - before)
        if left is not None:
            left -= len(batch)
            if left == 0:
                return False
    return True


def survey_of(path: Path) -> Survey:
    """Return what the control lines of a file are about."""
    survey = Survey()
    with path.open("rb") as file:
        for text in file:
            if b'"control"' not in text:
                continue
            try:
                line = read_line(text)
            except msgspec.DecodeError:
                continue  # told of when its turn comes
            if line is not None:
                survey.look_at(line)
    return survey


def _write(sink: IO[bytes], verdicts: list[Verdict]) -> None:
    encode = msgspec.json.encode
    sink.writelines(encode(verdict_line(verdict)) + b"\n" for verdict in verdicts)
