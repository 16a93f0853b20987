"""Pictures as text inside a page, so that the page needs no other file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.film import Film

LONGEST_SIDE = 640
"""Pictures are reduced to this many pixels; a page shows none larger."""

JPEG_QUALITY = 85


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A picture as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int
    still: str | None = None
    """The last frame of an animation, for readers who asked their system for less motion."""


def embed(
    picture: npt.NDArray[np.uint8], *, longest_side: int = LONGEST_SIDE, exact: bool = False
) -> Embedded:
    """A picture for a page.

    Args:
        picture: uint8 RGB (H, W, 3) or grey (H, W).
        longest_side: reduced to this many pixels when it is larger.
        exact: PNG, for drawings and few colors; otherwise JPEG, for photos.

    Raises:
        InputError: for an array that is no picture.

    Example:
        >>> embed(np.zeros((4, 6, 3), np.uint8), exact=True).uri[:22]
        'data:image/png;base64,'
    """
    from PIL import Image as Pillow

    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or not picture.size:
        raise InputError(
            f"picture is {picture.dtype} of shape {picture.shape}, accepted is uint8 "
            "(H, W, 3) or (H, W): make one with display_rgb"
        )
    image = Pillow.fromarray(picture)
    image.thumbnail((longest_side, longest_side), Pillow.Resampling.LANCZOS)
    stream = io.BytesIO()
    if exact:
        image.save(stream, format="PNG", optimize=True)
    else:
        # Not optimized: that fails on noise, which takes more than a byte a pixel.
        image.save(stream, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    kind = "image/png" if exact else "image/jpeg"
    return Embedded(uri=_data_uri(kind, stream.getvalue()), width=image.width, height=image.height)


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
