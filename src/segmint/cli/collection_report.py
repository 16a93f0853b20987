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


@contextmanager
def reported(
    tally: Tally, manifest: Manifest, options: InputOptions, write_page: WritePage | None
) -> Iterator[None]:
    """Say after the block how many images ended how, also when it was stopped.

    Args:
        tally: counted into within the block.
        manifest: of the collection.
        options: where results are, and how they are told.
        write_page: shows the results on one page, where they are few enough to be looked at.
    """
    try:
        yield
    except (KeyboardInterrupt, SegmintError):
        if tally.finished > tally.before:
            _report(tally, manifest, options, _page(write_page, tally, manifest))
        raise
    _report(tally, manifest, options, _page(write_page, tally, manifest))


def _page(write_page: WritePage | None, tally: Tally, manifest: Manifest) -> Path | None:
    if write_page is None or tally.total > MOST_ON_A_PAGE:
        return None
    try:
        return write_page(manifest.path.parent, _failures(manifest), tally.unreached)
    except (SegmintError, OSError, MemoryError) as error:
        console.say(f"note: there is no report ({error})")
        return None


def _report(tally: Tally, manifest: Manifest, options: InputOptions, page: Path | None) -> None:
    if tally.other:
        console.say(
            f"{counted(tally.other, 'skipped result')} made with other options: "
            "--overwrite redoes them"
        )
    if options.json:
        told = {**asdict(tally), "out": options.out, "manifest": str(manifest.path)}
        console.result_json(told if page is None else {**told, "report": str(page)})
        return
    counts = [f"{tally.done:,} segmented"]
    for number, what in (
        (tally.before, "finished before"),
        (tally.skipped, "skipped"),
        (tally.failed, "failed"),
        (tally.unreached, "not tried"),
    ):
        counts += [f"{number:,} {what}"] if number else []
    where = f"results in {options.out}, states in {manifest.path}"
    console.result(f"{', '.join(counts)}: {where}{'' if page is None else f', report in {page}'}")


def _failures(manifest: Manifest) -> list[str]:
    """Why images have no result, as far as a page shows it."""
    told = (line for line in read_manifest(manifest.path) if line.get("state") == "failed")
    sentences = [str(line.get("sentence")) for line in told]
    more = len(sentences) - _FAILURES_ON_A_PAGE
    shown = sentences[:_FAILURES_ON_A_PAGE]
    return [*shown, f"{more} more, all in {manifest.path}"] if more > 0 else shown
