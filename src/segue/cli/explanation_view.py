"""An explanation on a terminal: the answer, how things stand, then the steps by day."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Final, assert_never

from rich.console import Console
from rich.text import Text

from segue.engine.local_time import shown_wall, zone_of
from segue.model.explanations import (
    ExplainedChange,
    ExplainedCheck,
    ExplainedHearing,
    ExplainedLine,
    ExplainedResult,
    ExplainedStep,
    Explanation,
)
from segue.model.instants import from_datetime
from segue.model.traces import FilterTrace

_REPEATS_SHOWN: Final = 3  # of steps that tell the same; the rest is counted
_HEARD_WELL: Final = ("considered", "passed_over", "cancelled", "credited")
_MARGIN: Final = " " * 10  # as wide as the clock before a step
# What stands for our signs on terminals that do not have them.
_PLAIN: Final = str.maketrans(
    {"✓": "+", "✗": "x", "→": ">", "•": "-", "…": "~", "“": '"', "”": '"'}
)
_STYLES: Final = {"✓": "green", "✗": "bold red", "→": "bold", "•": "cyan", "…": "dim"}


class ExplanationView:
    """Writes explanations to a console, `width` columns wide."""

    def __init__(self, console: Console, width: int, show_all: bool = False) -> None:
        self._console = console
        self._width = width
        self._show_all = show_all
        self._zone = zone_of("UTC", "UTC")

    def show(self, explanation: Explanation) -> None:
        """Write one."""
        self._zone = zone_of(explanation.time_zone, "UTC")
        self._write("", explanation.summary, "bold")
        self._write("", "")
        for name, text in self._standing(explanation):
            self._write(f"  {name:10}", text)
        for day, steps in groupby(explanation.steps, key=self._day):
            self._write("", "")
            self._write("", day, "bold")
            for step in self._without_repeats(list(steps)):
                self._step(step)

    def _standing(self, explanation: Explanation) -> Iterator[tuple[str, str]]:
        campaign, waiting = explanation.campaign, explanation.waiting
        status = f"{campaign.slug}: {campaign.status}"
        if campaign.published_at is not None:
            status += f", published {self._when(campaign.published_at)}"
        if campaign.ended_at is not None:
            status += f", {campaign.status} {self._when(campaign.ended_at)}"
        if campaign.version:
            status += f", version {campaign.version}"
        yield "campaign", status
        user = "not waiting"
        if waiting is not None:
            held = "held until" if waiting.is_held else "waiting until"
            user = f"{held} {self._when(waiting.due_at)} (since {self._when(waiting.since)})"
        if explanation.last_sent_at is not None:
            user += f"; last sent {self._when(explanation.last_sent_at)}"
        yield "user", f"{explanation.user_id}: {user}"
        as_of = self._when(explanation.as_of)
        yield "as of", f"{as_of}; times are of {explanation.time_zone}"
        if explanation.log_begins_at is not None:
            begins = self._when(explanation.log_begins_at)
            yield "log", f"begins {begins}; what happened before is not considered"
        if explanation.left_out:
            yield "left out", f"the oldest {explanation.left_out} steps"

    def _without_repeats(self, steps: list[ExplainedStep]) -> Iterator[ExplainedStep | str]:
        """Yield a day's steps; of many that tell the same, the first few and the last."""
        for _, group in groupby(steps, key=_told_by):
            alike = list(group)
            hidden = len(alike) - _REPEATS_SHOWN
            if self._show_all or hidden <= 1:
                yield from alike
                continue
            yield from alike[: _REPEATS_SHOWN - 1]
            yield f"{hidden} more of the same (--all shows them)"
            yield alike[-1]

    def _step(self, step: ExplainedStep | str) -> None:
        if isinstance(step, str):
            self._write(_MARGIN, step, "dim", mark="…")
            return
        clock = f"{self._wall(step.at):%H:%M:%S}"
        self._write(f"{clock:10}", step.sentence)
        for line in step.lines:
            self._line(line)

    def _line(self, line: ExplainedLine) -> None:
        match line:
            case ExplainedHearing():
                mark = "•" if line.outcome in _HEARD_WELL else "✗"
                self._write(_MARGIN, line.sentence, mark=mark)
            case ExplainedCheck():
                code = "" if line.is_passed else f" [{line.reason}]"
                self._write(_MARGIN, line.sentence + code, mark="✓" if line.is_passed else "✗")
                audience = line.facts.get("audience")
                if isinstance(audience, FilterTrace):
                    self._filters(_MARGIN + "  ", audience)
            case ExplainedChange():
                self._write(_MARGIN, line.sentence, mark="•")
            case ExplainedResult():
                self._write(_MARGIN, line.sentence, "bold", mark="→")
            case _:
                assert_never(line)

    def _filters(self, indent: str, trace: FilterTrace) -> None:
        self._write(indent, trace.sentence, mark="✓" if trace.is_passed else "✗")
        for part in trace.parts:
            self._filters(indent + "  ", part)

    def _write(self, indent: str, text: str, style: str = "", mark: str = "") -> None:
        """Write a line, and what does not fit below where it began."""
        lead = Text(indent)
        if mark:
            lead.append(self._fit(mark) + " ", _STYLES[mark])
        rest = Text(" " * lead.cell_len)
        body = Text(self._fit(text), style)
        lines = body.wrap(self._console, self._width - lead.cell_len) or [body]
        for number, line in enumerate(lines):
            line.rstrip()
            whole = Text.assemble(rest if number else lead, line)
            whole.rstrip()
            self._console.print(whole, soft_wrap=True)

    def _fit(self, text: str) -> str:
        """Return text as this terminal can show it.

        What would steer it is taken out: a provider or a client may have sent it.
        """
        printable = "".join(one if one.isprintable() else "\ufffd" for one in text)
        encoding = self._console.encoding
        try:
            printable.encode(encoding)
        except UnicodeEncodeError:
            return printable.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
        return printable

    def _wall(self, moment: datetime) -> datetime:
        return shown_wall(from_datetime(moment), self._zone)

    def _when(self, moment: datetime) -> str:
        wall = self._wall(moment)
        return f"{wall.day} {wall:%b %Y %H:%M:%S}"

    def _day(self, step: ExplainedStep) -> str:
        wall = self._wall(step.at)
        return f"{wall:%a} {wall.day} {wall:%b %Y}"


def _told_by(step: ExplainedStep) -> tuple[object, ...]:
    """Return what makes a step like another one."""
    heard = tuple((line.path, line.outcome) for line in step.hearings())
    decided = tuple((one["decision"], one.get("reason")) for one in step.decisions)
    changed = any(isinstance(line, ExplainedChange) for line in step.lines)
    name = step.event["name"] if step.event is not None else step.sentence
    return step.kind, name, heard, decided, changed
