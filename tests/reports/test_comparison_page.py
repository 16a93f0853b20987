"""The page of a comparison, its curves, and all files together."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmint.comparisons.cell import CellResult
from segmint.comparisons.table import (
    Column,
    ComparisonTable,
    Difference,
    Pairing,
    Spread,
    TableRow,
)
from segmint.errors import OutputError
from segmint.reports.comparison_curves import comparison_chart
from segmint.reports.comparison_examples import ComparisonExample
from segmint.reports.comparison_page import comparison_page
from segmint.reports.comparison_report import FIGURE, PAGE, TABLES, write_comparison
from segmint.reports.comparison_storage import COMPARISON, read_table
from segmint.reports.page import Slider, render

IOU = Column(name="mean_iou", title="mean IoU")


def a_row(label: str, *values: float, answer: str = "", seconds: float = 60.0) -> TableRow:
    return TableRow(
        label=label,
        answer=answer,
        seeds=tuple(range(len(values))),
        scores={"mean_iou": Spread(values)},
        classes={"road": Spread(values), "sky": Spread((None,) * len(values))},
        seconds=Spread((seconds,) * len(values)),
        seconds_per_image=Spread((0.5,) * len(values)),
        peak_mib=Spread((None,) * len(values)),
        steps=Spread((40.0,) * len(values)),
    )


def a_table(*rows: TableRow, **others: Any) -> ComparisonTable:
    told: dict[str, Any] = {
        "dataset": "camvid",
        "split": "test",
        "root": "CamVid",
        "n_images": 8,
        "is_full": False,
        "seeds": (0, 1),
        "columns": (IOU,),
        "rows": rows or (a_row("unet", 0.5, 0.52), a_row("mutual", 0.55, 0.56, answer="ensemble")),
        "same": {"batch": "8 images"},
        "differences": (Difference(option="loss.objective", values={"unet": "bce"}),),
        "command": "segmint compare unet mutual",
        "machine": "Some Processor",
        "versions": {"torch": "2.13"},
        **others,
    }
    return ComparisonTable(**told)


def an_example(rank: Any = "best") -> ComparisonExample:
    truth = np.arange(2, dtype=np.uint8).repeat(12)[np.newaxis].repeat(16, axis=0)
    return ComparisonExample(
        name=f"{rank}-street",
        image=np.full((16, 24, 3), 120, np.uint8),
        truth=truth,
        predictions={"unet": truth.astype(np.int32), "mutual: ensemble": truth.astype(np.int32)},
        scores={"unet": 0.5, "mutual: ensemble": 0.25},
        rank=rank,
        mean=0.4,
        classes=("road", "sky"),
        palette=np.array([[0, 114, 178], [230, 159, 0]], np.uint8),
    )


def write_log(folder: Path, label: str, seed: int, column: str, values: list[float]) -> None:
    place = folder / "cells" / label / f"seed-{seed}"
    place.mkdir(parents=True)
    lines = [f"{epoch},{10 * epoch},{value}" for epoch, value in enumerate(values, start=1)]
    (place / "log.csv").write_text("\n".join([f"epoch,step,{column}", *lines]) + "\n")


def titles(page: Any) -> list[str]:
    return [section.title for section in page.sections]


def test_page_leads_with_the_outcome() -> None:
    pairing = Pairing(
        first="mutual: ensemble",
        second="unet",
        column="mean_iou",
        over="seeds",
        pairs=2,
        difference=0.045,
        p_value=0.3,
        adjusted=0.3,
    )
    page = comparison_page(a_table(pairings=(pairing,)))
    assert page.title == "unet and mutual on camvid"
    assert page.lead.startswith("Over seeds no difference between mutual: ensemble and unet can")
    assert titles(page) == [
        "Scores",
        "Differences",
        "Classes",
        "What was the same",
        "What differed",
        "To do it once more",
    ]
    assert not page.notice
    assert page.refresh is None


def test_bars_begin_at_zero() -> None:
    (bars,) = comparison_page(a_table()).sections[0].bars
    assert [bar.label for bar in bars.bars] == ["unet", "mutual: ensemble"]
    assert [bar.share for bar in bars.bars] == pytest.approx([0.51, 0.555])
    assert "±" in bars.bars[0].text


def test_bars_of_what_is_lower_the_better_are_parts_of_the_largest() -> None:
    lower = Column(name="mean_iou", title="error", better="lower")
    rows = (a_row("a", 4.0), a_row("b", 1.0))
    (bars,) = comparison_page(a_table(*rows, columns=(lower,))).sections[0].bars
    assert [bar.share for bar in bars.bars] == pytest.approx([1.0, 0.25])


def test_unfinished_page_says_so_and_reads_itself_again() -> None:
    failure = CellResult(label="unet", seed=1, error="no memory")
    page = comparison_page(a_table(missing=("mutual, seed 1",), failures=(failure,)))
    assert page.notice.startswith("Unfinished: 3 of 4 cells have run.")
    assert page.refresh
    assert "What is missing" in titles(page)
    assert "unet, seed 1: no memory" in render(page)


def test_page_before_the_first_cell() -> None:
    table = a_table(a_row("unet"), a_row("rmi"), missing=("unet, seed 0",))
    page = comparison_page(table)
    assert page.lead == "No cell has a score yet."
    assert not page.sections[0].bars
    render(page)


def test_classes_of_each_row_with_the_best_in_bold() -> None:
    page = comparison_page(a_table())
    (table,) = next(each for each in page.sections if each.title == "Classes").tables
    assert table.columns == ("class", "unet", "mutual: ensemble")
    road, sky = table.rows
    assert [cell.best for cell in road] == [False, False, True]
    assert [cell.text for cell in sky] == ["sky", "-", "-"]


def test_examples_end_with_truth_under_each_of_two_rows() -> None:
    page = comparison_page(a_table(), [an_example(), an_example("worst")])
    section = page.sections[1]
    assert len(section.figures) == 2
    *panels, first, second = section.figures[0].panels
    labels = [panel.label for panel in panels if not isinstance(panel, Slider)]
    assert labels == ["image", "truth", "unet 0.500", "mutual: ensemble 0.250"]
    for slider, label in ((first, "unet"), (second, "mutual: ensemble")):
        assert isinstance(slider, Slider)
        assert (slider.left.label, slider.right.label) == ("truth", label)
    assert section.figures[0].caption == "Best: best-street, mean IoU 0.400 on average"


def test_of_three_rows_the_best_lies_over_the_truth() -> None:
    rows = [a_row(label, value) for label, value in (("a", 0.5), ("b" * 40, 0.7), ("c", 0.6))]
    example = an_example()
    predictions = dict.fromkeys((row.title for row in rows), example.predictions["unet"])
    shown = replace(example, predictions=predictions, scores={})
    *panels, slider = comparison_page(a_table(*rows), [shown]).sections[1].figures[0].panels
    assert len(panels) == 5
    assert isinstance(slider, Slider)
    assert slider.right.label == "b" * 13 + "…" + "b" * 6


def test_many_arms_are_counted_in_the_title() -> None:
    rows = tuple(a_row(f"arm-{index}", 0.5) for index in range(9))
    assert comparison_page(a_table(*rows)).title == "9 arms on camvid"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def test_names_are_no_markup() -> None:
    label = '<script src="https://example.org/x.js"></script>'
    page = render(comparison_page(a_table(a_row(label, 0.5), a_row("b", 0.4), dataset="<b>")))
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.found
    assert "b" not in tags.found
    assert not re.search(r'(src|href)="http', page)


def test_curves_are_means_over_seeds_by_seconds(tmp_path: Path) -> None:
    write_log(tmp_path, "unet", 0, "val_mean_iou", [0.1, 0.2, 0.3])
    write_log(tmp_path, "unet", 1, "val_mean_iou", [0.3, 0.4])
    write_log(tmp_path, "mutual", 0, "val_ensemble/mean_iou", [0.5])
    write_log(tmp_path, "mutual", 1, "val_ensemble/mean_iou", [0.7])
    chart = comparison_chart(a_table(), tmp_path)
    assert chart is not None
    assert chart.names == ["unet", "mutual: ensemble"]
    # 60 seconds for 30 steps and for 20: epochs end at 20 and 30, then at 40 and 60.
    assert list(chart.x) == pytest.approx([25.0, 50.0])
    assert list(chart.y) == pytest.approx([0.2, 0.3])
    assert list(chart.others[0].y) == pytest.approx([0.6])
    assert "seconds" in chart.x_title


@pytest.mark.parametrize("text", [None, "", "epoch,step\n1,10\n", "\0", "step,val_mean_iou\nx,y\n"])
def test_cells_without_a_history_have_no_curves(tmp_path: Path, text: str | None) -> None:
    for seed in (0, 1):
        place = tmp_path / "cells" / "unet" / f"seed-{seed}"
        place.mkdir(parents=True)
        if text is not None:
            (place / "log.csv").write_text(text)
    assert comparison_chart(a_table(), tmp_path) is None


def test_everything_is_written(tmp_path: Path) -> None:
    table = a_table()
    files = write_comparison(table, [an_example(), an_example("worst")], tmp_path)
    names = {COMPARISON, FIGURE, PAGE, *TABLES}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert {files.data.name, files.page.name, *(path.name for path in files.tables)} == names - {
        FIGURE
    }
    assert files.figure == tmp_path / FIGURE
    assert read_table(tmp_path) == table
    page = files.page.read_text(encoding="utf-8")
    assert "data:image/png" in page
    assert len(page) < 200_000


def test_without_examples_an_earlier_figure_stays_and_a_finished_page_shows_it(
    tmp_path: Path,
) -> None:
    write_comparison(a_table(), [an_example()], tmp_path)
    before = (tmp_path / FIGURE).read_bytes()
    files = write_comparison(a_table(), (), tmp_path)
    assert files.figure is None
    assert (tmp_path / FIGURE).read_bytes() == before
    assert "data:image" in files.page.read_text(encoding="utf-8")
    files = write_comparison(a_table(missing=("unet, seed 1",)), (), tmp_path)
    assert "data:image" not in files.page.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_comparison(a_table(), (), tmp_path / "file")


def test_no_class_is_bold_where_all_rows_are_equal() -> None:
    page = comparison_page(a_table(a_row("a", 0.5), a_row("b", 0.5)))
    (table,) = next(each for each in page.sections if each.title == "Classes").tables
    assert not any(cell.best for row in table.rows for cell in row)


def test_an_arm_with_one_validation_is_a_dot(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_log(tmp_path, "unet", seed, "val_mean_iou", [0.1, 0.2])
        write_log(tmp_path, "mutual", seed, "val_ensemble/mean_iou", [0.5])
    chart = comparison_chart(a_table(), tmp_path)
    assert chart is not None
    ((x, y),) = chart.other_points[0]
    page = render(comparison_page(a_table(), chart=chart))
    assert f'<circle class="{chart.looks[1]}" cx="{x}" cy="{y}"' in page
