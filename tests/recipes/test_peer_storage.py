from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from segmint.errors import InputError
from segmint.networks import build
from segmint.networks.storage import load_network
from segmint.objectives import Objective
from segmint.recipes.peer_storage import keep_networks, kept_after_failure
from segmint.solvers.best_networks import best_path
from segmint.solvers.checkpoints import LAST, read_checkpoint, write_checkpoint
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.mutual_task import MutualTask
from segmint.solvers.peer import Peer
from segmint.solvers.sitting import LearningError

sys.path.insert(0, str(Path(__file__).parents[1] / "solvers"))
from training_example import train

KINDS = {"a": "unet", "b": "unet", "c": "unet"}


def made(*, temperature: float = 1.0, **given: Mapping[str, Any]) -> MutualTask:
    """Three peers, of which ``c`` is a frozen teacher."""
    peers = {
        name: Peer(
            network=network(seed),
            objective=Objective("cross_entropy"),
            teachers=tuple(each for each in KINDS if each != name),
        )
        for seed, name in enumerate(KINDS)
    }
    peers["c"] = replace(peers["c"], teachers=(), frozen=True)
    peers = {name: replace(peer, **given.get(name, {})) for name, peer in peers.items()}
    return MutualTask(peers, MutualOptions(temperature=temperature), classes=2)


def network(seed: int, **options: Any) -> nn.Module:
    return build("unet", in_channels=1, classes=2, features=2, levels=1, seed=seed, **options)


def learn(folder: Path, task: MutualTask, **given: Any) -> dict[str, Any]:
    with kept_after_failure(folder, task, KINDS):
        fitted = train(folder, task=task, schedule="constant", **given)
        return keep_networks(folder, task, KINDS, fitted)


def poison(path: Path, *, part: str = "") -> None:
    found = read_checkpoint(path)
    weights = {
        name: torch.full_like(value, torch.nan)
        if part in name and value.is_floating_point()
        else value
        for name, value in found.task.items()
    }
    write_checkpoint(path, replace(found, task=weights))


def kept(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.glob("networks/**/*.safetensors")
    )


def test_every_network_is_written(tmp_path: Path) -> None:
    told = learn(tmp_path, made(), epochs=2)
    files = {peer["file"] for peer in told["peers"]}
    files |= set(told["ensembles"]["ensemble"]["members"].values())
    assert set(kept(tmp_path)) == files


@pytest.mark.parametrize("validated", [True, False])
def test_one_spoilt_peer_is_named_and_the_others_are_kept(validated: bool, tmp_path: Path) -> None:
    task = made()
    fitted = train(tmp_path, task=task, epochs=2, validated=validated)
    poison(tmp_path / best_path("a")) if validated else poison(tmp_path / LAST, part="peer-a.")
    said = (
        f"peer 'a': the learned network holds values that are no numbers: lower --learning-rate; "
        f"the best network so far of b is kept in {tmp_path / 'networks'}"
    )
    with pytest.raises(LearningError) as caught, kept_after_failure(tmp_path, task, KINDS):
        keep_networks(tmp_path, task, KINDS, fitted)
    assert str(caught.value) == said
    assert kept(tmp_path) == ["networks/b.safetensors"]
    weights = load_network(tmp_path / "networks" / "b.safetensors").state_dict()
    assert all(bool(value.isfinite().all()) for value in weights.values())


def test_best_weights_that_vanish_are_named(tmp_path: Path) -> None:
    task = made()
    fitted = train(tmp_path, task=task, epochs=2)
    (tmp_path / best_path("b")).unlink()
    said = "best-b.ckpt does not exist, though b was best in epoch .*; the best network so far of a"
    with (
        pytest.raises(LearningError, match=said),
        kept_after_failure(tmp_path, task, KINDS),
    ):
        keep_networks(tmp_path, task, KINDS, fitted)
    assert kept(tmp_path) == ["networks/a.safetensors"]


def test_learning_that_fails_keeps_the_best_so_far(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match=r"; the best networks so far of a and b are kept in"):
        learn(tmp_path, made(), epochs=3, spoilt_step=6)
    assert kept(tmp_path) == ["networks/a.safetensors", "networks/b.safetensors"]


def test_learning_that_fails_at_once_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(LearningError) as caught:
        learn(tmp_path, made(), spoilt_step=1)
    assert "kept" not in str(caught.value)
    assert not kept(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": 2.0}, "temperature 1.0, now it is 2.0"),
        ({"a": {"teachers": ("b",)}}, r"teachers of a \['b', 'c'\], now it is \['b'\]"),
        ({"b": {"objective": Objective("dice")}}, "objective of b 'cross_entropy', now it is "),
        ({"b": {"learning_rate": 0.5}}, "learning_rate of b None, now it is 0.5"),
        (
            {"b": {"network": network(1, dropout=0.5)}},
            "network of b .*, now it is .*'dropout': 0.5",
        ),
    ],
)
def test_a_refused_sitting_writes_nothing(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(LearningError):
        train(tmp_path, task=made(), schedule="constant", spoilt_step=6)
    with pytest.raises(InputError, match=said) as caught:
        learn(tmp_path, made(**changes), resume=True)
    assert "kept" not in str(caught.value)
    assert not kept(tmp_path)
