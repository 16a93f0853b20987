"""How much memory the answer of a network takes on its way."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def live_memory(respond: Callable[[Tensor], object], image: Tensor) -> int:
    """Bytes of the tensors that exist together at the worst moment, the image among them.

    Weights, and what operators take for themselves, do not count.

    Args:
        respond: from an image to anything.
        image: what it is called with.

    Example:
        >>> live_memory(lambda image: (image + 1).sum(), torch.zeros(256))
        2052
    """
    counter = _Counter()
    counter.add(image)
    with torch.no_grad(), counter:
        respond(image)
    return counter.most


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the memory of all that operators return, until it is given back."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = 0
        self._now = 0
        self._counted: set[int] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        returned = function(*args, **(kwargs or {}))
        for each in tree_leaves(returned):
            if isinstance(each, Tensor):
                self.add(each)
        return returned

    def add(self, tensor: Tensor) -> None:
        """Count the memory of a tensor, once while it exists."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._counted:
            return
        self._counted.add(key)
        self._now += storage.nbytes()
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._drop, key, storage.nbytes())

    def _drop(self, key: int, size: int) -> None:
        self._counted.discard(key)
        self._now -= size
