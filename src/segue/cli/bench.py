"""`segue bench`: what this machine does a second, beside the floor of the same run."""

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import httpx2
import msgspec
from rich.console import Console
from rich.progress import Progress

from segue.clock import Clock, SystemClock
from segue.simulator.benchmarks import measure_engine, measure_floor
from segue.simulator.fold_benchmarks import FOLDS, measure_fold
from segue.simulator.load import bodies

NAMES: Final = ("engine", "engine-all", "ingest", *FOLDS)
_INGEST_BATCH: Final = 500  # events a call, as design.md's table has it
_CONNECTIONS: Final = 8


@click.command()
@click.argument("name", type=click.Choice(NAMES), required=False)
@click.option("--events", default=400_000, show_default=True, type=click.IntRange(2_000))
@click.option("--users", default=1_000_000, show_default=True, type=click.IntRange(1))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def bench(name: str | None, events: int, users: int, json_file: Path | None) -> None:
    """Measure NAME, or everything, and print rate, floor and ratio.

    The floor is decoding the events and appending them durably: what cannot be saved.
    """
    clock = SystemClock()
    results: dict[str, dict[str, Any]] = {}
    console = Console(highlight=False)
    for one in [name] if name else NAMES:
        with _progress(one) as show:
            results[one] = asyncio.run(_measure(one, clock, events, users, show))
        shown = ", ".join(f"{key} {_number(value)}" for key, value in results[one].items())
        console.print(f"[bold]{one}[/bold]: {shown}", soft_wrap=True)
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


def _number(value: Any) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) and value >= 10 else str(value)  # noqa: PLR2004


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


async def _measure(
    name: str, clock: Clock, events: int, users: int, show: Callable[[int, int], None]
) -> dict[str, Any]:
    if name == "ingest":
        return await _measure_ingest(clock, events, show)
    if name in FOLDS:
        folded = await measure_fold(FOLDS[name], clock, events, users, show)
        return dict(msgspec.to_builtins(folded))
    is_all = name == "engine-all"
    count = events // 4 if is_all else events  # every event of interest takes several times longer
    measured = msgspec.to_builtins(await measure_engine(clock, count, users, is_all, show))
    del measured["name"]
    return dict(measured)


async def _measure_ingest(
    clock: Clock, events: int, show: Callable[[int, int], None]
) -> dict[str, Any]:
    """Measure real HTTP with durable answers, then the answer times at half that rate."""
    calls = list(
        bodies(max(events // _INGEST_BATCH, _CONNECTIONS), _INGEST_BATCH, 100_000, clock.now())
    )
    floor = measure_floor(clock, _INGEST_BATCH, len(calls))
    with (
        tempfile.TemporaryDirectory(prefix="segue-bench-") as folder,
        _server(folder) as (url, key),
    ):
        limits = httpx2.Limits(max_connections=_CONNECTIONS)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(
            base_url=url, headers=headers, limits=limits, timeout=60
        ) as client:
            began = clock.monotonic()
            await _send(client, calls, clock, 0.0, show)
            rate = len(calls) * _INGEST_BATCH / (clock.monotonic() - began)
            pause = 2 * _INGEST_BATCH / rate
            times = sorted(await _send(client, calls[: len(calls) // 2], clock, pause, show))
    return {
        "rate": round(rate),
        "floor": round(floor),
        "ratio": round(rate / floor, 3),
        "events": len(calls) * _INGEST_BATCH,
        "p50_ms": round(times[len(times) // 2] * 1000, 1),
        "p99_ms": round(times[len(times) * 99 // 100] * 1000, 1),
    }


async def _send(
    client: httpx2.AsyncClient,
    calls: list[bytes],
    clock: Clock,
    pause: float,
    show: Callable[[int, int], None],
) -> list[float]:
    """Send calls, one every `pause` seconds or as fast as they are answered; return the times."""
    room = asyncio.Semaphore(_CONNECTIONS)
    times: list[float] = []

    async def one(call: bytes) -> None:
        began = clock.monotonic()
        answer = await client.post(
            "/api/v1/events", content=call, headers={"Content-Type": "application/json"}
        )
        answer.raise_for_status()
        times.append(clock.monotonic() - began)
        show(len(times), len(calls))
        room.release()

    began = clock.monotonic()
    tasks = []
    for number, call in enumerate(calls):
        await room.acquire()
        await clock.sleep(max(0.0, began + number * pause - clock.monotonic()))
        tasks.append(asyncio.create_task(one(call)))
    await asyncio.gather(*tasks)
    return times


@contextmanager
def _server(folder: str) -> Iterator[tuple[str, str]]:
    """Run `segue serve` in a process of its own; yield its address and a key."""
    command = [sys.executable, "-m", "segue", "serve", "--port", "0", "--data", folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        url = re.search(r"http://\S+", process.stdout.readline())
        key = process.stdout.readline().rsplit(" ", 1)[-1].strip()
        yield (url[0] if url else ""), key
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
