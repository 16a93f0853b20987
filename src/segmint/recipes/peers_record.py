"""What the record of a run says of its peers and their ensembles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segmint.solvers.peer import ENSEMBLE, SOLO

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
"""What a peer may be called; its file is named like it."""
NETWORKS = "networks"
"""Folder of the networks in that of the run."""
SUFFIX = ".safetensors"

_NAME = re.compile(NAME)
_FILE = re.compile(rf"{NETWORKS}/(?:{ENSEMBLE}(?:{SOLO})?/)?{NAME}{re.escape(SUFFIX)}")
"""Nothing else is opened, so that no record can lead out of its folder."""


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

    Raises:
        ValueError: its text is the name of the entry that is missing or damaged.
    """
    peers, ensembles = record.get("peers"), record.get("ensembles")
    if not isinstance(peers, list) or not all(map(_is_peer, peers)) or not peers:
        raise ValueError("peers")
    files = {str(peer["name"]): str(peer["file"]) for peer in peers}
    if len(files) < len(peers):
        raise ValueError("peers")
    if not isinstance(ensembles, dict) or ENSEMBLE not in ensembles:
        raise ValueError("ensembles")
    if not all(_is_ensemble(told, files) for told in ensembles.values()):
        raise ValueError("ensembles")
    if set(ensembles) - {ENSEMBLE, f"{ENSEMBLE}{SOLO}"}:
        raise ValueError("ensembles")
    if not isinstance(record.get("chosen"), str) or record["chosen"] not in (*files, *ensembles):
        raise ValueError("chosen")
    return PeersRecord(
        files=files,
        ensembles={name: dict(told["members"]) for name, told in ensembles.items()},
        chosen=record["chosen"],
    )


def _is_peer(told: object) -> bool:
    return (
        isinstance(told, dict)
        and all(isinstance(told.get(name), str) for name in ("name", "network", "file"))
        and isinstance(told.get("solo"), bool)
        and _NAME.fullmatch(told["name"]) is not None
        and told["name"] != ENSEMBLE
        and _FILE.fullmatch(told["file"]) is not None
        and _is_best(told.get("best"))
    )


def _is_ensemble(told: object, files: Mapping[str, str]) -> bool:
    members = told.get("members") if isinstance(told, dict) else None
    return (
        isinstance(told, dict)
        and isinstance(members, dict)
        and len(members) > 0
        and all(
            name in files and isinstance(file, str) and _FILE.fullmatch(file) is not None
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
