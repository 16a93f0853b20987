"""What a command says at the end of a collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.inputs import InputOptions
from segmint.cli.work import WritePage
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_lines import read_manifest
from segmint.engines.tally import Tally
from segmint.errors import SegmintError

MOST_ON_A_PAGE = 1000
"""Images of which a page can be read and is written in seconds."""

_FAILURES_ON_A_PAGE = 20


class PageOfAll:
    """The page of the results, where they are few enough to be looked at.

    Args:
        write: the page of a folder; None for a command without.
        manifest: of the collection.
    """

    def __init__(self, write: WritePage | None, manifest: Manifest) -> None:
        self._write, self._manifest = write, manifest
        self.path: Path | None = None

    @contextmanager
    def at_the_end(self) -> Iterator[None]:
        """Write it after the block, also when that was stopped."""
        try:
            yield
        except KeyboardInterrupt:
            self._make()
            raise
        self._make()

    def _make(self) -> None:
        manifest = self._manifest
        if self._write is None or manifest.total > MOST_ON_A_PAGE:
            return
        untried = manifest.total - sum(manifest.counts.values())
        try:
            self.path = self._write(manifest.path.parent, _failures(manifest), untried)
        except (SegmintError, OSError, MemoryError) as error:
            console.say(f"note: there is no report ({error})")


def report(tally: Tally, manifest: Manifest, options: InputOptions, page: Path | None) -> None:
    """Say how many images ended how, and where results and states are.

    Raises:
        OutputError: when standard output cannot be written.
    """
    if tally.other:
        console.say(
            f"{counted(tally.other, 'skipped result')} made with other options: "
            "--overwrite redoes them"
        )
    if options.json:
        told = {**asdict(tally), "results": options.out, "manifest": str(manifest.path)}
        console.result_json(told if page is None else {**told, "report": str(page)})
        return
    counts = [f"{tally.done:,} segmented"]
    for number, what in (
        (tally.before, "finished before"),
        (tally.skipped, "skipped"),
        (tally.failed, "failed"),
    ):
        counts += [f"{number:,} {what}"] if number else []
    where = f"results in {options.out}, states in {manifest.path}"
    console.result(f"{', '.join(counts)}: {where}{'' if page is None else f', report in {page}'}")


def _failures(manifest: Manifest) -> list[str]:
    told = (line for line in read_manifest(manifest.path) if line.get("state") == "failed")
    sentences = [str(line.get("sentence")) for line in told]
    more = len(sentences) - _FAILURES_ON_A_PAGE
    shown = sentences[:_FAILURES_ON_A_PAGE]
    return [*shown, f"{more} more, all in {manifest.path}"] if more > 0 else shown
