"""The errand ``predict`` gives the files of ``segmint predict``, and views that fit them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands import opened_runs
from segmint.app.errands.opened_runs import RunChoice, described, opened, places_hidden
from segmint.app.errands.predicting import predict_picture
from segmint.app.views.maps import draw_map_view
from segmint.app.views.pixel_probabilities import pixel_probabilities
from segmint.app.views.view import read_label_png
from segmint.cli import run as run_command
from segmint.datasets.synthetic import write_cells
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images import read_image, read_labels
from segmint.images.viewing import upright
from segmint.recipes.run import Run
from segmint.recipes.training import train

SMALL: dict[str, Any] = {
    "dataset": "folder",
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 1,
    "augmentation": "none",
    "precision": "float32",
}
SIZES = ("a.features=2", "a.levels=1", "b.features=4", "b.levels=1")
AFFINE = np.array([[0, -1.5, 0, 3], [2.0, 0, 0, 1], [0, 0, -4, 2], [0, 0, 0, 1]])
"""Of a volume that does not stand upright in its file."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``unet``, ``mutual``, ``clustering`` and ``deepg``, and images."""
    folder = tmp_path_factory.mktemp("made")
    write_cells(folder / "data", train=2, val=2, height=64, width=72, cells=6)
    pair: dict[str, Any] = {"peers": ("a=unet", "b=unet"), "peer_options": SIZES}
    train("mutual", folder / "data", out=folder / "mutual", **SMALL, **pair)
    train("unet", folder / "data", out=folder / "unet", features=2, levels=1, **SMALL)
    photo = sorted((folder / "data" / "val" / "images").iterdir())[0]
    image = read_image(photo)
    few = {"features": 4, "max_components": 4, "epochs": 1, "image_size": 0}
    train("clustering", [image], out=folder / "clustering", precision="float32", **few)
    mixed: dict[str, Any] = {"features": 4, "levels": 1, "max_epochs": 1, "components": 3}
    train("deepg", [image], out=folder / "deepg", precision="float32", **mixed)
    Pillow.fromarray(image.pixels[..., 0]).save(folder / "photo.png")
    slices = np.stack([image.pixels[..., 0], image.pixels[::-1, :, 0], image.pixels[:, ::-1, 0]])
    tifffile.imwrite(folder / "stack.tif", np.concatenate([slices] * 2), photometric="minisblack")
    volume = np.moveaxis(slices, 0, -1)[:48]
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), folder / "volume.nii.gz")
    return folder


@pytest.fixture(scope="module")
def exported(made: Path) -> Path:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    call = ["export", str(made / "unet"), "--format", "onnx", "--out", str(made / "unet.onnx")]
    assert run_command(call) == 0
    return made / "unet.onnx"


def predict(made: Path, folder: Path, name: str, run: Path | str, **options: Any) -> dict[str, Any]:
    return predict_picture(
        Heard(),
        path=str(made / name),
        name=name,
        fit=str(folder / "fit"),
        result=str(folder / "result"),
        views=str(folder / "views" / "1"),
        places=[str(made / run)],
        **options,
    )


def command(made: Path, folder: Path, name: str, run: Path | str, *words: str) -> Path:
    call = ["predict", str(made / run), str(made / name), "--out", str(folder / "out"), "--quiet"]
    assert run_command([*call, *words]) == 0
    return next((folder / "out").iterdir())


def assert_same(result: Path, expected: Path) -> None:
    """All files are the same, but for the seconds, and where image and run lie."""
    assert {file.name for file in result.iterdir()} == {file.name for file in expected.iterdir()}
    for file in result.iterdir():
        if file.name != "result.json":
            assert file.read_bytes() == (expected / file.name).read_bytes(), file.name
    told, said = (json.loads((folder / "result.json").read_text()) for folder in (result, expected))
    assert told["image"] == Path(said["image"]).name
    for record in (told, said):
        del record["seconds"], record["image"]
        for place in {"run", "model"} & set(record["options"]):
            record["options"][place] = Path(record["options"][place]).name
    assert told == said
    assert list(told) == list(said)


CALLS: list[tuple[str, str, str, dict[str, Any], tuple[str, ...]]] = [
    ("unet", "photo.png", "unet", {}, ()),
    ("a stack", "stack.tif", "unet", {}, ()),
    ("a volume", "volume.nii.gz", "unet", {}, ()),
    ("views", "photo.png", "unet", {"tta": ["flips", "scales"]}, ("--tta", "flips", "scales")),
    ("sizes", "photo.png", "unet", {"tta": ["scales"], "tta_scales": [0.5]}, ()),
    ("a peer", "photo.png", "mutual", {"peer": "b"}, ("--peer", "b")),
    ("peers", "photo.png", "mutual", {"peer": "ensemble"}, ("--peer", "ensemble")),
    ("uncertain", "photo.png", "mutual", {"uncertainty": True}, ("--uncertainty",)),
    ("components", "photo.png", "clustering", {}, ()),
    ("a mixture", "photo.png", "deepg", {}, ()),
]


