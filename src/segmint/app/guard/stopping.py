"""Streams that would go on for as long as a tab is open, ended when the server ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Stopping:
    """Says that the server ends."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def begin(self) -> None:
        """End all streams now."""
        self._event.set()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream, to its end or to that of the server."""
        begun = ended = False

        async def watched(message: Message) -> None:
            nonlocal begun, ended
            begun = begun or message["type"] == "http.response.start"
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        stream = asyncio.ensure_future(app(scope, receive, watched))
        end = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait((stream, end), return_when=asyncio.FIRST_COMPLETED)
            if stream.done():
                stream.result()
        finally:
            end.cancel()
            stream.cancel()
            with suppress(asyncio.CancelledError):
                await stream
        if begun and not ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
