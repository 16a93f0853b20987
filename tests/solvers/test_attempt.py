"""Processes that meet in a store in which those of an earlier attempt have met."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from torch.distributed import HashStore

from segmint.solvers.attempt import of_this_attempt
from segmint.solvers.place import Place

SOON = timedelta(seconds=20)


def meet(store: HashStore, ranks: list[int], world: int) -> list[str]:
    """What each process finds under one name, of which the first has written it."""
    written = threading.Event()

    def take_part(rank: int) -> str:
        own = of_this_attempt(store, Place(rank=rank, world=world), SOON)
        if rank == 0:
            own.set("address", f"of {id(own)}")
            written.set()
        assert written.wait(20)
        return own.get("address").decode()

    with ThreadPoolExecutor(world) as pool:
        return list(pool.map(take_part, ranks))


@pytest.mark.parametrize("world", [2, 3])
def test_each_attempt_has_names_of_its_own(world: int) -> None:
    store = HashStore()
    attempts = [meet(store, list(order), world) for order in (range(world), reversed(range(world)))]
    assert [len(set(found)) for found in attempts] == [1, 1]
    assert attempts[0][0] != attempts[1][0]


def test_those_who_are_early_wait_for_the_first_of_their_attempt() -> None:
    store = HashStore()
    meet(store, [0, 1], 2)
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(of_this_attempt, store, Place(rank=1, world=2), SOON)
        first = of_this_attempt(store, Place(rank=0, world=2), SOON)
        first.set("address", "new")
        assert early.result(20).get("address") == b"new"


def test_those_who_do_not_come_are_not_waited_for_without_end() -> None:
    with pytest.raises(RuntimeError, match="timed out"):
        of_this_attempt(HashStore(), Place(rank=0, world=2), timedelta(seconds=0.1))
