from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmint.errors import UsageError
from segmint.images import to_unit_range
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.normalization import Normalization
from segmint.objectives import Batch
from segmint.recipes.clustering import FolderClusteringOptions
from segmint.solvers.checkpoints import LAST, read_checkpoint
from segmint.solvers.clustering import objective_of
from segmint.solvers.clustering_folder import FolderFit, cluster_folder, respond
from segmint.solvers.reduction import to_input
from segmint.solvers.training_options import LoopOptions

sys.path.insert(0, str(Path(__file__).parent))
from cut_off import CutOff, CutOffError

CPU = torch.device("cpu")
QUICK = {"features": 10, "max_components": 12, "epochs": 3, "batch_size": 2, "image_size": 0}


def images(picture: np.ndarray) -> list[np.ndarray]:
    image = to_unit_range(picture)
    return [image, image[:, ::-1].copy(), image[::-1].copy(), image[:24, :30].copy()]


def fit(
    picture: np.ndarray,
    folder: Path,
    *,
    seed: int = 0,
    loop: LoopOptions | None = None,
    resume: bool = False,
    watch: object = None,
    **options: Any,
) -> FolderFit:
    return cluster_folder(
        [Batch(image=to_input(image, CPU), names=("one",)) for image in images(picture)],
        FolderClusteringOptions(**{**QUICK, **options}),
        loop or LoopOptions(),
        folder=folder,
        seed=seed,
        device="cpu",
        precision="float32",
        resume=resume,
        watch=watch,
    )


def labels(found: FolderFit, image: np.ndarray) -> np.ndarray:
    response = respond(found.network, to_input(image, CPU), torch.float32)
    alive = np.flatnonzero(found.numbers >= 0)
    return found.numbers[alive][response[alive].argmax(dim=0).numpy()]


def test_same_seed_same_network(picture: np.ndarray, tmp_path: Path) -> None:
    first, again, other = (
        fit(picture, tmp_path / str(number), seed=seed) for number, seed in enumerate((1, 1, 2))
    )
    assert first.fitted.history == again.fitted.history != other.fitted.history
    np.testing.assert_array_equal(first.numbers, again.numbers)
    for one, two in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("image_size", [0, 20])
def test_components_are_ordered_by_area_over_all_images(
    picture: np.ndarray, image_size: int, tmp_path: Path
) -> None:
    found = fit(picture, tmp_path, image_size=image_size, components=4)
    assert set(found.numbers[found.numbers >= 0]) == set(range(4))
    if image_size == 0:
        counts = sum(
            np.bincount(labels(found, image).ravel(), minlength=4) for image in images(picture)
        )
        assert (np.diff(counts) <= 0).all()


