"""``segmint evaluate`` with the scores of a field."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.io import savemat

from segmint import datasets
from segmint.cli import run as run_command
from segmint.datasets.synthetic import write_hearts
from segmint.images import write_labels, write_maps
from segmint.metrics import calibration, hd95, panoptic_quality
from segmint.recipes.protocol_scores import ProtocolChoice, case_of
from segmint.recipes.run import Run
from segmint.recipes.scoring import score_peers, score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import train

Succeeds = Callable[..., tuple[str, str]]
Refused = Callable[..., str]

SMALL: dict[str, Any] = {
    "resize": 0,
    "crop": 32,
    "batch_size": 2,
    "epochs": 1,
    "augmentation": "none",
    "features": 4,
    "levels": 1,
}
NUMBERS = np.zeros((40, 48), np.uint16)
NUMBERS[4:14, 5:16] = 1
NUMBERS[14:26, 5:16] = 300
NUMBERS[8:30, 28:44] = 255


def square(left: int) -> NDArray[np.uint8]:
    plane = np.zeros((30, 40), np.uint8)
    plane[5:20, left : left + 15] = 1
    return plane


def save(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


@pytest.fixture
def squares(here: Path) -> Path:
    """Two predictions moved by 3 and by 0 pixels, and their masks."""
    for name, left in (("a", 8), ("b", 5)):
        save(here / "labels" / f"{name}.png", square(left))
        save(here / "masks" / f"{name}.png", square(5))
    return here


def scores_of(output: str, name: str) -> dict[str, float]:
    return {row["name"]: row["value"] for row in json.loads(output)["protocols"][name]["scores"]}


class TestFiles:
    def test_table(self, squares: Path, succeeds: Succeeds) -> None:
        plain, _ = succeeds("evaluate", "labels", "masks", "--quiet")
        output, _ = succeeds("evaluate", "labels", "masks", "--protocol", "surfaces", "--quiet")
        assert output.startswith(plain.rpartition("\n2 images")[0])
        lines = output.splitlines()
        start = lines.index(next(line for line in lines if line.startswith("surfaces: ")))
        assert lines[start + 3].split() == ["HD95", "1.5000", "lower"]
        words = "mean over 1 class of their means over images"
        assert words in " ".join(" ".join(lines).split())
        assert "in pixels" in output

    def test_json_and_csv(self, squares: Path, succeeds: Succeeds) -> None:
        call = ("evaluate", "labels", "masks", "--protocol", "surfaces,instances", "--quiet")
        output, _ = succeeds(*call, "--json", "--csv", "scores.csv")
        answer = json.loads(output)
        assert list(answer["protocols"]) == ["surfaces", "instances"]
        assert scores_of(output, "surfaces")["hd95"] == 1.5
        assert scores_of(output, "surfaces")["hd95_1"] == 1.5
        assert [row["hd95"] for row in answer["images"]] == [3, 0]
        assert scores_of(output, "instances")["ap50"] == 1
        with (squares / "scores.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["hd95"]) for row in rows] == [3, 0]
        assert [float(row["panoptic_quality"]) for row in rows] == [12 / 18, 1]
        assert "protocols" not in json.loads(succeeds(*call[:3], "--quiet", "--json")[0])

    def test_spacing_and_tolerance(self, squares: Path, succeeds: Succeeds) -> None:
        call = ("evaluate", "labels", "masks", "--protocol", "surfaces", "--quiet", "--json")
        output, _ = succeeds(*call, "--spacing", "7,0.5")
        assert scores_of(output, "surfaces")["hd95"] == 0.75
        assert "in mm" in output
        near, _ = succeeds(*call, "--tolerance", "3")
        assert scores_of(near, "surfaces")["surface_dice"] == 1
        assert "at a tolerance of 3 in pixels" in near

    def test_classes_are_those_of_the_matching(self, squares: Path, succeeds: Succeeds) -> None:
        """Components 4 and 9 stand for the background and the square."""
        call = ("--protocol", "surfaces", "--quiet", "--json")
        expected, _ = succeeds("evaluate", "labels", "masks", *call)
        for name, left in (("a", 8), ("b", 5)):
            save(squares / "components" / f"{name}.png", square(left) * np.uint8(5) + np.uint8(4))
        for matching in ("hungarian", "hungarian-set", "greedy"):
            more = ("--matching", matching)
            output, _ = succeeds("evaluate", "components", "masks", *more, *call)
            assert scores_of(output, "surfaces") == scores_of(expected, "surfaces")

    def test_spacing_of_volumes_is_read(self, here: Path, succeeds: Succeeds) -> None:
        truth = np.zeros((20, 24, 6), np.uint8)
        truth[4:12, 4:12, 1:4] = 1
        for name, volume in (("labels", np.roll(truth, 1, axis=2)), ("mask", truth)):
            file = nibabel.Nifti1Image(volume, np.diag([0.5, 2.0, 3.0, 1.0]))
            nibabel.save(file, here / f"{name}.nii.gz")
        call = ("evaluate", "labels.nii.gz", "mask.nii.gz", "--protocol", "surfaces", "--quiet")
        output, _ = succeeds(*call, "--json")
        assert scores_of(output, "surfaces")["hd95"] == 3
        assert "in mm" in output
        other, _ = succeeds(*call, "--json", "--spacing", "1,1,7")
        moved = np.roll(truth, 1, axis=2)
        assert scores_of(other, "surfaces")["hd95"] == hd95(moved, truth, spacing=(1, 1, 7))

    @pytest.mark.parametrize("step", [0, np.nan, -2])
    def test_a_spacing_that_is_none_is_told(
        self, here: Path, succeeds: Succeeds, step: float
    ) -> None:
        truth = np.zeros((20, 24), np.uint8)
        truth[4:12, 4:12] = 1
        file = bytearray(nibabel.Nifti1Image(truth, np.eye(4)).to_bytes())
        file[80:84] = np.float32(step).tobytes()
        (here / "mask.nii").write_bytes(bytes(file))
        call = ("evaluate", "mask.nii", "mask.nii", "--protocol", "surfaces", "--quiet")
        output, _ = succeeds(*call, "--json")
        assert "in pixels (no spacing above 0 is known)" in output

    def test_calibration_of_result_folders(self, here: Path, succeeds: Succeeds) -> None:
        rng = np.random.default_rng(0)
        shares = rng.dirichlet([1, 1], (30, 40)).transpose(2, 0, 1).astype(np.float32)
        labels = shares.argmax(axis=0).astype(np.int32)
        (here / "out" / "a").mkdir(parents=True)
        write_labels(here / "out" / "a" / "labels", labels)
        write_maps(here / "out" / "a" / "probabilities", shares)
        save(here / "masks" / "a.png", square(5))
        call = ("evaluate", "out", "masks", "--protocol", "calibration", "--quiet", "--json")
        given, _ = succeeds(*call, "--matching", "none")
        found = calibration(shares, square(5))
        assert scores_of(given, "calibration") == pytest.approx(
            {
                "expected_calibration_error": found.expected_error,
                "maximum_calibration_error": found.maximum_error,
                "brier": found.brier,
                "negative_log_likelihood": found.negative_log_likelihood,
            }
        )

    def test_calibration_of_matched_components(self, here: Path, succeeds: Succeeds) -> None:
        """Components 2 and 0 stand for the values 0 and 200 of the mask, 1 for none."""
        shares = np.full((3, 30, 40), 0.1, np.float32)
        mask = square(5) * np.uint8(200)
        right = np.where(square(8) > 0, 0, 2)
        np.put_along_axis(shares, right[np.newaxis], 0.8, axis=0)
        (here / "out" / "a").mkdir(parents=True)
        write_labels(here / "out" / "a" / "labels", shares.argmax(axis=0).astype(np.int32))
        write_maps(here / "out" / "a" / "probabilities", shares)
        save(here / "masks" / "a.png", mask)
        call = ("evaluate", "out", "masks", "--protocol", "calibration", "--quiet", "--json")
        expected = calibration(shares, np.where(mask > 0, 0, 2))
        found = scores_of(succeeds(*call)[0], "calibration")
        assert found["brier"] == pytest.approx(expected.brier)
        assert found["expected_calibration_error"] == pytest.approx(expected.expected_error)
        save(here / "masks" / "a.png", mask // 2 * 2 + square(20))
        assert scores_of(succeeds(*call)[0], "calibration")["brier"] > expected.brier

    def test_broken_probabilities_leave_the_rest(
        self, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in (("a", 0.5), ("b", np.nan)):
            (here / "out" / name).mkdir(parents=True)
            write_labels(here / "out" / name / "labels", square(5).astype(np.int32))
            maps = np.full((2, 30, 40), value, np.float32)
            write_maps(here / "out" / name / "probabilities", maps)
            save(here / "masks" / f"{name}.png", square(5))
        call = ["evaluate", "out", "masks", "--protocol", "calibration", "--quiet", "--json"]
        assert run_command(call) == 1
        output = capsys.readouterr().out
        assert scores_of(output, "calibration")["brier"] == pytest.approx(0.5)
        (failure,) = json.loads(output)["failures"]
        assert failure.startswith("b is not scored by every protocol: the probabilities of b hold")

    @pytest.mark.parametrize("value", [0.5, 2.5, np.nan])
    def test_membranes_look_at_probabilities(
        self, here: Path, capsys: pytest.CaptureFixture[str], value: float
    ) -> None:
        (here / "out" / "a").mkdir(parents=True)
        write_labels(here / "out" / "a" / "labels", square(5).astype(np.int32))
        maps = np.full((2, 30, 40), value, np.float32)
        write_maps(here / "out" / "a" / "probabilities", maps)
        save(here / "masks" / "a.png", square(5))
        call = ["evaluate", "out", "masks", "--protocol", "membranes", "--quiet", "--json"]
        call += ["--matching", "none"]
        assert run_command(call) == (value != 0.5)
        answer = json.loads(capsys.readouterr().out)
        assert bool(answer["protocols"]["membranes"]["scores"]) == (value == 0.5)
        if value != 0.5:
            (failure,) = answer["failures"]
            assert f"the probabilities of a hold {value:g} in a pixel that counts" in failure

    def test_a_protocol_that_does_not_fit_leaves_the_rest(
        self, squares: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Several annotators fit boundaries, and no instances."""
        cells = np.empty((1, 2), object)
        for annotator in range(2):
            cells[0, annotator] = {"Segmentation": square(5).astype(np.uint16) + 1}
        for name in ("a", "b"):
            (squares / "masks" / f"{name}.png").unlink()
            savemat(squares / "masks" / f"{name}.mat", {"groundTruth": cells})
        call = ["evaluate", "labels", "masks", "--protocol", "instances,boundaries", "--quiet"]
        assert run_command([*call, "--json", "--csv", "scores.csv"]) == 1
        output = capsys.readouterr().out
        assert json.loads(output)["images"][1]["boundary_f"] == 1
        (failure,) = json.loads(output)["failures"]
        assert failure.startswith("--protocol instances cannot score a: 2 annotators drew segments")
        assert "boundary_f" in (squares / "scores.csv").read_text().splitlines()[0]

    @pytest.mark.parametrize("spacing", [[0, 1], ["a", 1], [1], 3, "12"])
    def test_a_damaged_spacing_leaves_the_rest(
        self, here: Path, capsys: pytest.CaptureFixture[str], spacing: Any
    ) -> None:
        for name in "ab":
            save(here / "photos" / f"{name}.png", square(5) * np.uint8(200))
            save(here / "masks" / f"{name}.png", square(5))
        call = ["segment", "photos", "--method", "kmeans", "--components", "2", "--out", "out"]
        assert run_command(call) == 0
        path = here / "out" / "b" / "result.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "spacing": spacing}))
        capsys.readouterr()
        call = ["evaluate", "out", "masks", "--protocol", "surfaces", "--quiet", "--json"]
        assert run_command(call) == 1
        answer = json.loads(capsys.readouterr().out)
        assert [row["hd95"] for row in answer["images"]] == [0, None]
        (failure,) = answer["failures"]
        assert failure.startswith("b is not scored by every protocol: out/b/result.json is damaged")
        assert run_command([*call, "--spacing", "1,2"]) == 0

    def test_no_probabilities(self, squares: Path, refused: Refused) -> None:
        call = ("evaluate", "labels", "masks", "--quiet", "--protocol", "calibration,surfaces")
        sentence = refused(1, *call)
        assert "--protocol calibration cannot score a: there are no probabilities" in sentence
        assert "segmint predict" in sentence

    def test_truth_that_counts_nowhere(self, squares: Path, succeeds: Succeeds) -> None:
        save(squares / "masks" / "b.png", np.full((30, 40), 255, np.uint8))
        call = ("evaluate", "labels", "masks", "--protocol", "surfaces", "--quiet", "--json")
        answer = json.loads(succeeds(*call)[0])
        assert answer["protocols"]["surfaces"]["notes"] == [
            "surfaces: 1 of 2 images not scored (b): it has no truth, or none that counts"
        ]
        assert [row["hd95"] for row in answer["images"]] == [3, None]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--protocol", "surfaxes"), "did you mean 'surfaces'"),
            (("--protocol", ","), "accepted are names joined by commas, or none"),
            (("--protocol", "surfaces", "--spacing", "1"), "two or three lengths above 0"),
            (("--protocol", "surfaces", "--spacing", "1,nan"), "two or three lengths above 0"),
            (("--protocol", "surfaces", "--spacing", "1,1,1"), "--spacing has 3 lengths"),
            (("--protocol", "surfaces", "--spacing", "1,1e308"), "two or three lengths above 0"),
            (("--protocol", "surfaces", "--tolerance", "-1"), "tolerance"),
            (("--protocol", "none,surfaces"), "accepted are names joined by commas, or none alone"),
            (("--spacing", "1,1"), "--spacing is of surfaces, which are not scored here"),
            (("--protocol", "instances", "--tolerance", "2"), "add --protocol instances,surfaces"),
        ],
    )
    def test_what_is_refused(
        self, squares: Path, refused: Refused, arguments: tuple[str, ...], words: str
    ) -> None:
        assert words in refused(2, "evaluate", "labels", "masks", "--quiet", *arguments)


