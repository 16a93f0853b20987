"""Recipes that learn from masks, by the commands a user types."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image as Pillow
from safetensors import safe_open
from safetensors.numpy import save_file

import segmint
from segmint.cli import run as run_command
from segmint.errors import UsageError
from segmint.images import read_labels
from segmint.recipes.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from scenes import scene, write_scenes

SMALL = (
    *("--features", "4", "--levels", "2", "--crop", "32", "--resize", "0"),
    *("--augmentation", "flip", "--batch-size", "2", "--epochs", "2"),
    *("--steps-per-epoch", "3", "--val-fraction", "0.25"),
)

CLASSES = ("night", "disk", "bar")
COLORS = ((10, 20, 30), (230, 160, 0), (0, 115, 180))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of eight scenes in the layout ``folder``, with palette masks."""
    root = tmp_path_factory.mktemp("made") / "scenes"
    lines = [
        f"{name} {' '.join(map(str, color))}" for name, color in zip(CLASSES, COLORS, strict=True)
    ]
    write_scenes(root, "\n".join(lines) + "\n")
    return root


@pytest.fixture
def scenes(made: Path, here: Path) -> Path:
    shutil.copytree(made, here / "scenes")
    return here / "scenes"


@pytest.fixture
def run(scenes, here, succeeds) -> Path:
    succeeds("train", "unet", "scenes", "--out", "run", "--quiet", *SMALL)
    return here / "run"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_training_writes_a_run(scenes, here, succeeds) -> None:
    output, errors = succeeds("train", "unet", "scenes", "--out", "run", *SMALL)
    assert output.startswith("learned 3 classes from 6 images, validation mean IoU 0.")
    assert output.endswith("run in run\n")
    lines = [line for line in errors.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 2
    assert {path.name for path in (here / "run").iterdir()} >= {
        "checkpoints",
        "config.yaml",
        "log.csv",
        "log.txt",
        "network.safetensors",
        "run.json",
    }
    rows = rows_of(here / "run" / "log.csv")
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["step"] for row in rows] == ["3", "6"]
    assert all(0 <= float(row["val_mean_iou"]) <= 1 for row in rows)
    record = json.loads((here / "run" / "run.json").read_text())
    assert record["classes"] == list(CLASSES)
    assert record["dataset"]["train_images"] == 6
    assert record["dataset"]["val_images"] == 2
    assert record["stopped"] == "epochs"


def test_a_configuration_reproduces_its_run(run, here, succeeds) -> None:
    succeeds("train", "--config", "run/config.yaml", "--out", "again", "--quiet")
    for name in ("network.safetensors", "log.csv"):
        assert (here / "again" / name).read_bytes() == (run / name).read_bytes()
    changed = ("--config", "run/config.yaml", "--out", "third", "--epochs", 1, "--seed", 3)
    succeeds("train", *changed, "--quiet")
    record = json.loads((here / "third" / "run.json").read_text())
    assert (record["seed"], record["options"]["training"]["epochs"]) == (3, 1)
    assert record["options"]["network"]["features"] == 4


def test_options_by_section(scenes, here, succeeds) -> None:
    sets = (
        "--set",
        "optimizer.lr=5e-4",
        "network.dropout=0.1",
        "loss.objective=0.5*bce + 0.5*dice",
    )
    succeeds("train", "unet", "scenes", "--out", "run", "--quiet", *SMALL, *sets)
    options = yaml.safe_load((here / "run" / "config.yaml").read_text())
    assert options["optimizer"]["learning_rate"] == 5e-4
    assert options["network"]["dropout"] == 0.1
    assert set(rows_of(here / "run" / "log.csv")[0]) >= {"bce", "dice"}


def test_prediction_has_the_colors_of_the_data_set(run, scenes, here, succeeds) -> None:
    output, _ = succeeds("predict", "run", "scenes/images", "--out", "out", "--probabilities")
    assert output == "8 segmented: results in out\n"
    folder = here / "out" / "0"
    picture = Pillow.open(folder / "labels.png")
    assert picture.mode == "P"
    assert picture.getpalette()[:9] == [value for color in COLORS for value in color]
    labels = read_labels(folder / "labels.png")
    assert labels.shape == (40, 48)
    assert np.array_equal(labels, Run(run).predict(scene(0)[0]))
    assert (folder / "probabilities.tif").is_file()
    record = json.loads((folder / "result.json").read_text())
    assert record["names"] == {str(index): name for index, name in enumerate(CLASSES)}


