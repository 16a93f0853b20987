"""What a training writes down: a table, a diary and, where it is asked for, TensorBoard events."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from segmint.errors import OutputError, UsageError
from segmint.runs import write_text

if TYPE_CHECKING:
    from segmint.solvers.learning_task import Row

TABLE = "log.csv"
DIARY = "log.txt"
EVENTS = "tensorboard"

_WHOLE = ("epoch", "step")


class TrainingLog:
    """The files that grow while a network learns.

    ``log.csv`` has a row an epoch and no clock times, so that two equal trainings have equal
    tables. Its columns are those of all rows so far; where a row has no such value the cell is
    empty.

    Args:
        folder: of the run.
        history: rows that are known already; the table is cut back to them.
        tensorboard: write events, too.

    Raises:
        UsageError: when TensorBoard is asked for and not installed.
        OutputError: when a file cannot be written.
    """

    def __init__(self, folder: Path, history: Sequence[Row], *, tensorboard: bool) -> None:
        self._events = _event_writer(folder, history) if tensorboard else None
        self._table = folder / TABLE
        self._rows: list[Row] = list(history)
        self._columns: list[str] = _columns(history)
        write_text(self._table, _as_table(self._columns, self._rows, header=bool(history)))
        self._diary = folder / DIARY
        if not history:
            write_text(self._diary, "")

    def add(self, row: Row, line: str) -> None:
        """Write down an epoch: its row, and a line to read."""
        self._rows.append(row)
        columns = _columns([dict.fromkeys(self._columns, 0.0), row])
        if columns == self._columns:
            _append(self._table, _as_table(columns, [row], header=False))
        else:
            self._columns = columns
            write_text(self._table, _as_table(columns, self._rows, header=True))
        self.note(line)
        if self._events is not None:
            for name, value in row.items():
                if name not in _WHOLE:
                    self._events.add_scalar(name, value, int(row["step"]))
            self._events.flush()

    def note(self, line: str) -> None:
        """Write a line into the diary."""
        _append(self._diary, f"{line}\n")

    def close(self) -> None:
        """Write what is left of the events."""
        if self._events is not None:
            self._events.close()


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _as_table(columns: Sequence[str], rows: Iterable[Row], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(name, value) for name, value in row.items()})
    return text.getvalue()


def _cell(name: str, value: float) -> str:
    """A number that reads back as the same one."""
    return str(int(value)) if name in _WHOLE else repr(float(value))


def _append(path: Path, text: str) -> None:
    file: IO[str]
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _event_writer(folder: Path, history: Sequence[Row]) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            "--tensorboard needs the package tensorboard, which is not installed: "
            "run 'pip install tensorboard' or leave the option out"
        ) from error
    steps = int(history[-1]["step"]) if history else 0
    writer: Any = SummaryWriter  # the library leaves its arguments without types
    return writer(str(folder / EVENTS), purge_step=steps + 1)
