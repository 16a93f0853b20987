"""Median milliseconds of the region scores, beside scikit-image and scikit-learn.

    python benchmarks/bench_metrics.py

One image of 481 x 321 pixels with 5 annotators, made in code. Scores that both sides compute are
checked to be equal first.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.metrics import variation_of_information as reference_variation
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, rand_score

from segmint import metrics

ROUNDS = 15


def smooth_labels(seed: int, count: int, smoothness: float) -> NDArray[np.int32]:
    """Labels (321, 481) that form patches, the smoother the larger."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, 321, 481))
    smooth = ndimage.gaussian_filter(noise, (0, smoothness, smoothness))
    return smooth.argmax(axis=0).astype(np.int32)


def reference_scores(labels: NDArray[np.int32], masks: list[NDArray[np.int32]]) -> dict[str, float]:
    """The scores that scikit-image and scikit-learn have, over components and as given."""
    pieces = label(labels, background=-1, connectivity=1)
    scores: dict[str, float] = {}
    for suffix, array in (("", pieces), ("_as_given", labels)):
        for name, score in REFERENCES.items():
            scores[name + suffix] = statistics.fmean(score(mask, array) for mask in masks)
    return scores


def scores_of_ours(labels: NDArray[np.int32], masks: list[NDArray[np.int32]]) -> dict[str, float]:
    """All region scores of segmint, of which the references have 8."""
    return {row.name: row.value for row in metrics.evaluate(labels, masks).rows()}


def milliseconds(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


REFERENCES: dict[str, Callable[[Any, Any], float]] = {
    "rand_index": lambda mask, labels: rand_score(mask.ravel(), labels.ravel()),
    "adjusted_rand_index": lambda mask, labels: adjusted_rand_score(mask.ravel(), labels.ravel()),
    "normalized_mutual_information": lambda mask, labels: normalized_mutual_info_score(
        mask.ravel(), labels.ravel()
    ),
    "variation_of_information": lambda mask, labels: float(sum(reference_variation(mask, labels))),
}


def main() -> None:
    """Check, measure and print."""
    masks = [smooth_labels(seed, 12, 20) for seed in range(5)]
    print(f"{'prediction':<26}{'components':>12}{'segmint ms':>12}{'references ms':>15}")
    for name, smoothness in (("large patches", 8.0), ("small patches", 2.0), ("noise", 0.0)):
        labels = smooth_labels(9, 8, smoothness)
        ours, theirs = scores_of_ours(labels, masks), reference_scores(labels, masks)
        for key, value in theirs.items():
            np.testing.assert_allclose(ours[key], value, rtol=1e-9, atol=1e-9, err_msg=key)
        components = int(metrics.relabel_components(labels).max())
        mine = milliseconds(lambda labels=labels: scores_of_ours(labels, masks))
        reference = milliseconds(lambda labels=labels: reference_scores(labels, masks), rounds=3)
        print(f"{name:<26}{components:>12}{mine:>12.1f}{reference:>15.1f}")
    print(f"segmint: all {len(ours)} scores; scikit-image and scikit-learn: {len(theirs)} of them")


if __name__ == "__main__":
    main()
