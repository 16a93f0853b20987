from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from segmint.errors import UsageError
from segmint.images import to_unit_range
from segmint.networks.normalization import Normalization
from segmint.recipes.clustering import FolderClusteringOptions
from segmint.solvers.clustering_folder import FolderFit, cluster_folder, respond
from segmint.solvers.reduction import to_input

CPU = torch.device("cpu")


def folder(picture: np.ndarray) -> list[np.ndarray]:
    image = to_unit_range(picture)
    return [image, image[:, ::-1].copy(), image[::-1].copy(), image[:24, :30].copy()]


def fit(picture: np.ndarray, *, seed: int = 0, **options: Any) -> FolderFit:
    given = {
        "features": 10, "max_components": 12, "epochs": 3, "batch_size": 2, "image_size": 0,
        **options,
    }  # fmt: skip
    resolved = FolderClusteringOptions(**given)
    return cluster_folder(folder(picture), resolved, seed=seed, device="cpu", precision="float32")


def labels(found: FolderFit, image: np.ndarray) -> np.ndarray:
    response = respond(found.network, to_input(image, CPU), torch.float32)
    alive = np.flatnonzero(found.numbers >= 0)
    return found.numbers[alive][response[alive].argmax(dim=0).numpy()]


def test_same_seed_same_network(picture: np.ndarray) -> None:
    first, again, other = (fit(picture, seed=seed) for seed in (1, 1, 2))
    assert first.history == again.history != other.history
    np.testing.assert_array_equal(first.numbers, again.numbers)


@pytest.mark.parametrize("image_size", [0, 20])
def test_components_are_ordered_by_area_over_all_images(
    picture: np.ndarray, image_size: int
) -> None:
    found = fit(picture, image_size=image_size, components=4)
    assert set(found.numbers[found.numbers >= 0]) == set(range(4))
    if image_size == 0:
        counts = sum(
            np.bincount(labels(found, image).ravel(), minlength=4) for image in folder(picture)
        )
        assert (np.diff(counts) <= 0).all()


def test_every_image_counts_once_an_epoch(picture: np.ndarray) -> None:
    # Three images of one size make two batches of two and one; the fourth is alone.
    found = fit(picture)
    assert [row["iteration"] for row in found.history] == list(range(1, 10))
    counted = [row["iteration"] for row in found.history if "components" in row]
    assert counted == [1, 3, 6, 9]


@pytest.mark.parametrize("options", [{"min_components": 7}, {"components": 7}])
def test_no_fewer_components_than_asked_for(picture: np.ndarray, options: dict[str, int]) -> None:
    found = fit(picture, continuity_weight=30.0, epochs=10, **options)
    assert found.numbers.max() + 1 >= 7


def test_more_components_than_remain(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="--components is 20"):
        fit(picture, components=20)


def test_frozen_statistics_are_those_of_all_images(picture: np.ndarray) -> None:
    network = fit(picture, statistics="running").network
    values = [
        torch.relu(network.convolutions[0](to_input(image, CPU)))[0].flatten(1)
        for image in folder(picture)
    ]
    everything = torch.cat(values, dim=1).detach()
    first = network.normalizations[0]
    assert isinstance(first, Normalization)
    assert network.statistics == "running"
    torch.testing.assert_close(first.running_mean, everything.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        first.running_variance, everything.var(dim=1, correction=0), rtol=1e-3, atol=1e-6
    )


def test_frozen_network_is_local(picture: np.ndarray) -> None:
    found = fit(picture, statistics="running")
    image = to_unit_range(picture)
    np.testing.assert_array_equal(labels(found, image[:20].copy())[:16], labels(found, image)[:16])
