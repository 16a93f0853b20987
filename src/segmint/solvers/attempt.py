"""The store where processes find each other, kept clean of those that were lost.

A launcher that starts processes again may let them meet in the store of the attempt before, where
the addresses of dead processes stand, and may count its attempts otherwise on each machine.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from segmint.solvers.place import Place

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

_ATTEMPT = "segmint/attempt"
_BETWEEN = 0.05
"""Seconds from one look to the next."""


def of_this_attempt(store: Store, place: Place, patience: timedelta) -> Store:
    """The part of a store that only the processes write that are there now.

    The first process draws a name for the attempt, and lets go once each of the others has
    answered to that name with a word of its own; an older name has no answer to that word.

    Args:
        store: that all processes see.
        place: of this process.
        patience: for all to come.

    Raises:
        RuntimeError: when they do not.
    """
    from torch._C._distributed_c10d import PrefixStore

    end = time.monotonic() + patience.total_seconds()
    looks = _looks_of_first(store, place) if place.is_first else _looks_of_other(store, place)
    for name in looks:
        if name is not None:
            return PrefixStore(name, store)
        if time.monotonic() > end:
            break
        time.sleep(_BETWEEN)
    raise RuntimeError(f"timed out after {patience}")


def _looks_of_first(store: Store, place: Place) -> Iterator[str | None]:
    """The name of the attempt once all others have answered to it, None before."""
    name = secrets.token_hex(8)
    store.set(_ATTEMPT, name)
    answers = [f"{name}/here/{rank}" for rank in range(1, place.world)]
    while not store.check(answers):
        yield None
    store.set(f"{name}/go", " ".join(store.get(answer).decode() for answer in answers))
    yield name


def _looks_of_other(store: Store, place: Place) -> Iterator[str | None]:
    """The name of the attempt once the first process has read the answer to it, None before."""
    word, answered = secrets.token_hex(8), ""
    while True:
        name = store.get(_ATTEMPT).decode() if store.check([_ATTEMPT]) else ""
        if name != answered:
            store.set(f"{name}/here/{place.rank}", word)
            answered = name
        go = f"{name}/go"
        has_gone = bool(name) and store.check([go]) and word in store.get(go).decode().split()
        yield name if has_gone else None
