"""How other processes start: with everything imported, where the system can do that."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

_FIRST_TO_GO = "500"
"""Where memory runs out Linux ends processes by points, of which this many are added: rather a
process that was started than the one that looks after it."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def process_context(preload: Sequence[str]) -> BaseContext:
    """How to start processes; where they are forked, what forks them begins to import now.

    What is imported must start no threads, for such do not survive in processes that are forked
    afterwards.

    Args:
        preload: names of modules; those that do not exist are left out.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    _start_server()
    return context


@contextmanager
def without_script() -> Iterator[None]:
    """Within it a process begins without running the user's script once more.

    Python would import the main module in the new process, which needs nothing from it, and a
    script that does its work outside of ``if __name__ == "__main__"`` would do it again. It may
    last for seconds, so other threads find the module in all but its origin. Not to be entered by
    two threads at a time.
    """
    main: Any = sys.modules["__main__"]
    stand_in: Any = types.ModuleType("__main__")
    stand_in.__dict__.update(main.__dict__, __file__=None, __spec__=None)
    sys.modules["__main__"] = stand_in
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def begin_process(threads: int) -> None:
    """What a process that was started does first.

    It is deaf to Ctrl-C, which is for the process that looks after it, and it is the first to go
    where memory runs out.

    Args:
        threads: of its arithmetic, in libraries that are loaded and those that come later.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    limit_threads(threads)


def limit_threads(threads: int) -> None:
    """Let all libraries of this process, loaded or not, use so many processor threads each."""
    from threadpoolctl import threadpool_limits

    from segmint.devices import use_threads

    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    threadpool_limits(threads)
    if "torch" in sys.modules:
        use_threads(threads)


def _start_server() -> None:
    """Start what forks the processes, deaf to Ctrl-C, which a terminal sends to it, too.

    While it imports it would answer with a traceback.
    """
    resource_tracker.ensure_running()  # started later it would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with without_script():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
