"""Things made by a thread while the last one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

Key = TypeVar("Key")
Made = TypeVar("Made")


def prefetched(
    make: Callable[[Key], Made], keys: Iterable[Key], *, ahead: int = 2
) -> Iterator[Made]:
    """What is made of each key, in order, so many ahead of who takes them.

    Errors of ``make`` come up where its result would be taken. When the iterator is closed, at
    most one more thing is made.

    Example:
        >>> list(prefetched(str, range(3)))
        ['0', '1', '2']
    """
    rest = iter(keys)
    pool = ThreadPoolExecutor(
        max_workers=1,
        thread_name_prefix="prefetch",
        initializer=torch.set_num_threads,  # which is of each thread by itself
        initargs=(torch.get_num_threads(),),
    )
    try:
        waiting: deque[Future[Made]] = deque(pool.submit(make, key) for key in islice(rest, ahead))
        while waiting:
            made = waiting.popleft().result()
            for key in islice(rest, 1):
                waiting.append(pool.submit(make, key))
            yield made
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
