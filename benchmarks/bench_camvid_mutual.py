"""CamVid subset (32 train, 8 val, 8 test): peers that teach each other against the same alone.

DeepLabV3+ with a ResNet-18 and a U-Net with 16 first features, both from random weights, with a
twin of each that learns alone (``--solo``): the same first weights, batches and number of steps,
in one training. Three seeds. Mean IoU over the classes that are present, at native size; the
validation split chooses the weights of each peer and ensemble, the test split is scored once.

Run: ``python benchmarks/bench_camvid_mutual.py CAMVID_FOLDER [STEPS_A_RUN [OPTION=VALUE ...]]``;
with options, like gate=right, there are no twins, for those would be the same once more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import segmint
from measuring import machine
from segmint.recipes.scoring import score_peers
from segmint.recipes.settings import assignments
from segmint.recipes.splits import open_again

SEEDS = (0, 1, 2)
SPLITS = ("val", "test")
STEPS = 230
EPOCHS = 10


def main(root: str, steps: int, options: Mapping[str, Any]) -> None:
    """Train once a seed, and print a table."""
    print(machine())
    start = time.perf_counter()
    rows = [scores_of(root, seed, steps, options) for seed in SEEDS]
    minutes = (time.perf_counter() - start) / 60
    print(f"{len(SEEDS)} seeds, {steps} steps each, {minutes:.1f} minutes in all")
    for name, split in rows[0]:
        if not name.endswith("-solo"):
            together = [row[name, split] for row in rows]
            alone = [row[f"{name}-solo", split] for row in rows if (f"{name}-solo", split) in row]
            print(f"{split} {name}: together {_spread(together)}{_compared(together, alone)}")


def scores_of(
    root: str, seed: int, steps: int, options: Mapping[str, Any]
) -> dict[tuple[str, str], float]:
    """Mean IoU by name and split after one training."""
    with tempfile.TemporaryDirectory() as folder:
        run = segmint.train(
            "mutual",
            root,
            out=folder,
            seed=seed,
            peers=("deeplab=smp:deeplabv3plus/resnet18", "unet"),
            peer_options={"unet": {"features": 16}},
            solo=not options,
            batch_size=4,
            steps=steps,
            steps_per_epoch=-(-steps // EPOCHS),
            learning_rate=2e-3,
            cache=True,
            **options,
        )
        found = {}
        for split in SPLITS:
            for name, scores in score_peers(run, open_again(run, split=split)).items():
                found[name, split] = scores.confusion.mean_iou
        told = ", ".join(f"{split} {name} {value:.4f}" for (name, split), value in found.items())
        print(f"seed {seed}, {run.record['seconds']:.0f} s: {told}", flush=True)
        return found


def _compared(together: Sequence[float], alone: Sequence[float]) -> str:
    if not alone:
        return ""
    gains = [one - other for one, other in zip(together, alone, strict=True)]
    each = ", ".join(f"{gain:+.4f}" for gain in gains)
    return f", alone {_spread(alone)}, gain {_spread(gains)} ({each})"


def _spread(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


if __name__ == "__main__":
    given = sys.argv[2:]
    main(sys.argv[1], int(given[0]) if given else STEPS, assignments(given[1:]))
