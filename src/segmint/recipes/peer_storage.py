"""The networks of peers in the folder of a run, and the record that says which is which."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.networks.storage import save_network
from segmint.recipes.peers_record import NETWORKS, file_of
from segmint.solvers.best_networks import Best, use_best
from segmint.solvers.epoch_line import VALIDATION
from segmint.solvers.mutual_task import MutualTask
from segmint.solvers.peer_names import ENSEMBLE, SOLO
from segmint.solvers.sitting import LearningError
from segmint.solvers.training import Fitted


def keep_networks(
    folder: Path, task: MutualTask, kinds: Mapping[str, str], fitted: Fitted
) -> dict[str, Any]:
    """Write every network with its own best weights, and those of ensembles where they differ.

    Args:
        folder: of the run.
        task: as it was learned, with the weights of the ensemble's best epoch; it gets others.
        kinds: name of the network of each peer, without twins.
        fitted: when each was best.

    Returns:
        ``peers``, ``ensembles``, ``chosen`` and the ``best`` of that one, of the record.

    Raises:
        LearningError: when the weights of a peer are no numbers, or are lost; it is named.
    """
    try:
        ensembles = {
            ensemble: _keep_together(folder, task, kinds, fitted, ensemble)
            for ensemble in task.ensembles
        }
        for name in task.peers:
            if name in fitted.best:
                use_best(task, folder, name)
            _save(folder / file_of(name), task, kinds, name)
    except InputError as error:
        raise LearningError(str(error)) from error
    peers = {
        name: {
            "name": name,
            "network": kinds[name.removesuffix(SOLO)],
            "file": file_of(name),
            "solo": name.endswith(SOLO),
            "best": vars(_best(name, fitted)),
        }
        for name in task.peers
    }
    chosen = _chosen(task, fitted)
    return {
        "peers": [*peers.values()],
        "ensembles": ensembles,
        "chosen": chosen,
        "best": {**peers, **ensembles}[chosen]["best"],
    }


def told_scores(kept: Mapping[str, Any]) -> str:
    """What each was worth at its best, as the last line of a training goes on.

    Args:
        kept: what :func:`keep_networks` returned.
    """
    scores = {peer["name"]: peer["best"]["score"] for peer in kept["peers"] if not peer["solo"]}
    alone = {
        peer["name"].removesuffix(SOLO): peer["best"]["score"]
        for peer in kept["peers"]
        if peer["solo"]
    }
    for ensemble, told in kept["ensembles"].items():
        (alone if ensemble.endswith(SOLO) else scores)[ENSEMBLE] = told["best"]["score"]
    said = f", validation mean IoU: {_written(scores)}" if _written(scores) else ""
    return f"{said}; alone: {_written(alone)}" if _written(alone) else said


@contextmanager
def kept_after_failure(folder: Path, task: MutualTask, kinds: Mapping[str, str]) -> Iterator[None]:
    """Write the best networks so far when learning fails after it has begun, and say so.

    Raises:
        LearningError: the one that was raised, with the names of the networks that are kept.
    """
    try:
        yield
    except LearningError as error:
        shutil.rmtree(folder / NETWORKS, ignore_errors=True)
        kept = [name for name in task.peers if _keep_best(folder, task, kinds, name)]
        if not kept:
            raise
        verb, plural = ("is", "") if len(kept) == 1 else ("are", "s")
        raise LearningError(
            f"{error}; the best network{plural} so far of {_listed(kept)} {verb} kept in "
            f"{folder / NETWORKS}"
        ) from error


def _keep_together(
    folder: Path, task: MutualTask, kinds: Mapping[str, str], fitted: Fitted, ensemble: str
) -> dict[str, Any]:
    """Write the members of an ensemble that are not at their own best then; its entry."""
    best = Best(epoch=fitted.best_epoch, score=fitted.best_score)
    if ensemble != ENSEMBLE:
        use_best(task, folder, ensemble)
        best = fitted.best[ensemble]
    members = {}
    for name in task.ensembles[ensemble]:
        apart = _best(name, fitted).epoch != best.epoch
        members[name] = file_of(name, ensemble=ensemble if apart else None)
        if apart:
            _save(folder / members[name], task, kinds, name)
    return {"members": members, "best": vars(best)}


def _keep_best(folder: Path, task: MutualTask, kinds: Mapping[str, str], name: str) -> bool:
    """Write the best weights of a peer where it has some that are whole."""
    if name not in task.monitors:
        return False
    with suppress(InputError):
        use_best(task, folder, name)
        _save(folder / file_of(name), task, kinds, name)
        return True
    return False


def _save(path: Path, task: MutualTask, kinds: Mapping[str, str], name: str) -> None:
    try:
        save_network(path, task.networks()[name], name=kinds[name.removesuffix(SOLO)])
    except InputError as error:
        raise InputError(f"peer {name!r}: {error}") from error


def _best(name: str, fitted: Fitted) -> Best:
    """When a peer was best; one that does not learn is as good as it ever was."""
    if name in fitted.best:
        return fitted.best[name]
    scores = [row.get(f"{VALIDATION}{name}/mean_iou") for row in fitted.history]
    known = [score for score in scores if score is not None]
    return Best(epoch=fitted.best_epoch, score=known[0] if known else None)


def _chosen(task: MutualTask, fitted: Fitted) -> str:
    """What was best on the validation images; of equals a single network.

    A frozen teacher was not learned here, so neither it nor what it has a part in is chosen.
    """
    names = task.ensembles[ENSEMBLE]
    learned = [name for name in names if not task.peers[name].frozen]
    scores = {name: _best(name, fitted).score for name in learned}
    if len(learned) == len(names):
        scores[ENSEMBLE] = fitted.best_score
    known = {name: score for name, score in scores.items() if score is not None}
    return max(known, key=known.__getitem__) if known else [*scores][-1]


def _written(scores: Mapping[str, float | None]) -> str:
    known = {name: score for name, score in scores.items() if score is not None}
    return ", ".join(f"{name} {score:.3f}" for name, score in known.items())


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
