from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from segmint.errors import InputError, UsageError
from segmint.objectives import Batch
from segmint.objectives.rmi import RegionMutualInformation, rmi_loss
from segmint.objectives.rmi_options import ACTIVATIONS, NORMALIZATIONS, POOLINGS

FLOOR = 0.5 * math.log(5e-4)
"""Value of a class about which nothing is left unknown."""


def made(
    *shape: int, seed: int = 0, dtype: torch.dtype = torch.float32, ignored: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Random logits and a mask of blocks."""
    generator = torch.Generator().manual_seed(seed)
    images, classes, height, width = shape
    blocks = torch.randint(classes, (images, 1, 4, 4), generator=generator).float()
    mask = functional.interpolate(blocks, (height, width), mode="nearest")[:, 0].long()
    mask[torch.rand(mask.shape, generator=generator) < ignored] = 255
    return torch.randn(*shape, generator=generator, dtype=dtype), mask


def disk(side: int = 64) -> Tensor:
    """A mask of one disk."""
    place = torch.arange(side) - side / 2
    return (place[:, None] ** 2 + place**2 < (side / 3) ** 2).long()[None]


def soft(mask: Tensor, logit: float = 3.0) -> Tensor:
    """Logits of a perfect prediction that is not wholly sure."""
    return logit * (2.0 * functional.one_hot(mask, 2).movedim(-1, 1) - 1.0)


def gradient_of(logits: Tensor, mask: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
    logits = logits.detach().requires_grad_()
    value = rmi_loss(logits, mask, **options)
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach(), gradient


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradient_by_differences(pooling: str, activation: str, normalization: str) -> None:
    logits, mask = made(1, 3, 7, 8, dtype=torch.float64)
    mask[mask == 2] = 1
    mask[0, 0, :2] = 255

    def loss(values: Tensor) -> Tensor:
        return rmi_loss(
            values,
            mask,
            radius=2,
            pooling=pooling,
            pool_size=1 if pooling == "none" else 2,
            activation=activation,
            normalization=normalization,
            epsilon=1e-2,
        )

    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(),))


@pytest.mark.parametrize(
    ("dtype", "draws"), [(torch.float32, 500), (torch.bfloat16, 500), (torch.float16, 100)]
)
def test_random_logits_never_fail(dtype: torch.dtype, draws: int) -> None:
    scales = (0.1, 1.0, 4.0, 8.0, 30.0, 100.0)
    poolings = (("none", 1), ("average", 2), ("max", 3), ("interpolate", 2))
    cases = itertools.cycle(itertools.product(scales, poolings, ACTIVATIONS, (1, 2, 3)))
    for seed, case in zip(range(draws), cases, strict=False):
        scale, (pooling, pool_size), activation, radius = case
        logits, mask = made(1, 3, 12, 14, seed=seed, ignored=0.01 * (seed % 3))
        value, gradient = gradient_of(
            (scale * logits).to(dtype),
            mask,
            radius=radius,
            pooling=pooling,
            pool_size=pool_size,
            activation=activation,
        )
        assert torch.isfinite(value), case
        assert torch.isfinite(gradient).all(), case
        assert gradient.dtype == dtype


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("logit", [0.0, 4.0, 30.0, 1e4])
def test_singular_covariances(logit: float, normalization: str) -> None:
    mask = disk()
    logits = torch.cat([soft(mask, logit), torch.full((1, 2, 64, 64), logit)])
    value, gradient = gradient_of(logits, mask.expand(2, -1, -1), normalization=normalization)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


def test_constant_prediction_leaves_the_mask_unknown() -> None:
    mask = disk()
    constant, gradient = gradient_of(torch.zeros(1, 2, 64, 64), mask)
    perfect, _ = gradient_of(soft(mask, 20.0), mask)
    assert not gradient.any()
    assert float(constant) > 0 > float(perfect)
    # A perfect prediction leaves about as much as epsilon does.
    assert 2 * FLOOR <= float(perfect) < 2 * FLOOR + 0.7


def test_descends_to_the_mask() -> None:
    mask = disk(24)
    logits = (0.3 * soft(mask) + 0.1 * made(1, 2, 24, 24)[0]).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.1)
    values = []
    for _ in range(40):
        optimizer.zero_grad()
        value = rmi_loss(logits, mask)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.5
    assert ((logits[:, 1] > logits[:, 0]) == mask.bool()).all()


def test_same_for_the_complement() -> None:
    logits, mask = made(2, 3, 16, 16)
    torch.testing.assert_close(rmi_loss(-logits, mask), rmi_loss(logits, mask))


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), order=st.permutations(range(4)))
def test_order_of_classes_and_images_does_not_matter(seed: int, order: list[int]) -> None:
    logits, mask = made(4, 4, 10, 12, seed=seed, dtype=torch.float64, ignored=0.01)
    permutation = torch.tensor(order)
    relabelled = torch.where(mask == 255, mask, permutation.argsort()[mask.clamp(max=3)])
    for normalization in NORMALIZATIONS:
        expected = rmi_loss(logits, mask, normalization=normalization)
        for found in (
            rmi_loss(logits[permutation], mask[permutation], normalization=normalization),
            rmi_loss(logits[:, permutation], relabelled, normalization=normalization),
        ):
            torch.testing.assert_close(found, expected)


def test_absent_classes_add_nothing_or_a_constant() -> None:
    logits, mask = made(2, 3, 16, 16)
    wider = torch.cat([logits, made(2, 2, 16, 16, seed=1)[0]], dim=1)
    value, gradient = gradient_of(wider, mask)
    expected, narrow = gradient_of(logits, mask)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient[:, :3], narrow)
    assert not gradient[:, 3:].any()
    found = rmi_loss(wider, mask, normalization="paper")
    expected = rmi_loss(logits, mask, normalization="paper")
    torch.testing.assert_close(found, expected + 2 * FLOOR)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_ignored_has_no_influence(activation: str, pooling: str) -> None:
    logits, mask = made(2, 3, 24, 24, ignored=0.005)
    options = {"pooling": pooling, "pool_size": 1 if pooling == "none" else 2}
    value, gradient = gradient_of(logits, mask, activation=activation, radius=2, **options)
    nowhere = (mask == 255)[:, None].expand_as(logits)
    assert gradient.any()
    assert not gradient[nowhere].any()
    for other in (3.0, math.inf, math.nan):
        changed = logits.masked_fill(nowhere, other)
        found, moved = gradient_of(changed, mask, activation=activation, radius=2, **options)
        torch.testing.assert_close(found, value)
        torch.testing.assert_close(moved, gradient)


def test_ring_of_ignored_pixels_does_not_hurt_a_perfect_prediction() -> None:
    mask = disk()
    seen = functional.max_pool2d(mask[:, None].float(), 3, 1, 1)[:, 0] > 0
    inner = -functional.max_pool2d(-mask[:, None].float(), 5, 1, 2)[:, 0] > 0
    ringed = mask.masked_fill(seen & ~inner, 255)
    without = rmi_loss(soft(mask), mask).item()
    assert 2 * FLOOR <= rmi_loss(soft(mask), ringed).item() <= without + 1e-6
    published = {"normalization": "paper"}
    jump = rmi_loss(soft(mask), ringed, **published) - rmi_loss(soft(mask), mask, **published)
    assert jump.item() > 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nothing_counts(dtype: torch.dtype) -> None:
    logits, mask = made(2, 3, 8, 8)
    mask[:] = 255
    value, gradient = gradient_of(logits.to(dtype), mask)
    assert value.item() == 0
    assert not gradient.any()
    # Labels, but nowhere a window full of them.
    mask[:, ::3, ::3] = 1
    value, gradient = gradient_of(logits.to(dtype), mask)
    assert value.item() == 0
    assert not gradient.any()


def test_image_without_a_window_is_left_out_of_the_mean() -> None:
    logits, mask = made(2, 3, 8, 8)
    mask[1] = 255
    torch.testing.assert_close(rmi_loss(logits, mask), rmi_loss(logits[:1], mask[:1]))


def test_class_of_one_pixel() -> None:
    logits, _ = made(1, 3, 12, 12)
    mask = torch.zeros(1, 12, 12, dtype=torch.long)
    mask[0, 5, 7] = 2
    value, gradient = gradient_of(logits, mask)
    assert torch.isfinite(value)
    assert gradient[:, 2].any()
    assert not gradient[:, 1].any()
    # Beside an ignored pixel, it is in a window no more.
    mask[0, 5:8, 8] = mask[0, 3, 7] = mask[0, 5, 6] = 255
    value, gradient = gradient_of(logits, mask)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


def test_single_logit_is_that_of_label_one() -> None:
    logits, mask = made(2, 2, 12, 12)
    one = logits[:, 1:]
    both = torch.cat([-one, one], dim=1)
    torch.testing.assert_close(2 * rmi_loss(one, mask), rmi_loss(both, mask))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_only_that_of_the_logits(dtype: torch.dtype) -> None:
    logits, mask = made(2, 3, 20, 20)
    logits = (2 * logits).to(dtype)
    value, gradient = gradient_of(logits, mask)
    expected, wide = gradient_of(logits.float(), mask)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, wide.to(dtype))


def test_float32_is_close_to_float64() -> None:
    logits, mask = made(2, 3, 40, 40)
    value, gradient = gradient_of(logits, mask)
    expected, wide = gradient_of(logits.double(), mask)
    torch.testing.assert_close(value.double(), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(gradient.double(), wide, rtol=1e-4, atol=1e-7)


def test_autocast_does_not_reach_inside() -> None:
    logits, mask = made(2, 3, 16, 16)
    expected = rmi_loss(logits, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(rmi_loss(logits, mask), expected)


def test_order_in_memory_does_not_matter() -> None:
    logits, mask = made(2, 3, 16, 16)
    last = logits.contiguous(memory_format=torch.channels_last)
    value, gradient = gradient_of(last, mask)
    expected, first = gradient_of(logits, mask)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, first)
    assert gradient.is_contiguous(memory_format=torch.channels_last)


def test_masks_of_bytes() -> None:
    logits, mask = made(2, 3, 16, 16, ignored=0.01)
    assert torch.equal(rmi_loss(logits, mask.to(torch.uint8)), rmi_loss(logits, mask))


@pytest.mark.parametrize("radius", range(1, 11))
def test_every_radius(radius: int) -> None:
    logits, mask = made(1, 2, 16, 16)
    value, gradient = gradient_of(logits, mask, radius=radius)
    assert torch.isfinite(value)
    assert gradient.any()


@pytest.mark.parametrize(
    ("sides", "options", "message"),
    [
        ((2, 40), {}, r"2 x 40 pixels are smaller .* 3 x 3: choose a smaller radius or larger"),
        ((40, 4), {"radius": 5}, "40 x 4 pixels"),
        (
            (40, 11),
            {"pooling": "average", "pool_size": 4},
            "40 x 11 pixels, 10 x 2 after pooling by 4, are smaller .* less pooling",
        ),
        ((3, 3), {"pooling": "max", "pool_size": 4}, "3 x 3 pixels, 0 x 0 after"),
        ((9, 9), {"pooling": "interpolate", "pool_size": 4}, "2 x 2 after"),
        (
            (3, 3),
            {"pooling": "average", "pool_size": 4, "normalization": "paper"},
            "1 x 1 after",
        ),
    ],
)
def test_image_smaller_than_the_window(
    sides: tuple[int, int], options: dict[str, Any], message: str
) -> None:
    logits, mask = torch.zeros(1, 2, *sides), torch.zeros(1, *sides, dtype=torch.long)
    with pytest.raises(InputError, match=message):
        rmi_loss(logits, mask, **options)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_image_as_large_as_the_window(pooling: str) -> None:
    size = 1 if pooling == "none" else 4
    logits, mask = made(1, 2, 3 * size, 3 * size)
    assert torch.isfinite(rmi_loss(logits, mask, pooling=pooling, pool_size=size))


@pytest.mark.parametrize(
    "options",
    [
        {"radius": 0},
        {"radius": 11},
        {"pooling": "mean"},
        {"pool_size": 0, "pooling": "max"},
        {"pool_size": 2},
        {"activation": "relu"},
        {"normalization": "windows"},
        {"epsilon": 0.0},
    ],
    ids=str,
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RegionMutualInformation(**options)


def test_mask_that_does_not_fit() -> None:
    logits, mask = made(1, 3, 8, 8)
    with pytest.raises(InputError, match="shape"):
        rmi_loss(logits, mask[:, 1:])
    mask[0, 0, 0] = 3
    with pytest.raises(InputError, match="label 3"):
        rmi_loss(logits, mask)


def test_term_looks_inside_the_region() -> None:
    logits, mask = made(2, 3, 16, 16)
    image = torch.zeros(2, 1, 16, 16)
    region = torch.ones(2, 16, 16, dtype=torch.bool)
    region[:, 12:] = False
    term = RegionMutualInformation(radius=2, activation="softmax")
    found = term(logits, Batch(image=image, mask=mask, region=region))
    expected = rmi_loss(logits[:, :, :12], mask[:, :12], radius=2, activation="softmax")
    torch.testing.assert_close(found, expected)


def test_term_without_a_mask() -> None:
    logits = torch.full((1, 2, 8, 8), math.inf, requires_grad=True)
    value = RegionMutualInformation()(logits, Batch(image=torch.zeros(1, 1, 8, 8)))
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.item() == 0
    assert not gradient.any()
