"""Files that appear whole or not at all, and the record of how a result was made."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import math
import os
import platform
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from segmint.errors import OutputError

BEGUN = ".partial-"
"""What names begin with of files and folders that are not whole yet."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

    The temporary name keeps the suffix, so that writers which choose a format by suffix work.

    Raises:
        OutputError: when the folder or file cannot be written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=BEGUN, suffix="".join(path.suffixes[-2:])
        )
        os.close(handle)
    except OSError as error:
        raise OutputError(_write_failure(path, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(_write_failure(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged_folder(folder: Path, *, last: str, replaces: Collection[str] = ()) -> Iterator[Path]:
    """A temporary folder whose files move into ``folder`` when the block ends without error.

    Args:
        folder: made when missing; its other files stay.
        last: name of the file that moves last, so that its presence means that all are there.
        replaces: names of files that go from the folder, for those that move in replace them.

    Raises:
        OutputError: when a file cannot be written or the disk is full; then nothing has moved.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"cannot write {folder}: it is a file; name a folder")
        stage = Path(tempfile.mkdtemp(dir=folder.parent, prefix=BEGUN))
    except OSError as error:
        raise OutputError(_write_failure(folder, error)) from error
    try:
        yield stage
        folder.mkdir(exist_ok=True)
        move_files(stage, folder, last=last, replaces=replaces)
    except OutputError as error:
        # Who writes into the stage speaks of it, but the user knows only the folder.
        raise OutputError(str(error).replace(str(stage), str(folder))) from error
    except OSError as error:
        raise OutputError(_write_failure(folder, error)) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def move_files(stage: Path, folder: Path, *, last: str, replaces: Collection[str] = ()) -> None:
    """Put new files in the place of those of an earlier result.

    Args:
        stage: that they come from.
        folder: that they go to.
        last: name of the file that goes last.
        replaces: names of files and folders of an earlier result, which go first.

    Raises:
        OSError: when one cannot be moved.
    """
    for name in (last, *replaces):
        remove(folder / name)
    for file in sorted(stage.iterdir(), key=lambda file: file.name == last):
        file.replace(folder / file.name)


def remove(path: Path) -> None:
    """Let a file or a folder be gone, also where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; parts of file names that are no text as escapes."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, data: Any) -> None:
    """Write plain data as indented JSON, whole or not at all; what is not finite becomes null."""
    write_text(path, json.dumps(_finite(data), indent=2, allow_nan=False, default=str) + "\n")


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def versions() -> dict[str, str]:
    """Versions of Python, the platform and the packages that decide a result."""
    return dict(_versions())


@cache
def _versions() -> Mapping[str, str]:
    """Read once, for it takes as long as saving a small picture."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    packages = ("segmint", "numpy", "scipy", "scikit-image", "scikit-learn", "torch", "pillow")
    for package in packages:
        found[package] = importlib.metadata.version(package)
    return found


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_failure(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"cannot write {path}: the disk is full; free some space or write to another place"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"cannot write {path}: a folder of that path is a file; write to another place"
    reason = error.strerror or str(error)
    return f"cannot write {path}: {reason}; write to another place or mend its permissions"
