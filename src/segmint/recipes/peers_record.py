"""What the record of a run says of its peers and their ensembles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from segmint.errors import UsageError
from segmint.recipes.peers import plan_peers
from segmint.recipes.peers_options import PeersOptions
from segmint.recipes.supervised_options import LossOptions
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.peer_names import ENSEMBLE, NAME, SOLO

NETWORKS = "networks"
"""Folder of the networks in that of the run."""
SUFFIX = ".safetensors"

_NAME = re.compile(NAME)


@dataclass(frozen=True, kw_only=True)
class PeersRecord:
    """Which networks a run has, and which of them answer together."""

    files: Mapping[str, str]
    """Of each peer by name, twins that learned alone included."""
    ensembles: Mapping[str, Mapping[str, str]]
    """File of each member by its name, of each ensemble by its."""
    chosen: str
    """What the run answers with where nothing else is asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that can be asked, the chosen one first."""
        everyone = sorted((*self.files, *self.ensembles), key=lambda name: name.endswith(SOLO))
        return tuple(dict.fromkeys([self.chosen, *everyone]))


def file_of(name: str, *, ensemble: str | None = None) -> str:
    """Where the network of a peer is kept, or the one it has in an ensemble."""
    inner = "" if ensemble is None else f"{ensemble}/"
    return f"{NETWORKS}/{inner}{name}{SUFFIX}"


def read_peers(record: Mapping[str, Any]) -> PeersRecord:
    """The peers of a run.

    No file is accepted but those that :func:`file_of` names, so that no record can lead out of its
    folder, or to the network of another peer.

    Args:
        record: whose sections of options can be read, one by one.

    Raises:
        ValueError: its text is the name of the entry that is missing or damaged.
    """
    peers, ensembles = record.get("peers"), record.get("ensembles")
    if not isinstance(peers, list) or not all(map(_is_peer, peers)) or not peers:
        raise ValueError("peers")
    files = {str(peer["name"]): str(peer["file"]) for peer in peers}
    if len(files) < len(peers) or set(files) != _planned(record):
        raise ValueError("peers")
    expected = _members_by_ensemble(files)
    if not isinstance(ensembles, dict) or set(ensembles) != set(expected):
        raise ValueError("ensembles")
    if not all(_is_ensemble(ensembles[name], name, expected[name]) for name in expected):
        raise ValueError("ensembles")
    if not isinstance(record.get("chosen"), str) or record["chosen"] not in (*files, *ensembles):
        raise ValueError("chosen")
    return PeersRecord(
        files=files,
        ensembles={name: dict(told["members"]) for name, told in ensembles.items()},
        chosen=record["chosen"],
    )


def _planned(record: Mapping[str, Any]) -> set[str]:
    """Names of the peers and twins that the options in a record ask for."""
    options = record["options"]
    try:
        plans = plan_peers(
            PeersOptions.from_mapping(options["peers"]),
            MutualOptions.from_mapping(options["mutual"]),
            LossOptions.from_mapping(options["loss"]).objective,
            seed=record["seed"],
        )
    except UsageError as error:
        raise ValueError("options.peers") from error
    twins = {f"{plan.name}{SOLO}" for plan in plans if plan.twin}
    return {plan.name for plan in plans} | twins


def _members_by_ensemble(names: Iterable[str]) -> dict[str, set[str]]:
    """Which networks answer together: all that taught each other, and all that learned alone."""
    alone = {name for name in names if name.endswith(SOLO)}
    groups = {ENSEMBLE: set(names) - alone, f"{ENSEMBLE}{SOLO}": alone}
    return {name: members for name, members in groups.items() if len(members) > 1}


def _is_peer(told: object) -> bool:
    return (
        isinstance(told, dict)
        and all(isinstance(told.get(name), str) for name in ("name", "network", "file"))
        and isinstance(told.get("solo"), bool)
        and told["solo"] == told["name"].endswith(SOLO)
        and _NAME.fullmatch(told["name"]) is not None
        and told["file"] == file_of(told["name"])
        and _is_best(told.get("best"))
    )


def _is_ensemble(told: object, ensemble: str, expected: set[str]) -> bool:
    """Whether it has these members, each with a file of its own."""
    members = told.get("members") if isinstance(told, dict) else None
    return (
        isinstance(told, dict)
        and isinstance(members, dict)
        and set(members) == expected
        and all(
            file in (file_of(name), file_of(name, ensemble=ensemble))
            for name, file in members.items()
        )
        and ("best" not in told or _is_best(told["best"]))
    )


def _is_best(told: object) -> bool:
    """Whether it is an epoch, with a mean IoU where a validation chose."""
    if not isinstance(told, dict):
        return False
    epoch, score = told.get("epoch"), told.get("score")
    whole = isinstance(epoch, int) and not isinstance(epoch, bool)
    number = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    return whole and (score is None or number)
