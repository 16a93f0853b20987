from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from segmint.comparisons.arm import Arm
from segmint.comparisons.cell import Answer, CellResult
from segmint.comparisons.cell_folder import (
    begin_cell,
    check_cell,
    keep_peak,
    peak_so_far,
    read_result,
    write_result,
)
from segmint.comparisons.columns import SEGMENTS
from segmint.comparisons.out_folder import check_out, make_out, open_out, tried_out
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError, OutputError, UsageError


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    return Comparison(
        out=tmp_path / "out",
        arms=(Arm(label="five", way="method", name="kmeans"),),
        seeds=(0, 1),
        dataset="folder",
        root=tmp_path / "scenes",
        split="test",
        images=("a", "b"),
        scoring="segments",
        columns=SEGMENTS,
        settings={"five": {"components": 5, "colors": ("lab", "rgb")}},
    )


def begun(comparison: Comparison) -> Comparison:
    make_out(comparison.out)
    open_out(comparison)
    begin_cell(comparison, "five", 0)
    return comparison


RESULT = CellResult(
    label="five",
    seed=1,
    answers={
        "": Answer(
            scores={"best_overlap_all": 0.1 + 0.2, "nll": None},
            images={"b": {"best_overlap_all": 0.5}, "a": {"best_overlap_all": None}},
            classes={"disk": {"iou": 1.0, "dice": 1.0}},
        )
    },
    seconds=1.5,
    seconds_per_image=0.25,
    peak_mib=100.5,
    steps=7,
    notes=("a note",),
)


def test_a_result_comes_back_as_it_was(comparison: Comparison) -> None:
    write_result(comparison.folder("five", 1), RESULT)
    found = read_result(comparison, "five", 1)
    assert found == RESULT
    assert list(found.answers[""].images) == ["b", "a"]


def test_a_cell_without_scores_is_not_finished(comparison: Comparison) -> None:
    assert read_result(comparison, "five", 0) is None


def refuses(comparison: Comparison, text: str, said: str) -> None:
    folder = comparison.folder("five", 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cell.json").write_text(text)
    with pytest.raises(InputError, match="is damaged") as caught:
        read_result(comparison, "five", 1)
    assert said in str(caught.value)
    assert f"remove the folder {folder} and compare again" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "segmint cell 0"}'])
def test_what_is_no_result_is_refused(comparison: Comparison, text: str) -> None:
    refuses(comparison, text, "its format is not")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("label",), "six", "it is of 'six', seed 1"),
        (("seed",), 0, "it is of 'five', seed 0"),
        (("seed",), True, "cell.seed is True"),
        (("error",), "no memory", "it has no answers"),
        (("answers",), {}, "it has no answers"),
        (("answers",), None, "cell.answers"),
        (("answers", "", "scores"), {}, "it has no best_overlap_all"),
        (("answers", "", "scores", "best_overlap_all"), "high", "scores.best_overlap_all"),
        (("answers", "", "scores", "best_overlap_all"), float("nan"), "is not finite"),
        (("answers", "", "images"), {}, "the scores of other images"),
        (("answers", "", "images", "c"), {}, "the scores of other images"),
        (("answers", "", "images", "b"), [1], "cell.answers..images.b"),
        (("answers", "", "classes", "disk", "iou"), [], "classes.disk.iou"),
        (("seconds",), "fast", "cell.seconds"),
        (("seconds",), None, "cell.seconds"),
        (("seconds",), float("inf"), "cell.seconds is not finite"),
        (("seconds",), 10**400, "cell.seconds is not finite"),
        (("steps",), [1], "cell.steps"),
        (("peak_mib",), "a", "cell.peak_mib"),
        (("notes",), "a", "cell.notes"),
    ],
)
def test_a_result_is_checked_in_everything(
    comparison: Comparison, path: tuple[str, ...], value: object, said: str
) -> None:
    write_result(comparison.folder("five", 1), RESULT)
    told = json.loads((comparison.folder("five", 1) / "cell.json").read_text())
    inner = told
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    refuses(comparison, json.dumps(told), said)


def test_the_peak_is_that_of_all_sittings(comparison: Comparison) -> None:
    folder = begin_cell(comparison, "five", 0)
    assert peak_so_far(folder) is None
    keep_peak(folder, 12.5)
    begin_cell(comparison, "five", 0)
    assert peak_so_far(folder) == 12.5
    check_cell(comparison, "five", 0)


