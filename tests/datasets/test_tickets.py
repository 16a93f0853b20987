from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.datasets.tickets import Tickets


@given(samples=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), run_through=st.integers(0, 99))
def test_a_pass_sees_every_sample_once(samples: int, seed: int, run_through: int) -> None:
    tickets = Tickets(samples=samples, batch_size=1, seed=seed)
    seen = [tickets.sample(run_through * samples + place) for place in range(samples)]
    assert sorted(seen) == list(range(samples))


def test_each_pass_and_each_seed_has_an_order_of_its_own() -> None:
    orders = {
        tuple(Tickets(samples=20, batch_size=1, seed=seed).sample(first + k) for k in range(20))
        for seed in range(3)
        for first in (0, 20, 40)
    }
    assert len(orders) == 9


@given(step=st.integers(0, 10_000), share=st.integers(1, 9), world=st.integers(1, 9))
def test_the_parts_of_a_step_follow_each_other(step: int, share: int, world: int) -> None:
    tickets = Tickets(samples=7, batch_size=share * world, seed=0)
    parts = [
        ticket for rank in range(world) for ticket in tickets.of_step(step, rank=rank, world=world)
    ]
    assert parts == list(tickets.of_step(step))
    assert parts[-1] + 1 == tickets.of_step(step + 1)[0]


def test_every_ticket_has_random_numbers_of_its_own() -> None:
    tickets = Tickets(samples=7, batch_size=1, seed=3)
    draws = [tickets.rng(ticket).random() for ticket in range(100)]
    assert len(set(draws)) == 100
    assert np.allclose(draws[41], tickets.rng(41).random(), atol=0)
