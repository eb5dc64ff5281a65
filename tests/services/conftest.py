"""A desk for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.desk import Desk


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.open()
    yield desk
    await desk.live.stop()
