from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from segmint.errors import UsageError
from segmint.objectives import Objective, bce_loss, focal_loss
from segmint.torchvision_operators import declare_operators


def made(classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, classes, 6, 7, generator=generator, dtype=torch.float64)
    mask = torch.randint(max(classes, 2), (2, 6, 7), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits.requires_grad_(), mask


def by_loops(logits: Tensor, mask: Tensor, gamma: float, alpha: float | None) -> float:
    """The formula pixel by pixel and class by class."""
    values = []
    for n, y, x in (mask != 255).nonzero().tolist():
        for k in range(logits.shape[1]):
            true = int(mask[n, y, x]) == (k if logits.shape[1] > 1 else 1)
            positive = 1 / (1 + math.exp(-float(logits[n, k, y, x])))
            p = positive if true else 1 - positive
            weight = 1.0 if alpha is None else alpha if true else 1 - alpha
            values.append(-weight * (1 - p) ** gamma * math.log(p))
    return sum(values) / len(values)


@pytest.mark.parametrize("classes", [1, 2, 5])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_plain_loop(classes: int, gamma: float, alpha: float | None) -> None:
    logits, mask = made(classes)
    found = focal_loss(logits, mask, gamma=gamma, alpha=alpha)
    assert float(found.detach()) == pytest.approx(by_loops(logits.detach(), mask, gamma, alpha))
    assert torch.autograd.gradcheck(
        lambda values: focal_loss(values, mask, gamma=gamma, alpha=alpha), (logits,)
    )


@pytest.mark.parametrize(("classes", "mode"), [(1, "binary"), (5, "multiclass")])
def test_is_that_of_segmentation_models_pytorch(classes: int, mode: str) -> None:
    declare_operators()
    from segmentation_models_pytorch.losses import FocalLoss

    logits, mask = made(classes)
    target = mask.unsqueeze(1) if mode == "binary" else mask
    expected = FocalLoss(mode, gamma=1.5, alpha=0.3, ignore_index=255)(logits, target)
    torch.testing.assert_close(focal_loss(logits, mask, gamma=1.5, alpha=0.3), expected)


def test_gamma_of_zero_is_binary_cross_entropy() -> None:
    logits, mask = made(4)
    torch.testing.assert_close(4 * focal_loss(logits, mask, gamma=0), bce_loss(logits, mask))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("size", [20.0, 200.0, 1e30])
def test_a_certain_pixel_has_no_gradient(gamma: float, size: float) -> None:
    logits = torch.tensor([size, -size]).reshape(1, 2, 1, 1).requires_grad_()
    focal_loss(logits, torch.zeros(1, 1, 1).long(), gamma=gamma).backward()
    assert logits.grad.abs().max() < 1e-6


@pytest.mark.parametrize("option", ["gamma=-1", "alpha=2"])
def test_options_out_of_range(option: str) -> None:
    with pytest.raises(UsageError, match="accepted is 0"):
        Objective(f"focal({option})")


def test_alpha_may_be_none() -> None:
    assert Objective("focal(alpha=none)").terms[0].alpha is None
