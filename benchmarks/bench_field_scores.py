"""Median milliseconds of surface distances, object matching and calibration, beside plain ways.

    python benchmarks/bench_field_scores.py

Images are made in code. Both sides are checked to be equal first, then take turns.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import cdist

from measuring import in_turn, machine
from segmint.metrics.calibration import calibration
from segmint.metrics.instance_matching import (
    THRESHOLDS,
    aggregated_areas,
    matched_pairs,
    overlaps,
    panoptic_of,
)
from segmint.metrics.surface_distances import surface_distances
from segmint.torchvision_operators import declare_operators

RUNS = 7
Objects = NDArray[np.bool_]
Numbers = NDArray[np.integer]
Scores = tuple[float, ...]
Work = Callable[[], Scores]

SPACING_2D, SPACING_3D = (0.75, 0.75), (8.0, 1.5, 1.5)
TOLERANCE = 1.0


def disk(size: int, middle: float, radius: float) -> Objects:
    """A disk (H, W) with a wavy edge."""
    rows, columns = np.mgrid[:size, :size]
    angle = np.arctan2(rows - middle, columns - middle)
    distance = np.hypot(rows - middle, columns - middle)
    return np.asarray(distance < radius * (1 + 0.05 * np.sin(7 * angle)))


def ball(shift: int) -> Objects:
    """An organ (D, H, W) in a volume of 20 x 256 x 256."""
    slices, rows, columns = np.mgrid[:20, :256, :256]
    inside = ((slices - 10) * 8) ** 2 + (rows - 120 - shift) ** 2 + (columns - 130) ** 2 < 60**2
    return np.asarray(inside)


def of_surfaces(there: NDArray[np.float64], back: NDArray[np.float64]) -> Scores:
    """HD95, average distance and surface Dice from the distances of both directions."""
    both = np.concatenate([there, back])
    percentiles = [float(np.percentile(side, 95)) for side in (there, back)]
    return max(percentiles), float(both.mean()), float((both <= TOLERANCE).mean())


def our_surfaces(found: Objects, truth: Objects, spacing: tuple[float, ...]) -> Scores:
    """The three scores by segmint."""
    distances = surface_distances(found, truth, spacing=spacing)
    return distances.hd95, distances.average, distances.dice(TOLERANCE)


def by_whole_transforms(found: Objects, truth: Objects, spacing: tuple[float, ...]) -> Scores:
    """Distance transforms of the whole array, as MONAI and MedPy compute them uncropped."""
    edges = [side & ~ndimage.binary_erosion(side) for side in (found, truth)]
    fields = [ndimage.distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    return of_surfaces(fields[1][edges[0]], fields[0][edges[1]])


def by_all_pairs(found: Objects, truth: Objects, spacing: tuple[float, ...]) -> Scores:
    """The table of all pairs of surface elements."""
    edges = [side & ~ndimage.binary_erosion(side) for side in (found, truth)]
    table = cdist(*(np.argwhere(edge) * np.array(spacing) for edge in edges))
    return of_surfaces(table.min(axis=1), table.min(axis=0))


def nuclei(seed: int, count: int, shift: int) -> Numbers:
    """Numbered disks (512, 512), some of which touch."""
    rng = np.random.default_rng(seed)
    plane = np.zeros((512, 512), np.int32)
    rows, columns = np.mgrid[-12:13, -12:13]
    for number in range(1, count + 1):
        row, column = rng.integers(14, 496, 2)
        radius = rng.integers(5, 12)
        inside = rows**2 + columns**2 < radius**2
        plane[row - 12 + shift : row + 13 + shift, column - 12 : column + 13][inside] = number
    return plane


def our_objects(labels: Numbers, mask: Numbers) -> Scores:
    """AP of ten thresholds, AJI and PQ by segmint."""
    found = overlaps(labels, mask)
    objects = found.found.size + found.true.size
    hits = [matched_pairs(found, threshold) for threshold in THRESHOLDS]
    shared, union = aggregated_areas(found)
    precision = statistics.fmean(count / (objects - count) for count in hits)
    return precision, shared / union, panoptic_of(found).quality


def objects_pair_by_pair(labels: Numbers, mask: Numbers) -> Scores:
    """The same with a boolean array for each object, as the published scripts do."""
    found = [labels == number for number in np.unique(labels)[1:]]
    true = [mask == number for number in np.unique(mask)[1:]]
    shared = np.array([[int((one & other).sum()) for other in true] for one in found])
    sizes = [np.array([each.sum() for each in side]) for side in (found, true)]
    unions = sizes[0][:, None] + sizes[1][None] - shared
    table = shared / unions
    hits = [int((table >= threshold).sum()) for threshold in THRESHOLDS]
    count = sum(table.shape)
    best = np.where(table.max(axis=0) > 0, table.argmax(axis=0), -1)
    columns = np.flatnonzero(best >= 0)
    alone = np.setdiff1d(np.arange(len(found)), best)
    union = unions[best[columns], columns].sum() + sizes[1][best < 0].sum() + sizes[0][alone].sum()
    pairs = table[table > 0.5]
    return (
        statistics.fmean(number / (count - number) for number in hits),
        float(shared[best[columns], columns].sum() / union),
        float(pairs.sum() / (count / 2)),
    )


def our_calibration(shares: NDArray[np.float32], mask: Numbers) -> Scores:
    """Expected and maximum error, and beside them Brier score and likelihood, by segmint."""
    found = calibration(shares, mask)
    return found.expected_error, found.maximum_error


def by_torchmetrics(shares: NDArray[np.float32], mask: Numbers) -> Scores:
    """The two errors alone."""
    declare_operators()
    from torchmetrics.functional.classification import multiclass_calibration_error

    chances, truth = torch.from_numpy(shares)[None], torch.from_numpy(mask)[None]
    return tuple(
        float(
            multiclass_calibration_error(
                chances, truth, num_classes=len(shares), n_bins=15, norm=norm
            )
        )
        for norm in ("l1", "max")
    )


def probabilities(classes: int) -> tuple[NDArray[np.float32], Numbers]:
    """Softmax (K, 512, 512) of noise, and a truth that is often its greatest."""
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(0, 2, (classes, 512, 512)).astype(np.float32))
    shares = logits.softmax(dim=0).numpy()
    chance = rng.integers(0, classes, (512, 512))
    mask = np.where(rng.random((512, 512)) < 0.6, shares.argmax(axis=0), chance)
    return shares, mask.astype(np.int64)


def compare(title: str, ours: Work, **others: Work) -> None:
    """Check that all give the same, and print medians in milliseconds."""
    expected = ours()
    for name, other in others.items():
        np.testing.assert_allclose(other(), expected, rtol=1e-4, atol=1e-6, err_msg=name)
    medians = [
        1000 * statistics.median(taken) for taken in in_turn(ours, *others.values(), runs=RUNS)
    ]
    cells = [
        f"{name.replace('_', ' ')} {taken:.2f}"
        for name, taken in zip(others, medians[1:], strict=True)
    ]
    print(f"{title:<40} segmint {medians[0]:>8.2f} ms; {', '.join(cells)} ms", flush=True)


def main() -> None:
    """Check, measure and print."""
    torch.set_num_threads(1)
    print(machine())
    for size in (256, 512):
        middle = size / 2
        pair = (disk(size, middle, size / 4), disk(size, middle + 3, size / 4 + 2), SPACING_2D)
        compare(
            f"surfaces of one class, {size} x {size}",
            partial(our_surfaces, *pair),
            whole_transforms=partial(by_whole_transforms, *pair),
            all_pairs=partial(by_all_pairs, *pair),
        )
    volumes = (ball(0), ball(4), SPACING_3D)
    compare(
        "surfaces, 20 x 256 x 256",
        partial(our_surfaces, *volumes),
        whole_transforms=partial(by_whole_transforms, *volumes),
        all_pairs=partial(by_all_pairs, *volumes),
    )
    for count in (40, 200):
        maps = (nuclei(0, count, 1), nuclei(0, count, 0))
        compare(
            f"AP, AJI and PQ of {count} nuclei, 512 x 512",
            partial(our_objects, *maps),
            pair_by_pair=partial(objects_pair_by_pair, *maps),
        )
    for classes in (2, 21):
        given = probabilities(classes)
        compare(
            f"calibration, {classes} classes, 512 x 512",
            partial(our_calibration, *given),
            torchmetrics=partial(by_torchmetrics, *given),
        )


if __name__ == "__main__":
    main()
