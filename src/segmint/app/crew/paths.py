"""Sentences without the folders of the server, as the visitor may read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

_FOLDERS = re.compile(
    r"(?<![\w.:/\\~-])/(?:[^/\s'\"()<>|:;,]+/)+|(?<!\w)[A-Za-z]:\\+(?:[^\\\s'\"()<>|:;,]+\\+)+"
)
"""Of any absolute path, as far as a folder's name has no space."""


def without_folders(sentence: str, arguments: Mapping[str, Any]) -> str:
    """A sentence in which files bear the names that the visitor gave them.

    Args:
        sentence: of an error.
        arguments: of the errand; paths among them are absolute.

    Example:
        >>> file = "/var/tmp/desks/a b/1/upload/photo.png"
        >>> without_folders(f"{file} is empty", {"path": file})
        'photo.png is empty'
    """
    paths = {PurePath(text) for text in _texts(arguments)}
    folders = {
        str(folder) for path in paths if path.is_absolute() for folder in list(path.parents)[:-1]
    }
    for folder in sorted(folders, key=len, reverse=True):
        sentence = sentence.replace(f"{folder}{os.sep}", "")
    return _FOLDERS.sub("", sentence)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value, however deep."""
    if isinstance(value, str | PurePath):
        yield str(value)
    elif isinstance(value, Mapping):
        yield from _texts(value.values())
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for each in value:
            yield from _texts(each)
