from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from segmint.errors import InputError, OutputError
from segmint.networks import build
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.storage import FORMAT, load_network, save_network


@pytest.fixture
def network() -> ClusteringNetwork:
    return ClusteringNetwork(in_channels=2, classes=4, features=3, statistics="running", seed=5)


@pytest.fixture
def path(tmp_path: Path, network: ClusteringNetwork) -> Path:
    save_network(tmp_path / "network.safetensors", network)
    return tmp_path / "network.safetensors"


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_round_trip(path: Path, network: ClusteringNetwork) -> None:
    network.classifier_normalization.running_mean += 0.25
    save_network(path, network)
    again = load_network(path)
    assert isinstance(again, ClusteringNetwork)
    assert again.configuration == network.configuration
    image = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(again(image), network(image), rtol=0, atol=0)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors does not exist"):
        load_network(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_file_cut_short(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="is not a network written by segmint"):
        load_network(path)


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_network(tmp_path)


def test_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    path, made = tmp_path / "network.safetensors", tmp_path / "made"
    path.write_bytes(pickle.dumps(Bomb(made)))
    with pytest.raises(InputError):
        load_network(path)
    torch.save({"weights": Bomb(made)}, path)
    with pytest.raises(InputError):
        load_network(path)
    assert not made.exists()


def test_pickle_is_called_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    for write in (lambda: torch.save({"a": 1}, path), lambda: path.write_bytes(pickle.dumps(1))):
        write()
        with pytest.raises(InputError, match="it is a pickle, which may run code and is refused"):
            load_network(path)


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    described = {
        "format": FORMAT,
        "network": "unet",
        "configuration": {"features": 2, "levels": 1, "classes": 3},
    }
    other = build("unet", features=2, levels=1, classes=4).state_dict()
    state = {name: value.contiguous() for name, value in other.items()}
    state["extra"] = state.pop("down.0.first.weight")
    path = tmp_path / "a.safetensors"
    save_file(state, path, metadata={"segmint": json.dumps(described)})
    with pytest.raises(InputError) as caught:
        load_network(path)
    assert str(caught.value).endswith(
        "a.safetensors does not hold the weights of the 'unet' that it announces: "
        "1 missing (down.0.first.weight), 1 unknown (extra), 2 of another shape "
        "(head.weight is 4x2x1x1 instead of 3x2x1x1, head.bias is 4 instead of 3); train again"
    )


def test_weights_of_another_program(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="says format None, accepted is 'segmint network 1'"):
        load_network(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"network": "clustering"},
        {"network": "clustring", "configuration": {}},
        {"network": "clustering", "configuration": "{"},
        {"network": "clustering", "configuration": [1, 2]},
        {"network": "clustering", "configuration": 3},
        {"network": "clustering", "configuration": {"size": 3}},
        {"network": "clustering", "configuration": {"classes": "many"}},
        {"network": "clustering", "configuration": {"classes": 4}},
        {"network": 5, "configuration": {}},
        {"network": ["unet"], "configuration": {}},
        {"network": "smp:unet/resnet18", "configuration": {"weights": "download"}},
        {"network": "smp:unet/resnet18", "configuration": {"weights": "/etc/hostname"}},
    ],
)
def test_description_that_does_not_fit(tmp_path: Path, described: dict[str, Any]) -> None:
    path = tmp_path / "a.safetensors"
    metadata = {"segmint": json.dumps({"format": FORMAT, **described})}
    save_file({"a": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(InputError, match=r"a\.safetensors does not hold the weights"):
        load_network(path)


@pytest.mark.parametrize("text", ["{", "[1]", "3", ""])
def test_description_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"segmint": text})
    with pytest.raises(InputError, match="says format None"):
        load_network(path)


@pytest.mark.parametrize("size", [{"levels": 10**6}, {"features": 10**9}, {"levels": 0}])
def test_announced_size_is_bounded(tmp_path: Path, size: dict[str, int]) -> None:
    described = {"format": FORMAT, "network": "unet-deepg", "configuration": size}
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"segmint": json.dumps(described)})
    with pytest.raises(InputError, match="does not hold the weights"):
        load_network(path)


def test_broken_weights_are_not_kept(tmp_path: Path, network: ClusteringNetwork) -> None:
    with torch.no_grad():
        next(iter(network.parameters())).fill_(torch.nan)
    with pytest.raises(InputError, match="no numbers"):
        save_network(tmp_path / "a.safetensors", network)
    assert not (tmp_path / "a.safetensors").exists()


def test_same_network_same_bytes(tmp_path: Path, network: ClusteringNetwork) -> None:
    for name in ("a", "b"):
        save_network(tmp_path / name, network)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_folder_that_cannot_be_written(tmp_path: Path, network: ClusteringNetwork) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        save_network(tmp_path / "file" / "network.safetensors", network)
