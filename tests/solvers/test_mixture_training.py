from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.methods.deepg import ManyImagesOptions
from segmint.objectives import Batch
from segmint.solvers.mixture_learner import MixtureLearner
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.mixture_training import (
    MixtureTraining,
    segment_with_network,
    train_mixture_network,
)

QUICK = ManyImagesOptions(features=4, levels=2, batch_size=2, learning_rate=1e-2, max_epochs=25)
MEANS = torch.tensor([[0.0, 0.5], [1.0, 0.0]])


def example(seed: int, height: int = 32, width: int = 32) -> tuple[Batch, Tensor]:
    """A disc somewhere in a region, and the truth (H, W)."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    row, column = (12 + 8 * torch.rand(2, generator=generator)).tolist()
    truth = ((y - row) ** 2 + (x - column) ** 2 < 36).long()
    region = (y - row) ** 2 + (x - column) ** 2 < 140
    image = MEANS[truth].movedim(-1, 0) + 0.2 * torch.randn(2, height, width, generator=generator)
    return Batch(image=image[None], region=region[None], prior_means=MEANS), truth


def train(
    images: list[Batch],
    *,
    varying: bool = True,
    report: Callable[[int, float], None] | None = None,
    **changes: object,
) -> MixtureTraining:
    options = replace(QUICK, **changes)
    settings = MixtureSettings(options=options, classes=2, varying=varying, lam=1.0)
    return train_mixture_network(
        images, settings, seed=0, device="cpu", precision="float32", report=report
    )


@pytest.mark.parametrize("varying", [False, True])
def test_segments_an_image_it_has_not_seen(varying: bool) -> None:
    network = train([example(seed)[0] for seed in range(5)], varying=varying).network
    batch, truth = example(9)
    found = segment_with_network(network, batch.image, batch.region, torch.float32)
    right = (found.argmax(dim=0) == truth)[batch.region[0]]
    assert right.float().mean() > 0.95
    torch.testing.assert_close(found.sum(dim=0), batch.region[0].float())


def test_history() -> None:
    told = []
    found = train(
        [example(seed)[0] for seed in range(3)],
        report=lambda epoch, objective: told.append((epoch, objective)),
        max_epochs=4,
    )
    assert told == [(row["iteration"], row["objective"]) for row in found.history]
    assert [row["iteration"] for row in found.history] == [1, 2, 3, 4]
    for row in found.history:
        assert row["objective"] == pytest.approx(row["nll"] + row["prior_means"], rel=1e-5)


def test_images_of_unlike_size() -> None:
    images = [example(0, 32, 48)[0], example(1, 40, 32)[0], example(2, 32, 48)[0]]
    found = train([*images, replace(images[0], region=None)], max_epochs=2)
    assert len(found.history) == 2


def test_images_without_a_region_pixel_are_left_out() -> None:
    batch, _ = example(0)
    empty = replace(batch, region=torch.zeros_like(batch.region))
    with_empty, without = (train(images, max_epochs=2) for images in ([batch, empty], [batch]))
    assert with_empty.history == without.history


@pytest.mark.parametrize(
    "images", [[], [replace(example(0)[0], region=torch.zeros(1, 32, 32) > 0)]]
)
def test_nothing_to_learn_from(images: list[Batch]) -> None:
    with pytest.raises(InputError, match="no image has a pixel"):
        train(images)


def test_stops_when_the_mean_likelihood_settles() -> None:
    found = train([example(0)[0]], augmentation="none", min_epochs=4, tol=0.05)
    changes = [abs(b["nll"] - a["nll"]) for a, b in pairwise(found.history)]
    assert 4 < len(found.history) < 25
    assert changes[-1] < 0.05
    assert all(change >= 0.05 for change in changes[3:-1])


def test_learning_rate_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    monkeypatch.setattr(MixtureLearner, "use_learning_rate", lambda _, rate: rates.append(rate))
    train([example(0)[0]], max_epochs=4, learning_rate=1e-3, tol=0.0)
    assert rates == pytest.approx([1e-3 * (1 - epoch / 4) ** 0.9 for epoch in range(4)])


def test_same_seed_same_network() -> None:
    images = [example(seed)[0] for seed in range(3)]
    first, again = (train(images, max_epochs=2).network.state_dict() for _ in range(2))
    torch.testing.assert_close(dict(first), dict(again), rtol=0, atol=0)


def test_augmentation_is_a_switch() -> None:
    images = [example(0)[0]]
    plain, moved = (train(images, max_epochs=2, augmentation=each) for each in ("none", "full"))
    assert plain.history != moved.history
