"""Memory that the C library keeps between tiles, so that it need not be got again.

Maps of large tiles are so large that the C library asks the system for each and gives each back at
once; the system then clears every page again. That is a fifth of the time of a small U-Net.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from typing import Any

_TRIM_THRESHOLD, _MOST_MAPS = -1, -4
"""Names of the settings in ``malloc.h`` of the GNU C library."""
_LARGEST = 2**31 - 1
_USUAL = {_MOST_MAPS: 65536, _TRIM_THRESHOLD: 128 * 1024}

_owners: set[int] = set()


def can_keep_memory() -> bool:
    """Whether this process has the GNU C library of Linux, which alone can."""
    return _library() is not None


def keep_memory(owner: object) -> None:
    """Let this process keep memory that tensors gave back, as long as the owner exists.

    Where it cannot, nothing changes.
    """
    library = _library()
    if library is not None and id(owner) not in _owners:
        _owners.add(id(owner))
        library.mallopt(_MOST_MAPS, 0)
        library.mallopt(_TRIM_THRESHOLD, _LARGEST)
        weakref.finalize(owner, _let_go, library, id(owner))


def _let_go(library: Any, owner: int) -> None:
    _owners.discard(owner)
    if not _owners:
        for setting, value in _USUAL.items():
            library.mallopt(setting, value)
        library.malloc_trim(0)


def _library() -> Any:
    """The C library, where it has these settings."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