def test_predictions_are_scored_class_by_class(run, scenes, here, succeeds, capsys) -> None:
    succeeds("predict", "run", "scenes/images", "--out", "out", "--quiet")
    found = json.loads(succeeds("evaluate", "out", "scenes/masks", "--json", "--quiet")[0])
    assert found["matching"] == "none"
    assert "--matching" in succeeds("evaluate", "--help")[0]
    for path in (scenes / "masks").iterdir():
        Pillow.fromarray(np.array(Pillow.open(path)) * 100).save(path)
    assert run_command(["evaluate", "out", "scenes/masks", "--quiet"]) == 1
    assert "knows the classes 0 to 2" in capsys.readouterr().err


def test_python_does_not_replace_a_run_unasked(run) -> None:
    with pytest.raises(UsageError, match="overwrite=True"):
        segmint.train("unet", "scenes", out=run)


def test_evaluation_of_a_run(run, here, succeeds) -> None:
    output, _ = succeeds("evaluate", "run", "scenes", "--split", "val", "--json", "--quiet")
    found = json.loads(output)
    assert found["n_images"] == 2
    assert [row["class"] for row in found["classes"]] == list(CLASSES)
    best = max(float(row["val_mean_iou"]) for row in rows_of(run / "log.csv"))
    assert found["scores"]["mean_iou"] == pytest.approx(best, abs=1e-5)
    again, _ = succeeds("evaluate", "run", "--csv", "scores.csv", "--quiet")
    assert "mean IoU" in again
    assert len(rows_of(here / "scores.csv")) == 2


def test_what_was_recognized_is_said(scenes, here, succeeds) -> None:
    (scenes / "classes.txt").unlink()
    for path in (scenes / "masks").iterdir():
        mask = np.array(Pillow.open(path))
        Pillow.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8)).save(path)
    _, errors = succeeds("train", "unet", "scenes", "--out", "run", "--cache", *SMALL)
    before_learning = errors.partition("epoch 1/2")[0]
    assert "note: " in before_learning
    assert "255" in before_learning
    assert "the cache will hold 6 images, about" in before_learning


def test_masks_without_a_label_are_refused(scenes, here, refused) -> None:
    for path in (scenes / "masks").iterdir():
        Pillow.fromarray(np.full((40, 48), 255, np.uint8)).save(path)
    arguments = ("train", "unet", "scenes", "--out", "run", *SMALL, "--quiet")
    assert "no mask of split 'train' of folder in scenes holds a label" in refused(1, *arguments)
    assert not (here / "run").exists()


def test_a_run_without_validation_is_scored_on_other_splits(scenes, succeeds, refused) -> None:
    alone = (*SMALL[:-2], "--val-fraction", "0")
    output, _ = succeeds("train", "unet", "scenes", "--out", "run", *alone, "--quiet")
    assert output.startswith("learned 3 classes from 8 images in ")
    sentence = refused(2, "evaluate", "run", "--quiet")
    assert "has no split 'val', and run held no part of it out" in sentence
    assert "pass --split with one of train" in sentence
    output, _ = succeeds("evaluate", "run", "--split", "train", "--quiet")
    assert output.startswith("run on folder train, 8 images")


def test_presets_restore_the_study(scenes, here, succeeds) -> None:
    succeeds("train", "unet-rmi", "scenes", "--out", "run", "--preset", "study", "--quiet", *SMALL)
    record = json.loads((here / "run" / "run.json").read_text())
    options = record["options"]
    assert options["optimizer"]["learning_rate"] == 1e-4
    assert options["transform"]["normalization"] == "unit"
    assert options["loss"]["objective"] == "0.5*bce + 0.5*rmi"


def test_an_objective_as_a_mapping(run, here, succeeds) -> None:
    told = yaml.safe_load((run / "config.yaml").read_text())
    told["loss"] = {"objective": {"bce": 0.5, "rmi": {"weight": 0.5, "radius": 2}}}
    (here / "mine.yaml").write_text(yaml.safe_dump(told))
    succeeds("train", "--config", "mine.yaml", "--out", "other", "--quiet")
    objective = yaml.safe_load((here / "other" / "config.yaml").read_text())["loss"]["objective"]
    assert "rmi(radius=2" in objective


