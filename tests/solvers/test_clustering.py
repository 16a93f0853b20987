from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segmint
from segmint.errors import UsageError
from segmint.images import to_unit_range
from segmint.methods.clustering import METHOD, ClusteringOptions
from segmint.methods.method import Task
from segmint.networks.storage import load_network
from segmint.objectives import Objective
from segmint.regions.ordering import order_by_area
from segmint.regions.superpixels import small_superpixels
from segmint.solvers.clustering import cluster_image, objective_of, prepare

SMALL: dict[str, Any] = {
    "features": 12,
    "max_components": 16,
    "iterations": 8,
    "working_pixels": 0,
    "superpixel_scale": 0.0,
}


def cluster(image: np.ndarray, *, seed: int = 0, **options: Any) -> segmint.Segmentation:
    basic = {
        name: options.pop(name)
        for name in ("scribbles", "region", "save_model", "observe")
        if name in options
    }
    return segmint.segment(
        image, "clustering", seed=seed, precision="float32", **basic, **{**SMALL, **options}
    )


def strokes(picture: np.ndarray) -> np.ndarray:
    scribbles = np.full(picture.shape[:2], 255, np.uint8)
    scribbles[12:16, 14:18] = 7
    scribbles[2, 3:30] = 3
    scribbles[30, 3:30] = 3
    return scribbles


def test_presets_hold_the_published_defaults() -> None:
    kim = METHOD.resolve("kim2020", {}).resolved()
    seed004 = METHOD.resolve("seed004", {}).resolved()
    shared = {
        "features": 100,
        "max_components": 100,
        "blocks": 2,
        "continuity_x": 1,
        "continuity_y": 1,
        "learning_rate": 0.1,
        "min_components": 3,
        "components": None,
        "edge_sharpness": 0,
        "color_space": "rgb",
        "normalization": "none",
        "working_pixels": 0,
        "superpixel_scale": 0,
        "stable_fraction": 0,
        "restarts": 1,
    }
    # Kim et al. (2020) and their code; the areas have no counterpart there.
    assert (
        kim.items()
        >= {
            **shared,
            "iterations": 1000,
            "similarity_weight": 1,
            "continuity_weight": 5,
            "scribble_weight": 0.5,
            "max_area_weight": 0,
            "min_area_weight": 0,
            "momentum": 0.9,
        }.items()
    )
    # Defaults of the second code: mu 2, nu 2, M 1, m 1, momentum 0.4, 50 epochs.
    assert (
        seed004.items()
        >= {
            **shared,
            "iterations": 50,
            "similarity_weight": 2,
            "continuity_weight": 2,
            "max_area_weight": 1,
            "min_area_weight": 1,
            "momentum": 0.4,
        }.items()
    )


def test_published_option_names() -> None:
    published = {
        "n_features": 9, "n_classes": 8, "n_convolutions": 3, "epochs": 7, "mu": 2.5, "nu": 1.5,
        "nu_x": 0.5, "nu_y": 0.25, "M": 3.0, "m": 4.0, "learning_rate": 0.2, "momentum": 0.3,
        "min_classes": 2, "n_channels": 3,
    }  # fmt: skip
    options = METHOD.resolve("seed004", published).resolved()
    named = (
        "features", "max_components", "blocks", "iterations", "similarity_weight",
        "continuity_weight", "continuity_x", "continuity_y", "max_area_weight", "min_area_weight",
        "learning_rate", "momentum", "min_components", "expected_channels",
    )  # fmt: skip
    assert [options[name] for name in named] == list(published.values())


def test_objective_of_the_options() -> None:
    options = ClusteringOptions(
        similarity_weight=2.0, continuity_weight=1e-7, continuity_x=0.5, max_area_weight=3.0
    )
    objective = objective_of(options, scribble_weight=0.25)
    assert isinstance(objective, Objective)
    assert dict(zip(objective.names, objective.weights, strict=True)) == {
        "similarity": 2.0, "continuity": 1e-7, "scribble": 0.25, "max_area": 3.0,
    }  # fmt: skip


