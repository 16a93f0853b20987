"""Tables of images as Parquet, read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.engines.collection_rows import LONGEST_TEXT, Columns, Row, choose_columns, one_line
from segmint.errors import InputError, UsageError

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet

_BATCH = 8192


def read_parquet(table: Path) -> Iterator[Row]:
    """The images that a table names, row by row; only columns that say something are read.

    Raises:
        InputError: when it is damaged, names no column of images, a column is no text, or a row
            has no image.
        UsageError: where Parquet is not installed.
    """
    check_parquet()
    with _reading(table):
        file = _opened(table)
    try:
        columns = choose_columns(table, file.schema_arrow.names)
        wanted = [place for place in columns if place is not None]
        for place in wanted:
            _check_text(table, file.schema_arrow.field(place))
        yield from _rows(table, file, columns)
    finally:
        file.close()


def check_parquet() -> None:
    """Refuse to go on where Parquet is not installed.

    Raises:
        UsageError: says how to get it.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "pyarrow is not installed, which reads .parquet tables: run "
            "pip install 'segmint[parquet]', or save the table as .csv"
        ) from error


def _opened(table: Path) -> parquet.ParquetFile:
    from pyarrow import parquet

    return parquet.ParquetFile(table, pre_buffer=False, buffer_size=1 << 20)


def _rows(table: Path, file: parquet.ParquetFile, columns: Columns) -> Iterator[Row]:
    titles = file.schema_arrow.names
    wanted = [titles[place] for place in columns if place is not None]
    batches = file.iter_batches(batch_size=_BATCH, columns=wanted, use_threads=False)
    done = 0
    while True:
        with _reading(table):
            batch = next(batches, None)
            texts = [] if batch is None else [_texts(batch, titles, place) for place in columns]
        if batch is None:
            return
        for place, values in enumerate(zip(*texts, strict=True), start=done + 1):
            row = Row(place, *(value.strip() for value in values))
            if not row.image or max(map(len, row[1:])) > LONGEST_TEXT:
                what = "names no image" if not row.image else "holds a text that is too long"
                raise InputError(
                    f"row {place} of {table} {what}, accepted is a path in each row: mend it"
                )
            yield row
        done += batch.num_rows


def _texts(batch: pyarrow.RecordBatch, titles: list[str], place: int | None) -> list[str]:
    if place is None:
        return [""] * batch.num_rows
    return [value or "" for value in batch.column(titles[place]).to_pylist()]


def _check_text(table: Path, field: pyarrow.Field[Any]) -> None:
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if not any(
        is_text(kind) for is_text in (types.is_string, types.is_large_string, types.is_string_view)
    ):
        raise InputError(
            f"column {one_line(field.name)!r} of {table} holds {one_line(str(field.type))}, "
            "accepted is text: save it as strings"
        )


@contextmanager
def _reading(table: Path) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{table} cannot be read as Parquet ({one_line(str(error))}), accepted are whole "
            "tables: save it again"
        ) from error