@pytest.mark.parametrize(
    ("name", "run", "options", "words"),
    [pytest.param(*call, id=title) for title, *call in CALLS],
)
def test_files_are_those_of_the_command_line(
    made: Path,
    tmp_path: Path,
    name: str,
    run: str,
    options: dict[str, Any],
    words: tuple[str, ...],
) -> None:
    if "tta_scales" in options:
        words = ("--tta", "scales", "--tta-scales", "0.5")
    facts = predict(made, tmp_path, name, run, precision="float32", **options)
    expected = command(made, tmp_path, name, run, "--precision", "float32", *words)
    assert_same(tmp_path / "result", expected)
    names = {file["name"]: file["bytes"] for file in facts["files"]}
    assert names == {file.name: file.stat().st_size for file in expected.iterdir()} | {
        "result.json": (tmp_path / "result" / "result.json").stat().st_size
    }


def test_an_exported_file(made: Path, exported: Path, tmp_path: Path) -> None:
    predict(made, tmp_path, "photo.png", exported)
    assert_same(tmp_path / "result", command(made, tmp_path, "photo.png", exported))


def test_several_runs_answer_together(made: Path, tmp_path: Path) -> None:
    places = [str(made / "unet"), str(made / "mutual")]
    folders = {name: str(tmp_path / name) for name in ("fit", "result", "views")}
    facts = predict_picture(
        Heard(), path=str(made / "photo.png"), name="photo.png", places=places, **folders
    )
    words = ("--also", str(made / "mutual"))
    expected = command(made, tmp_path, "photo.png", "unet", *words)
    labels = (tmp_path / "result" / "labels.png").read_bytes()
    assert labels == (expected / "labels.png").read_bytes()
    assert facts["method"] == "ensemble of run of unet, run of mutual"


def test_no_place_of_the_server_is_told(made: Path, tmp_path: Path) -> None:
    predict(made, tmp_path, "photo.png", "mutual", peer="ensemble", uncertainty=True)
    for file in (tmp_path / "result").iterdir():
        content = file.read_bytes()
        assert str(made).encode() not in content
        assert str(tmp_path).encode() not in content
    with pytest.raises(InputError) as caught:
        predict(made, tmp_path, "photo.png", "absent")
    assert str(made) not in str(caught.value)
    assert "absent is not a finished run" in str(caught.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/srv/runs/cells", "cells is damaged"),
        ("runs/cells/", "cells is damaged"),
        ("cells", "cells is damaged"),
        ("..", ".. is damaged"),
        (".", ". is damaged"),
    ],
)
def test_errors_speak_of_runs_by_their_names(place: str, said: str) -> None:
    with pytest.raises(InputError) as caught, places_hidden([place]):
        raise InputError(f"{Path(place)} is damaged")
    assert str(caught.value) == said


