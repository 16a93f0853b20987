"""What is changed on the page is what ``segmint recut`` writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.changing import change_result, save_result
from segmint.app.errands.drawing import draw_view
from segmint.app.errands.segmenting import segment_picture
from segmint.app.views.view import read_label_png
from segmint.cli import run
from segmint.errors import InputError, UsageError
from segmint.images import read_labels

CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"components": 5}, ["--components", "5"]),
    ({"merged": [[0, 2], [3, 1]]}, ["--merge", "0,2", "1,3"]),
    ({"names": {"0": "cup", 1: "table top"}}, ["--name", "0=cup", "1=table top"]),
    (
        {"components": 6, "merged": [[4, 1], [4, 5]], "names": {1: "all"}},
        ["--components", "6", "--merge", "1,4", "4,5", "--name", "1=all"],
    ),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with a picture that was segmented, and beside it the result of the command line."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "upload").mkdir()
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(0, 255, (4, 5, 3)), np.ones((12, 12, 1)))
    noisy = np.clip(blocks + rng.normal(scale=4, size=blocks.shape), 0, 255).astype(np.uint8)
    Pillow.fromarray(noisy).save(folder / "upload" / "photo.png")
    segment_picture(Heard(), method="hybrid", **places(folder), **folders(folder))
    photo = str(folder / "upload" / "photo.png")
    assert run(["segment", photo, "--out", str(folder), "--quiet"]) == 0
    return folder


def places(folder: Path) -> dict[str, str]:
    return {
        "path": str(folder / "upload" / "photo.png"),
        "name": "photo.png",
        "fit": str(folder / "fit"),
    }


def folders(folder: Path) -> dict[str, str]:
    return {"result": str(folder / "result"), "views": str(folder / "views" / "1")}


@pytest.mark.parametrize(("changes", "options"), CHANGES)
def test_files_are_those_of_recut(
    made: Path, tmp_path: Path, changes: dict[str, Any], options: list[str]
) -> None:
    files = save_result(Heard(), result=str(tmp_path / "saved"), **places(made), **changes)
    command = ["recut", str(made / "photo"), "--out", str(tmp_path / "recut"), *options]
    assert run(command) == 0
    recut = tmp_path / "recut" / "photo"
    names = sorted(path.name for path in recut.iterdir())
    assert names == [file["name"] for file in files["files"]]
    for name in names:
        mine, theirs = (tmp_path / "saved" / name).read_bytes(), (recut / name).read_bytes()
        if name == "result.json":
            first, second = json.loads(mine), json.loads(theirs)
            assert first.pop("image") == "photo.png"
            second.pop("image")
            first.pop("seconds"), second.pop("seconds")
            assert first == second
        elif name != "hierarchy.npz":
            assert mine == theirs, name
    assert files["files"][0]["bytes"] == (recut / names[0]).stat().st_size


@pytest.mark.parametrize(("changes", "_options"), CHANGES)
def test_the_view_and_the_legend_are_those_of_the_files(
    made: Path, tmp_path: Path, changes: dict[str, Any], _options: list[str]
) -> None:
    facts = change_result(Heard(), views=str(tmp_path / "2"), **places(made), **changes)
    save_result(Heard(), result=str(tmp_path / "saved"), **places(made), **changes)
    labels = read_labels(tmp_path / "saved" / "labels.png")
    drawn = read_label_png((tmp_path / "2" / "labels-0000.png").read_bytes())
    np.testing.assert_array_equal(drawn, labels)
    counts = np.bincount(labels.ravel())
    assert [(row["id"], row["pixels"]) for row in facts["legend"]] == [
        (label, counts[label]) for label in np.flatnonzero(counts)
    ]
    named = {row["id"]: row["name"] for row in facts["legend"] if row["name"]}
    assert named == {int(index): name for index, name in changes.get("names", {}).items()}
    assert facts["components"] == len(facts["legend"])
    assert facts["most_components"] > 6
    (tmp_path / "2" / "labels-0000.png").unlink()
    how = {name: places(made)[name] for name in ("path", "fit")}
    draw_view(Heard(), kind="labels", index=0, views=str(tmp_path / "2"), **how)
    again = read_label_png((tmp_path / "2" / "labels-0000.png").read_bytes())
    np.testing.assert_array_equal(again, labels)


def test_without_changes_the_files_are_those_of_the_fit(made: Path, tmp_path: Path) -> None:
    save_result(Heard(), result=str(tmp_path / "saved"), **places(made))
    for path in (made / "fit").iterdir():
        assert (tmp_path / "saved" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"components": 0}, "--components is 0"),
        ({"components": 10**6}, "regions were found"),
        ({"merged": [[0, 10**6]]}, "component 1000000 does not occur"),
        ({"merged": [[0]]}, "accepted are two ids or more"),
        ({"names": {0: "x" * 99}}, "at most 64 letters"),
    ],
)
def test_what_cannot_be_done_is_told(
    made: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        change_result(Heard(), views=str(tmp_path / "2"), **places(made), **changes)
    assert not (tmp_path / "2").exists()


def test_a_result_that_is_not_there(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a finished result"):
        change_result(
            Heard(), views=str(tmp_path), **{**places(made), "fit": str(tmp_path / "none")}
        )
