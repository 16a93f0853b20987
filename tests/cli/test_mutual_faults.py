"""What is wrong with a mutual training or its run, in one sentence, and nothing left behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import segmint
from segmint.cli import run as run_command
from segmint.errors import UsageError
from segmint.networks import build
from segmint.networks.storage import save_network
from segmint.recipes.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from scenes import scene, write_scenes

SMALL = (
    *("--crop", "16", "--resize", "0", "--augmentation", "flip", "--batch-size", "2"),
    *("--epochs", "1", "--steps-per-epoch", "1", "--val-fraction", "0.25", "--quiet"),
)
PAIR = ("--peers", "a=unet", "b=unet")
SIZES = ("a.features=2", "a.levels=1", "b.features=3", "b.levels=1")
TRAIN = ("train", "mutual", "scenes", *SMALL, *PAIR, "--peer-options", *SIZES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``scenes``, pictures ``more`` without masks, and a run with twins, ``run``."""
    root = tmp_path_factory.mktemp("made")
    write_scenes(root / "scenes", "night\ndisk\nbar\n", count=4)
    (root / "more").mkdir()
    for number in range(4):
        Pillow.fromarray(scene(number)[0]).save(root / "more" / f"{number}.png")
    call = [*TRAIN, "--solo", "--out", str(root / "run")]
    call[call.index("scenes")] = str(root / "scenes")
    assert run_command(call) == 0
    return root


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        ("a.name=unet", 2, "peer 'a': network 'unet' does not take name: "),
        ("a.self=1", 2, "peer 'a': network 'unet' does not take self: "),
        ("a.weights=scenes", 1, "peer 'a': weights scenes are a folder"),
        ("a.weights=/dev/null", 1, "peer 'a': /dev/null is no file of weights"),
        ("a.weights=download", 2, "only smp: networks have published weights"),
        ("a.weights=scenes/images/0.png", 1, "0.png is no file of weights, accepted is"),
        ("a.weights=" + "x" * 5000, 1, "x... do not exist"),
        ("a.x=2020-13-45", 2, "the value in --peer-options 'a.x=2020-13-45' cannot be read"),
    ],
)
def test_options_of_a_peer(
    scenes: Path, here: Path, refused: Any, given: str, code: int, sentence: str
) -> None:
    said = refused(code, *TRAIN, given)
    assert sentence in said
    assert len(said) < 400
    assert not (here / "segmint-run").exists()


@pytest.mark.parametrize("option", ["name", "architecture", "encoder", "self"])
def test_the_name_of_a_zoo_network_says_which_it_is(
    scenes: Path, refused: Any, option: str
) -> None:
    call = ("train", "mutual", "scenes", *SMALL, "--peers", "a=smp:unet/resnet18", "unet")
    sentence = refused(2, *call, "--peer-options", f"a.{option}=x")
    assert f"peer 'a': network 'smp:unet/resnet18' does not take {option}: " in sentence


def test_a_run_in_the_working_folder(
    scenes: Path, here: Path, succeeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "deep").mkdir()
    monkeypatch.chdir(here / "deep")
    call = [*TRAIN, "--out", "."]
    call[call.index("scenes")] = str(scenes)
    succeeds(*call)
    succeeds("report", ".", "--quiet")
    assert f"--out {here / 'deep-again'}" in (here / "deep" / "report.html").read_text()
    assert list((here / "deep" / "networks").glob("*.safetensors"))


