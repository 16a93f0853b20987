from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.methods.deepg import ManyImagesOptions
from segmint.networks.unet_deepg import DeepGUNet
from segmint.objectives import Batch, Objective
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.mixture_training import (
    MixtureTraining,
    segment_with_network,
    train_mixture_network,
)
from segmint.solvers.training_options import LoopOptions

sys.path.insert(0, str(Path(__file__).parent))
from cut_off import CutOff, CutOffError

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
    folder: Path,
    *,
    varying: bool = True,
    lam: float = 1.0,
    loop: LoopOptions | None = None,
    resume: bool = False,
    watch: object = None,
    **changes: object,
) -> MixtureTraining:
    options = replace(QUICK, **changes)
    settings = MixtureSettings(options=options, classes=2, varying=varying, lam=lam)
    return train_mixture_network(
        images,
        settings,
        loop or LoopOptions(),
        folder=folder,
        seed=0,
        device="cpu",
        precision="float32",
        resume=resume,
        watch=watch,
    )


@pytest.mark.parametrize("varying", [False, True])
def test_segments_an_image_it_has_not_seen(varying: bool, tmp_path: Path) -> None:
    network = train([example(seed)[0] for seed in range(5)], tmp_path, varying=varying).network
    batch, truth = example(9)
    found = segment_with_network(network, batch.image, batch.region, torch.float32)
    right = (found.argmax(dim=0) == truth)[batch.region[0]]
    assert right.float().mean() > 0.95
    torch.testing.assert_close(found.sum(dim=0), batch.region[0].float())


def test_rows(tmp_path: Path) -> None:
    found = train([example(seed)[0] for seed in range(3)], tmp_path, max_epochs=4)
    rows = found.fitted.history
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    for row in rows:
        assert row["loss"] == pytest.approx(row["nll"] + row["prior_means"], rel=1e-5)


def test_learns_what_clipped_adamw_learns(tmp_path: Path) -> None:
    """Beside the library's own optimizer, clipping and objective."""
    batch, _ = example(0)
    how = {"augmentation": "none", "max_epochs": 6, "min_epochs": 6, "gradient_clip": 0.5}
    found = train([batch], tmp_path, **how)
    network = DeepGUNet(in_channels=2, classes=2, features=4, levels=2, seed=0)
    objective = Objective("varying_mixture + 1*prior_means")
    optimizer = torch.optim.AdamW(
        network.parameters(), weight_decay=1e-3, foreach=False, fused=False
    )
    for epoch, row in enumerate(found.fitted.history):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - epoch / 6) ** 0.9
        total = objective(network(batch.image), batch)
        assert float(total.detach()) == pytest.approx(row["loss"], rel=1e-3)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()


def test_images_of_unlike_size(tmp_path: Path) -> None:
    images = [example(0, 32, 48)[0], example(1, 40, 32)[0], example(2, 32, 48)[0]]
    found = train([*images, replace(images[0], region=None)], tmp_path, max_epochs=2)
    assert [row["step"] for row in found.fitted.history] == [3, 6]


def test_images_without_a_region_pixel_are_left_out(tmp_path: Path) -> None:
    batch, _ = example(0)
    empty = replace(batch, region=torch.zeros_like(batch.region))
    with_empty, without = (
        train(images, tmp_path / str(len(images)), max_epochs=2)
        for images in ([batch, empty], [batch])
    )
    assert with_empty.fitted.history == without.fitted.history


@pytest.mark.parametrize(
    "images", [[], [replace(example(0)[0], region=torch.zeros(1, 32, 32) > 0)]]
)
def test_nothing_to_learn_from(images: list[Batch], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image has a pixel"):
        train(images, tmp_path)


def test_stops_when_the_mean_likelihood_settles(tmp_path: Path) -> None:
    found = train([example(0)[0]], tmp_path, augmentation="none", min_epochs=4, tol=0.05)
    rows = found.fitted.history
    changes = [abs(b["nll"] - a["nll"]) for a, b in pairwise(rows)]
    assert 4 < len(rows) < 25
    assert found.fitted.stopped == "enough"
    assert changes[-1] < 0.05
    assert all(change >= 0.05 for change in changes[3:-1])


def test_learning_rate_falls_with_each_epoch(tmp_path: Path) -> None:
    how = {"max_epochs": 4, "learning_rate": 1e-3, "tol": 0.0, "batch_size": 1}
    found = train([example(seed)[0] for seed in range(2)], tmp_path, **how)
    rates = [row["learning_rate"] for row in found.fitted.history]
    assert rates == pytest.approx([1e-3 * (1 - epoch / 4) ** 0.9 for epoch in range(4)])


def test_same_seed_same_network(tmp_path: Path) -> None:
    images = [example(seed)[0] for seed in range(3)]
    first, again = (
        train(images, tmp_path / name, max_epochs=2).network.state_dict() for name in "ab"
    )
    torch.testing.assert_close(dict(first), dict(again), rtol=0, atol=0)


def test_augmentation_is_a_switch(tmp_path: Path) -> None:
    images = [example(0)[0]]
    plain, moved = (
        train(images, tmp_path / each, max_epochs=2, augmentation=each) for each in ("none", "full")
    )
    assert plain.fitted.history != moved.fitted.history


@pytest.mark.parametrize("varying", [False, True])
def test_goes_on_where_it_was_cut_off(varying: bool, tmp_path: Path) -> None:
    """With every image deformed anew in each step."""
    images = [example(0)[0], example(1)[0], example(2, 40, 32)[0]]
    how = {"varying": varying, "max_epochs": 4}
    whole = train(images, tmp_path / "whole", **how)
    with pytest.raises(CutOffError):
        train(images, tmp_path / "cut", watch=CutOff(after=5), **how)
    resumed = train(images, tmp_path / "cut", resume=True, **how)
    assert resumed.fitted.history == whole.fitted.history
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value)
    tables = {(tmp_path / name / "log.csv").read_bytes() for name in ("whole", "cut")}
    assert len(tables) == 1


def test_time_ends_it(tmp_path: Path) -> None:
    loop = LoopOptions(max_time=0.2)
    found = train([example(0)[0]], tmp_path, loop=loop, max_epochs=10_000, tol=0.0)
    assert found.fitted.stopped == "max_time"
