from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.cli import run
from segmint.images import read_labels
from segmint.methods import methods

FAST = ("--method", "felzenszwalb", "--min-size", "4")
CLUSTERING = (
    "--method",
    "clustering",
    *("--features", "8", "--max-components", "8", "--iterations", "3"),
    *("--working-pixels", "0"),
)
DEEP = ("--features", "4", "--levels", "1", "--max-epochs", "2")
METHODS = {
    **{name: ("--method", name) for name in methods},
    "clustering": CLUSTERING,
    "deepg": ("--method", "deepg", *DEEP),
    "deepsvg": ("--method", "deepsvg", *DEEP),
    "kmeans": ("--method", "kmeans", "--components", "1"),
}
TRAINING = ("--features", "8", "--max-components", "6", "--epochs", "2", "--image-size", "16")


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def leftovers(folder):
    return sorted(path.name for path in folder.rglob(".partial-*"))


def full_disk(*arguments, **keywords):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def trained(here, succeeds, photo):
    """A folder of two images and a run that learned on them."""
    save(here / "photos" / "a.png", photo)
    save(here / "photos" / "b.png", photo[:, ::-1])
    succeeds("train", "clustering", "photos", "--out", "run", "--quiet", *TRAINING)
    return here / "run"


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("text.png", b"not a picture", "is not an image but text, accepted are PNG"),
            ("empty.png", b"", "is empty (0 bytes)"),
            ("bytes.tif", bytes(range(64)), "bytes of no known image format"),
        ],
    )
    def test_not_an_image(self, here, refused, name, content, words):
        (here / name).write_bytes(content)
        assert words in refused(1, "segment", name)
        assert not (here / "segmint-out").exists()

    @pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
    def test_cut_short(self, here, refused, photo, suffix):
        save(here / f"cut.{suffix}", photo)
        content = (here / f"cut.{suffix}").read_bytes()
        (here / f"cut.{suffix}").write_bytes(content[: len(content) // 2])
        assert "damaged, cut short or unusual" in refused(1, "segment", f"cut.{suffix}")

    def test_missing(self, here, refused):
        assert "god.png does not exist" in refused(1, "segment", "god.png")
        assert "did you mean 'good.png'?" in refused(1, "segment", "god.png")
        assert "check the folder and the name" in refused(1, "segment", "nowhere/x.png")
        assert "matches no image" in refused(1, "segment", "*.tif")
        assert "File name too long" in refused(1, "segment", "x" * 300)

    def test_folder_without_images(self, here, refused):
        (here / "empty").mkdir()
        assert "folder empty holds no image" in refused(1, "segment", "empty")
        assert "folder empty holds no image" in refused(1, "segment", "--path", "empty")

    def test_folder_that_cannot_be_listed(self, here, refused, monkeypatch):
        def forbidden(*arguments):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        (here / "closed").mkdir()
        monkeypatch.setattr("os.scandir", forbidden)
        assert "closed cannot be opened (Permission denied)" in refused(1, "segment", "closed")

    def test_nothing_named(self, here, refused):
        assert "no image was named" in refused(2, "segment")
        assert "an image name is empty" in refused(2, "segment", "")
        assert "--out is empty" in refused(2, "segment", "good.png", "--out", "")

    def test_larger_than_allowed(self, here, refused):
        assert "raise --max-pixels" in refused(1, "segment", "good.png", "--max-pixels", 10)


class TestUnusualImages:
    @pytest.mark.parametrize("method", list(METHODS))
    @pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (1, 40), (24, 32)])
    def test_tiny_and_constant(self, here, succeeds, method, height, width):
        save(here / "a.png", np.full((height, width, 3), 90, np.uint8))
        succeeds("segment", "a.png", *METHODS[method], "--quiet")
        labels = read_labels(here / "segmint-out" / "a" / "labels.png")
        assert labels.shape == (height, width)
        assert labels.min() == 0

    def test_fewer_colors_than_components(self, here, refused):
        save(here / "a.png", np.full((4, 4), 90, np.uint8))
        words = "--components is 8, more than the 1 distinct pixel values"
        assert words in refused(2, "segment", "a.png", "--method", "kmeans")

    @pytest.mark.parametrize("method", list(METHODS))
    def test_values_that_are_not_finite(self, here, refused, succeeds, photo, method):
        pixels = photo[..., 0].astype(np.float32)
        region = np.full(pixels.shape, 255, np.uint8)
        pixels[2, 3], pixels[2, 4], region[:4, :6] = np.nan, np.inf, 0
        tifffile.imwrite(here / "a.tif", pixels)
        save(here / "region.png", region)
        words = "a.tif holds 2 values that are NaN or infinite, accepted are finite numbers"
        assert words in refused(1, "segment", "a.tif", *METHODS[method])
        succeeds("segment", "a.tif", *METHODS[method], "--region", "region.png")
        labels = read_labels(here / "segmint-out" / "a" / "labels.png")
        assert np.array_equal(labels < 0, region == 0)

    @pytest.mark.parametrize("method", list(METHODS))
    @pytest.mark.parametrize("suffix", ["npy", "tif"])
    def test_a_hundred_channels(self, here, succeeds, method, suffix):
        pixels = np.random.default_rng(0).random((16, 20, 100)).astype(np.float32)
        if suffix == "npy":
            np.save(here / "a.npy", pixels)
        else:
            options = {"photometric": "minisblack", "planarconfig": "contig"}
            tifffile.imwrite(here / "a.tif", pixels, **options)
        succeeds("segment", f"a.{suffix}", *METHODS[method])
        assert read_labels(here / "segmint-out" / "a" / "labels.png").shape == (16, 20)


