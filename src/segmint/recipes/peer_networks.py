"""The networks of peers, as they begin to learn."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

from segmint.errors import InputError, UsageError
from segmint.objectives.objective import Objective
from segmint.recipes.peers import PeerPlan
from segmint.recipes.starting_networks import starting_network
from segmint.solvers.peer import Peer
from segmint.solvers.peer_names import ENSEMBLE, SOLO

if TYPE_CHECKING:
    from torch import nn

    from segmint.datasets.dataset import Dataset


def objectives_of(plans: Sequence[PeerPlan]) -> list[Objective]:
    """What each peer learns by itself.

    Raises:
        UsageError: names the peer whose objective cannot be read.
    """
    return [_objective(plan) for plan in plans]


def build_peers(plans: Sequence[PeerPlan], train: Dataset) -> dict[str, Peer]:
    """Peers by name, and behind them the twins that learn alone.

    Args:
        plans: of the peers.
        train: what they will learn from.

    Raises:
        UsageError: for an option that a network does not take; it names the peer.
        InputError: for weights that cannot be read, or are of another network; the same.
    """
    networks = {plan.name: _network(plan, train) for plan in plans}
    peers = {
        plan.name: Peer(
            network=networks[plan.name],
            objective=_objective(plan),
            teachers=plan.teachers,
            learning_rate=plan.learning_rate,
            frozen=plan.frozen,
        )
        for plan in plans
    }
    twins = {
        f"{plan.name}{SOLO}": Peer(
            network=copy.deepcopy(networks[plan.name]),
            objective=_objective(plan),
            ensemble=f"{ENSEMBLE}{SOLO}",
            learning_rate=plan.learning_rate,
        )
        for plan in plans
        if plan.twin
    }
    return peers | twins


def _objective(plan: PeerPlan) -> Objective:
    try:
        return Objective(plan.objective)
    except UsageError as error:
        raise UsageError(f"peer {plan.name!r}: {error}") from error


def _network(plan: PeerPlan, train: Dataset) -> nn.Module:
    try:
        return starting_network(
            plan.network, train, seed=plan.seed, weights=plan.weights, options=plan.options
        )
    except (UsageError, InputError) as error:
        raise type(error)(f"peer {plan.name!r}: {error}") from error
