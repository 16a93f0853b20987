"""The ten rows of Schwab, Mayr and Haltmeier (2024): Dice of each class, likelihood, seconds.

    python benchmarks/bench_mixture_table.py                     # made-up hearts, ten seeds
    python benchmarks/bench_mixture_table.py PREPARED            # from 'segmint data prepare'
    python benchmarks/bench_mixture_table.py --seeds 3 --many 1  # fewer; --many 0 trains nothing

{EM-GMM, EM-SVGMM} started at random or at mu_data, {deepG, deepSVG} with lam 0, with lam 1 on each
image, and with lam 1 learned on the training patients. Scores are of the test patients: the mean
over slices for each seed, then mean and deviation over seeds. Components get their classes from
the truth, by the greedy order of the paper and by Hungarian matching; the rows that know mu_data
are scored with their own names, too.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import segmint
from measuring import machine
from segmint.datasets.myops import prepare_myops
from segmint.datasets.prepared_folder import prepared_images
from segmint.datasets.synthetic import write_hearts
from segmint.images import Image, read_image
from segmint.metrics import match

WAYS = ("own names", "greedy", "hungarian")
PATIENTS, TEST_PATIENTS = range(101, 108), "107"
"""Six made-up patients to learn from and one to score."""

Predict = Callable[[Image], segmint.Segmentation]


@dataclass(kw_only=True)
class Slice:
    """What came out for one slice."""

    dice: dict[str, list[float]]
    """For each way to name the components, Dice of each class."""
    nll: float
    seconds: float
    epochs: int


@dataclass(kw_only=True)
class Row:
    """A line of the table, over seeds."""

    name: str
    seeds: list[list[Slice]] = field(default_factory=list)
    training: list[float] = field(default_factory=list)


def score(found: segmint.Segmentation, image: Image, seconds: float) -> Slice:
    """Dice of each class under every way to name components."""
    assert image.mask is not None
    dice = {}
    for way in WAYS:
        if way == "own names" and not found.names:
            continue
        labels = found.labels
        if way != "own names":
            names = match(labels, image.mask, method=way)
            table = np.full(labels.max() + 2, -1, np.int32)
            for label, value in names.items():
                table[label] = value
            labels = table[labels]
        dice[way] = class_dice(labels, image)
    nll = found.history[-1]["nll"]
    return Slice(dice=dice, nll=nll, seconds=seconds, epochs=len(found.history))


def class_dice(labels: np.ndarray, image: Image) -> list[float]:
    """Dice of each class inside the region; a component without a class counts for none."""
    assert image.mask is not None
    values = []
    for number in range(len(image.class_names)):
        predicted, true = labels == number, image.mask == number
        total = int(predicted.sum() + true.sum())
        values.append(2 * int((predicted & true).sum()) / total if total else float("nan"))
    return values


def run(row: Row, predict: Predict, images: Iterable[Image]) -> None:
    """Add one seed to a row."""
    slices = []
    for image in images:
        start = time.perf_counter()
        found = predict(image)
        slices.append(score(found, image, time.perf_counter() - start))
    row.seeds.append(slices)


def by_method(method: str, seed: int, **options: Any) -> Predict:
    """Segment each image by itself."""
    return lambda image: segmint.segment(image, method, seed=seed, **options)


def table_of(rows: Sequence[Row], classes: Sequence[str]) -> str:
    """Markdown: a line a row and way to name components."""
    head = ["method", "names", *classes, "NLL", "s a slice", "epochs", "training s", "seeds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        if not row.seeds:
            continue
        for way in WAYS:
            if way not in row.seeds[0][0].dice:
                continue
            cells = [row.name, way]
            for index in range(len(classes)):
                cells.append(spread(row, lambda one, i=index, w=way: one.dice[w][i]))
            cells += [spread(row, lambda one: one.nll)]
            cells += [f"{center(row, lambda one: one.seconds):.2f}"]
            cells += [f"{center(row, lambda one: one.epochs):.0f}"]
            cells += [f"{statistics.mean(row.training):.0f}" if row.training else ""]
            lines.append("| " + " | ".join([*cells, str(len(row.seeds))]) + " |")
    return "\n".join(lines)


def center(row: Row, value: Callable[[Slice], float]) -> float:
    """Mean over slices, then over seeds."""
    return statistics.mean(np.nanmean([value(one) for one in slices]) for slices in row.seeds)


def spread(row: Row, value: Callable[[Slice], float]) -> str:
    """Mean and deviation over seeds of the mean over slices."""
    means = [float(np.nanmean([value(one) for one in slices])) for slices in row.seeds]
    deviation = statistics.stdev(means) if len(means) > 1 else 0.0
    return f"{statistics.mean(means):.3f} ± {deviation:.3f}"


def one_seed(
    folder: Path,
    seed: int,
    rows: dict[str, Row],
    *,
    lam: float,
    epochs: int,
    many: bool,
    slices: int,
) -> Sequence[str]:
    """Every row on one prepared data set; returns its classes."""
    images = [read_image(path) for path in prepared_images(folder, "test")][:slices]
    known = str(folder / "mu_data.csv")
    kinds: dict[str, tuple[str, dict[str, Any]]] = {}
    for method in ("em-gmm", "em-svgmm"):
        kinds[f"{method}, random"] = (method, {"init": "random"})
        kinds[f"{method}, mu_data"] = (method, {"mu_data": known})
    for method in ("deepg", "deepsvg"):
        kinds[f"{method}, lam 0"] = (method, {})
        kinds[f"{method}, lam {lam:g}, one image"] = (method, {"mu_data": known, "lam": lam})
    for name, (method, options) in kinds.items():
        row = rows.setdefault(name, Row(name=name))
        run(row, by_method(method, seed, **options), images)
        print(f"seed {seed}: {name}: {center(row, lambda one: one.nll):.4f}", flush=True)
    for method in ("deepg", "deepsvg") if many else ():
        name = f"{method}, lam {lam:g}, many images"
        row = rows.setdefault(name, Row(name=name))
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as out:
            learned = segmint.train(
                method,
                folder,
                out=Path(out) / "run",
                seed=seed,
                mu_data=known,
                lam=lam,
                max_epochs=epochs,
            )
            row.training.append(time.perf_counter() - start)
            run(row, learned.segment, images)
        print(f"seed {seed}: {name}: trained in {row.training[-1]:.0f} s", flush=True)
    return images[0].class_names


def main() -> None:
    """Make or take prepared data, run all rows, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("prepared", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--many", type=int, default=3, help="seeds that train on many images")
    parser.add_argument("--epochs", type=int, default=100, help="of training on many images")
    parser.add_argument("--slices", type=int, default=3, help="test slices a seed, at most")
    parser.add_argument("--lam", type=float, default=1.0)
    given = parser.parse_args()
    rows: dict[str, Row] = {}
    classes: Sequence[str] = ()
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as place:
            folder = given.prepared
            if folder is None:
                write_hearts(Path(place) / "hearts", patients=PATIENTS, seed=seed)
                folder = Path(place) / "prepared"
                prepare_myops(Path(place) / "hearts", folder, test_patients=TEST_PATIENTS)
            many = seed < given.many
            classes = one_seed(
                folder,
                seed,
                rows,
                lam=given.lam,
                epochs=given.epochs,
                many=many,
                slices=given.slices,
            )
    print(machine())
    print(table_of(list(rows.values()), classes))


if __name__ == "__main__":
    main()
