"""What the masks of a folder hold, before anybody knows what it means."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.label_map import packed_colors
from segmint.datasets.pixel_files import read_mask_values
from segmint.errors import InputError

THREADS = 4
"""More bring nothing: decoding waits for memory and files."""

_MOST_VALUES = 4096
"""That are kept of a file: with so many it is no mask, and a folder of photos would fill memory."""


@dataclass(frozen=True, kw_only=True)
class MaskFacts:
    """What one mask file holds."""

    path: Path
    colored: bool
    """Some pixel is not grey."""
    in_color: bool
    """The file has three channels, though all may be grey."""
    values: tuple[int, ...]
    """Distinct values in increasing order; of a colored mask 0xRRGGBB."""


def survey(paths: Sequence[Path]) -> tuple[list[MaskFacts], list[InputError]]:
    """The facts of every mask, each file being read once as long as it does not change.

    Returns:
        What masks hold, and why others cannot be read.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(_facts_of, paths))
    readable = [each for each in found if isinstance(each, MaskFacts)]
    return readable, [each for each in found if isinstance(each, InputError)]


def _facts_of(path: Path) -> MaskFacts | InputError:
    try:
        status = path.stat()
        return _facts(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return InputError(f"mask {path} cannot be opened ({reason}): restore or remove it")
    except InputError as error:
        return error


@functools.lru_cache(maxsize=1 << 17)
def _facts(path: Path, changed: int, size: int) -> MaskFacts:
    stored = read_mask_values(path)
    in_color = stored.ndim == 3
    colored = in_color and not bool((stored == stored[..., :1]).all())
    plane = packed_colors(stored) if colored else stored[..., 0] if in_color else stored
    return MaskFacts(
        path=path, colored=colored, in_color=in_color, values=_distinct(plane)[:_MOST_VALUES]
    )


def _distinct(values: NDArray[Any]) -> tuple[int, ...]:
    if values.dtype == np.uint8:
        return tuple(np.flatnonzero(np.bincount(values.ravel())).tolist())
    return tuple(np.unique(values).tolist())
