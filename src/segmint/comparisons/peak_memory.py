"""The greatest resident memory of this process."""

from __future__ import annotations

import importlib
import sys


def peak_memory() -> float | None:
    """In MiB, since the process began; None where the system does not tell.

    A process that was forked begins with the memory of the one that it was forked from.
    """
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return None
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