def test_the_same_question_is_taken_up(comparison: Comparison) -> None:
    check_out(comparison)
    begun(comparison)
    check_out(comparison)
    check_out(replace(comparison, seeds=(0, 1, 2), threads=2, command="once more"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"settings": {"five": {"components": 6}}}, "components is 5 there and 6 here"),
        ({"images": ("a",)}, "images is a, b there and a here"),
        ({"split": "val"}, "split is test there and val here"),
        ({"device": "cuda"}, "device is auto there and cuda here"),
        ({"val_fraction": 0.25}, "val_fraction is None there and 0.25 here"),
        ({"arms": (Arm(label="five", way="method", name="slic"),)}, "arm is method kmeans there"),
    ],
)
def test_another_question_is_refused(
    comparison: Comparison, changed: dict[str, object], message: str
) -> None:
    other = replace(begun(comparison), **changed)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"holds a comparison with other options .*{message}"):
        check_out(other)
    check_out(other, overwrite=True)


def test_overwriting_throws_cells_away(comparison: Comparison) -> None:
    begun(comparison)
    open_out(comparison, overwrite=True)
    assert not (comparison.out / "cells").exists()


def test_cells_of_another_version_are_refused(comparison: Comparison) -> None:
    path = begun(comparison).folder("five", 0) / "begun.json"
    told = json.loads(path.read_text())
    told["asked"]["format"] = "segmint cell 0"
    path.write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"by another version of segmint .*'segmint cell 0'"):
        check_out(comparison)


@pytest.mark.parametrize("text", [None, "", '{"asked": {"form', "[]"])
def test_a_cell_that_lost_its_question_says_what_to_remove(
    comparison: Comparison, text: str | None
) -> None:
    begun(comparison)
    other = comparison.folder("five", 1)
    other.mkdir(parents=True)
    (other / ".partial-x.json").write_text("")
    check_out(comparison)
    (other / "run.json").write_text("{}")
    if text is not None:
        (other / "begun.json").write_text(text)
    with pytest.raises(InputError, match="is damaged") as caught:
        check_out(comparison)
    assert f"remove the folder {other} and compare again" in str(caught.value)


def test_an_empty_question_is_written_anew(comparison: Comparison) -> None:
    begun(comparison)
    question = comparison.out / "comparison.yaml"
    before = question.read_text()
    question.write_text("")
    check_out(comparison)
    open_out(comparison)
    assert question.read_text() == before


def test_arms_and_seeds_are_not_dropped(comparison: Comparison) -> None:
    five = comparison.arms[0]
    six = replace(five, label="six")
    settings = {**comparison.settings, "six": comparison.settings["five"]}
    both = replace(begun(comparison), arms=(five, six), seeds=(0, 1, 2), settings=settings)
    check_out(both)
    begin_cell(both, "six", 2)
    with pytest.raises(UsageError, match=r"has more \(arm six, seed 2\)"):
        check_out(comparison)
    check_out(comparison, overwrite=True)
    check_out(replace(both, arms=(six, five), seeds=(2, 1, 0, 3)))


@pytest.mark.parametrize("place", ["cells", "cells/five", "cells/five/seed-1"])
def test_a_file_where_a_folder_belongs_is_refused(comparison: Comparison, place: str) -> None:
    path = comparison.out / place
    path.parent.mkdir(parents=True)
    path.write_text("")
    with pytest.raises(UsageError, match="is a file: remove it"):
        check_out(comparison)


def test_a_folder_is_tried_and_not_left_behind(tmp_path: Path) -> None:
    with tried_out(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="choose another --out"),
        tried_out(tmp_path / "file" / "a"),
    ):
        pass


def test_comparisons_of_another_version_are_refused(comparison: Comparison) -> None:
    begun(comparison)
    (comparison.out / "comparison.yaml").write_text("# segmint comparison 0\n")
    with pytest.raises(UsageError, match="damaged or by another version of segmint"):
        check_out(comparison)
    check_out(comparison, overwrite=True)


def test_folders_of_something_else_are_refused(comparison: Comparison) -> None:
    comparison.out.mkdir()
    check_out(comparison)
    (comparison.out / "thesis.tex").write_text("")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="files that are of no comparison"):
            check_out(comparison, overwrite=overwrite)
    with pytest.raises(UsageError, match="is a file"):
        check_out(replace(comparison, out=comparison.out / "thesis.tex"))
