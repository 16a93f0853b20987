"""The errand ``segment`` writes the files of ``segmint segment``, and can be watched and ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parent))
from heard import Heard

from segmint.app.errands.segmenting import segment_picture
from segmint.app.views.pixel_probabilities import pixel_probabilities
from segmint.app.views.view import read_label_png
from segmint.cli import run
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images import Image, read_labels, write_prepared
from segmint.images.viewing import fullest_slice
from segmint.methods.storage import load_segmentation

SMALL = {"features": 8, "max_components": 8, "iterations": 3, "working_pixels": 200}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "hybrid": ("photo.png", "hybrid", {}),
    "so many components": ("photo.png", "hybrid", {"components": 3}),
    "clustering": ("photo.png", "clustering", SMALL),
    "kmeans": ("photo.png", "kmeans", {"n_components": 3}),
    "mixture": ("photo.png", "em-gmm", {"components": 3}),
    "varying mixture": ("photo.png", "em-svgmm", {"components": 2}),
    "network": ("grey.png", "deepg", {"max_epochs": 2, "features": 4, "levels": 2}),
    "felzenszwalb": ("photo.png", "felzenszwalb", {}),
    "16 bits": ("grey.png", "hybrid", {}),
    "stack": ("stack.tif", "hybrid", {"components": 2}),
    "mixture of a stack": ("stack.tif", "em-gmm", {"components": 2}),
    "prepared": ("slice.npz", "em-gmm", {}),
}


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """A folder with a photo, a grey image of 16 bits, a stack, a prepared slice and scribbles."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(20, 235, (3, 4, 3)), np.ones((8, 8, 1)))
    photo = np.clip(blocks + rng.normal(scale=4, size=blocks.shape), 0, 255).astype(np.uint8)
    folder = tmp_path / "upload"
    folder.mkdir()
    Pillow.fromarray(photo).save(folder / "photo.png")
    Pillow.fromarray(photo[..., 0].astype(np.uint16) * 200).save(folder / "grey.png")
    stack = np.stack([photo[..., 0], photo[::-1, :, 1], photo[..., 2]])
    tifffile.imwrite(
        folder / "stack.tif", stack, photometric="minisblack", metadata={"axes": "ZYX"}
    )
    marks = np.full(photo.shape[:2], 255, np.uint8)
    marks[2:5, 2:5], marks[18:22, 20:30], marks[3, 25:30] = 0, 4, 7
    Pillow.fromarray(marks).save(folder / "scribbles.png")
    region = np.zeros(photo.shape[:2], bool)
    region[3:20, 4:29] = True
    pixels = photo[..., :2].astype(np.float32)
    image = Image(
        pixels=pixels,
        region=region,
        mask=np.where(region, 0, 255).astype(np.int32),
        channel_names=("T1", "T2"),
        class_names=("wall",),
    )
    write_prepared(folder / "slice.npz", image)
    return folder


def segmented(upload: Path, name: str, heard: Heard | None = None, **how: Any) -> dict[str, Any]:
    root = upload.parent
    places = {part: str(root / part) for part in ("fit", "result", "views")}
    return segment_picture(
        heard or Heard(), path=str(upload / name), name=name, **places, device="cpu", **how
    )


def by_command(upload: Path, name: str, method: str, options: dict[str, Any]) -> Path:
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    out = upload.parent / "out"
    command = ["segment", str(upload / name), "--method", method, "--out", str(out), *words]
    assert run([*command, "--quiet", "--device", "cpu"]) == 0
    return out / name.partition(".")[0]


def without_times(record: dict[str, Any], keys: tuple[str, ...] = ("seconds",)) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def assert_same_files(mine: Path, theirs: Path, name: str, scribbles: str | None = None) -> None:
    names = sorted(path.name for path in theirs.iterdir())
    assert sorted(path.name for path in mine.iterdir()) == names
    for each in names:
        if each == "result.json":
            first, second = (json.loads((place / each).read_text()) for place in (mine, theirs))
            assert first.pop("image") == name
            assert Path(second.pop("image")).name == name
            assert first["options"].pop("scribbles") == scribbles
            second["options"].pop("scribbles")
            assert without_times(first) == without_times(second)
        elif each.endswith(".npz"):
            with np.load(mine / each) as first, np.load(theirs / each) as second:
                assert all(np.array_equal(first[key], second[key]) for key in second)
        else:
            assert (mine / each).read_bytes() == (theirs / each).read_bytes(), each


