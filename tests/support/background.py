"""An event loop in a thread of its own, for servers that tests without one talk to."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any


@contextlib.contextmanager
def served_in_background(*servers: AbstractAsyncContextManager[Any]) -> Iterator[None]:
    """Keep servers running beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    stack = contextlib.AsyncExitStack()
    try:
        for server in servers:
            run(stack.enter_async_context(server))
        yield
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
