"""What every registered term must do, whatever it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from segmint.objectives import Batch, Objective, terms

SHAPES = [(1, 4, 5, 6), (2, 3, 4, 4), (1, 1, 3, 3), (1, 4, 1, 6), (1, 4, 6, 1), (2, 4, 1, 1)]


def made(shape: tuple[int, ...], *, masked: bool, bounded: bool) -> tuple[Tensor, Batch]:
    images, components, height, width = shape
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator)
    image = torch.rand(images, 3, height, width, generator=generator)
    mask = torch.randint(components, (images, height, width), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.5] = 255
    region = torch.rand(mask.shape, generator=generator) < 0.7
    region[0, 0, 0], mask[0, 0, 0] = True, 0
    batch = Batch(
        image=image,
        mask=mask if masked else None,
        region=region if bounded else None,
        prior_means=torch.rand(components, 3, generator=generator),
    )
    return logits, batch


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("name", list(terms))
class TestTerm:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_is_a_finite_scalar_with_a_gradient(
        self, name: str, shape: tuple[int, ...], masked: bool, bounded: bool
    ) -> None:
        logits, batch = made(shape, masked=masked, bounded=bounded)
        logits.requires_grad_()
        value = terms.load(name)()(logits, batch)
        assert value.shape == ()
        assert value.dtype == torch.float32
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()

    def test_region_bounds_the_gradient(self, name: str, masked: bool, bounded: bool) -> None:
        logits, batch = made((2, 4, 6, 7), masked=masked, bounded=bounded)
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(terms.load(name)()(logits, batch), logits)
        if batch.region is not None:
            assert not gradient.movedim(1, -1)[~batch.region].any()
        if name != "scribble" or masked:
            assert gradient.any()

    def test_outside_the_region_has_no_influence(
        self, name: str, masked: bool, bounded: bool
    ) -> None:
        logits, batch = made((2, 4, 6, 7), masked=masked, bounded=bounded)
        expected = terms.load(name)()(logits, batch)
        if batch.region is not None:
            logits.movedim(1, -1)[~batch.region] += 3
        torch.testing.assert_close(terms.load(name)()(logits, batch), expected)

    def test_objective_of_one_term_is_the_term(
        self, name: str, masked: bool, bounded: bool
    ) -> None:
        logits, batch = made((2, 4, 6, 7), masked=masked, bounded=bounded)
        expected = 2.5 * terms.load(name)()(logits, batch)
        torch.testing.assert_close(Objective(f"2.5*{name}")(logits, batch), expected)

    def test_half_precision(self, name: str, masked: bool, bounded: bool) -> None:
        logits, batch = made((2, 4, 6, 7), masked=masked, bounded=bounded)
        expected = terms.load(name)()(logits.bfloat16().float(), batch)
        torch.testing.assert_close(terms.load(name)()(logits.bfloat16(), batch), expected)


@pytest.mark.parametrize("name", list(terms))
def test_nothing_counts(name: str) -> None:
    logits, batch = made((1, 4, 5, 6), masked=True, bounded=False)
    nowhere = replace(batch, region=torch.zeros(1, 5, 6, dtype=torch.bool))
    logits.requires_grad_()
    value = terms.load(name)()(logits, nowhere)
    (gradient,) = torch.autograd.grad(value, logits)
    assert float(value.detach()) == 0
    assert not gradient.any()
