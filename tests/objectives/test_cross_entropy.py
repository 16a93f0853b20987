from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.errors import InputError, UsageError
from segmint.objectives import Batch, Objective, cross_entropy_loss

WEIGHTS = (0.5, 2.0, 0.0, 1.5, 3.0)


def made(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Logits (2, 5, 6, 7) and a mask with some pixels ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 5, 6, 7, generator=generator, dtype=torch.float64)
    mask = torch.randint(5, (2, 6, 7), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits.to(dtype), mask


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [(), WEIGHTS])
def test_is_the_function_of_torch(weights: tuple[float, ...], label_smoothing: float) -> None:
    logits, mask = made()
    logits.requires_grad_()
    expected = functional.cross_entropy(
        logits,
        mask,
        weight=torch.tensor(weights, dtype=torch.float64) if weights else None,
        ignore_index=255,
        label_smoothing=label_smoothing,
    )
    found = cross_entropy_loss(logits, mask, weights=weights, label_smoothing=label_smoothing)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits)
    )


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_gradient_by_differences(label_smoothing: float) -> None:
    logits, mask = made()
    assert torch.autograd.gradcheck(
        lambda values: cross_entropy_loss(
            values, mask, weights=WEIGHTS, label_smoothing=label_smoothing
        ),
        (logits.requires_grad_(),),
    )


@pytest.mark.parametrize("mask_type", [torch.uint8, torch.int16, torch.int64])
def test_mask_of_any_integers(mask_type: torch.dtype) -> None:
    logits, mask = made()
    expected = functional.cross_entropy(logits, mask, ignore_index=255)
    torch.testing.assert_close(cross_entropy_loss(logits, mask.to(mask_type)), expected)


def test_one_class_is_certain() -> None:
    assert float(cross_entropy_loss(torch.randn(1, 1, 2, 2), torch.zeros(1, 2, 2).long())) == 0


def test_labels_of_weight_zero_alone() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    value = cross_entropy_loss(logits, torch.ones(1, 2, 2).long(), weights=(1, 0, 1))
    value.backward()
    assert float(value.detach()) == 0
    assert not logits.grad.any()


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([1e30, -1e30, 0.0]).reshape(1, 3, 1, 1).requires_grad_()
    value = cross_entropy_loss(logits, torch.zeros(1, 1, 1).long())
    value.backward()
    assert float(value.detach()) == 0
    assert torch.isfinite(logits.grad).all()


def test_options_as_text() -> None:
    logits, mask = made(torch.float32)
    text = "cross_entropy(weights=[0.5, 2, 0, 1.5, 3], label_smoothing=0.1)"
    torch.testing.assert_close(
        Objective(text)(logits, Batch(image=torch.zeros(2, 1, 6, 7), mask=mask)),
        cross_entropy_loss(logits, mask, weights=WEIGHTS, label_smoothing=0.1),
    )


def test_weights_of_another_number_of_classes() -> None:
    logits, mask = made()
    with pytest.raises(UsageError, match="has 3 class weights, but there are 5 classes"):
        cross_entropy_loss(logits, mask, weights=(1, 2, 3))


@pytest.mark.parametrize("text", ["weights=[1, -1]", "label_smoothing=1.1", "label_smoothing=-1"])
def test_options_out_of_range(text: str) -> None:
    with pytest.raises(UsageError, match=r"term 'cross_entropy': \w+ is -?1.*, accepted is 0"):
        Objective(f"cross_entropy({text})")


def test_a_single_logit_has_no_second_class() -> None:
    with pytest.raises(InputError, match="holds label 1, but there are 1 classes"):
        cross_entropy_loss(torch.randn(1, 1, 2, 2), torch.ones(1, 2, 2).long())
