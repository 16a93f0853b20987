"""Mixtures from files to results: channels, volumes, prepared hearts, runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.datasets.myops import prepare_myops
from segmint.datasets.synthetic import write_hearts
from segmint.images import read_image, read_labels

Call = Callable[..., tuple[str, str]]
Refused = Callable[..., str]

DEEP = ("--features", "4", "--levels", "1", "--max-epochs", "2", "--learning-rate", "0.02")
QUICK = {"em-gmm": (), "em-svgmm": (), "deepg": DEEP, "deepsvg": DEEP}
AFFINE = np.diag([1.5, 1.5, 8.0, 1.0])
MAPS = {"probabilities.nii.gz", "entropy.nii.gz"}


def save(path: Path, volume: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    nibabel.save(nibabel.Nifti1Image(volume, affine), path)


def record(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture
def scan(here: Path) -> np.ndarray:
    """Two sequences of a volume (20, 24, 3) with its region, as NIfTI; the truth."""
    truth = np.zeros((20, 24, 3), int)
    truth[4:16, 4:12], truth[6:14, 14:21] = 1, 2
    noise = np.random.default_rng(0).normal(0, 0.2, (2, *truth.shape))
    save(here / "case_T1.nii.gz", (np.choose(truth, (0, 3, 3)) + noise[0]).astype(np.float32))
    save(here / "case_T2.nii.gz", (np.choose(truth, (0, 0, 4)) + noise[1]).astype(np.float32))
    region = np.zeros(truth.shape, np.uint8)
    region[1:19, 1:23] = 1
    save(here / "where.nii.gz", region)
    return truth


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three made-up patients, two for training, in crops of 64 x 64 pixels."""
    folder = tmp_path_factory.mktemp("hearts")
    write_hearts(folder / "source", patients=[101, 102, 109], slices=4, size=(160, 160), seed=3)
    prepare_myops(folder / "source", folder / "out", size=64, statistics_slices=3)
    return folder / "out"


@pytest.mark.parametrize("method", list(QUICK))
class TestChannels:
    def test_files_are_the_channels_of_one_image(
        self, here: Path, succeeds: Call, scan: np.ndarray, method: str
    ) -> None:
        output, _ = succeeds(
            "segment", "--channels", "case_T1.nii.gz", "case_T2.nii.gz", "--region",
            "where.nii.gz", "--method", method, "--components", "3", "--out", "out", *QUICK[method],
        )  # fmt: skip
        assert output == "1 segmented: results in out\n"
        folder = here / "out" / "case_T"
        names = {path.name for path in folder.iterdir()}
        assert names == MAPS | {
            "labels.nii.gz", "overlay.png", "components.csv", "mixture.csv", "history.png",
            "panels.png", "result.json",
        }  # fmt: skip
        found = record(folder)
        assert [row["id"] for row in found["mixture"]] == [0, 1, 2]
        assert "mean_T1" in found["mixture"][0]
        assert "nll" in found["history"][-1]
        volume = nibabel.load(folder / "probabilities.nii.gz")
        assert volume.shape == (20, 24, 3, 3)
        np.testing.assert_allclose(volume.affine, AFFINE)
        where = nibabel.load(here / "where.nii.gz").get_fdata() > 0
        np.testing.assert_allclose(volume.get_fdata().sum(axis=-1)[where], 1, rtol=1e-4)
        labels = np.moveaxis(read_labels(folder / "labels.nii.gz"), 0, -1)
        np.testing.assert_array_equal(labels >= 0, where)
        if method.startswith("em"):
            assert np.mean(labels[where] == scan[where]) > 0.95

    def test_no_maps(self, here: Path, succeeds: Call, scan: np.ndarray, method: str) -> None:
        succeeds("segment", "case_T1.nii.gz", "--method", method, "--skip-maps", *QUICK[method])
        names = {path.name for path in (here / "segmint-out" / "case_T1").iterdir()}
        assert not names & MAPS
        assert "mixture.csv" in names


