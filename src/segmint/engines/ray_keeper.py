"""Clears away after a Ray of our own; a script, which needs Python's own library alone.

It is given the folder of that Ray, and waits until its standard input ends, as it does with the
process that started it, however that ends. Then whatever still belongs to that Ray is killed, as
an agent that would look for its cluster for a minute, and the folder is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

MARK = "SEGMINT_RAY_FOLDER"
"""Variable in the environment of all processes of such a Ray."""
_GRACE = 1.0
"""Seconds in which they may end by themselves."""
_PATIENCE = 10.0


def clear(folder: str) -> None:
    """Kill what has that folder in its environment, and remove it."""
    begun = time.monotonic()
    while found := _belonging(folder):
        waited = time.monotonic() - begun
        if waited > _PATIENCE:
            break
        for process in found if waited > _GRACE else ():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _belonging(folder: str) -> list[int]:
    """The processes of that Ray; none are found where there is no ``/proc``."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


if __name__ == "__main__":
    sys.stdin.read()
    clear(sys.argv[1])
