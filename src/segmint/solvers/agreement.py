"""What the processes of a training tell each other, beside gradients."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from segmint.errors import SegmintError, UsageError
from segmint.solvers.place import Place

Found = TypeVar("Found")


class ToldError(SegmintError):
    """What the first process refused, and says: the others only end alike."""


@dataclass(frozen=True)
class _Refusal:
    sentence: str
    exit_code: int


def first_does(place: Place, work: Callable[[], Found]) -> Found:
    """What the first process finds, in all of them.

    Args:
        place: of this process.
        work: done by the first one alone; what it finds can be pickled.

    Raises:
        ToldError: in the others, when work raises a :class:`SegmintError` in the first one.
    """
    if place.world == 1:
        return work()
    if not place.is_first:
        return cast(Found, _taken(_from_first(place, None)))
    try:
        found = work()
    except SegmintError as error:
        _from_first(place, _Refusal(str(error), error.exit_code))
        raise
    _from_first(place, found)
    return found


def agree(place: Place, facts: Mapping[str, Any]) -> None:
    """Refuse processes that were not asked for the same.

    Args:
        place: of this process.
        facts: what must be the same in all, by its name in the message; can be pickled.

    Raises:
        UsageError: in the first process; names what differs, and where.
        ToldError: in the others.
    """
    if place.world == 1:
        return
    import torch.distributed

    told: list[Any] = [None] * place.world
    own = (socket.gethostname(), dict(facts))
    torch.distributed.all_gather_object(told, own)
    first_does(place, lambda: check_alike(told))


def check_alike(told: list[tuple[str, Mapping[str, Any]]]) -> None:
    """Refuse facts that differ from those of the first process.

    Args:
        told: by each process, the first one first: the name of its machine, and its facts.

    Raises:
        UsageError: names the first difference, both values and both machines.

    Example:
        >>> check_alike([("a", {"seed": 1}), ("b", {"seed": 1})])
    """
    machine, facts = told[0]
    for rank, (other, others) in enumerate(told):
        for name in {**facts, **others}:
            value, expected = others.get(name), facts.get(name)
            if value != expected:
                raise UsageError(
                    f"process {rank} on {other} has {name} {value!r}, but process 0 on {machine} "
                    f"has {expected!r}: give all processes the same command, data and versions"
                )


def highest(place: Place, number: int) -> int:
    """The highest of the numbers of all processes, in all of them."""
    if place.world == 1:
        return number
    import torch.distributed

    told = [0] * place.world
    torch.distributed.all_gather_object(told, number)
    return max(told)


def wait_for_all(place: Place) -> None:
    """Return once every process has come here."""
    if place.world > 1:
        import torch.distributed

        torch.distributed.barrier()


def _from_first(place: Place, value: Any) -> Any:
    import torch.distributed

    sent = [value]
    torch.distributed.broadcast_object_list(sent, src=0)
    return sent[0]


def _taken(told: Any) -> Any:
    if isinstance(told, _Refusal):
        error = ToldError(told.sentence)
        error.exit_code = told.exit_code
        raise error
    return told
