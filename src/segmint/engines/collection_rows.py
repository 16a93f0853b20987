"""What a list or a table says of an image, and in which columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from segmint.errors import InputError, nearest_name, shortened

IMAGE_COLUMNS = ("image", "path", "file")
"""The first of these that a table has names the images."""
LONGEST_TEXT = 1 << 16
"""Bytes of a line or a value; whatever has longer ones names no images."""

_FURTHER = ("name", "region", "scribbles")
_LISTED = 12


class Row(NamedTuple):
    """An image that a list or a table names; empty texts where it says nothing."""

    place: int
    """Of the line or row, from 1."""
    image: str
    name: str = ""
    region: str = ""
    scribbles: str = ""


class Columns(NamedTuple):
    """Where a table says what; None for what it does not say."""

    image: int
    name: int | None = None
    region: int | None = None
    scribbles: int | None = None


def choose_columns(table: Path, titles: Sequence[str]) -> Columns:
    """Which columns of a table are read; case and spaces around titles do not count.

    Raises:
        InputError: when none names images, or two have the same title.

    Example:
        >>> choose_columns(Path("a.csv"), ["age", "Name", "path"])
        Columns(image=2, name=1, region=None, scribbles=None)
    """
    found = [title.strip().casefold() for title in titles]
    image = next((title for title in IMAGE_COLUMNS if title in found), None)
    if image is None:
        raise InputError(_no_images(table, titles, found))
    for title in (image, *_FURTHER):
        if found.count(title) > 1:
            raise InputError(
                f"{table} has {found.count(title)} columns {title!r}, accepted is one: rename the "
                "others"
            )
    places = {title: found.index(title) for title in _FURTHER if title in found}
    return Columns(found.index(image), **places)


def _no_images(table: Path, titles: Sequence[str], found: Sequence[str]) -> str:
    shown = [one_line(title) for title in titles[:_LISTED]]
    more = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    near = next((name for each in IMAGE_COLUMNS if (name := nearest_name(each, found))), None)
    which = one_line(near) if near else shown[0] if shown else ""
    return (
        f"{table} has no column 'image' ('path' and 'file' are accepted, too), its columns are "
        f"{', '.join(shown) or 'none'}{more}: rename the one that names the images"
        + (f", perhaps {which!r}" if near else "")
    )


def one_line(text: str) -> str:
    """A text from a file as a message shows it."""
    return shortened("".join(letter if letter.isprintable() else "?" for letter in text))
