"""``segmint data check``: what is wrong with a data set, before anybody trains on it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.console import counted
from segmint.datasets import datasets
from segmint.errors import SegmintError, UsageError, nearest
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.datasets.checking import Check

HELP = """Check a data set: every image and mask is read once, nothing is changed.

Told are the classes with their pixels, masks that do not fit their image, unknown labels, files
that cannot be read, images that are in two splits, and what was recognized. The exit code is 1
when training would stop; warnings leave it at 0.

Examples: 'segmint data check VOCdevkit', 'segmint data check cells/ --val-fraction 0.2 --out
check.png', 'segmint data check dsb2018 --dataset nuclei --dataset-options target=foreground'.

Args:
    action: check.
    data: the folder of the data set, or a CSV with the columns image and mask.
"""

OVERLAYS = 12

_MOST_LINES = 20
"""Problems that are printed; all of them are in the JSON."""
_LINE_EVERY = 500
"""Images between two lines of progress."""


@dataclass(frozen=True, kw_only=True)
class CheckOptions(Options):
    """What is checked, and where the picture goes."""

    dataset: str = option("auto")
    """Layout of the folder, as 'segmint data list' names it; auto recognizes it."""
    val_fraction: float | None = option(None, low=0, high=0.99)
    """Share of train that is held out for validation where the data set has no val."""
    seed: int = option(0, low=0, high=2**32 - 1)
    """Of drawing that share."""
    dataset_options: tuple[str, ...] = option(())
    """Options of the layout, such as target=foreground of nuclei."""
    out: str | None = option(None, aliases=("output",))
    """PNG file for twelve images with their masks drawn over them."""
    overwrite: bool = option(False)
    """Replace that file."""
    json: bool = option(False)
    """Print what was found as JSON."""
    quiet: bool = option(False)
    """Print no progress."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset != "auto" and self.dataset not in datasets:
            known = ("auto", *datasets)
            raise UsageError(f"--dataset is {self.dataset!r}: {nearest(self.dataset, known)}")
        if self.out is not None and not self.out.lower().endswith(".png"):
            raise UsageError(f"--out is {self.out!r}, accepted is a name that ends with .png")


def run(data: str, options: CheckOptions) -> int:
    """Check and print."""
    from segmint.datasets.checking import check
    from segmint.recipes.settings import assignments

    if not data:
        raise UsageError("DATA is empty: name the folder of a data set")
    out = None if options.out is None else Path(options.out)
    if out is not None and out.exists() and not options.overwrite:
        raise UsageError(f"--out {out} exists: pass --overwrite, or name another file")
    try:
        with ExitStack() as bars:
            found = check(
                data,
                options.dataset,
                val_fraction=options.val_fraction,
                seed=options.seed,
                advance=None if options.quiet else _Advance(bars),
                **assignments(options.dataset_options, flag="--dataset-options"),
            )
    except KeyboardInterrupt:
        raise SegmintError("stopped: nothing was written; run the same command again") from None
    drawn = out is not None and draw(found, out)
    if options.json:
        console.result_json({**as_data(found), "picture": str(out) if drawn else None})
    else:
        _print(found)
        console.result(_verdict(found, out if drawn else None))
    return 0 if found.usable else 1


def draw(found: Check, out: Path) -> bool:
    """Write overlays of images that show as many classes as possible; False when none can be."""
    from segmint.datasets.checking import representatives
    from segmint.reports.overlay_sheet import Tile, write_overlay_sheet

    known = [facts for facts in found.images if facts.present]
    chosen = representatives(known, len(found.classes), OVERLAYS)
    if not chosen:
        return False
    tiles = []
    for facts in chosen:
        sample = found.datasets[facts.split].read(facts.pair)
        title = f"{facts.split}: {facts.pair.name}"
        tiles.append(Tile(title=title, image=sample.image, mask=sample.mask))
    write_overlay_sheet(out, tiles, found.classes, found.palette)
    return True


