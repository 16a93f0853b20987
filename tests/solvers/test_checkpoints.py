from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from segmint.errors import InputError, OutputError
from segmint.solvers import checkpoints
from segmint.solvers.checkpoints import (
    Checkpoint,
    check_fits,
    copy_checkpoint,
    read_checkpoint,
    read_facts,
    write_checkpoint,
)


def example(shift: float = 0.0) -> Checkpoint:
    weight = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)) + shift
    return Checkpoint(
        task={
            "network.0.weight": weight.contiguous(memory_format=torch.channels_last),
            "network.1.weight": weight,  # the same memory as another one
            "count": torch.tensor(7),
        },
        average={"network.0.weight": weight / 3},
        optimizer={"0.step": torch.tensor(4.0), "0.exp_avg": weight.permute(0, 2, 3, 1) * 2},
        facts={"progress": {"history": [{"loss": 0.1 + 0.2, "val": float("nan")}]}, "updates": 3},
    )


def test_round_trip(tmp_path: Path) -> None:
    written = example()
    write_checkpoint(tmp_path / "last.ckpt", written)
    found = read_checkpoint(tmp_path / "last.ckpt")
    for part in ("task", "average", "optimizer"):
        mine, theirs = getattr(written, part), getattr(found, part)
        assert sorted(mine) == sorted(theirs)
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
        assert all(mine[name].dtype == theirs[name].dtype for name in mine)
    assert repr(found.facts) == repr(written.facts)
    assert repr(read_facts(tmp_path / "last.ckpt")) == repr(written.facts)


def test_a_copy_stays_when_the_original_changes(tmp_path: Path) -> None:
    last, best = tmp_path / "last.ckpt", tmp_path / "best.ckpt"
    write_checkpoint(last, example())
    copy_checkpoint(last, best)
    before = best.read_bytes()
    write_checkpoint(last, example(1.0))
    assert best.read_bytes() == before
    copy_checkpoint(last, best)
    assert best.read_bytes() == last.read_bytes() != before


def test_a_copy_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(checkpoints.os, "link", no_link)
    write_checkpoint(tmp_path / "last.ckpt", example())
    copy_checkpoint(tmp_path / "last.ckpt", tmp_path / "best.ckpt")
    assert read_checkpoint(tmp_path / "best.ckpt").facts["updates"] == 3


def test_a_write_that_fails_leaves_the_former(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(tensors: object, path: Path, **_: object) -> None:
        Path(path).write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    path = tmp_path / "last.ckpt"
    write_checkpoint(path, example())
    monkeypatch.setattr(checkpoints, "save_file", half)
    with pytest.raises(OutputError, match="the disk is full"):
        write_checkpoint(path, example(1.0))
    assert read_checkpoint(path).facts["updates"] == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_as_the_library_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise checkpoints.SafetensorError("No space left on device (os error 28)")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        write_checkpoint(tmp_path / "last.ckpt", example())


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated(share: float, tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    write_checkpoint(path, example())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="is not a whole checkpoint that segmint wrote"):
        read_checkpoint(path)


def test_a_pickled_payload_is_refused_and_not_run(tmp_path: Path) -> None:
    class Running:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    for number, write in enumerate(
        (torch.save, lambda value, path: path.write_bytes(pickle.dumps(value)))
    ):
        path = tmp_path / f"{number}.ckpt"
        write({"state_dict": Running()}, path)
        with pytest.raises(InputError, match="is not a whole checkpoint"):
            read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="it says format None"):
        read_checkpoint(path)
    save_file({"weight": torch.zeros(2)}, path, metadata={"segmint": "[1"})
    with pytest.raises(InputError, match="is not a whole checkpoint"):
        read_checkpoint(path)
    save_file(
        {"other.weight": torch.zeros(2)},
        path,
        metadata={"segmint": '{"format": "segmint checkpoint 1", "facts": {}}'},
    )
    with pytest.raises(InputError, match="is not a whole checkpoint"):
        read_checkpoint(path)
    for facts in ("5", "null", "[]"):
        said = f'{{"format": "segmint checkpoint 1", "facts": {facts}}}'
        save_file({"task.weight": torch.zeros(2)}, path, metadata={"segmint": said})
        for read in (read_checkpoint, read_facts):
            with pytest.raises(InputError, match="its facts are no mapping"):
                read(path)
    with pytest.raises(InputError, match="does not exist"):
        read_checkpoint(tmp_path / "missing.ckpt")
    with pytest.raises(InputError, match="is not a whole checkpoint"):
        read_checkpoint(tmp_path)


def test_another_network() -> None:
    own = {name: torch.zeros(2) for name in "abcdefg"}
    check_fits(Path("last.ckpt"), own, own)
    saved = {"a": torch.zeros(2), "b": torch.zeros(3), "x": torch.zeros(1)}
    with pytest.raises(InputError) as caught:
        check_fits(Path("last.ckpt"), saved, own)
    assert str(caught.value) == (
        "last.ckpt holds another network: 5 weights are missing (c, d, e, ...); 1 weight is "
        "unknown (x); 1 weight is of another shape (b (3,) in place of (2,)); build the network "
        "it was made with, or train from the start"
    )
