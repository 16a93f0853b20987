from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from segmint.comparisons.cell import Answer, CellResult
from segmint.comparisons.table import (
    Column,
    ComparisonTable,
    Difference,
    Pairing,
    Spread,
    TableRow,
)
from segmint.errors import InputError
from segmint.reports.comparison_storage import COMPARISON, read_table, write_table

ROW = TableRow(
    label="mutual",
    answer="unet",
    seeds=(0, 4),
    scores={"mean_iou": Spread((0.5, None))},
    classes={"road": Spread((0.1, 0.2))},
    seconds=Spread((61.5, 60.0)),
    peak_mib=Spread((None, None)),
    published={"mean_iou": 0.2203},
)
TABLE = ComparisonTable(
    dataset="voc2012",
    split="val",
    root="VOCdevkit",
    n_images=1449,
    is_full=True,
    seeds=(0, 4),
    columns=(
        Column(name="mean_iou", title="mean IoU"),
        Column(name="nll", title="NLL", better="lower"),
    ),
    class_score="dice",
    rows=(ROW,),
    pairings=(
        Pairing(
            first="a",
            second="b",
            column="mean_iou",
            over="images",
            pairs=8,
            difference=-0.1,
            p_value=None,
        ),
    ),
    same={"batch": "8 images"},
    differences=(Difference(option="loss.objective", values={"mutual": "cross_entropy"}),),
    failures=(
        CellResult(
            label="rmi",
            seed=0,
            error="no memory",
            answers={"": Answer(scores={"mean_iou": None}, images={"a": {"mean_iou": 0.5}})},
        ),
    ),
    missing=("rmi, seed 4",),
    notes=("One.", "Two."),
    command="segmint compare study",
    versions={"python": "3.12"},
    seconds=121.5,
)


def test_what_was_written_reads_back_the_same(tmp_path: Path) -> None:
    write_table(tmp_path, TABLE)
    assert read_table(tmp_path) == TABLE


def test_whole_numbers_are_numbers(tmp_path: Path) -> None:
    write_table(tmp_path, TABLE)
    change(tmp_path, lambda told: told["rows"][0]["scores"]["mean_iou"].update(values=[1, 0]))
    assert read_table(tmp_path).rows[0].scores["mean_iou"].values == (1.0, 0.0)


def change(folder: Path, edit: Any) -> None:
    told = json.loads((folder / COMPARISON).read_text())
    edit(told)
    (folder / COMPARISON).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda told: told.update(format="segmint comparison 9"), "another version"),
        (lambda told: told.pop("format"), "another version"),
        (lambda told: told.pop("rows"), "table lacks 'rows'"),
        (lambda told: told.update(rows={}), "table.rows is"),
        (lambda told: told.update(columns=[]), "no columns"),
        (lambda told: told.update(extra=1), "unknown 'extra'"),
        (lambda told: told["rows"].append(3), r"table.rows\[1\] is '3'"),
        (lambda told: told["columns"][0].update(better="best"), "higher, lower"),
        (lambda told: told.update(n_images="many"), "table.n_images"),
        (lambda told: told.update(n_images=True), "table.n_images is True"),
        (lambda told: told.update(is_full=1), "table.is_full is 1"),
        (lambda told: told.update(seconds=None), "table.seconds"),
        (
            lambda told: told["rows"][0]["scores"]["mean_iou"].update(values=["x"]),
            r"table.rows\[0\].scores.mean_iou.values\[0\]",
        ),
    ],
)
def test_what_is_damaged_is_said_in_a_sentence(tmp_path: Path, edit: Any, said: str) -> None:
    write_table(tmp_path, TABLE)
    change(tmp_path, edit)
    with pytest.raises(InputError, match=said) as caught:
        read_table(tmp_path)
    assert str(tmp_path / COMPARISON) in str(caught.value)
    assert "run the comparison once more" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"seconds": NaN', "\xff" * 9, "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / COMPARISON).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="run the comparison once more"):
        read_table(tmp_path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path, TABLE)
    text = (tmp_path / COMPARISON).read_text().replace('"seconds": 121.5', '"seconds": 1e999')
    (tmp_path / COMPARISON).write_text(text)
    with pytest.raises(InputError, match="not finite"):
        read_table(tmp_path)


def test_a_folder_without_a_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path)
