from __future__ import annotations

import statistics

import pytest

from segmint.comparisons.cell import CellResult
from segmint.comparisons.table import Column, ComparisonTable, Spread, TableRow

IOU = Column(name="mean_iou", title="mean IoU")
NLL = Column(name="nll", title="NLL", better="lower", digits=2)


def a_table(rows: tuple[TableRow, ...], **others: object) -> ComparisonTable:
    told = {
        "dataset": "camvid",
        "split": "test",
        "root": "CamVid",
        "n_images": 8,
        "is_full": False,
        "seeds": (0, 1, 2),
        "columns": (IOU, NLL),
        "rows": rows,
        **others,
    }
    return ComparisonTable(**told)  # type: ignore[arg-type]


def a_row(label: str, iou: float | None = None, nll: float | None = None) -> TableRow:
    scores = {"mean_iou": iou, "nll": nll}
    return TableRow(
        label=label,
        scores={name: Spread((value,)) for name, value in scores.items() if value is not None},
    )


@pytest.mark.parametrize(
    ("values", "mean", "deviation"),
    [
        ((), None, None),
        ((None, None), None, None),
        ((0.25,), 0.25, None),
        ((0.25, None), 0.25, None),
        # n - 1: the deviation of 1 and 3 is the root of 2.
        ((1.0, 3.0), 2.0, 2**0.5),
        ((0.1, None, 0.2, 0.6), 0.3, statistics.stdev([0.1, 0.2, 0.6])),
    ],
)
def test_spread(
    values: tuple[float | None, ...], mean: float | None, deviation: float | None
) -> None:
    assert Spread(values).mean == pytest.approx(mean)
    assert Spread(values).deviation == pytest.approx(deviation)


def test_titles() -> None:
    assert TableRow(label="unet").title == "unet"
    assert TableRow(label="mutual", answer="ensemble").title == "mutual: ensemble"


def test_best_is_the_highest_or_the_lowest() -> None:
    table = a_table((a_row("a", 0.5, 3.0), a_row("b", 0.6, 2.0), a_row("c", None, 1.0)))
    assert table.best(IOU) == {"b"}
    assert table.best(NLL) == {"c"}


def test_rows_that_look_alike_are_both_best() -> None:
    table = a_table((a_row("a", 0.61231), a_row("b", 0.61229), a_row("c", 0.61219)))
    assert table.best(IOU) == {"a", "b"}


def test_a_single_row_is_not_the_best_of_anything() -> None:
    assert not a_table((a_row("a", 0.5), a_row("b"))).best(IOU)


def test_cells_are_counted_by_arms() -> None:
    rows = (a_row("a"), TableRow(label="b", answer="x"), TableRow(label="b", answer="y"))
    failure = CellResult(label="b", seed=0, error="no memory")
    table = a_table(rows, missing=("b, seed 2",), failures=(failure,))
    assert (table.n_cells, table.n_done, table.finished) == (6, 5, False)
    assert a_table(rows).finished


def test_rows_are_ranked_by_the_first_column() -> None:
    rows = (a_row("a", 0.5, 3.0), a_row("b", 0.6, 4.0), a_row("c", None, 1.0), a_row("d", 0.6, 2.0))
    assert [row.label for row in a_table(rows).ranked] == ["b", "d", "a"]
    assert [row.label for row in a_table(rows, columns=(NLL,)).ranked] == ["c", "d", "a", "b"]
