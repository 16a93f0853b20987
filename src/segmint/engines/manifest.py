"""What has become of every image of a collection, kept so that no accident loses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.engines.growing_file import GrowingFile, growing_file
from segmint.engines.item import Item
from segmint.engines.manifest_earlier import Earlier
from segmint.engines.manifest_header import Beginning, Header, first_difference
from segmint.engines.manifest_lines import beginning_at, image_line
from segmint.engines.outcome import STATES, Outcome, State
from segmint.errors import UsageError


class Manifest:
    """A file of JSON lines in the folder of the results: a header, then a line an image.

    A line is written whole as soon as its image has ended, so kill -9 loses none; a power failure
    can lose those of the last seconds, whose images are looked at again. Memory holds one byte an
    image.
    """

    def __init__(
        self,
        file: GrowingFile,
        beginning: Beginning,
        is_done: NDArray[np.bool_],
        counts: Mapping[State, int],
        *,
        is_overwriting: bool,
    ) -> None:
        self.path: Path = file.path
        self.begun: int = beginning.begun
        """When the work was begun, as ``st_mtime_ns`` of a file that was made at that moment in
        the same folder; results that are older are not of this work."""
        self.replaces: bool = beginning.replaces
        """Whether such older results are to be done again, because this command, or the one that
        is gone on with, was told to overwrite."""
        self.total: int = beginning.header.total
        """Images that are to end."""
        self.before: int = sum(counts.values())
        """Those that had ended when it was opened."""
        self.is_overwriting = is_overwriting
        """Whether it was this command."""
        self._file, self._is_done = file, is_done
        self._counts = dict(counts)

    @classmethod
    @contextmanager
    def open(
        cls,
        out: Path,
        header: Header,
        images: Iterable[Item],
        *,
        overwrite: bool = False,
        accept_other: bool = False,
    ) -> Iterator[Manifest]:
        """Begin a manifest, or go on with the one that is there.

        What is done stays done; failed images and those whose results somebody removed are to be
        done again. Images may have been added and removed: lines of those that are not named any
        more stay without a number.

        Args:
            out: folder of the results, made when missing.
            header: what is to be done now.
            images: of the collection; gone through only where they are others than before.
            overwrite: begin anew; results of earlier commands are to be replaced.
            accept_other: keep what other options have done, and go on with these.

        Raises:
            UsageError: for a manifest of other options or another version, unless accepted.
            InputError: for a file of something else, or a damaged one.
            OutputError: when it cannot be written, or another process writes it.
        """
        with growing_file(out / header.file_name) as file:
            earlier, _ = beginning_at(file.path)
            is_done = np.zeros(header.count, dtype=bool)
            counts: Mapping[State, int] = dict.fromkeys(STATES, 0)
            if earlier is None or overwrite:
                beginning = Beginning(header=header, begun=file.touched(), replaces=overwrite)
                file.replace([beginning.line()])
            else:
                beginning = _continued(earlier, header, file.path, accept_other)
                kept = _kept(file, earlier, beginning, images)
                is_done[kept.done()] = True
                counts = kept.counts()
            yield cls(file, beginning, is_done, counts, is_overwriting=overwrite)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many images of the collection are in each state now."""
        return self._counts

    def is_done(self, item: Item) -> bool:
        """Whether an image has ended, now or before, and need not be looked at."""
        return bool(self._is_done[item.number])

    def record(self, item: Item, outcome: Outcome) -> None:
        """Keep how an image ended.

        Raises:
            OutputError: when it cannot be written; what is kept stays readable.
        """
        self._file.append(image_line(item, outcome))
        self._is_done[item.number] = True
        self._counts[outcome.state] += 1


def _continued(earlier: Beginning, header: Header, path: Path, accept_other: bool) -> Beginning:
    """The first line of a manifest that is gone on with.

    Raises:
        UsageError: when it was begun with other options.
    """
    difference = first_difference(earlier.header, header)
    if difference is None:
        return replace(earlier, header=header)
    if not accept_other:
        raise UsageError(
            f"{path} was begun {difference}: give another --out, --overwrite to do all images "
            "again, or --accept-other to keep what is done and go on with these options"
        )
    others = [*earlier.others, earlier.header.made_by]
    different = [other for n, other in enumerate(others) if other not in others[:n]]
    now = header.made_by
    return replace(
        earlier, header=header, others=tuple(other for other in different if other != now)
    )


def _kept(
    file: GrowingFile, earlier: Beginning, beginning: Beginning, images: Iterable[Item]
) -> Earlier:
    """What still holds of a manifest, from which all other lines are gone."""
    header = beginning.header
    kept = Earlier(
        file.path,
        images,
        is_renumbered=earlier.header.collection != header.collection,
        count=header.count,
    )
    if kept.is_whole and earlier.line() == beginning.line():
        file.cut(kept.end)
    else:
        file.replace(chain([beginning.line()], kept.lines()))
    return kept
