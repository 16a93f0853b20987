"""What a recipe learns from when there are masks: checked, measured, in batches, and its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from segmint.datasets.cache import cache_sentence
from segmint.datasets.dataset import Dataset
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.training_batches import TrainingBatches
from segmint.datasets.transform_options import TransformOptions
from segmint.datasets.validation_images import ValidationImages
from segmint.errors import InputError, UsageError
from segmint.recipes.recipe import Plan, counted_images
from segmint.recipes.splits import Splits, open_splits
from segmint.recipes.supervised_options import DataOptions
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    from segmint.objectives.objective import Objective
    from segmint.solvers.learning_task import BatchSource, LearningTask
    from segmint.solvers.training import Fitted


@dataclass(frozen=True, kw_only=True)
class LabelledData:
    """The splits of a training, and what their images go through."""

    plan: Plan
    splits: Splits
    preprocessing: Preprocessing

    @property
    def train(self) -> Dataset:
        """What is learned from."""
        return self.splits.train

    def batches(
        self, dataset: Dataset | None = None, *, batch_size: int = 0, seed: int | None = None
    ) -> TrainingBatches:
        """Augmented batches; with a cache all images are read now.

        Args:
            dataset: None is the training split.
            batch_size: 0 is that of the options.
            seed: of order and augmentation; None is that of the plan.
        """
        training, transform = self.plan.section(TrainingOptions), _transform(self.plan)
        chosen = self.train if dataset is None else dataset
        if training.cache:
            self.plan.say(f"note: the cache will hold {cache_sentence(chosen, transform)}")
        return TrainingBatches(
            chosen,
            transform,
            self.preprocessing,
            batch_size=batch_size or training.batch_size,
            seed=self.plan.seed if seed is None else seed,
            workers=training.workers,
            cache=training.cache,
            steps_per_epoch=training.steps_per_epoch or None,
        )

    def fit(self, task: LearningTask, source: BatchSource) -> Fitted:
        """Learn, and choose by the validation split where there is one."""
        from segmint.solvers.training import fit

        plan, val = self.plan, self.splits.val
        for note in self.splits.notes:
            plan.say(f"note: {note}")
        plan.begin()
        return fit(
            task,
            source,
            validation=None if val is None else ValidationImages(val, self.preprocessing),
            optimizer=plan.section(OptimizerOptions),
            training=plan.section(TrainingOptions),
            folder=plan.folder,
            seed=plan.seed,
            device=plan.device,
            precision=plan.precision,
            resume=plan.resume,
            watch=plan.watch,
        )

    def record(self, fitted: Fitted) -> dict[str, Any]:
        """What the record of a run says of its data and its training."""
        train = self.train
        return {
            "dataset": dict(self.splits.described),
            "classes": list(train.classes),
            "palette": train.palette.tolist(),
            "ignore_index": train.ignore_index,
            "channels": train.channels,
            "channel_names": list(train.channel_names),
            "preprocessing": self.preprocessing.as_dict(),
            "notes": [*self.splits.notes],
            "steps": fitted.steps,
            "seconds": round(fitted.seconds, 3),
            "stopped": fitted.stopped,
            "best": {"epoch": fitted.best_epoch, "score": fitted.best_score},
            "history": [dict(row) for row in fitted.history],
        }

    def learned(self, fitted: Fitted, without_mask: int = 0) -> str:
        """How the last line of a training begins; some images may have had no mask."""
        why = "" if fitted.stopped == "epochs" else f" until {fitted.stopped}"
        images = counted_images(len(self.train))
        more = f" and {without_mask} without masks" if without_mask else ""
        return f"learned {len(self.train.classes)} classes from {images}{more}{why}"


def open_labelled(plan: Plan, objectives: Iterable[Objective]) -> LabelledData:
    """Open the data set of a plan.

    Args:
        plan: of a recipe with the sections of data, transform and training.
        objectives: that are to learn from it.

    Raises:
        UsageError: for an unknown layout, split or option, batches that processes cannot share, or
            a run among the images.
        InputError: for a folder that is not laid out so, images that cannot be used, or masks
            that teach nothing.
    """
    training = plan.section(TrainingOptions)
    if training.batch_size % training.world:
        raise UsageError(
            f"--batch-size is {training.batch_size}, but {training.world} processes share each "
            f"batch: pass a multiple of {training.world}"
        )
    splits = open_splits(plan.paths[0], plan.section(DataOptions), seed=plan.seed)
    _check_place(plan, splits)
    if any(_needs_labels(objective) for objective in objectives):
        _check_labels(splits.train)
    return LabelledData(
        plan=plan,
        splits=splits,
        preprocessing=Preprocessing.measured(splits.train, _transform(plan)),
    )


def _check_place(plan: Plan, splits: Splits) -> None:
    """Refuse a run in a folder of images or masks, apart from the root, which may hold both."""
    root = splits.train.root.resolve()
    root = root.parent if root.is_file() else root
    known = (dataset.pairs for dataset in (splits.train, splits.val) if dataset is not None)
    files = (file for pair in chain(*known) for file in (pair.image, pair.mask) if file is not None)
    place = plan.folder.resolve()
    for folder in sorted({file.parent for file in files}):
        if root in folder.resolve().parents and place.is_relative_to(folder.resolve()):
            raise UsageError(
                f"--out {plan.folder} lies inside the data set, in {folder}: its pictures would "
                "be taken for images; name a folder outside"
            )


def _transform(plan: Plan) -> TransformOptions:
    return plan.section(TransformOptions)


def _needs_labels(objective: Objective) -> bool:
    return all(getattr(term, "supervised", False) for term in objective.terms)


def _check_labels(train: Dataset) -> None:
    """Refuse masks that teach nothing; the first one with a label is enough."""
    if not any(bool((sample.mask != train.ignore_index).any()) for sample in train):
        raise InputError(
            f"no mask of split {train.split!r} of {train.name} in {train.root} holds a label: all "
            f"pixels are {train.ignore_index}, which does not count; check the folder with "
            "'segmint data check', or learn by a label-free term like continuity"
        )
