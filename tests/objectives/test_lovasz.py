from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.objectives import lovasz_loss
from segmint.torchvision_operators import declare_operators


def made(classes: int, labels: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, classes, 6, 7, generator=generator, dtype=torch.float64)
    mask = torch.randint(labels, (2, 6, 7), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.3] = 255
    return logits.requires_grad_(), mask


def one_minus_jaccard(wrong: set[int], truth: set[int]) -> float:
    return len(wrong) / len(truth | wrong)


def by_loops(errors: list[float], truth: set[int]) -> float:
    """The Lovász extension by its definition: levels of the errors, the greatest first."""
    order = sorted(range(len(errors)), key=lambda index: -errors[index])
    total, before = 0.0, 0.0
    for count in range(1, len(order) + 1):
        after = one_minus_jaccard(set(order[:count]), truth)
        total += max(errors[order[count - 1]], 0.0) * (after - before)
        before = after
    return total


@pytest.mark.parametrize(("classes", "labels"), [(4, 4), (5, 2), (1, 2)])
def test_by_its_definition(classes: int, labels: int) -> None:
    logits, mask = made(classes, labels)
    known = mask != 255
    pixels, truth = logits.detach().movedim(1, -1)[known], mask[known]
    values = []
    for k in range(max(labels, 1)) if classes > 1 else [1]:
        own = {index for index, label in enumerate(truth.tolist()) if label == k}
        if classes > 1:
            errors = ((truth == k).double() - pixels.softmax(dim=1)[:, k]).abs()
        else:
            errors = 1 - pixels[:, 0] * (2 * truth - 1)
        values.append(by_loops(errors.tolist(), own))
    found = lovasz_loss(logits, mask)
    assert float(found.detach()) == pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize(("classes", "mode"), [(1, "binary"), (4, "multiclass")])
@pytest.mark.parametrize("per_image", [False, True])
def test_is_that_of_segmentation_models_pytorch(classes: int, mode: str, per_image: bool) -> None:
    declare_operators()
    from segmentation_models_pytorch.losses import LovaszLoss

    logits, mask = made(classes, 2)
    expected = LovaszLoss(mode, per_image=per_image, ignore_index=255)(logits.float(), mask)
    found = lovasz_loss(logits, mask, per_image=per_image)
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits),
        torch.autograd.grad(expected, logits),
        rtol=1e-3,
        atol=1e-7,
    )


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("per_image", [False, True])
def test_gradient_by_differences(classes: int, per_image: bool) -> None:
    logits, mask = made(classes, 2)
    assert torch.autograd.gradcheck(
        lambda values: lovasz_loss(values, mask, per_image=per_image), (logits,)
    )


def test_images_without_a_label_are_left_out() -> None:
    logits, mask = made(4, 3)
    expected = lovasz_loss(logits[:1], mask[:1])
    mask[1] = 255
    torch.testing.assert_close(lovasz_loss(logits, mask, per_image=True), expected)
