"""The blocks of one huge image, as they are answered by a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeAlias

from segmint.devices import memory_errors
from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.outcome import Outcome
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images.scene import Scene
from segmint.inference.block_answers import BlockAnswers
from segmint.inference.block_form import BlockForm
from segmint.inference.block_gathering import looks_of
from segmint.inference.elsewhere import SceneLooks
from segmint.inference.scene_answer import InTiles, Movable, SceneOutcome
from segmint.inference.scene_source import SceneSource

Fit: TypeAlias = Callable[[Scene, "Scene | None", Seat], SceneOutcome]
"""``fit(scene, region, seat)``: how windows are answered; plain data, for it is sent."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneJob:
    """How a worker comes to answer the blocks of a scene as the process that asks would."""

    source: SceneSource
    image: SceneLooks
    form: BlockForm
    tile: int | None
    """Side of what the answer computes at once, where it says so."""
    fit: Fit

    def open(self, seat: Seat) -> SceneWork:
        """Open the image and make what answers.

        Raises:
            InputError: when the file cannot be read here, or is another one.
            UsageError: when the answer cannot be had here, as for want of memory.
        """
        with ExitStack() as stack:
            scene, region = stack.enter_context(self.source.opened())
            self._check_same(scene)
            with memory_errors():
                outcome = self.fit(scene, region, seat)
            answer = outcome.answer
            if answer.classes != self.form.classes:
                raise InputError(
                    f"the answer for {self.source.image} has {answer.classes} classes here and "
                    f"{self.form.classes} where it was asked for: use the same runs on all machines"
                )
            if self.tile is not None and isinstance(answer, InTiles):
                answer.keep_tile(self.tile)
            answers = BlockAnswers(
                scene=scene,
                region=region,
                answer=answer,
                form=self.form,
                likeliest=outcome.likeliest,
            )
            return SceneWork(answers, stack.pop_all())

    def _check_same(self, scene: Scene) -> None:
        here = looks_of(scene)
        if here != self.image:
            raise InputError(
                f"{self.source.image} is another image here ({here}) than where it was asked for "
                f"({self.image}): keep it where all machines see the same file"
            )


class SceneWork:
    """Answers blocks, one after the other.

    Args:
        answers: to the blocks.
        files: that are open while it works.
    """

    def __init__(self, answers: BlockAnswers, files: ExitStack) -> None:
        self._answers, self._files = answers, files

    def do(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Answer blocks, whose numbers are those of the items; the payload is what is kept.

        A block that cannot be read or answered is an outcome, which tells the kind of error.
        """
        for item in items:
            yield self._outcome(item.number)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()

    def _outcome(self, number: int) -> Outcome:
        try:
            with memory_errors():
                parts = self._answers.form.encoded(number, *self._answers.of(number))
        except (SegmintError, MemoryError) as error:
            return _failed(number, error)
        notes = self._answers.answer.notes
        return Outcome(number=number, state="done", told={"notes": notes}, payload=parts)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted where the job comes from, so that a fit is made once for all."""

    outcome: SceneOutcome

    def __call__(self, scene: Scene, region: Scene | None, seat: Seat) -> SceneOutcome:
        """The same, with what this process has."""
        if isinstance(self.outcome.answer, Movable):
            self.outcome.answer.settle(region, seat.device)
        return self.outcome


_KINDS: dict[str, type[SegmintError | MemoryError]] = {
    "UsageError": UsageError,
    "MemoryError": MemoryError,
}


def error_of(outcome: Outcome) -> SegmintError | MemoryError:
    """What the process that asked raises for a block that failed."""
    kind = _KINDS.get(str(outcome.told.get("error")), InputError)
    return kind(outcome.sentence)


def _failed(number: int, error: SegmintError | MemoryError) -> Outcome:
    told = {"error": type(error).__name__}
    return Outcome(number=number, state="failed", told=told, sentence=str(error))
