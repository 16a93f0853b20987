"""Cells in processes of their own: what fails, what dies, what is kept, what goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segmint
from segmint.comparisons.arm import Arm
from segmint.comparisons.cell import CellResult
from segmint.comparisons.comparing import Compared
from segmint.comparisons.planning import Question, plan
from segmint.comparisons.predictions import prediction, sample_of
from segmint.comparisons.running import run_cells
from segmint.errors import UsageError
from segmint.images import write_labels
from segmint.metrics import confusion
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_peers

SMALL: Mapping[str, Any] = {
    "network.features": 4,
    "network.levels": 2,
    "transform.crop": 32,
    "transform.resize": 0,
    "transform.augmentation": "flip",
    "training.batch_size": 2,
    "training.steps_per_epoch": 1,
}
PEERS: Mapping[str, Any] = {
    "mutual:peers": ["a=unet", "b=unet"],
    "mutual:peer_options": ["a.features=4", "a.levels=2", "b.features=4", "b.levels=2"],
}


def compared(scenes: Path, out: Path, *arms: str, **others: Any) -> Compared:
    told: dict[str, Any] = {"seeds": 1, "threads": 1, "precision": "float32", **others}
    return segmint.compare(arms, data=scenes, out=out, **told)


@pytest.fixture(scope="module")
def learned(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Two recipes with two seeds."""
    out = tmp_path_factory.mktemp("learned") / "out"
    return compared(
        scenes, out, "unet", "mutual", seeds=2, steps=2, settings={**SMALL, **PEERS}, seed=4
    )


def result_of(found: Compared, label: str, seed: int) -> CellResult:
    return next(each for each in found.cells if (each.label, each.seed) == (label, seed))


def test_cells_come_in_order_and_say_what_they_took(learned: Compared) -> None:
    assert [(each.label, each.seed) for each in learned.cells] == [
        ("unet", 4),
        ("mutual", 4),
        ("unet", 5),
        ("mutual", 5),
    ]
    for each in learned.cells:
        assert not each.failed
        assert each.steps == 2
        assert each.seconds > 0
        assert each.seconds_per_image > 0
        assert each.peak_mib is None or each.peak_mib > 50


def test_a_cell_is_a_run_and_has_its_scores(learned: Compared) -> None:
    comparison = learned.comparison
    for label, seed in (("unet", 4), ("mutual", 5)):
        run = Run(comparison.folder(label, seed), precision="float32")
        scores = score_peers(run, comparison.scored())
        result = result_of(learned, label, seed)
        for (name, answer), expected in zip(result.answers.items(), scores.values(), strict=True):
            assert dict(answer.scores) == expected.means(), name
            assert list(answer.images) == ["test0", "test1", "test2"]
            assert [*answer.images.values()] == [*expected.image_means().values()]
    assert set(result_of(learned, "mutual", 4).answers) == {"a", "b", "ensemble"}


def test_predictions_are_at_hand_and_are_what_was_scored(learned: Compared) -> None:
    comparison = learned.comparison
    for label, answer, seed in (("unet", "", None), ("mutual", "a", None), ("mutual", "b", 5)):
        labels = prediction(comparison, label, "test1", answer=answer, seed=seed)
        mask = sample_of(comparison, "test1").mask
        result = result_of(learned, label, seed or 4)
        expected = result.answers[answer].images["test1"]["accuracy"]
        assert confusion(labels, mask, classes=3).accuracy == pytest.approx(expected, abs=1e-6)


def test_the_table_has_a_row_for_every_network(learned: Compared) -> None:
    titles = [row.title for row in learned.table.rows]
    assert titles[0] == "unet"
    assert sorted(titles[1:]) == ["mutual: a", "mutual: b", "mutual: ensemble"]
    assert learned.table.finished


def test_what_is_finished_is_not_done_again(learned: Compared, scenes: Path) -> None:
    ran: list[CellResult] = []
    again = run_cells(learned.comparison, after=ran.append)
    assert ran == []
    assert again == learned.cells


