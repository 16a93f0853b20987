"""``segmint evaluate RUN DATA``: the scores of a run on a data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.cli.protocol_options import ProtocolOptions
from segmint.cli.protocol_tables import print_protocols, protocols_as_json, written
from segmint.cli.wrapping import print_wrapped
from segmint.devices import use_threads
from segmint.errors import SegmintError, UsageError
from segmint.options import Options, option
from segmint.runs import write_text

if TYPE_CHECKING:
    from segmint.datasets import Dataset
    from segmint.recipes.scoring import RunScores

_MOST_NAMES = 3
_BOUNDARIES = "boundaries"
_AXES = 2


@dataclass(frozen=True, kw_only=True)
class EvaluateRunOptions(Options):
    """What a run is scored on, and how the scores are shown."""

    split: str = option("val")
    """Split of the data set; val is the one that chose the network, where DATA is what it
    learned from."""
    dataset: str | None = option(None)
    """Layout of DATA, if it is not the one the run learned from."""
    peer: str | None = option(None)
    """Of a run with several networks the one that is scored, or ensemble, the mean of all; if not
    given the one that was best in training."""
    csv: str | None = option(None)
    """File for the scores of each image."""
    overwrite: bool = option(False)
    """Write over the file of --csv if it is there."""
    json: bool = option(False)
    """Print the scores as JSON, with those of each image."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """Score a run on a data set.

Every image of the split is predicted and compared with its mask at its own size. IoU and Dice come
from one confusion matrix over the whole split; a class that is in neither truth nor prediction has
no score and is left out of the means. The scores of the data set's field follow, objects made of
the classes where it is about objects.

Examples: 'segmint evaluate run CamVid --split test', 'segmint evaluate run --peer ensemble'.

Args:
    run: folder that 'segmint train' wrote.
    data: root of the data set; if not given the one it learned from.
"""


def command() -> Callable[..., int]:
    """The command."""

    def score(
        run: str,
        data: str | None = None,
        /,
        *,
        chosen: Mapping[str, Any],
        field: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        options = EvaluateRunOptions(**chosen)
        return _score(Path(run), data, options, ProtocolOptions(**field), RunOptions(**how))

    return signature(
        score,
        summary=_HELP,
        chosen=("Evaluation", EvaluateRunOptions),
        field=("Scores of a field", ProtocolOptions),
        how=("Arithmetic", RunOptions),
    )


def check_csv(csv: str | None, *, overwrite: bool) -> None:
    """Refuse a file that cannot take the scores before they are computed."""
    if csv is None:
        return
    if Path(csv).is_dir():
        raise UsageError(f"--csv {csv} is a folder: name a file, {csv}/scores.csv")
    if Path(csv).exists() and not overwrite:
        raise UsageError(f"{csv} is there already: pass --overwrite or another --csv")


def _score(
    folder: Path,
    data: str | None,
    options: EvaluateRunOptions,
    field: ProtocolOptions,
    how: RunOptions,
) -> int:
    from segmint.metrics.protocol_scores import unscored
    from segmint.recipes.protocol_scores import ProtocolChoice
    from segmint.recipes.run import Run
    from segmint.recipes.scoring import score_run
    from segmint.recipes.splits import open_again

    check_csv(options.csv, overwrite=options.overwrite)
    use_threads(how.threads)
    run = Run(folder, device=how.device, precision=how.precision, peer=options.peer)
    dataset = open_again(run, data, split=options.split, dataset=options.dataset)
    _check_field(field, dataset)
    choice = ProtocolChoice(
        names=field.with_own(dataset.protocols),
        spacing=field.steps,
        changed=field.changed(),
        strengths=_BOUNDARIES in field.asked,
    )
    try:
        with console.progress(len(dataset), quiet=options.quiet) as advance:
            scores = score_run(run, dataset, protocols=choice, advance=advance)
    except KeyboardInterrupt:
        raise SegmintError(
            "stopped: means of a part would mislead, so none are shown; run the same command again"
        ) from None
    failures = unscored(scores.protocols, field.asked)
    if options.json:
        console.result_json(
            {
                "run": str(folder),
                "peer": run.peer,
                "data": str(dataset.root),
                "dataset": dataset.name,
                "split": dataset.split,
                "n_images": len(dataset),
                "classes_counted": scores.confusion.classes_counted,
                "scores": scores.means(),
                "classes": scores.rows(),
                "images": _image_values(scores),
                "without_truth": list(scores.without_truth),
                "protocols": protocols_as_json(scores.protocols),
                "seconds_per_image": round(scores.seconds, 4),
            }
        )
    else:
        images = counted(len(dataset), "image")
        who = str(folder) if run.peer is None else f"{run.peer} of {folder}"
        _print(scores, f"{who} on {dataset.name} {dataset.split}, {images}")
    if options.csv is not None:
        write_text(Path(options.csv), _image_rows(scores))
    for failure in failures:
        console.complain(failure)
    if not options.json:
        where = f", scores in {options.csv}" if options.csv else ""
        console.result(
            f"{counted(len(dataset), 'image')} scored at native size, "
            f"{scores.seconds:.2f} s an image{where}"
        )
    return 1 if failures else 0


def _check_field(field: ProtocolOptions, dataset: Dataset) -> None:
    """Refuse options that do not fit the images before they are predicted."""
    field.check_used(field.with_own(dataset.protocols))
    if field.steps is not None and len(field.steps) != _AXES:
        raise UsageError(
            f"--spacing is {field.spacing!r} and images of a data set have rows and columns alone: "
            "give two lengths"
        )


def _print(scores: RunScores, title: str) -> None:
    console.result(title)
    console.table(
        ["class", "pixels", "IoU", "Dice"],
        [
            [row["class"], str(row["pixels"]), written(row["iou"]), written(row["dice"])]
            for row in scores.rows()
        ],
    )
    console.result()
    means = scores.means()
    counted_classes = (
        f"over the {scores.confusion.classes_counted} of {len(scores.classes)} classes that occur"
    )
    console.table(
        ["score", "value", "how"],
        [
            ["mean IoU", written(means["mean_iou"]), counted_classes],
            ["mean Dice", written(means["mean_dice"]), counted_classes],
            ["accuracy", written(means["accuracy"]), "share of the labelled pixels"],
        ],
    )
    console.result()
    print_protocols(scores.protocols)
    if scores.without_truth:
        few = ", ".join(scores.without_truth[:_MOST_NAMES])
        print_wrapped(
            "note".ljust(12),
            f"{len(scores.without_truth)} of {counted(len(scores.images), 'image')} have no truth, "
            f"or none that counts, and are in no score: {few}",
        )
        console.result()


def _image_values(scores: RunScores) -> dict[str, dict[str, float | None]]:
    """Every score of each image by its name."""
    others = scores.image_protocol_values()
    return {name: {**means, **others[name]} for name, means in scores.image_means().items()}


def _image_rows(scores: RunScores) -> str:
    """The CSV file: means, IoU of each class, and the scores of the field."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    field = list(scores.protocol_values())
    writer.writerow(["image", "mean_iou", "mean_dice", "accuracy", *scores.classes, *field])
    others = scores.image_protocol_values()
    for name, means in scores.image_means().items():
        values = (
            *means.values(),
            *scores.images[name].intersection_over_union,
            *[others[name].get(score) for score in field],
        )
        cells = ("" if value is None or value != value else f"{value:.4f}" for value in values)
        writer.writerow([name, *cells])
    return stream.getvalue()
