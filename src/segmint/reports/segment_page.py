"""The page of a folder of images that were segmented: each under an edge that moves."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segmint import __version__
from segmint.recipes.run_folder import REPORT
from segmint.reports.page import (
    Cell,
    Command,
    Figure,
    Page,
    Panel,
    Section,
    Slider,
    Table,
    pictures_length,
    write_page,
)
from segmint.reports.pictures import embed, fitted_into
from segmint.reports.result_pictures import Picture, Result, read_results, result_pictures
from segmint.reports.run_examples import evenly
from segmint.reports.run_facts import duration
from segmint.reports.shell import shell_line

MOST_SHOWN = 60
"""Results that are shown as pictures; of more, so many at equal steps."""

MOST_LISTED = 1000
"""Results in the table; of more, the first."""

MOST_LENGTH = 4_200_000
"""Letters of the page that its pictures may take."""

LONGEST_SIDE = 560
"""Pixels of a picture, where there is room for all."""

_LONGEST_LINE = 1000
_TREE = "hierarchy.npz"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What ``segmint segment`` was asked, and what became of it this time."""

    words: Sequence[str]
    """Of the command line, after ``segmint``."""
    method: str
    options: Mapping[str, Any]
    seed: int
    failures: Sequence[str] = ()
    """Why images have no result, one sentence each."""
    untried: int = 0
    """Images that were not reached."""


def write_segment_page(folder: Path, asked: Asked) -> Path | None:
    """Write the page of all finished results in a folder.

    Args:
        folder: of the results; the page is ``report.html`` in it.
        asked: the latest call.

    Returns:
        The page, or None where there is no result to show.

    Raises:
        OutputError: when it cannot be written.
    """
    results = read_results(folder)
    if not results:
        return None
    return write_page(folder / REPORT, segment_page(folder, results, asked))


def segment_page(folder: Path, results: Sequence[Result], asked: Asked) -> Page:
    """The page.

    Args:
        folder: of the results.
        results: in it, one or more.
        asked: the latest call.
    """
    again = f" The same command goes on with the {_images(asked.untried)} that are left."
    return Page(
        title="Segmented images",
        lead=_lead(results),
        highlights=tuple(_highlights(results, asked)),
        sections=tuple(_sections(folder, results, asked)),
        footer=f"segmint {__version__}. Results in {folder}.",
        notice=f"Unfinished.{again}" if asked.untried else "",
    )


def _sections(folder: Path, results: Sequence[Result], asked: Asked) -> Iterator[Section]:
    if asked.failures:
        yield Section(
            title="What failed",
            text=(f"{_images(len(asked.failures))} could not be segmented:",),
            items=tuple(asked.failures),
        )
    yield _pictures_section(folder, results)
    yield _numbers_section(results)
    yield _asked_section(results, asked)
    yield Section(title="How to go on", commands=tuple(_commands(folder, results)))


def _lead(results: Sequence[Result]) -> str:
    methods = " and ".join(sorted({str(result.record["method"]) for result in results}))
    return f"{_images(len(results))} by {methods}."


def _highlights(results: Sequence[Result], asked: Asked) -> Iterator[tuple[str, str]]:
    yield f"{len(results):,}", "images"
    counts = [result.components for result in results if result.components is not None]
    if counts:
        yield f"{statistics.median(counts):g}", "components (median)"
    seconds = [float(result.record["seconds"]) for result in results]
    yield duration(sum(seconds)), "in all"
    yield f"{statistics.median(seconds):.2f} s", "an image (median)"
    if asked.failures:
        yield f"{len(asked.failures):,}", "failed"