class TestFormats:
    def test_pictures_as_channels(self, here: Path, succeeds: Call, photo: np.ndarray) -> None:
        for index, name in enumerate("rgb"):
            Pillow.fromarray(photo[..., index]).save(here / f"{name}.png")
        succeeds("segment", "--channels", "r.png", "g.png", "b.png", "--method", "em-gmm")
        succeeds("segment", "good.png", "--method", "em-gmm", "--out", "whole")
        np.testing.assert_array_equal(
            read_labels(here / "segmint-out" / "r" / "labels.png"),
            read_labels(here / "whole" / "good" / "labels.png"),
        )

    def test_stack_and_its_maps(self, here: Path, succeeds: Call, photo: np.ndarray) -> None:
        pages = np.stack([np.roll(photo[..., 0], step, axis=1) for step in range(5)])
        tifffile.imwrite(here / "five.tif", pages, photometric="minisblack")
        succeeds("segment", "five.tif", "--method", "em-gmm", "--components", "2")
        folder = here / "segmint-out" / "five"
        with tifffile.TiffFile(folder / "probabilities.tif") as file:
            assert sorted(zip(file.series[0].axes, file.series[0].shape, strict=True)) == [
                ("C", 2), ("X", 32), ("Y", 24), ("Z", 5),
            ]  # fmt: skip
        assert tifffile.imread(folder / "entropy.tif").shape == (5, 24, 32)

    def test_prepared_file_as_region(self, here: Path, succeeds: Call, prepared: Path) -> None:
        source = sorted((prepared / "test").iterdir())[0]
        image = read_image(source)
        np.save(here / "grey.npy", image.pixels[..., 0])
        call = ("segment", "grey.npy", "--method", "em-gmm", "--skip-maps", "--region", source)
        succeeds(*call)
        (folder,) = (here / "segmint-out").iterdir()
        (labels,) = folder.glob("labels.*")
        np.testing.assert_array_equal(read_labels(labels) >= 0, image.region)

    def test_skipped_when_finished(self, here: Path, succeeds: Call, scan: np.ndarray) -> None:
        call = ("segment", "--channels", "case_T1.nii.gz", "case_T2.nii.gz", "--method", "em-gmm")
        succeeds(*call)
        assert succeeds(*call)[0] == "0 segmented, 1 skipped: results in segmint-out\n"

    def test_components_by_the_criterion(
        self, here: Path, succeeds: Call, scan: np.ndarray
    ) -> None:
        _, errors = succeeds(
            "segment", "--channels", "case_T1.nii.gz", "case_T2.nii.gz", "--method", "em-gmm",
            "--components", "auto", "--max-components", "5",
        )  # fmt: skip
        assert "3 components" in errors


