"""CamVid subset (32 train, 8 val, 8 test): cross-entropy against region mutual information.

The same U-Net (16 first features) from random weights, data, augmentation, learning rate and
number of steps for both objectives, three seeds each. Mean IoU over the classes that are present,
at native size; the validation split chooses the weights, the test split is scored once.

Run: ``python benchmarks/bench_camvid.py CAMVID_FOLDER [STEPS_A_RUN [OBJECTIVE ...]]``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence

import segmint
from measuring import machine
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again

OBJECTIVES = ("cross_entropy", "0.5*bce + 0.5*rmi")
SEEDS = (0, 1, 2)
SPLITS = ("val", "test")


def main(root: str, steps: int, objectives: Sequence[str]) -> None:
    """Train six times, the objectives in turn, and print a table."""
    print(machine())
    found: dict[str, list[dict[str, float]]] = {objective: [] for objective in objectives}
    for seed in SEEDS:
        for objective in objectives:
            found[objective].append(scores_of(root, objective, seed, steps))
    for objective, rows in found.items():
        cells = [
            f"{name} {statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"
            for name in rows[0]
            for values in [[row[name] for row in rows]]
        ]
        print(f"{objective}: {', '.join(cells)} ({len(SEEDS)} seeds, {steps} steps each)")


def scores_of(root: str, objective: str, seed: int, steps: int) -> dict[str, float]:
    """Train once and score."""
    with tempfile.TemporaryDirectory() as folder:
        run = segmint.train(
            "unet",
            root,
            out=folder,
            seed=seed,
            objective=objective,
            features=16,
            batch_size=4,
            steps=steps,
            steps_per_epoch=75,
            learning_rate=2e-3,
            cache=True,
        )
        row = {}
        for split in SPLITS:
            confusion = score_run(run, open_again(run, split=split)).confusion
            row[f"{split} mean IoU"] = confusion.mean_iou
            row[f"{split} accuracy"] = confusion.accuracy
            counted = confusion.classes_counted
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in row.items())
        print(
            f"{objective}, seed {seed}: {numbers} over {counted} classes, "
            f"{run.record['steps']} steps, {run.record['seconds']:.0f} s",
            flush=True,
        )
        return row


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 375, sys.argv[3:] or OBJECTIVES)
