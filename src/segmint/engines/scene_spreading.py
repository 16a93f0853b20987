"""The blocks of one huge image spread over workers, whose answers come back into one result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.job import Job
from segmint.engines.scene_job import Fit, Fitted, SceneJob, error_of
from segmint.engines.workers import Workers
from segmint.inference.elsewhere import AnsweredBlock, AskedBlocks, Elsewhere
from segmint.inference.scene_source import SceneSource

_AT_ONCE = 1
"""Blocks of a batch: each takes seconds and is large, and a worker has two batches at a time."""


def spread(
    make_workers: Callable[[Job], Workers],
    *,
    fit: Fit | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Callable[[SceneSource], Elsewhere]:
    """Who answers the windows of a file instead of the process that keeps them.

    The files of the result are those of one process, byte for byte, whatever the number of
    workers and the order in which they end. A worker that dies is replaced and its blocks are
    answered again. The image must lie where all workers see it under the same path.

    Args:
        make_workers: the workers of an engine for a job, not entered yet.
        fit: makes the answer in each worker, as that of a run, whose networks are read there; None
            sends the one that was made here, so that it is fitted once.
        tell: told a sentence when work goes on with fewer workers.

    Returns:
        What :func:`segmint.inference.answer_file.answer_file` takes as ``spread``.
    """

    def of(source: SceneSource) -> Elsewhere:
        return partial(_answered, make_workers, fit, tell, source.absolute())

    return of


def _answered(
    make_workers: Callable[[Job], Workers],
    fit: Fit | None,
    tell: Callable[[str], None],
    source: SceneSource,
    asked: AskedBlocks,
) -> Generator[AnsweredBlock, None, None]:
    job = SceneJob(
        source=source,
        image=asked.image,
        form=asked.form,
        tile=asked.tile,
        fit=Fitted(asked.outcome) if fit is None else fit,
    )
    with make_workers(job) as workers:
        for outcome in dispatch(_items(source, asked), workers, most=_AT_ONCE, tell=tell):
            if outcome.state != "done":
                raise error_of(outcome)
            yield AnsweredBlock(
                index=outcome.number,
                parts=outcome.payload,
                notes=tuple(outcome.told.get("notes", ())),
            )


def _items(source: SceneSource, asked: AskedBlocks) -> Iterator[Item]:
    """The blocks, each named by its place for a sentence about it."""
    grid = asked.form.grid
    for index in asked.missing:
        plane, window = grid[index]
        place = (
            f"rows {window.top} to {window.bottom - 1} and columns {window.left} to "
            f"{window.right - 1}{f' of slice {plane}' if grid.planes > 1 else ''}"
        )
        yield Item(number=index, image=f"{source.image} ({place})")
