"""The best weights of each network by its own score, where a training has several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from segmint.errors import InputError
from segmint.solvers.checkpoints import (
    FOLDER,
    LAST,
    Checkpoint,
    check_fits,
    read_checkpoint,
    read_facts,
    write_checkpoint,
)
from segmint.solvers.job import Job
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.progress import Progress
from segmint.solvers.training_facts import TrainingFacts


@dataclass(frozen=True, kw_only=True)
class Best:
    """When a network was best."""

    epoch: int
    """Whose weights were chosen; the last one where no validation chose."""
    score: float | None
    """Of that epoch, where a validation chose."""


def best_path(name: str) -> str:
    """The file of a network's best weights, within the folder of the run."""
    return f"{FOLDER}/best-{name}.ckpt"


def keep_best_networks(job: Job, progress: Progress, checkpoint: Checkpoint) -> None:
    """Write the weights of the networks that were best at the step of a checkpoint.

    They are those that were validated, under the network's own names. A file follows from the
    checkpoint and the progress in it alone, so that it can be written once more after a cut.

    Args:
        job: of the training.
        progress: as the checkpoint has it.
        checkpoint: the last one.

    Raises:
        OutputError: when a file cannot be written.
    """
    for name, step in progress.best_steps.items():
        if step == progress.step:
            weights = _weights(job.task, name, checkpoint)
            write_checkpoint(
                job.folder / best_path(name),
                Checkpoint(task=weights, average={}, facts=_facts(name, progress)),
            )


def best_networks(job: Job, progress: Progress) -> dict[str, Best]:
    """When each network was best whose own score chooses."""
    return {
        name: Best(
            epoch=job.extent.epoch_of(progress.best_steps.get(name, progress.step)),
            score=progress.best_scores.get(name),
        )
        for name in job.task.monitors
    }


def use_best(task: LearningTask, folder: Path, name: str) -> None:
    """Give a network or group its own best weights; the last ones where no validation chose.

    Args:
        task: as :func:`segmint.solvers.training.fit` learned it; its other networks stay.
        folder: of the run.
        name: of the network or the group.

    Raises:
        InputError: when the file is missing, damaged or of another network.
    """
    last = folder / LAST
    progress = TrainingFacts.read(last, read_facts(last)).progress
    if name in progress.best_steps:
        weights = read_best(task, folder, name, progress)
    else:
        checkpoint = read_checkpoint(last)
        check_fits(last, checkpoint.task, task.state_dict())
        weights = _weights(task, name, checkpoint)
    _module(task, name).load_state_dict(weights)


def read_best(
    task: LearningTask, folder: Path, name: str, progress: Progress
) -> Mapping[str, Tensor]:
    """The best weights of a network or group that a validation has chosen.

    Args:
        task: that it is of.
        folder: of the run.
        name: of the network or the group.
        progress: of the training; it says when they were chosen.

    Raises:
        InputError: when the file is missing, damaged, of another network or of another time.
    """
    path, expected = folder / best_path(name), _facts(name, progress)
    if not path.exists():
        raise InputError(
            f"{path} does not exist, though {name} was best in epoch {expected['epoch']}: bring it "
            "back, or train from the start"
        )
    found = read_checkpoint(path)
    check_fits(path, found.task, _module(task, name).state_dict())
    if found.facts != expected:
        raise InputError(
            f"{path} holds {_said(found.facts)}, accepted is {_said(expected)}, where that was "
            "best: bring it back, or train from the start"
        )
    return found.task


def _module(task: LearningTask, name: str) -> nn.Module:
    return {**task.networks(), **task.groups()}[name]


def _facts(name: str, progress: Progress) -> dict[str, Any]:
    """What the file of a network's best weights tells."""
    step = progress.best_steps[name]
    return {
        "network": name,
        "epoch": progress.epoch_at(step),
        "step": step,
        "score": progress.best_scores[name],
    }


def _said(facts: Mapping[str, Any]) -> str:
    told = [facts.get(key) for key in ("network", "epoch", "step", "score")]
    return "network {!r} of epoch {}, step {}, with score {}".format(*told)


def _weights(task: LearningTask, name: str, checkpoint: Checkpoint) -> Mapping[str, Tensor]:
    """What a checkpoint of the task has for one network, averaged where it has averages."""
    validated = {**checkpoint.task, **checkpoint.average}
    # An average has the first name alone of a weight with several.
    names = {id(value): key for key, value in reversed(task.state_dict(keep_vars=True).items())}
    own = _module(task, name).state_dict(keep_vars=True)
    return {key: validated[names[id(value)]] for key, value in own.items()}