def _pictures_section(folder: Path, results: Sequence[Result]) -> Section:
    shown = [results[place] for place in evenly(len(results), MOST_SHOWN)]
    drawn = [result_pictures(folder, result, longest_side=LONGEST_SIDE) for result in shown]
    figures = fitted_into(
        partial(_figures, shown, drawn),
        pictures_length,
        most=MOST_LENGTH,
        longest_side=LONGEST_SIDE,
    )
    which = f"All {_images(len(results))}"
    if len(shown) < len(results):
        which = f"{len(shown)} of {_images(len(results))}, at equal steps by name"
    told = f"{which}. Move the edge of each to see what was found."
    return Section(title="Images", text=(told,), figures=figures, gallery=True)


def _figures(
    results: Sequence[Result], drawn: Sequence[Sequence[Picture]], side: int
) -> tuple[Figure, ...]:
    return tuple(
        Figure(panels=_panels(result, pictures, side), caption=_caption(result))
        for result, pictures in zip(results, drawn, strict=True)
        if pictures
    )


def _panels(result: Result, pictures: Sequence[Picture], side: int) -> tuple[Panel | Slider, ...]:
    *photo, overlay = (embed(each, longest_side=side, compact=True) for each in pictures)
    after = Panel(picture=overlay, alt=f"{result.name}, {_found(result)} by color.", label="result")
    if not photo:
        return (after,)
    return (
        Slider(left=Panel(picture=photo[0], alt=f"{result.name}.", label="image"), right=after),
    )


def _caption(result: Result) -> str:
    seconds = f"{float(result.record['seconds']):.2f} s"
    told = f"{result.name}: {_found(result)}, {seconds}"
    return ". ".join([told, *(note.rstrip(".") for note in result.notes)])


def _numbers_section(results: Sequence[Result]) -> Section:
    listed = results[:MOST_LISTED]
    more = len(results) - len(listed)
    left_out = (f"{_images(more)} more are not listed.",) if more else ()
    table = Table(
        columns=("image", "pixels", "components", "seconds"),
        rows=tuple(
            (
                Cell(text=result.name),
                Cell(text=_size(result.record.get("shape"))),
                Cell(text="-" if result.components is None else f"{result.components:,}"),
                Cell(text=f"{float(result.record['seconds']):.2f}"),
            )
            for result in listed
        ),
        caption="All results, width times height in pixels.",
        notes=left_out,
    )
    return Section(title="Numbers", tables=(table,))


def _asked_section(results: Sequence[Result], asked: Asked) -> Section:
    line = shell_line(asked.words)
    if len(line) > _LONGEST_LINE:
        half = _LONGEST_LINE // 2
        line = f"{line[:half]} ... {line[-half:]}"
    mine = {"method": asked.method, "seed": asked.seed, "options": dict(asked.options)}
    other = sum(any(result.record.get(key) != mine[key] for key in mine) for result in results)
    told = (f"{_images(other)} of the folder were made with other options.",) if other else ()
    options = {name: _shown(value) for name, value in asked.options.items() if value is not None}
    return Section(
        title="What was asked",
        text=told,
        commands=(Command(line=line, purpose="The latest command:"),),
        facts={"method": asked.method, "seed": str(asked.seed), **options, **_versions(results)},
    )


def _versions(results: Sequence[Result]) -> dict[str, str]:
    """Of the result that was made last in the order of names."""
    found = results[-1].record.get("versions")
    return {str(name): str(value) for name, value in (found or {}).items()}


def _commands(folder: Path, results: Sequence[Result]) -> Iterator[Command]:
    first = folder / results[0].name
    if (first / _TREE).is_file():
        line = shell_line(["recut", first, "--components", 4])
        yield Command(line=line, purpose="Another number of components, without a new fit:")
    line = shell_line(["evaluate", folder, "MASKS"])
    yield Command(line=line, purpose="Every score, where you have masks:")


def _found(result: Result) -> str:
    count = result.components
    return "classes" if count is None else f"{count:,} component{'' if count == 1 else 's'}"


def _size(shape: Any) -> str:
    if not isinstance(shape, list) or len(shape) not in (2, 3):
        return "-"
    slices = f" in {shape[0]} slices" if len(shape) == 3 else ""
    return f"{shape[-1]} x {shape[-2]}{slices}"


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
