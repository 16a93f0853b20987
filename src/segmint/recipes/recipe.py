"""What every recipe is: its options, how it learns, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.options import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images import Image

Predictor = Callable[["Image"], "NDArray[np.int32]"]
"""Labels (H, W) or (D, H, W) of an image."""

Report = Callable[[int, float], None]
"""Called after each step with its number and objective."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A registered recipe."""

    options: type[Options]
    train: Callable[..., dict[str, Any]]
    """``train(images, folder, options, *, seed, device, precision, report)``."""
    load: Callable[..., Predictor]
    """``load(folder, record, *, device, precision)``."""
