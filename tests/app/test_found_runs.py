from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segmint.app.found_runs import find_runs
from segmint.errors import InputError
from segmint.recipes import recipes
from segmint.recipes.recipe import Recipe

RECORD = "run.json"
CUT_OFF = "# segmint train --config config.yaml\nformat: segmint run 1\n"


@pytest.fixture
def record() -> dict[str, Any]:
    """What a training writes."""
    recipe: Recipe = recipes.load("clustering")
    return {
        "recipe": "clustering",
        "options": {name: options().resolved() for name, options in recipe.sections.items()},
        "seed": 0,
        "components": 5,
        "summary": "learned 5 components from 1 image",
    }


@pytest.fixture
def run(tmp_path: Path, record: dict[str, Any]) -> Callable[..., str]:
    """Write a run of some name, with some entries in its record."""

    def written(name: str, **entries: Any) -> str:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / RECORD).write_text(json.dumps({**record, **entries}))
        return str(tmp_path / name)

    return written


def test_a_run(run: Callable[..., str], record: dict[str, Any]) -> None:
    place = run("cells")
    (found,) = find_runs([place])
    assert (found.name, found.place, found.recipe) == ("cells", Path(place), "clustering")
    assert found.class_count == record["components"]
    assert (found.peers, found.dataset, found.score) == ((), None, None)


def test_what_a_record_says(run: Callable[..., str]) -> None:
    told = {
        "classes": ["night", "disk"],
        "dataset": {
            "name": "cells",
            "root": "/data",
            "train_split": "train",
            "val_split": "val",
            "train_images": 3,
            "val_images": 1,
            "arguments": {},
        },
        "best": {"score": 0.75},
    }
    (found,) = find_runs([run("a", **told)])
    assert (found.class_count, found.dataset, found.score) == (2, "cells", 0.75)


@pytest.mark.parametrize("score", [None, float("nan"), "high"])
def test_a_score_that_is_none(run: Callable[..., str], score: Any) -> None:
    assert find_runs([run("a", best={"score": score})])[0].score is None


def test_a_folder_of_runs(run: Callable[..., str], tmp_path: Path) -> None:
    for name in ("runs/b", "runs/a", "runs/deep/er"):
        run(name)
    (tmp_path / "runs" / "notes.txt").write_text("none")
    (tmp_path / "runs" / "cut").mkdir()
    (tmp_path / "runs" / "cut" / "config.yaml").write_text(CUT_OFF)
    assert [found.name for found in find_runs([str(tmp_path / "runs")])] == ["a", "b"]


def test_names_are_told_apart(run: Callable[..., str], tmp_path: Path) -> None:
    places = [run("x/seed-0"), run("y/seed-0"), run("z/q/seed-1"), run("w/q/seed-1"), run("other")]
    names = [found.name for found in find_runs(places)]
    assert names == ["x/seed-0", "y/seed-0", "z/q/seed-1", "w/q/seed-1", "other"]


def test_a_run_that_is_named_twice(run: Callable[..., str], tmp_path: Path) -> None:
    place = run("runs/a")
    found = find_runs([place, str(tmp_path / "runs"), f"{place}/../a"])
    assert [each.name for each in found] == ["a"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nowhere", "nowhere does not exist, accepted are runs"),
        ("nowhere.onnx", "does not exist"),
        ("empty", "empty is no run and holds none"),
        ("file.txt", "file.txt is no run, accepted are folders"),
        ("cut", "go on with 'segmint train --resume"),
        ("folder", "go on with 'segmint train --resume"),
        ("damaged", "run.json is damaged or of another version"),
        ("model.onnx", "was not written by 'segmint export', or is damaged"),
        ("\0", "cannot be a name of a run"),
        ("x" * 5000, "cannot be opened"),
    ],
)
def test_no_runs(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    for name in ("cut", "folder/run"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        (tmp_path / name / "config.yaml").write_text(CUT_OFF)
        (tmp_path / name / "checkpoints" / "last.ckpt").write_bytes(b"")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / RECORD).write_text("{}")
    with pytest.raises(InputError, match=words) as error:
        find_runs([str(tmp_path / place)])
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_an_empty_name() -> None:
    with pytest.raises(InputError, match="'' cannot be a name of a run"):
        find_runs([""])


class TestExported:
    def write(self, path: Path, text: str | None) -> None:
        import onnx

        model = onnx.ModelProto()
        if text is not None:
            onnx.helper.set_model_props(model, {"segmint": text})
        path.write_bytes(model.SerializeToString())

    def test_a_file(self, tmp_path: Path) -> None:
        told = {"recipe": "unet", "classes": ["a", "b"]}
        self.write(tmp_path / "model.onnx", json.dumps(told))
        (found,) = find_runs([str(tmp_path)])
        assert (found.name, found.recipe) == ("model.onnx", "unet")
        assert (found.class_count, found.peers) == (2, ())

    @pytest.mark.parametrize(
        "text", [None, "", "[]", "{}", '{"recipe": "unet"}', '{"recipe": 3, "classes": ["a"]}']
    )
    def test_of_others(self, tmp_path: Path, text: str | None) -> None:
        self.write(tmp_path / "model.onnx", text)
        with pytest.raises(InputError, match=r"model\.onnx (was not written by|is damaged)"):
            find_runs([str(tmp_path / "model.onnx")])


def test_torch_is_not_loaded(run: Callable[..., str], tmp_path: Path) -> None:
    TestExported().write(tmp_path / "m.onnx", json.dumps({"recipe": "unet", "classes": ["a"]}))
    program = (
        "import sys; from segmint.app.found_runs import find_runs; find_runs(sys.argv[1:]); "
        "assert not {'torch', 'onnxruntime'} & set(sys.modules)"
    )
    places = [run("a"), str(tmp_path / "m.onnx")]
    subprocess.run([sys.executable, "-c", program, *places], check=True)