def changed(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = to

    return change


def without(section: str) -> Callable[[dict[str, Any]], None]:
    return lambda record: record["options"].pop(section)


def all_values(value: object) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        record["history"] = [dict.fromkeys(row, value) for row in record["history"]]

    return change


A_ALONE = {"a": "networks/a.safetensors"}
TWIN_IN_IT = {**A_ALONE, "a-solo": "networks/a-solo.safetensors"}


@pytest.mark.parametrize(
    ("damage", "entry"),
    [
        (without("peers"), "options.peers"),
        (without("mutual"), "options.mutual"),
        (without("loss"), "options.loss"),
        (changed("options", "mutual", "teacher", to=5), "options.mutual"),
        (changed("options", "mutual", "teacher", to="c"), "options.peers"),
        (changed("options", "mutual", "mutual_weight", to=10**400), "options.mutual"),
        (changed("options", "mutual", "solo", to=False), "peers"),
        (changed("options", "peers", "peers", to=5), "options.peers"),
        (changed("options", "peers", "peers", to=["a=unet"]), "options.peers"),
        (changed("options", "peers", "peers", to=["a=unet", "c=unet"]), "options.peers"),
        (changed("history", 0, to={"epoch": "x"}), "history"),
        (changed("history", 0, "epoch", to=None), "history"),
        (changed("history", 0, "loss", to=True), "history"),
        (changed("history", 0, "loss", to=10**400), "history"),
        (all_values(None), "history"),
        (all_values("s"), "history"),
        (all_values([1]), "history"),
        (changed("seed", to=-1), "seed"),
        (changed("peers", 0, "file", to="networks/b.safetensors"), "peers"),
        (changed("ensembles", "ensemble", "members", to=TWIN_IN_IT), "ensembles"),
        (changed("ensembles", "ensemble", "members", to=A_ALONE), "ensembles"),
    ],
)
def test_a_damaged_record_is_told_before_pictures_are_written(
    run: Path, refused: Any, damage: Callable[[dict[str, Any]], None], entry: str
) -> None:
    record = json.loads((run / "run.json").read_text())
    damage(record)
    (run / "run.json").write_text(json.dumps(record))
    sentence = refused(1, "report", "run", "--out", "r.html", "--quiet")
    assert f"is damaged or of another version (no usable {entry}): train again" in sentence
    assert not Path("r.png").exists()


def test_figures_that_were_not_finite_damage_nothing(run: Path, succeeds: Any) -> None:
    record = json.loads((run / "run.json").read_text())
    record["history"][0]["val_agreement"] = None
    (run / "run.json").write_text(json.dumps(record))
    succeeds("report", "run", "--quiet", "--examples", "0")


@pytest.mark.parametrize("normalization", ["dataset", "imagenet"])
def test_images_that_are_too_bright_for_the_arithmetic(
    run: Path, here: Path, refused: Any, normalization: str
) -> None:
    np.save(here / "huge.npy", np.full((20, 24, 3), 3e38, np.float32))
    said = refused(1, "predict", "run", "huge.npy", "--quiet")
    assert "huge.npy holds values up to 3e+38" in said
    call = (*TRAIN, "--unlabelled", "huge.npy", "--normalization", normalization)
    said = refused(1, *call)
    assert "segmint: huge.npy holds values up to 3e+38, which are too large after" in said
    advised = "or learn with --normalization dataset" in said
    assert advised == (normalization != "dataset")


def test_a_failure_leaves_no_folder_that_it_made(scenes: Path, here: Path, refused: Any) -> None:
    (here / "deep").mkdir()
    (here / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxxxx")
    refused(1, *TRAIN, "--unlabelled", "broken.png", "--out", "deep/er/out")
    assert (here / "deep").is_dir()
    assert not (here / "deep" / "er").exists()


def test_fewer_images_without_masks_than_processes(scenes: Path, refused: Any) -> None:
    said = refused(2, *TRAIN, "--unlabelled", "more/0.png", "--devices", "2")
    assert "more/0.png holds 1 image, but 2 processes share each batch: add some, or pass" in said


@pytest.mark.parametrize(
    "place", ["scenes/images", "scenes/masks/deep", "./scenes/../scenes/masks"]
)
def test_no_run_among_the_images(scenes: Path, refused: Any, place: str) -> None:
    before = sorted(scenes.rglob("*"))
    said = refused(2, *TRAIN, "--out", place)
    assert f"--out {Path(place)} lies inside the data set" in said
    assert "its pictures would be taken for images" in said
    assert sorted(scenes.rglob("*")) == before


def test_a_run_beside_the_images(scenes: Path, succeeds: Any) -> None:
    succeeds(*TRAIN, "--out", "scenes/run")
    succeeds("report", "scenes/run", "--quiet", "--examples", "0")


@pytest.mark.parametrize(("classes", "channels"), [(5, 3), (3, 1)])
def test_a_network_of_another_training(
    run: Path, refused: Any, classes: int, channels: int
) -> None:
    network = build("unet", in_channels=channels, classes=classes, features=2, levels=1)
    save_network(run / "networks" / "a.safetensors", network, name="unet")
    said = refused(1, "predict", "run", "scenes/images/0.png", "--peer", "a", "--quiet")
    kind = "5 classes, but the run has 3" if classes == 5 else "1 channels, but the run has 3"
    assert f"run/networks/a.safetensors is a network of {kind}" in said


@pytest.mark.parametrize("data", [None, 5, [np.zeros((8, 8))], np.zeros((8, 8))])
def test_data_that_are_no_folder(here: Path, data: Any) -> None:
    with pytest.raises(UsageError, match=r"data is .*, accepted is a folder"):
        segmint.train("mutual", data, out="out")
    assert not (here / "out").exists()


def test_peers_that_are_no_names(run: Path, refused: Any) -> None:
    bad: Any = 5
    with pytest.raises(UsageError, match="peer is 5, accepted is the name of a peer"):
        Run(run, peer=bad)
    said = refused(2, "predict", "run", "scenes/images/0.png", "--quiet", "--peer", "x" * 3000)
    assert len(said) < 300