class TestScribblesAndRegions:
    @pytest.mark.parametrize("method", ["hybrid", "clustering"])
    def test_scribbles(self, here, refused, photo, method):
        marks = np.full(photo.shape[:2], 255, np.uint8)
        save(here / "none.png", marks)
        marks[2:5, 2:8] = 1
        save(here / "one.png", marks)
        marks[18:20, 2:8] = 2
        save(here / "small.png", marks[:9])
        call = ("segment", "good.png", *METHODS[method], "--scribbles")
        assert "hold no id beside 255" in refused(1, *call, "none.png")
        assert "hold only the id 1, at least two ids" in refused(1, *call, "one.png")
        size = refused(1, *call, "small.png")
        assert "scribbles have shape (9, 32) and the image (24, 32)" in size
        assert "--scribbles two.png does not exist" in refused(1, *call, "two.png")
        assert "JPEG" not in refused(1, *call, "nowhere")

    def test_more_components_than_scribbles(self, here, refused, photo):
        marks = np.full(photo.shape[:2], 255, np.uint8)
        marks[2, 2:8], marks[20, 2:8] = 1, 2
        save(here / "marks.png", marks)
        call = ("segment", "good.png", *CLUSTERING, "--scribbles", "marks.png", "--components", 5)
        assert "--components is 5, but the scribbles hold 2 ids" in refused(2, *call)

    def test_scribbles_for_a_method_that_takes_none(self, here, refused):
        words = refused(2, "segment", "good.png", *FAST, "--scribbles", "good.png")
        assert "takes no scribbles: use hybrid or clustering" in words

    def test_scribbles_for_a_stack(self, here, refused, photo):
        tifffile.imwrite(here / "a.tif", np.stack([photo[..., 0]] * 5), photometric="minisblack")
        marks = np.full(photo.shape[:2], 255, np.uint8)
        save(here / "marks.png", marks)
        words = refused(2, "segment", "a.tif", "--scribbles", "marks.png")
        assert "scribbles are for one image, not for a stack" in words

    @pytest.mark.parametrize("method", list(METHODS))
    def test_regions(self, here, refused, succeeds, photo, method):
        region = np.zeros(photo.shape[:2], np.uint8)
        save(here / "nowhere.png", region)
        save(here / "small.png", region[:9] + 1)
        region[5, 7] = 1
        save(here / "pixel.png", region)
        call = ("segment", "good.png", *METHODS[method], "--region")
        assert "marks no pixel" in refused(1, *call, "nowhere.png")
        size = refused(1, *call, "small.png")
        assert "region has shape (9, 32) and the image (24, 32)" in size
        succeeds(*call, "pixel.png")
        labels = read_labels(here / "segmint-out" / "good" / "labels.png")
        assert np.array_equal(labels, np.where(region, 0, -1))

    def test_folder_without_a_file_for_the_image(self, here, refused):
        (here / "masks").mkdir()
        words = refused(1, "segment", "good.png", *FAST, "--region", "masks")
        assert "masks holds no file for good.png" in words


