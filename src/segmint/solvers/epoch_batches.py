"""The stream of batches, cut into epochs."""

from __future__ import annotations

from collections.abc import Iterator

from segmint.errors import InputError
from segmint.objectives.batch import Batch
from segmint.solvers.job import Job
from segmint.solvers.place import Place
from segmint.solvers.progress import Progress


class EpochBatches:
    """Iterated once an epoch, it gives what is left of that epoch; the stream itself goes on.

    Args:
        job: of the training.
        place: of this process in it.
        progress: says where the training is.
    """

    def __init__(self, job: Job, place: Place, progress: Progress) -> None:
        self._job = job
        self._place = place
        self._progress = progress
        self._stream: Iterator[Batch] | None = None

    def __iter__(self) -> Iterator[Batch]:
        accumulate = self._job.optimizer.accumulate
        done = self._progress.step
        if self._stream is None:
            batches = self._job.source.batches(
                done * accumulate, rank=self._place.rank, world=self._place.world
            )
            self._stream = iter(batches)
        for _ in range(self._job.extent.steps_to_epoch_end(done) * accumulate):
            batch = next(self._stream, None)
            if batch is None:
                raise InputError(
                    f"the source of batches ended before step {self._job.extent.steps}: give one "
                    "without end"
                )
            yield batch
