from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from segmint.app.guard.guard import Guard
from segmint.app.guard.hosts import Hosts
from segmint.app.guard.stopping import Stopping
from segmint.app.guard.visitor import VISITOR_COOKIE, new_visitor


class TestStreams:
    def test_parts_come_when_they_are_sent(self) -> None:
        """Each part of a stream is out before the next is made."""
        sent: list[bytes] = []

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for number in range(3):
                part = str(number).encode()
                await send({"type": "http.response.body", "body": part, "more_body": True})
                assert sent[-1] == part
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        asyncio.run(ask(stream, sent))
        assert sent == [b"0", b"1", b"2", b""]

    def test_they_end_with_the_server(self) -> None:
        sent: list[bytes] = []
        stopping = Stopping()
        is_cleared = False

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal is_cleared
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            stopping.begin()
            try:
                await asyncio.Event().wait()
            finally:
                is_cleared = True

        asyncio.run(ask(stream, sent, stopping))
        assert sent == [b"first", b""]
        assert is_cleared

    def test_what_fails_in_them_is_told(self) -> None:
        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asyncio.run(ask(stream, []))


async def ask(stream: Any, sent: list[bytes], stopping: Stopping | None = None) -> None:
    """Ask for a stream, and keep the parts of the answer."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append(message["body"])

    async def receive() -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    cookie = f"{VISITOR_COOKIE}={new_visitor()}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/gradio_api/queue/data",
        "query_string": b"session_hash=a",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
    }
    await Guard(stream, hosts=Hosts(), stopping=stopping)(scope, receive, send)