class TestBadInput:
    call = ("segment", "--method", "em-gmm", "--channels", "case_T1.nii.gz")

    def test_other_shape_or_place(self, here: Path, refused: Refused, scan: np.ndarray) -> None:
        save(here / "small.nii.gz", np.zeros((20, 23, 3), np.float32))
        message = refused(1, *self.call, "small.nii.gz")
        assert "case_T1.nii.gz" in message
        assert "small.nii.gz" in message
        moved = AFFINE.copy()
        moved[0, 3] = 4
        save(here / "moved.nii.gz", np.zeros((20, 24, 3), np.float32), moved)
        assert "4" in refused(1, *self.call, "moved.nii.gz")
        assert not (here / "segmint-out").exists()

    def test_absent_and_doubled(self, refused: Refused, scan: np.ndarray) -> None:
        assert "names a file twice" in refused(2, *self.call, "./case_T1.nii.gz")
        assert "case_T3.nii.gz does not exist" in refused(1, *self.call, "case_T3.nii.gz")
        assert "good.png is one too many" in refused(2, "segment", "good.png", *self.call[1:])

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("class,T1\na,1\nb,2\n", "means of 1 channels and the image has 2"),
            ("class,T1,T2\na,1\nb,2,3\n", "mu.csv"),
            ("class,T1,T2\na,1,nan\n", "finite"),
            ("", "mu.csv"),
        ],
    )
    def test_known_means(
        self, here: Path, refused: Refused, scan: np.ndarray, content: str, words: str
    ) -> None:
        (here / "mu.csv").write_text(content)
        assert words in refused(1, *self.call, "case_T2.nii.gz", "--mu-data", "mu.csv")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ("--components 256", "--components is 256, accepted is 1 to 255"),
            ("--components 0", "--components is 0, accepted is 1 to 255"),
            ("--components many", "accepted is a whole number (1 to 255) or auto"),
            ("--components auto --mu-data mu.csv", "exclude each other"),
            ("--min-components 9", "--min-components is 9, but --max-components is 8"),
            ("--covariance round", "--covariance is 'round': Known: diag"),
        ],
    )
    def test_options(self, refused: Refused, scan: np.ndarray, arguments: str, words: str) -> None:
        assert words in refused(2, *self.call, *arguments.split())

    def test_nothing_to_draw_to(self, refused: Refused) -> None:
        call = ("segment", "good.png", "--method", "deepsvg", "--lam", "1")
        assert "--lam is 1, but there are no means to draw to" in refused(2, *call)

    def test_nan_inside_the_region(self, here: Path, refused: Refused, scan: np.ndarray) -> None:
        volume = np.zeros((20, 24, 3), np.float32)
        volume[5, 5, 1] = np.nan
        save(here / "broken.nii.gz", volume)
        assert "holds 1 values that are NaN" in refused(
            1, "segment", "broken.nii.gz", "--method", "em-gmm"
        )

    def test_affine_that_places_nothing(self, here: Path, refused: Refused) -> None:
        for value in (np.nan, np.inf, 0.0):
            save(here / "flat.nii", np.zeros((4, 4, 4), np.float32))
            content = bytearray((here / "flat.nii").read_bytes())
            content[280:296] = np.array([value, 0, 0, 0], "<f4").tobytes()  # srow_x
            (here / "flat.nii").write_bytes(content)
            assert "affine that places no voxel" in refused(1, "segment", "flat.nii")

    def test_names_that_are_no_text(self, here: Path, succeeds: Call, photo: np.ndarray) -> None:
        names = [b"n\xff.png".decode("utf-8", "surrogateescape"), "other.png"]
        for name in names:
            Pillow.fromarray(photo[..., 0]).save(here / name)
        succeeds("segment", "--channels", *names, "--method", "em-gmm", "--out", "out")

    def test_name_that_is_too_long(self, here: Path, refused: Refused) -> None:
        assert "File name too long" in refused(
            1, "segment", "good.png", "--method", "deepg", "--save-model", "x" * 300
        )

    def test_name_on_two_lines(self, refused: Refused) -> None:
        assert "two\\nlines.png" in refused(1, "segment", "two\nlines.png")

    def test_help_of_the_options_that_were_meant(self, refused: Refused) -> None:
        call = ("segment", "good.png", "--method", "deepg", "--lam", "abc")
        assert "'segmint segment --method deepg --help'" in refused(2, *call)
        assert "'segmint train deepg --help'" in refused(2, "train", "deepg", "a", "--tol", "b")
        words = "'segmint data prepare --help'"
        assert words in refused(2, "data", "prepare", "myops", "a", "b", "--size", "c")

    def test_steps_that_are_far_too_large(
        self, here: Path, refused: Refused, prepared: Path
    ) -> None:
        call = ("train", "deepg", prepared, "--out", "run", "--learning-rate", "1e30", "--quiet")
        small = ("--features", "4", "--levels", "1", "--max-epochs", "1", "--augmentation", "none")
        assert "lower" in refused(1, *call, *small)
        assert not (here / "run" / "run.json").exists()

    def test_pickle_is_never_loaded(self, here: Path, refused: Refused) -> None:
        np.save(here / "mask.npy", np.array([{"a": 1}]), allow_pickle=True)
        assert "pickled" in refused(1, "segment", "mask.npy", "--method", "em-gmm")

    def test_prepared_file_of_another_version(
        self, here: Path, refused: Refused, prepared: Path
    ) -> None:
        with np.load(next((prepared / "test").iterdir()), allow_pickle=False) as file:
            arrays = dict(file)
        np.savez_compressed(here / "old.npz", **{**arrays, "format": "segmint prepared 9"})
        assert "segmint prepared 9" in refused(1, "segment", "old.npz", "--method", "em-gmm")


