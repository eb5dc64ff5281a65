"""Synthetic people: they visit, buy, open, click or ignore, through the public endpoints."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import httpx2

from segue.clock import Clock
from segue.simulator.dice import Dice
from segue.simulator.habits import reactions, visit

FIRST_NAMES: Final = (
    "Ada", "Alan", "Amara", "Ben", "Chidi", "Dana", "Edith", "Emre", "Farah", "Grace",
    "Hugo", "Ines", "Jamal", "Kaito", "Lena", "Mateo", "Mina", "Nadia", "Omar", "Priya",
    "Quinn", "Rosa", "Sven", "Tomas", "Uma", "Vera", "Wen", "Xenia", "Yusuf", "Zoe",
)  # fmt: skip
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_SCANNER: Final = "GoogleImageProxy"
_SILENCE_MAX_S: Final = 30.0  # of the stream of phones, which is heard every ten seconds
_REACTIONS_MAX: Final = 200  # people with a mail before them at once; the rest ignore theirs

# (what the person did, in words)
Tell = Callable[[str, str], None]


class People:
    """A crowd of constant size that never stops; `live` runs until it is cancelled."""

    def __init__(self, url: str, key: str, clock: Clock, tell: Tell, seed: str) -> None:
        self._clock = clock
        self._tell = tell
        self._dice = Dice(seed)
        self._reacting: set[asyncio.Task[None]] = set()
        self._api = httpx2.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=5
        )
        self._browser = httpx2.AsyncClient(follow_redirects=False, timeout=5)

    async def live(self, pace_s: float) -> None:
        """Let somebody visit about every `pace_s` seconds, and everybody read their mail."""
        await self._sign_up()
        reading = asyncio.create_task(self._read_phones())
        try:
            while True:
                await self._clock.sleep(self._dice.between(0.2, 1.8) * pace_s)
                await self._visit(self._dice.choice(FIRST_NAMES))
        finally:
            for task in (reading, *self._reacting):
                task.cancel()
            await self._api.aclose()
            await self._browser.aclose()

    async def _sign_up(self) -> None:
        users = [
            {
                "user_id": name.lower(),
                "attributes": {"first_name": name, "email": f"{name.lower()}@people.test"},
            }
            for name in FIRST_NAMES
        ]
        await self._api.post("/api/v1/users", json={"users": users})

    async def _visit(self, name: str) -> None:
        event = visit(self._dice)
        line: dict[str, Any] = {"user_id": name.lower(), "name": event}
        if event == "purchase":
            line |= {"product_id": "sku-1", "price": 20, "currency": "EUR"}
        self._tell(name, event.replace("_", " "))
        await self._api.post("/api/v1/events", json={"events": [line]})

    async def _read_phones(self) -> None:
        """Let mails be read as they come; a stream that breaks off is taken up where it was."""
        last_id: str | None = None
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                async for message in self._messages(last_id):
                    last_id = message["id"]
                    if message["channel"] == "email" and len(self._reacting) < _REACTIONS_MAX:
                        task = asyncio.create_task(self._react(message))
                        self._reacting.add(task)
                        task.add_done_callback(self._reacting.discard)
            await self._clock.sleep(1)

    async def _messages(self, last_id: str | None) -> AsyncIterator[dict[str, Any]]:
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        stream = self._api.stream(
            "GET", "/api/v1/phones/stream", headers=headers, timeout=_SILENCE_MAX_S
        )
        async with stream as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    async def _react(self, mail: dict[str, Any]) -> None:
        """Open, click, buy or ignore; a few have a proxy that opens everything first."""
        name, subject = mail["user_id"].capitalize(), mail["content"]["subject"]
        urls = {one["act"]: one["url"] for one in reversed(mail["actions"])}  # the first of each
        if not {"email_open", "email_click"} <= urls.keys():
            return
        for reaction in reactions(self._dice):
            await self._clock.sleep(reaction.after_s)
            if reaction.what == "scan":
                await self._get(urls["email_open"], _SCANNER)
            elif reaction.what == "open":
                self._tell(name, f"opens “{subject}”")
                await self._get(urls["email_open"], _AGENT)
            else:
                self._tell(name, f"clicks in “{subject}”")
                await self._get(urls["email_click"], _AGENT)

    async def _get(self, url: str, agent: str) -> None:
        await self._browser.get(url, headers={"User-Agent": agent})
