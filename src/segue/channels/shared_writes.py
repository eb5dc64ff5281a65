"""Durable writes of many tasks: what comes while one is under way shares the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

from segue.errors import SegueError

_log = structlog.get_logger(__name__)
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class SharedWrites(Generic[_Item, _Result]):
    """Writes items in a thread, one write at a time."""

    def __init__(self, write: Callable[[list[_Item]], _Result], what: str) -> None:
        """Take what writes, and what its items are called."""
        self._write = write
        self._what = what
        self._waiting: list[tuple[Sequence[_Item], asyncio.Future[_Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, items: Sequence[_Item]) -> _Result:
        """Return what the write that held these items, and perhaps others, returned.

        Raises:
            SegueError: it failed; nothing of it was kept.
        """
        written: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await written

    async def close(self) -> None:
        """Finish writing."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            items = [item for some, _ in batch for item in some]
            try:
                result = await asyncio.to_thread(self._write, items)
            except Exception as error:  # noqa: BLE001 - each task waits for its answer
                detail = str(error)
                if isinstance(error, SegueError):
                    _log.warning(f"{self._what} could not be kept", error=detail)
                else:
                    _log.exception(f"{self._what} could not be kept")
                    detail = f"{type(error).__name__}: {error}"
                for _, written in batch:
                    if not written.done():
                        written.set_exception(SegueError(detail))
            else:
                for _, written in batch:
                    if not written.done():
                        written.set_result(result)
