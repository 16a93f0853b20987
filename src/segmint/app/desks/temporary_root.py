"""The folder of everything that visitors have open, gone when the server is gone."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segmint.errors import OutputError
from segmint.locking import only_writer

PREFIX = "segmint-app-"

_PATIENCE = 5.0
"""Seconds in which a server that just looks whether the folder is in use has let go of it."""


@contextmanager
def temporary_root() -> Iterator[Path]:
    """A new folder that only this user can look into, removed at the end.

    Folders of servers that were killed are removed at the start; one of a server that runs is
    locked by it.

    Raises:
        OutputError: when it cannot be made.
    """
    _remove_left_over()
    root = _made()
    try:
        with only_writer(root, patience=_PATIENCE):
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _made() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    except OSError as error:
        raise OutputError(
            f"cannot make a folder for the files of visitors: {error.strerror or error}; make room "
            "in the folder for temporary files"
        ) from error


def _remove_left_over() -> None:
    # Without locks it cannot be told which servers run.
    if importlib.util.find_spec("fcntl") is None:
        return
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            if _is_ours(folder):
                with suppress(OutputError, OSError), only_writer(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    with suppress(OSError):
        return folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()
    return False
