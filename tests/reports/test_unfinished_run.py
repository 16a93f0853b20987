from __future__ import annotations

import html
import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from segmint.errors import InputError, UsageError
from segmint.recipes.run import Run
from segmint.recipes.splits import open_again
from segmint.reports.run_report import write_run_report
from segmint.reports.run_standing import interrupted
from segmint.reports.unfinished_prediction import add_prediction
from segmint.reports.unfinished_run import UnfinishedRun, read_rows


def text_of(page: Path) -> str:
    return html.unescape(page.read_text(encoding="utf-8"))


@pytest.fixture
def folder(cells_run: Run, tmp_path: Path) -> Path:
    """What a run looks like that was killed before its end."""
    place = tmp_path / "run"
    shutil.copytree(cells_run.folder, place)
    (place / "run.json").unlink()
    (place / "network.safetensors").unlink()
    return place


def test_what_is_known_is_what_the_finished_run_knows(cells_run: Run, folder: Path) -> None:
    run = UnfinishedRun(folder)
    told = cells_run.record
    for name in ("recipe", "options", "seed", "dataset", "classes", "palette", "steps", "best"):
        assert run.record[name] == told[name], name
    assert [dict(row) for row in run.record["history"]] == told["history"]
    assert (run.epochs, run.peers, run.peer) == (2, (), None)
    assert "unet" in repr(run)


def test_its_best_network_says_what_that_of_the_finished_run_says(
    cells_run: Run, folder: Path
) -> None:
    run = UnfinishedRun(folder)
    assert not run.can_predict
    assert add_prediction(run)
    assert run.can_predict
    for sample in open_again(cells_run)[:2]:
        ours, theirs = run.segment(sample.image), cells_run.segment(sample.image)
        np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)


def test_the_page_has_scores_and_examples_and_says_that_it_is_not_finished(folder: Path) -> None:
    run = UnfinishedRun(folder)
    add_prediction(run)
    text = text_of(write_run_report(run, examples=2, standing=interrupted(run)).page)
    assert "Unfinished: epoch 2 of 2." in text
    assert "Predicted by the best network so far." in text
    assert "<h2>Scores</h2>" in text
    assert f"segmint train --resume {folder}" in text
    assert "segmint predict" not in text
    assert 'http-equiv="refresh"' not in text


def test_without_a_checkpoint_the_page_has_curves_and_data(folder: Path) -> None:
    shutil.rmtree(folder / "checkpoints")
    run = UnfinishedRun(folder)
    assert not add_prediction(run)
    text = text_of(write_run_report(run, standing=interrupted(run)).page)
    titles = re.findall(r"<h2>([^<]*)</h2>", text)
    assert titles == [
        "What was asked",
        "Data",
        "How it learned",
        "Time and versions",
        "How to go on",
    ]
    assert "--resume" not in text
    with pytest.raises(UsageError, match="has no network yet"):
        write_run_report(run, split="val")
    with pytest.raises(InputError, match="is not finished and has no network"):
        run.predict(np.zeros((8, 8), np.uint8))


def test_a_damaged_checkpoint_is_no_reason_to_stop(folder: Path) -> None:
    for file in (folder / "checkpoints").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    run = UnfinishedRun(folder)
    assert not add_prediction(run)
    assert "seconds" not in run.record
    assert write_run_report(run, standing=interrupted(run)).scores is None


def test_without_its_data_the_page_says_so(folder: Path, tmp_path: Path) -> None:
    config = (folder / "config.yaml").read_text()
    data = re.search(r"- (\S*data)", config)
    assert data is not None
    (folder / "config.yaml").write_text(config.replace(data[1], str(tmp_path / "gone")))
    run = UnfinishedRun(folder)
    assert run.train_split is None
    text = text_of(write_run_report(run, standing=interrupted(run)).page)
    assert "The data set cannot be shown" in text
    assert "How it learned" in text


def test_before_the_first_epoch_the_page_is_written_too(folder: Path) -> None:
    shutil.rmtree(folder / "checkpoints")
    (folder / "log.csv").unlink()
    run = UnfinishedRun(folder)
    text = text_of(write_run_report(run, standing=interrupted(run)).page)
    assert "Unfinished: no epoch is complete." in text
    assert "<svg" not in text


@pytest.mark.parametrize(
    ("age", "said"), [(5, "it may be running"), (7200, "No step since ")], ids=["fresh", "old"]
)
def test_silence_is_told_by_the_time_of_the_last_row(folder: Path, age: int, said: str) -> None:
    moment = time.time() - age
    os.utime(folder / "log.csv", (moment, moment))
    notice = interrupted(UnfinishedRun(folder, data=False)).notice
    assert said in notice
    assert time.strftime("%H:%M on %Y-%m-%d", time.localtime(moment)) in notice


def test_a_failure_in_the_diary_is_told(folder: Path) -> None:
    with (folder / "log.txt").open("a") as file:
        file.write("failed: the loss of step 7 is no number\n")
    notice = interrupted(UnfinishedRun(folder, data=False)).notice
    assert "It failed: the loss of step 7 is no number." in notice


def test_a_row_that_is_half_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch,step,loss,val_loss\n1,3,0.5,\n2,6,nan,0.25\n3,9,0.")
    rows = read_rows(tmp_path / "log.csv")
    assert rows[0] == {"epoch": 1, "step": 3, "loss": 0.5}
    assert len(rows) == 2
    assert np.isnan(rows[1]["loss"])
    assert read_rows(tmp_path / "none.csv") == []


@pytest.mark.parametrize("row", ["one,two", "1,nan", "inf,3", "0,3", "1", "1,", "1,2.5", "1,2,3"])
def test_a_damaged_table_is_told(tmp_path: Path, row: str) -> None:
    (tmp_path / "log.csv").write_text(f"epoch,step\n{row}\n")
    with pytest.raises(InputError, match=r"log.csv is damaged .* bring it back, or train again"):
        read_rows(tmp_path / "log.csv")
