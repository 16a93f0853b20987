from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.datasets.myops import prepare_myops
from segmint.datasets.synthetic import draw_shapes, write_hearts
from segmint.errors import InputError, UsageError
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import train
from segmint.reports import run_report
from segmint.reports.example_figures import example_figures
from segmint.reports.example_sheet import draw_example_sheet
from segmint.reports.page import Panel, render
from segmint.reports.run_examples import Example, gather_examples
from segmint.reports.run_findings import Findings
from segmint.reports.run_page import run_page
from segmint.reports.run_report import write_run_report, write_training_report

SMALL: dict[str, Any] = {
    "features": 2,
    "levels": 1,
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 1,
}

TINY: dict[str, Any] = {"features": 4, "epochs": 1, "batch_size": 1}
"""Of the recipe clustering."""


WITHOUT_DATA = ["What was asked", "Data", "How it learned", "Time and versions", "How to go on"]


def text_of(page: Path) -> str:
    return html.unescape(page.read_text(encoding="utf-8"))


def row_of(text: str, name: str) -> list[str]:
    row = text.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
    return re.findall(r"<td>(?:<strong>)?([^<]*)", row)


def count_predictions(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with each image that a run is asked for."""
    calls: list[int] = []
    segment = run.segment

    def count(*given: Any, **named: Any) -> Any:
        calls.append(1)
        return segment(*given, **named)

    monkeypatch.setattr(run, "segment", count)
    return calls


@pytest.fixture
def copied(cells_run: Run, tmp_path: Path) -> Run:
    """The run in a folder of its own, for tests that write into it."""
    shutil.copytree(cells_run.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def test_the_page_shows_examples_scores_curves_and_how_to_go_on(copied: Run) -> None:
    found = write_run_report(copied, examples=3)
    assert found.page == copied.folder / "report.html"
    assert found.picture == copied.folder / "examples.png"
    text = text_of(found.page)
    assert re.findall(r"<h2>([^<]*)</h2>", text) == [
        "What was asked",
        "Data",
        "How it learned",
        "Scores",
        "What is taken for what",
        "Examples",
        "How sure it is",
        "Time and versions",
        "How to go on",
    ]
    for label in ("image", "truth", "prediction", "entropy"):
        assert text.count(f'class="label">{label}<') == 3
    for place in ("the best of 5", "the median of 5", "the worst of 5"):
        assert text.count(place) == 1
    assert (
        "3 of 5 images of val, from the best to the worst by their own mean IoU, at equal steps of"
        in text
    )
    # charts, and the signs of their legends
    assert text.count("<svg viewBox") == (4 + 1) + (2 + 2 + 3) + 2
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert np.asarray(Pillow.open(found.picture)).shape[-1] == 3


def test_the_scores_are_those_of_evaluate(copied: Run) -> None:
    found = write_run_report(copied)
    text, scores = text_of(found.page), score_run(copied, open_again(copied))
    for row in scores.rows():
        cells = row_of(text, row["class"])
        assert cells[0] == f"{row['pixels']:,}"
        assert cells[2:] == [
            "-" if value is None else f"{value:.3f}" for value in (row["iou"], row["dice"])
        ]
    means = scores.means()
    assert f"Mean IoU {means['mean_iou']:.3f} over" in text
    assert f"accuracy {means['accuracy']:.3f}" in text


def test_each_image_is_predicted_once_and_examples_once_more(
    copied: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_predictions(copied, monkeypatch)
    done: list[str] = []
    write_run_report(copied, examples=4, advance=done.append)
    assert len(done) == 5
    assert len(calls) == 5 + 4


def test_the_options_and_facts_of_the_run_are_told(copied: Run) -> None:
    text = text_of(write_run_report(copied).page)
    assert row_of(text, "network.features") == ["2", "-"]
    assert row_of(text, "training.epochs") == ["2", "200"]
    assert "optimizer.learning_rate" not in text
    facts = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", text))
    assert facts["learned from"] == "train, 3 images"
    assert facts["network chosen on"] == "val, 5 images"
    assert facts["loss"] == "cross_entropy + dice"
    assert facts["ended because"] == "all epochs were done"
    assert facts["seed"] == "0"
    assert facts["torch"] == copied.record["versions"]["torch"]
    from segmint.networks.storage import load_network

    network = load_network(copied.folder / "network.safetensors")
    count = sum(each.numel() for each in network.parameters())
    assert facts["network"] == f"unet, {count:,} parameters"


def test_a_split_that_chose_the_network_is_said_to_flatter(copied: Run) -> None:
    assert "flatters a little" in text_of(write_run_report(copied).page)


def test_images_that_taught_the_network_are_told_apart(copied: Run) -> None:
    text = text_of(write_run_report(copied, split="train").page)
    assert "3 of these 3 images are among those the network learned from" in text


def test_a_test_split_is_pointed_to_and_is_fair(cells: Path, tmp_path: Path) -> None:
    shutil.copytree(cells, tmp_path / "data")
    shutil.copytree(cells / "val", tmp_path / "data" / "test")
    run = train("unet", tmp_path / "data", out=tmp_path / "run", dataset="folder", **SMALL)
    assert f"segmint report {run.folder} --split test" in text_of(write_run_report(run).page)
    text = text_of(write_run_report(run, split="test").page)
    assert "neither learned from these images nor was it chosen by them" in text
    assert "--split test" not in text


def test_without_its_data_the_page_has_curves_alone(copied: Run, tmp_path: Path) -> None:
    record = json.loads((copied.folder / "run.json").read_text())
    record["dataset"]["root"] = str(tmp_path / "gone")
    (copied.folder / "run.json").write_text(json.dumps(record))
    found = write_run_report(Run(copied.folder))
    assert found.scores is found.dataset is found.picture is None
    assert "gone does not exist" in found.note
    text = text_of(found.page)
    assert found.note in text
    assert re.findall(r"<h2>([^<]*)</h2>", text) == WITHOUT_DATA
    with pytest.raises(InputError, match="gone"):
        write_run_report(Run(copied.folder), data=tmp_path / "gone")


def test_data_that_was_moved_is_found_where_it_is_given(
    copied: Run, cells: Path, tmp_path: Path
) -> None:
    shutil.copytree(cells, tmp_path / "moved")
    text = text_of(write_run_report(copied, data=tmp_path / "moved").page)
    assert "not where those lay that the network learned from" in text
    assert f"segmint evaluate {copied.folder} {tmp_path / 'moved'}" in text


def test_the_page_can_go_elsewhere_with_its_picture(copied: Run, tmp_path: Path) -> None:
    found = write_run_report(copied, out=tmp_path / "talk" / "cells.html", examples=2)
    assert found.picture == tmp_path / "talk" / "cells.png"
    assert found.picture.is_file()
    assert not (copied.folder / "report.html").exists()


def test_no_examples_no_picture(copied: Run) -> None:
    found = write_run_report(copied, examples=0)
    assert found.picture is None
    assert "<h2>Examples</h2>" not in text_of(found.page)
    with pytest.raises(UsageError, match="0 to 24"):
        write_run_report(copied, examples=25)


def test_a_training_ends_with_a_page_that_costs_few_predictions(
    copied: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_report, "QUICK_EXAMPLES", 2)
    monkeypatch.setattr(run_report, "SOON", 0.0)
    monkeypatch.setattr(run_report, "SOON_SHARE", 0.0)
    calls = count_predictions(copied, monkeypatch)
    page = write_training_report(copied)
    assert page == copied.folder / "report.html"
    assert len(calls) == 2 + 1  # the first tells how long one takes
    text = text_of(page)
    assert f"segmint report {copied.folder}" in text
    assert "2 of 5 images of val, at equal steps in it." in text
    assert "<h2>Scores</h2>" not in text


def test_a_training_whose_images_are_soon_predicted_ends_with_all_scores(
    copied: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_report, "SOON", 3600.0)
    text = text_of(write_training_report(copied))
    assert ", from the best to the worst by their own mean IoU." in text
    assert "<h2>Scores</h2>" in text


def test_without_validation_there_is_nothing_to_show_unless_it_is_asked_for(
    cells: Path, tmp_path: Path
) -> None:
    shutil.copytree(cells / "train", tmp_path / "data")
    shutil.copy(cells / "classes.txt", tmp_path / "data")
    options = {**SMALL, "dataset": "folder", "val_fraction": 0}
    run = train("unet", tmp_path / "data", out=tmp_path / "run", **options)
    assert "learned without validation" in write_run_report(run).note
    assert write_run_report(run, split="train").scores is not None


def test_a_page_with_the_most_examples_stays_below_five_megabytes(cells_run: Run) -> None:
    """Of noise, which no format makes small, with the maps of a run of several networks."""
    generator = np.random.default_rng(0)
    val = open_again(cells_run)
    shape = (200, 480)
    examples = [
        Example(
            name=f"noise {index}",
            image=generator.integers(0, 256, (*shape, 3)).astype(np.uint8),
            truth=generator.integers(0, 3, shape).astype(np.uint8),
            labels=generator.integers(0, 3, shape).astype(np.uint8),
            entropy=generator.uniform(0, 1, shape).astype(np.float32),
            disagreement=generator.uniform(0, 1, shape).astype(np.float32),
        )
        for index in range(run_report.MOST_EXAMPLES)
    ]
    found = Findings(run=cells_run, dataset=val, examples=tuple(examples))
    assert len(render(run_page(found, None))) < 5_000_000


def test_a_split_without_truth_shows_predictions_alone(cells_run: Run, cells: Path) -> None:
    val = open_again(cells_run)
    examples = gather_examples(cells_run, val, 1)
    blind = type(examples[0])(
        name="blind", image=examples[0].image, truth=None, labels=examples[0].labels
    )
    (figure,) = example_figures([blind], val.palette)
    assert [panel.label for panel in figure.panels if isinstance(panel, Panel)] == [
        "image",
        "prediction",
    ]
    drawn = draw_example_sheet([blind], val.classes, val.palette, title="t")
    with_truth = draw_example_sheet(examples, val.classes, val.palette, title="t")
    assert drawn.shape[1] < with_truth.shape[1]


def test_a_sheet_keeps_odd_shapes_and_long_names_inside(cells_run: Run) -> None:
    val = open_again(cells_run)
    (example,) = gather_examples(cells_run, val, 1)
    odd = [
        type(example)(
            name=f"{'long ' * 40}$x{index}$",
            image=np.full((*shape, 1), 100, np.uint8),
            truth=np.zeros(shape, np.uint8),
            labels=np.ones(shape, np.uint8),
            mean_iou=0.5,
        )
        for index, shape in enumerate([(9, 400), (400, 9), (1, 1), (64, 64), (3, 3)])
    ]
    names = ["background " * 6, "round", "elongated"]
    drawn = draw_example_sheet(odd, names, val.palette, title="a title " * 20, note="n " * 120)
    assert (drawn[:, :8] == 255).all()
    assert (drawn[:, -8:] == 255).all()
    assert (drawn[:8] == 255).all()


def test_sequences_stand_one_by_one_and_only_the_region_counts(tmp_path: Path) -> None:
    write_hearts(tmp_path / "hearts", patients=(101, 102), slices=2, size=(160, 160))
    prepare_myops(tmp_path / "hearts", tmp_path / "data", overwrite=True)
    run = train(
        "unet", tmp_path / "data", out=tmp_path / "run", **{**SMALL, "crop": 16, "batch_size": 1}
    )
    found = write_run_report(run, split="train", examples=2)
    text = text_of(found.page)
    labels = re.findall(r'class="label">([^<]*)', text.split("<h2>Examples")[1])
    assert labels[:5] == ["bSSFP", "T2", "LGE", "truth", "prediction"]
    assert "not counted (striped)" in text
    assert found.scores is not None
    region = sum(int(sample.region.sum()) for sample in open_again(run, split="train"))  # type: ignore[union-attr]
    assert found.scores.confusion.counts.sum() == region


def test_a_run_without_masks_has_a_shorter_page(tmp_path: Path) -> None:
    picture, _ = draw_shapes(24, 24, shapes=2)
    (tmp_path / "photos").mkdir()
    Pillow.fromarray(picture).save(tmp_path / "photos" / "one.png")
    run = train("clustering", tmp_path / "photos", out=tmp_path / "run", **TINY)
    found = write_run_report(run)
    assert found.picture is None
    assert found.note == ""
    text = text_of(found.page)
    assert re.findall(r"<h2>([^<]*)</h2>", text) == WITHOUT_DATA
    assert "learned 1 component" in text or "components from 1 image" in text
    assert f"segmint predict {run.folder} IMAGE" in text
    assert "segmint evaluate" not in text
    with pytest.raises(UsageError, match="without masks"):
        write_run_report(run, split="val")
