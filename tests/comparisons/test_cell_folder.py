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
from segmint.comparisons.out_folder import check_out, make_out, open_out
from segmint.comparisons.plan import Comparison
from segmint.errors import InputError, UsageError


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


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    result = CellResult(
        label="five",
        seed=3,
        answers={
            "": Answer(
                scores={"mean_iou": 0.1 + 0.2, "nll": None},
                images={"b": {"mean_iou": 0.5}, "a": {"mean_iou": None}},
                classes={"disk": {"iou": 1.0, "dice": 1.0}},
            )
        },
        seconds=1.5,
        seconds_per_image=0.25,
        peak_mib=100.5,
        steps=7,
        notes=("a note",),
    )
    write_result(tmp_path, result)
    found = read_result(tmp_path)
    assert found == result
    assert list(found.answers[""].images) == ["b", "a"]


def test_a_cell_without_scores_is_not_finished(tmp_path: Path) -> None:
    assert read_result(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "segmint cell 0"}'])
def test_a_damaged_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "cell.json").write_text(text)
    with pytest.raises(InputError, match="damaged or of another version"):
        read_result(tmp_path)


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
        ({"images": ("a",)}, "images is 2, "),
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


def test_a_run_that_is_of_no_comparison_is_refused(comparison: Comparison) -> None:
    begun(comparison)
    other = comparison.folder("five", 1)
    other.mkdir(parents=True)
    (other / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="is of no comparison"):
        check_out(comparison)


def test_comparisons_of_another_version_are_refused(comparison: Comparison) -> None:
    begun(comparison)
    (comparison.out / "comparison.yaml").write_text("# segmint comparison 0\n")
    with pytest.raises(UsageError, match="by another version of segmint"):
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
