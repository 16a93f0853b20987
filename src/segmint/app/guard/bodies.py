"""Bodies of requests: read whole where they are small, never more than a bound."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from segmint.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.types import Message, Receive

SECONDS_OF_BODY = 60.0
"""In which a small body has to have come, and each part of a large one."""


def announced_length(headers: Mapping[str, str]) -> int | None:
    """What ``Content-Length`` says; None where it is missing or no number.

    Example:
        >>> announced_length({"content-length": "12"}), announced_length({"content-length": "-1"})
        (12, None)
    """
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


async def whole_body(receive: Receive, *, most: int) -> bytes | None:
    """All bytes of a body; None if there are more than ``most``, it is slow, or the sender left.

    What is too much is read and thrown away: a sender who is cut off never reads why.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_OF_BODY):
            return await _read(receive, most)
    return None


async def in_time(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts of a large body as they come.

    Raises:
        InputError: when the next one does not come.
    """
    more = aiter(parts)
    while True:
        try:
            async with asyncio.timeout(SECONDS_OF_BODY):
                part = await anext(more)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise InputError("the file was cut off on its way: send it again") from error
        yield part


def replayed(body: bytes, receive: Receive) -> Receive:
    """What tells of a body that was read already, and after that of what comes then."""
    is_told = False

    async def told() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return told


async def _read(receive: Receive, most: int) -> bytes | None:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        more, size = message.get("more_body", False), size + len(part)
        if size <= most:
            parts.append(part)
    return b"".join(parts) if size <= most else None