def test_results_speak_of_runs_by_their_names(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    members = [{"run": str(made / "unet"), "peer": "a"}, {"model": "files/unet.onnx"}]
    assert described({"members": members}) == {
        "members": [{"run": "unet", "peer": "a"}, {"model": "unet.onnx"}]
    }
    assert described({"run": ".", "tta": {"flips": True}}) == {
        "run": made.name,
        "tta": {"flips": True},
    }


def labels_of_view(folder: Path, index: int = 0) -> NDArray[np.int32]:
    return read_label_png((folder / "views" / "1" / f"labels-{index:04d}.png").read_bytes())


def test_the_legend_counts_every_class(made: Path, tmp_path: Path) -> None:
    facts = predict(made, tmp_path, "photo.png", "unet")
    run = Run(made / "unet")
    labels = read_labels(tmp_path / "result" / "labels.png")
    assert [row["name"] for row in facts["legend"]] == run.record["classes"]
    assert [row["id"] for row in facts["legend"]] == list(range(run.classes))
    for row, color in zip(facts["legend"], run.record["palette"], strict=True):
        assert row["pixels"] == (labels == row["id"]).sum()
        assert row["fraction"] == pytest.approx(row["pixels"] / labels.size)
        assert row["color"] == "#" + bytes(color).hex()
    assert facts["components"] == len(np.unique(labels))
    assert json.loads(json.dumps(facts)) == facts
    np.testing.assert_array_equal(labels_of_view(tmp_path), labels)
    assert not facts["can_change"]
    assert facts["most_components"] is None


def test_every_pixel_has_its_probabilities(made: Path, tmp_path: Path) -> None:
    facts = predict(made, tmp_path, "photo.png", "unet", precision="float32")
    expected = Run(made / "unet", precision="float32").segment(read_image(made / "photo.png"))
    assert expected.probabilities is not None
    assert facts["has_probabilities"]
    views = tmp_path / "views" / "1"
    for x, y in ((0, 0), (71, 63), (17, 40)):
        found = pixel_probabilities(views, x, y, 0)
        assert found == pytest.approx(expected.probabilities[:, y, x], abs=1e-3)
    names = [each["name"] for each in facts["maps"]]
    assert names == ["entropy", *(f"class-{each}" for each in range(len(expected.probabilities)))]
    assert facts["maps"][0]["high"] == pytest.approx(np.log2(len(expected.probabilities)))


def test_uncertainty_is_a_map_only_where_it_is_asked_for(made: Path, tmp_path: Path) -> None:
    facts = predict(made, tmp_path, "photo.png", "mutual", uncertainty=True)
    assert [each["name"] for each in facts["maps"]][:2] == ["entropy", "uncertainty"]
    drawn = draw_map_view(tmp_path / "views" / "1", "uncertainty")
    with Pillow.open(drawn) as picture:
        assert picture.size == (72, 64)
    stored = np.load(tmp_path / "views" / "1" / "map-uncertainty.npy")
    bits = tifffile.imread(tmp_path / "result" / "uncertainty.tif")
    np.testing.assert_allclose(stored[0], bits, atol=1e-3)
    facts = predict(made, tmp_path, "photo.png", "mutual")
    assert "uncertainty" not in [each["name"] for each in facts["maps"]]


def test_slices_of_a_volume_stand_upright(made: Path, tmp_path: Path) -> None:
    facts = predict(made, tmp_path, "volume.nii.gz", "unet", precision="float32")
    image = read_image(made / "volume.nii.gz")
    found = Run(made / "unet", precision="float32").segment(image)
    assert found.probabilities is not None
    # Of this affine the first axis of the file leads to the front and the second to the left
    # (rows to y+, columns to x-), so the front of the second is seen on the right.
    codes = nibabel.aff2axcodes(AFFINE)
    assert codes == ("A", "L", "I")
    rows, columns = 48, 72
    shown = labels_of_view(tmp_path, facts["slice"])
    assert shown.shape == (rows, columns)
    generator = np.random.default_rng(0)
    for y, x in generator.integers(0, (rows, columns), (20, 2)):
        voxel = (rows - 1 - y, x)  # front above, the patient's left on the right
        assert shown[y, x] == found.labels[facts["slice"], *voxel]
        for index in range(3):
            told = pixel_probabilities(tmp_path / "views" / "1", int(x), int(y), index)
            assert told == pytest.approx(found.probabilities[:, index, *voxel], abs=1e-3)
    _, turn = upright(image)
    np.testing.assert_array_equal(shown, turn(found.labels)[facts["slice"]])


def test_runs_stay_open_until_they_change(made: Path, tmp_path: Path) -> None:
    choice = RunChoice(places=(str(made / "unet"),), tta=("flips",))
    first = opened(choice)
    assert opened(choice) is first
    (made / "unet" / "network.safetensors").touch()
    again = opened(choice)
    assert again is not first
    for scale in (0.5, 0.75):
        opened(RunChoice(places=(str(made / "unet"),), tta=("scales",), tta_scales=(scale,)))
    assert len(opened_runs._opened) == opened_runs.MOST_OPEN
    assert opened(choice) is not again


@pytest.mark.parametrize(
    ("name", "run", "options", "words"),
    [
        ("photo.png", "unet", {"uncertainty": True}, ["--uncertainty"]),
        ("photo.png", "mutual", {"peer": "c"}, ["--peer", "c"]),
        ("photo.png", "clustering", {"tta": ["flips"]}, ["--tta", "flips"]),
        ("photo.png", "unet", {"device": "abacus"}, ["--device", "abacus"]),
        ("photo.png", "unet", {"tta": ["flip"]}, ["--tta", "flip"]),
        ("photo.png", "unet", {"tta_scales": [1e9]}, ["--tta-scales", "1e9"]),
        ("data/train/masks/none.png", "unet", {}, []),
    ],
)
def test_sentences_are_those_of_the_command_line(
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    run: str,
    options: dict[str, Any],
    words: list[str],
) -> None:
    with pytest.raises(SegmintError) as caught:
        predict(made, tmp_path, name, run, **options)
    call = ["predict", str(made / run), str(made / name), "--out", str(tmp_path / "out")]
    assert run_command([*call, *words]) != 0
    said = capsys.readouterr().err.removeprefix("segmint: ").replace("\n", " ").strip()
    said = said.replace(str(made / run), run)
    if name == "photo.png":
        assert re.sub(r"\s+", " ", said) == re.sub(r"\s+", " ", str(caught.value))
    else:
        assert "does not exist" in str(caught.value)
    assert not (tmp_path / "result").exists()


def test_an_image_of_other_channels(made: Path, tmp_path: Path) -> None:
    Pillow.new("RGB", (32, 32)).save(tmp_path / "color.png")
    with pytest.raises(InputError, match=r"has 3 channels.* learned on 1"):
        predict(tmp_path, tmp_path, "color.png", made / "unet")


def test_uncertainty_of_large_images_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--uncertainty needs the whole image"):
        predict(made, tmp_path, "stack.tif", "mutual", uncertainty=True, large=True)
