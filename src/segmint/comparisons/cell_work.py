"""One cell from beginning to end: begin its folder, learn or segment, score, write the scores."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.comparisons.arms import is_label_free
from segmint.comparisons.cell import WHOLE, Answer, CellResult
from segmint.comparisons.cell_folder import begin_cell, keep_peak, peak_so_far, write_result
from segmint.comparisons.component_cell import (
    IMAGES,
    Found,
    Work,
    found_images,
    method_work,
    segment_images,
)
from segmint.comparisons.peak_memory import peak_memory
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError
from segmint.locking import only_writer
from segmint.recipes.run_folder import CHECKPOINTS, CONFIG

if TYPE_CHECKING:
    from segmint.datasets.dataset import Dataset
    from segmint.recipes.run import Run
    from segmint.solvers.watcher import Watcher

Say = Callable[[str], None]

_PATIENCE = 30.0
"""Seconds that a process of a comparison that was killed gets to end."""
_PARTS = ".partial-*"
"""What a process that was killed leaves of a file that it was writing."""


def run_cell(
    comparison: Comparison, label: str, seed: int, *, watch: Watcher | None, say: Say
) -> CellResult:
    """Do the work of a cell in this process, and write its ``cell.json``.

    Args:
        comparison: that the cell is of.
        label: of its arm.
        seed: of everything random.
        watch: told how a training goes.
        say: told how many images are done.

    Raises:
        SegmintError: when it fails; the next attempt goes on from what is kept.
    """
    place = comparison.folder(label, seed)
    place.mkdir(parents=True, exist_ok=True)
    with only_writer(place, patience=_PATIENCE):
        folder = begin_cell(comparison, label, seed)
        _tidy(folder)
        dataset = comparison.scored()

        def advance(done: int) -> None:
            say(f"{done} of {len(dataset)} images")

        if comparison.arm(label).way == "recipe":
            with _told_how_to_heal(folder):
                result = _recipe_cell(
                    comparison, label, seed, dataset, watch=watch, advance=advance
                )
        else:
            work = method_work(comparison, label, seed)
            result = _components(comparison, label, seed, dataset, work, advance=advance)
        write_result(folder, result)
        # What a training would go on from is large, and a finished one does not go on.
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return result


def _recipe_cell(
    comparison: Comparison,
    label: str,
    seed: int,
    dataset: Dataset,
    *,
    watch: Watcher | None,
    advance: Callable[[int], None],
) -> CellResult:
    from segmint.comparisons.class_scores import LABELS, MOST_KEPT, score_classes
    from segmint.comparisons.recipe_cell import learned_run

    folder = comparison.folder(label, seed)
    run = learned_run(comparison, label, seed, watch=watch)
    _keep_peak(folder)
    if is_label_free(comparison.arm(label)):
        work: Work = lambda image, sample: run.segment(image, region=sample.region)  # noqa: E731
        return _components(comparison, label, seed, dataset, work, advance=advance, run=run)
    kept = seed == comparison.seeds[0] and len(dataset) <= MOST_KEPT
    answers, seconds = score_classes(
        run, dataset, keep=folder / LABELS if kept else None, advance=advance
    )
    _keep_peak(folder)
    return _result(label, seed, answers, seconds, folder, run)


@contextmanager
def _told_how_to_heal(folder: Path) -> Iterator[None]:
    """Within it what cannot be read says which folder to remove, where there was a run before."""
    was_there = (folder / CONFIG).is_file()
    try:
        yield
    except InputError as error:
        if not was_there:
            raise
        raise InputError(
            f"{error}; if this is so each time, remove the folder {folder} and compare again"
        ) from error


def _components(
    comparison: Comparison,
    label: str,
    seed: int,
    dataset: Dataset,
    work: Work,
    *,
    advance: Callable[[int], None],
    run: Run | None = None,
) -> CellResult:
    """Segment every image, and score what was found."""
    from segmint.comparisons.mixture_scores import score_mixtures
    from segmint.comparisons.segment_scores import score_segments
    from segmint.comparisons.truths import has_annotators

    folder = comparison.folder(label, seed)
    segment_images(dataset, work, folder, hierarchies=has_annotators(dataset), advance=advance)
    _keep_peak(folder)  # before scoring, which may take more memory than the method
    seconds: list[float] = []

    def timed() -> Iterator[Found]:
        for each in found_images(dataset, folder):
            seconds.append(float(each.record["seconds"]))
            yield each

    score = score_mixtures if comparison.scoring == "mixtures" else score_segments
    answers = {WHOLE: score(timed(), dataset)}
    return _result(label, seed, answers, sum(seconds) / len(seconds), folder, run)


def _result(
    label: str,
    seed: int,
    answers: dict[str, Answer],
    seconds_per_image: float,
    folder: Path,
    run: Run | None,
) -> CellResult:
    record = {} if run is None else run.record
    return CellResult(
        label=label,
        seed=seed,
        answers=answers,
        seconds=float(record.get("seconds", 0.0)),
        seconds_per_image=seconds_per_image,
        peak_mib=peak_so_far(folder),
        steps=int(record.get("steps", 0)),
    )


def _keep_peak(folder: Path) -> None:
    """Write down the greatest memory of this process and of those that had the cell before it."""
    known = [peak for peak in (peak_memory(), peak_so_far(folder)) if peak is not None]
    keep_peak(folder, max(known, default=None))


def _tidy(folder: Path) -> None:
    for place in (folder, folder / IMAGES):
        for path in place.glob(_PARTS):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
