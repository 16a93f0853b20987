"""Workers in a Ray cluster: one of our own on this machine, or one of many machines."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from segmint.engines.item import Item
from segmint.engines.job import Job
from segmint.engines.ray_actor import actor_class
from segmint.engines.ray_connection import ray_connection
from segmint.engines.ray_nodes import Node, Nodes, Share, pinned
from segmint.engines.ray_probe import probed_needs
from segmint.engines.ray_worker import RayWorker
from segmint.engines.workers import Died, Event, Refused, Retired
from segmint.errors import InputError, UsageError

_SETTLING = 30.0
"""Seconds for which all nodes are waited for at the start."""
_BUSY = 10.0
"""Seconds after which it is said that a worker still waits for a free processor."""


class RayWorkers:
    """Actors, each on a node that sees what it has to; the dead are left to the dispatcher.

    Args:
        job: sent to the cluster once.
        address: ``HOST:PORT`` of a cluster that this machine is a node of, ``ray://HOST:PORT`` of
            any, ``auto`` for the one that runs here or ``RAY_ADDRESS`` names; None starts a Ray
            of our own on this machine, which ends with this process.
        workers: at most; None for as many as the living nodes have room for, also those that
            join later.
        threads: processors of a worker.
        gpus: GPUs of a worker, or a fraction of one.
        out: the folder of results, which every node must see and be able to write into.
        first: an image that every node must be able to read.
        tell: told a sentence where work waits for something.

    Example:
        >>> workers = RayWorkers(None, address="10.0.0.1", out=Path("out"))
        >>> with workers:
        ...     pass
        Traceback (most recent call last):
        segmint.errors.UsageError: '10.0.0.1' is no address of Ray: pass HOST:PORT of the cluster \
