"""The cell of a recipe: learn, or go on with what was cut off, then answer on the scored images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segmint.comparisons.arms import is_label_free
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError
from segmint.images import read_image
from segmint.recipes import recipes
from segmint.recipes.recipe import Plan, Recipe
from segmint.recipes.run import Run
from segmint.recipes.run_folder import LAST, Config, is_finished, is_unfinished
from segmint.recipes.training import configured, learn, resume
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    from segmint.solvers.watcher import Watcher


def learned_run(
    comparison: Comparison, label: str, seed: int, *, watch: Watcher | None = None
) -> Run:
    """The run of a cell: as it is where it is finished, else learned from where it stands.

    Raises:
        SegmintError: when learning fails.
    """
    folder = comparison.folder(label, seed)
    if is_finished(folder):
        return Run(folder, device=comparison.device, precision=comparison.precision)
    if is_unfinished(folder) and (folder / LAST).is_file():
        return resume(folder, watch=watch)
    config = _config(comparison, label, seed)
    return learn(config, [*config.data], out=folder, watch=watch)


def rehearse(comparison: Comparison, label: str) -> None:
    """Do everything that a training does before it writes its first file.

    Raises:
        SegmintError: for what would stop the training: data, network or options that do not fit.
    """
    config = _config(comparison, label, comparison.seeds[0])
    recipe: Recipe = recipes.load(config.recipe)
    settings = configured(config)
    loop = settings["training"]
    if isinstance(loop, TrainingOptions):
        settings["training"] = replace(loop, cache=False)  # it would read all images now
    source: dict[str, Any] = {"paths": [comparison.root]}
    if not recipe.takes_dataset:
        source = {"images": [read_image(path) for path in config.data]}
    plan = Plan(
        settings=settings,
        folder=comparison.folder(label, config.seed),
        **source,
        seed=config.seed,
        device=config.device,
        precision=config.precision,
        begin=_stop,
    )
    try:
        recipe.train(plan)
    except _RehearsedError:
        return


class _RehearsedError(Exception):
    """Everything is checked, and learning would begin."""


def _stop() -> None:
    raise _RehearsedError


def _config(comparison: Comparison, label: str, seed: int) -> Config:
    arm = comparison.arm(label)
    data = _training_images(comparison) if is_label_free(arm) else (str(comparison.root),)
    return Config(
        recipe=arm.name,
        data=data,
        settings=comparison.settings[label],
        seed=seed,
        device=comparison.device,
        precision=comparison.precision,
    )


def _training_images(comparison: Comparison) -> tuple[str, ...]:
    """Files of the training split, for recipes that learn without masks."""
    train = comparison.source.open("train")
    if any(pair.page is not None for pair in train.pairs):
        raise InputError(
            f"the images of {train.name} in {train.root} are pages of one file, and recipes that "
            "learn without masks take a file an image: save the pages as files"
        )
    return tuple(str(pair.image) for pair in train.pairs)
