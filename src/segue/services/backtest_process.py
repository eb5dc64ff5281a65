"""A backtest in a process of its own: what it is asked comes on stdin, what it tells on stdout.

So it may use a core for minutes while the server beside it answers as if nothing were. It only
reads the data folder.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from segue.errors import SegueError
from segue.model.problems import InvalidError, Problem
from segue.runtime.collector import without_collector
from segue.services.backtests import BacktestResult, run_backtest
from segue.storage.open import open_for_reading

COMMAND: Final = (sys.executable, "-m", "segue.services.backtest_process")
_NICENESS: Final = 10  # whatever else there is to do comes first
_STEPS: Final = 200  # progress is told so often in all


class Asked(Struct):
    """The request: a data folder, a document, and from when on."""

    data_dir: str
    document: Any
    since: int | None
    examples_max: int


class Progressed(Struct, tag="progressed"):
    """How many entries of the log are done."""

    done: int
    total: int


class Finished(Struct, tag="finished"):
    """The result."""

    result: BacktestResult


class Failed(Struct, tag="failed"):
    """Why there is no result."""

    message: str
    problems: list[Problem] = field(default_factory=list)


Told = Progressed | Finished | Failed


def main() -> None:
    """Answer the one request on stdin."""
    os.nice(_NICENESS)
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    try:
        with without_collector(), open_for_reading(Path(asked.data_dir)) as stores:
            result = run_backtest(
                stores, asked.document, asked.since, asked.examples_max, _Teller().tell_progress
            )
    except InvalidError as error:
        _tell(Failed(str(error), error.problems))
    except SegueError as error:
        _tell(Failed(str(error)))
    else:
        _tell(Finished(result))


class _Teller:
    def __init__(self) -> None:
        self._next = 0

    def tell_progress(self, done: int, total: int) -> None:
        """Tell of every step, and not of every block."""
        if done >= self._next:
            self._next = done + total // _STEPS
            _tell(Progressed(done, total))


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
