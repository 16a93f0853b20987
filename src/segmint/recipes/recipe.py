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
    from segmint.methods.method import Outcome

Predictor = Callable[["Image", "NDArray[np.bool_] | None"], "Outcome"]
"""What a run says of an image, inside a region where one is given."""

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
