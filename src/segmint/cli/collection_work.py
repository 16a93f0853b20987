"""What a worker does to the images of a collection: each ends in one state."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from segmint.cli.image_work import UNEXPECTED, ImageWork, finished, is_of, reason
from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.errors import OutputError, SegmintError
from segmint.methods.segmentation import RESULT

if TYPE_CHECKING:
    from segmint.cli.collection_job import CollectionJob
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation

TRACES = "unexpected-errors"
"""Folder beside the results: what unexpected errors were, and where."""

_PROBE_BYTES = 2**18
"""Written to find out whether anything can be: more than a file system keeps for names alone."""

_MOST_WAITING = 64
"""Images in memory that wait for others of their shape."""

_Ended = TypeVar("_Ended")


@dataclass(frozen=True, kw_only=True)
class CollectionWork:
    """A job in the process that does it."""

    job: CollectionJob
    work: ImageWork

    def do(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Do a few images, and tell of each as soon as it has ended.

        Raises:
            OutputError: when no result can be written.
        """
        waiting: dict[tuple[int, ...], list[tuple[Item, Image]]] = {}
        for item in items:
            begun = self._caught(item, partial(self._begun, item))
            if isinstance(begun, Outcome):
                yield begun
                continue
            count = 1 if self.work.together is None else self.work.together.at_once(begun)
            group = waiting.setdefault(begun.pixels.shape, [])
            group.append((item, begun))
            if len(group) >= count:
                yield from self._ended(waiting.pop(begun.pixels.shape), count)
            if sum(map(len, waiting.values())) > _MOST_WAITING:
                longest = next(iter(waiting))
                yield from self._ended(waiting.pop(longest), count + 1)
        for group in waiting.values():
            yield from self._ended(group, len(group) + 1)

    def _begun(self, item: Item) -> Outcome | Image:
        """What has become of an image at once, or the image."""
        folder = self._folder(item)
        known = self._known(item, folder)
        if known is not None:
            return known
        begun = self.work.begin(item, folder)
        return self._done(item, begun) if isinstance(begun, dict) else begun

    def _ended(self, group: list[tuple[Item, Image]], count: int) -> Iterator[Outcome]:
        """What becomes of images of one shape, of which so many go together."""
        if count == 1 or self.work.together is None:
            for item, image in group:
                yield self._caught(item, partial(self._alone, item, image))
            return
        try:
            found = self.work.together.segment(group)
        except (SegmintError, MemoryError, *UNEXPECTED):
            for pair in group:  # each with the answer that it would have had beside the others
                yield self._caught(pair[0], partial(self._by_itself, pair))
            return
        for (item, image), answer in zip(group, found, strict=True):
            yield self._caught(item, partial(self._saved, item, image, answer))

    def _alone(self, item: Item, image: Image) -> Outcome:
        return self._saved(item, image, self.work.segment(image, item))

    def _by_itself(self, pair: tuple[Item, Image]) -> Outcome:
        assert self.work.together is not None
        (answer,) = self.work.together.segment([pair])
        return self._saved(*pair, answer)

    def _saved(
        self, item: Item, image: Image, answer: tuple[Segmentation, Mapping[str, bytes]]
    ) -> Outcome:
        return self._done(item, self.work.finish(item, self._folder(item), image, *answer))

    def _caught(self, item: Item, act: Callable[[], _Ended]) -> _Ended | Outcome:
        """What an act returns, or how the image failed.

        Raises:
            OutputError: when no result can be written.
        """
        try:
            return act()
        except OutputError as error:
            self._check_room(error)
            sentence = reason(item.image, error)
        except (SegmintError, MemoryError) as error:
            sentence = reason(item.image, error)
        except UNEXPECTED as error:
            sentence = reason(item.image, error)
            self._keep_trace(item)
        return Outcome(number=item.number, state="failed", sentence=sentence)

    def _folder(self, item: Item) -> Path:
        return Path(self.job.inputs.out) / item.name

    def _done(self, item: Item, told: Mapping[str, Any]) -> Outcome:
        return Outcome(number=item.number, state="done", told=told)

    def _known(self, item: Item, folder: Path) -> Outcome | None:
        """What stands in the folder, if it need not be done again."""
        path = Path(item.image)
        record = None if self._is_replaced(folder) else finished(folder, path)
        if record is None:
            return None
        ours = is_of(record, self.job.signature_of(item))
        of_this_run = ours and _written(folder) >= self.job.begun
        told = {name: record.get(name) for name in ("method", "components", "seconds", "notes")}
        return Outcome(
            number=item.number,
            state="done" if of_this_run else "skipped",
            told={
                "image": item.image,
                "result": str(folder),
                **told,
                **({} if ours else {"other_options": True}),
            },
        )

    def _is_replaced(self, folder: Path) -> bool:
        """Whether a result that may stand there is from before and not wanted."""
        return self.job.inputs.overwrite and _written(folder) < self.job.begun

    def _check_room(self, error: OutputError) -> None:
        """Find out whether anything can be written, or only this result cannot.

        Raises:
            OutputError: the given one, when nothing can.
        """
        if "disk is full" in str(error):
            raise error
        try:
            with tempfile.TemporaryFile(dir=self.job.inputs.out) as probe:
                probe.write(bytes(_PROBE_BYTES))
                probe.flush()
        except OSError:
            raise error from None

    def _keep_trace(self, item: Item) -> None:
        place = Path(self.job.inputs.out) / TRACES / f"{item.name}.txt"
        with suppress(OSError):
            place.parent.mkdir(exist_ok=True)
            place.write_text(traceback.format_exc(), encoding="utf-8")


def _written(folder: Path) -> int:
    """When a result was, in nanoseconds; 0 where there is none."""
    with suppress(OSError):
        return (folder / RESULT).stat().st_mtime_ns
    return 0
