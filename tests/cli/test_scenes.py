from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.images import read_labels


@pytest.fixture(scope="module")
def shades():
    """An RGB picture (150, 210) of soft shapes with noise."""
    rows, columns = np.mgrid[:150, :210] / 30
    waves = [np.sin(rows * k + columns) + np.cos(columns * k) for k in (0.7, 1.1, 1.7)]
    noise = np.random.default_rng(0).normal(0, 4, (150, 210, 3))
    return np.clip(np.stack(waves, axis=-1) * 60 + 128 + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def learned(tmp_path_factory, shades):
    """Two runs of the same three classes, with different weights."""
    from segmint import train

    folder = tmp_path_factory.mktemp("learned")
    for number in range(4):
        image = shades[:64, number * 40 : number * 40 + 64]
        mask = np.digitize(image[..., 0], (100, 156)).astype(np.uint8)
        for what, pixels in (("images", image), ("masks", mask)):
            place = folder / "data" / "train" / what / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(pixels).save(place)
    for seed in (0, 1):
        train(
            "unet",
            folder / "data",
            out=folder / f"run{seed}",
            seed=seed,
            precision="float32",
            features=4,
            levels=2,
            steps=2,
            batch_size=2,
            crop=32,
        )
    return folder


@pytest.fixture
def tiled(here, shades):
    """The picture as a TIFF in tiles of 64x64 pixels."""
    path = here / "scene.tif"
    tifffile.imwrite(path, shades, tile=(64, 64), compression="zlib", photometric="rgb")
    return path


def record_of(folder):
    return json.loads((folder / "result.json").read_text())


def test_tiles_give_the_labels_of_the_whole_image(here, succeeds, learned, tiled):
    run = str(learned / "run0")
    options = ("--precision", "float32", "--quiet")
    succeeds("predict", run, "scene.tif", "--out", "whole", *options)
    succeeds(
        *("predict", run, "scene.tif", "--out", "tiles", *options),
        *("--stream", "tiff", "--tile", "64"),
    )
    whole = read_labels(here / "whole" / "scene" / "labels.png")
    np.testing.assert_array_equal(read_labels(here / "tiles" / "scene" / "labels.tif"), whole)
    assert record_of(here / "tiles" / "scene")["streamed"]
    assert sorted(path.name for path in (here / "tiles" / "scene").iterdir()) == [
        *("components.csv", "labels.tif", "overlay.png", "result.json"),
    ]


def test_views_and_runs_together_in_tiles(here, succeeds, learned, tiled):
    words = ("predict", str(learned / "run0"), "scene.tif", "--precision", "float32", "--quiet")
    several = ("--tta", "flips", "rotations", "scales", "--also", str(learned / "run1"))
    succeeds(*words, "--out", "whole", "--probabilities", *several)
    tiles = ("--stream", "zarr", "--tile", "64")
    succeeds(*words, "--out", "tiles", *tiles, *several)
    whole = read_labels(here / "whole" / "scene" / "labels.png")
    np.testing.assert_array_equal(read_labels(here / "tiles" / "scene" / "labels.zarr"), whole)
    alone = ("--out", "alone", "--probabilities")
    succeeds(*words, *alone)
    difference = tifffile.imread(here / "alone" / "scene" / "probabilities.tif") - tifffile.imread(
        here / "whole" / "scene" / "probabilities.tif"
    )
    assert abs(difference).max() > 1e-3
    assert record_of(here / "tiles" / "scene")["method"] == "ensemble of run of unet, run of unet"


@pytest.mark.parametrize("method", ["em-gmm", "hybrid"])
def test_methods_that_see_every_pixel_give_the_same_labels(here, succeeds, tiled, method):
    words = ("segment", "scene.tif", "--method", method, "--components", "4", "--quiet")
    succeeds(*words, "--out", "whole")
    succeeds(*words, "--out", "windows", "--stream", "tiff")
    whole = read_labels(here / "whole" / "scene" / "labels.png")
    found = read_labels(here / "windows" / "scene" / "labels.tif")
    np.testing.assert_array_equal(found, whole)


def test_what_does_not_fit_is_read_by_window(here, succeeds, tiled):
    words = ("segment", "scene.tif", "--method", "em-gmm", "--quiet")
    succeeds(*words, "--out", "out", "--max-pixels", "5000")
    assert (here / "out" / "scene" / "labels.tif").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-memory", "many"), "--max-memory is 'many', accepted is a size such as 2GiB"),
        (("--tta", "flip"), "--tta is 'flip': did you mean 'flips'"),
        (("--tile", "3"), "--tile is 3, accepted is 64 to 65536"),
        (("--stream", "tiff", "--max-memory", "100MiB"), "give at least"),
        (("--stream", "tiff", "--also", "{0}", "--uncertainty"), "--uncertainty needs the whole"),
    ],
)
def test_unusable_options(refused, learned, tiled, words, message):
    words = [word.format(learned / "run1") for word in words]
    assert message in refused(2, "predict", str(learned / "run0"), "scene.tif", *words)


def test_methods_that_need_the_whole_image_say_so(refused, tiled):
    said = refused(2, "segment", "scene.tif", "--method", "slic", "--stream", "tiff")
    assert "slic" in said
    assert "em-gmm" in said


def test_a_damaged_tile_is_named_or_left_out(here, succeeds, refused, learned, tiled):
    with tifffile.TiffFile(tiled) as file:
        place, length = file.pages[0].dataoffsets[5], file.pages[0].databytecounts[5]
    data = bytearray(tiled.read_bytes())
    data[place : place + length] = bytes(length)
    tiled.write_bytes(data)
    words = ("predict", str(learned / "run0"), "scene.tif", "--stream", "tiff", "--out", "out")
    said = refused(1, *words, "--quiet")
    assert "rows 64-127" in said.replace("to", "-").replace(" - ", "-") or "64" in said
    assert "--skip-bad" in said
    succeeds(*words, "--skip-bad", "--quiet")
    labels = read_labels(here / "out" / "scene" / "labels.tif")
    assert (labels[64:128, 64:128] == -1).all()
    assert (labels < 0).sum() == 64 * 64


def test_other_channels_than_those_of_training(here, refused, learned, shades):
    tifffile.imwrite(here / "grey.tif", shades[..., 0], tile=(64, 64))
    words = ("grey.tif", "--stream", "tiff", "--quiet")
    said = refused(1, "predict", str(learned / "run0"), *words)
    assert "has 1 channel" in said
    assert "learned on 3" in said
