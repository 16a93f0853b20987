"""Large images: what the page shows of them, and results as ``--stream tiff`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.large_images import (
    draw_large_labels,
    is_large,
    overview_picture,
    predict_large,
    segment_large,
)
from segmint.app.errands.opened_runs import RunChoice
from segmint.app.errands.predicting import predict_picture
from segmint.app.views.scene_labels import write_scene_label_view
from segmint.app.views.view import read_label_png, view_size
from segmint.cli import run as run_command
from segmint.datasets.synthetic import write_cells
from segmint.errors import InputError, UsageError
from segmint.images import display_rgb, read_image, read_labels
from segmint.images.viewing import fullest_slice, upright
from segmint.methods.storage import read_record
from segmint.recipes.training import train

AFFINE = np.array([[0, 2.0, 0, 3], [-1.5, 0, 0, 1], [0, 0, 4, 2], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``photo.tif`` in tiles, ``stack.tif``, ``volume.nii`` and a run ``unet`` on grey images."""
    folder = tmp_path_factory.mktemp("large")
    rows, columns = np.mgrid[:150, :210] / 30
    waves = [np.sin(rows * k + columns) + np.cos(columns * k) for k in (0.7, 1.1, 1.7)]
    noise = np.random.default_rng(0).normal(0, 4, (150, 210, 3))
    photo = np.clip(np.stack(waves, axis=-1) * 60 + 128 + noise, 0, 255).astype(np.uint8)
    tifffile.imwrite(folder / "photo.tif", photo, tile=(64, 64), photometric="rgb")
    planes = np.moveaxis(photo, -1, 0)
    grey = np.concatenate([planes, planes[:2, ::-1]])
    tifffile.imwrite(folder / "stack.tif", grey, tile=(64, 64), photometric="minisblack")
    volume = np.moveaxis(grey[:3], 0, -1)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), folder / "volume.nii")
    write_cells(folder / "data", train=2, val=1, height=64, width=72, cells=6)
    small: dict[str, Any] = {"features": 2, "levels": 1, "crop": 32, "epochs": 1}
    train(
        "unet",
        folder / "data",
        out=folder / "unet",
        resize=0,
        batch_size=2,
        augmentation="none",
        precision="float32",
        **small,
    )
    return folder


def folders(place: Path) -> dict[str, str]:
    return {name: str(place / name) for name in ("fit", "result", "views")}


def segment(
    made: Path, place: Path, name: str, heard: Heard | None = None, **how: Any
) -> dict[str, Any]:
    how = {"method": "em-gmm", "options": {"components": 3}, **how}
    return segment_large(
        heard or Heard(), path=str(made / name), name=name, **folders(place), **how
    )


def command(made: Path, place: Path, *words: str) -> Path:
    call = [*words, "--out", str(place / "out"), "--quiet", "--stream", "tiff"]
    assert run_command(call) == 0
    return next((place / "out").iterdir())


def shown(place: Path, index: int) -> NDArray[np.int32]:
    return read_label_png((place / "views" / f"labels-{index:04d}.png").read_bytes())


def assert_same(result: Path, expected: Path) -> None:
    """The same files; labels hold a number that depends on where the image lies."""
    assert {file.name for file in result.iterdir()} == {file.name for file in expected.iterdir()}
    labels, others = (read_labels(folder / "labels.tif") for folder in (result, expected))
    np.testing.assert_array_equal(labels, others)
    for name in ("components.csv", "overlay.png"):
        assert (result / name).read_bytes() == (expected / name).read_bytes(), name
    told, said = (json.loads((folder / "result.json").read_text()) for folder in (result, expected))
    assert told["image"] == Path(said["image"]).name
    for record in (told, said):
        del record["seconds"], record["image"]
        record["options"].pop("run", None)
    assert told == said


