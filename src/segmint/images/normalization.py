"""Pixel values brought to a common range, for methods and for the eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError, UsageError, nearest
from segmint.images.choices import NORMALIZATIONS
from segmint.images.image import check_finite
from segmint.images.unit_range import UnitRange, between

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.0
"""What ``percentile`` maps to 0 and 1."""

LOW_DISPLAY_PERCENTILE, HIGH_DISPLAY_PERCENTILE = 0.5, 99.5
"""What a stretched channel shows as black and as full."""

DIM_BELOW = 0.5
"""A picture of floats in 0..1 whose greatest value is below this is stretched to be seen."""

LEAST_PEAK, GREATEST_PEAK = 1e-100, 1e100
"""Channels whose greatest magnitude is outside are scaled first: squares have half the range."""

_SAMPLE_OF_PIXELS = 1_000_000

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Region = npt.NDArray[np.bool_]


def to_unit_range(pixels: Pixels) -> Floats:
    """Values in 0..1, of any shape.

    ``uint8`` is divided by 255 and ``uint16`` by 65535, so that pictures stay comparable. Other
    types stay as they are when already within 0..1, else their least and greatest finite values
    become 0 and 1. What is not finite becomes 0.

    Example:
        >>> to_unit_range(np.array([0, 51, 255], dtype=np.uint8)).tolist()
        [0.0, 0.20000000298023224, 1.0]
    """
    return UnitRange.of(pixels)(pixels)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelMap:
    """One affine map a channel, ``(value - offset) * slope``, clipped to 0..1 if that is said.

    Values that arithmetic could not take as they are become ``(value - base) / 2**exponent`` first.
    """

    offset: npt.NDArray[np.float64]
    """(C,)"""
    slope: npt.NDArray[np.float64]
    """(C,); 0 for a constant channel."""
    clips: bool = False
    base: npt.NDArray[np.integer[Any]] | None = None
    """(C,) subtracted from 64-bit integers as integers, because float64 rounds large ones alike."""
    exponent: npt.NDArray[np.int32] | None = None
    """(C,)"""

    def __call__(self, pixels: Pixels) -> Floats:
        """Pixels (..., C) in the new units; infinite beyond the range of float32."""
        # Only values that do not count can overflow: channel_map has tried those that do.
        with np.errstate(over="ignore", invalid="ignore"):
            values: Any = _manageable(pixels, self.base, self.exponent)
            values -= self.offset.astype(values.dtype)
            values *= self.slope.astype(values.dtype)
            if self.clips:
                np.clip(values, 0, 1, out=values)
            return np.asarray(values, dtype=np.float32)


def channel_map(
    values: Pixels, method: str = "none", counts: npt.NDArray[np.integer[Any]] | None = None
) -> ChannelMap:
    """The map that normalizes each channel, from the values that count.

    Args:
        values: (n, C), finite; at least one.
        method: as for :func:`normalize`.
        counts: (n,) how often each row occurs; once each when not given.

    Raises:
        UsageError: for an unknown method.
        InputError: for values too large or too small to be normalized in this way.

    Example:
        >>> channel_map(np.array([[1.0], [3.0]]), "z-score")(np.array([[5.0]])).tolist()
        [[3.0]]
    """
    if method not in NORMALIZATIONS:
        raise UsageError(
            f"unknown normalization {method!r}: {nearest(str(method), NORMALIZATIONS)}"
        )
    unchanged = ChannelMap(offset=np.zeros(values.shape[1]), slope=np.ones(values.shape[1]))
    if method == "none" and _fits_float32(values.dtype):
        return unchanged
    # A column at a time: over rows of few channels the library takes twenty times as long.
    ends = np.array([[column.min(), column.max()] for column in values.T], values.dtype).T
    mapping = unchanged if method == "none" else _measured(values, ends, method, counts)
    _check_manageable(mapping, ends, method)
    return mapping


def normalize(pixels: Pixels, method: str = "none", region: Region | None = None) -> Floats:
    """Each channel shifted and scaled by its statistics inside a region.

    Args:
        pixels: (H, W, C), (H, W) for one channel, or (D, H, W, C).
        method: ``none``; ``z-score``, mean 0 and standard deviation 1; ``percentile``, the 1st and
            99th percentiles become 0 and 1 and what lies beyond is clipped; ``min-max``, likewise
            with the least and the greatest value.
        region: boolean, the shape of ``pixels`` without channels; statistics come from inside it.

    Returns:
        float32, (H, W, C) or (D, H, W, C). A constant channel becomes 0; a value outside the
        region that is not finite becomes what 0 would, and one that is too large becomes 0.

    Raises:
        UsageError: for an unknown method.
        InputError: for a region that is empty or of another shape, or values inside it that are
            not finite, or too large or too small to be normalized in this way.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    check_region(pixels, region)
    check_finite(pixels, region)
    inside = pixels[region] if region is not None else pixels.reshape(-1, pixels.shape[-1])
    mapping = channel_map(inside, method)
    if region is None or pixels.dtype.kind != "f":
        return mapping(pixels)
    normalized = mapping(np.where(np.isfinite(pixels), pixels, 0))
    return np.nan_to_num(normalized, copy=False, nan=0, posinf=0, neginf=0)


