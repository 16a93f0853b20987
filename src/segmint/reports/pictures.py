"""Pictures as text inside a page, so that the page needs no other file."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.film import Film

LONGEST_SIDE = 640
"""Pictures are reduced to this many pixels; a page shows none larger."""

JPEG_QUALITY = 85

MOST_COLORS = 256
"""Of a picture with a palette."""

LEAST_SIDE = 48
"""Pixels that a picture is not reduced below, however many there are."""

_COMPACT_QUALITY = 78
_AGAIN = 0.95
"""Of the side that should fit, so that the next try does."""

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A picture as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int
    still: str | None = None
    """The last frame of an animation, for readers who asked their system for less motion."""


def embed(
    picture: npt.NDArray[np.uint8],
    *,
    longest_side: int = LONGEST_SIDE,
    exact: bool = False,
    compact: bool = False,
) -> Embedded:
    """A picture for a page.

    Args:
        picture: uint8 RGB (H, W, 3) or grey (H, W).
        longest_side: reduced to this many pixels when it is larger.
        exact: PNG, for drawings and few colors; otherwise JPEG, for photos.
        compact: a smaller JPEG with colors at half the resolution, where a page has many.

    Raises:
        InputError: for an array that is no picture.

    Example:
        >>> embed(np.zeros((4, 6, 3), np.uint8), exact=True).uri[:22]
        'data:image/png;base64,'
    """
    from PIL import Image as Pillow

    _check(picture)
    image = Pillow.fromarray(picture)
    image.thumbnail((longest_side, longest_side), Pillow.Resampling.LANCZOS)
    stream = io.BytesIO()
    if exact:
        image.save(stream, format="PNG", optimize=True)
    else:
        quality, subsampling = (_COMPACT_QUALITY, 2) if compact else (JPEG_QUALITY, 0)
        # Not optimized: that fails on noise, which takes more than a byte a pixel.
        image.save(stream, format="JPEG", quality=quality, subsampling=subsampling)
    kind = "image/png" if exact else "image/jpeg"
    return Embedded(uri=_data_uri(kind, stream.getvalue()), width=image.width, height=image.height)


def embed_drawn(picture: npt.NDArray[np.uint8]) -> Embedded:
    """A picture at its own size: as PNG with a palette where it has few colors, else as JPEG.

    Args:
        picture: uint8 RGB (H, W, 3).

    Raises:
        InputError: for an array that is no picture.

    Example:
        >>> embed_drawn(np.zeros((4, 6, 3), np.uint8)).uri[:22]
        'data:image/png;base64,'
    """
    from PIL import Image as Pillow

    _check(picture)
    if Pillow.fromarray(picture).getcolors(MOST_COLORS) is None:
        return embed(picture, longest_side=max(picture.shape[:2]))
    codes = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, index = np.unique(codes, return_inverse=True)
    image = Pillow.fromarray(index.reshape(codes.shape).astype(np.uint8))
    image.putpalette([part for color in colors.tolist() for part in color.to_bytes(3, "big")])
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    uri = _data_uri("image/png", stream.getvalue())
    return Embedded(uri=uri, width=image.width, height=image.height)


def fitted_into(
    draw: Callable[[int], Drawn], length: Callable[[Drawn], int], *, most: int, longest_side: int
) -> Drawn:
    """What is drawn, as large as its pictures together fit into a length.

    Args:
        draw: at a longest side of the pictures in pixels.
        length: of what was drawn, in letters of the page.
        most: that length; what is 48 pixels small is kept even where it takes more.
        longest_side: to begin with.
    """
    side = longest_side
    while True:
        drawn = draw(side)
        taken = length(drawn)
        if taken <= most or side <= LEAST_SIDE:
            return drawn
        side = max(int(side * _AGAIN * math.sqrt(most / taken)), LEAST_SIDE)


def embed_film(film: Film) -> Embedded:
    """A film as an animation for a page, with its last frame as a still picture.

    Raises:
        InputError: for a film without frames.
    """
    if not film.frames:
        raise InputError("the film has no frames: add at least one")
    last = embed(film.frames[-1])
    return Embedded(
        uri=_data_uri("image/gif", film.encode()),
        width=last.width,
        height=last.height,
        still=last.uri,
    )


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _check(picture: npt.NDArray[np.uint8]) -> None:
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or not picture.size:
        raise InputError(
            f"picture is {picture.dtype} of shape {picture.shape}, accepted is uint8 "
            "(H, W, 3) or (H, W): make one with display_rgb"
        )
