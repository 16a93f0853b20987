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
from segmint.devices import use_threads
from segmint.errors import SegmintError, UsageError
from segmint.options import Options, option
from segmint.runs import write_text

if TYPE_CHECKING:
    from segmint.recipes.scoring import RunScores


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
no score and is left out of the means.

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
        how: Mapping[str, Any],
    ) -> int:
        return _score(Path(run), data, EvaluateRunOptions(**chosen), RunOptions(**how))

    return signature(
        score,
        summary=_HELP,
        chosen=("Evaluation", EvaluateRunOptions),
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


def _score(folder: Path, data: str | None, options: EvaluateRunOptions, how: RunOptions) -> int:
    from segmint.recipes.run import Run
    from segmint.recipes.scoring import score_run
    from segmint.recipes.splits import open_again

    check_csv(options.csv, overwrite=options.overwrite)
    use_threads(how.threads)
    run = Run(folder, device=how.device, precision=how.precision, peer=options.peer)
    dataset = open_again(run, data, split=options.split, dataset=options.dataset)
    try:
        with console.progress(len(dataset), quiet=options.quiet) as advance:
            scores = score_run(run, dataset, advance=advance)
    except KeyboardInterrupt:
        raise SegmintError(
            "stopped: means of a part would mislead, so none are shown; run the same command again"
        ) from None
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
                "images": scores.image_means(),
                "seconds_per_image": round(scores.seconds, 4),
            }
        )
    else:
        images = counted(len(dataset), "image")
        who = str(folder) if run.peer is None else f"{run.peer} of {folder}"
        _print(scores, f"{who} on {dataset.name} {dataset.split}, {images}")
    if options.csv is not None:
        write_text(Path(options.csv), _image_rows(scores))
    if options.json:
        return 0
    where = f", scores in {options.csv}" if options.csv else ""
    console.result(
        f"{counted(len(dataset), 'image')} scored at native size, "
        f"{scores.seconds:.2f} s an image{where}"
    )
    return 0


def _print(scores: RunScores, title: str) -> None:
    console.result(title)
    console.table(
        ["class", "pixels", "IoU", "Dice"],
        [
            [row["class"], str(row["pixels"]), _number(row["iou"]), _number(row["dice"])]
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
            ["mean IoU", _number(means["mean_iou"]), counted_classes],
            ["mean Dice", _number(means["mean_dice"]), counted_classes],
            ["accuracy", _number(means["accuracy"]), "share of the labelled pixels"],
        ],
    )


def _image_rows(scores: RunScores) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["image", "mean_iou", "mean_dice", "accuracy", *scores.classes])
    for name, means in scores.image_means().items():
        values = (*means.values(), *scores.images[name].intersection_over_union)
        writer.writerow([name, *(_number(value, absent="") for value in values)])
    return stream.getvalue()


def _number(value: float | None, *, absent: str = "-") -> str:
    return absent if value is None or value != value else f"{value:.4f}"
