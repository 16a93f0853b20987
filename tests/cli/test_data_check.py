from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.cli import run

Call = Callable[..., tuple[str, str]]


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def given(option: str) -> list[str]:
    return ["--dataset-options", option]


@pytest.fixture
def cells(here: Path) -> Path:
    """Ten images with black and white masks, in the working folder."""
    rng = np.random.default_rng(0)
    for number in range(10):
        save(here / f"cells/images/{number}.png", rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
        mask = np.zeros((20, 30), np.uint8)
        mask[:10] = 255
        save(here / f"cells/masks/{number}.png", mask)
    return here / "cells"


def test_list(succeeds: Call) -> None:
    output, _ = succeeds("data", "list")
    names = [line.split()[0] for line in output.splitlines()]
    assert names[0] == "voc2012"
    assert names[-1] == "folder"
    described = json.loads(succeeds("data", "list", "--json")[0])
    assert list(described) == names
    assert len(described["ade20k"]["classes"]) == 150
    assert described["nuclei"]["options"]["target"]["choices"] == ["boundary", "foreground"]


def test_a_sound_data_set(cells: Path, succeeds: Call) -> None:
    output, errors = succeeds("data", "check", "cells", "--val-fraction", "0.3")
    lines = output.splitlines()
    assert lines[0] == "folder in cells: 2 classes"
    assert ["train", "7", "3", "uint8", "30x20"] in [line.split() for line in lines]
    row = ["1", "foreground", "7", "2100", "0.5000", "3", "900", "0.5000"]
    assert row in [line.split() for line in lines]
    assert any(line.startswith("note: black and white masks") for line in lines)
    assert lines[-1] == (
        "usable (7 train, 3 val images; 0 problems, 0 warnings); --out check.png draws the masks"
    )
    assert errors.splitlines() == ["train: 7 of 7 images read", "val: 3 of 3 images read"]


def test_picture(cells: Path, here: Path, succeeds: Call, refused: Callable[..., str]) -> None:
    check = ("data", "check", "cells", "--quiet", "--out", "new/check.png")
    assert succeeds(*check)[0].splitlines()[-1].endswith(": picture in new/check.png")
    with Pillow.open(here / "new/check.png") as picture:
        assert picture.width == 1920
    assert "new/check.png exists: pass --overwrite" in refused(2, *check)
    succeeds(*check, "--overwrite")


def test_json(cells: Path, succeeds: Call) -> None:
    output, errors = succeeds("data", "check", "cells", "--json", "--quiet")
    assert errors == ""
    found = json.loads(output)
    assert (found["dataset"], found["usable"], found["picture"]) == ("folder", True, None)
    assert found["splits"]["train"]["pixels"] == [3000, 3000]
    assert found["splits"]["train"]["sizes"] == {"30x20": 10}


def test_problems_leave_with_1(cells: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(cells / "masks/3.png", np.zeros((20, 31), np.uint8))
    (cells / "images/4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run(["data", "check", "cells", "--quiet", "--out", "check.png"]) == 1
    lines = capsys.readouterr().out.splitlines()
    problems = [line for line in lines if line.startswith("problem: ")]
    assert len(problems) == 2
    assert "3.png is 30 x 20 pixels and its mask cells/masks/3.png is 31 x 20" in problems[0]
    assert "cells/images/4.png is a damaged" in problems[1]
    assert lines[-1].startswith("not usable (10 train images; 2 problems, 0 warnings)")


def test_many_problems_are_counted(cells: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(10, 40):
        save(cells / f"images/{number}.png", np.zeros((20, 30, 3), np.uint8))
        save(cells / f"masks/{number}.png", np.zeros((2, 3), np.uint8))
    assert run(["data", "check", "cells", "--quiet"]) == 1
    assert "problem: and 10 more, which --json lists" in capsys.readouterr().out


def test_options_of_a_layout(here: Path, succeeds: Call) -> None:
    save(here / "nuclei/images/a.png", np.zeros((4, 4, 3), np.uint8))
    save(here / "nuclei/labels/a.png", np.eye(4, dtype=np.uint16))
    output, _ = succeeds("data", "check", "nuclei", "--dataset-options", "target=foreground")
    assert "nucleus" in output


@pytest.mark.parametrize(
    ("code", "arguments", "words"),
    [
        (2, [], "data needs DATA"),
        (2, [""], "DATA is empty"),
        (2, ["cells", "--dataset", "foldr"], "--dataset is 'foldr': did you mean 'folder'?"),
        (2, ["cells", "--val-fraction", "1.5"], "--val-fraction is 1.5, accepted is 0 to 0.99"),
        (2, ["cells", "--out", "a.jpg"], "--out is 'a.jpg', accepted is a name that ends with"),
        (2, ["cells", *given("target")], "--dataset-options is 'target', accepted is NAME=VALUE"),
        (2, ["cells", *given("encodin=numbers")], "unknown option 'encodin': did you mean"),
        (2, ["cells", *given("encoding=x")], "--encoding is 'x'"),
        (2, ["cells", *given("channels=many")], "--channels is 'many'"),
        (2, ["cells", *given("channels=1"), *given("channels=3")], "gives channels twice"),
        (1, ["cels"], "cels does not exist, accepted is the folder of a data set: did you mean"),
        (1, ["."], "none of the known data sets"),
        (1, ["cells", "--dataset", "voc2012"], "cells is not laid out as voc2012"),
    ],
)
def test_what_is_refused(
    cells: Path, refused: Callable[..., str], code: int, arguments: list[str], words: str
) -> None:
    assert words in refused(code, "data", "check", *arguments)


def test_two_encodings(cells: Path, refused: Callable[..., str]) -> None:
    save(cells / "masks/3.png", np.eye(20, 30, dtype=np.uint8))
    message = refused(1, "data", "check", "cells")
    assert "encoded in two ways: cells/masks/0.png holds 0 and 255 and cells/masks/3.png" in message


def test_stopped(
    cells: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from segmint.datasets import checking

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "_read", stop)
    assert run(["data", "check", "cells"]) == 1
    assert "stopped: nothing was written" in capsys.readouterr().err
