"""Every loss that is summed by chunks gives the same however the logits lie and are cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segmint.objectives import (
    bce_loss,
    cross_entropy_loss,
    focal_loss,
    overlap_loss,
    pixel_sums,
)

Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy_loss,
    "smoothed": lambda logits, mask: cross_entropy_loss(
        logits, mask, weights=[1 + k for k in range(logits.shape[1])], label_smoothing=0.1
    ),
    "bce": bce_loss,
    "focal": lambda logits, mask: focal_loss(logits, mask, alpha=0.3),
    "dice": lambda logits, mask: overlap_loss(logits, mask, alpha=0.5, beta=0.5),
}


def made(shape: tuple[int, int, int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images, classes, height, width = shape
    logits = 2 * torch.randn(shape, generator=generator)
    mask = torch.randint(classes, (images, height, width), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits, mask


def cropped(logits: Tensor) -> Tensor:
    """The same values, neither planar nor interleaved."""
    return torch.nn.functional.pad(logits, (1, 2, 1, 1))[..., 1:-1, 1:-2]


LAYOUTS: list[Callable[[Tensor], Tensor]] = [
    lambda logits: logits.contiguous(memory_format=torch.channels_last),
    lambda logits: logits.transpose(2, 3).contiguous().transpose(2, 3),
    cropped,
]


def value_and_gradient(loss: Loss, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    logits = logits.detach().requires_grad_()
    value = loss(logits, mask)
    return value.detach(), torch.autograd.grad(value, logits)[0]


@settings(max_examples=60)
@given(
    name=st.sampled_from(list(LOSSES)),
    shape=st.tuples(
        st.integers(1, 3), st.sampled_from([1, 2, 3, 17]), st.integers(1, 5), st.integers(1, 5)
    ),
    layout=st.sampled_from(LAYOUTS),
    chunk=st.sampled_from([1, 9, 40, 10_000]),
    seed=st.integers(0, 1000),
)
def test_layout_and_chunks_change_nothing(
    name: str,
    shape: tuple[int, int, int, int],
    layout: Callable[[Tensor], Tensor],
    chunk: int,
    seed: int,
) -> None:
    logits, mask = made(shape, seed)
    expected, expected_gradient = value_and_gradient(LOSSES[name], logits, mask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_sums, "CHUNK_ELEMENTS", chunk)
        found, gradient = value_and_gradient(LOSSES[name], layout(logits), mask)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(name: str, dtype: torch.dtype) -> None:
    logits, mask = made((2, 5, 6, 7))
    coarse = logits.to(dtype)
    expected, expected_gradient = value_and_gradient(LOSSES[name], coarse.float(), mask)
    found, gradient = value_and_gradient(LOSSES[name], coarse, mask)
    assert found.dtype == torch.float32
    assert gradient.dtype == dtype
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, expected_gradient.to(dtype), rtol=0, atol=0)


@pytest.mark.parametrize("name", list(LOSSES))
def test_loss_scale_saves_small_gradients(name: str) -> None:
    logits, mask = made((1, 4, 200, 200))
    scale = 2.0**16
    _, plain = value_and_gradient(LOSSES[name], logits.half().float(), mask)
    _, scaled = value_and_gradient(
        lambda values, mask: scale * LOSSES[name](values, mask), logits.half(), mask
    )
    torch.testing.assert_close(scaled.float() / scale, plain, rtol=2e-3, atol=1e-12)


@pytest.mark.parametrize("name", list(LOSSES))
def test_logits_are_left_alone(name: str) -> None:
    logits, mask = made((2, 5, 6, 7))
    before = logits.clone()
    value_and_gradient(LOSSES[name], logits, mask)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("name", list(LOSSES))
def test_backward_twice_is_the_same(name: str) -> None:
    logits, mask = made((2, 5, 6, 7))
    logits.requires_grad_()
    value = LOSSES[name](logits, mask)
    (first,) = torch.autograd.grad(value, logits, retain_graph=True)
    (second,) = torch.autograd.grad(value, logits)
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", list(LOSSES))
def test_autocast_changes_nothing(name: str) -> None:
    logits, mask = made((2, 5, 6, 7))
    expected, expected_gradient = value_and_gradient(LOSSES[name], logits, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, gradient = value_and_gradient(LOSSES[name], logits, mask)
    assert torch.equal(found, expected)
    assert torch.equal(gradient, expected_gradient)
