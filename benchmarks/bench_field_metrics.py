"""Milliseconds of the scores of membranes and boundaries, beside plain ways to compute them.

    python benchmarks/bench_field_metrics.py [BSDS500_FOLDER]

Slices and segments are made in code; with the folder also photos segmented by ``hybrid``. Both
sides are checked to be equal first, then take turns. The table says the least of some rounds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

import plain_field_metrics as plain
import segmint
from measuring import in_turn, machine
from segmint import metrics
from segmint.datasets.pixel_files import read_berkeley
from segmint.metrics.boundaries import TOLERANCE, TruthBoundaries, boundary_counts
from segmint.metrics.boundary_curve import THRESHOLDS, boundary_curve, optimal_data_set_scale
from segmint.metrics.boundary_matching import matched_pixels
from segmint.metrics.boundary_pixels import boundary_pixels
from segmint.metrics.foreground_information import foreground_information
from segmint.metrics.interiors import Interiors
from segmint.metrics.membrane_evidence import slice_evidence
from segmint.metrics.pixel_error import pixel_error
from segmint.metrics.rand_error import rand_error
from segmint.metrics.warping_error import warping_error
from segmint.regions.contour_map import contour_strengths

Slice = NDArray[np.bool_]
Segments = NDArray[np.int32]
Score = Callable[[Slice, Slice], float]
ROUNDS = 3
SLICES = 30
PHOTOS = 3


def voronoi(size: tuple[int, int], count: int, seed: int, jitter: float = 0) -> Segments:
    """Numbered cells around points, which may be moved a little."""
    points = np.random.default_rng(seed).random((count, 2)) * size
    points += np.random.default_rng(seed + 1).normal(0, 1, points.shape) * jitter
    pixels = np.stack(np.mgrid[: size[0], : size[1]], axis=-1).reshape(-1, 2)
    return np.asarray(cKDTree(points).query(pixels)[1], np.int32).reshape(size)


def membranes(seed: int) -> tuple[Slice, NDArray[np.float32]]:
    """Truth (512, 512) with membranes some pixels wide, and a probability that is often right."""
    cells = voronoi((512, 512), 120, seed)
    border = ndimage.maximum_filter(cells, 4) != ndimage.minimum_filter(cells, 4)
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(cells.shape), 2)
    blurred = ndimage.gaussian_filter((~border).astype(float), 1.5) + 0.9 * noise
    return ~border, np.clip(blurred, 0, 1).astype(np.float32)


def print_row(
    title: str,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None = None,
    *,
    tolerance: float = 1e-9,
) -> None:
    """Check that both are equal, and print the least milliseconds of each and their ratio."""
    if theirs is None:
        (taken,) = in_turn(ours, runs=ROUNDS)
        print(f"{title:<52}{1000 * min(taken):>10.1f}", flush=True)
        return
    np.testing.assert_allclose(np.asarray(ours()), np.asarray(theirs()), atol=tolerance)
    mine, other = (1000 * min(taken) for taken in in_turn(ours, theirs, runs=ROUNDS))
    print(f"{title:<52}{mine:>10.1f}{other:>12.1f}{other / mine:>9.1f}", flush=True)


def membrane_rows() -> None:
    """One slice, each score alone and all together; and a whole stack."""
    truth, probability = membranes(0)
    found = probability > 0.5
    scores: dict[str, tuple[Score, Score, float]] = {
        # Pixels that are equally near to two cells may go to either.
        "V_rand": (metrics.foreground_rand, plain.v_rand, 1e-3),
        "V_info": (foreground_information, plain.v_info, 1e-3),
        "Rand error": (rand_error, plain.rand_error, 1e-9),
        "pixel error": (pixel_error, plain.pixel_error, 1e-9),
        "warping error": (warping_error, plain.warping_error, 1e-9),
    }
    for name, (ours, theirs, tolerance) in scores.items():
        print_row(
            f"{name}, 512 x 512",
            partial(ours, found, truth),
            partial(theirs, found, truth),
            tolerance=tolerance,
        )
    pair = Interiors(found=found, truth=truth)
    print_row(
        "all five of a slice, with ten thresholds", partial(slice_evidence, pair, probability)
    )
    stack = [membranes(seed) for seed in range(SLICES)]
    print_row(f"all five of {SLICES} slices, with ten thresholds", partial(score_stack, stack))


def score_stack(stack: Sequence[tuple[Slice, NDArray[np.float32]]]) -> None:
    """The work of the protocol ``membranes``."""
    for truth, probability in stack:
        slice_evidence(Interiors(found=probability > 0.5, truth=truth), probability)


def boundary_rows(title: str, labels: Segments, masks: Sequence[Segments]) -> None:
    """One image with its annotators; the plain way matches only, as it cannot choose by cost."""
    print_row(
        f"boundaries of segments, {title}",
        partial(boundary_pixels, labels),
        partial(plain.boundaries, labels),
    )
    distance = TOLERANCE * float(np.hypot(*labels.shape))
    found, drawn = boundary_pixels(labels), [boundary_pixels(mask) for mask in masks]
    print_row(
        f"matching, {len(masks)} annotators, {title}",
        lambda: [int(matched_pixels(found, each, distance).sum()) for each in drawn],
        lambda: plain.matched_counts(found, drawn, distance),
    )
    print_row(
        f"boundary F, {len(masks)} annotators, {title}",
        partial(boundary_counts, labels, list(masks), ignore_index=None),
    )


def photo_rows(folder: Path) -> None:
    """Photos segmented by ``hybrid``, at its own cut and over the levels of its hierarchy."""
    place = folder / "data" if (folder / "data").is_dir() else folder
    for file in sorted((place / "images/test").glob("*.jpg"))[:PHOTOS]:
        masks = read_berkeley(place / f"groundTruth/test/{file.stem}.mat")
        result = segmint.segment(segmint.read_image(file), method="hybrid", seed=0)
        assert result.hierarchy is not None
        boundary_rows(file.stem, result.labels, masks)
        print_row("contour map", partial(contour_strengths, result.hierarchy))
        strengths, truth = contour_strengths(result.hierarchy), TruthBoundaries(masks)
        print_row(
            f"{len(THRESHOLDS)} thresholds (ODS, OIS, AP)",
            partial(boundary_curve, strengths, truth),
        )
        best = optimal_data_set_scale([boundary_curve(strengths, truth)])
        given = boundary_counts(result.labels, list(masks), ignore_index=None)
        print(f"  F {given.f_score:.3f} as given, {best.f_score:.3f} at the best threshold")


def main(arguments: Sequence[str]) -> None:
    """Check, measure and print."""
    print(machine())
    print(f"{'':<52}{'segmint ms':>10}{'plain ms':>12}{'ratio':>9}")
    membrane_rows()
    size = (321, 481)
    masks = [voronoi(size, 12 + 8 * seed, 0, jitter=seed) for seed in range(5)]
    boundary_rows("made up", voronoi(size, 40, 0, jitter=3), masks)
    for folder in arguments:
        photo_rows(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