def test_a_lost_network_names_the_folder_to_remove(learned: Compared, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(learned.comparison.out, out)
    comparison = replace(learned.comparison, out=out)
    folder = comparison.folder("unet", 4)
    (folder / "cell.json").unlink()
    (folder / "network.safetensors").unlink()
    failed = run_cells(comparison)[0]
    assert f"remove the folder {folder} and compare again" in failed.error
    shutil.rmtree(folder)
    healed = run_cells(comparison)[0]
    assert healed.answers == learned.cells[0].answers


def test_failures_speak_of_options_as_they_are_given(scenes: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "training.batch_size": 7}
    with pytest.raises(UsageError, match=r"pass --set training\.batch_size=6 or less"):
        compared(scenes, tmp_path / "out", "unet", steps=1, settings=settings)
    assert not (tmp_path / "out").exists()


def test_more_seeds_and_arms_add_cells(scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = compared(scenes, out, "blank", "kmeans", seeds=1)
    ran: list[CellResult] = []
    more = compared(scenes, out, "blank", "kmeans", "slic", seeds=2, after=ran.append)
    assert [(each.label, each.seed) for each in ran] == [
        *(("slic", 0), ("blank", 1), ("kmeans", 1), ("slic", 1)),
    ]
    assert more.cells[:2] == first.cells
    with pytest.raises(UsageError, match=r"has more \(arm slic, seed 1\)"):
        compared(scenes, out, "blank", "kmeans", seeds=1)


def test_methods_keep_every_image_and_skip_it_next_time(scenes: Path, tmp_path: Path) -> None:
    found = compared(scenes, tmp_path / "out", "blank", "kmeans", settings={"components": 3})
    comparison, (blank, kmeans) = found.comparison, found.cells
    assert blank.answers[""].scores["mean_iou"] < kmeans.answers[""].scores["mean_iou"]
    expected = segmint.segment(sample_of(comparison, "test2").image, "kmeans", components=3)
    np.testing.assert_array_equal(prediction(comparison, "kmeans", "test2"), expected.labels)

    folder = comparison.folder("kmeans", 0)
    (folder / "cell.json").unlink()
    kept = folder / "images" / "test0" / "result.json"
    (folder / "images" / "test1" / "result.json").unlink()
    write_labels(folder / "images" / "test2" / "labels", np.zeros((3, 3), np.int32))
    (folder / "images" / ".partial-left").mkdir()
    before = kept.stat().st_mtime_ns
    again = compared(scenes, tmp_path / "out", "blank", "kmeans", settings={"components": 3})
    assert again.cells[1].answers == kmeans.answers
    assert kept.stat().st_mtime_ns == before
    assert not (folder / "images" / ".partial-left").exists()


def test_a_failing_cell_stops_no_other_and_is_tried_again(scenes: Path, tmp_path: Path) -> None:
    settings = {"bad:expected_channels": 1, "iterations": 2, "kmeans:components": 3}
    arms = ("bad=clustering", "kmeans")
    found = compared(scenes, tmp_path / "out", *arms, settings=settings)
    bad, good = found.cells
    assert "expected_channels" in bad.error or "channels" in bad.error
    assert bad.answers == {}
    assert not good.failed
    assert [each.label for each in found.table.failures] == ["bad"]
    ran: list[CellResult] = []
    compared(scenes, tmp_path / "out", *arms, settings=settings, after=ran.append)
    assert [each.label for each in ran] == ["bad"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="processes are found in /proc")
def test_the_death_of_a_process_is_the_failure_of_its_cell(scenes: Path, tmp_path: Path) -> None:
    question = Question(
        arms=["slow=clustering", "blank"],
        data=scenes,
        out=tmp_path / "out",
        seeds=1,
        threads=1,
        values={"iterations": 100_000, "working_pixels": 0, "min_components": 1},
    )
    comparison = plan(question)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_writer, args=(comparison.folder("slow", 0), killed))
    results = run_cells(comparison, begin=lambda finished: killer.start())
    killer.join()
    assert killed, "the process of the cell was never seen"
    assert "was killed (signal 9)" in results[0].error
    assert not results[1].failed


def _kill_writer(place: Path, killed: list[int]) -> None:
    """Kill the process that holds a folder, as the system does when memory runs out."""
    for _ in range(600):
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                held = [link.resolve() for link in (process / "fd").iterdir()]
                if place.resolve() in held and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)
                    killed.append(int(process.name))
                    return
        time.sleep(0.05)


def test_several_cells_run_at_once_when_asked(scenes: Path, tmp_path: Path) -> None:
    arms = ("blank", "kmeans", "slic")
    one = compared(scenes, tmp_path / "one", *arms, seeds=2)
    two = compared(scenes, tmp_path / "two", *arms, seeds=2, jobs=2)
    assert [each.answers for each in one.cells] == [each.answers for each in two.cells]


def test_everything_is_checked_before_anything_is_written(scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"network.network": "unett"}, "unett"),
        ({"loss.objective": "cros_entropy"}, "cros_entropy"),
        ({"training.devices": 2, "training.batch_size": 3}, r"training\.batch_size is 3"),
        ({"network.weights": str(tmp_path / "absent")}, "do not exist"),
    ]
    for values, message in cases:
        with pytest.raises(UsageError, match=f"the arm unet cannot learn: .*{message}"):
            compared(scenes, out, "unet", steps=1, settings={**SMALL, **values})
    assert not out.exists()


def test_recipes_without_masks_learn_from_the_training_images(scenes: Path, tmp_path: Path) -> None:
    found = compared(
        scenes,
        tmp_path / "out",
        "many=recipe:clustering",
        "kmeans",
        epochs=1,
        settings={"clustering.image_size": 24, "clustering.features": 8, "components": 3},
    )
    many = found.cells[0]
    assert not many.failed, many.error
    assert many.steps > 0
    assert set(many.answers[""].scores) >= {"best_overlap_all", "mean_iou"}
    told = json.loads((found.comparison.folder("many", 0) / "run.json").read_text())
    assert [Path(image).stem for image in told["images"]] == [f"train{index}" for index in range(6)]


def test_arms_of_python_can_be_given(scenes: Path, tmp_path: Path) -> None:
    arm = Arm(label="five", way="method", name="kmeans", values={"components": 5})
    found = segmint.compare(arm, data=scenes, out=tmp_path / "out", seeds=1, threads=1)
    assert found.cells[0].label == "five"