def test_same_seed_same_labels(picture: np.ndarray) -> None:
    first, again = cluster(picture, seed=3), cluster(picture, seed=3)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.history == again.history
    np.testing.assert_array_equal(first.probabilities, again.probabilities)


def test_another_seed_is_another_start(picture: np.ndarray) -> None:
    assert cluster(picture, seed=1).history != cluster(picture, seed=2).history


@pytest.mark.parametrize("components", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("superpixel_scale", [0.0, 10.0])
def test_exact_number_of_components(
    picture: np.ndarray, components: int, superpixel_scale: float
) -> None:
    found = cluster(picture, components=components, superpixel_scale=superpixel_scale)
    assert found.components == components
    assert np.unique(found.labels).tolist() == list(range(components))
    assert found.probabilities.shape == (components, *picture.shape[:2])
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, rtol=1e-4)


def test_more_components_than_channels(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="components is 17"):
        cluster(picture, components=17)


@pytest.mark.parametrize("least", [2, 4])
def test_fewer_than_min_components_are_never_returned(picture: np.ndarray, least: int) -> None:
    found = cluster(picture, min_components=least, continuity_weight=50.0, iterations=60)
    assert found.components >= least
    assert len(found.history) < 60


def test_finds_the_areas_of_the_picture(picture: np.ndarray) -> None:
    rows, columns = np.mgrid[:32, :40]
    disc = (rows - 14) ** 2 + (columns - 16) ** 2 < 81
    found = cluster(picture, components=3, iterations=30)
    inside = np.bincount(found.labels[disc], minlength=3)
    outside = np.bincount(found.labels[~disc], minlength=3)
    assert inside.max() > 0.8 * disc.sum()
    assert outside[inside.argmax()] < 0.2 * disc.sum()


def test_restarts_report_their_agreement(picture: np.ndarray) -> None:
    once, thrice = cluster(picture), cluster(picture, restarts=3)
    (note,) = thrice.notes
    assert note.startswith("agreement of 3 starts: ARI 0.")
    assert not once.notes
    assert thrice.history[-1]["objective"] <= once.history[-1]["objective"]


def test_history(picture: np.ndarray) -> None:
    found = cluster(picture, max_area_weight=1.0)
    assert [row["iteration"] for row in found.history] == list(range(1, 9))
    for row in found.history:
        parts = row["similarity"] + row["continuity"] + row["max_area"]
        assert row["objective"] == pytest.approx(parts, rel=1e-5)
    assert found.history[-1]["components"] == found.components


def test_stops_when_stable(picture: np.ndarray) -> None:
    assert len(cluster(picture, stable_fraction=1.0).history) == 2


def test_observer_sees_every_iteration(picture: np.ndarray) -> None:
    seen = []
    found = cluster(picture, observe=lambda number, labels: seen.append((number, labels)))
    assert [number for number, _ in seen] == [row["iteration"] for row in found.history]
    assert seen[-1][1].shape == picture.shape[:2]
    np.testing.assert_array_equal(order_by_area(seen[-1][1])[0], found.labels)


def test_working_size_is_noted_and_labels_are_at_full_size(picture: np.ndarray) -> None:
    found = cluster(picture, working_pixels=320)
    assert found.labels.shape == picture.shape[:2]
    assert found.notes == ("learned at 20x16 of 40x32 pixels",)


def test_probabilities_prefer_the_labels(picture: np.ndarray) -> None:
    found = cluster(picture, region=picture[..., 0] > 70)
    inside = found.labels >= 0
    best = found.probabilities.argmax(axis=0)
    np.testing.assert_array_equal(best[inside], found.labels[inside])
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, rtol=1e-4)


@pytest.mark.parametrize("working_pixels", [0, 320])
@pytest.mark.parametrize("superpixel_scale", [0.0, 100.0])
def test_scribbled_pixels_keep_their_id(
    picture: np.ndarray, working_pixels: int, superpixel_scale: float
) -> None:
    scribbles = strokes(picture)
    found = cluster(
        picture,
        scribbles=scribbles,
        working_pixels=working_pixels,
        superpixel_scale=superpixel_scale,
    )
    marked = scribbles != 255
    np.testing.assert_array_equal(found.labels[marked], scribbles[marked])
    assert np.unique(found.labels).tolist() == [3, 7]
    assert found.probabilities.shape == (2, *picture.shape[:2])
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, rtol=1e-4)


