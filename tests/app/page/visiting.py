"""A visitor who speaks HTTP as the page's own scripts do, and as they never would."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from html import unescape
from types import MappingProxyType
from typing import Any

import httpx

PATIENCE = 120.0
"""Seconds for what is done soon on an idle machine."""
JOIN = "/gradio_api/queue/join"
DATA = "/gradio_api/queue/data"


@dataclass
class Visitor:
    """One tab of one visitor."""

    client: httpx.AsyncClient
    config: dict[str, Any]
    session: str
    desk: str = ""

    @classmethod
    @asynccontextmanager
    async def at(
        cls, address: str, *, cookies: Mapping[str, str] = MappingProxyType({})
    ) -> AsyncIterator[Visitor]:
        """Open the page; the tab is closed at the end.

        Args:
            address: as it was printed.
            cookies: of one who logged in.
        """
        async with (
            asyncio.timeout(PATIENCE),
            httpx.AsyncClient(
                timeout=PATIENCE, follow_redirects=True, cookies=dict(cookies)
            ) as client,
        ):
            page = (await client.get(address)).raise_for_status()
            client.base_url = page.url.copy_with(query=None)
            config = (await client.get("/config")).raise_for_status().json()
            visitor = cls(client, config, secrets.token_hex(6))
            async with visitor._kept():
                told = await visitor.press(None, "load")
                (visitor.desk,) = {found for found in values_of(told, "desk") if found}
                await visitor.press("label-free", "select")
                yield visitor

    @property
    def pictures(self) -> str:
        """The address to which files are sent."""
        return f"/segmint/desks/{self.desk}/pictures"

    async def send(self, content: Any, name: str = "photo.png") -> httpx.Response:
        """Send a file, whatever it is."""
        return await self.client.post(self.pictures, params={"name": name}, content=content)

    async def show(self, content: bytes, name: str = "photo.png") -> int:
        """Send a picture and look at it; its number."""
        sent = await self.send(content, name)
        assert sent.status_code == 200, sent.text
        number = int(sent.json()["picture"])
        await self.press("uploader", "upload", {"pictures": [number]})
        return number

    async def join(self, element: str | None, event: str, data: Any = None, **given: Any) -> str:
        """Say that something happened; its number in the queue.

        Args:
            element: of the page, by its id; none for what happens to the page.
            event: that happened to it.
            data: of the event.
            given: what controls say, by id; the others say what they say untouched.
        """
        joined = await self.client.post(JOIN, json=self.said(element, event, data, **given))
        return str(joined.raise_for_status().json()["event_id"])

    def said(self, element: str | None, event: str, data: Any = None, **given: Any) -> Any:
        """What is sent to the queue when something happens."""
        components = {each["id"]: each["props"] for each in self.config["components"]}
        for dependency in self.config["dependencies"]:
            for target, name in dependency["targets"]:
                at = components.get(target, {})
                names = (None, at.get("elem_id"), at.get("id"))
                if name == event and element in names:
                    asked = [components[each] for each in dependency["inputs"]]
                    values = [
                        given.get(str(each.get("elem_id")).replace("-", "_"), each.get("value"))
                        for each in asked
                    ]
                    return self.words(dependency["id"], values, data)
        raise AssertionError(f"the page has nothing that happens on {event} of {element}")

    def words(self, number: Any, values: list[Any], data: Any) -> dict[str, Any]:
        """What is sent to the queue, whatever it may be."""
        return {
            "data": values,
            "fn_index": number,
            "session_hash": self.session,
            "event_data": data,
        }

    async def told(self) -> AsyncIterator[dict[str, Any]]:
        """Everything that is told of all events."""
        async with self.client.stream("GET", DATA, params={"session_hash": self.session}) as told:
            async for line in told.aiter_lines():
                if line:
                    yield json.loads(line.removeprefix("data:"))

    async def heard(self, event: str) -> AsyncIterator[dict[str, Any]]:
        """Everything that is told of an event, up to its end."""
        async for message in self.told():
            if message.get("event_id") == event:
                yield message
                if message["msg"] == "process_completed":
                    return

    async def press(self, element: str | None, event: str, data: Any = None, **given: Any) -> Any:
        """Have something happen, and wait for its end; all that was told of it."""
        joined = await self.join(element, event, data, **given)
        return [message async for message in self.heard(joined)]

    async def segment(self, **given: Any) -> str:
        """Press the button; the last sentence of the page."""
        return sentences(await self.press("segment", "click", **given))[-1]

    async def begun(self, words: str, **given: Any) -> asyncio.Task[None]:
        """Press the button, and listen until it says some words, and on."""
        event, is_said = await self.join("segment", "click", **given), asyncio.Event()

        async def listen() -> None:
            async for message in self.heard(event):
                if words in str(message):
                    is_said.set()

        listening = asyncio.create_task(listen())
        await is_said.wait()
        return listening

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        async def beat() -> None:
            address = f"/gradio_api/heartbeat/{self.session}"
            async with self.client.stream("GET", address, timeout=None) as stream:
                async for _ in stream.aiter_raw():
                    pass

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await beating


def sentences(told: Any) -> list[str]:
    """What the status line says, one after the other."""
    found = re.findall(r'class=\\"status \w+\\" role=\\"\w+\\">([^<]*)<', json.dumps(told))
    return [unescape(json.loads(f'"{each}"')) for each in found]


def values_of(told: Any, name: str) -> list[Any]:
    """All values of that name, however deep."""
    if isinstance(told, dict):
        own = [told[name]] if name in told else []
        return own + [each for value in told.values() for each in values_of(value, name)]
    if isinstance(told, list):
        return [each for value in told for each in values_of(value, name)]
    return []
