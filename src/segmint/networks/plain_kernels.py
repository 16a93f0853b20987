"""Convolutions without compiled kernels, for networks that are tried on small images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Let the processor's convolutions be computed as matrix products.

    The library otherwise compiles a kernel for each layer and each new size, which takes ten times
    as long as a small image. It holds for the whole process, and only on the CPU.
    """
    import torch

    with warnings.catch_warnings():
        # The switch also sets one of graphics cards, and tells where there is none.
        warnings.simplefilter("ignore", UserWarning)
        with torch.backends.mkldnn.flags(enabled=False):
            yield