def test_scribbles_outside_the_region_do_not_count(picture: np.ndarray) -> None:
    region = np.ones(picture.shape[:2], bool)
    region[25:] = False
    found = cluster(picture, scribbles=strokes(picture), region=region)
    assert (found.labels[~region] == -1).all()
    assert set(np.unique(found.labels[region])) == {3, 7}


def test_outside_the_region_has_no_influence(picture: np.ndarray) -> None:
    region = np.zeros(picture.shape[:2], bool)
    region[4:28, 5:33] = True
    other = picture.copy()
    other[~region] = 255 - other[~region]
    first, second = (cluster(image, region=region) for image in (picture, other))
    assert (first.labels[~region] == -1).all()
    np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize(
    "options",
    [{}, {"continuity_weight": 50.0, "iterations": 60, "min_components": 5}],
    ids=["all iterations", "too few components in the end"],
)
def test_saved_network_gives_the_labels(
    picture: np.ndarray, tmp_path: Path, options: dict[str, Any]
) -> None:
    path = tmp_path / "network.safetensors"
    found = cluster(picture, save_model=str(path), **options)
    prepared = prepare(to_unit_range(picture), ClusteringOptions())
    with torch.no_grad():
        response = load_network(path)(torch.from_numpy(prepared).permute(2, 0, 1)[None])
    labels, _ = order_by_area(response[0].argmax(dim=0).numpy())
    np.testing.assert_array_equal(labels, found.labels)


def test_max_area_weight_lowers_the_largest_area(picture: np.ndarray) -> None:
    for seed in range(3):
        without, with_weight = (
            np.mean(cluster(picture, seed=seed, iterations=20, max_area_weight=weight).labels == 0)
            for weight in (0.0, 10.0)
        )
        assert with_weight < without - 0.1


def test_min_area_weight_raises_the_smallest_area(picture: np.ndarray) -> None:
    def share(seed: int, weight: float) -> float:
        """Area of the smallest component in even shares."""
        found = cluster(
            picture,
            seed=seed,
            iterations=40,
            learning_rate=0.05,
            min_components=1,
            min_area_weight=weight,
        )
        return float(np.bincount(found.labels.ravel()).min() * found.components / found.labels.size)

    without, with_weight = (
        np.mean([share(seed, weight) for seed in range(5)]) for weight in (0.0, 8.0)
    )
    assert with_weight > without + 0.2


@pytest.mark.parametrize("color_space", ["lab", "rgb"])
def test_color_space(picture: np.ndarray, color_space: str) -> None:
    image = to_unit_range(picture)
    found = prepare(image, ClusteringOptions(color_space=color_space))
    assert found.dtype == np.float32
    if color_space == "rgb":
        np.testing.assert_array_equal(found, image)
    else:
        # Lightness of white is 100, and grey has no color (CIE 1976).
        white = prepare(np.ones((1, 1, 3), np.float32), ClusteringOptions())
        np.testing.assert_allclose(white[0, 0], [2, 0, 0], atol=1e-3)


def test_two_scribbles_end_at_superpixels() -> None:
    image = np.zeros((60, 80, 3), np.float32)
    image[:, 40:] = 0.8
    scribbles = np.full((60, 80), -1, np.int32)
    scribbles[30, 5:15], scribbles[30, 60:75] = 0, 1
    options = ClusteringOptions(
        features=8, max_components=8, iterations=5, working_pixels=300, min_components=3
    )
    found = cluster_image(image, options, Task(scribbles=scribbles, precision="float32"))
    superpixels = small_superpixels(image, scale=options.superpixel_scale)
    free = scribbles < 0
    for superpixel in np.unique(superpixels):
        assert len(np.unique(found.labels[free & (superpixels == superpixel)])) == 1
