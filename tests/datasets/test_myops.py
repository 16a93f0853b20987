"""Preparing MyoPS. Reference: the volumes as nibabel reads them, cut by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from segmint.datasets import myops, prepare_myops
from segmint.datasets.preparation import Preparation
from segmint.errors import InputError, OutputError, UsageError
from segmint.images import read_class_means, read_image, read_prepared
from segmint.images.masks import read_masks

VALUES = (500, 200, 1220, 2221)


def volume(hearts: Path, patient: int, name: str) -> npt.NDArray[Any]:
    return np.asarray(nibabel.load(file_of(hearts, patient, name)).dataobj)  # type: ignore[attr-defined]


def file_of(hearts: Path, patient: int, name: str) -> Path:
    folder = "train25_myops_gd" if name == "gd" else "train25"
    return hearts / folder / f"myops_training_{patient}_{name}.nii.gz"


def spoil(
    hearts: Path,
    patient: int,
    name: str,
    array: npt.NDArray[Any] | None = None,
    *,
    shift: float = 0.0,
    scaling: tuple[float, float] | None = None,
) -> None:
    """Save a volume of the copy again, with other values, place or scaling."""
    path = file_of(hearts, patient, name)
    old: Any = nibabel.load(path)
    values = np.asarray(old.dataobj) if array is None else array
    affine = old.affine.copy()
    affine[0, 3] += shift
    new: Any = nibabel.Nifti1Image(values, affine)
    if scaling is not None:
        new.header.set_slope_inter(*scaling)
    nibabel.save(new, path)


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def out(all_hearts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "out"
    assert not prepare_myops(all_hearts.parent, folder).failures
    return folder


@pytest.mark.parametrize(("patient", "split"), [(101, "train"), (102, "train"), (109, "test")])
def test_crops_are_cut_as_published(all_hearts: Path, out: Path, patient: int, split: str) -> None:
    labels = volume(all_hearts, patient, "gd")
    written = set()
    for index in range(labels.shape[2]):
        truth = labels[..., index]
        if not all((truth == value).any() for value in VALUES):
            continue
        name = f"myops_{patient}_{index:02d}.npz"
        written.add(name)
        image = read_prepared(out / split / name)
        places = np.argwhere(np.isin(truth, VALUES))
        row, column = (
            int(np.clip(np.rint(center - 79.5), 0, length - 160))
            for center, length in zip(places.mean(axis=0), truth.shape, strict=True)
        )
        cut = (slice(row, row + 160), slice(column, column + 160))
        assert image.mask is not None and image.region is not None
        for number, value in enumerate(VALUES):
            np.testing.assert_array_equal(image.mask == number, truth[cut] == value)
        np.testing.assert_array_equal(image.region, np.isin(truth[cut], VALUES))
        assert (image.mask[~image.region] == 255).all()
        for channel, sequence in enumerate(("DE", "T2", "C0")):
            values = volume(all_hearts, patient, sequence)[..., index][cut].astype(float)
            expected = (values - values.mean()) / values.std()
            np.testing.assert_allclose(image.pixels[..., channel], expected, rtol=1e-5, atol=1e-6)
        assert image.spacing == pytest.approx((0.73, 0.73))
        assert image.channel_names == ("LGE", "T2", "C0")
        assert image.class_names == ("blood pool", "myocardium", "edema", "scar")
        assert f"patient {patient}, slice {index}, crop from row {row}" in image.notes[0]
    assert written
    assert {path.name for path in (out / split).glob(f"myops_{patient}_*")} == written


def test_the_table_names_every_slice(all_hearts: Path, out: Path) -> None:
    with (out / "prepared.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["patient"], row["slice"]) for row in rows] == [
        (str(patient), str(index)) for patient in (101, 102, 109) for index in range(4)
    ]
    for row in rows:
        truth = volume(all_hearts, int(row["patient"]), "gd")[..., int(row["slice"])]
        has = {name: (truth == value).any() for name, value in zip(NAMES, VALUES, strict=True)}
        missing = [name for name in NAMES if not has[name]]
        assert row["reason"] == ", ".join(f"no {name}" for name in missing)
        assert row["outcome"] == ("left out" if missing else "written")
        assert bool(row["file"]) == (not missing)
        assert not row["file"] or (out / row["file"]).is_file()
        assert int(row["myocardium"]) == (truth == 200).sum()


NAMES = ("blood pool", "myocardium", "edema", "scar")


def statistics_by_hand(files: list[Path]) -> tuple[Any, Any, Any]:
    images = [read_prepared(file) for file in files]
    groups = [
        np.concatenate([image.pixels[image.mask == number] for image in images]).astype(float)
        for number in range(4)
    ]
    total = sum(map(len, groups))
    return (
        [group.mean(axis=0) for group in groups],
        [group.std(axis=0) for group in groups],
        [[len(group) / total] for group in groups],
    )


def test_statistics_are_of_training_patients(out: Path) -> None:
    record = json.loads((out / "dataset.json").read_text())
    files = record["statistics_files"]
    assert files
    assert all(file.startswith("train/") for file in files)
    assert record["splits"] == {"train": [101, 102], "test": [109]}
    expected = statistics_by_hand([out / file for file in files])
    for name, values in zip(("mu", "sigma", "pi"), expected, strict=True):
        found = read_class_means(out / f"{name}_data.csv")
        assert found.names == NAMES
        np.testing.assert_allclose(found.means, values, rtol=1e-6)


def test_statistics_from_all_and_by_seed(all_hearts: Path, tmp_path: Path) -> None:
    drawn = {}
    for name, options in {
        "all": {"statistics_from": "all", "statistics_slices": 100},
        "one": {"statistics_slices": 1},
        "again": {"statistics_slices": 1},
        "other": {"statistics_slices": 1, "seed": 2},
    }.items():
        drawn[name] = prepare_myops(all_hearts, tmp_path / name, **options).statistics_files
    written = {f for f in files_in(tmp_path / "all") if f.endswith(".npz")}
    assert set(drawn["all"]) == written
    assert any(file.startswith("test/") for file in drawn["all"])
    assert len(drawn["one"]) == 1
    assert drawn["one"] == drawn["again"] != drawn["other"]


def test_any_slice_and_another_size(all_hearts: Path, tmp_path: Path) -> None:
    preparation = prepare_myops(all_hearts, tmp_path, slices="any", size=200)
    assert preparation.counts() == {"written, train": 8, "written, test": 4}
    image = read_prepared(tmp_path / "train/myops_101_00.npz")
    assert image.pixels.shape == (200, 200, 3)
    assert not image.pixels[:15].any() and not image.pixels[:, -17:].any()
    values = volume(all_hearts, 101, "T2")[..., 0].astype(float)
    np.testing.assert_allclose(
        image.pixels[15:185, 17:183, 1],
        (values - values.mean()) / values.std(),
        rtol=1e-5,
        atol=1e-6,
    )


def test_nifti_files_lie_where_the_heart_lies(all_hearts: Path, out: Path, tmp_path: Path) -> None:
    prepare_myops(all_hearts, tmp_path, format="nifti")
    plain = {Path(file).stem for file in files_in(out) if file.endswith(".npz")}
    for kind in ("images", "masks", "regions"):
        found = {path.name.removesuffix(".nii.gz") for path in tmp_path.glob(f"*/{kind}/*")}
        assert found == plain
    name = sorted((tmp_path / "test/images").iterdir())[0].name
    expected = read_prepared(out / "test" / name.replace(".nii.gz", ".npz"))
    image = read_image(tmp_path / "test/images" / name)
    np.testing.assert_array_equal(image.pixels, expected.pixels)
    (mask,) = read_masks(tmp_path / "test/masks" / name)
    np.testing.assert_array_equal(mask, expected.mask)  # type: ignore[arg-type]
    (region,) = read_masks(tmp_path / "test/regions" / name)
    np.testing.assert_array_equal(region == 1, expected.region)  # type: ignore[arg-type]
    index = int(name.split("_")[2][:2])
    whole: Any = nibabel.load(file_of(all_hearts, 109, "gd"))
    part: Any = nibabel.load(tmp_path / "test/masks" / name)
    place = np.argwhere(mask == 3)[0]
    position = part.affine @ (*place, 0, 1)
    voxel = np.rint(np.linalg.inv(whole.affine) @ position).astype(int)
    assert voxel[2] == index
    assert whole.dataobj[tuple(voxel[:3])] == 2221
    for kind in ("mu", "sigma", "pi"):
        text = (tmp_path / f"{kind}_data.csv").read_text()
        assert text == (out / f"{kind}_data.csv").read_text()


class TestResuming:
    def test_finished_patients_are_kept(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        first = prepare_myops(hearts, out)
        times = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
        again = prepare_myops(hearts, out)
        assert (first.kept, again.kept) == (0, 3)
        assert again.rows == first.rows
        assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}

    def test_what_is_gone_or_changed_is_made_again(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out)
        next((out / "train").glob("myops_101_*")).unlink()
        spoil(hearts, 102, "T2", volume(hearts, 102, "T2") + 1)
        again = prepare_myops(hearts, out)
        assert again.kept == 1
        assert all((out / row.file).is_file() for row in again.rows if row.file)

    def test_a_stopped_preparation_goes_on(self, hearts: Path, tmp_path: Path) -> None:
        def stop(number: int, note: str) -> None:
            if number == 102:
                raise KeyboardInterrupt

        out, whole = tmp_path / "out", tmp_path / "whole"
        with pytest.raises(KeyboardInterrupt):
            prepare_myops(hearts, out, advance=stop)
        assert prepare_myops(hearts, out).kept == 2
        prepare_myops(hearts, whole)
        assert files_in(out) == files_in(whole)
        for name in files_in(out) - {"dataset.json"}:
            assert (out / name).read_bytes() == (whole / name).read_bytes()

    def test_other_options_need_overwrite(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out, test_patients="101")
        assert list((out / "test").glob("myops_101_*"))
        with pytest.raises(UsageError, match="prepared with --test-patients 101 and not 102"):
            prepare_myops(hearts, out, test_patients="102")
        prepare_myops(hearts, out, test_patients="102", overwrite=True)
        assert not list((out / "test").glob("myops_101_*"))
        assert list((out / "train").glob("myops_101_*"))

    def test_a_folder_of_other_things(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        (out / "train").mkdir(parents=True)
        (out / "train" / "mine.npz").touch()
        with pytest.raises(UsageError, match="holds other things"):
            prepare_myops(hearts, out)
        prepare_myops(hearts, out, overwrite=True)
        assert (out / "train" / "mine.npz").is_file()

    def test_a_file_for_a_folder(self, hearts: Path, tmp_path: Path) -> None:
        (tmp_path / "out").touch()
        with pytest.raises(UsageError, match="is a file"):
            prepare_myops(hearts, tmp_path / "out")


def junk(hearts: Path, *patients: int) -> dict[Path, bytes]:
    """Make the T2 volumes of patients unreadable; what they held."""
    paths = [file_of(hearts, patient, "T2") for patient in patients]
    held = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.write_bytes(b"junk")
    return held


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


class TestWhatWasMadeEarlier:
    def test_stays_when_nothing_can_replace_it(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out)
        before = contents(out)
        junk(hearts, 101, 102, 109)
        assert "no patient can be used" in refused(InputError, hearts, out, overwrite=True, size=64)
        assert contents(out) == before

    def test_is_replaced_once_a_patient_is_read(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out)
        junk(hearts, 101)
        preparation = prepare_myops(hearts, out, overwrite=True, format="nifti")
        assert {row.patient for row in preparation.rows if row.file} == {102, 109}
        assert not [name for name in files_in(out) if name.endswith(".npz") or "_101_" in name]

    def test_crops_of_failed_patients_stay_and_are_named(
        self, hearts: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        first = prepare_myops(hearts, out)
        crops = {name: data for name, data in contents(out).items() if name.endswith(".npz")}
        held = junk(hearts, 101, 102, 109)
        second = prepare_myops(hearts, out)
        assert len(second.failures) == 3
        assert all("earlier crops stay as they were" in failure for failure in second.failures)
        assert "failed" in (out / "prepared.csv").read_text()
        assert {row for row in second.rows if row.outcome != "failed"} == set(first.rows)
        assert crops.items() <= contents(out).items()
        for path, data in held.items():
            path.write_bytes(data)
        third = prepare_myops(hearts, out)
        assert (third.rows, third.failures) == (first.rows, ())

    def test_unfinished_crops_of_a_failed_patient_go(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        junk(hearts, 101)
        prepare_myops(hearts, out)
        (out / "train" / "myops_101_01.npz").write_bytes(b"half")
        prepare_myops(hearts, out)
        assert not list((out / "train").glob("myops_101_*"))

    def test_nothing_made_leaves_an_empty_place(self, hearts: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out)
        for patient in (101, 102, 109):
            array = volume(hearts, patient, "gd")
            spoil(hearts, patient, "gd", np.where(array == 2221, 0, array).astype(np.int16))
        refused(InputError, hearts, out, overwrite=True)
        assert not out.exists()


class TestAfterAKill:
    def test_in_the_first_patient(
        self, hearts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, calls = myops.write_crop, []

        def full(*given: Any) -> None:
            calls.append(given)
            if len(calls) == 2:
                raise OutputError("the disk is full")
            write(*given)

        monkeypatch.setattr(myops, "write_crop", full)
        with pytest.raises(OutputError):
            prepare_myops(hearts, tmp_path / "out")
        monkeypatch.undo()
        prepare_myops(hearts, tmp_path / "out")
        prepare_myops(hearts, tmp_path / "whole")
        ours, whole = contents(tmp_path / "out"), contents(tmp_path / "whole")
        assert {**ours, "dataset.json": b""} == {**whole, "dataset.json": b""}

    @pytest.mark.parametrize("format_name", ["npz", "nifti"])
    def test_damaged_crops_are_made_again(
        self, hearts: Path, tmp_path: Path, format_name: str
    ) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out, format=format_name)
        before = contents(out)
        pattern = "*.npz" if format_name == "npz" else "masks/*.nii.gz"
        damaged = min((out / "train").glob(pattern))
        damaged.write_bytes(damaged.read_bytes()[:-9])
        assert prepare_myops(hearts, out, format=format_name).kept == 2
        assert files_in(out) == set(before)
        assert damaged.stat().st_size == len(before[damaged.relative_to(out).as_posix()])

    @pytest.mark.parametrize("place", [".", "train", "test/masks"])
    def test_unfinished_files_go(self, hearts: Path, tmp_path: Path, place: str) -> None:
        out = tmp_path / "out"
        prepare_myops(hearts, out)
        left = out / place / ".partial-x.npz"
        left.parent.mkdir(exist_ok=True)
        left.touch()
        prepare_myops(hearts, out)
        assert not left.exists()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_are_no_paths(all_hearts: Path, tmp_path: Path, name: str) -> None:
    assert "is no folder" in refused(InputError, tmp_path / name, tmp_path / "out")
    refused((UsageError, OutputError), all_hearts, tmp_path / name)


def nan_in(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    changed = array.astype(np.float32)
    changed[3, 4, 1] = np.nan
    return changed


def unknown_in(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    changed = array.copy()
    changed[0, :3, 0] = 777
    return changed


def bad(hearts: Path, kind: str) -> str:
    """Spoil patient 101 and say what must be said."""
    late, truth = file_of(hearts, 101, "DE"), file_of(hearts, 101, "gd")
    if kind == "sequence":
        late.unlink()
        return "patient 101 has no DE file, accepted is train25/myops_training_101_DE.nii.gz"
    if kind == "truth":
        truth.unlink()
        return "patient 101 has no truth"
    if kind == "twice":
        spoil(hearts, 101, "DE")
        nibabel.save(nibabel.load(late), late.with_suffix(""))
        return "patient 101 has 2 DE files"
    if kind == "shape":
        spoil(hearts, 101, "T2", volume(hearts, 101, "T2")[:-1])
        return "has shape (169, 166, 4) and myops_training_101_gd.nii.gz (170, 166, 4)"
    if kind == "place":
        spoil(hearts, 101, "T2", shift=1.5)
        return "place the same voxel 1.5 mm apart"
    if kind == "nan":
        spoil(hearts, 101, "T2", nan_in(volume(hearts, 101, "T2")))
        return "myops_training_101_T2.nii.gz holds 1 values that are NaN"
    if kind == "scaling":
        spoil(hearts, 101, "C0", scaling=(1e37, 0))
        return "the scaling (scl_slope, scl_inter) in its header"
    if kind == "label":
        spoil(hearts, 101, "gd", unknown_in(volume(hearts, 101, "gd")))
        return "patient 101: myops_training_101_gd.nii.gz holds the value 777 in 3 voxels"
    if kind == "damaged":
        late.write_bytes(late.read_bytes()[:2000])
        return "myops_training_101_DE.nii.gz is a damaged"
    if kind == "channels":
        spoil(hearts, 101, "C0", np.stack([volume(hearts, 101, "C0")] * 2, axis=-1))
        return "is no volume of one value a voxel"
    late.write_text("not found")
    return "is a gzip" if kind == "gzip" else "is not an image but text"


KINDS = (
    *("sequence", "truth", "twice", "shape", "place", "nan", "scaling", "label", "damaged"),
    *("channels", "text"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_patient_does_not_stop_the_others(hearts: Path, tmp_path: Path, kind: str) -> None:
    words = bad(hearts, kind)
    before = {name: (hearts / name).read_bytes() for name in files_in(hearts)}
    preparation = prepare_myops(hearts, tmp_path / "out")
    (failure,) = preparation.failures
    assert words in failure
    assert "\n" not in failure
    failed = [row for row in preparation.rows if row.outcome == "failed"]
    assert [(row.patient, row.reason) for row in failed] == [(101, failure)]
    assert {row.patient for row in preparation.rows if row.file} == {102, 109}
    assert before == {name: (hearts / name).read_bytes() for name in files_in(hearts)}


def test_a_mended_patient_is_made_up_for(hearts: Path, tmp_path: Path) -> None:
    whole = file_of(hearts, 101, "DE").read_bytes()
    bad(hearts, "damaged")
    assert prepare_myops(hearts, tmp_path / "out").failures
    file_of(hearts, 101, "DE").write_bytes(whole)
    again = prepare_myops(hearts, tmp_path / "out")
    assert (again.kept, again.failures) == (2, ())


def test_positions_can_be_ignored(hearts: Path, tmp_path: Path) -> None:
    bad(hearts, "place")
    assert not prepare_myops(hearts, tmp_path / "out", ignore_positions=True).failures


def test_truth_of_scaled_or_real_numbers(hearts: Path, tmp_path: Path) -> None:
    spoil(hearts, 101, "gd", volume(hearts, 101, "gd").astype(np.float64))
    spoil(hearts, 102, "gd", volume(hearts, 102, "gd") * 10, scaling=(0.1, 0))
    assert np.asarray(nibabel.load(file_of(hearts, 102, "gd")).dataobj).dtype == np.float64  # type: ignore[attr-defined]
    assert not prepare_myops(hearts, tmp_path / "out").failures


def test_one_slice(hearts: Path, tmp_path: Path) -> None:
    for name in ("C0", "DE", "T2", "gd"):
        spoil(hearts, 101, name, volume(hearts, 101, name)[..., 1:2])
    preparation = prepare_myops(hearts, tmp_path / "out")
    assert [row.slice for row in preparation.rows if row.patient == 101] == [0]


def test_a_flat_channel_gives_no_crop(hearts: Path, tmp_path: Path) -> None:
    array = volume(hearts, 101, "T2")
    array[..., 2] = 9
    spoil(hearts, 101, "T2", array)
    rows = prepare_myops(hearts, tmp_path / "out").rows
    assert (rows[2].outcome, rows[2].reason) == ("left out", "one value throughout T2")


def refused(
    error: type[Exception] | tuple[type[Exception], ...], source: Path, out: Path, **options: Any
) -> str:
    with pytest.raises(error) as caught:
        prepare_myops(source, out, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_such_data(all_hearts: Path, tmp_path: Path) -> None:
    assert "is no folder" in refused(InputError, tmp_path / "absent", tmp_path / "out")
    assert "holds no folder train25" in refused(InputError, tmp_path, tmp_path / "out")
    (tmp_path / "train25").mkdir()
    (tmp_path / "train25" / "notes.nii.gz").touch()
    assert "holds no file such as" in refused(InputError, tmp_path, tmp_path / "out")
    for name in "ab":
        (tmp_path / "two" / name / "train25").mkdir(parents=True)
    assert "holds 2 folders" in refused(InputError, tmp_path / "two", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_images_itself(all_hearts: Path, tmp_path: Path) -> None:
    assert prepare_myops(all_hearts / "train25", tmp_path).patients == 3


def test_nothing_usable(hearts: Path, tmp_path: Path) -> None:
    for patient in (101, 102, 109):
        file_of(hearts, patient, "gd").unlink()
    message = refused(InputError, hearts, tmp_path / "out")
    assert "no patient can be used (and 2 more): patient 101 has no truth" in message
    assert not (tmp_path / "out").exists()


def test_no_slice_with_all_classes(hearts: Path, tmp_path: Path) -> None:
    for patient in (101, 102, 109):
        array = volume(hearts, patient, "gd")
        spoil(hearts, patient, "gd", np.where(array == 2221, 1220, array).astype(np.int16))
    assert "pass --slices any" in refused(InputError, hearts, tmp_path / "out")
    preparation = prepare_myops(hearts, tmp_path / "out", slices="any")
    assert "mu_data.csv is not written" in preparation.failures[0]
    assert preparation.statistics is None


def test_without_training_patients(all_hearts: Path, tmp_path: Path) -> None:
    def prepare(**options: Any) -> Preparation:
        return prepare_myops(
            all_hearts, tmp_path, test_patients="101, 102,109,5", overwrite=True, **options
        )

    assert "--statistics-from all" in prepare().failures[0]
    assert prepare().absent_test_patients == (5,)
    assert not prepare(statistics_from="all").failures


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 15},
        {"slices": "al"},
        {"format": "png"},
        {"test_patients": "101;102"},
        {"test_patients": ""},
        {"statistics_slices": 0},
        {"sed": 1},
    ],
)
def test_wrong_options(all_hearts: Path, tmp_path: Path, wrong: dict[str, Any]) -> None:
    refused(UsageError, all_hearts, tmp_path / "out", **wrong)


@pytest.mark.parametrize("place", [".", "train25", "train25/crops", "train25_myops_gd/x"])
def test_the_data_set_is_no_place_for_crops(hearts: Path, place: str) -> None:
    before = files_in(hearts)
    assert "the data set itself" in refused(UsageError, hearts, hearts / place, overwrite=True)
    assert files_in(hearts) == before
