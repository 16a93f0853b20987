"""The record of a preparation while it grows, so that a stopped one goes on where it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from segmint.datasets.preparation import SliceRow
from segmint.datasets.prepared_folder import FORMAT, RECORD, SPLITS, read_record
from segmint.errors import UsageError
from segmint.runs import versions, write_json

_FOLDERS = (".", "images", "masks", "regions")


class Ledger:
    """``dataset.json``: options, and the finished patients with the files they were made from."""

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        self._folder = folder
        self._record = record

    @classmethod
    def open(cls, folder: Path, head: Mapping[str, Any], *, overwrite: bool, pattern: str) -> Self:
        """Begin, or go on with what was made with the same options.

        Args:
            folder: where crops go.
            head: ``dataset``, ``format_of_files``, ``options`` and whatever else describes them.
            overwrite: begin anew, and remove earlier crops first.
            pattern: names of crops, for this.

        Raises:
            UsageError: when the folder holds other things or was made with other options.
            InputError: when its record cannot be read.
        """
        fresh = {"format": FORMAT, **head, "versions": versions(), "patients": {}}
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file: name a folder")
        if overwrite:
            _remove_crops(folder, pattern)
            return cls(folder, fresh)
        record = read_record(folder)
        if record is None:
            if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
                raise UsageError(
                    f"{folder} holds other things and no {RECORD}: name an empty or a new folder, "
                    "or pass --overwrite"
                )
            return cls(folder, fresh)
        _check_same(folder, record, head)
        patients = record.get("patients")
        return cls(folder, {**fresh, "patients": patients if isinstance(patients, dict) else {}})

    def finished(self, patient: int, sources: Iterable[Path]) -> list[SliceRow] | None:
        """The rows of a patient whose sources are unchanged and whose crops are all there."""
        entry = self._record["patients"].get(str(patient))
        with suppress(TypeError, KeyError, AttributeError, ValueError):
            if entry["sources"] == _stamps(sources):
                rows = [
                    SliceRow(**{**row, "pixels": tuple(row["pixels"])}) for row in entry["rows"]
                ]
                if all((self._folder / row.file).is_file() for row in rows if row.file):
                    return rows
        return None

    def add(self, patient: int, sources: Iterable[Path], rows: Sequence[SliceRow]) -> None:
        """Note that a patient is finished."""
        rows_as_data = [dataclasses.asdict(row) for row in rows]
        self._record["patients"][str(patient)] = {
            "sources": _stamps(sources),
            "rows": rows_as_data,
        }
        self._write()

    def close(self, **more: Any) -> None:
        """Note what is known at the end."""
        self._record.update(more)
        self._write()

    def discard(self) -> None:
        """Leave no record, for nothing was made."""
        (self._folder / RECORD).unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()

    def _write(self) -> None:
        write_json(self._folder / RECORD, self._record)


def _stamps(sources: Iterable[Path]) -> dict[str, list[int]]:
    """Size and time of change of each file."""
    stats = {path.name: path.stat() for path in sources}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _check_same(folder: Path, record: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    if record.get("dataset") != head["dataset"]:
        raise UsageError(
            f"{folder} holds {record.get('dataset')} and not {head['dataset']}: name another "
            "folder, or pass --overwrite"
        )
    before, now = record["options"], head["options"]
    for name in now:
        if before.get(name) != now[name]:
            raise UsageError(
                f"{folder} was prepared with --{name.replace('_', '-')} {before.get(name)} and not "
                f"{now[name]}: name another folder, or pass --overwrite to prepare it anew"
            )


def _remove_crops(folder: Path, pattern: str) -> None:
    for split in SPLITS:
        for inner in _FOLDERS:
            for path in (folder / split / inner).glob(pattern):
                if path.is_file():
                    path.unlink()
    with suppress(FileNotFoundError):
        (folder / RECORD).unlink()
