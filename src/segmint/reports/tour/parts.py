"""Parts of a page that several chapters have: panels and columns of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from segmint.images import Image, display_rgb
from segmint.methods.segmentation import Segmentation
from segmint.reports.page import Cell, Panel
from segmint.reports.photos import PHOTOS
from segmint.reports.pictures import embed


def photo_panel(image: Image, name: str, label: str) -> Panel:
    """A photo as it is."""
    return Panel(
        picture=embed(display_rgb(image.pixels)),
        alt=f"Photo of {PHOTOS[name].subject}.",
        label=label,
    )


def overlay_panel(result: Segmentation, image: Image, name: str, label: str) -> Panel:
    """The overlay of a result."""
    subject = f"photo of {PHOTOS[name].subject}" if name in PHOTOS else "made-up picture"
    return Panel(
        picture=embed(result.overlay(image.pixels)),
        alt=f"The {subject} in {counted(result.components)} by color ({result.method}).",
        label=label,
    )


def summary(result: Segmentation) -> str:
    """Method, components and seconds, for a label."""
    return f"{result.method}: {counted(result.components)} in {result.seconds:.1f}\u00a0s"


def counted(components: int) -> str:
    """A number of components in words.

    Example:
        >>> counted(1), counted(3)
        ('1 component', '3 components')
    """
    return f"{components} component{'' if components == 1 else 's'}"


def marked(values: Sequence[float], *, digits: int, sign: int) -> list[Cell]:
    """Cells of a column, the best as they are printed marked; NaN is a dash."""
    printed = [round(value, digits) for value in values]
    best = max(sign * value for value in printed if not math.isnan(value))
    return [
        Cell(
            text="\u2013" if math.isnan(value) else f"{value:.{digits}f}", best=sign * value == best
        )
        for value in printed
    ]
