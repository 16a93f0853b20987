"""Made-up hearts. Reference: what the drawing is said to be, and scikit-learn's mixture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from sklearn.mixture import GaussianMixture

from segmint.datasets.synthetic import Heart, draw_heart, write_hearts
from segmint.errors import UsageError

BLOOD, MUSCLE, EDEMA, SCAR, RIGHT = 500, 200, 1220, 2221, 600


@pytest.fixture(scope="module", params=[0, 1, 2])
def heart(request: pytest.FixtureRequest) -> Heart:
    return draw_heart(slices=5, size=(170, 166), seed=request.param)


def test_types_and_shapes(heart: Heart) -> None:
    assert sorted(heart.volumes) == ["C0", "LGE", "T2"]
    for volume in (*heart.volumes.values(), heart.labels):
        assert (volume.shape, volume.dtype) == ((170, 166, 5), np.int16)
        assert volume.min() >= 0
    assert set(np.unique(heart.labels)) == {0, BLOOD, MUSCLE, EDEMA, SCAR, RIGHT}
    np.testing.assert_allclose(nibabel.affines.voxel_sizes(heart.affine), heart.spacing)


def test_blood_lies_inside_a_closed_ring(heart: Heart) -> None:
    for labels in np.moveaxis(heart.labels, 2, 0):
        blood, ring = labels == BLOOD, np.isin(labels, (MUSCLE, EDEMA, SCAR))
        filled = ndimage.binary_fill_holes(ring)
        assert (filled & ~ring == blood).all()
        assert ndimage.label(ring)[1] == ndimage.label(blood)[1] == 1


def test_the_scar_touches_the_blood_and_lies_in_the_edema(heart: Heart) -> None:
    for labels in np.moveaxis(heart.labels, 2, 0):
        scar = labels == SCAR
        if scar.any():
            around = labels[ndimage.binary_dilation(scar) & ~scar]
            assert set(np.unique(around)) >= {BLOOD, EDEMA}
            assert np.isin(around, (BLOOD, EDEMA, MUSCLE)).all()
            assert (labels == EDEMA).sum() > 0


def test_some_slices_have_no_scar(heart: Heart) -> None:
    with_scar = (heart.labels == SCAR).any(axis=(0, 1))
    with_edema = (heart.labels == EDEMA).any(axis=(0, 1))
    assert with_scar[2]
    assert not with_scar.all()
    assert (with_edema | ~with_scar).all()


def test_the_contrast_of_each_sequence(heart: Heart) -> None:
    def mean(sequence: str, label: int) -> float:
        return float(heart.volumes[sequence][heart.labels == label].mean())

    assert mean("LGE", SCAR) > mean("LGE", BLOOD) > 1.5 * mean("LGE", MUSCLE)
    assert mean("T2", EDEMA) > 1.2 * mean("T2", MUSCLE) > mean("T2", BLOOD)
    assert mean("C0", BLOOD) > 1.5 * mean("C0", MUSCLE)


def test_without_noise_classes_are_apart() -> None:
    heart = draw_heart(slices=1, size=(160, 160), noise=0, bias=0, seed=1)
    muscle = heart.volumes["LGE"][heart.labels == MUSCLE]
    scar = heart.volumes["LGE"][heart.labels == SCAR]
    assert np.quantile(muscle, 0.9) < np.quantile(scar, 0.1)


def test_the_noise_is_rician_where_there_is_no_signal_and_no_field() -> None:
    quiet, loud = (draw_heart(slices=1, size=(160, 160), noise=n, bias=0) for n in (0.0, 20.0))
    assert np.array_equal(quiet.labels, loud.labels)
    signal, noisy = (heart.volumes["C0"].astype(float) for heart in (quiet, loud))
    bright = signal > 250
    assert (noisy - signal)[bright].std() == pytest.approx(20, rel=0.1)
    # E|S + n|^2 = S^2 + 2 sigma^2
    assert (noisy**2 - signal**2).mean() == pytest.approx(2 * 20**2, rel=0.15)


def test_a_mixture_of_pixels_errs_but_not_hopelessly() -> None:
    heart = draw_heart(slices=1, seed=5)
    labels = heart.labels[..., 0]
    region = np.isin(labels, (BLOOD, MUSCLE, EDEMA, SCAR))
    pixels = np.stack([heart.volumes[name][region, 0] for name in ("LGE", "T2", "C0")], axis=-1)
    truth = labels[region]
    means = [pixels[truth == value].mean(axis=0) for value in (BLOOD, MUSCLE, EDEMA, SCAR)]
    mixture = GaussianMixture(4, covariance_type="diag", means_init=means, random_state=0)
    found = mixture.fit_predict(pixels.astype(float))
    dice = [
        2 * ((found == k) & (truth == value)).sum() / ((found == k).sum() + (truth == value).sum())
        for k, value in enumerate((BLOOD, MUSCLE, EDEMA, SCAR))
    ]
    assert all(0.3 < score < 0.97 for score in dice), dice
    assert np.mean(dice) < 0.9


def test_the_seed_decides_everything() -> None:
    drawn = [draw_heart(slices=1, size=(160, 160), seed=seed) for seed in (1, 1, 2)]
    for name in ("C0", "T2", "LGE"):
        assert np.array_equal(drawn[0].volumes[name], drawn[1].volumes[name])
        assert not np.array_equal(drawn[0].volumes[name], drawn[2].volumes[name])
    assert not np.array_equal(drawn[0].labels, drawn[2].labels)


@pytest.mark.parametrize(
    "wrong",
    [
        {"slices": 0},
        {"size": (159, 200)},
        {"noise": -1.0},
        {"noise": float("nan")},
        {"bias": 1.1},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="accepted"):
        draw_heart(**wrong)


def test_the_layout_of_the_files(all_hearts: Path) -> None:
    names = {path.relative_to(all_hearts).as_posix() for path in all_hearts.rglob("*.nii.gz")}
    assert names == {
        *(f"train25/myops_training_{n}_{s}.nii.gz" for n in (101, 102, 109) for s in SEQUENCES),
        *(f"train25_myops_gd/myops_training_{n}_gd.nii.gz" for n in (101, 102, 109)),
    }
    truth: Any = nibabel.load(all_hearts / "train25_myops_gd/myops_training_101_gd.nii.gz")
    late: Any = nibabel.load(all_hearts / "train25/myops_training_101_DE.nii.gz")
    assert truth.shape == late.shape == (170, 166, 4)
    np.testing.assert_array_equal(truth.affine, late.affine)
    np.testing.assert_allclose(truth.header.get_zooms(), (0.73, 0.73, 12), rtol=1e-6)


SEQUENCES = ("C0", "DE", "T2")


def test_a_patient_is_the_same_whoever_else_is_written(all_hearts: Path, tmp_path: Path) -> None:
    write_hearts(tmp_path, patients=[109], slices=4, size=(170, 166), seed=3)
    name = "train25/myops_training_109_T2.nii.gz"
    one, other = (np.asarray(nibabel.load(f / name).dataobj) for f in (tmp_path, all_hearts))  # type: ignore[attr-defined]
    assert np.array_equal(one, other)
