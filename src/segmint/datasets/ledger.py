"""The record of a preparation while it grows, so that a stopped one goes on where it was."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from segmint.datasets.preparation import SliceRow
from segmint.datasets.prepared_folder import FORMAT, RECORD, SPLITS, is_folder, read_record
from segmint.errors import OutputError, UsageError
from segmint.runs import versions, write_json

_FOLDERS = (".", "images", "masks", "regions")


class Ledger:
    """``dataset.json``: options, and the finished patients with the files they were made from."""

    def __init__(
        self,
        folder: Path,
        record: dict[str, Any],
        *,
        crops: re.Pattern[str],
        tables: Collection[str],
        is_new: bool,
        overwrite: bool,
    ) -> None:
        self._folder, self._record = folder, record
        self._crop_name, self._tables = crops, tables
        self._is_new, self._must_overwrite = is_new, overwrite

    @classmethod
    def open(
        cls,
        folder: Path,
        head: Mapping[str, Any],
        *,
        overwrite: bool,
        crops: re.Pattern[str],
        tables: Collection[str],
    ) -> Self:
        """Begin, or go on with what was made with the same options.

        Args:
            folder: where crops go.
            head: ``dataset``, ``format_of_files``, ``options`` and whatever else describes them.
            overwrite: begin anew; what was made earlier goes when the first patient begins.
            crops: names of the files of crops; the first group is the patient.
            tables: names of files in the folder that describe all crops.

        Raises:
            UsageError: when the folder holds other things or was made with other options.
            InputError: when its record cannot be read.
            OutputError: when what a stopped run left behind cannot be removed.
        """
        fresh = {"format": FORMAT, **head, "versions": versions(), "patients": {}}
        if _is_file(folder):
            raise UsageError(f"{folder} is a file: name a folder")
        record = None if overwrite else read_record(folder)
        if record is not None:
            _check_same(folder, record, head)
            patients = record.get("patients")
            fresh["patients"] = patients if isinstance(patients, dict) else {}
        elif not overwrite:
            _check_empty(folder)
        _remove(path for path in _files(folder) if path.name.startswith(".partial-"))
        return cls(
            folder,
            fresh,
            crops=crops,
            tables=tables,
            is_new=record is None,
            overwrite=overwrite,
        )

    def finished(self, patient: int, sources: Iterable[Path]) -> list[SliceRow] | None:
        """The rows of a patient whose sources are unchanged and whose crops are all whole."""
        entry = self._record["patients"].get(str(patient))
        with suppress(TypeError, KeyError, AttributeError, ValueError, OSError):
            if entry["sources"] == _stamps(sources):
                return self._whole_rows(entry)
        return None

    def begin(self, patient: int) -> None:
        """Make room for the crops of a patient, and be there for who goes on after a stop.

        Raises:
            OutputError: when earlier files cannot be removed or the record cannot be written.
        """
        if self._must_overwrite:
            _remove(self._crops())
            _remove(self._folder / name for name in self._tables)
            self._must_overwrite = False
        self._record["patients"].pop(str(patient), None)
        _remove(self._crops(patient))
        self._write()

    def fail(self, patient: int) -> list[SliceRow]:
        """The rows of earlier crops that stay for a patient that cannot be prepared again.

        Other crops of the patient are removed, for no row would speak of them.
        """
        if self._must_overwrite:
            return []
        entry = self._record["patients"].get(str(patient))
        with suppress(TypeError, KeyError, AttributeError, ValueError, OSError):
            rows = self._whole_rows(entry) or []
            if any(row.file for row in rows):
                return rows
        self._record["patients"].pop(str(patient), None)
        _remove(self._crops(patient))
        return []

    def add(self, patient: int, sources: Iterable[Path], rows: Sequence[SliceRow]) -> None:
        """Note that a patient is finished."""
        sizes = {
            path.relative_to(self._folder).as_posix(): path.stat().st_size
            for path in self._crops(patient)
        }
        self._record["patients"][str(patient)] = {
            "sources": _stamps(sources),
            "sizes": sizes,
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        self._write()

    def close(self, **more: Any) -> None:
        """Note what is known at the end."""
        self._record.update(more)
        self._write()

    def discard(self) -> None:
        """Leave no record and no tables of this run, for there is no crop."""
        if not self._is_new or self._must_overwrite:
            return
        _remove(self._folder / name for name in (RECORD, *self._tables))
        for split in SPLITS:
            for inner in reversed(_FOLDERS):
                _remove_empty(self._folder / split / inner)
        _remove_empty(self._folder)

    def _whole_rows(self, entry: Mapping[str, Any]) -> list[SliceRow] | None:
        rows = [SliceRow(**{**row, "pixels": tuple(row["pixels"])}) for row in entry["rows"]]
        sizes = entry["sizes"]
        whole = all((self._folder / name).stat().st_size == size for name, size in sizes.items())
        return rows if whole and all(row.file in sizes for row in rows if row.file) else None

    def _crops(self, patient: int | None = None) -> list[Path]:
        """All crops, or those of a patient."""
        matches = {path: self._crop_name.fullmatch(path.name) for path in _files(self._folder)}
        return [
            path
            for path, match in matches.items()
            if match and path.parent != self._folder and patient in (None, int(match[1]))
        ]

    def _write(self) -> None:
        write_json(self._folder / RECORD, self._record)


def _files(folder: Path) -> list[Path]:
    """Files in the folder and in those of its splits."""
    places = [folder, *(folder / split / inner for split in SPLITS for inner in _FOLDERS)]
    return [
        path
        for place in places
        if is_folder(place)
        for path in sorted(place.iterdir())
        if path.is_file()
    ]


def _is_file(folder: Path) -> bool:
    with suppress(OSError, ValueError):
        return folder.exists() and not folder.is_dir()
    return False


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot remove {path}: {error.strerror}; mend its permissions or name another "
                "folder"
            ) from error


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _check_empty(folder: Path) -> None:
    if is_folder(folder) and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise UsageError(
            f"{folder} holds other things and no {RECORD}: name an empty or a new folder, "
            "or pass --overwrite"
        )


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