def as_data(found: Check) -> dict[str, Any]:
    """What was found, as plain data."""
    return {
        "dataset": found.name,
        "root": str(found.root),
        "usable": found.usable,
        "classes": list(found.classes),
        "palette": found.palette.tolist(),
        "notes": list(found.notes),
        "splits": {
            split: {
                "images": len(dataset),
                "readable": len(found.of_split(split)),
                "sizes": {f"{w}x{h}": n for (w, h), n in _sizes(found, split)},
                "channels": dataset.channels,
                "pixels": found.counts(split).sum(axis=0)[: len(found.classes)].tolist(),
                "not_counted": int(found.counts(split)[:, 255].sum()),
            }
            for split, dataset in found.datasets.items()
        },
        "problems": list(found.problems),
        "warnings": list(found.warnings),
    }


class _Advance:
    """A bar for each split on a terminal; elsewhere a line now and then."""

    def __init__(self, bars: ExitStack) -> None:
        self._bars = bars
        self._split = ""

    def __call__(self, split: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            if split != self._split:
                self._bars.close()
                self._split = split
                self._step = self._bars.enter_context(console.progress(total))
            self._step(split)
        elif done == total or done % _LINE_EVERY == 0:
            console.say(f"{split}: {done} of {counted(total, 'image')} read")


def _print(found: Check) -> None:
    console.result(f"{found.name} in {found.root}: {len(found.classes)} classes")
    console.result()
    console.table(
        ["split", "images", "channels", "type", "sizes"],
        [
            [split, str(len(dataset)), str(dataset.channels), _types(found, split), size]
            for split, dataset in found.datasets.items()
            for size in [_size_text(_sizes(found, split))]
        ],
    )
    console.result()
    _print_classes(found)
    console.result()
    for kind, lines in (
        ("note", found.notes),
        ("warning", found.warnings),
        ("problem", found.problems),
    ):
        for line in lines[:_MOST_LINES]:
            console.result(f"{kind}: {line}")
        if len(lines) > _MOST_LINES:
            console.result(f"{kind}: and {len(lines) - _MOST_LINES} more, which --json lists")


def _print_classes(found: Check) -> None:
    columns, cells = ["class", "name"], [list(map(str, range(len(found.classes)))), found.classes]
    for split in found.datasets:
        counts = found.counts(split)[:, : len(found.classes)]
        pixels = counts.sum(axis=0)
        if pixels.any():
            columns += [f"{split} images", "pixels", "share"]
            cells += [
                [str(number) for number in (counts > 0).sum(axis=0)],
                [str(number) for number in pixels],
                [f"{share:.4f}" for share in pixels / pixels.sum()],
            ]
    console.table(columns, list(zip(*cells, strict=True)))


def _verdict(found: Check, picture: Path | None) -> str:
    images = ", ".join(f"{len(each)} {split}" for split, each in found.datasets.items())
    counts = f"{counted(len(found.problems), 'problem')}, {counted(len(found.warnings), 'warning')}"
    drawn = f": picture in {picture}" if picture else "; --out check.png draws the masks"
    return f"{'usable' if found.usable else 'not usable'} ({images} images; {counts}){drawn}"


def _sizes(found: Check, split: str) -> list[tuple[tuple[int, int], int]]:
    """Width and height with how many images have them, the most frequent first."""
    return Counter((each.width, each.height) for each in found.of_split(split)).most_common()


def _size_text(sizes: Sequence[tuple[tuple[int, int], int]]) -> str:
    if len(sizes) <= 2:
        return ", ".join(f"{width}x{height}" for (width, height), _ in sizes)
    widths, heights = zip(*(size for size, _ in sizes), strict=True)
    return f"{len(sizes)} sizes from {min(widths)}x{min(heights)} to {max(widths)}x{max(heights)}"


def _types(found: Check, split: str) -> str:
    kinds: Mapping[str, int] = Counter(each.dtype for each in found.of_split(split))
    return ", ".join(kinds)
