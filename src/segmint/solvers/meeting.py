"""Joining the processes that a launcher has started, on one machine or on several."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from segmint.errors import InputError, UsageError
from segmint.solvers.agreement import agree
from segmint.solvers.attempt import of_this_attempt
from segmint.solvers.interfaces import gloo_towards
from segmint.solvers.launched import SRUN, Launch, launched
from segmint.solvers.place import Place

if TYPE_CHECKING:
    import torch

PATIENCE = timedelta(minutes=10)
"""For all processes to come together."""
TIMEOUT = timedelta(minutes=30)
"""Of one process waiting for another; one that ends is noticed at once."""

_SIGNS = ("gloo", "nccl", "connection", "timed out", "socket", "store")
"""In what torch raises, a ``RuntimeError``, where another process cannot be reached any more."""


class TookPartError(InputError):
    """Raised where a training ends in a process that is not the first: that one has the result."""


@dataclass
class _Here:
    """The place of this process, while it takes part in a training of several machines."""

    place: Place | None = None


_here = _Here()


@contextmanager
def taking_part() -> Iterator[Place]:
    """Within it this process is one of those that a launcher has started, in touch with all.

    Without a launcher it is the only one. Within another such block it stays what it is.

    Raises:
        UsageError: for processes with other versions of segmint or torch.
        InputError: when the processes do not come together, or one is lost.
    """
    if _here.place is not None:
        with _noticing_loss(_here.place):
            yield _here.place
        return
    launch = launched()
    if launch is None or launch.world == 1:
        yield Place(launched=launch is not None)
        return
    with gloo_towards(launch.address):
        place = _joined(launch)
        _here.place = place
        try:
            with _noticing_loss(place):
                agree(place, _versions())
                yield place
        finally:
            _here.place = None
            _leave()


def own_device(launch: Launch, device: torch.device) -> torch.device:
    """The device of this process; its own GPU among those of its machine.

    SLURM may show each process its own GPU and no other.

    Raises:
        UsageError: when there are not as many GPUs as processes.
    """
    import torch

    if device.type != "cuda":
        return device
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    there = torch.cuda.device_count()
    if there == 1 and launch.launcher == SRUN and visible:
        return torch.device("cuda", 0)
    if launch.local_rank >= there:
        raise UsageError(
            f"{launch.devices} processes on {socket.gethostname()} want a GPU each, but it has "
            f"{there}: let {launch.launcher} start fewer, or pass --device cpu"
        )
    return torch.device("cuda", launch.local_rank)


def join(place: Place, *, gpus: bool, **how: Any) -> None:
    """Join the group of the processes.

    Args:
        place: of this process.
        gpus: what lies on GPUs is sent from there; everything else by gloo.
        how: where the processes meet, as torch takes it, and the ``timeout``.
    """
    import torch.distributed

    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    torch.distributed.init_process_group(backend, rank=place.rank, world_size=place.world, **how)


def _joined(launch: Launch) -> Place:
    import torch
    from torch.distributed.rendezvous import rendezvous

    place = Place(rank=launch.rank, world=launch.world, launched=True)
    try:
        found = rendezvous("env://", rank=launch.rank, world_size=launch.world, timeout=PATIENCE)
        store, _, _ = next(found)
        store = of_this_attempt(store, place, PATIENCE)
        store.set_timeout(TIMEOUT)
        join(place, gpus=torch.cuda.is_available(), store=store, timeout=TIMEOUT)
    except RuntimeError as error:
        _leave()
        raise InputError(
            f"the {launch.world} processes of the training did not meet at {launch.address} "
            f"({_first_line(error)}): see that all were started, and that this machine, "
            f"{socket.gethostname()}, reaches that address"
        ) from error
    return place


def _versions() -> dict[str, str]:
    import torch

    from segmint import __version__

    return {"segmint": __version__, "torch": torch.__version__.partition("+")[0]}


@contextmanager
def _noticing_loss(place: Place) -> Iterator[None]:
    """Say in a sentence that another process has ended."""
    try:
        yield
    except RuntimeError as error:
        said = _first_line(error)
        if not any(sign in said.lower() for sign in _SIGNS):
            raise
        raise InputError(
            f"another process of the training has ended, or is out of reach, which process "
            f"{place.rank} on {socket.gethostname()} noticed ({said}): what it said itself tells "
            "why; the training goes on from its last checkpoint with --resume"
        ) from error


def _leave() -> None:
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