@pytest.mark.parametrize("name", ["photo.tif", "stack.tif", "volume.nii"])
@pytest.mark.parametrize("method", ["em-gmm", "hybrid"])
def test_segmented_as_by_the_command_line(
    made: Path, tmp_path: Path, name: str, method: str
) -> None:
    facts = segment(made, tmp_path, name, method=method, options={"components": 3})
    words = ("segment", str(made / name), "--method", method, "--components", "3")
    assert_same(tmp_path / "result", command(made, tmp_path, *words))
    assert not facts["can_change"]
    assert facts["most_components"] is None
    assert not facts["has_probabilities"]
    labels = read_labels(tmp_path / "result" / "labels.tif")
    assert [row["pixels"] for row in facts["legend"]] == np.bincount(labels.ravel()).tolist()
    assert sum(row["fraction"] for row in facts["legend"]) == pytest.approx(1)
    assert facts["components"] == len(facts["legend"])
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("name", ["photo.tif", "stack.tif", "volume.nii"])
def test_predicted_as_by_the_command_line(made: Path, tmp_path: Path, name: str) -> None:
    if name == "photo.tif":
        tifffile.imwrite(tmp_path / name, read_image(made / name).pixels[..., 0], tile=(64, 64))
    path = tmp_path / name if name == "photo.tif" else made / name
    heard = Heard()
    facts = predict_picture(
        heard,
        path=str(path),
        name=name,
        places=[str(made / "unet")],
        precision="float32",
        large=True,
        **folders(tmp_path),
    )
    words = ("predict", str(made / "unet"), str(path), "--precision", "float32")
    assert_same(tmp_path / "result", command(made, tmp_path, *words))
    assert read_record(tmp_path / "result")["options"]["run"] == "unet"
    assert [row["name"] for row in facts["legend"]]
    assert len(heard.frames) == 1
    assert heard.told[-1][0] == heard.told[-1][1]


def test_a_preview_comes_first_and_blocks_are_told(made: Path, tmp_path: Path) -> None:
    heard = Heard()
    segment(made, tmp_path, "stack.tif", heard)
    (png, iteration, last), *others = heard.frames
    assert not others
    assert (iteration, last) == (0, None)
    labels = read_label_png(png)
    assert labels.shape == (150, 210)
    assert sorted(np.unique(labels)) == [0, 1, 2]
    assert heard.told == [(done, 5, "blocks") for done in range(6)]


def test_stopping_leaves_nothing_and_keeps_the_former_result(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"stopped: nothing of stack\.tif is kept"):
        segment(made, tmp_path, "stack.tif", Heard(stop_at=2))
    assert not (tmp_path / "fit").exists()
    assert not (tmp_path / "result").exists()
    segment(made, tmp_path, "stack.tif")
    former = (tmp_path / "fit" / "result.json").read_text()
    with pytest.raises(UsageError, match="stopped"):
        segment(made, tmp_path, "stack.tif", Heard(stop_at=2), options={"components": 2})
    assert (tmp_path / "fit" / "result.json").read_text() == former
    assert not (tmp_path / "fit" / ".unfinished").exists()
    with pytest.raises(UsageError, match="stopped"):
        segment(made, tmp_path / "more", "stack.tif", Heard(stop_at=0))
    assert not (tmp_path / "more" / "fit").exists()


def test_the_files_take_no_place_twice_and_tell_no_place(made: Path, tmp_path: Path) -> None:
    segment(made, tmp_path, "photo.tif")
    for file in (tmp_path / "result").iterdir():
        assert file.samefile(tmp_path / "fit" / file.name)
        assert str(made).encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"method": "slic", "options": {}}, "method 'slic' has to see the whole image at once"),
        ({"method": "felzenszwalb", "options": {}}, "has to see the whole image at once"),
        ({"scribbles": "scribbles.png"}, "em-gmm|scribbles are for images that are held in memory"),
        ({"max_memory": "100MiB"}, "give that"),
        ({"options": {"components": 0}}, "components is 0"),
    ],
)
def test_what_cannot_be_done(made: Path, tmp_path: Path, how: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        segment(made, tmp_path, "photo.tif", **how)
    assert not (tmp_path / "fit").exists()


def test_a_run_that_is_gone_is_named_without_its_folder(made: Path, tmp_path: Path) -> None:
    choice = RunChoice(places=(str(made / "absent"),))
    places = {name: Path(place) for name, place in folders(tmp_path).items()}
    with pytest.raises(InputError, match=r"^absent is not a finished run"):
        predict_large(
            Heard(), made / "stack.tif", "stack.tif", choice=choice, uncertainty=False, **places
        )


def test_slices_stand_upright(made: Path, tmp_path: Path) -> None:
    facts = segment(made, tmp_path, "volume.nii")
    labels = read_labels(tmp_path / "result" / "labels.tif")
    turned = upright(read_image(made / "volume.nii"))[1](labels)
    assert facts["slice"] == fullest_slice(turned)
    assert nibabel.aff2axcodes(AFFINE) == ("P", "R", "S")
    for index in range(3):
        draw_large_labels(tmp_path / "views", tmp_path / "fit", made / "volume.nii", index)
        found = shown(tmp_path, index)
        # The first axis leads to the back, which is below; the second to the right of the patient.
        np.testing.assert_array_equal(found, labels[index][:, ::-1])
        np.testing.assert_array_equal(found, turned[index])
        picture = overview_picture(made / "volume.nii", view=found.shape, plane=index)
        whole = upright(read_image(made / "volume.nii"))[0].pixels[index]
        np.testing.assert_array_equal(picture, display_rgb(whole))
    for index in (-1, 3):
        with pytest.raises(InputError, match=f"has no slice {index}, accepted is 0 to 2"):
            draw_large_labels(tmp_path / "views", tmp_path / "fit", made / "volume.nii", index)
        with pytest.raises(InputError, match="has no slice"):
            overview_picture(made / "volume.nii", view=(150, 210), plane=index)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "ARS", "PLI", "SAR", "ILP", "ASL"])
