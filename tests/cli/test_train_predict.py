from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.images import read_labels
from segmint.recipes.run import Run

TRAINING = ("--features", "8", "--max-components", "6", "--epochs", "3", "--image-size", "16")


@pytest.fixture
def run(here, succeeds, photo):
    """A run that learned on two images."""
    (here / "photos").mkdir()
    Pillow.fromarray(photo).save(here / "photos" / "a.png")
    Pillow.fromarray(photo[:, ::-1]).save(here / "photos" / "b.png")
    succeeds("train", "clustering", "photos", "--out", "run", *TRAINING)
    return here / "run"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_training_says_what_it_does(here, succeeds, photo):
    output, errors = succeeds("train", "clustering", "good.png", "--out", "run", *TRAINING)
    record = json.loads((here / "run" / "run.json").read_text())
    count = record["components"]
    assert output.startswith(f"learned {count} component{'' if count == 1 else 's'} from 1 image")
    assert output.endswith(": run in run\n")
    lines = errors.splitlines()
    assert lines == (here / "run" / "log.txt").read_text().splitlines()
    for row, line in zip(record["history"], lines, strict=True):
        assert line.startswith(f"epoch {row['epoch']:.0f}/3, step {row['step']:.0f}: loss ")
        assert f"val components {row['val_components']:.0f}, " in line
    assert names(here / "run") == [
        "checkpoints",
        "config.yaml",
        "log.csv",
        "log.txt",
        "network.safetensors",
        "run.json",
    ]
    assert record["images"] == ["good.png"]
    assert record["options"]["clustering"]["features"] == 8
    quiet = ("train", "clustering", "good.png", "--out", "again", "--quiet", *TRAINING)
    assert succeeds(*quiet)[1] == ""


def test_a_finished_run_is_kept(run, here, refused, succeeds):
    before = (run / "run.json").read_bytes()
    call = ("train", "clustering", "photos", "--out", "run", *TRAINING)
    assert "run holds a finished run: pass --overwrite" in refused(2, *call)
    assert (run / "run.json").read_bytes() == before
    succeeds(*call, "--seed", 5, "--overwrite")
    assert json.loads((run / "run.json").read_text())["seed"] == 5


def test_prediction_is_that_of_the_run(run, here, succeeds, photo):
    output, _ = succeeds("predict", "run", "photos", "--out", "out")
    assert output == "2 segmented: results in out\n"
    labels = read_labels(here / "out" / "a" / "labels.png")
    assert np.array_equal(labels, Run(run).predict(photo))
    record = json.loads((here / "out" / "a" / "result.json").read_text())
    assert record["method"] == "run of clustering"
    assert record["options"]["run"] == "run"
    assert names(here / "out" / "a") == [
        "components.csv",
        "labels.png",
        "overlay.png",
        "result.json",
    ]


def test_numbers_are_the_same_in_every_image(run, here, succeeds, photo):
    """An image and its mirror image have mirrored labels up to the border of the network."""
    succeeds("predict", "run", "photos", "--out", "out", "--precision", "float32")
    first, second = (read_labels(here / "out" / name / "labels.png") for name in "ab")
    assert set(np.unique(first)) & set(np.unique(second))


def test_second_prediction_skips_also_by_another_spelling(run, succeeds):
    succeeds("predict", "run", "photos")
    output, errors = succeeds("predict", "run/", "photos")
    assert output == "0 segmented, 2 skipped: results in segmint-out\n"
    assert "other options" not in errors


def test_exact_components(here, succeeds):
    call = ("train", "clustering", "good.png", "--quiet", *TRAINING, "--components", 2)
    assert succeeds(*call)[0].startswith("learned 2 components from 1 image in ")
    succeeds("predict", "segmint-run", "good.png", "--json")
    labels = read_labels(here / "segmint-out" / "good" / "labels.png")
    assert set(np.unique(labels)) <= {0, 1}


