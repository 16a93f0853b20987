"""What each peer of a run and each ensemble is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segmint.recipes.scoring import RunScores
from segmint.solvers.peer_names import ENSEMBLE, SOLO


@dataclass(frozen=True, kw_only=True)
class PeerScore:
    """Scores of one that can be asked, None where they are not known."""

    name: str
    epoch: int | None = None
    """Of its best weights."""
    mean_iou: float | None = None
    accuracy: float | None = None
    mean_dice: float | None = None


def peer_scores(
    record: Mapping[str, Any], scores: Mapping[str, RunScores] | None = None
) -> dict[str, PeerScore]:
    """Scores of every peer and ensemble by name, twins that learned alone included.

    Args:
        record: of a run with peers.
        scores: of a split; without them scores are those of the validation at each one's best
            epoch, as the record has them.
    """
    bests = {peer["name"]: peer.get("best") for peer in record["peers"]}
    bests |= {name: told.get("best") for name, told in record["ensembles"].items()}
    found = {}
    for name, best in bests.items():
        epoch = (best or {}).get("epoch")
        values = _validated(record, name, epoch) if scores is None else _computed(scores, name)
        found[name] = PeerScore(name=name, epoch=epoch, **values)
    return found


def twin_of(
    name: str, record: Mapping[str, Any], scores: Mapping[str, PeerScore]
) -> PeerScore | None:
    """The score of the one that learned alone; None where there is none to compare with.

    The ensemble has a twin only where each of its members has one.

    Args:
        name: of a peer or of the ensemble.
        record: of the run.
        scores: of every peer and ensemble.
    """
    alone = scores.get(f"{name}{SOLO}")
    if alone is None or alone.mean_iou is None:
        return None
    return alone if name != ENSEMBLE or _all_have_twins(record) else None


def gains(record: Mapping[str, Any], scores: Mapping[str, PeerScore]) -> dict[str, float]:
    """Mean IoU of each that learned together minus that of its twin, where both are known."""
    found = {}
    for name, together in scores.items():
        alone = twin_of(name, record, scores)
        if alone is not None and alone.mean_iou is not None and together.mean_iou is not None:
            found[name] = together.mean_iou - alone.mean_iou
    return found


def best_peer(scores: Mapping[str, PeerScore]) -> PeerScore | None:
    """The one of those that learned together with the highest mean IoU, ensembles apart."""
    known = [
        score
        for name, score in scores.items()
        if score.mean_iou is not None and name != ENSEMBLE and not name.endswith(SOLO)
    ]
    return max(known, key=lambda score: score.mean_iou or 0.0, default=None)


def _all_have_twins(record: Mapping[str, Any]) -> bool:
    ensembles = record["ensembles"]
    alone = ensembles.get(f"{ENSEMBLE}{SOLO}", {"members": ()})["members"]
    return {f"{name}{SOLO}" for name in ensembles[ENSEMBLE]["members"]} == set(alone)


def _computed(scores: Mapping[str, RunScores], name: str) -> dict[str, float | None]:
    return scores[name].means() if name in scores else {}


def _validated(record: Mapping[str, Any], name: str, epoch: int | None) -> dict[str, float | None]:
    """What the history says of the epoch whose weights were kept."""
    rows = [row for row in record.get("history", ()) if row.get("epoch") == epoch]
    row = rows[-1] if rows else {}
    figures = ("mean_iou", "accuracy", "mean_dice")
    return {figure: _finite(row.get(f"val_{name}/{figure}")) for figure in figures}


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