(as 10.0.0.1:6379), ray://HOST:PORT (as ray://10.0.0.1:10001) or auto
    """

    def __init__(
        self,
        job: Job,
        *,
        address: str | None = None,
        workers: int | None = None,
        threads: int = 1,
        gpus: float = 0.0,
        out: Path,
        first: str | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._job, self._address, self._most, self._tell = job, address, workers, tell
        self._out, self._first = out, first
        self._share = Share(threads=threads, gpus=_checked_gpus(gpus))
        self._workers: dict[int, RayWorker] = {}
        self._numbers = itertools.count()
        self._stack = ExitStack()
        self._place = "Ray"
        self._told = False

    def __enter__(self) -> RayWorkers:
        """Connect, and ask all nodes for what they have.

        Raises:
            UsageError: when the address is malformed, a worker fits on no node, or Ray is missing.
            InputError: when no cluster answers at the address, or no node can be used.
            OutputError: when the output folder cannot be written, here or on the nodes.
        """
        with ExitStack() as stack:
            cpus = (self._most or 1) * self._share.threads
            self._place = stack.enter_context(ray_connection(self._address, cpus=cpus))
            needs = stack.enter_context(probed_needs(self._out, self._first))
            import ray

            self._ray: Any = ray
            self._nodes = Nodes(ray, needs, self._share, self._place)
            self._nodes.settle(_SETTLING)
            self._sent = ray.put(ray.cloudpickle.dumps(self._job))
            self._actors = ray.remote(actor_class())
            stack.callback(self._end_all)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _end_all(self) -> None:
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()

    @property
    def place(self) -> str:
        """Where the cluster is, for people."""
        return self._place

    def room(self) -> int:
        """Places on the living nodes, but no more workers than were asked for."""
        self._nodes.refresh()
        room = sum(node.room for node in self._nodes)
        return room if self._most is None else min(room, self._most)

    def hire(self) -> int:
        """Begin to start a worker on the node with the most free places."""
        worker = RayWorker(self._ray, next(self._numbers))
        self._workers[worker.number] = worker
        self._seat(worker)
        return worker.number

    def give(self, worker: int, items: Sequence[Item]) -> None:
        """Add a batch to what a worker does."""
        if worker in self._workers:
            self._workers[worker].give(items)

    def dismiss(self, worker: int) -> None:
        """End a worker."""
        gone = self._workers.pop(worker, None)
        if gone is not None:
            gone.end()

    def events(self, timeout: float) -> Sequence[Event]:
        """What has happened since.

        Raises:
            InputError: when the cluster itself is gone.
        """
        try:
            self._nodes.refresh()
            events = self._advance() or self._wait(timeout) or self._advance()
        except ConnectionError as error:
            raise InputError(f"{self._place} is gone: {error}; run the same again") from None
        for event in events:
            self._note(event)
        return events

    def _advance(self) -> list[Event]:
        """What is known without waiting: who gets a node, or its actor, or has none any more."""
        events: list[Event] = []
        for worker in self._workers.values():
            events += worker.overdue()
            if not worker.has_begun:
                self._seat(worker)
                events += self._begin(worker)
        self._say_busy()
        return events

    def _seat(self, worker: RayWorker) -> None:
        """Choose its node, among the good ones if there are any, where the most places are free."""
        if worker.node is None or not worker.node.lives:
            worker.node = max(self._nodes, key=self._preference, default=None)

    def _preference(self, node: Node) -> tuple[bool, bool, bool, int]:
        taken = sum(worker.node is node for worker in self._workers.values())
        free = node.room - node.lost - taken
        return free > 0, node.fault is None, node.asked is None, free

    def _begin(self, worker: RayWorker) -> list[Event]:
        """Start its actor, where its node is known to be good."""
        node = worker.node
        if node is None or node.asked is not None:
            return []
        if node.fault is not None:
            return [Refused(worker=worker.number, error=node.fault)]
        actors = self._actors.options(
            num_cpus=self._share.threads,
            num_gpus=self._share.gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=pinned(node.id),
        )
        device = "cuda" if self._share.gpus else None
        places = min(node.places, self._most or node.places)
        folder = str(Path.cwd())
        worker.begin(actors.remote(self._sent, self._share.threads, device, places, folder))
        return []

    def _wait(self, timeout: float) -> list[Event]:
        awaited = {ref: worker for worker in self._workers.values() if (ref := worker.awaited)}
        asked = self._nodes.asked
        refs = [*awaited, *asked]
        if not refs:
            time.sleep(timeout)
            return []
        ready, _ = self._ray.wait(refs, num_returns=1, timeout=timeout)
        if ready:
            ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        events: list[Event] = []
        for ref in ready:
            if ref in awaited:
                events += awaited[ref].heard()
            else:
                self._nodes.heard(asked[ref])
        return events

    def _note(self, event: Event) -> None:
        """Forget a worker that is gone."""
        if isinstance(event, Refused | Retired | Died):
            node = self._workers[event.worker].node
            if isinstance(event, Retired) and node is not None:
                node.lost += 1
            self.dismiss(event.worker)

    def _say_busy(self) -> None:
        """Say once that the cluster is busy; its processors may become free."""
        waiting = [worker for worker in self._workers.values() if not worker.is_open]
        longest = max((time.monotonic() - worker.hired for worker in waiting), default=0.0)
        if not self._told and longest > _BUSY and len(waiting) == len(self._workers):
            self._told = True
            share = f"{self._share.threads} CPUs"
            share += f" and {self._share.gpus:g} GPUs" if self._share.gpus else ""
            self._tell(f"{self._place} has not begun a worker yet: waiting for {share} to be free")


def _checked_gpus(gpus: float) -> float:
    """GPUs of a worker as Ray can give them."""
    if not math.isfinite(gpus) or gpus < 0 or (gpus > 1 and gpus != int(gpus)):
        raise UsageError(
            f"a worker cannot have {gpus:g} GPUs: pass a fraction of one, or a whole number"
        )
    return gpus
