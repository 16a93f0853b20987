"""The image inside segmint: pixels as stored, and what was decided when they were read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError

LARGEST_ROW_OF_CHANNELS_FIRST = 16
"""Arrays (1, 3 or 4, H, W) with both sides above this are taken for channels-first and refused."""

_WIDEST = 8
"""Bytes of the widest float that the libraries below compute with."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Image:
    """Pixels with what a file said about them.

    Pixels keep the type they are stored with. A 1-bit file is the exception: it becomes ``uint8``
    with the values 0 and 255, so that it looks and scales like any other 8-bit picture.

    Example:
        >>> image = Image.from_array(np.zeros((4, 6), dtype=np.uint8))
        >>> image.height, image.width, image.channels, image.is_stack
        (4, 6, 1, False)
    """

    pixels: npt.NDArray[Any]
    """(H, W, C), or (D, H, W, C) for a stack of D slices."""

    source: Path | None = None
    """The file the pixels came from."""

    spacing: tuple[float, ...] | None = None
    """Distance between pixels in millimeters, in the order of the axes of ``pixels``."""

    affine: npt.NDArray[np.float64] | None = None
    """(4, 4) from voxel indices, in the file's order, to millimeters; NIfTI only."""

    volume_shape: tuple[int, ...] | None = None
    """Spatial axes as they stand in the file, slices last; NIfTI only."""

    region: npt.NDArray[np.bool_] | None = None
    """(H, W) or (D, H, W), where the file says to look; only prepared files say so."""

    mask: npt.NDArray[np.int32] | None = None
    """Ground truth of the shape of ``region``, 255 where nothing counts; only of prepared files."""

    channel_names: tuple[str, ...] = ()
    """One a channel, where they have names."""

    class_names: tuple[str, ...] = ()
    """Names of the values 0, 1, ... of ``mask``."""

    notes: tuple[str, ...] = ()
    """What was decided on reading, one sentence each."""

    def __post_init__(self) -> None:
        if self.pixels.ndim not in (3, 4):
            raise ValueError(f"pixels have {self.pixels.ndim} axes: (H, W, C) or (D, H, W, C)")

    def __repr__(self) -> str:
        size = "x".join(str(side) for side in self.pixels.shape)
        return f"<Image of {size} {self.pixels.dtype} from {self.source or 'an array'}>"

    @property
    def is_stack(self) -> bool:
        """Whether the image has slices: ``pixels`` is (D, H, W, C)."""
        return self.pixels.ndim == 4

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[-3])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[-2])

    @property
    def channels(self) -> int:
        """Values a pixel."""
        return int(self.pixels.shape[-1])

    @classmethod
    def from_array(cls, array: npt.ArrayLike, *, stack: bool = False) -> Self:
        """An image from an array of integers or floats of any width.

        Args:
            array: (H, W) or (H, W, C); with ``stack``, (D, H, W) or (D, H, W, C).
            stack: the first axis counts slices.

        Raises:
            InputError: for booleans, complex numbers or objects, an empty array, a wrong number of
                axes, or channels first.
        """
        pixels = _numbers(array)
        plain, full = (3, 4) if stack else (2, 3)
        accepted = "(D, H, W) or (D, H, W, C)" if stack else "(H, W) or (H, W, C)"
        if pixels.ndim not in (plain, full):
            stack_hint = "pass segmint.Image.from_array(array, stack=True)"
            hint = stack_hint if pixels.ndim == 4 else "reshape it"
            raise InputError(f"array has shape {pixels.shape}, accepted is {accepted}: {hint}")
        if pixels.size == 0:
            raise InputError(f"array of shape {pixels.shape} is empty: pass at least one pixel")
        if not stack and _is_channels_first(pixels.shape):
            raise InputError(
                f"array of shape {pixels.shape} has its channels first, accepted is {accepted}: "
                "pass numpy.moveaxis(array, 0, -1)"
            )
        return cls(pixels=pixels[..., np.newaxis] if pixels.ndim == plain else pixels)


def check_finite(
    image: Image | npt.NDArray[Any],
    region: npt.NDArray[np.bool_] | None = None,
    *,
    advice: str = "clean them or leave their pixels out with --region",
) -> None:
    """Refuse NaN and infinity among the pixels that will be looked at.

    Args:
        image: an image, or pixels (..., H, W, C).
        region: boolean (H, W), or (D, H, W) for a stack; values outside it may be anything.
        advice: what to do about it.

    Raises:
        InputError: names how many values are not finite.
    """
    pixels = image.pixels if isinstance(image, Image) else image
    if pixels.dtype.kind != "f":
        return
    broken = ~np.isfinite(pixels)
    if region is not None:
        broken &= region[..., np.newaxis]
    count = np.count_nonzero(broken)
    if count:
        source = image.source if isinstance(image, Image) else None
        raise InputError(
            f"{source or 'image'} holds {count} values that are NaN or infinite, accepted are "
            f"finite numbers: {advice}"
        )


def _numbers(array: npt.ArrayLike) -> npt.NDArray[Any]:
    if isinstance(array, str | Path):
        raise InputError(
            f"{array} is a path and not an image: pass segmint.read_image({str(array)!r})"
        )
    try:
        pixels = np.asarray(array)
    except ValueError as error:
        raise InputError("image is not an array: pass numbers of shape (H, W, C)") from error
    if pixels.dtype.kind == "b":
        raise InputError(
            "array of bool is a mask, accepted are integers and floats: "
            "pass array.astype(numpy.uint8) if it is an image"
        )
    if pixels.dtype.kind == "f" and pixels.dtype.itemsize > _WIDEST:
        pixels = pixels.astype(np.float64)
    if pixels.dtype.kind not in "uif":
        raise InputError(
            f"array of {pixels.dtype} is not an image: pass integers or real floating-point numbers"
        )
    return pixels


def _is_channels_first(shape: tuple[int, ...]) -> bool:
    return (
        len(shape) == 3 and shape[0] in (1, 3, 4) and min(shape[1:]) > LARGEST_ROW_OF_CHANNELS_FIRST
    )