def test_every_direction(tmp_path: Path, codes: str) -> None:
    axes = nibabel.orientations.axcodes2ornt(codes)
    affine = np.eye(4)
    affine[:3, :3] = 0
    for column, (axis, sign) in enumerate(axes):
        affine[int(axis), column] = sign
    volume = np.random.default_rng(0).integers(0, 9, (7, 9, 2)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "x.nii")
    tifffile.imwrite(tmp_path / "labels.tif", np.moveaxis(volume, -1, 0), photometric="minisblack")
    write_scene_label_view(tmp_path / "views", tmp_path / "labels.tif", tmp_path / "x.nii", 1)
    image, turn = upright(read_image(tmp_path / "x.nii"))
    assert image.pixels.shape[1:3] == shown(tmp_path, 1).shape
    expected = turn(np.moveaxis(volume, -1, 0).astype(np.int32))[1]
    np.testing.assert_array_equal(shown(tmp_path, 1), expected)


class TestReduced:
    """Views are smaller than large images."""

    def test_labels_are_those_under_the_middle(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("segmint.app.views.scene_labels._BAND_PIXELS", 1)
        labels = np.random.default_rng(0).integers(0, 300, (1500, 2000)).astype(np.uint16)
        labels[:40] = 65535
        tifffile.imwrite(tmp_path / "labels.tif", labels, tile=(512, 512))
        write_scene_label_view(tmp_path / "views", tmp_path / "labels.tif", tmp_path / "labels.tif")
        height, width = view_size(1500, 2000)
        assert (height, width) == (1224, 1632)
        rows = [int((row + 0.5) * 1500 / height) for row in range(height)]
        columns = [int((column + 0.5) * 2000 / width) for column in range(width)]
        expected = labels[np.ix_(rows, columns)].astype(np.int32)
        expected[expected == 65535] = -1
        np.testing.assert_array_equal(shown(tmp_path, 0), expected)

    def test_pictures_look_like_the_image(self, tmp_path: Path) -> None:
        rows, columns = np.mgrid[:1800, :2400]
        smooth = np.stack([rows / 8, columns / 10, (rows + columns) / 20], axis=-1)
        tifffile.imwrite(tmp_path / "x.tif", smooth.astype(np.uint8), photometric="rgb")
        view = view_size(1800, 2400)
        found = overview_picture(tmp_path / "x.tif", view=view)
        assert found.shape == (*view, 3)
        whole = Pillow.fromarray(smooth.astype(np.uint8))
        expected = np.asarray(whole.resize(view[::-1], Pillow.Resampling.BOX)).astype(int)
        assert abs(found - expected).max() <= 2


@given(
    pixels=arrays.arrays(
        np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 65535)
    )
)
def test_small_pictures_are_the_image_itself(
    tmp_path_factory: pytest.TempPathFactory, pixels: NDArray[np.uint16]
) -> None:
    path = tmp_path_factory.mktemp("x") / "x.npy"
    np.save(path, pixels)
    found = overview_picture(path, view=(pixels.shape[0], pixels.shape[1]))
    np.testing.assert_array_equal(found, display_rgb(pixels))


def test_which_are_large(made: Path, tmp_path: Path) -> None:
    pixels = 150 * 210
    assert is_large(made / "photo.tif", pixels - 1)
    assert not is_large(made / "photo.tif", pixels)
    assert is_large(made / "stack.tif", 5 * pixels - 1)
    assert not is_large(made / "stack.tif", 5 * pixels)
    Pillow.new("L", (100, 100)).save(tmp_path / "x.png")
    assert not is_large(tmp_path / "x.png", 10)  # PNG is decoded whole
    (tmp_path / "x.tif").write_bytes(b"II*\0nothing")
    with pytest.raises(InputError, match="damaged"):
        is_large(tmp_path / "x.tif", 10)
