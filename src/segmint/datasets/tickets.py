"""Which sample each step of a run learns from, by number alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ORDER, _CHANGE = 0, 1
"""Streams of random numbers: the order of a pass, and what happens to one picture."""


@dataclass(frozen=True, kw_only=True)
class Tickets:
    """Pictures of a run numbered from 0, pass after pass over the samples, each in a new order.

    Ticket t belongs to pass t // samples; step s of a run takes ``batch_size`` tickets from
    s * ``batch_size`` on.

    Example:
        >>> tickets = Tickets(samples=3, batch_size=2, seed=0)
        >>> list(tickets.of_step(2)), sorted(tickets.sample(ticket) for ticket in (3, 4, 5))
        ([4, 5], [0, 1, 2])
    """

    samples: int
    batch_size: int
    seed: int

    def of_step(self, step: int, *, rank: int = 0, world: int = 1) -> range:
        """The tickets of one step, or the part of them that one of ``world`` processes takes."""
        share = self.batch_size // world
        first = step * self.batch_size + rank * share
        return range(first, first + share)

    def sample(self, ticket: int) -> int:
        """The number of the sample of a ticket."""
        run_through, place = divmod(ticket, self.samples)
        return int(_order(self.samples, self.seed, run_through)[place])

    def rng(self, ticket: int) -> np.random.Generator:
        """The random numbers of a ticket, the same in every process."""
        return np.random.default_rng((self.seed, _CHANGE, ticket))


@lru_cache(maxsize=4)
def _order(samples: int, seed: int, run_through: int) -> NDArray[np.intp]:
    return np.random.default_rng((seed, _ORDER, run_through)).permutation(samples)
