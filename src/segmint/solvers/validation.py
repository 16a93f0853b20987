"""What networks are worth on images they do not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from segmint.solvers.descent import arithmetic
from segmint.solvers.learning_task import LearningTask, ValidationSource
from segmint.solvers.transfer import moved


@torch.no_grad()
def validate(
    task: LearningTask,
    source: ValidationSource,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    rank: int = 0,
    world: int = 1,
) -> dict[str, float]:
    """The scores of a task on all images of a source.

    Args:
        task: on the device; it is evaluated as in prediction, and left in the mode it was in.
        source: of the images.
        device: where the networks compute.
        dtype: of their arithmetic.
        rank: number of this process, from 0.
        world: processes that share the images; all get the same scores.
    """
    with _evaluating(task):
        task.start_validation()
        for batch in source.batches(rank=rank, world=world):
            with arithmetic(dtype, device):
                task.validate(moved(batch, device))
        return task.scores()


@contextmanager
def _evaluating(task: LearningTask) -> Iterator[None]:
    was_training = task.training
    task.eval()
    try:
        yield
    finally:
        task.train(was_training)
