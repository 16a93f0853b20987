"""What decided how peers learned, and the networks that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from segmint.recipes.peers import PeerPlan, plan_peers
from segmint.recipes.peers_options import PeersOptions
from segmint.solvers.mutual_options import MutualOptions

_AS_PUBLISHED = "as published: each peer is drawn to the mean of the others, with weight 1"
_TOLD = {
    "mutual": "{}",
    "mutual_weight": "weight {:g}",
    "temperature": "temperature {:g}",
    "ramp_up_steps": "ramp-up over {:,} steps",
    "teacher": "taught by {}",
    "gate": "pixels where the teaching side is {}",
    "mutual_pixels": "{} pixels",
}
"""How options of mutual learning are told where they are not the published ones."""


def peer_facts(
    record: Mapping[str, Any], parameters: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Names and values for the list of facts of a run with peers.

    Args:
        record: of the run.
        parameters: how many numbers each network has learned, by the name of its peer.
    """
    options = record["options"]
    objective = options["loss"]["objective"]
    plans = peer_plans(record)
    twins = sum(plan.twin for plan in plans)
    count = f"{len(plans)} peers{f' and {twins} that learn alone' if twins else ''}"
    known = f", {sum(parameters.values()):,} parameters in all" if parameters else ""
    yield "networks", f"{count}{known}"
    for plan in plans:
        yield f"peer {plan.name}", ", ".join(_peer(plan, objective, parameters.get(plan.name)))
    yield "mutual learning", _mutual(MutualOptions.from_mapping(options["mutual"]))
    if options["peers"].get("unlabelled"):
        yield "images without masks", str(options["peers"]["unlabelled"])


def peer_plans(record: Mapping[str, Any]) -> tuple[PeerPlan, ...]:
    """What was asked of each peer, as the options in a record say it."""
    options = record["options"]
    return plan_peers(
        PeersOptions.from_mapping(options["peers"]),
        MutualOptions.from_mapping(options["mutual"]),
        options["loss"]["objective"],
        seed=record["seed"],
    )


def _peer(plan: PeerPlan, objective: object, parameters: int | None) -> Iterator[str]:
    """What a peer is, and where it differs from the others."""
    yield plan.network
    if parameters is not None:
        yield f"{parameters:,} parameters"
    yield from (f"{name} {value}" for name, value in plan.options.items())
    if plan.objective != objective:
        yield f"objective {plan.objective}"
    if plan.learning_rate is not None:
        yield f"learning rate {plan.learning_rate:g}"
    if plan.weights is not None:
        yield f"started from {plan.weights}"
    if plan.frozen:
        yield "frozen: it teaches and does not learn"


def _mutual(options: MutualOptions) -> str:
    usual = MutualOptions()
    told = [
        text.format(getattr(options, name))
        for name, text in _TOLD.items()
        if getattr(options, name) != getattr(usual, name)
    ]
    return ", ".join(told) or _AS_PUBLISHED