class TestPrepared:
    @pytest.mark.parametrize("method", list(QUICK))
    def test_segmented_and_scored(
        self, here: Path, succeeds: Call, prepared: Path, method: str
    ) -> None:
        known = ("--mu-data", prepared / "mu_data.csv")
        succeeds("segment", prepared / "test", "--method", method, *known, *QUICK[method])
        first = sorted((prepared / "test").iterdir())[0]
        folder = here / "segmint-out" / first.stem
        found, image = record(folder), read_image(first)
        assert found["names"] == {
            "0": "blood pool", "1": "myocardium", "2": "edema", "3": "scar",
        }  # fmt: skip
        assert found["options"]["normalization"] == "auto"
        assert (folder / "panels.png").is_file()
        assert image.region is not None
        np.testing.assert_array_equal(read_labels(folder / "labels.png") >= 0, image.region)
        output, _ = succeeds("evaluate", "segmint-out", prepared / "test", "--matching", "none")
        assert "mean Dice" in output
        assert "\nedema " in output
        assert "outside the region" not in output

    @pytest.mark.parametrize("recipe", ["deepg", "deepsvg"])
    def test_learned_and_applied(
        self, here: Path, succeeds: Call, prepared: Path, recipe: str
    ) -> None:
        known = ("--mu-data", prepared / "mu_data.csv")
        output, errors = succeeds(
            "train", recipe, prepared, "--out", "run", *known, *DEEP, "--min-epochs", "0"
        )
        train = len(list((prepared / "train").iterdir()))
        assert output.startswith(f"learned 4 components from {train} images in ")
        assert [line.split(",")[0] for line in errors.splitlines()] == ["epoch 1/2", "epoch 2/2"]
        run = json.loads((here / "run" / "run.json").read_text(encoding="utf-8"))
        assert run["options"]["mixture"]["lam"] is None
        assert {path.name for path in (here / "run").iterdir()} == {
            "checkpoints", "config.yaml", "log.csv", "log.txt", "network.safetensors", "run.json",
        }  # fmt: skip
        assert "prior_means" in run["history"][-1]
        assert not any("109" in Path(name).name for name in run["images"])
        succeeds("predict", "run", prepared / "test", "--out", "out")
        first = sorted((prepared / "test").iterdir())[0]
        folder = here / "out" / first.stem
        found = record(folder)
        assert found["names"]["3"] == "scar"
        assert "nll" in found["history"][-1]
        assert {"panels.png", "probabilities.tif", "entropy.tif"} <= {
            path.name for path in folder.iterdir()
        }

    def test_learned_without_known_means(
        self, here: Path, succeeds: Call, refused: Refused, prepared: Path
    ) -> None:
        call = ("train", "deepsvg", prepared, "--out", "run", *DEEP, "--augmentation", "none")
        assert "give --mu-data" in refused(2, *call, "--quiet", "--lam", "1")
        succeeds(*call, "--components", "3", "--quiet")
        succeeds("predict", "run", prepared / "test", "--out", "out")
        found = record(here / "out" / sorted((prepared / "test").iterdir())[0].stem)
        assert found["names"] == {}
        assert found["order"] == "by the mean of the first channel, least first"

    def test_same_seed_same_run(self, here: Path, succeeds: Call, prepared: Path) -> None:
        for name in ("a", "b"):
            succeeds("train", "deepg", prepared, "--out", name, *DEEP, "--quiet")
        first, second = ((here / name / "network.safetensors").read_bytes() for name in ("a", "b"))
        assert first == second

    def test_image_that_a_run_does_not_take(
        self, here: Path, succeeds: Call, prepared: Path, refused: Refused
    ) -> None:
        succeeds("train", "deepg", prepared, "--out", "run", *DEEP, "--quiet")
        assert "image has 1 channels, the run learned on 3" in refused(
            1, "predict", "run", self.grey(here), "--quiet"
        )
        assert "absent does not exist" in refused(1, "train", "deepg", "absent")

    def test_channels_in_another_order(
        self, here: Path, succeeds: Call, refused: Refused, prepared: Path
    ) -> None:
        succeeds("train", "deepg", prepared, "--out", "run", *DEEP, "--quiet")
        image = read_image(next((prepared / "test").iterdir()))
        for index, name in enumerate(image.channel_names):
            np.save(here / f"case_{name}.npy", image.pixels[..., index])
        order = [f"case_{name}.npy" for name in image.channel_names]
        call = ("predict", "run", "--channels")
        assert "those of the run are LGE, T2, C0" in refused(1, *call, *order[::-1])
        succeeds(*call, *order)
        _, errors = succeeds(*call, *order)
        assert "other options" not in errors

    @staticmethod
    def grey(folder: Path) -> Path:
        path = folder / "grey.png"
        Pillow.fromarray(np.zeros((20, 20), np.uint8)).save(path)
        return path
