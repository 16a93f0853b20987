from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segmint.cli import run as run_command
from segmint.datasets.synthetic import write_cells
from segmint.errors import InputError
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import train
from segmint.reports.page import Page

Succeeds = Callable[..., tuple[str, str]]
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with made-up cells in ``data`` and a run on them in ``run``."""
    folder = tmp_path_factory.mktemp("report")
    write_cells(folder / "data", train=2, val=3, height=64, width=64, cells=6)
    options: dict[str, Any] = {"features": 2, "levels": 1, "resize": 0, "crop": 32}
    options |= {"batch_size": 2, "epochs": 1, "dataset": "folder"}
    train("unet", folder / "data", out=folder / "run", **options)
    return folder


@pytest.fixture
def run_folder(trained: Path, here: Path) -> Path:
    """The run in the working folder; its data stay where they are."""
    shutil.copytree(trained / "run", here / "run")
    return Path("run")


def test_the_last_line_says_the_score_and_where_the_page_is(
    run_folder: Path, succeeds: Succeeds
) -> None:
    output, errors = succeeds("report", run_folder)
    score = score_run(Run(run_folder), open_again(Run(run_folder))).confusion.mean_iou
    assert output == (
        f"mean IoU {score:.4f} on 3 images of folder val: report in run/report.html, picture in "
        "run/examples.png\n"
    )
    assert Path("run/report.html").is_file()
    assert Path("run/examples.png").is_file()
    assert [line[:5] for line in errors.splitlines()] == ["[1/3]", "[2/3]", "[3/3]"]


def test_the_page_is_made_anew_without_asking(run_folder: Path, succeeds: Succeeds) -> None:
    Path("run/report.html").write_text("an earlier page")
    output, errors = succeeds("report", run_folder, "--quiet", "--examples", "1")
    assert errors == ""
    assert "<html" in Path("run/report.html").read_text()
    assert output.count("\n") == 1


def test_json_names_the_files_and_the_scores(run_folder: Path, succeeds: Succeeds) -> None:
    told = json.loads(succeeds("report", run_folder, "--json", "--split", "train", "--quiet")[0])
    assert told["report"] == "run/report.html"
    assert told["picture"] == "run/examples.png"
    assert (told["dataset"], told["split"], told["n_images"]) == ("folder", "train", 2)
    assert set(told["scores"]) == {"mean_iou", "mean_dice", "accuracy"}
    assert told["note"] == ""


def test_data_that_are_gone_leave_a_page_without_pictures(
    run_folder: Path, trained: Path, succeeds: Succeeds, refused: Refused
) -> None:
    record = json.loads(Path("run/run.json").read_text())
    record["dataset"]["root"] = "nowhere"
    Path("run/run.json").write_text(json.dumps(record))
    output, errors = succeeds("report", run_folder)
    assert output == "report in run/report.html\n"
    assert "no pictures and no scores: nowhere does not exist" in errors
    assert "nowhere" in refused(1, "report", run_folder, "nowhere")
    assert "mean IoU" in succeeds("report", run_folder, trained / "data", "--quiet")[0]
    page = Path("run/report.html").read_bytes()
    sentence = refused(1, "report", run_folder)
    assert "run/report.html has pictures and is kept" in sentence
    assert "nowhere does not exist" in sentence
    assert Path("run/report.html").read_bytes() == page
    succeeds("report", run_folder, "--out", "other.html", "--quiet")
    succeeds("report", run_folder, "--overwrite", "--quiet")
    assert Path("run/report.html").read_bytes() != page


def test_a_record_without_its_data_set_is_damaged(run_folder: Path, refused: Refused) -> None:
    record = json.loads(Path("run/run.json").read_text())
    del record["dataset"]
    Path("run/run.json").write_text(json.dumps(record))
    assert "run/run.json is damaged" in refused(1, "report", run_folder)


def test_out_takes_the_page_and_its_picture(
    run_folder: Path, succeeds: Succeeds, refused: Refused
) -> None:
    output, _ = succeeds("report", run_folder, "--out", "talk/cells.html", "--quiet")
    assert output.endswith("report in talk/cells.html, picture in talk/cells.png\n")
    assert "--overwrite" in refused(2, "report", run_folder, "--out", "talk/cells.html")
    Path("talk/cells.html").unlink()
    assert "talk/cells.png is there" in refused(2, "report", run_folder, "--out", "talk/cells.html")
    succeeds("report", run_folder, "--out", "talk/cells.html", "--overwrite", "--quiet")
    assert not Path("run/report.html").exists()


@pytest.mark.parametrize("out", ["talk", "page.png", "run"])
def test_out_is_a_page(run_folder: Path, out: str, refused: Refused) -> None:
    assert "ending in .html" in refused(2, "report", run_folder, "--out", out)


def test_what_is_no_run_or_no_split_is_refused(
    run_folder: Path, here: Path, refused: Refused
) -> None:
    assert "is not a finished run" in refused(1, "report", "nothing")
    assert "no split 'tset'" in refused(2, "report", run_folder, "--split", "tset")
    assert "--examples" in refused(2, "report", run_folder, "--examples", "25")


def test_a_stopped_report_leaves_the_earlier_one(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    Path("run/report.html").write_text("an earlier page")
    monkeypatch.setattr(Run, "segment", stop)
    assert "stopped" in refused(1, "report", run_folder, "--quiet")
    assert Path("run/report.html").read_text() == "an earlier page"


@pytest.fixture
def cut_off(run_folder: Path) -> Path:
    """The run as it would be, had it been killed before its end."""
    (run_folder / "run.json").unlink()
    (run_folder / "network.safetensors").unlink()
    return run_folder


def test_a_run_that_is_not_finished_gets_a_page_that_says_so(
    cut_off: Path, trained: Path, succeeds: Succeeds
) -> None:
    output, _ = succeeds("report", cut_off, "--quiet", "--json")
    told = json.loads(output)
    finished = Run(trained / "run")
    scores = score_run(finished, open_again(finished)).means()
    assert told["scores"] == scores
    page = Path("run/report.html").read_text()
    assert "Unfinished: epoch 1 of 1." in page
    assert "segmint train --resume run" in page


def test_without_a_checkpoint_the_page_is_written_too(
    cut_off: Path, succeeds: Succeeds, refused: Refused
) -> None:
    shutil.rmtree(cut_off / "checkpoints")
    assert succeeds("report", cut_off)[0] == "report in run/report.html\n"
    assert "has no network yet" in refused(2, "report", cut_off, "--split", "val")
    assert "its peers cannot be asked yet" in refused(2, "report", cut_off, "--peer", "unet")


def test_a_training_that_fails_says_so_on_its_page(
    trained: Path, here: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segmint.solvers.epoch_end import EpochEnd

    check, calls = EpochEnd._check_weights, []

    def fail(self: EpochEnd) -> None:
        calls.append(1)
        if len(calls) > 2:
            raise InputError("the weights hold values that are no numbers: lower --learning-rate")
        check(self)

    monkeypatch.setattr(EpochEnd, "_check_weights", fail)
    small = ("--features", 2, "--levels", 1, "--resize", 0, "--crop", 32, "--batch-size", 2)
    call = ("train", "unet", trained / "data", "--out", "bad", *small, "--epochs", 4)
    assert "no numbers" in refused(1, *call, "--quiet")
    said = "Unfinished: epoch 2 of 4. It failed: the weights hold values that are no numbers"
    assert said in Path("bad/report.html").read_text()
    assert 'http-equiv="refresh"' not in Path("bad/report.html").read_text()
    assert run_command(["report", "bad", "--quiet"]) == 0
    assert said in Path("bad/report.html").read_text()


def test_the_page_of_a_training_that_ended_is_final(
    trained: Path, here: Path, succeeds: Succeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segmint.reports import live_report

    monkeypatch.setattr(live_report, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(live_report, "MOST_SHARE", 1e9)
    pages: list[str] = []
    write = live_report.write_page

    def keep(path: Path, page: Page) -> Path:
        pages.append(page.notice)
        return write(path, page)

    monkeypatch.setattr(live_report, "write_page", keep)
    small = ("--features", 2, "--levels", 1, "--resize", 0, "--crop", 32, "--batch-size", 2)
    call = ("train", "unet", trained / "data", "--out", "new", *small, "--epochs", 3, "--quiet")
    assert succeeds(*call)[1] == ""
    assert [notice.partition(",")[0] for notice in pages] == [
        "Unfinished: epoch 1 of 3",
        "Unfinished: epoch 2 of 3",
    ]
    text = Path("new/report.html").read_text()
    assert "Unfinished" not in text
    assert 'http-equiv="refresh"' not in text