@pytest.fixture(scope="module")
def nuclei(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nuclei in ``data`` and a run ``unet`` that learned little of them."""
    folder = tmp_path_factory.mktemp("nuclei")
    rng = np.random.default_rng(0)
    for name in "abcdef":
        gray = (60 + 120 * (NUMBERS > 0)).astype(np.int64)
        noisy = (gray[..., np.newaxis] + rng.integers(-9, 9, (*NUMBERS.shape, 3))).astype(np.uint8)
        save(folder / "data" / "images" / f"{name}.png", noisy)
        save(folder / "data" / "labels" / f"{name}.png", NUMBERS)
    train("unet", folder / "data", out=folder / "unet", dataset="nuclei", **SMALL)
    return folder


class TestRun:
    def test_scores_of_its_field(self, nuclei: Path, here: Path, succeeds: Succeeds) -> None:
        call = ("evaluate", nuclei / "unet", "--quiet")
        output, _ = succeeds(*call, "--json", "--csv", "scores.csv")
        run = Run(nuclei / "unet")
        val = open_again(run)
        expected = [
            panoptic_quality(datasets.nuclei.nuclei_of(run.predict(sample.image)), NUMBERS)
            for sample in val
        ]
        found = scores_of(output, "instances")
        total = sum(expected[1:], expected[0])
        np.testing.assert_equal(found["panoptic_quality"] or 0.0, total.quality)
        answer = json.loads(output)
        assert answer["without_truth"] == []
        assert {"mean_iou", "aji"} <= set(next(iter(answer["images"].values())))
        with (here / "scores.csv").open(encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert header[-7:] == list(found)
        assert [len(row) for row in rows] == [len(header)] * len(val)
        assert "\ninstances: " in succeeds(*call)[0]

    def test_none_leaves_them_out(self, nuclei: Path, succeeds: Succeeds) -> None:
        call = ("evaluate", nuclei / "unet", "--quiet", "--protocol", "none")
        assert "instances" not in succeeds(*call)[0]
        assert json.loads(succeeds(*call, "--json")[0])["protocols"] == {}

    def test_more_are_added(self, nuclei: Path, succeeds: Succeeds) -> None:
        more = ("--protocol", "calibration,surfaces")
        output, _ = succeeds("evaluate", nuclei / "unet", "--quiet", "--json", *more)
        assert list(json.loads(output)["protocols"]) == ["instances", "calibration", "surfaces"]
        run = Run(nuclei / "unet")
        val = open_again(run)
        parts = [
            calibration(run.segment(sample.image).probabilities, sample.mask) for sample in val
        ]
        total = sum(parts[1:], parts[0])
        found = scores_of(output, "calibration")
        assert found["brier"] == pytest.approx(total.brier)
        assert found["expected_calibration_error"] == pytest.approx(total.expected_error)
        names = set(scores_of(output, "surfaces"))
        assert "hd95" in names
        assert "hd95_background" not in names

    def test_options_that_do_not_fit(self, nuclei: Path, refused: Refused) -> None:
        call = (2, "evaluate", nuclei / "unet", "--quiet")
        assert "--tolerance is of surfaces" in refused(*call, "--tolerance", "2")
        words = "add --protocol instances,surfaces, or leave it out"
        assert words in refused(*call, "--spacing", "1,1")
        more = ("--protocol", "surfaces", "--spacing", "1,1,1")
        assert "give two lengths" in refused(*call, *more)

    def test_predictions_are_classes_and_no_objects(
        self, nuclei: Path, here: Path, succeeds: Succeeds, refused: Refused
    ) -> None:
        succeeds("predict", nuclei / "unet", nuclei / "data/images", "--out", "out", "--quiet")
        for name in "abcdef":
            save(here / "masks" / f"{name}.png", (NUMBERS > 0).astype(np.uint8))
        call = ("evaluate", "out", "masks", "--quiet", "--protocol", "instances")
        assert "score the run by 'segmint evaluate RUN DATA'" in refused(1, *call)

    def test_one_pass_scores_everything(self, nuclei: Path) -> None:
        run = Run(nuclei / "unet")
        val = open_again(run)
        alone, together = score_run(run, val), score_run(run, val, protocols=val.protocols)
        np.testing.assert_array_equal(alone.confusion.counts, together.confusion.counts)
        assert (alone.protocols, alone.protocol_rows, alone.protocol_values()) == ((), [], {})
        assert next(iter(together.protocol_values())) == "ap50"
        assert set(together.image_protocol_values()) == set(together.images)
        (peers,) = score_peers(run, val, protocols=("instances",)).values()
        assert peers.protocol_values() == together.protocol_values()

    def test_a_perfect_answer_is_scored_as_one(self, nuclei: Path) -> None:
        val = datasets.open("nuclei", nuclei / "data")
        scorer = ProtocolChoice(names=("instances", "surfaces"), spacing=(2, 2)).scorer()
        for pair, sample in zip(val.pairs, val, strict=True):
            labels = sample.mask.astype(np.int32)

            def case(looks_at: Any, pair: Any = pair, sample: Any = sample, labels: Any = labels):  # type: ignore[no-untyped-def]
                return case_of(val, pair, sample, labels, looks_at)

            scorer.add(sample.name, case)
        objects, surfaces = (each.rows() for each in scorer.scores())
        assert all(row.value == 1 for row in objects)
        assert surfaces[0].value == 0


def test_runs_on_slices_of_cells(tmp_path: Path, succeeds: Succeeds) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        cells = np.where(rng.random((48, 48)) < 0.9, 255, 0).astype(np.uint8)
        cells[::12] = cells[:, ::12] = 0
        save(tmp_path / "data/train/label" / f"{number}.png", cells)
        save(tmp_path / "data/train/image" / f"{number}.png", cells // 2 + np.uint8(50))
    train("unet", tmp_path / "data", out=tmp_path / "run", dataset="isbi2012", **SMALL)
    output, _ = succeeds("evaluate", tmp_path / "run", "--quiet", "--json")
    found = scores_of(output, "membranes")
    assert {"v_rand", "v_info", "rand_error", "pixel_error", "warping_error"} <= set(found)
    assert found["v_rand_best"] >= found["v_rand"] or found["v_rand"] == 0


def test_runs_on_boundaries(
    tmp_path: Path, succeeds: Succeeds, capsys: pytest.CaptureFixture[str]
) -> None:
    segments = np.kron(np.array([[1, 2], [3, 4]]), np.ones((20, 24), np.int64))
    for split in ("train", "val", "test"):
        for number in range(2):
            photo = (segments[..., np.newaxis] * np.array([50, 20, 40])).astype(np.uint8)
            save(tmp_path / "data/images" / split / f"{number}.jpg", photo)
            cells = np.empty((1, 2), object)
            for annotator in range(2):
                cells[0, annotator] = {"Segmentation": segments.astype(np.uint16)}
            truth = tmp_path / "data/groundTruth" / split / f"{number}.mat"
            truth.parent.mkdir(parents=True, exist_ok=True)
            savemat(truth, {"groundTruth": cells})
    train("unet", tmp_path, out=tmp_path / "run", dataset="bsds500", **SMALL)
    evaluate = ("evaluate", tmp_path / "run", "--split", "test", "--quiet", "--json")
    plain = scores_of(succeeds(*evaluate)[0], "boundaries")
    asked = scores_of(succeeds(*evaluate, "--protocol", "boundaries")[0], "boundaries")
    assert set(plain) == {"boundary_f", "boundary_precision", "boundary_recall"}
    assert set(asked) - set(plain) == {"boundary_ods", "boundary_ois", "boundary_ap"}
    assert run_command([*map(str, evaluate), "--protocol", "instances"]) == 1
    output, errors = capsys.readouterr()
    assert scores_of(output, "boundaries") == plain
    assert "0.jpg: 2 annotators drew segments" in errors
    call = ("segment", tmp_path / "data/images/test", "--out", tmp_path / "out", "--quiet")
    succeeds(*call, "--method", "hybrid")
    drawn = tmp_path / "data/groundTruth/test"
    both = ("evaluate", tmp_path / "out", drawn, "--quiet", "--json", "--protocol", "boundaries")
    found = scores_of(succeeds(*both)[0], "boundaries")
    assert found["boundary_ods"] > 0.9


def test_spacing_of_prepared_crops(
    tmp_path_factory: pytest.TempPathFactory, succeeds: Succeeds
) -> None:
    folder = tmp_path_factory.mktemp("hearts")
    write_hearts(folder / "source", patients=(101, 102, 103), slices=2, size=(164, 160), seed=3)
    datasets.prepare_myops(folder / "source", folder / "data")
    train("unet", folder / "data", out=folder / "run", dataset="myops", **SMALL)
    output, _ = succeeds("evaluate", folder / "run", "--split", "train", "--quiet")
    assert "surfaces: " in output
    assert "in mm" in output
    assert "blood pool" in output.partition("surfaces: ")[2]
