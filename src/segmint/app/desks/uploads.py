"""Files that visitors send: straight to the disk, never more than a bound, then opened."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from segmint.app.desks.samples import samples
from segmint.app.desks.turns import Turns
from segmint.app.errand import Errand
from segmint.app.guard.bodies import in_time
from segmint.app.sizes import shown_size, size_of
from segmint.errors import InputError, OutputError, UsageError, nearest

if TYPE_CHECKING:
    from segmint.app.crew.crew import Crew
    from segmint.app.desks.desk import Desk, Picture
    from segmint.app.desks.desks import Desks

MOST_SCRIBBLES = 16 * 2**20
"""Bytes of a file of scribbles."""

_TURNS = Turns()
"""One file of a desk at a time, so that what room is left can be counted."""


class TooLargeError(InputError):
    """A file that is larger than may be sent."""


async def open_upload(
    desks: Desks,
    crew: Crew,
    desk: Desk,
    name: str,
    content: AsyncIterator[bytes],
    announced: int | None = None,
) -> Picture:
    """Keep a file that is being sent, and open it.

    Args:
        desks: that the desk is one of.
        crew: opens it.
        desk: of the visitor.
        name: of the file, as the visitor calls it.
        content: of the file, in parts.
        announced: bytes that the sender says it has.

    Raises:
        TooLargeError: when it has too many bytes; what came so far is removed.
        InputError: when there is no room, or it is no image that can be read.
    """
    async with _TURNS.of(desk.id):
        with desks.using(desk):
            most = size_of("max-upload", desks.limits.max_upload)
            room = await asyncio.to_thread(desks.room, desk)
            picture = desks.add_picture(desk, name)
            try:
                await _keep(picture.file, content, announced=announced, most=most, room=room)
                await _opened(desks, crew, desk, picture)
            except BaseException:
                desks.remove_picture(desk, picture)
                raise
            return picture


async def open_sample(desks: Desks, crew: Crew, desk: Desk, name: str) -> Picture:
    """Open a picture that comes with the program.

    Raises:
        UsageError: for an unknown name.
        InputError: when there is no room.
    """
    known = {sample.name: sample for sample in samples()}
    if name not in known:
        raise UsageError(f"unknown sample {name!r}: {nearest(name, known)}")
    async with _TURNS.of(desk.id):
        with desks.using(desk):
            picture = desks.add_picture(desk, name)
            try:
                await asyncio.to_thread(_in_words, known[name].write, picture.file)
                await _opened(desks, crew, desk, picture)
            except BaseException:
                desks.remove_picture(desk, picture)
                raise
            return picture


async def load_scribbles(
    desks: Desks,
    crew: Crew,
    desk: Desk,
    picture: Picture,
    content: AsyncIterator[bytes],
    announced: int | None = None,
) -> dict[str, Any]:
    """Take a file of scribbles in place of all strokes; further ones lie over it.

    Returns:
        What the errand ``scribbles`` found.

    Raises:
        TooLargeError: when it has too many bytes.
        InputError: when it is no file of scribbles for this picture.
    """
    picture.check_can_paint()
    sent = picture.folder / "scribbles-sent"
    async with _TURNS.of(desk.id):
        with desks.using(desk):
            try:
                room = await asyncio.to_thread(desks.room, desk)
                await _keep(sent, content, announced=announced, most=MOST_SCRIBBLES, room=room)
                arguments = {
                    "path": str(sent),
                    "width": picture.facts["width"],
                    "height": picture.facts["height"],
                    "out": str(picture.base),
                }
                errand = Errand(name="scribbles", arguments=arguments, quick=True)
                found = await crew.ask(errand, desk=desk.id)
            finally:
                sent.unlink(missing_ok=True)
            picture.strokes = []
            await asyncio.to_thread(_in_words, _copy, picture.base, picture.scribbles)
            return {**found, "base": True}


async def _opened(desks: Desks, crew: Crew, desk: Desk, picture: Picture) -> None:
    arguments = {
        "path": str(picture.file),
        "views": str(picture.views()),
        "max_pixels": desks.limits.max_pixels,
        "max_whole": desks.limits.max_whole,
    }
    errand = Errand(name="open", arguments=arguments, quick=True)
    picture.facts = await crew.ask(errand, desk=desk.id)


async def _keep(
    path: Path, content: AsyncIterator[bytes], *, announced: int | None, most: int, room: int
) -> None:
    """Write what comes, as long as it may come."""
    if announced is not None:
        _check(announced, most, room)
    file = await asyncio.to_thread(_in_words, Path.open, path, "xb")
    with file:
        size = await _written(file, content, most, room)
        await asyncio.to_thread(_in_words, file.flush)
    if size == 0:
        raise InputError("the file is empty (0 bytes): send another")
    if announced is not None and size != announced:
        raise InputError("the file was cut off on its way: send it again")


async def _written(file: BinaryIO, content: AsyncIterator[bytes], most: int, room: int) -> int:
    size = 0
    async for part in in_time(content):
        size += len(part)
        _check(size, most, room)
        await asyncio.to_thread(_in_words, file.write, part)
    return size


def _check(size: int, most: int, room: int) -> None:
    if size > most:
        raise TooLargeError(too_large(most))
    if size > room:
        raise TooLargeError(
            f"the file is larger than the {shown_size(room)} that are left for your images and "
            "results: remove an image first"
        )


def too_large(most: int) -> str:
    """What is said of a file with more bytes."""
    return (
        f"the file is larger than {shown_size(most)}, accepted are smaller ones: crop it, or use "
        "'segmint segment' where it lies"
    )


def _in_words(function: Any, *arguments: Any) -> Any:
    """What a function returns that writes a file; a full disk is said in a sentence."""
    try:
        return function(*arguments)
    except OSError as error:
        raise OutputError(
            f"the server cannot keep the file: {error.strerror or error}; tell whoever started it"
        ) from error


def _copy(source: Path, place: Path) -> None:
    shutil.copyfile(source, place)
