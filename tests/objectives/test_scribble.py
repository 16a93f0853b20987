from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from segmint.objectives import Batch, scribble_loss
from segmint.objectives.scribble import Scribble


def random_logits(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def scribbles() -> Tensor:
    mask = torch.full((1, 3, 4), 255)
    mask[0, 0, :2], mask[0, 2, 1:] = 0, 2
    return mask


def test_is_the_cross_entropy_of_scribbled_pixels() -> None:
    logits = random_logits(1, 3, 3, 4)
    expected = functional.cross_entropy(logits, scribbles(), ignore_index=255)
    torch.testing.assert_close(scribble_loss(logits, scribbles()), expected)


def test_another_ignore_index() -> None:
    logits, mask = random_logits(1, 3, 3, 4), scribbles()
    expected = scribble_loss(logits, mask)
    mask[mask == 255] = -1
    torch.testing.assert_close(scribble_loss(logits, mask, ignore_index=-1), expected)


def test_is_zero_without_scribbles() -> None:
    logits = random_logits(1, 3, 3, 4).requires_grad_()
    nothing = torch.full((1, 3, 4), 255)
    assert float(scribble_loss(logits, nothing).detach()) == 0
    found = Scribble()(logits, Batch(image=logits))
    found.backward()
    assert float(found.detach()) == 0
    assert not logits.grad.any()


def test_counts_only_inside_the_region() -> None:
    logits, region = random_logits(1, 3, 3, 4), torch.ones(1, 3, 4, dtype=torch.bool)
    region[0, 2] = False
    batch = Batch(image=logits, mask=scribbles(), region=region)
    expected = functional.cross_entropy(logits[..., 0, :2], torch.zeros(1, 2, dtype=torch.long))
    torch.testing.assert_close(Scribble()(logits, batch), expected)


def test_gradient_by_differences() -> None:
    logits = random_logits(1, 3, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: scribble_loss(values, scribbles()), (logits,))