class TestOptions:
    @pytest.mark.parametrize("method", ["hybrid", "clustering", "kmeans"])
    def test_components(self, here, refused, succeeds, method):
        call = ("segment", "good.png", *METHODS[method][:2], *METHODS[method][4:])
        assert "--components is 0, accepted is 1 or more" in refused(2, *call, "--components", 0)
        words = refused(2, *call, "--components", 100_000)
        assert "components is 100000" in words
        succeeds(*call, "--components", 1)
        assert not read_labels(here / "segmint-out" / "good" / "labels.png").any()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ("--method hybird", "unknown method 'hybird': did you mean 'hybrid'?"),
            ("--method=kmean", "did you mean 'kmeans'?"),
            ("--method", "--method needs a value"),
            ("--metod kmeans", "unknown option --metod: did you mean --method?"),
            ("--component 3", "did you mean --components?"),
            ("--components", "--components needs a value"),
            ("--components three", "--components is 'three', accepted is a whole number"),
            ("--components 2.5", "--components is '2.5', accepted is a whole number"),
            ("--components 3 --n-components 3", "given twice"),
            ("--fineness nan", "a finite number is needed"),
            ("--fineness much", "accepted is a number"),
            ("--seed -1", "--seed is -1, accepted is 0 to 4294967295"),
            ("--device gpu", "unknown device 'gpu': did you mean 'cpu'?"),
            ("--preset kim2020", "this method has none"),
            ("--method clustering --preset kim202", "did you mean 'kim2020'?"),
            ("--method slic --components 3", "but of --method hybrid, clustering, em-gmm"),
            ("--method clustering --components 200", "--max-components, with which learning"),
            ("--pages frist", "did you mean 'first'?"),
            ("--save-model a.bin", "learns no network to save: use clustering"),
        ],
    )
    def test_refused(self, here, refused, arguments, words):
        assert words in refused(2, "segment", "good.png", *arguments.split())
        assert sorted(path.name for path in here.iterdir()) == ["good.png"]

    def test_other_channels(self, here, refused):
        words = refused(1, "segment", "good.png", *CLUSTERING, "--n-channels", 5)
        assert "good.png: image has 3 channels and --n-channels is 5" in words

    def test_model_of_several_images(self, here, refused, photo):
        save(here / "b.png", photo)
        call = ("segment", "good.png", "b.png", *CLUSTERING, "--save-model", "m")
        assert "keeps the network of one image, but 2 were named" in refused(2, *call)

    def test_model_that_is_there(self, here, refused, succeeds):
        (here / "m").write_text("mine")
        call = ("segment", "good.png", *CLUSTERING, "--save-model")
        assert "m is there already: pass --overwrite" in refused(2, *call, "m")
        assert (here / "m").read_text() == "mine"
        (here / "folder").mkdir()
        assert "--save-model folder is a folder" in refused(2, *call, "folder")
        succeeds(*call, "m", "--overwrite")
        assert (here / "m").read_bytes() != b"mine"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (
                "frobnicate",
                "unknown command 'frobnicate': Known: app, compare, data, demo, evaluate",
            ),
            ("segmnt good.png", "did you mean 'segment'?"),
            ("--versoin", "unknown option '--versoin': did you mean '--version'?"),
            ("list methods", "list does not take 'methods'; 'segmint list --help'"),
            ("info --jsn", "did you mean --json? 'segmint info --help' shows all options"),
            ("recut a", "nothing was asked for"),
            ("recut --components 2", "no result was named"),
            ("train", "train needs a recipe and its data"),
            ("train clustering", "train needs data to learn from"),
            ("train clusterin photos", "did you mean 'clustering'?"),
            ("predict", "predict needs RUN"),
        ],
    )
    def test_other_commands(self, here, refused, arguments, words):
        assert words in refused(2, *arguments.split())


