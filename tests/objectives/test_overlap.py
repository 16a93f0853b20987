from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from segmint.errors import UsageError
from segmint.objectives import Batch, Objective, overlap_loss, soft_counts
from segmint.torchvision_operators import declare_operators

NAMES = {"dice": (0.5, 0.5), "jaccard": (1.0, 1.0), "tversky": (0.3, 0.8)}


def made(classes: int, labels: int | None = None) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, classes, 6, 7, generator=generator, dtype=torch.float64)
    mask = torch.randint(labels or max(classes, 2), (2, 6, 7), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits.requires_grad_(), mask


def by_loops(
    logits: Tensor, mask: Tensor, *, alpha: float, beta: float, smooth: float, log_loss: bool
) -> list[float]:
    """The loss of each class, pixel by pixel."""
    classes = logits.shape[1]
    losses = []
    for k in range(classes):
        hits = false = missed = 0.0
        for n, y, x in (mask != 255).nonzero().tolist():
            pixel = logits[n, :, y, x]
            p = float(pixel.softmax(dim=0)[k] if classes > 1 else pixel[0].sigmoid())
            true = int(mask[n, y, x]) == (k if classes > 1 else 1)
            hits, missed = hits + p * true, missed + (1 - p) * true
            false += p * (not true)
        score = (hits + smooth) / (hits + alpha * false + beta * missed + smooth)
        present = bool((mask == (k if classes > 1 else 1)).any())
        losses.append(present * (-math.log(score) if log_loss else 1 - score))
    return losses


@pytest.mark.parametrize("name", list(NAMES))
@pytest.mark.parametrize(("classes", "labels"), [(5, 5), (5, 3), (1, 2), (20, 4)])
@pytest.mark.parametrize("log_loss", [False, True])
def test_plain_loop(name: str, classes: int, labels: int, log_loss: bool) -> None:
    logits, mask = made(classes, labels)
    alpha, beta = NAMES[name]
    options: dict[str, Any] = {"smooth": 0.5, "log_loss": log_loss}
    given = f"smooth=0.5, log_loss={str(log_loss).lower()}"
    if name == "tversky":
        given += f", alpha={alpha}, beta={beta}"
    batch = Batch(image=torch.zeros(2, 1, 6, 7), mask=mask)
    found = Objective(f"{name}({given})")(logits, batch)
    expected = by_loops(logits.detach(), mask, alpha=alpha, beta=beta, **options)
    assert float(found.detach()) == pytest.approx(sum(expected) / classes)


@pytest.mark.parametrize(("classes", "mode"), [(1, "binary"), (5, "multiclass")])
@pytest.mark.parametrize("log_loss", [False, True])
def test_is_that_of_segmentation_models_pytorch(classes: int, mode: str, log_loss: bool) -> None:
    declare_operators()
    from segmentation_models_pytorch.losses import TverskyLoss

    logits, mask = made(classes, 2)
    target = mask.unsqueeze(1) if mode == "binary" else mask
    options: dict[str, Any] = {"alpha": 0.3, "beta": 0.7, "gamma": 1.3, "smooth": 2.0}
    loss = TverskyLoss(mode, log_loss=log_loss, ignore_index=255, **options)
    torch.testing.assert_close(
        overlap_loss(logits, mask, log_loss=log_loss, **options), loss(logits, target)
    )


@pytest.mark.parametrize(("classes", "gamma"), [(1, 1.0), (3, 0.7), (18, 1.0)])
def test_gradient_by_differences(classes: int, gamma: float) -> None:
    logits, mask = made(classes, 2)
    logits, mask = logits[..., :3, :2].detach().requires_grad_(), mask[..., :3, :2]
    assert torch.autograd.gradcheck(
        lambda values: overlap_loss(values, mask, alpha=0.3, beta=0.6, gamma=gamma, smooth=0.1),
        (logits,),
    )


@pytest.mark.parametrize("expression", ["dice", "jaccard", "tversky(gamma=0.5)"])
def test_a_perfect_prediction(expression: str) -> None:
    mask = torch.randint(3, (2, 6, 7), generator=torch.Generator().manual_seed(0))
    logits = 100 * torch.nn.functional.one_hot(mask, 3).movedim(-1, 1).float()
    logits.requires_grad_()
    value = Objective(expression)(logits, Batch(image=torch.zeros(2, 1, 6, 7), mask=mask))
    value.backward()
    assert float(value.detach()) == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(logits.grad).all()


def test_a_small_class_among_many_pixels_is_counted_exactly() -> None:
    mask = torch.zeros(1, 1024, 1024, dtype=torch.uint8)
    mask[0, 0, 0] = 1
    logits = torch.zeros(1, 2, 1024, 1024)
    logits[:, 0] = 12.0
    counts = soft_counts(logits, mask)
    certain = 1 / (1 + math.exp(-12))
    count = 1024 * 1024
    assert counts.labelled.tolist() == [count - 1, 1]
    assert counts.hits.tolist() == pytest.approx([certain * (count - 1), 1 - certain], rel=1e-5)
    assert counts.predicted.tolist() == pytest.approx(
        [certain * count, (1 - certain) * count], rel=1e-5
    )


@pytest.mark.parametrize("text", ["dice(smooth=-1)", "tversky(alpha=-1)", "tversky(gamma=0)"])
def test_options_out_of_range(text: str) -> None:
    with pytest.raises(UsageError, match="accepted is 0"):
        Objective(text)
