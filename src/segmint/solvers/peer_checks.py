"""Which peers can learn side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from segmint.errors import UsageError
from segmint.solvers.peer import Peer
from segmint.solvers.peer_names import ENSEMBLE, NAME


def check_peers(peers: Mapping[str, Peer], classes: int) -> None:
    """Refuse peers that cannot teach each other.

    Args:
        peers: by name.
        classes: K of all of them.

    Raises:
        UsageError: names the first that does not fit.
    """
    ensembles = members_of(peers)
    for name in {**ensembles, **peers}:
        if not re.fullmatch(NAME, name) or (name in peers and name in ensembles):
            raise UsageError(
                f"a peer or ensemble is named {name!r}, accepted are letters, digits, - and _, and "
                f"for a peer no name of an ensemble ({_listed(ensembles)}): give it another name"
            )
    teaching = ensembles[ENSEMBLE]
    if len(teaching) < 2:
        raise UsageError(
            f"{len(teaching)} of the peers learn from each other ({_listed(teaching) or 'none'}), "
            "accepted are 2 or more: give another network"
        )
    if all(peer.frozen for peer in peers.values()):
        raise UsageError(f"all peers are frozen ({_listed(peers)}): let one of them learn")
    for name, peer in peers.items():
        _check_classes(name, peer, classes)
        _check_teachers(name, peer, teaching)
    _check_apart(peers)


def members_of(peers: Mapping[str, Peer]) -> dict[str, list[str]]:
    """The names of the members of each ensemble."""
    found: dict[str, list[str]] = {ENSEMBLE: []}
    for name, peer in peers.items():
        found.setdefault(peer.ensemble, []).append(name)
    return found


def _check_classes(name: str, peer: Peer, classes: int) -> None:
    told: Any = getattr(peer.network, "configuration", {})
    if told.get("classes", classes) != classes:
        raise UsageError(
            f"peer {name!r} answers with {told['classes']} classes, accepted are the {classes} "
            f"that all peers have: build it with classes={classes}"
        )


def _check_teachers(name: str, peer: Peer, teaching: list[str]) -> None:
    for teacher in peer.teachers:
        if teacher not in teaching or teacher == name or peer.teachers.count(teacher) > 1:
            raise UsageError(
                f"peer {name!r} names the teacher {teacher!r}, accepted are the other peers of "
                f"{_listed(each for each in teaching if each != name)}, each once"
            )


def _check_apart(peers: Mapping[str, Peer]) -> None:
    """Refuse two peers that would be one."""
    for (name, peer), (other, its) in combinations(peers.items(), 2):
        for what in ("network", "objective"):
            if getattr(peer, what) is getattr(its, what):
                raise UsageError(
                    f"peers {name!r} and {other!r} have the same {what}, accepted is one for each: "
                    "build another"
                )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