class TestOutput:
    def test_folder_that_cannot_be_made(self, here, refused):
        (here / "file").touch()
        assert "--out file is a file: name a folder" in refused(
            2, "segment", "good.png", "--out", "file"
        )
        words = refused(1, "segment", "good.png", "--out", "file/deep/out")
        assert "cannot make the folder file/deep/out: a folder of that path is a file" in words

    def test_result_folder_is_a_file(self, here, partly, photo):
        save(here / "b.png", photo)
        (here / "out").mkdir()
        (here / "out" / "good").write_text("mine")
        output, _, complaints = partly("segment", "good.png", "b.png", *FAST, "--out", "out")
        assert "out/good: it is a file; name a folder" in complaints[0]
        assert (here / "out" / "good").read_text() == "mine"
        assert output == ""

    @pytest.mark.parametrize(
        "place",
        [
            "PIL.Image.Image.save",
            "segmint.methods.segmentation.write_components_csv",
            "segmint.methods.segmentation.write_json",
            "numpy.savez_compressed",
        ],
    )
    def test_disk_full(self, here, partly, succeeds, photo, monkeypatch, place):
        """The first image is finished, the second meets a full disk, the third is not tried."""
        for name in ("1.png", "2.png", "3.png"):
            save(here / name, photo)
        succeeds("segment", "1.png", "--quiet")
        with monkeypatch.context() as patch:
            patch.setattr(place, full_disk)
            output, _, complaints = partly("segment", "1.png", "2.png", "3.png")
        assert len(complaints) == 1
        assert "2.png: cannot write segmint-out/2" in complaints[0]
        assert "the disk is full; free some space" in complaints[0]
        assert ".partial" not in complaints[0]
        assert output == "0 segmented, 1 skipped, 1 failed, 1 not tried: results in segmint-out\n"
        assert sorted(path.name for path in (here / "segmint-out").iterdir()) == ["1"]
        assert (here / "segmint-out" / "1" / "result.json").is_file()

    def test_disk_full_half_way_through_a_file(self, here, refused, monkeypatch):
        def half(self, content):
            with self.open("wb") as file:
                file.write(content[: len(content) // 2])
            full_disk()

        monkeypatch.setattr("pathlib.Path.write_bytes", half)
        call = ("segment", "good.png", *CLUSTERING)
        assert "the disk is full" in refused(1, *call, "--frames")
        assert "cannot write m: the disk is full" in refused(1, *call, "--save-model", "m")
        assert sorted(path.name for path in here.iterdir()) == ["good.png"]

    def test_old_result_stays_when_the_disk_is_full(self, here, refused, succeeds, monkeypatch):
        succeeds("segment", "good.png", *FAST)
        before = (here / "segmint-out" / "good" / "labels.png").read_bytes()
        monkeypatch.setattr("segmint.methods.segmentation.write_components_csv", full_disk)
        refused(1, "segment", "good.png", *FAST, "--scale", 1, "--overwrite")
        assert (here / "segmint-out" / "good" / "labels.png").read_bytes() == before
        assert leftovers(here) == []

    def test_disk_full_while_training(self, here, refused, succeeds, monkeypatch):
        call = ("train", "clustering", "good.png", "--out", "run", "--quiet", *TRAINING)
        with monkeypatch.context() as patch:
            patch.setattr("segmint.solvers.checkpoints.save_file", full_disk)
            assert "the disk is full" in refused(1, *call)
        assert sorted(path.name for path in here.iterdir()) == ["good.png"]
        with monkeypatch.context() as patch:
            patch.setattr("pathlib.Path.write_bytes", full_disk)
            words = refused(1, *call)
        assert "cannot write run/network.safetensors: the disk is full" in words
        assert leftovers(here) == []
        succeeds("train", "--resume", "run", "--quiet")

    def test_files_that_may_not_grow(self, here):
        """A limit of the system, which every writer meets inside its own library."""
        script = (
            "import resource, sys; from segmint.cli import run; "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY)); "
            "sys.exit(run(['segment', 'good.png', '--method', 'kmeans']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=False
        )
        assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200
        assert done.returncode == 1
        assert "cannot write segmint-out/good" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1
        assert sorted(path.name for path in here.iterdir()) == ["good.png"]

    def test_not_enough_memory(self, here, partly, photo, monkeypatch):
        from segmint.methods import felzenszwalb

        def hungry(*arguments):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

        save(here / "b.png", photo)
        monkeypatch.setattr(felzenszwalb.METHOD.segment, "__code__", hungry.__code__)
        _, _, complaints = partly("segment", "good.png", "b.png", *FAST)
        assert len(complaints) == 2
        assert "good.png: not enough memory for this image" in complaints[0]