def _fits_float32(dtype: np.dtype[Any]) -> bool:
    """Whether float32 reaches as far as every value of a type."""
    return dtype.kind != "f" or dtype.itemsize <= np.dtype(np.float32).itemsize


def _measured(
    values: Pixels, ends: Pixels, method: str, counts: npt.NDArray[np.integer[Any]] | None
) -> ChannelMap:
    """The map of values (n, C) whose least and greatest are (2, C)."""
    base = ends[0] if _is_long(values) else None
    exponent = _exponent(_manageable(ends, base, None))
    if base is not None or exponent is not None:
        values = _manageable(values, base, exponent)
    offset, width = _place(values, _manageable(ends, base, exponent), method, counts)
    return ChannelMap(
        offset=offset,
        slope=_inverse(width),
        clips=method != "z-score",
        base=base,
        exponent=exponent,
    )


def _is_long(values: Pixels) -> bool:
    return values.dtype.kind in "iu" and values.dtype.itemsize == 8


def _manageable(
    pixels: Pixels,
    base: npt.NDArray[np.integer[Any]] | None,
    exponent: npt.NDArray[np.int32] | None,
) -> Pixels:
    """A copy of pixels (..., C) in floats, shifted and scaled as :class:`ChannelMap` says."""
    if base is None:
        values = pixels.astype(np.float64 if pixels.dtype.itemsize > 2 else np.float32)
    else:
        # A difference of 64-bit integers has 65 bits: its sign is kept apart.
        difference = (pixels - base).astype(np.uint64)
        below = pixels < base
        values = np.where(below, np.negative(difference), difference).astype(np.float64)
        np.negative(values, out=values, where=below)
    if exponent is None:
        return np.asarray(values)
    return np.asarray(np.ldexp(values.astype(np.float64), -exponent))


def _exponent(ends: Pixels) -> npt.NDArray[np.int32] | None:
    """(C,) that brings the least and the greatest values (2, C) near 1, if that is called for."""
    peak = np.abs(ends.astype(np.float64)).max(axis=0)
    ordinary = (peak == 0) | ((peak >= LEAST_PEAK) & (peak <= GREATEST_PEAK))
    if ordinary.all():
        return None
    return np.where(ordinary, 0, np.frexp(peak)[1]).astype(np.int32)


def _place(
    values: Pixels, ends: Pixels, method: str, counts: npt.NDArray[np.integer[Any]] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What becomes 0 in each channel, and how far from it lies what becomes 1; 0 if constant.

    Args:
        values: (n, C).
        ends: (2, C) the least and the greatest of them.
        method: any but ``none``.
        counts: (n,) or None.
    """
    if method == "percentile":
        low, high = _percentiles(values, counts)
        return low, high - low
    low, high = ends.astype(np.float64)
    if method == "min-max":
        return low, high - low
    mean, deviation = _moments(values, counts)
    # The computed deviation of equal values is not exactly 0.
    return mean, np.where(low != high, deviation, 0)


def _check_manageable(mapping: ChannelMap, ends: Pixels, method: str) -> None:
    """Refuse values whose least and greatest (2, C) are lost on the way.

    Raises:
        InputError: names the greatest magnitude.
    """
    peaks = np.abs(ends.astype(np.float64)).max(axis=0)
    mapped = mapping(ends)
    vanished = (mapping.slope > 0) & (peaks > 0) & (np.abs(mapped).max(axis=0) == 0)
    bad = vanished | ~np.isfinite(mapping.slope) | ~np.isfinite(mapped).all(axis=0)
    if bad.any():
        raise InputError(
            f"image has values up to {peaks[bad].max():g} in magnitude, accepted with "
            f"--normalization {method} are magnitudes from about 1e-30 to 1e30: rescale the image"
        )


def _moments(
    values: Pixels, counts: npt.NDArray[np.integer[Any]] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation (C,)."""
    if counts is None:
        return values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    mean = np.average(values, axis=0, weights=counts)
    return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=counts))


