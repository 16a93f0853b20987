"""What commands say: results on standard output, the rest on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from segmint.errors import OutputError

if TYPE_CHECKING:
    from segmint.engines.progress_line import ProgressLine, Watch


def complain(sentence: str) -> None:
    """One error sentence on standard error, whatever the names in it hold."""
    say(f"segmint: {sentence}")


def say(sentence: str) -> None:
    """One line of progress or advice on standard error."""
    if sys.stderr is not None:  # as it is where a caller closed it
        sys.stderr.write(f"{_shown(sentence)}\n")


def result(line: str = "") -> None:
    """One line of the result on standard output.

    Raises:
        BrokenPipeError: when nobody reads it.
        OutputError: when it cannot be written.
    """
    if sys.stdout is None:
        raise BrokenPipeError
    try:
        sys.stdout.write("\n".join(map(_shown, line.split("\n"))) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write standard output: {error.strerror}; send it elsewhere"
        ) from error


def _shown(line: str) -> str:
    """One line, in which what cannot be printed stands as an escape."""
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def result_json(data: Any) -> None:
    """The result as JSON on standard output."""
    result(json.dumps(data, indent=2, default=str))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output, its columns aligned; numbers to the right."""
    lines = [list(columns), *[list(row) for row in rows]]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    numeric = [_is_numeric([row[index] for row in rows]) for index in range(len(columns))]
    for position, line in enumerate(lines):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        result("  ".join(cells).rstrip())
        if position == 0:
            result("  ".join("-" * width for width in widths))


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "image"), counted(2, "image")
        ('1 image', '2 images')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Progress(Protocol):
    """Called after each piece of work."""

    def __call__(self, description: str, *, note: str = "") -> None:
        """One piece is done."""


@contextmanager
def progress(total: int, *, quiet: bool = False) -> Iterator[Progress]:
    """A bar with the time left on a terminal, a line for each piece elsewhere."""
    if quiet:
        yield lambda description, *, note="": None
        return
    if sys.stderr is None or not sys.stderr.isatty():
        yield _Lines(total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("", total=total)

        def advance(description: str, *, note: str = "") -> None:
            bar.update(task, advance=1, description=description)
            if note:
                bar.console.print(f"{description}: {note}", markup=False, highlight=False)

        yield advance


@contextmanager
def watching(*, quiet: bool = False) -> Iterator[tuple[Watch, Callable[[str], None]]]:
    """How a collection is shown: one line that changes on a terminal, one now and then elsewhere.

    Yields:
        What is shown its line, and what says a sentence beside it.
    """
    from segmint.engines.progress_line import PlainLines

    if quiet:
        yield lambda line: None, say
        return
    if sys.stderr is None or not sys.stderr.isatty():
        yield PlainLines(say), say
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    shown: list[ProgressLine] = []

    def rendered() -> Text:
        return Text(str(shown[0]) if shown else "")

    def watch(line: ProgressLine) -> None:
        shown[:] = [line]

    with Live(get_renderable=rendered, console=Console(stderr=True), refresh_per_second=4) as live:
        yield (
            watch,
            lambda sentence: live.console.print(_shown(sentence), markup=False, highlight=False),
        )


class _Lines:
    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def __call__(self, description: str, *, note: str = "") -> None:
        self._done += 1
        say(f"[{self._done}/{self._total}] {description}{': ' if note else ''}{note}")


def _is_numeric(cells: Sequence[str]) -> bool:
    return all(
        cell in ("", "-", "nan") or cell.replace(".", "").replace("-", "").isdigit()
        for cell in cells
    )
