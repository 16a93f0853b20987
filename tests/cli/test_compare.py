"""``segmint compare``, by the command a user types, also killed at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import segmint
from segmint.locking import only_writer

sys.path.insert(0, str(Path(__file__).parent))
from scenes import write_scenes

SMALL = (
    *("--set", "network.features=4", "network.levels=2", "transform.crop=32"),
    *("transform.resize=0", "training.batch_size=2", "training.steps_per_epoch=1"),
    *("--threads", "1", "--precision", "float32"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight scenes in the layout ``folder``."""
    root = tmp_path_factory.mktemp("made") / "scenes"
    write_scenes(root, "night\ndisk\nbar\n")
    return root


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Path) -> Path:
    """The current folder, with the scenes in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").symlink_to(made)
    return tmp_path


def test_methods_are_compared_and_said_in_a_table(here: Path, succeeds: Any) -> None:
    line = ("compare", "blank", "kmeans", "--data", "scenes", "--seeds", "2", "--threads", "1")
    output, errors = succeeds(*line, "--set", "components=3")
    assert "blank" in output
    assert "kmeans" in output
    last = "4 cells: results in segmint-comparison, report in segmint-comparison/report.html\n"
    assert output.endswith(last)
    assert (here / "segmint-comparison" / "report.html").is_file()
    lines = errors.splitlines()
    assert lines[0].startswith("[1/4] blank, seed 0: best overlap 0.")
    assert lines[-1].startswith("[4/4] kmeans, seed 1: best overlap 0.")
    assert "left" in lines[0]
    assert "left" not in lines[-1]
    told = json.loads((here / "segmint-comparison" / "comparison.json").read_text())
    command = "segmint compare blank kmeans --data scenes --seeds 2 --threads 1 --set components=3"
    assert told["command"] == command

    output, errors = succeeds(*line, "--set", "components=3")
    assert errors == "4 cells of 4 finished before, kept\n"
    again = json.loads((here / "segmint-comparison" / "comparison.json").read_text())
    assert again["rows"] == told["rows"]


TABLES = ("report.html", "figure.png", "table.md", "comparison.json")


def written(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in TABLES}


def test_the_report_is_made_again_as_it_was(here: Path, succeeds: Any, refused: Any) -> None:
    succeeds("compare", "blank", "slic", "--data", "scenes", "--seeds", "1", "--quiet")
    out = here / "segmint-comparison"
    before = written(out)
    for name in ("report.html", "figure.png"):
        (out / name).unlink()
    output, _ = succeeds("report", "segmint-comparison")
    assert output == "report in segmint-comparison/report.html\n"
    assert written(out) == before

    for words in (("scenes",), ("--split", "val"), ("--examples", "3"), ("--out", "a.html")):
        assert "is a comparison" in refused(2, "report", "segmint-comparison", *words)
    (here / "scenes").unlink()
    assert "the data set is no longer in scenes" in refused(1, "report", "segmint-comparison")
    assert written(out) == before

    (out / "plan.json").write_text("{}")
    assert "run the comparison once more" in refused(1, "report", "segmint-comparison")


def test_the_report_of_an_unfinished_comparison(here: Path, partly: Any, succeeds: Any) -> None:
    line = ("compare", "bad=clustering", "blank", "--data", "scenes", "--seeds", "2", "--quiet")
    partly(*line, "--set", "bad:expected_channels=1")
    out = here / "segmint-comparison"
    (out / "cells" / "blank" / "seed-1" / "cell.json").unlink()
    succeeds("report", "segmint-comparison", "--json")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Unfinished: 3 of 4 cells have run." in page
    assert "Not run yet: blank, seed 1." in page
    assert "bad, seed 0: " in page
    assert "data:image/" in page


def test_json_and_quiet(here: Path, succeeds: Any) -> None:
    output, errors = succeeds(
        *("compare", "blank", "--data", "scenes", "--seeds", "1", "--json", "--quiet"),
    )
    assert errors == ""
    assert json.loads(output)["rows"][0]["label"] == "blank"


def test_a_failed_cell_is_reported_and_the_rest_go_on(here: Path, partly: Any) -> None:
    output, lines, complaints = partly(
        *("compare", "bad=clustering", "blank", "--data", "scenes", "--seeds", "1"),
        *("--set", "bad:expected_channels=1"),
    )
    assert len(complaints) == 1
    assert complaints[0].startswith("segmint: [1/2] bad, seed 0: failed: ")
    assert lines[-1].startswith("[2/2] blank, seed 0: ")
    assert "2 cells, 1 of them failed (the same command tries them again)" in output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("unet",), 2, "compare needs --data"),
        (("--data", "scenes"), 2, "compare needs arms to compare"),
        (("unet", "kmeans", "--data", "scenes"), 2, "no score is fair to both"),
        (("unett", "--data", "scenes"), 2, "did you mean 'unet'"),
        (("unet", "--data", "absent"), 1, "absent does not exist"),
        (("unet", "--data", "scenes", "--seeds", "0"), 2, "--seeds is 0"),
        (("unet", "--data", "scenes", "--seeds", "1.5"), 2, "1.5"),
        (("unet", "--data", "scenes", "--steps", "5", "--epochs", "2"), 2, "give one"),
        (("unet", "--data", "scenes", "--budget-minutes", "0"), 2, "--budget-minutes is 0"),
        (("unet", "--data", "scenes", "--split", "tst"), 2, "--split is 'tst'"),
        (("unet", "--data", "scenes", "--set", "lr"), 2, "accepted is NAME=VALUE"),
        (("unet", "--data", "scenes", "--out", "scenes/classes.txt"), 2, "is a file"),
        (("unet", "--data", "scenes", "--out", "scenes"), 2, "files that are of no comparison"),
    ],
)
def test_what_is_refused(
    here: Path, refused: Any, words: tuple[str, ...], code: int, message: str
) -> None:
    assert message in refused(code, "compare", *words)
    assert not (here / "segmint-comparison").exists()


def test_other_options_are_refused_and_overwritten_when_asked(
    here: Path, succeeds: Any, refused: Any
) -> None:
    line = ("compare", "kmeans", "--data", "scenes", "--seeds", "1", "--quiet", "--set")
    succeeds(*line, "components=3")
    sentence = refused(2, *line, "components=4")
    assert "holds a comparison with other options" in sentence
    assert "components is 3 there and 4 here" in sentence
    succeeds(*line, "components=4", "--overwrite")


def test_a_report_that_cannot_be_written_costs_no_table(here: Path, partly: Any) -> None:
    (here / "segmint-comparison" / "report.html").mkdir(parents=True)
    (here / "segmint-comparison" / "comparison.yaml").write_text("")
    output, lines, complaints = partly(
        "compare", "blank", "kmeans", "--data", "scenes", "--seeds", "1", "--json"
    )
    assert [row["label"] for row in json.loads(output)["rows"]] == ["blank", "kmeans"]
    notes = [line for line in lines if line.startswith("note: ")]
    sentence = "cannot write segmint-comparison/report.html: "
    assert len(notes) == 1
    assert sentence in notes[0]
    assert len(complaints) == 1
    assert sentence in complaints[0]


@pytest.mark.parametrize("unheard", ["closed", "broken"])
def test_a_comparison_goes_on_where_nobody_listens(here: Path, unheard: str) -> None:
    line = ("compare", "blank", "felzenszwalb", "--data", "scenes", "--seeds", "1")
    command = [sys.executable, "-m", "segmint", *line]
    if unheard == "closed":
        command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    listening, errors = os.pipe()
    os.close(listening)
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    os.close(errors)
    assert ended.returncode == 0
    assert "2 cells: results in segmint-comparison" in ended.stdout


def test_one_seed_has_no_deviation(here: Path, succeeds: Any) -> None:
    output, _ = succeeds("compare", "blank", "--data", "scenes", "--seeds", "1")
    assert "±" not in output.splitlines()[2]


def scores_of(out: Path) -> dict[str, Any]:
    """What cells scored, without what depends on the clock."""
    return {
        str(path.parent.relative_to(out)): json.loads(path.read_text())["answers"]
        for path in sorted(out.glob("cells/*/*/cell.json"))
    }


@pytest.fixture
def undisturbed(made: Path, tmp_path: Path) -> dict[str, Any]:
    """The scores of a comparison that nobody killed."""
    settings = {
        "network.features": 4,
        "network.levels": 2,
        "transform.crop": 32,
        "transform.resize": 0,
        "training.batch_size": 2,
        "training.steps_per_epoch": 1,
    }
    out = tmp_path / "undisturbed"
    segmint.compare(
        ["unet", "unet-rmi"],
        data=made,
        out=out,
        seeds=2,
        steps=12,
        settings=settings,
        threads=1,
        precision="float32",
    )
    return scores_of(out)


def test_killed_at_random_moments_it_ends_with_the_same_scores(
    here: Path, undisturbed: dict[str, Any]
) -> None:
    line = ("compare", "unet", "unet-rmi", "--data", "scenes", "--seeds", "2", "--steps", "12")
    command = [sys.executable, "-m", "segmint", *line, "--out", "out", *SMALL]
    generator = random.Random(6)
    killed = 0
    for _ in range(3):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as one:
            _wait_for_a_cell(here / "out", one)
            time.sleep(generator.uniform(0.0, 0.6))
            killed += one.poll() is None
            one.kill()
        for place in (here / "out" / "cells").glob("*/*"):
            with only_writer(place, patience=10):  # its process has ended, too
                pass
    assert killed  # the last may have come too late, where the machine is quick
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert scores_of(here / "out") == undisturbed


def test_interrupted_it_says_how_to_go_on(here: Path) -> None:
    line = ("compare", "unet", "--data", "scenes", "--seeds", "1", "--steps", "100000", *SMALL)
    command = [sys.executable, "-m", "segmint", *line]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as one, _ended(one):
        _wait_for_a_cell(here / "segmint-comparison", one)
        one.send_signal(signal.SIGINT)
        _, errors = one.communicate(timeout=60)
    assert one.returncode == 1
    assert errors.splitlines()[-1] == (
        "segmint: stopped: what is finished is kept in segmint-comparison; the same command goes on"
    )
    page = (here / "segmint-comparison" / "report.html").read_text(encoding="utf-8")
    assert "Unfinished: 0 of 1 cells have run." in page


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc")
def test_interrupted_at_any_moment_it_says_one_sentence(here: Path) -> None:
    line = ("compare", "unet", "--data", "scenes", "--seeds", "1", "--steps", "100000", *SMALL)
    command = [sys.executable, "-m", "segmint", *line]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as one,
        _ended(one),
    ):
        _wait_for_the_server(one)
        os.killpg(one.pid, signal.SIGINT)  # as a terminal does
        _, errors = one.communicate(timeout=60)
    assert one.returncode == 1
    assert errors.count("\n") == 1
    assert errors.startswith("segmint: stopped: ")


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Leave no process behind that a failing test would wait for."""
    try:
        yield
    finally:
        process.kill()


def _wait_for_the_server(process: subprocess.Popen[Any]) -> None:
    """Until the process has another one, which then imports for a second or more."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and len(children.read_text().split()) < 2:
        time.sleep(0.02)
    time.sleep(0.3)


def _wait_for_a_cell(out: Path, process: subprocess.Popen[Any]) -> None:
    """Until a cell that has no scores yet has begun."""
    for _ in range(1200):
        if process.poll() is not None or any(_begun(out)):
            return
        time.sleep(0.05)


def _begun(out: Path) -> Iterator[Path]:
    for place in out.glob("cells/*/*"):
        if (place / "log.csv").is_file() and not (place / "cell.json").is_file():
            yield place