def test_scribbled_masks_teach_with_continuity(scenes, here, succeeds) -> None:
    for path in (scenes / "masks").iterdir():
        mask = np.array(Pillow.open(path))
        mask[::2] = 255
        Pillow.fromarray(mask).save(path)
    objective = ("--objective", "cross_entropy + 0.1*continuity")
    succeeds("train", "unet", "scenes", "--out", "run", "--quiet", *SMALL, *objective)
    assert set(rows_of(here / "run" / "log.csv")[0]) >= {"cross_entropy", "continuity"}


def test_a_training_that_was_cut_off_goes_on(run, here, succeeds, refused) -> None:
    """As if it had been killed after its first epoch's checkpoint."""
    assert "holds a finished run" in refused(2, "train", "--resume", "run")
    succeeds("train", "--config", "run/config.yaml", "--out", "half", "--quiet", "--epochs", 2)
    (here / "half" / "run.json").unlink()
    assert "was cut off: go on with --resume half" in refused(
        2, "train", "unet", "scenes", "--out", "half", *SMALL
    )
    assert "go on with 'segmint train --resume half'" in refused(1, "predict", "half", "scenes")
    succeeds("train", "--resume", "half", "--quiet")
    for name in ("network.safetensors", "log.csv"):
        assert (here / "half" / name).read_bytes() == (run / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ("train", 2, "train needs a recipe and its data"),
        ("train unet", 2, "train needs data to learn from"),
        ("train unett scenes", 2, "unknown recipe 'unett': did you mean 'unet'"),
        ("train unet nowhere", 1, "nowhere does not exist"),
        ("train unet scenes scenes", 2, "learns from one data set"),
        ("train unet scenes --set optimizer.rl=1", 2, "unknown option 'optimizer.rl'"),
        ("train unet scenes --set optimizer.lr", 2, "accepted is NAME=VALUE"),
        ("train unet scenes --lr 1 --set optimizer.learning_rate=2", 2, "give one"),
        ("train unet scenes --preset stduy", 2, "unknown preset 'stduy': did you mean 'study'"),
        ("train unet scenes --batch-size 100", 2, "100"),
        ("train unet scenes --dataset camvit", 2, "did you mean 'camvid'"),
        ("train unet scenes --objective crossentropy", 2, "did you mean 'cross_entropy'"),
        ("train unet scenes --network smp:unet/resnet1888", 2, "resnet18"),
        ("train unet scenes --max-time soon", 2, "--max-time is 'soon'"),
        ("train unet scenes --train-split val", 2, "both 'val'"),
        ("train --resume nowhere", 2, "holds no run"),
        ("train --config nowhere.yaml", 1, "does not exist"),
        ("train unet --resume run", 2, "so unet is one too many"),
        ("train --resume run --seed 3", 2, "so --seed is one too many"),
        ("train --resume run --epochs 3", 2, "so --epochs is one too many"),
        ("train --out run clustering scenes --component 3", 2, "did you mean --components"),
    ],
)
def test_refusals(scenes, here, refused, arguments: str, code: int, sentence: str) -> None:
    assert sentence in refused(code, *arguments.split())
    assert not (here / "segmint-run").exists()


def test_files_of_others_stay(scenes, here, refused) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "log.csv").write_text("precious")
    call = ("train", "unet", "scenes", "--out", "mine", "--overwrite", *SMALL)
    assert "is of no run of segmint" in refused(2, *call)
    assert (here / "mine" / "log.csv").read_text() == "precious"


def test_a_network_of_no_numbers_is_told(run, scenes, here, refused) -> None:
    path = here / "run" / "network.safetensors"
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    weights["head.bias"][:] = np.nan
    save_file(weights, path, metadata)
    call = ("predict", "run", "scenes/images/0.png", "--out", "out", "--quiet")
    assert "values that are no numbers" in refused(1, *call)


@pytest.mark.parametrize(
    "change",
    [{"dataset": {}}, {"history": [3]}, {"versions": None}, {"channel_names": [1]}, {"stopped": 2}],
)
def test_a_damaged_record_is_told(run, here, refused, change: dict[str, object]) -> None:
    path = here / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    for command in ("report", "evaluate"):
        assert "is damaged or of another version" in refused(1, command, "run", "--quiet")


def test_a_polite_end_is_no_success(scenes, here) -> None:
    """SIGTERM, as schedulers send it, in a process of its own."""
    call = [sys.executable, "-m", "segmint", "train", "unet", "scenes", "--out", "run", *SMALL]
    with subprocess.Popen(
        [*call, "--steps", "200000"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        checkpoint = here / "run" / "checkpoints" / "last.ckpt"
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the last checkpoint is kept" in errors