class TestManyImages:
    @pytest.fixture
    def folder(self, here, photo):
        for name in ("1.png", "2.png", "10.png"):
            save(here / "photos" / name, photo)
        (here / "photos" / "2.png").write_text("not a picture")
        return here

    def test_one_bad_file_does_not_stop_the_others(self, folder, partly):
        output, lines, complaints = partly("segment", "photos", *FAST)
        where = "results in segmint-out, report in segmint-out/report.html"
        assert output == f"2 segmented, 1 failed: {where}\n"
        assert [line.split(":")[0] for line in lines] == [
            "[1/3] photos/1.png",
            "[2/3] photos/2.png",
            "[3/3] photos/10.png",
        ]
        assert lines[1].endswith(": failed")
        assert len(complaints) == 1
        assert "photos/2.png is not an image but text" in complaints[0]
        found = sorted(path.name for path in (folder / "segmint-out").iterdir())
        assert found == ["1", "10", "report.html"]

    def test_an_image_with_too_few_colors_does_not_stop_the_others(self, folder, partly):
        save(folder / "photos" / "1.png", np.zeros((4, 4), np.uint8))
        output, _, complaints = partly("segment", "photos", "--method", "kmeans")
        assert output.startswith("1 segmented, 2 failed")
        assert "photos/1.png: --components is 8" in complaints[0]

    def test_all_bad(self, folder, partly):
        (folder / "text.png").write_text("not a picture")
        output, _, complaints = partly("segment", "photos/2.png", "text.png")
        assert output == ""
        assert len(complaints) == 2
        assert not (folder / "segmint-out").exists()

    def test_failures_in_json(self, folder, capsys):
        assert run(["segment", "photos", *FAST, "--json", "--quiet"]) == 1
        answer = json.loads(capsys.readouterr().out)
        assert [result["image"] for result in answer["results"]] == [
            "photos/1.png",
            "photos/10.png",
        ]
        assert len(answer["failures"]) == 1

    def test_interrupt_keeps_what_is_finished(self, here, photo, succeeds):
        """Ctrl-C in a real process, half-way through a folder."""
        for index in range(40):
            save(here / "photos" / f"{index}.png", np.tile(photo, (10, 10, 1)))
        command = [sys.executable, "-m", "segmint", "segment", "photos", *FAST, "--threads", "1"]
        with subprocess.Popen(
            command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            out = here / "segmint-out"
            deadline = time.monotonic() + 60
            while not (out / "2" / "result.json").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in errors
        assert errors.splitlines()[-1] == (
            "segmint: stopped: what is finished is kept; run the same command again to go on"
        )
        finished = sorted(path.parent.name for path in out.rglob("result.json"))
        assert 3 <= len(finished) < 40
        beside = ["manifest.jsonl", "report.html"]
        assert sorted(path.name for path in out.iterdir()) == [*finished, *beside]
        # The one that was saved when the signal came may not be counted.
        assert int(output.split()[0]) in (len(finished), len(finished) - 1)
        output, _ = succeeds("segment", "photos", *FAST, "--quiet")
        counts = f"{40 - len(finished)} segmented, {len(finished)} finished before: "
        assert output.startswith(counts)

    def test_interrupt_before_the_first(self, here, refused, monkeypatch):
        def stop(*arguments, **keywords):
            raise KeyboardInterrupt

        monkeypatch.setattr("segmint.cli.image_work.read_image", stop)
        assert "run the same command again to go on" in refused(1, "segment", "good.png")
        words = refused(1, "segment", "good.png", "--overwrite")
        assert "run the same command again without --overwrite to go on" in words
        assert not (here / "segmint-out").exists()

    @pytest.mark.parametrize(
        "record", ['{"half": ', "[]", "{}", '{"labels": 3}', "", '{"labels": "../good.png"}']
    )
    def test_a_damaged_record_is_redone(self, here, succeeds, record):
        succeeds("segment", "good.png", *FAST)
        (here / "segmint-out" / "good" / "result.json").write_text(record)
        output, _ = succeeds("segment", "good.png", *FAST)
        assert output.startswith("1 segmented: ")
        answer = json.loads((here / "segmint-out" / "good" / "result.json").read_text())
        assert answer["method"] == "felzenszwalb"

    def test_lost_labels_are_redone(self, here, succeeds):
        succeeds("segment", "good.png", *FAST)
        (here / "segmint-out" / "good" / "labels.png").unlink()
        assert succeeds("segment", "good.png", *FAST)[0].startswith("1 segmented: ")

    def test_result_of_another_image_of_that_name(self, here, refused, succeeds, photo):
        save(here / "other" / "good.png", photo)
        succeeds("segment", "good.png", *FAST)
        words = refused(1, "segment", "other/good.png", *FAST)
        assert "segmint-out/good holds the result of good.png and not of other/good.png" in words
        succeeds("segment", "other/good.png", *FAST, "--overwrite")


class TestTrainAndPredict:
    def test_mixed_channels(self, here, refused, photo):
        save(here / "photos" / "a.png", photo)
        save(here / "photos" / "b.png", photo[..., 0])
        words = refused(1, "train", "clustering", "photos", *TRAINING, "--out", "run")
        assert "photos/b.png has 1 channels and photos/a.png 3" in words
        assert not (here / "run").exists()

    def test_empty_folder_and_missing_folder(self, here, refused):
        (here / "empty").mkdir()
        assert "holds no image" in refused(1, "train", "clustering", "empty")
        assert "does not exist" in refused(1, "train", "clustering", "nowhere")

    def test_unreadable_files_among_good_ones(self, here, partly, photo):
        for name in ("a", "b"):
            save(here / "photos" / f"{name}.png", photo)
        (here / "photos" / "bad.png").write_text("not a picture")
        nan = np.full((8, 8, 3), np.nan, np.float32)
        tifffile.imwrite(here / "photos" / "nan.tif", nan, photometric="rgb")
        output, _, complaints = partly(
            "train", "clustering", "photos", *TRAINING, "--out", "run", "--quiet"
        )
        assert "from 2 images" in output
        assert "photos/bad.png is not an image but text" in complaints[0]
        assert "photos/nan.tif holds 192 values that are NaN" in complaints[1]

    def test_no_readable_file(self, here, refused):
        for name in ("a", "b"):
            (here / f"{name}.png").write_text("not a picture")
        words = refused(1, "train", "clustering", "a.png", "b.png", "--out", "run")
        assert "a.png is not an image but text" in words
        assert "(1 other file failed too)" in words

    def test_training_options(self, here, refused):
        call = ("train", "clustering", "good.png", "--quiet", *TRAINING)
        assert "did you mean --features?" in refused(2, *call, "--featurs", 3)
        assert "--n-channels is 4" in refused(1, *call, "--n-channels", 4)
        assert "--components is 70, but --max-components" in refused(2, *call, "--components", 70)
        (here / "file").touch()
        assert "--out file is a file" in refused(2, *call, "--out", "file")
        words = refused(1, *call, "--out", "file/run")
        assert "cannot write file/run/config.yaml: a folder of that path is a file" in words
        assert sorted(path.name for path in here.iterdir()) == ["file", "good.png"]

    def test_interrupted_training(self, here, refused, monkeypatch):
        def stop(*arguments, **keywords):
            raise KeyboardInterrupt

        monkeypatch.setattr("segmint.solvers.clustering_folder.cluster_folder", stop)
        words = refused(1, "train", "clustering", "good.png", "--out", "run", *TRAINING)
        assert words.startswith("segmint: stopped: ")
        assert "run the same command again" in words
        assert sorted(path.name for path in here.iterdir()) == ["good.png"]

    def test_not_a_run(self, trained, refused):
        for place in ("photos", "nowhere", "good.png"):
            words = refused(1, "predict", place, "good.png")
            assert f"{place} is not a finished run (no readable run.json)" in words
        assert "no image was named" in refused(2, "predict", "run")

    @pytest.mark.parametrize("damage", ["cut", "lost", "text"])
    def test_damaged_network(self, trained, refused, damage):
        """Said once, whatever the number of images."""
        file = trained / "network.safetensors"
        content = {"cut": file.read_bytes()[:500], "text": b"not a network"}.get(damage)
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        words = refused(1, "predict", "run", "photos")
        what = "does not exist" if damage == "lost" else "is not a network written by segmint"
        assert f"run/network.safetensors {what}" in words

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"options": 3}, "no usable options"),
            ({"seed": "x"}, "no usable seed"),
            ({"recipe": "of another time"}, "no usable recipe"),
            ({"options": {"of another time": 1}}, "no usable options"),
            ({"options": {"clustering": {"of another time": 1}}}, "no usable options.clustering"),
            ({"numbers": "many"}, "do not fit each other"),
            ({"numbers": [0]}, "do not fit each other"),
            ({"numbers": [-1] * 6}, "do not fit each other"),
            ({"numbers": None}, "do not fit each other"),
            ({"channels": 4}, "do not fit each other"),
        ],
    )
    def test_damaged_record(self, trained, refused, change, words):
        record = json.loads((trained / "run.json").read_text())
        (trained / "run.json").write_text(json.dumps({**record, **change}))
        assert words in refused(1, "predict", "run", "photos")

    @pytest.mark.parametrize("record", ["", "[1]", "{}", '{"recipe": '])
    def test_damaged_record_file(self, trained, refused, record):
        (trained / "run.json").write_text(record)
        assert "run" in refused(1, "predict", "run", "photos")

    def test_image_of_other_channels(self, trained, partly, photo):
        save(trained.parent / "grey.png", photo[..., 0])
        output, _, complaints = partly("predict", "run", "grey.png", "good.png")
        assert output.startswith("1 segmented, 1 failed")
        assert "grey.png: image has 1 channels, the run learned on 3" in complaints[0]

    def test_values_that_are_not_finite(self, trained, refused):
        pixels = np.full((8, 8, 3), np.nan, np.float32)
        tifffile.imwrite(trained.parent / "nan.tif", pixels, photometric="rgb")
        words = refused(1, "predict", "run", "nan.tif")
        assert words.endswith("accepted are finite numbers: clean them\n")

    def test_tiny_image(self, trained, succeeds, photo):
        save(trained.parent / "tiny.png", photo[:1, :1])
        succeeds("predict", "run", "tiny.png", "--out", "out")
        assert read_labels(trained.parent / "out" / "tiny" / "labels.png").shape == (1, 1)


