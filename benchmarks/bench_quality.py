"""Quality of the label-free methods on a split of BSDS500: mean and deviation over seeds.

Run: ``python benchmarks/bench_quality.py BSDS500 [--split test] [--seeds 3] [METHOD...]``, where
BSDS500 holds ``data/images/SPLIT`` and ``data/groundTruth/SPLIT``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import segmint
from measuring import machine
from segmint.images.masks import read_masks
from segmint.metrics import evaluate_many

SCORES = {
    "all": "best_overlap_all",
    "fine": "best_overlap_fine",
    "coarse": "best_overlap_coarse",
    "covering": "covering",
    "PRI": "rand_index",
    "VOI": "variation_of_information",
}


def scores(work: Callable[[segmint.Image], np.ndarray], folder: Path, split: str) -> list[float]:
    """The scores of a split, then seconds an image."""
    seconds = []

    def pairs():
        for path in sorted((folder / "data" / "images" / split).glob("*.jpg")):
            image = segmint.read_image(path)
            start = time.perf_counter()
            labels = work(image)
            seconds.append(time.perf_counter() - start)
            truth = folder / "data" / "groundTruth" / split / f"{path.stem}.mat"
            yield path.stem, labels, read_masks(truth)

    table = evaluate_many(pairs(), relabel=True)
    found = {row.name: row.value for row in table.rows()}
    return [*(found[name] for name in SCORES.values()), statistics.median(seconds)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("methods", nargs="*", default=["felzenszwalb", "clustering", "hybrid"])
    parser.add_argument("--split", default="test")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    print(machine())
    print(f"BSDS500 {given.split}, components relabelled, {given.seeds} seeds, defaults")
    print("method", *SCORES, "s an image", sep=" | ")
    works: dict[str, Callable[[int], Callable]] = {
        "blank": lambda seed: lambda image: np.zeros(image.pixels.shape[:2], np.int32)
    }
    for method in given.methods:
        works[method] = lambda seed, method=method: (
            lambda image: segmint.segment(image, method, seed=seed).labels
        )
    for name, make in works.items():
        rows = np.array([scores(make(s), given.folder, given.split) for s in range(given.seeds)])
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        cells = [f"{m:.3f} ± {d:.3f}" for m, d in zip(mean, deviation, strict=True)]
        print(name, *cells, sep=" | ", flush=True)


if __name__ == "__main__":
    main()