def test_every_image_counts_once_an_epoch(picture: np.ndarray, tmp_path: Path) -> None:
    # Three images of one size make two batches of two and one; the fourth is alone.
    found = fit(picture, tmp_path)
    assert [row["step"] for row in found.fitted.history] == [3, 6, 9]
    with (tmp_path / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counted = len(np.unique(np.concatenate([labels(found, i).ravel() for i in images(picture)])))
    assert [float(row["val_components"]) for row in rows][-1] == counted
    for row in found.fitted.history:
        assert row["loss"] == pytest.approx(row["similarity"] + row["continuity"], rel=1e-5)


def test_learns_what_gradient_descent_with_momentum_learns(
    picture: np.ndarray, tmp_path: Path
) -> None:
    """One batch of all images of one size an epoch, beside the library's own optimizer."""
    options = FolderClusteringOptions(**{**QUICK, "min_components": 1})
    whole = [Batch(image=to_input(image, CPU)) for image in images(picture)[:3]]
    found = cluster_folder(
        whole, FolderClusteringOptions(**{**vars(options), "batch_size": 3}), LoopOptions(),
        folder=tmp_path, device="cpu", precision="float32",
    )  # fmt: skip
    network = ClusteringNetwork(in_channels=3, classes=12, features=10, seed=0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    everything = Batch(image=torch.cat([image.image for image in whole]))
    for row in found.fitted.history:
        total = objective_of(options)(network(everything.image), everything)
        assert float(total.detach()) == pytest.approx(row["loss"], rel=1e-3)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


@pytest.mark.parametrize("options", [{"min_components": 7}, {"components": 7}])
def test_no_fewer_components_than_asked_for(
    picture: np.ndarray, options: dict[str, int], tmp_path: Path
) -> None:
    found = fit(picture, tmp_path, continuity_weight=30.0, epochs=10, **options)
    counts = [row["val_components"] for row in found.fitted.history]
    assert found.numbers.max() + 1 >= 7
    assert found.fitted.stopped == "enough"
    assert all(count > 7 for count in counts[:-1])
    assert counts[-1] <= 7


def test_the_last_weights_with_enough_components_are_kept(
    picture: np.ndarray, tmp_path: Path
) -> None:
    found = fit(picture, tmp_path, continuity_weight=5.0, epochs=10, min_components=6)
    counts = [row["val_components"] for row in found.fitted.history]
    assert counts[-1] < 6  # so the epoch before was the last with enough
    assert (found.numbers >= 0).sum() == counts[-2] > 6
    learning = read_checkpoint(tmp_path / LAST).task
    assert not torch.equal(learning["network.classifier.weight"], found.network.classifier.weight)


def test_the_start_is_kept_where_no_epoch_has_enough(picture: np.ndarray, tmp_path: Path) -> None:
    found = fit(picture, tmp_path, continuity_weight=30.0, epochs=10, min_components=9)
    assert found.fitted.history[-1]["val_components"] < 9
    assert len(found.fitted.history) == 1
    fresh = ClusteringNetwork(in_channels=3, classes=12, features=10, seed=0)
    for name, value in fresh.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], value)


def test_more_components_than_there_ever_were(picture: np.ndarray, tmp_path: Path) -> None:
    """Two pixels cannot hold three components; nothing is left that could go on."""
    images = [Batch(image=to_input(to_unit_range(picture[:1, :2]), CPU))]
    options = FolderClusteringOptions(**{**QUICK, "components": 3})
    with pytest.raises(UsageError, match=r"--components is 3, but . remain after training"):
        cluster_folder(images, options, LoopOptions(), folder=tmp_path, device="cpu")
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("options", [{}, {"continuity_weight": 5.0, "min_components": 6}])
def test_goes_on_where_it_was_cut_off(
    picture: np.ndarray, options: dict[str, Any], tmp_path: Path
) -> None:
    whole = fit(picture, tmp_path / "whole", **options)
    with pytest.raises(CutOffError):
        fit(picture, tmp_path / "cut", watch=CutOff(after=5), **options)
    resumed = fit(picture, tmp_path / "cut", resume=True, **options)
    assert resumed.fitted.history == whole.fitted.history
    np.testing.assert_array_equal(resumed.numbers, whole.numbers)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value)
    tables = ((tmp_path / name / "log.csv").read_bytes() for name in ("whole", "cut"))
    assert len(set(tables)) == 1


def test_time_ends_it(picture: np.ndarray, tmp_path: Path) -> None:
    found = fit(picture, tmp_path, epochs=10_000, loop=LoopOptions(max_time=0.2), min_components=1)
    assert found.fitted.stopped == "max_time"
    assert "val_components" in found.fitted.history[-1]


def test_frozen_statistics_are_those_of_all_images(picture: np.ndarray, tmp_path: Path) -> None:
    network = fit(picture, tmp_path, statistics="running").network
    values = [
        torch.relu(network.convolutions[0](to_input(image, CPU)))[0].flatten(1)
        for image in images(picture)
    ]
    everything = torch.cat(values, dim=1).detach()
    first = network.normalizations[0]
    assert isinstance(first, Normalization)
    assert network.statistics == "running"
    torch.testing.assert_close(first.running_mean, everything.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        first.running_variance, everything.var(dim=1, correction=0), rtol=1e-3, atol=1e-6
    )


def test_frozen_network_is_local(picture: np.ndarray, tmp_path: Path) -> None:
    found = fit(picture, tmp_path, statistics="running")
    image = to_unit_range(picture)
    np.testing.assert_array_equal(labels(found, image[:20].copy())[:16], labels(found, image)[:16])
