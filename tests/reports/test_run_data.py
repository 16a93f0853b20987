from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segmint.datasets import open as open_dataset
from segmint.datasets.synthetic import write_cells
from segmint.reports import data_survey
from segmint.reports.data_survey import survey
from segmint.reports.page import Slider
from segmint.reports.run_data import class_balance, data_section


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("survey") / "data"
    write_cells(folder, train=9, val=2, height=64, width=72, cells=4)
    return folder


def test_classes_are_counted_over_all_images_where_they_are_few(cells: Path) -> None:
    train = open_dataset("folder", cells, split="train")
    found = survey(train)
    counts = [sum(int((sample.mask == number).sum()) for sample in train) for number in range(3)]
    assert found.counts.tolist() == counts
    assert (found.images, found.uncounted, found.sizes) == (9, 0, {(64, 72)})
    bars = class_balance(found)
    assert [bar.label for bar in bars.bars] == list(train.classes)
    assert [bar.share for bar in bars.bars] == [count / max(counts) for count in counts]
    assert bars.bars[0].text == f"{100 * counts[0] / sum(counts):.1f} %"
    assert bars.notes == ("Counted on all 9 images of train.",)


def test_only_so_many_pixels_are_read(cells: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_survey, "MOST_PIXELS", 5 * 64 * 72)
    train = open_dataset("folder", cells, split="train")
    found = survey(train)
    chosen = [train[index] for index in (0, 2, 4, 6, 8)]
    counts = np.bincount(np.concatenate([each.mask.ravel() for each in chosen]), minlength=3)
    assert found.counts.tolist() == counts.tolist()
    assert class_balance(found).notes[0].startswith("Counted on 5 of 9 images of train")


def test_the_chapter_shows_images_with_their_masks(cells: Path) -> None:
    record = {
        "dataset": {
            "name": "folder",
            "root": str(cells),
            "train_split": "train",
            "val_split": "val",
            "train_images": 9,
            "val_images": 0,
        },
        "classes": ["a", "b", "c"],
        "channels": 1,
        "notes": ["masks hold numbers"],
    }
    section = data_section(record, survey(open_dataset("folder", cells, split="train")))
    (figure,) = section.figures
    assert len(figure.panels) == data_survey.SHOWN
    assert all(isinstance(panel, Slider) for panel in figure.panels)
    assert section.facts["network chosen on"] == "nothing: it is the last one"
    assert section.facts["size of images"] == "72 x 64 pixels"
    assert section.facts["pixels without a label"] == "0 %"
    assert section.facts["recognized"] == "Masks hold numbers."


def test_a_run_without_masks_tells_how_many_images_there_were() -> None:
    section = data_section({"images": ["a.png"], "components": 7}, None)
    assert section.facts == {"learned from": "1 image", "components": "7"}
    assert section.figures == ()
