from __future__ import annotations

import csv
import math
import sys
import types
from pathlib import Path

import pytest

from segmint.errors import OutputError
from segmint.solvers.training_log import TrainingLog


def row(epoch: int, **further: float) -> dict[str, float]:
    return {"epoch": float(epoch), "step": 4.0 * epoch, "loss": 1 / 3 / epoch, **further}


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_numbers_read_back_as_they_were(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, [], tensorboard=False)
    log.add(row(1, tiny=1e-300, none=math.nan), "one")
    found = read(tmp_path)[0]
    assert found["epoch"] == "1"
    assert float(found["loss"]) == 1 / 3
    assert float(found["tiny"]) == 1e-300
    assert math.isnan(float(found["none"]))


def test_columns_that_come_later(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, [], tensorboard=False)
    log.add(row(1), "one")
    log.add(row(2, val_iou=0.5), "two")
    log.add(row(3), "three")
    found = read(tmp_path)
    assert list(found[0]) == ["epoch", "step", "loss", "val_iou"]
    assert [each["val_iou"] for each in found] == ["", "0.5", ""]
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\nthree\n"


def test_is_cut_back_to_what_is_known(tmp_path: Path) -> None:
    rows = [row(1), row(2, val_iou=0.5), row(3), row(4, val_iou=0.7)]
    log = TrainingLog(tmp_path, [], tensorboard=False)
    for each in rows:
        log.add(each, f"epoch {each['epoch']:.0f}")
    whole = (tmp_path / "log.csv").read_bytes()
    for known in range(4):
        again = TrainingLog(tmp_path, rows[:known], tensorboard=False)
        assert len(read(tmp_path)) == known
        for each in rows[known:]:
            again.add(each, "again")
        assert (tmp_path / "log.csv").read_bytes() == whole


def test_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    class Writer:
        def __init__(self, folder: str, *, purge_step: int) -> None:
            told.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            told.append((name, value, step))

        def flush(self) -> None:
            pass

        def close(self) -> None:
            told.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = TrainingLog(tmp_path, [row(1)], tensorboard=True)
    log.add(row(2, val_iou=0.5), "two")
    log.close()
    assert told == [
        (str(tmp_path / "tensorboard"), 5),
        ("loss", 1 / 6, 8),
        ("val_iou", 0.5, 8),
        "closed",
    ]


def test_a_folder_that_went_away(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "run", [], tensorboard=False)
    log.add(row(1), "one")
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    (tmp_path / "run").rmdir()
    with pytest.raises(OutputError, match=r"cannot write .*log\.csv"):
        log.add(row(2), "two")
