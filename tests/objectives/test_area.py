from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.objectives import Batch, Objective, max_area_loss, min_area_loss, soft_areas
from segmint.objectives.area import area_gradients


def random_logits(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def descended(objective: str, logits: Tensor, *, steps: int = 30) -> tuple[Tensor, Tensor]:
    """Soft areas and present components after gradient descent on the response itself."""
    response = logits.clone().requires_grad_()
    batch = Batch(image=torch.zeros(1, 1, *logits.shape[-2:]))
    terms = Objective(objective)
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(terms(response, batch), response)
        response = (response - 10 * gradient).detach().requires_grad_()
    return soft_areas(response.detach())


def test_soft_areas_are_means_of_the_softmax() -> None:
    logits, where = random_logits(2, 4, 3, 5), random_logits(2, 3, 5, seed=1) > 0
    areas, present = soft_areas(logits)
    torch.testing.assert_close(areas, logits.softmax(dim=1).mean(dim=(0, 2, 3)))
    assert present.tolist() == [bool((logits.argmax(dim=1) == k).any()) for k in range(4)]
    areas, present = soft_areas(logits, where)
    torch.testing.assert_close(areas, logits.softmax(dim=1).movedim(1, -1)[where].mean(dim=0))
    labels = logits.argmax(dim=1)[where]
    assert present.tolist() == [bool((labels == k).any()) for k in range(4)]


def test_values() -> None:
    areas = torch.tensor([0.5, 0.1, 0.15, 0.25])
    present = torch.tensor([True, False, True, True])
    assert float(max_area_loss(areas, present)) == pytest.approx(0.5)
    # Three are present; the smallest of them has 0.15, an even share would be 1/3.
    assert float(min_area_loss(areas, present)) == pytest.approx(1 - 0.15 / (1 / 3))


def test_an_absent_component_is_never_chosen() -> None:
    areas, present = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([False, True, True])
    assert float(max_area_loss(areas, present)) == pytest.approx(0.3)


def test_even_components_have_no_small_one() -> None:
    present = torch.ones(4, dtype=torch.bool)
    assert float(min_area_loss(torch.full((4,), 0.25), present)) == pytest.approx(0)


def test_nothing_counted() -> None:
    logits = random_logits(1, 3, 2, 2).requires_grad_()
    areas, present = soft_areas(logits, torch.zeros(1, 2, 2, dtype=torch.bool))
    total = max_area_loss(areas, present) + min_area_loss(areas, present)
    total.backward()
    assert float(total.detach()) == 0
    assert not logits.grad.any()


def test_gradient_in_the_areas() -> None:
    areas = torch.tensor([0.5, 0.1, 0.15, 0.25], requires_grad=True)
    present = torch.tensor([True, False, True, True])
    total = 2 * max_area_loss(areas, present) + 3 * min_area_loss(areas, present)
    (expected,) = torch.autograd.grad(total, areas)
    found = area_gradients(areas.detach(), present, largest=2, smallest=3)
    torch.testing.assert_close(found, expected)


def test_gradient_by_differences() -> None:
    logits = random_logits(1, 3, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: max_area_loss(*soft_areas(values)), (logits,))
    assert torch.autograd.gradcheck(lambda values: min_area_loss(*soft_areas(values)), (logits,))


@pytest.mark.parametrize("term", ["max_area", "min_area"])
def test_the_gradient_moves(term: str) -> None:
    logits = random_logits(1, 4, 5, 6).requires_grad_()
    Objective(term)(logits, Batch(image=torch.zeros(1, 1, 5, 6))).backward()
    assert logits.grad.abs().max() > 1e-4


def test_max_area_lowers_the_largest_area() -> None:
    logits = random_logits(1, 3, 8, 8) + torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    without, with_term = (
        float(max_area_loss(*descended(f"similarity + {weight}*max_area", logits)))
        for weight in (0, 5)
    )
    assert with_term < without - 0.05


def test_min_area_raises_the_smallest_area() -> None:
    logits = random_logits(1, 3, 8, 8) + torch.tensor([0.0, 0.0, -0.5])[:, None, None]
    without, with_term = (
        float(min_area_loss(*descended(f"similarity + {weight}*min_area", logits)))
        for weight in (0, 5)
    )
    assert with_term < without - 0.05
