from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from scipy.ndimage import affine_transform
from torch import Tensor

from segmint.solvers.augmentation import Augmentation

STILL = Augmentation(
    rotation=0, least_scale=1, greatest_scale=1, flip_probability=0, elastic_strength=0, noise=0
)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def disc(size: int = 64, radius: float = 18, row: float = 30, column: float = 36) -> Tensor:
    """(1, H, W) boolean."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return ((y - row) ** 2 + (x - column) ** 2 < radius**2)[None]


def overlap(first: Tensor, second: Tensor) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_nothing_asked_nothing_done() -> None:
    image = torch.rand(2, 3, 15, 20, generator=drawn())
    region = image[:, 0] > 0.5
    moved, inside = STILL(image, region, drawn())
    torch.testing.assert_close(moved, image, rtol=0, atol=1e-5)
    assert torch.equal(inside, region)


@pytest.mark.parametrize("seed", range(6))
def test_image_and_region_move_alike(seed: int) -> None:
    region = disc()
    quiet = replace(Augmentation(), noise=0.0)
    moved, inside = quiet(region[:, None].float(), region, drawn(seed))
    assert overlap(inside, moved[:, 0] > 0.5) > 0.97
    assert overlap(inside, region) < 0.97


def test_images_of_a_batch_move_on_their_own() -> None:
    region = disc().expand(2, -1, -1)
    _, inside = Augmentation()(region[:, None].float(), region, drawn())
    assert not torch.equal(inside[0], inside[1])


def test_flips() -> None:
    image = torch.rand(1, 2, 7, 10, generator=drawn())
    region = image[:, 0] > 0.5
    moved, inside = replace(STILL, flip_probability=1.0)(image, region, drawn())
    torch.testing.assert_close(moved, image.flip(2, 3), rtol=0, atol=1e-5)
    assert torch.equal(inside, region.flip(1, 2))


def test_scale_changes_the_area() -> None:
    larger = replace(STILL, least_scale=1.25, greatest_scale=1.25)
    region = disc(radius=12)
    _, inside = larger(region[:, None].float(), region, drawn())
    assert float(inside.sum() / region.sum()) == pytest.approx(1.25**2, rel=0.03)


def test_rotation_is_that_of_scipy() -> None:
    image = torch.rand(1, 1, 21, 30, generator=drawn()).double()
    region = torch.ones(1, 21, 30, dtype=torch.bool)
    turned, _ = replace(STILL, rotation=15.0)(image, region, drawn(3))
    angle = torch.rand((), generator=drawn(3)) * 30 - 15
    sine, cosine = float(torch.sin(torch.deg2rad(angle))), float(torch.cos(torch.deg2rad(angle)))
    matrix = torch.tensor([[cosine, -sine], [sine, cosine]]).double()
    middle = torch.tensor([10.0, 14.5]).double()
    expected = affine_transform(
        image[0, 0].numpy(), matrix, offset=middle - matrix @ middle, order=1, mode="nearest"
    )
    torch.testing.assert_close(turned[0, 0], torch.from_numpy(expected), rtol=0, atol=1e-4)


def test_elastic_deformation_is_smooth_and_some_pixels_far() -> None:
    elastic = replace(STILL, elastic_strength=175.0)
    ramp = torch.arange(96.0).expand(1, 1, 96, 96)
    region = torch.ones(1, 96, 96, dtype=torch.bool)
    shifts = torch.stack([(elastic(ramp, region, drawn(seed))[0] - ramp) for seed in range(10)])
    middle = shifts[..., 20:-20, 20:-20]
    assert 0.5 < middle.abs().max() < 12
    assert middle.diff(dim=-1).abs().max() < 1


@pytest.mark.parametrize(("probability", "changed"), [(0.0, False), (1.0, True)])
def test_noise(probability: float, changed: bool) -> None:
    image = torch.zeros(4, 3, 32, 32)
    noisy = replace(STILL, noise=0.1, noise_probability=probability)
    found, inside = noisy(image, torch.ones(4, 32, 32, dtype=torch.bool), drawn())
    deviations = found.std(dim=(1, 2, 3))
    assert bool((deviations > 0).all()) == changed
    assert deviations.max() < 0.11
    assert inside.all()


def test_same_seed_same_images_and_global_randomness_plays_no_part() -> None:
    region = disc()
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        found.append(Augmentation()(region[:, None].float(), region, drawn(5))[0])
    assert torch.equal(*found)
