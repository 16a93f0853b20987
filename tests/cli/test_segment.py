from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.cli import run
from segmint.images import OUTSIDE, color_of, read_labels, to_hex
from segmint.methods import methods

CLUSTERING = (
    "--method",
    "clustering",
    *("--features", "8", "--max-components", "8", "--iterations", "3"),
    *("--working-pixels", "0"),
)
FAST = ("--method", "felzenszwalb", "--min-size", "4")
FILES = ["components.csv", "labels.png", "overlay.png", "result.json"]


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def record(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


class TestResult:
    @pytest.mark.parametrize("method", list(methods))
    def test_files_agree_with_each_other(self, here, succeeds, photo, method):
        save(here / "region.png", np.pad(np.ones((20, 30), np.uint8), ((4, 0), (0, 2))))
        options = CLUSTERING if method == "clustering" else ("--method", method)
        if method.startswith("deep"):
            options += ("--features", "4", "--levels", "1", "--max-epochs", "2")
        output, errors = succeeds("segment", "good.png", *options, "--region", "region.png")
        folder = here / "segmint-out" / "good"
        labels = read_labels(folder / "labels.png")
        assert output == "1 segmented: results in segmint-out\n"
        counts = Counter(labels[labels >= 0].tolist())
        said = f"{len(counts)} component{'' if len(counts) == 1 else 's'} in "
        assert errors.startswith(f"[1/1] good.png: {said}")
        assert (labels == OUTSIDE).sum() == labels.size - 600
        if record(folder)["mixture"] is None:  # mixtures have an order of their own
            assert sorted(counts) == list(range(len(counts)))
            assert [counts[index] for index in range(len(counts))] == sorted(counts.values())[::-1]
        assert record(folder)["components"] == len(counts)
        assert record(folder)["method"] == method
        assert record(folder)["shape"] == list(labels.shape)
        assert record(folder)["image"] == "good.png"
        with (folder / "components.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["id"]) for row in rows] == sorted(counts)
        assert [int(row["pixels"]) for row in rows] == [counts[index] for index in sorted(counts)]
        assert [row["color"] for row in rows] == [
            to_hex(color_of(index)) for index in sorted(counts)
        ]

    def test_labels_are_a_palette_picture_of_the_ids(self, here, succeeds):
        succeeds("segment", "good.png", "--components", 3)
        with Pillow.open(here / "segmint-out" / "good" / "labels.png") as picture:
            assert picture.mode == "P"
            ids, colors = np.array(picture), np.array(picture.convert("RGB"))
        assert np.unique(ids).tolist() == [0, 1, 2]
        for index in range(3):
            assert (colors[ids == index] == color_of(index)).all()
        with Pillow.open(here / "segmint-out" / "good" / "overlay.png") as overlay:
            assert (overlay.mode, overlay.size) == ("RGB", (ids.shape[1], ids.shape[0]))

    def test_the_four_areas_of_the_picture(self, here, succeeds, photo):
        succeeds("segment", "good.png", "--method", "kmeans", "--components", 4)
        labels = read_labels(here / "segmint-out" / "good" / "labels.png")
        for area in (np.s_[:12, :16], np.s_[:12, 16:], np.s_[12:, :20], np.s_[12:, 20:]):
            assert len(np.unique(labels[area])) == 1

    def test_hierarchy_is_kept(self, here, succeeds):
        succeeds("segment", "good.png")
        assert names(here / "segmint-out" / "good") == sorted([*FILES, "hierarchy.npz"])

    def test_an_earlier_result_leaves_nothing_behind(self, here, succeeds):
        succeeds("segment", "good.png", *CLUSTERING, "--frames")
        folder = here / "segmint-out" / "good"
        assert names(folder) == sorted([*FILES, "hierarchy.npz", "progress.gif"])
        (folder / "notes.txt").write_text("mine")
        succeeds("segment", "good.png", *FAST, "--overwrite")
        assert names(folder) == sorted([*FILES, "notes.txt"])

    def test_json(self, here, succeeds):
        output, _ = succeeds("segment", "good.png", *FAST, "--json", "--quiet")
        answer = json.loads(output)
        assert answer["skipped"] == 0
        assert answer["failures"] == []
        (result,) = answer["results"]
        assert result.keys() == {"image", "result", "method", "components", "seconds", "notes"}
        assert result["result"] == "segmint-out/good"
        assert result["components"] == record(here / "segmint-out" / "good")["components"]

    def test_same_seed_same_labels(self, here, succeeds):
        for out in ("a", "b"):
            succeeds("segment", "good.png", *CLUSTERING, "--seed", 3, "--out", out)
        first, second = (read_labels(here / out / "good" / "labels.png") for out in ("a", "b"))
        assert np.array_equal(first, second)


class TestManyImages:
    def test_second_run_skips_and_overwrite_redoes(self, here, succeeds, photo):
        save(here / "photos" / "a.png", photo)
        save(here / "photos" / "b.png", photo)
        assert succeeds("segment", "photos", *FAST)[0].startswith("2 segmented: ")
        output, errors = succeeds("segment", "photos", *FAST)
        where = "results in segmint-out, report in segmint-out/report.html"
        assert output == f"0 segmented, 2 skipped: {where}\n"
        assert errors.splitlines()[0] == "[1/2] photos/a.png: finished before, skipped"
        assert len(errors.splitlines()) == 2
        _, errors = succeeds("segment", "photos", *FAST, "--scale", 50)
        assert errors.splitlines()[2] == (
            "2 skipped results made with other options: --overwrite redoes them"
        )
        output, _ = succeeds("segment", "photos", *FAST, "--scale", 50, "--overwrite")
        assert output.startswith("2 segmented: ")
        assert record(here / "segmint-out" / "a")["options"]["scale"] == 50

    def test_same_stem_twice(self, here, succeeds, photo):
        save(here / "a.png", photo)
        Pillow.fromarray(photo).save(here / "a.jpg")
        succeeds("segment", "a.png", "a.jpg", *FAST)
        assert names(here / "segmint-out") == ["a.jpg", "a.png", "report.html"]

    def test_folders_patterns_and_path(self, here, succeeds, photo):
        save(here / "photos" / "deep" / "a.png", photo)
        save(here / "photos" / "b.png", photo)
        (here / "photos" / "notes.txt").write_text("mine")
        assert succeeds("segment", "photos", *FAST, "--out", "1")[0].startswith("1 segmented")
        call = ("segment", "photos", *FAST, "--recursive", "--out", "2")
        assert succeeds(*call)[0].startswith("2 segmented")
        succeeds("segment", "photos/*.png", *FAST, "--out", "3")
        succeeds("segment", "b.png", "--path", "photos", *FAST, "--out", "4")
        succeeds("segment", "--path", "photos", *FAST, "--out", "5")
        for out in "1345":
            assert names(here / out) == ["b"]

    @pytest.mark.parametrize(
        "name",
        ["a b.png", "Δé日本.png", "[x].png", "a[1]*.png", "a'b\"c.png", "a[/b].png", ".hidden.png"],
    )
    def test_hostile_names(self, here, succeeds, photo, name):
        save(here / name, photo)
        succeeds("segment", name, *FAST)
        (folder,) = (here / "segmint-out").iterdir()
        assert record(folder)["image"] == name
        assert names(folder) == FILES


class TestFormats:
    @pytest.fixture
    def stack(self, here, photo):
        """A TIFF of five grey pages and one of three."""
        pages = np.stack([np.roll(photo[..., 0], step, axis=1) for step in range(5)])
        tifffile.imwrite(here / "five.tif", pages, photometric="minisblack")
        tifffile.imwrite(here / "three.tif", pages[:3], photometric="minisblack")
        return pages

    @pytest.mark.parametrize(
        ("name", "pages", "shape"),
        [
            ("five", "auto", (5, 24, 32)),
            ("five", "stack", (5, 24, 32)),
            ("five", "channels", (24, 32)),
            ("five", "first", (24, 32)),
            ("three", "auto", (24, 32)),
            ("three", "stack", (3, 24, 32)),
            ("three", "channels", (24, 32)),
            ("three", "first", (24, 32)),
        ],
    )
    def test_pages(self, here, stack, succeeds, name, pages, shape):
        succeeds("segment", f"{name}.tif", "--pages", pages, *FAST)
        folder = here / "segmint-out" / name
        file = folder / ("labels.tif" if len(shape) == 3 else "labels.png")
        assert read_labels(file).shape == shape
        assert record(folder)["shape"] == list(shape)
        assert record(folder)["labels"] == file.name

    def test_no_component_spans_two_slices(self, here, stack, succeeds):
        _, errors = succeeds("segment", "five.tif", *FAST)
        assert "5 slices segmented one by one: no component spans two slices" in errors
        labels = read_labels(here / "segmint-out" / "five" / "labels.tif")
        ids = [set(np.unique(page).tolist()) for page in labels]
        assert sum(map(len, ids)) == len(set.union(*ids))

    def test_nifti_comes_back_in_its_own_space(self, here, succeeds, photo):
        volume = np.stack([photo[..., 0], photo[..., 1]], axis=-1).astype(np.int16)
        affine = np.array([[0, 2, 0, 5], [3, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1.0]])
        nibabel.save(nibabel.Nifti1Image(volume, affine), here / "brain.nii.gz")
        succeeds("segment", "brain.nii.gz", *FAST)
        written = nibabel.load(here / "segmint-out" / "brain" / "labels.nii.gz")
        assert written.shape == volume.shape
        np.testing.assert_allclose(written.affine, affine)
        labels = read_labels(here / "segmint-out" / "brain" / "labels.nii.gz")
        assert np.array_equal(np.asarray(written.dataobj), np.moveaxis(labels, 0, -1))
        assert record(here / "segmint-out" / "brain")["spacing"] == [4, 3, 2]

    def test_sixteen_bits(self, here, succeeds, photo):
        tifffile.imwrite(here / "a.tif", photo[..., 2].astype(np.uint16) * 20)
        succeeds("segment", "a.tif", "--method", "kmeans", "--components", 4)
        labels = read_labels(here / "segmint-out" / "a" / "labels.png")
        expected = np.unique((photo[..., 2] // 32).astype(int)).size
        assert len(np.unique(labels)) == 4 <= expected + 1

    def test_more_than_254_components_come_back(self, here, succeeds):
        values = np.arange(20 * 20, dtype=np.uint16).reshape(20, 20) * 100
        tifffile.imwrite(here / "a.tif", values)
        succeeds("segment", "a.tif", "--method", "kmeans", "--components", 400, "--restarts", 1)
        labels = read_labels(here / "segmint-out" / "a" / "labels.png")
        assert len(np.unique(labels)) == 400


class TestScribbles:
    @pytest.fixture
    def marks(self, photo):
        marks = np.full(photo.shape[:2], 255, np.uint8)
        marks[4:6, 3:12], marks[16:18, 4:16] = 7, 3
        return marks

    @pytest.mark.parametrize("method", ["hybrid", "clustering"])
    def test_ids_are_kept(self, here, succeeds, marks, method):
        save(here / "marks.png", marks)
        options = CLUSTERING if method == "clustering" else ()
        succeeds("segment", "good.png", *options, "--scribbles", "marks.png")
        labels = read_labels(here / "segmint-out" / "good" / "labels.png")
        assert np.unique(labels).tolist() == [3, 7]
        assert np.array_equal(labels[marks != 255], marks[marks != 255])

    def test_a_result_without_them_is_another_result(self, here, succeeds, marks):
        save(here / "marks.png", marks)
        succeeds("segment", "good.png")
        _, errors = succeeds("segment", "good.png", "--scribbles", "marks.png")
        assert "made with other options" in errors
        succeeds("segment", "good.png", "--scribbles", "marks.png", "--overwrite")
        assert record(here / "segmint-out" / "good")["options"]["scribbles"] == "marks.png"

    def test_cannot_be_recut(self, here, succeeds, marks, capsys):
        save(here / "marks.png", marks)
        succeeds("segment", "good.png", "--scribbles", "marks.png")
        assert run(["recut", "segmint-out/good", "--components", "3"]) == 2
        assert "its components are those of the scribbles" in capsys.readouterr().err

    def test_colors_are_no_ids(self, here, marks, capsys):
        save(here / "marks.png", np.dstack([marks, marks // 2, marks // 3]))
        assert run(["segment", "good.png", "--scribbles", "marks.png"]) == 1
        assert "marks.png is a color picture" in capsys.readouterr().err

    def test_on_every_pixel(self, here, marks, capsys):
        save(here / "marks.png", np.where(marks == 255, 0, marks).astype(np.uint8))
        assert run(["segment", "good.png", "--scribbles", "marks.png"]) == 1
        assert "say with --unlabelled which value means unknown" in capsys.readouterr().err

    def test_folder_and_another_unlabelled_value(self, here, succeeds, photo, marks):
        save(here / "photos" / "a.png", photo)
        save(here / "photos" / "b.png", photo)
        save(here / "marks" / "a.png", np.where(marks == 255, 0, marks).astype(np.uint8))
        save(here / "marks" / "b_scribbles.png", np.where(marks == 255, 0, 9 - marks).astype("u1"))
        call = ("segment", "photos", *CLUSTERING, "--scribbles", "marks", "--unlabelled", 0)
        succeeds(*call)
        for name, ids in (("a", [3, 7]), ("b", [2, 6])):
            labels = read_labels(here / "segmint-out" / name / "labels.png")
            assert np.unique(labels).tolist() == ids


class TestWatching:
    def test_frames(self, here, succeeds):
        succeeds("segment", "good.png", *CLUSTERING, "--frames")
        with Pillow.open(here / "segmint-out" / "good" / "progress.gif") as film:
            assert film.n_frames == 3

    def test_show_without_a_display(self, here, succeeds, monkeypatch):
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        _, errors = succeeds("segment", "good.png", *CLUSTERING, "--show")
        assert "no display for --show: the frames go to progress.gif instead" in errors
        assert (here / "segmint-out" / "good" / "progress.gif").is_file()

    def test_method_without_steps(self, here, succeeds):
        _, errors = succeeds("segment", "good.png", *FAST, "--frames")
        assert "this method has no steps to watch" in errors
        assert names(here / "segmint-out" / "good") == FILES

    def test_stack(self, here, succeeds, photo):
        pages = np.stack([photo[..., 0]] * 5)
        tifffile.imwrite(here / "a.tif", pages, photometric="minisblack")
        _, errors = succeeds("segment", "a.tif", *FAST, "--frames")
        assert "--frames and --show watch one image, not a stack" in errors


def test_former_option_names(here, succeeds, photo, monkeypatch):
    """All of them, as they stand in old scripts."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    save(here / "photos" / "x.png", photo)
    former = (
        "--n_features 8 --n_classes 9 --min_classes 2 --n_convolutions 1 --batch_size 1 "
        "--learning_rate 0.05 --momentum 0.8 --epochs 4 --mu 1.5 --nu 2.5 --nu_x 0.5 --nu_y 0.25 "
        "--M 0.2 --m 0.3 --n_channels 3 --path photos --model_path x.safetensors --show"
    )
    succeeds("segment", "x.png", "--method", "clustering", *former.split())
    options = record(here / "segmint-out" / "x")["options"]
    expected = {
        "features": 8,
        "max_components": 9,
        "min_components": 2,
        "blocks": 1,
        "learning_rate": 0.05,
        "momentum": 0.8,
        "iterations": 4,
        "similarity_weight": 1.5,
        "continuity_weight": 2.5,
        "continuity_x": 0.5,
        "continuity_y": 0.25,
        "max_area_weight": 0.2,
        "min_area_weight": 0.3,
        "expected_channels": 3,
    }
    assert {name: options[name] for name in expected} == expected
    assert (here / "x.safetensors").is_file()


def test_preset_and_what_overrides_it(here, succeeds):
    call = ("segment", "good.png", *CLUSTERING, "--preset", "kim2020", "--nu", 2)
    succeeds(*call)
    options = record(here / "segmint-out" / "good")["options"]
    assert (options["preset"], options["continuity_weight"]) == ("kim2020", 2)
    assert (options["color_space"], options["iterations"]) == ("rgb", 3)


@pytest.mark.parametrize("method", list(methods))
def test_help_shows_the_options_of_the_method(capsys, monkeypatch, method):
    from segmint.cli import run

    monkeypatch.setenv("COLUMNS", "200")
    assert run(["segment", "photo.jpg", "--method", method, "--help"]) == 0
    output = capsys.readouterr().out
    assert f"Options of {method}" in output
    for name in methods.load(method).options.names():
        assert f"--{name.replace('_', '-')}" in output or f"--{name}" in output


def test_help_loads_nothing_heavy():
    script = (
        "import sys; from segmint.cli import run; code = run(['segment', '--help']); "
        "heavy = {'torch', 'scipy', 'skimage', 'sklearn', 'PIL', 'matplotlib'}; "
        "sys.exit(code or ', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
