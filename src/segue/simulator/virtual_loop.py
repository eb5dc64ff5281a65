"""An event loop whose time is virtual: it never sleeps, and nothing in it depends on the machine.

Where it would wait, it moves its time on. What would run in a thread runs in the loop, at a moment
that the dice choose; calls of one executor keep their order, as with its single thread.
"""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from segue.errors import SegueError

_SECOND: Final = 1_000_000
_CLEAN_UP_TURNS_MAX: Final = 200  # tasks that end in order need a few


class StandstillError(SegueError):
    """Everything waits for something that will never come."""


class Killed(BaseException):
    """The process ends here, in the middle of whatever it was doing."""


class ThreadPauses(Protocol):
    """Says how long calls in threads take."""

    def before_call(self) -> float:
        """Return for how many seconds the next call waits before it begins."""

    def after_call(self) -> float:
        """Return after how many seconds more its end is noticed."""


class _NoFiles(selectors.BaseSelector):
    """A selector of files on which nothing ever happens; instead of waiting it moves time on."""

    def __init__(self, wait: Callable[[float | None], None]) -> None:
        self._wait = wait
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Note a file, which is the loop's own."""
        key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget a file."""
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass, and find nothing."""
        self._wait(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the files."""
        return self._keys


class _Call:
    """A call in a thread."""

    def __init__(self, future: "asyncio.Future[Any]", run: Callable[[], Any]) -> None:
        self.future = future
        self.run = run


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of one process. `kill` ends it where it stands, as a power cut would."""

    def __init__(self, began_at: int, pauses: ThreadPauses) -> None:
        self._micros = began_at
        self._pauses = pauses
        self._lanes: dict[object, deque[_Call]] = {}
        self._calls = 0
        self._turns_left: int | None = None
        self.is_killed = False
        self.failure: BaseException | None = None  # the first that nobody caught
        super().__init__(_NoFiles(self._pass))
        self.set_exception_handler(self._note_failure)

    @property
    def micros(self) -> int:
        """The loop's time in microseconds."""
        return self._micros

    @property
    def is_without_calls(self) -> bool:
        """Whether nothing runs in a thread, or waits to."""
        return not self._calls

    def skip_to(self, micros: int) -> None:
        """Let time pass with nothing happening; what was to come meanwhile comes then."""
        self._micros = max(self._micros, micros)

    def time(self) -> float:
        """Return the loop's time in seconds."""
        return self._micros / _SECOND

    def run_until(self, instant: int) -> bool:
        """Run until the loop's time is `instant`; return whether it is still alive then."""
        handle = self.call_at(instant / _SECOND, self.stop)
        try:
            self.run_forever()
        except Killed:
            self.is_killed = True
        finally:
            handle.cancel()
        return not self.is_killed

    def kill_in(self, turns: int | None) -> None:
        """End the process in so many turns of the loop; None takes that back."""
        self._turns_left = turns

    def kill(self) -> None:
        """End the process now; nothing that still runs has any effect outside."""
        self.is_killed = True
        self._turns_left = 0

    def dispose(self) -> None:
        """Clear away what a killed process has left in memory."""
        self.is_killed = True
        self._turns_left = None
        for lane in self._lanes.values():
            for call in lane:
                call.future.cancel()
        for _ in range(_CLEAN_UP_TURNS_MAX):
            tasks = asyncio.all_tasks(self)
            if not tasks:
                break
            for task in tasks:
                task.cancel()  # again, since `wait_for` may swallow one
            self.call_soon(self.stop)
            self.run_forever()
        self.close()

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Run a call in its turn, after the calls of its executor that came before."""
        call = _Call(self.create_future(), lambda: func(*args))
        self._calls += 1
        if executor is None:
            self._begin_later(deque([call]))
            return call.future
        lane = self._lanes.setdefault(executor, deque())
        lane.append(call)
        if len(lane) == 1:
            self._begin_later(lane)
        return call.future

    def _begin_later(self, lane: "deque[_Call]") -> None:
        self.call_later(self._pauses.before_call(), self._run_first, lane)

    def _run_first(self, lane: "deque[_Call]") -> None:
        if self.is_killed:
            return
        call = lane[0]
        try:
            result = call.run()
        except Killed:
            self.kill()
            return
        except Exception as error:  # noqa: BLE001 - it is the waiting task's
            self.call_later(self._pauses.after_call(), self._finish, lane, None, error)
        else:
            self.call_later(self._pauses.after_call(), self._finish, lane, result, None)

    def _finish(self, lane: "deque[_Call]", result: Any, error: Exception | None) -> None:
        call = lane.popleft()
        self._calls -= 1
        if not call.future.done():
            if error is None:
                call.future.set_result(result)
            else:
                call.future.set_exception(error)
        if lane:
            self._begin_later(lane)

    def _pass(self, timeout: float | None) -> None:
        """Take a turn of the loop: move time on to what comes next."""
        if self._turns_left is not None:
            if self._turns_left <= 0:
                raise Killed
            self._turns_left -= 1
        if timeout is None:
            raise StandstillError("every task waits, and nothing is to come")
        if timeout > 0:
            self._micros += max(-int(-timeout * _SECOND // 1), 1)

    def _note_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if self.failure is None and not self.is_killed:
            self.failure = error or SegueError(str(context.get("message")))
