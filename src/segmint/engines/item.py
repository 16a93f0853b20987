"""One image of a collection, or one block of an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What a worker is given: small, so that millions of them may pass through."""

    number: int
    """Its place in the collection, from 0."""
    image: str = ""
    """File or folder of the image, as it was named; of a block also where it lies, for people."""
    name: str = ""
    """Of the folder of its result."""
    region: str | None = None
    """File of a mask that a table named for this image: nonzero where to look."""
    scribbles: str | None = None
    """File of scribbles that a table named for this image."""


def made_from(item: Item) -> str:
    """The files that decide the result of an image, as one text.

    Example:
        >>> made_from(Item(number=0, image="a.png"))
        'a.png'
    """
    if item.region is None and item.scribbles is None:
        return item.image
    return f"{item.image}\0{item.region or ''}\0{item.scribbles or ''}"
