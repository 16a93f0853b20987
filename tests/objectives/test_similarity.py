from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.objectives import Batch, similarity_loss
from segmint.objectives.similarity import Similarity


def random_logits(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_published_value(published_response: Tensor) -> None:
    # torch.nn.CrossEntropyLoss of the published code (Kim et al.), run on the same response.
    assert float(similarity_loss(published_response)) == pytest.approx(0.8612685203552246, rel=1e-6)


def test_published_labels(published_response: Tensor) -> None:
    counts = torch.bincount(published_response.argmax(dim=1).flatten())
    assert counts.tolist() == [81, 91, 98, 111, 115, 104]


def test_is_cross_entropy_against_the_argmax() -> None:
    logits = random_logits(2, 5, 6, 7).requires_grad_()
    expected = functional.cross_entropy(logits, logits.argmax(dim=1))
    found = similarity_loss(logits)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits)
    )


def test_gradient_at_a_tie_goes_to_one_component() -> None:
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    expected = functional.cross_entropy(logits, logits.argmax(dim=1))
    torch.testing.assert_close(
        torch.autograd.grad(similarity_loss(logits), logits),
        torch.autograd.grad(expected, logits),
    )


def test_mean_over_the_counted_pixels() -> None:
    logits = random_logits(1, 4, 3, 5)
    where = torch.zeros(1, 3, 5, dtype=torch.bool)
    where[0, 1, :2] = where[0, 2, 4] = True
    values = functional.cross_entropy(logits, logits.argmax(dim=1), reduction="none")
    torch.testing.assert_close(similarity_loss(logits, where), values[where].mean())


def test_is_zero_when_no_pixel_counts() -> None:
    where = torch.zeros(1, 3, 5, dtype=torch.bool)
    assert float(similarity_loss(random_logits(1, 4, 3, 5), where)) == 0


def test_counts_the_pixels_without_a_label() -> None:
    logits, mask = random_logits(1, 4, 3, 5), torch.full((1, 3, 5), 255)
    mask[0, 0] = 2
    batch = Batch(image=torch.zeros(1, 1, 3, 5), mask=mask)
    torch.testing.assert_close(Similarity()(logits, batch), similarity_loss(logits, mask == 255))


def test_gradient_by_differences() -> None:
    logits = random_logits(2, 3, 3, 4, dtype=torch.float64).requires_grad_()
    where = random_logits(2, 3, 4) > 0
    assert torch.autograd.gradcheck(similarity_loss, (logits,))
    assert torch.autograd.gradcheck(lambda values: similarity_loss(values, where), (logits,))


def test_extreme_responses_stay_finite() -> None:
    logits = torch.tensor([1e4, -1e4, 0.0]).reshape(1, 3, 1, 1).requires_grad_()
    similarity_loss(logits).backward()
    assert torch.isfinite(logits.grad).all()
