"""The living nodes of a Ray cluster, and how many workers fit on each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from segmint.engines.ray_probe import Needs, probe
from segmint.errors import InputError, SegmintError, UsageError

_BETWEEN_LOOKS = 3.0
_PATIENCE = 60.0
"""Seconds in which a node has to answer what it has."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a worker takes of its node."""

    threads: int
    gpus: float

    def places(self, cpus: float, gpus: float) -> int:
        """How many workers fit on a node.

        Example:
            >>> Share(threads=4, gpus=0.0).places(10, 0), Share(threads=1, gpus=0.25).places(64, 2)
            (2, 8)
        """
        places = int(cpus) // self.threads
        if self.gpus >= 1:
            return min(places, int(gpus) // int(self.gpus))
        if self.gpus > 0:
            # A fraction is of one GPU: 0.4 fits twice on each, and never on two.
            return min(places, int(gpus) * int(1 / self.gpus + 1e-9))
        return places


@dataclass(eq=False)
class Node:
    """One that lives, or lived."""

    id: str
    address: str
    places: int
    asked: Any
    """What its probe returns, as Ray has it; None once that is known."""
    since: float
    """When it was asked."""
    fault: SegmintError | None = None
    lives: bool = True
    """A node that comes back has another id."""
    lost: int = 0
    """Places of workers that could write no more."""

    @property
    def room(self) -> int:
        """Workers to try: one where it is not known yet, or refused, so that this is heard of."""
        return 1 if self.asked is not None or self.fault is not None else self.places


class Nodes:
    """All those on which at least one worker fits.

    Args:
        ray: connected.
        needs: of each node.
        share: of each worker.
        place: of the cluster, for people.
    """

    def __init__(self, ray: Any, needs: Needs, share: Share, place: str) -> None:
        self._ray, self._needs, self._share, self._place = ray, needs, share, place
        self._look = ray.remote(num_cpus=0, max_retries=0)(probe())
        self._nodes: dict[str, Node] = {}
        self._look_at = 0.0

    def __iter__(self) -> Iterator[Node]:
        yield from [node for node in self._nodes.values() if node.lives]

    def refresh(self) -> None:
        """See which nodes live, and ask new ones; every few seconds only, so call it often."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _BETWEEN_LOOKS
        living = {found["NodeID"]: found for found in self._ray.nodes() if found["Alive"]}
        for name, node in self._nodes.items():
            node.lives &= name in living
        for name in living.keys() - self._nodes.keys():
            self._welcome(living[name])
        for node in self:
            if node.asked is not None and now - node.since > _PATIENCE:
                self._refuse(node, f"does not answer within {_PATIENCE:.0f} s")

    def _welcome(self, found: dict[str, Any]) -> None:
        resources = found["Resources"]
        places = self._share.places(resources.get("CPU", 0.0), resources.get("GPU", 0.0))
        if places:
            needs = self._needs
            looking = self._look.options(scheduling_strategy=pinned(found["NodeID"]))
            asked = looking.remote(needs.out, needs.token, needs.first)
            name, address = found["NodeID"], found["NodeManagerAddress"]
            self._nodes[name] = Node(name, address, places, asked, time.monotonic())

    @property
    def asked(self) -> dict[Any, Node]:
        """Nodes that have not answered, by what their probe returns."""
        return {node.asked: node for node in self if node.asked is not None}

    def heard(self, node: Node) -> None:
        """Note what the probe of a node returned."""
        try:
            node.fault = self._needs.fault(node.address, self._ray.get(node.asked))
            node.asked = None
        except self._ray.exceptions.TaskUnschedulableError:
            node.lives, node.asked = False, None  # which the cluster notices some seconds later
        except self._ray.exceptions.RayError as error:
            self._refuse(node, f"cannot be used: {first_line(error)}")

    def _refuse(self, node: Node, why: str) -> None:
        node.asked = None
        node.fault = InputError(f"node {node.address} of Ray {why}")

    def settle(self, seconds: float) -> None:
        """Wait until all nodes that are there at the start have answered, or the time is over.

        Raises:
            UsageError: when on none of them a worker fits.
            SegmintError: when none of them can be used.
        """
        self.refresh()
        if not self._nodes:
            raise self._too_small(self._ray.nodes())
        until = time.monotonic() + seconds
        while self.asked and time.monotonic() < until:
            asked = self.asked
            for ref in self._ray.wait(list(asked), num_returns=1, timeout=1.0)[0]:
                self.heard(asked[ref])
            self.refresh()
        if not list(self):
            raise InputError(f"all nodes of {self._place} on which a worker fits are gone")
        faults = [node.fault for node in self if node.fault is not None]
        if faults and len(faults) == len(list(self)):
            raise faults[0]

    def _too_small(self, found: Sequence[dict[str, Any]]) -> SegmintError:
        """Why no worker fits on any node."""

        def most(resource: str) -> float:
            return max((node["Resources"].get(resource, 0.0) for node in found), default=0.0)

        if self._share.gpus > 0 and most("GPU") < self._share.gpus:
            return UsageError(
                f"no node of {self._place} has {self._share.gpus:g} GPUs for a worker, the most is"
                f" {most('GPU'):g}: pass fewer --gpus-per-worker"
            )
        return UsageError(
            f"no node of {self._place} has {self._share.threads} CPUs for a worker, the most is"
            f" {most('CPU'):g}: pass fewer --threads, or add nodes"
        )


def pinned(node: str) -> Any:
    """How Ray is told on which node to do something."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def first_line(error: BaseException) -> str:
    """What an error of Ray says first; the rest is for those who know Ray."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
