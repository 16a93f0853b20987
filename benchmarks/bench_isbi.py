"""Membranes of ISBI 2012: 24 slices to learn from, the last six to validate.

Pixel accuracy and the foreground-restricted Rand score after border thinning, for the recipe
``isbi-unet`` and its smaller preset, with seconds, steps and patches.

Run: ``python benchmarks/bench_isbi.py ISBI_FOLDER [PRESET[:EPOCHS] ...]``, a preset being
``small``, ``study`` or ``published``, the recipe without one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import segmint
from measuring import machine
from segmint.metrics import foreground_rand
from segmint.recipes.scoring import image_of, score_run
from segmint.recipes.splits import open_again

THRESHOLDS = np.arange(0.1, 0.91, 0.1)


def main(root: str, presets: list[str]) -> None:
    """Train by each preset and print what it is worth."""
    print(machine())
    for asked in presets:
        preset, _, epochs = asked.partition(":")
        longer = {"epochs": int(epochs)} if epochs else {}
        with tempfile.TemporaryDirectory() as folder:
            run = segmint.train(
                "isbi-unet",
                root,
                out=folder,
                preset=None if preset == "published" else preset,
                **longer,
            )
            report(asked, run)


def report(preset: str, run: segmint.Run) -> None:
    """One paragraph on a run."""
    record = run.record
    data = open_again(run)
    scores = score_run(run, data)
    cell = data.classes.index("cell")
    at_threshold = {threshold: [] for threshold in THRESHOLDS}
    plain = []
    for sample in data:
        probabilities = run.segment(image_of(sample, data)).probabilities
        assert probabilities is not None
        truth = sample.mask == cell
        plain.append(foreground_rand(probabilities.argmax(axis=0) == cell, truth))
        for threshold, found in at_threshold.items():
            found.append(foreground_rand(probabilities[cell] > threshold, truth))
    best = max(float(np.mean(found)) for found in at_threshold.values())
    options = record["options"]
    patches = record["steps"] * options["training"]["batch_size"]
    print(
        f"{preset}: {record['seconds']:.0f} s in all, {record['steps']} steps, {patches} patches "
        f"of {options['transform']['crop']} pixels, best epoch {record['best']['epoch']}: "
        f"accuracy {scores.confusion.accuracy:.4f}, mean IoU {scores.confusion.mean_iou:.4f}, "
        f"V_rand {np.mean(plain):.3f} (best of {len(THRESHOLDS)} thresholds {best:.3f}), "
        f"{scores.seconds:.2f} s to predict a slice",
        flush=True,
    )
    print("  validation accuracy by epoch and second:", end=" ")
    lines = (Path(run.folder) / "log.txt").read_text().splitlines()
    print("\n  ".join(["", *lines]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["small"])