class TestRecut:
    @pytest.fixture
    def result(self, here, succeeds):
        succeeds("segment", "good.png", "--out", "out", "--quiet")
        return here / "out" / "good"

    def test_not_a_result(self, result, refused):
        for place in ("out", "nowhere", "good.png"):
            words = refused(1, "recut", place, "--components", 2)
            assert f"{place} is not a finished result (no readable result.json)" in words

    @pytest.mark.parametrize("components", [0, -1, 100_000])
    def test_components_out_of_range(self, result, refused, components):
        words = refused(2, "recut", "out/good", "--components", components)
        assert f"components is {components}" in words
        assert "ask for 1 to " in words
        assert sorted(path.name for path in result.parent.iterdir()) == ["good"]

    def test_result_without_a_tree(self, here, refused, succeeds):
        succeeds("segment", "good.png", *FAST)
        words = refused(2, "recut", "segmint-out/good", "--components", 2)
        assert "a result of 'felzenszwalb' has no merge tree" in words

    def test_result_that_is_there(self, result, refused, succeeds):
        succeeds("recut", "out/good", "--components", 2)
        words = refused(2, "recut", "out/good", "--components", 2)
        assert "out/good-2 is there already: pass --overwrite" in words
        succeeds("recut", "out/good", "--components", 2, "--overwrite")

    @pytest.mark.parametrize("content", [b"", b"text", None])
    def test_damaged_tree(self, result, refused, content):
        file = result / "hierarchy.npz"
        file.write_bytes(file.read_bytes()[:500] if content is None else content)
        words = refused(1, "recut", "out/good", "--components", 2)
        assert "hierarchy.npz is not a hierarchy written by segmint" in words

    def test_damaged_record(self, result, refused):
        (result / "result.json").write_text('{"labels": 5, "method": "hybrid"}')
        words = refused(1, "recut", "out/good", "--components", 2)
        assert "out/good/result.json is damaged (no usable labels, options, seed" in words

    def test_lost_labels(self, result, refused):
        (result / "labels.png").unlink()
        words = refused(1, "recut", "out/good", "--components", 2)
        assert "out/good has lost its labels.png" in words

    def test_one_bad_result_does_not_stop_the_others(self, result, partly):
        output, _, complaints = partly("recut", "nowhere", "out/good", "--components", 2)
        assert output == "2 components: result in out/good-2\n"
        assert "nowhere is not a finished result" in complaints[0]

    def test_output_that_cannot_be_written(self, result, refused):
        words = refused(1, "recut", "out/good", "--components", 2, "--out", "good.png/x")
        assert "cannot write good.png/x/good: a folder of that path is a file" in words


def test_as_a_program(here):
    done = subprocess.run(
        [sys.executable, "-m", "segmint", "segment", "nope.png"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "segmint: nope.png does not exist, accepted are image files, folders and patterns: "
        "check the folder and the name\n"
    )