@pytest.mark.parametrize("case", CASES)
def test_files_are_those_of_the_command_line(upload: Path, case: str) -> None:
    name, method, options = CASES[case]
    facts = segmented(upload, name, method=method, options=options)
    theirs = by_command(upload, name, method, options)
    for mine in ("fit", "result"):
        assert_same_files(upload.parent / mine, theirs, name)
    files = [{"name": path.name, "bytes": path.stat().st_size} for path in sorted(theirs.iterdir())]
    own = [each for each in facts["files"] if each["name"] not in ("result.json", "hierarchy.npz")]
    assert own == [each for each in files if each["name"] not in ("result.json", "hierarchy.npz")]
    found, _ = load_segmentation(theirs)
    labels, index = found.labels, 0
    if labels.ndim == 3:
        index = fullest_slice(labels)
        labels = labels[index]
    assert facts["slice"] == index
    drawn = (upload.parent / "views" / f"labels-{index:04d}.png").read_bytes()
    np.testing.assert_array_equal(read_label_png(drawn), labels)
    counts = np.bincount(found.labels.ravel() + 1)[1:]
    assert [(row["id"], row["pixels"]) for row in facts["legend"]] == [
        (label, counts[label]) for label in np.flatnonzero(counts)
    ]
    assert facts["components"] == found.components
    assert sum(row["fraction"] for row in facts["legend"]) == pytest.approx(1)
    assert (facts["most_components"] is None) == (found.hierarchy is None)
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("method", ["hybrid", "clustering"])
def test_scribbles_are_those_of_the_command_line(upload: Path, method: str) -> None:
    options = SMALL if method == "clustering" else {}
    marks = upload / "scribbles.png"
    for _ in range(2):
        facts = segmented(upload, "photo.png", method=method, options=options, scribbles=str(marks))
    theirs = by_command(upload, "photo.png", method, {**options, "scribbles": marks})
    assert_same_files(upload.parent / "fit", theirs, "photo.png", "photo-scribbles.png")
    assert [row["id"] for row in facts["legend"]] == [0, 4, 7]
    assert facts["most_components"] is None


def test_probabilities_are_kept_for_the_page(upload: Path) -> None:
    facts = segmented(upload, "photo.png", method="em-gmm", options={"components": 3})
    assert facts["has_probabilities"]
    assert [each["name"] for each in facts["maps"]] == ["entropy", "class-0", "class-1", "class-2"]
    labels = read_labels(upload.parent / "fit" / "labels.png")
    shares = pixel_probabilities(upload.parent / "views", 5, 9, 0)
    assert shares is not None
    assert sum(shares) == pytest.approx(1, abs=2e-3)
    assert int(np.argmax(shares)) == labels[9, 5]
    assert not segmented(upload, "photo.png", method="hybrid")["has_probabilities"]


def test_learning_is_watched(upload: Path) -> None:
    heard = Heard()
    segmented(upload, "photo.png", heard, method="clustering", options=SMALL)
    assert heard.told[0] == (1, 3, "iterations")
    labels, iteration, last = heard.frames[0]
    assert (iteration, last) == (1, 3)
    assert read_label_png(labels).shape == (24, 32)


def test_what_is_watched_stands_upright(upload: Path) -> None:
    pixels = np.asarray(Pillow.open(upload / "photo.png"))[..., 0].astype(np.float32)
    np.save(upload / "plain.npy", pixels)
    # Rows lead to the left and columns to the back, which is across and down for the eye.
    nibabel.save(nibabel.Nifti1Image(pixels, np.diag([-1.0, -1.0, 1.0, 1.0])), upload / "scan.nii")
    frames = []
    for name in ("plain.npy", "scan.nii"):
        heard = Heard()
        segmented(upload, name, heard, method="clustering", options=SMALL)
        frames.append(read_label_png(heard.frames[0][0]))
    np.testing.assert_array_equal(frames[1], frames[0].T)


