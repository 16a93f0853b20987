"""A collection from its first image to its last, or as far as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.manifest import Manifest
from segmint.engines.outcome import Outcome
from segmint.engines.progress_line import ProgressLine, Watch
from segmint.engines.tally import OTHER, Tally
from segmint.engines.workers import Reported, Workers
from segmint.errors import SegmintError
from segmint.termination import termination_interrupts

_TOLD = 20
"""Failures that are told as they happen."""


def conduct(
    images: Iterable[Item],
    workers: Workers,
    manifest: Manifest,
    *,
    tally: Tally | None = None,
    most: int = 16,
    watch: Watch = lambda line: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Tally:
    """Have all images done that the manifest does not know as ended, and keep how each ends.

    Nothing is held of an image that has ended, so memory does not grow with the collection.

    Args:
        images: of the collection, those that have ended among them.
        workers: within their ``with`` block.
        manifest: open.
        tally: counted into, for whom it is to survive that the work is stopped.
        most: images in a batch.
        watch: shown how far it is.
        tell: told the first failures, and what else happens, a sentence each.

    Returns:
        How many images ended how.

    Raises:
        KeyboardInterrupt: when stopped by Ctrl-C or SIGTERM; says how to go on.
        SegmintError: when no worker can go on, or the manifest cannot be written; says how many
            images were not reached.
    """
    tally = tally or Tally(total=manifest.total, before=manifest.before)
    conductor = _Conductor(manifest, tally, watch, tell)
    start = time.monotonic()
    try:
        with termination_interrupts():
            conductor.run(images, workers, most)
    except KeyboardInterrupt:
        conductor.listen_once_more(workers)
        again = " without --overwrite" if manifest.is_overwriting else ""
        raise KeyboardInterrupt(
            f"stopped: what is finished is kept; run the same command again{again} to go on"
        ) from None
    except SegmintError as error:
        raise type(error)(conductor.with_unreached(str(error))) from error
    finally:
        conductor.end(time.monotonic() - start)
    return tally


class _Conductor:
    def __init__(
        self, manifest: Manifest, tally: Tally, watch: Watch, tell: Callable[[str], None]
    ) -> None:
        self.tally = tally
        self._manifest, self._watch, self._tell = manifest, watch, tell
        self._under_way: dict[int, Item] = {}
        self._line = ProgressLine(tally=self.tally)

    def run(self, images: Iterable[Item], workers: Workers, most: int) -> None:
        self._watch(self._line)
        outcomes = dispatch(
            self._not_done(images), workers, most=most, tell=self._tell, begun=self._line.begin
        )
        with closing(outcomes):  # type: ignore[type-var]
            for outcome in outcomes:
                self._add(outcome)

    def listen_once_more(self, workers: Workers) -> None:
        """Keep what workers have told since the dispatcher was stopped."""
        for event in workers.events(0.0):
            for outcome in event.outcomes if isinstance(event, Reported) else ():
                if outcome.number in self._under_way:
                    self._add(outcome)

    def with_unreached(self, sentence: str) -> str:
        count = self.tally.unreached
        if not count:
            return sentence
        were = "1 image was" if count == 1 else f"{count:,} images were"
        return f"{sentence} ({were} not reached)"

    def end(self, seconds: float) -> None:
        self.tally.seconds = seconds
        self._line.is_over = True
        self._watch(self._line)
        untold = self.tally.failed - _TOLD
        if untold > 0:
            self._tell(f"... and {untold:,} more failed, all in {self._manifest.path}")

    def _not_done(self, images: Iterable[Item]) -> Iterator[Item]:
        for item in images:
            if not self._manifest.is_done(item):
                self._under_way[item.number] = item
                yield item

    def _add(self, outcome: Outcome) -> None:
        self._manifest.record(self._under_way.pop(outcome.number), outcome)
        tally = self.tally
        if outcome.state == "done":
            tally.done += 1
        elif outcome.state == "skipped":
            tally.skipped += 1
            tally.other += bool(outcome.told.get(OTHER))
        else:
            tally.failed += 1
            if tally.failed <= _TOLD:
                self._tell(outcome.sentence)
        self._line.advance()
        self._watch(self._line)
