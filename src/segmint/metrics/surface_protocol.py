"""The protocol ``surfaces``: distances between surfaces class by class, as in medical imaging."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.annotators import mean
from segmint.metrics.contingency import compact
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, Protocol, ScoreKind
from segmint.metrics.surface_distances import (
    checked_spacing,
    checked_tolerance,
    distances_between,
)

TOLERANCE = 1.0
"""Of the surface Dice if none is asked for: a millimeter, or a pixel where no spacing is known."""

_BACKGROUND = "background"
_MOST_CLASSES = 255


@dataclass(frozen=True, kw_only=True)
class _ClassSurfaces:
    """What one class of one image contributes; NaN where a score does not exist."""

    hd95: float
    average_surface_distance: float
    surface_dice: float


@dataclass(frozen=True, kw_only=True)
class SurfaceEvidence:
    """What one image contributes."""

    classes: Mapping[str, _ClassSurfaces]
    """By the name of the class, or its number; those that are in neither are left out."""
    order: tuple[str, ...]
    """Every class that could be there, in the order of rows; empty where classes have no names."""
    has_spacing: bool
    """Whether distances are in units of a file, and not in pixels."""


def surfaces(*, tolerance: float = TOLERANCE) -> Protocol:
    """The protocol with a tolerance of the surface Dice of its own.

    Args:
        tolerance: in millimeters, or in pixels where no spacing is known.

    Raises:
        UsageError: for other than a finite number from 0 up.
    """
    tolerance = checked_tolerance(tolerance)
    return Protocol(
        summary="distances between surfaces (Heimann et al. 2009, Nikolov et al. 2018)",
        scores=(
            ScoreKind(name="hd95", title="HD95", better="lower", perfect=0.0),
            ScoreKind(
                name="average_surface_distance",
                title="average surface distance",
                better="lower",
                perfect=0.0,
            ),
            ScoreKind(name="surface_dice", title="surface Dice", better="higher", perfect=1.0),
        ),
        measure=partial(_measure, tolerance=tolerance),
        rows=partial(_rows, tolerance=tolerance),
        unfit=_unfit,
        looks_at="classes",
    )


def _unfit(case: Case) -> str:
    if len(case.masks) != 1:
        return (
            f"{len(case.masks)} annotators drew segments without classes, and surfaces are of "
            "classes: score it by --protocol boundaries"
        )
    values = sum(1 for value in np.unique(case.masks[0]) if value != case.ignore_index)
    if not case.class_names and values > _MOST_CLASSES:
        return (
            f"the mask holds {values} values, which are rather the numbers of objects than "
            "classes: score it by --protocol instances"
        )
    return ""


def _measure(case: Case, *, tolerance: float) -> SurfaceEvidence:
    """Distances class by class, each within the box of its two objects."""
    from scipy.ndimage import find_objects

    labels, mask = case.labels, case.masks[0]
    spacing = checked_spacing(case.spacing, labels.ndim)
    found, truth, values = _numbered(labels, mask, case.ignore_index)
    boxes = [find_objects(side, values.size) for side in (found, truth)]
    classes = {}
    for number, value in enumerate(values.tolist(), start=1):
        name = _name_of(value, case)
        box = _common(boxes[0][number - 1], boxes[1][number - 1])
        if name is None or box is None:
            continue
        distances = distances_between(found[box] == number, truth[box] == number, spacing)
        classes[name] = _ClassSurfaces(
            hd95=distances.hd95,
            average_surface_distance=distances.average,
            surface_dice=distances.dice(tolerance),
        )
    return SurfaceEvidence(
        classes=classes,
        order=tuple(name for name in case.class_names if name != _BACKGROUND),
        has_spacing=case.spacing is not None,
    )


def _numbered(
    labels: NDArray[np.integer], mask: NDArray[np.integer], ignore_index: int | None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Both sides with 1, 2, ... for the values that occur, and these; 0 where nothing counts."""
    index, values = compact(np.stack([labels, mask]))
    numbers = (index + 1).astype(np.int32).reshape(2, *labels.shape)
    out = (labels < 0) | (mask < 0)
    if ignore_index is not None:
        out |= mask == ignore_index
    numbers[:, out] = 0
    return numbers[0], numbers[1], values


def _name_of(value: int, case: Case) -> str | None:
    """The class of a value, None where it is the background or no class."""
    if not case.class_names:
        return None if value == 0 else str(value)
    known = 0 <= value < len(case.class_names)
    name = case.class_names[value] if known else _BACKGROUND
    return None if name == _BACKGROUND else name


def _common(
    first: tuple[slice, ...] | None, second: tuple[slice, ...] | None
) -> tuple[slice, ...] | None:
    """The box around two boxes, of which there may be none."""
    if first is None or second is None:
        return first or second
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )


def _rows(images: Sequence[SurfaceEvidence], *, tolerance: float) -> list[ScoreRow]:
    """The means over classes, then each class by itself."""
    names = _class_order(images)
    unit = _unit(images)
    words = {
        "hd95": f"95th percentile of surface distances in {unit}, the greater of both directions",
        "average_surface_distance": f"average symmetric surface distance in {unit}",
        "surface_dice": f"surface Dice at a tolerance of {tolerance:g} in {unit}",
    }
    found = {
        name: [image.classes[name] for image in images if name in image.classes] for name in names
    }
    rows = []
    for score, meaning in words.items():
        values = {name: [getattr(each, score) for each in found[name]] for name in names}
        means = {name: mean(values[name]) for name in names}
        every = [value for name in names for value in values[name]]
        counted = sum(1 for value in means.values() if not math.isnan(value))
        rows.append(
            ScoreRow(
                name=score,
                value=mean(list(means.values())),
                protocol=f"{meaning}, mean over {_count(counted, 'class', 'classes')} of their "
                f"means over images{_missing(every)}",
            )
        )
        rows += [
            ScoreRow(
                name=f"{score}_{_key(name)}",
                value=means[name],
                protocol=f"{meaning}, class {name}, {_over(values[name])}",
            )
            for name in names
        ]
    return rows


def _class_order(images: Sequence[SurfaceEvidence]) -> list[str]:
    """The classes that occur: in the order of their names, or by number."""
    order = [name for image in images for name in image.order]
    numbers = {name for image in images for name in image.classes} - set(order)
    occurring = {name for image in images for name in image.classes}
    named = [name for name in dict.fromkeys(order) if name in occurring]
    return [*named, *sorted(numbers, key=int)]


def _unit(images: Sequence[SurfaceEvidence]) -> str:
    known = sum(image.has_spacing for image in images)
    if known == len(images):
        return "mm"
    if not known:
        return "pixels (no spacing above 0 is known)"
    return f"mm or pixels (the spacing of {known} of {len(images)} images is known)"


def _over(values: Sequence[float]) -> str:
    counted = sum(not math.isnan(value) for value in values)
    return f"mean over {_count(counted, 'image')}{_missing(values)}"


def _missing(values: Sequence[float]) -> str:
    """What has no distance, because a class was found where it is not, or was not found."""
    missing = sum(math.isnan(value) for value in values)
    if not missing:
        return ""
    return f"; {missing} of {len(values)} have none, the class being found or true alone"


def _key(name: str) -> str:
    return name.replace(" ", "_")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


PROTOCOL = surfaces()
