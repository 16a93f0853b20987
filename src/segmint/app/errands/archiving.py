"""The errand ``archive``: the results of several images as one ZIP file."""

from __future__ import annotations

import shutil
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from segmint.app.errand import Telling
from segmint.errors import InputError, UsageError
from segmint.runs import atomic_path

COMPRESSED = (".png", ".tif", ".gz", ".npz", ".gif", ".zip", ".jpg")
"""Endings of files that would not become smaller."""

_CHUNK = 1 << 20
_LONGEST_NAME = 100


def write_archive(
    telling: Telling, *, folders: Mapping[str, str], out: str, limit: int | None = None
) -> dict[str, Any]:
    """Write the files of result folders into one ZIP, each folder under a name of its own.

    Memory holds a part of one file at a time, and the archive is there when it is whole.

    Args:
        telling: of the files that are done.
        folders: each result by the name that it gets.
        out: the archive.
        limit: most bytes of all files together.

    Returns:
        ``bytes`` of the archive.

    Raises:
        InputError: when there is nothing to write, or a result is gone.
        OutputError: when it cannot be written.
        UsageError: when the results are larger than the limit, or the visitor stopped it.
    """
    members = list(_members(folders))
    size = sum(file.stat().st_size for _, file in members)
    if not members:
        raise InputError("there is no result to put into an archive: segment an image first")
    if limit is not None and size > limit:
        raise UsageError(
            f"the results are {size} bytes, accepted in one archive are at most {limit}: download "
            "them one by one, or remove some"
        )
    path = Path(out)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for done, (name, file) in enumerate(members):
            telling.progress(done, len(members), "files")
            if telling.is_stopped:
                raise UsageError("stopped: there is no archive; ask for it again")
            _add(archive, name, file)
    return {"bytes": path.stat().st_size}


def _members(folders: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Names within the archive, and files; links are not followed."""
    names = unique_names(folders)
    for given, folder in folders.items():
        top = Path(folder)
        if not top.is_dir():
            raise InputError(f"the result of {given} is gone: segment the image again")
        for file in sorted(top.rglob("*")):
            inside = file.relative_to(top)
            hidden = any(part.startswith(".") for part in inside.parts)
            if file.is_file() and not file.is_symlink() and not hidden:
                yield f"{names[given]}/{inside.as_posix()}", file


def unique_names(names: Mapping[str, Any]) -> dict[str, str]:
    """For each name one that is safe in a path, and unlike all others also where case is none.

    Example:
        >>> unique_names({"cat": 0, "Cat": 0, "../dog": 0, "..": 0})
        {'cat': 'cat', 'Cat': 'Cat-2', '../dog': 'dog', '..': 'result'}
    """
    taken: set[str] = set()
    found = {}
    for given in names:
        name = candidate = _safe(given)
        number = 2
        while candidate.casefold() in taken:
            candidate, number = f"{name}-{number}", number + 1
        taken.add(candidate.casefold())
        found[given] = candidate
    return found


def _safe(name: str) -> str:
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    # Some systems refuse these letters, and names that end with a dot or a space.
    kept = "".join("-" if each in '<>:"|?*' else each for each in last if each.isprintable())
    return kept[:_LONGEST_NAME].strip(". ") or "result"


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    member = zipfile.ZipInfo.from_file(file, name, strict_timestamps=False)
    is_small = file.name.lower().endswith(COMPRESSED)
    member.compress_type = zipfile.ZIP_STORED if is_small else zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    with file.open("rb") as source, archive.open(member, "w") as target:
        shutil.copyfileobj(source, target, _CHUNK)
