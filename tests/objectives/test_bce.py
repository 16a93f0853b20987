from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.objectives import bce_loss


def made(classes: int, labels: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, classes, 6, 7, generator=generator, dtype=torch.float64)
    mask = torch.randint(labels, (2, 6, 7), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits.requires_grad_(), mask


@pytest.mark.parametrize(("classes", "truths"), [(5, [0, 1, 2, 3, 4]), (2, [0, 1]), (1, [1])])
def test_is_the_function_of_torch(classes: int, truths: list[int]) -> None:
    logits, mask = made(classes, max(classes, 2))
    known = mask != 255
    onehot = (mask[known].unsqueeze(-1) == torch.tensor(truths)).double()
    expected = functional.binary_cross_entropy_with_logits(logits.movedim(1, -1)[known], onehot)
    found = bce_loss(logits, mask) / classes
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits)
    )


@pytest.mark.parametrize("classes", [4, 1])
def test_gradient_by_differences(classes: int) -> None:
    logits, mask = made(classes, max(classes, 2))
    assert torch.autograd.gradcheck(lambda values: bce_loss(values, mask), (logits,))


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([1e30, -1e30, 200.0]).reshape(1, 3, 1, 1).requires_grad_()
    value = bce_loss(logits, torch.zeros(1, 1, 1).long())
    value.backward()
    assert float(value.detach()) == pytest.approx(200)
    assert logits.grad.flatten().tolist() == pytest.approx([0, 0, 1])
