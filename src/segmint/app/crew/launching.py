"""How the processes of the page start: with everything imported, where the system can do that."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from typing import Any

from segmint.app.errand import errands

PRELOADED: Sequence[str] = (
    "segmint.app.crew.process",
    *dict.fromkeys(entry.target.partition(":")[0] for entry in errands.entries()),
    *("segmint.images.reading", "segmint.images.overlays", "segmint.images.viewing"),
    *("segmint.methods.segment", "segmint.methods.segment_file", "segmint.methods.storage"),
    *("segmint.methods.hybrid", "segmint.regions.hybrid", "segmint.solvers.clustering"),
    *("segmint.recipes.opening", "segmint.recipes.class_prediction"),
    *("PIL.JpegImagePlugin", "PIL.PngImagePlugin", "tifffile"),
    *("skimage.color.colorconv", "skimage.measure._label"),
    *("skimage.segmentation._watershed", "skimage.segmentation.slic_superpixels"),
    *("scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial"),
    *("torch", "torch._dynamo"),  # the latter is imported by the first step of any optimizer
)
"""What the usual errands import; importing it starts no thread of torch, for such do not survive
in processes that are forked afterwards."""


def process_context(preload: Sequence[str]) -> BaseContext:
    """How to start processes; where they are forked, what forks them begins to import now.

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
    script that serves the page outside of ``if __name__ == "__main__"`` would do so again. It may
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
