from __future__ import annotations

import os
import pickle
import random
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from segmint.errors import InputError
from segmint.networks.weights import differences, load_weights, read_weights


def tensors() -> dict[str, Tensor]:
    return {"a": torch.arange(3.0), "b": torch.ones(2, 2)}


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [".safetensors", ".SAFETENSORS", ".pth", ".pt", ".bin"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix.lower() == ".safetensors":
        save_file(tensors(), path)
    else:
        torch.save(tensors(), path)
    assert read_weights(path).keys() == tensors().keys()
    torch.testing.assert_close(read_weights(path), tensors())


@pytest.mark.parametrize("name", ["state_dict", "model"])
def test_weights_beside_other_things(tmp_path: Path, name: str) -> None:
    torch.save({name: tensors(), "epoch": 3}, tmp_path / "a.pth")
    torch.testing.assert_close(read_weights(tmp_path / "a.pth"), tensors())


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    path, made = tmp_path / "a.pth", tmp_path / "made"
    torch.save({"a": torch.ones(2), "b": Bomb(made)}, path)
    with pytest.raises(InputError, match=r"pickled objects other than tensors.* are refused"):
        read_weights(path)
    path.write_bytes(pickle.dumps(Bomb(made)))
    with pytest.raises(InputError, match=r"a\.pth"):
        read_weights(path)
    assert not made.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_file_cut_short(tmp_path: Path, suffix: str, kept: int) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".safetensors":
        save_file(tensors(), path)
    else:
        torch.save(tensors(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"a\..*weights|weights .*a\.") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_bytes_give_one_sentence(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "a.pth"
    torch.save(tensors(), path, _use_new_zipfile_serialization=zipped)
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(300):
        damaged = bytearray(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
        for _ in range(min(3, len(damaged))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        with suppress(InputError):
            read_weights(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", Path("x" * 5000), Path("a\0.pt")):
        with pytest.raises(InputError, match="do not exist, accepted is a file") as caught:
            read_weights(path)
        assert len(str(caught.value)) < 400
    with pytest.raises(InputError, match="are a folder, accepted is a file of weights"):
        read_weights(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="there is no such device elsewhere")
def test_a_device_is_no_file() -> None:
    with pytest.raises(InputError, match="/dev/null is no file of weights"):
        read_weights(Path("/dev/null"))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"layers: 3\n", b"(lp0\n."])
def test_what_never_was_weights(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content * 20)
    with pytest.raises(InputError, match=r"a\.png is no file of weights, accepted is one of safe"):
        read_weights(path)


def test_what_is_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="hold a list, accepted are tensors by name"):
        read_weights(path)
    torch.save({"a": torch.ones(1), "lr": 0.1, "epoch": 3}, path)
    with pytest.raises(InputError, match=r"hold 2 entries that are no tensors \(lr, epoch\)"):
        read_weights(path)


def test_differences_name_three_of_each_kind() -> None:
    expected = {f"m{i}": torch.ones(2, 3) for i in range(5)} | tensors()
    found = {f"u{i}": torch.ones(1) for i in range(4)} | tensors() | {"a": torch.tensor(1.0)}
    assert differences(expected, found) == (
        "5 missing (m0, m1, m2, ...), 4 unknown (u0, u1, u2, ...), "
        "1 of another shape (a is a number instead of 3)"
    )
    assert differences(tensors(), tensors()) == ""


def test_weights_of_another_network_are_refused_and_change_nothing() -> None:
    network = nn.Linear(3, 2)
    before = network.weight.detach().clone()
    with pytest.raises(
        InputError, match=r"a\.pth holds weights of another architecture: 1 missing"
    ):
        load_weights(network, {"weight": torch.ones(2, 3)}, Path("a.pth"))
    assert torch.equal(network.weight, before)
    load_weights(network, {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, Path("a.pth"))
    assert torch.equal(network.weight, torch.ones(2, 3))
