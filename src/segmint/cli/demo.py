"""``segmint demo``: a tour on built-in pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.cli import console
from segmint.cli.parameters import signature
from segmint.errors import SegmintError, UsageError
from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class DemoOptions(Options):
    """Where the tour goes."""

    out: str = option("segmint-demo", aliases=("output",))
    """Folder for the report, its pictures and every result."""
    overwrite: bool = option(False)
    """Write over the files of an earlier tour."""
    seed: int = option(0, low=0, high=2**32 - 1)
    """Of everything random, and of the made-up picture."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """A tour on built-in pictures, in about a minute.

Segments photos without labels, in several ways and from a few scribbles, scores every method on a
made-up picture whose truth is known, fits mixtures to a made-up heart in three magnetic resonance
sequences, trains a U-Net on made-up cells, and shows it all on one page. Opens nothing and needs
no network.

Examples: 'segmint demo', 'segmint demo --out tour --overwrite'.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def demo(*, chosen: Mapping[str, Any]) -> int:
        return _demo(DemoOptions(**chosen))

    return signature(demo, summary=_HELP, chosen=("Tour", DemoOptions))


def _demo(options: DemoOptions) -> int:
    from segmint.reports.tour import make_tour

    folder = Path(options.out)
    _check_free(folder, overwrite=options.overwrite)
    start = time.perf_counter()
    try:
        report = make_tour(folder, seed=options.seed, tell=None if options.quiet else console.say)
    except KeyboardInterrupt:
        raise SegmintError(
            "stopped before the report was made: start again with --overwrite; the results so "
            f"far are in {folder}"
        ) from None
    console.result(f"tour made in {time.perf_counter() - start:.0f} s: report in {report}")
    return 0


def _check_free(folder: Path, *, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file: name a folder")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is there already: pass --overwrite or another --out")
