from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from segmint.cli import run
from segmint.datasets.synthetic import write_hearts

Call = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def hearts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hearts")
    write_hearts(folder, patients=[101, 109], slices=4, size=(160, 160), seed=3)
    return folder


def test_prepare_says_what_was_made(hearts: Path, here: Path, succeeds: Call) -> None:
    output, errors = succeeds("data", "prepare", "myops", hearts, "out")
    lines = output.splitlines()
    written = {split: len(list((here / "out" / split).iterdir())) for split in ("train", "test")}
    left_out = 8 - sum(written.values())
    for split, count in written.items():
        assert [f"written, {split}", str(count)] in [line.rsplit(maxsplit=1) for line in lines]
    counted = [line.rsplit(maxsplit=1) for line in lines if line.startswith("left out, no ")]
    assert sum(int(count) for _, count in counted) == left_out
    assert "test patients that are not in the data: 114, 117, 120, 122" in lines
    assert lines[-1] == (
        f"{sum(written.values())} images of 2 patients (0 kept from before, 0 failed): "
        "results in out"
    )
    assert errors.splitlines() == [
        f"[1/2] patient 101: {written['train']} of 4 slices",
        f"[2/2] patient 109: {written['test']} of 4 slices",
    ]


def test_json_and_quiet(hearts: Path, here: Path, succeeds: Call) -> None:
    output, errors = succeeds("data", "prepare", "myops", hearts, "out", "--json", "--quiet")
    assert errors == ""
    found = json.loads(output)
    assert sorted(found["written"]) == sorted(
        path.relative_to(here / "out").as_posix() for path in (here / "out").rglob("*.npz")
    )
    assert (found["patients"], found["kept_patients"], found["failures"]) == (2, 0, [])
    assert np.array(found["means"]).shape == np.array(found["standard_deviations"]).shape == (4, 3)
    assert sum(found["shares"]) == pytest.approx(1)


def test_again_and_with_other_options(
    hearts: Path, here: Path, succeeds: Call, refused: Callable[..., str]
) -> None:
    prepare = ("data", "prepare", "myops", hearts, "out")
    succeeds(*prepare)
    assert "2 kept from before" in succeeds(*prepare)[0]
    message = refused(2, *prepare, "--size", "128", "--quiet")
    assert "prepared with --size 160 and not 128" in message
    succeeds(*prepare, "--size", 128, "--overwrite", "--format", "nifti", "--slices", "any")
    assert not list((here / "out").rglob("*.npz"))
    assert len(list((here / "out").glob("*/images/*.nii.gz"))) == 8


def test_a_bad_patient_is_named_and_the_exit_is_1(
    hearts: Path, here: Path, partly: Callable[..., tuple[str, list[str], list[str]]]
) -> None:
    write_hearts(here / "in", patients=[101, 109], slices=3, size=(160, 160))
    path = here / "in/train25/myops_training_109_T2.nii.gz"
    volume = np.full((160, 160, 3), np.nan, np.float32)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), path)
    output, progress, (complaint,) = partly("data", "prepare", "myops", "in", "out")
    assert "myops_training_109_T2.nii.gz holds 76800 values that are NaN" in complaint
    assert progress[-1] == "[2/2] patient 109: failed"
    assert output.splitlines()[-1].endswith("(0 kept from before, 1 failed): results in out")


@pytest.mark.parametrize(
    ("code", "arguments", "words"),
    [
        (2, [], "data needs ACTION"),
        (2, ["prepar"], "unknown action 'prepar': did you mean 'prepare'?"),
        (2, ["prepare"], "data needs LAYOUT"),
        (2, ["prepare", "myops"], "data needs SOURCE"),
        (2, ["prepare", "myops", "in"], "data needs OUT"),
        (2, ["prepare", "myop", "in", "out"], "unknown layout 'myop': did you mean 'myops'?"),
        (2, ["prepare", "myops", "", "out"], "SOURCE is empty"),
        (2, ["prepare", "myops", "in", ""], "OUT is empty"),
        (2, ["prepare", "myops", "in", "out", "more"], "data does not take 'more'"),
        (2, ["prepare", "myops", "in", "out", "--siz", "9"], "did you mean --size?"),
        (2, ["prepare", "myops", "in", "out", "--size", "9"], "--size is 9, accepted is 16 to"),
        (2, ["prepare", "myops", "in", "out", "--test-patients", "x"], "accepted are numbers"),
        (1, ["prepare", "myops", "absent", "out"], "absent is no folder"),
        (1, ["prepare", "myops", ".", "out"], "holds no folder train25"),
    ],
)
def test_what_is_refused(
    here: Path, refused: Callable[..., str], code: int, arguments: list[str], words: str
) -> None:
    assert words in refused(code, "data", *arguments)
    assert not (here / "out").exists()


def test_stopped(
    hearts: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    succeeds: Call,
) -> None:
    from segmint.datasets import myops

    read = myops.read_patient

    def stop(patient: myops.PatientFiles, *, check_positions: bool) -> object:
        if patient.number == 109:
            raise KeyboardInterrupt
        return read(patient, check_positions=check_positions)

    monkeypatch.setattr(myops, "read_patient", stop)
    assert run(["data", "prepare", "myops", str(hearts), "out"]) == 1
    assert "the same command goes on; finished patients are in out" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert "1 kept from before" in succeeds("data", "prepare", "myops", hearts, "out")[0]


def test_prepared_images_can_be_evaluated(hearts: Path, here: Path, succeeds: Call) -> None:
    succeeds("data", "prepare", "myops", hearts, "out")
    output, _ = succeeds("evaluate", "out/test", "out/test", "--json")
    scores = {score["name"]: score["value"] for score in json.loads(output)["scores"]}
    assert scores["mean_dice"] == 1


@pytest.mark.parametrize("arguments", [["data", "--help"], ["data", "prepare", "--help"]])
def test_help(succeeds: Call, arguments: list[str]) -> None:
    assert "prepare" in succeeds(*arguments)[0]


def test_help_has_every_option(succeeds: Call) -> None:
    output, _ = succeeds("data", "prepare", "myops", "--help")
    for option in ("slices", "size", "test-patients", "format", "statistics-from", "seed", "json"):
        assert f"--{option}" in output