def _percentiles(
    values: Pixels, counts: npt.NDArray[np.integer[Any]] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if counts is None:
        percentiles = [LOW_PERCENTILE, HIGH_PERCENTILE]
        low, high = np.percentile(values.astype(np.float64), percentiles, axis=0)
        return low, high
    columns = [_counted_percentiles(column, counts) for column in values.T]
    return np.array([low for low, _ in columns]), np.array([high for _, high in columns])


def _counted_percentiles(
    column: Pixels, counts: npt.NDArray[np.integer[Any]]
) -> tuple[float, float]:
    """As ``np.percentile`` has it of values that occur so often, between neighbors linearly."""
    order = np.argsort(column, kind="stable")
    ordered, ends = column[order].astype(np.float64), np.cumsum(counts[order])

    def value(percentile: float) -> float:
        place = percentile / 100 * (ends[-1] - 1)
        below, above = np.searchsorted(ends, [np.floor(place), np.ceil(place)], side="right")
        share = place - np.floor(place)
        return float(ordered[below] + share * (ordered[above] - ordered[below]))

    return value(LOW_PERCENTILE), value(HIGH_PERCENTILE)


def _inverse(width: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.where(width > 0, 1 / np.where(width > 0, width, 1), 0)


def check_region(pixels: Pixels, region: Region | None) -> None:
    """Refuse a region that is empty or does not lie on the pixels.

    Args:
        pixels: (..., C).
        region: boolean (...).

    Raises:
        InputError: names both shapes, or says that the region is empty.
    """
    if region is None:
        return
    if region.shape != pixels.shape[:-1]:
        raise InputError(
            f"region has shape {region.shape} and the image {pixels.shape[:-1]}, "
            "accepted is a region of the image's shape: pass the one that belongs to it"
        )
    if region.dtype != np.bool_ or not region.any():
        raise InputError(
            f"region of {region.dtype} marks no pixel, accepted is a boolean array with at least "
            "one True: mark where to look"
        )


def display_rgb(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """The image as a picture for the eye.

    ``uint8`` grey and RGB stay as they are, floats that fill 0..1 are multiplied by 255, and
    everything else is stretched, each channel between its 0.5th and 99.5th percentile, so that
    16-bit microscopy and dim floats do not come out black. Two channels are shown in magenta and
    green, which color-blind readers tell apart, and more than three by their three principal
    components.

    Args:
        pixels: (H, W) or (H, W, C), any integer or float type; what is not finite is black.

    Returns:
        uint8 (H, W, 3).
    """
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    channels = pixels.shape[-1]
    if pixels.dtype == np.uint8 and channels in (1, 3):
        return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    if channels > 3:
        unit = _stretched_for_display(_principal_components(pixels))
    elif _fills_unit_range(pixels):
        unit = np.nan_to_num(pixels, nan=0, posinf=0, neginf=0).astype(np.float32)
    else:
        unit = _stretched_for_display(pixels)
    if channels == 1:
        unit = np.broadcast_to(unit, (*unit.shape[:2], 3))
    elif channels == 2:
        unit = unit[..., [0, 1, 0]]
    return np.asarray(np.rint(unit * 255), dtype=np.uint8)


def _fills_unit_range(pixels: Pixels) -> bool:
    if pixels.dtype.kind != "f":
        return False
    finite = pixels[np.isfinite(pixels)]
    return finite.size > 0 and finite.min() >= 0 and DIM_BELOW <= finite.max() <= 1


def _stretched_for_display(pixels: Pixels) -> Floats:
    stretched = np.empty(pixels.shape, dtype=np.float32)
    for channel in range(pixels.shape[-1]):
        values = pixels[..., channel].astype(np.float64)
        finite = np.isfinite(values)
        sample = _sample(values[finite])
        if not sample.size:
            stretched[..., channel] = 0
            continue
        low, high = np.percentile(sample, [LOW_DISPLAY_PERCENTILE, HIGH_DISPLAY_PERCENTILE])
        if low == high:
            low, high = sample.min(), sample.max()
        unit = np.clip(between(np.where(finite, values, low), low, high), 0, 1)
        stretched[..., channel] = np.where(finite, unit, 0)
    return stretched


def _principal_components(pixels: Pixels) -> Pixels:
    """Three uncorrelated channels (H, W, 3) that keep most of the variance of many."""
    values = _stretched_for_display(pixels)
    flat = values.reshape(-1, values.shape[-1])
    mean = flat.mean(axis=0, dtype=np.float64)
    covariance = np.cov(_sample(flat), rowvar=False)
    axes = np.linalg.eigh(covariance)[1][:, :-4:-1]
    # An eigenvector's sign is arbitrary: its largest entry is made positive.
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[np.newaxis], axis=0)
    projected = (flat - mean) @ (axes * np.where(largest < 0, -1.0, 1.0))
    return np.asarray(projected.reshape(*values.shape[:2], 3))


def _sample(values: Pixels) -> Pixels:
    """About a million rows at an even step, enough for a percentile to be seen."""
    return values[:: max(1, len(values) // _SAMPLE_OF_PIXELS)]