def test_stacks(here, succeeds, photo):
    pages = np.stack([photo[..., 0]] * 5)
    tifffile.imwrite(here / "a.tif", pages, photometric="minisblack")
    succeeds("train", "clustering", "a.tif", "--out", "run", "--quiet", *TRAINING)
    succeeds("predict", "run", "a.tif")
    labels = read_labels(here / "segmint-out" / "a" / "labels.tif")
    assert labels.shape == pages.shape
    assert (labels == labels[0]).all()


def test_former_option_names(here, succeeds):
    former = (
        "--n_features 8 --n_classes 6 --min_classes 2 --n_convolutions 1 --batch_size 2 "
        "--learning_rate 0.05 --momentum 0.8 --epochs 2 --mu 1.5 --nu 2.5 --nu_x 0.5 --nu_y 0.25 "
        "--M 0.2 --m 0.3 --n_channels 3 --image_size 16"
    )
    succeeds("train", "clustering", "good.png", *former.split(), "--out", "run")
    options = json.loads((here / "run" / "run.json").read_text())["options"]["clustering"]
    assert (options["blocks"], options["batch_size"], options["min_area_weight"]) == (1, 2, 0.3)


def test_help_shows_the_options_of_the_recipe(succeeds):
    output = succeeds("train", "clustering", "--help")[0]
    assert "─ Clustering ─" in output
    assert "--max-time" in output


def test_a_training_that_was_cut_off_goes_on(run, here, succeeds, refused):
    """As if it had been killed after its last checkpoint."""
    shutil.copytree(run, here / "half")
    (here / "half" / "run.json").unlink()
    (here / "half" / "network.safetensors").unlink()
    assert "'segmint train --resume half'" in refused(1, "predict", "half", "good.png")
    output, errors = succeeds("train", "--resume", "half")
    assert output.endswith("run in half\n")
    assert errors == ""
    for name in ("network.safetensors", "log.csv"):
        assert (here / "half" / name).read_bytes() == (run / name).read_bytes()


def test_a_configuration_reproduces_its_run(run, here, succeeds):
    succeeds("train", "--config", "run/config.yaml", "--out", "again", "--quiet")
    for name in ("network.safetensors", "log.csv"):
        assert (here / "again" / name).read_bytes() == (run / name).read_bytes()


def test_time_ends_a_training(here, succeeds):
    how = (*TRAINING[:-4], "--epochs", "100000", "--max-time", "0.3", "--min-components", "1")
    succeeds("train", "clustering", "good.png", "--out", "run", "--quiet", *how)
    assert json.loads((here / "run" / "run.json").read_text())["stopped"] == "max_time"


def test_learning_from_a_sample_of_a_list(here, succeeds, refused, partly, photo):
    (here / "photos").mkdir()
    for number in range(6):
        Pillow.fromarray(photo[:, ::-1] if number % 2 else photo).save(
            here / "photos" / f"{number}.png"
        )
    (here / "photos" / "2.png").write_bytes(b"no image")
    (here / "all.txt").write_text("".join(f"photos/{number}.png\n" for number in range(6)))
    call = ("train", "clustering", "all.txt", "--out", "run", "--sample", "3", *TRAINING)
    errors = partly(*call)[1:]
    assert errors[0][0] == "note: learning from a sample: 3 of 6 images"
    assert "2.png" in errors[1][0]
    record = json.loads((here / "run" / "run.json").read_text())
    assert [name.rpartition("photos/")[2] for name in record["images"]] == ["0.png", "4.png"]
    assert "\n  sample: 3\n" in (here / "run" / "config.yaml").read_text()
    (here / "run" / "run.json").unlink()  # as if it had been cut off at its end
    resumed = succeeds("train", "--resume", "run")[1]
    assert "note: left out, as before: photos/2.png" in resumed.replace(f"{here}/", "")
    again = json.loads((here / "run" / "run.json").read_text())
    assert len(again["images"]) == 2
    assert again["history"] == record["history"]
    said = refused(2, "train", "clustering", "all.txt", "--sample", "0")
    assert "--sample is 0, accepted is" in said
    assert "--sample" in refused(2, "train", "unet", "photos", "--sample", "3")
