"""Which images a report looks at, and what their scores can and cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segmint.datasets import Dataset
from segmint.datasets import splits as splits_of
from segmint.errors import InputError, UsageError
from segmint.recipes.run import Run
from segmint.recipes.splits import open_again
from segmint.reports.unfinished_run import UnfinishedRun


def report_dataset(
    run: Run, root: str | Path | None = None, split: str | None = None
) -> tuple[Dataset | None, str]:
    """The split that a report shows.

    Args:
        run: of any recipe.
        root: of the data set; None is where it was when the run learned.
        split: which; None is the one that chose the network, or else one that it did not see.

    Returns:
        The split; or None, and in one sentence why there is none.

    Raises:
        InputError: for a root that was given and is no such data set.
        UsageError: for an unknown split, or data for a run that learned without masks.
    """
    if not run.recipe.takes_dataset:
        if root is not None or split is not None:
            raise UsageError(
                f"{run.folder} learned from images without masks, so there is nothing to compare "
                f"with: leave DATA and --split out, and apply it by 'segmint predict {run.folder}'"
            )
        return None, ""
    if isinstance(run, UnfinishedRun) and not run.can_predict:
        if root is not None or split is not None:
            raise UsageError(
                f"{run.folder} is not finished and has no network yet that could be asked: leave "
                "DATA and --split out"
            )
        return None, run.note
    try:
        chosen = _own_split(run, root) if split is None else split
        if chosen is None:
            return None, (
                f"{run.folder} learned without validation and its data set has no other split: "
                "--split train shows what it learned by heart"
            )
        return open_again(run, root, split=chosen), ""
    except InputError as error:
        if root is not None:
            raise
        return None, f"the report has no pictures and no scores: {error}"


def split_notes(run: Run, dataset: Dataset) -> tuple[str, ...]:
    """What a reader must know before quoting scores on a split.

    Args:
        run: that is scored.
        dataset: what it is scored on.
    """
    if not _at_home(run, dataset):
        return (
            "These images are not where those lay that the network learned from. Where they are "
            "the same, those that taught or chose the network flatter the scores.",
        )
    seen = _seen(run, dataset)
    if seen:
        return (
            f"{seen:,} of these {len(dataset):,} images are among those the network learned from: "
            "the scores say how well it remembers, not how well it segments other images.",
        )
    if not _chose(run, dataset):
        return ("The network neither learned from these images nor was it chosen by them.",)
    there = has_test(run, dataset)
    fair = "its split test" if there else "images that no decision was based on"
    return (
        "The network is the one of all epochs that scored best on these very images, so its score "
        f"here flatters a little. The fair number is that of {fair}.",
    )


def has_test(run: Run, dataset: Dataset) -> bool:
    """Whether a test split lies beside the split that is shown."""
    return (
        _at_home(run, dataset) and dataset.split != "test" and "test" in _splits(run, dataset.root)
    )


def _own_split(run: Run, root: str | Path | None) -> str | None:
    told = run.record["dataset"]
    if told["val_images"]:
        return "val"
    there = _splits(run, Path(told["root"] if root is None else root))
    return next((split for split in (told["val_split"], "test") if split in there), None)


def _splits(run: Run, root: Path) -> tuple[str, ...]:
    told = run.record["dataset"]
    arguments: dict[str, Any] = {
        name: value for name, value in told["arguments"].items() if name != "seed"
    }
    return splits_of(told["name"], root, **arguments)


def _chose(run: Run, dataset: Dataset) -> bool:
    told = run.record["dataset"]
    return bool(told["val_images"] and dataset.split == told["val_split"])


def _at_home(run: Run, dataset: Dataset) -> bool:
    told = run.record["dataset"]
    return dataset.name == told["name"] and dataset.root.absolute() == Path(told["root"])


def _seen(run: Run, dataset: Dataset) -> int:
    """How many images of a split the network learned from, by their files."""
    train = open_again(run, split=run.record["dataset"]["train_split"])
    learned = {(pair.image, pair.page) for pair in train.pairs}
    return sum((pair.image, pair.page) in learned for pair in dataset.pairs)
