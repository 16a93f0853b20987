"""Bodies of requests: read whole where they are small, never more than a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive


def announced_length(headers: Mapping[str, str]) -> int | None:
    """What ``Content-Length`` says; None where it is missing or no number.

    Example:
        >>> announced_length({"content-length": "12"}), announced_length({"content-length": "-1"})
        (12, None)
    """
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


async def whole_body(receive: Receive, *, most: int) -> bytes | None:
    """All bytes of a body; None as soon as there are more than ``most``, or the sender left."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


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