@pytest.mark.parametrize("scribbled", [False, True])
@pytest.mark.parametrize("name", ["photo.png", "slice.npz"])
def test_stopped_by_hand(upload: Path, name: str, scribbled: bool) -> None:
    how = {"scribbles": str(upload / "scribbles.png")} if scribbled else {}
    heard = Heard(stop_at=2)
    options = {**SMALL, "iterations": 500, "min_components": 1}
    facts = segmented(upload, name, heard, method="clustering", options=options, **how)
    assert facts["stopped"] == 3
    assert facts["notes"] == ["stopped by hand after iteration 3"]
    labels = read_labels(upload.parent / "result" / "labels.png")
    record = json.loads((upload.parent / "result" / "result.json").read_text())
    assert record["notes"][-1] == "stopped by hand after iteration 3"
    assert record["options"]["iterations"] == 500
    inside = np.ones(labels.shape, bool)
    if name == "slice.npz":
        inside[:] = False
        inside[3:20, 4:29] = True
    np.testing.assert_array_equal(labels >= 0, inside)
    if scribbled:
        marks = np.asarray(Pillow.open(upload / "scribbles.png"))
        known = inside & (marks != 255)
        np.testing.assert_array_equal(labels[known], marks[known])
    else:
        areas = np.bincount(labels[inside])
        assert (np.diff(areas) <= 0).all()


def bad_image(upload: Path, kind: str) -> Path:
    path = upload / "bad.npy"
    pixels = np.ones((9, 9), np.float32)
    if kind == "NaN":
        pixels[2, 3] = np.nan
        np.save(path, pixels)
    elif kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        np.save(path, pixels)
        path.write_bytes(path.read_bytes()[:150])
    return path


@pytest.mark.parametrize("kind", ["NaN", "text", "empty", "truncated"])
def test_a_bad_image_is_told_as_on_the_command_line(
    upload: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bad_image(upload, kind)
    with pytest.raises(InputError) as refused:
        segmented(upload, "bad.npy", method="hybrid")
    assert run(["segment", str(path), "--out", str(upload.parent / "out")]) != 0
    assert str(refused.value) in capsys.readouterr().err
    assert not (upload.parent / "fit").exists()


@pytest.mark.parametrize("kind", ["other size", "one id", "nothing", "everything", "color"])
def test_bad_scribbles_are_told_as_on_the_command_line(
    upload: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = np.full((24, 32), 255, np.uint8)
    if kind == "other size":
        marks = marks[:-1]
    elif kind == "one id":
        marks[3] = 2
    elif kind == "everything":
        marks[:12], marks[12:] = 0, 1
    elif kind == "color":
        marks = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    path = upload / "marks.png"
    Pillow.fromarray(marks).save(path)
    with pytest.raises(SegmintError) as refused:
        segmented(upload, "photo.png", method="hybrid", scribbles=str(path))
    photo = str(upload / "photo.png")
    out = str(upload.parent / "out")
    assert run(["segment", photo, "--scribbles", str(path), "--out", out]) != 0
    assert str(refused.value) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"method": "hybird"}, "did you mean 'hybrid'"),
        ({"method": "hybrid", "options": {"fineness": 2.0}}, "--fineness is 2.0"),
        ({"method": "hybrid", "options": {"save_model": "/x"}}, "cannot be set here"),
        ({"method": "deepg", "options": {"warm_start": "/etc/passwd"}}, "cannot be set here"),
        ({"method": "clustering", "preset": "kim"}, "unknown preset"),
        ({"method": "kmeans", "scribbles": "scribbles.png"}, "takes no scribbles"),
    ],
)
def test_what_cannot_be_asked_for(upload: Path, how: dict[str, Any], said: str) -> None:
    if "scribbles" in how:
        how = {**how, "scribbles": str(upload / how["scribbles"])}
    with pytest.raises(UsageError, match=said):
        segmented(upload, "photo.png", **how)


def test_one_pixel(upload: Path) -> None:
    Pillow.fromarray(np.zeros((1, 1, 3), np.uint8)).save(upload / "dot.png")
    facts = segmented(upload, "dot.png", method="hybrid")
    assert facts["legend"] == [
        {"id": 0, "name": "", "color": "#0072b2", "pixels": 1, "fraction": 1.0}
    ]
