"""What every registered term must do, whatever it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.objectives import Batch, Objective, terms

SHAPES = [(1, 4, 5, 6), (2, 3, 4, 4), (1, 1, 3, 3), (1, 4, 1, 6), (1, 4, 6, 1), (2, 4, 1, 1)]
WHOLE = (2, 4, 9, 12)
LEAST_SIDES = {"rmi": 3}
"""Terms of windows, and the least image that they take."""
FORCED = {"rmi": "rmi(forced=true)"}
"""Terms that an objective takes alone only when it is told to."""


def made(shape: tuple[int, ...], *, masked: bool, bounded: bool) -> tuple[Tensor, Batch]:
    """Logits, and a batch with labels on the left and a region that leaves out the last rows."""
    images, components, height, width = shape
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator)
    image = torch.rand(images, 3, height, width, generator=generator)
    mask = torch.randint(components, (images, height, width), generator=generator)
    mask[..., (width + 1) // 2 :] = 255
    mask[:, 1::5, -1:] = 0
    region = torch.ones(mask.shape, dtype=torch.bool)
    region[:, (2 * height + 2) // 3 :] = False
    batch = Batch(
        image=image,
        mask=mask if masked else None,
        region=region if bounded else None,
        prior_means=torch.rand(components, 3, generator=generator),
    )
    return logits, batch


def term(name: str) -> Any:
    return terms.load(name)()


def learns(name: str, masked: bool) -> bool:
    """Whether the term has anything to learn from."""
    return masked or not getattr(terms.load(name), "supervised", False)


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
        if masked and min(shape[2:]) < LEAST_SIDES.get(name, 1):
            with pytest.raises(InputError, match="smaller than a window"):
                term(name)(logits, batch)
            return
        value = term(name)(logits, batch)
        assert value.shape == ()
        assert value.dtype == torch.float32
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()

    def test_region_bounds_the_gradient(self, name: str, masked: bool, bounded: bool) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(term(name)(logits, batch), logits)
        if batch.region is not None:
            assert not gradient.movedim(1, -1)[~batch.region].any()
        assert bool(gradient.any()) == learns(name, masked)

    def test_outside_the_region_has_no_influence(
        self, name: str, masked: bool, bounded: bool
    ) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        expected = term(name)(logits, batch)
        if batch.region is not None:
            logits.movedim(1, -1)[~batch.region] += 3
        torch.testing.assert_close(term(name)(logits, batch), expected)

    def test_a_supervised_term_sees_labelled_pixels_alone(
        self, name: str, masked: bool, bounded: bool
    ) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        if learns(name, False):
            return
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(term(name)(logits, batch), logits)
        labelled = batch.labelled()
        if labelled is not None:
            assert not gradient.movedim(1, -1)[~labelled].any()

    def test_objective_of_one_term_is_the_term(
        self, name: str, masked: bool, bounded: bool
    ) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        expected = 2.5 * term(name)(logits, batch)
        objective = Objective(f"2.5*{FORCED.get(name, name)}")
        torch.testing.assert_close(objective(logits, batch), expected)
        assert objective.parts == pytest.approx({name: float(expected)}, rel=1e-5, abs=1e-6)

    def test_half_precision(self, name: str, masked: bool, bounded: bool) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        expected = term(name)(logits.bfloat16().float(), batch)
        torch.testing.assert_close(term(name)(logits.bfloat16(), batch), expected)

    def test_autocast_changes_nothing(self, name: str, masked: bool, bounded: bool) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        expected = term(name)(logits, batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = term(name)(logits, batch)
        torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_gradient_is_laid_out_like_the_logits(
        self, name: str, masked: bool, bounded: bool, layout: torch.memory_format
    ) -> None:
        logits, batch = made(WHOLE, masked=masked, bounded=bounded)
        expected = term(name)(logits, batch)
        leaf = logits.contiguous(memory_format=layout).requires_grad_()
        value = term(name)(leaf, batch)
        torch.testing.assert_close(value, expected)
        (gradient,) = torch.autograd.grad(value, leaf)
        assert gradient.shape == leaf.shape


@pytest.mark.parametrize("name", list(terms))
class TestNothingCounts:
    def check(self, name: str, batch: Batch, logits: Tensor) -> None:
        logits.requires_grad_()
        value = term(name)(logits, batch)
        (gradient,) = torch.autograd.grad(value, logits)
        assert float(value.detach()) == 0
        assert not gradient.any()

    def test_a_region_without_a_pixel(self, name: str) -> None:
        logits, batch = made((1, 4, 5, 6), masked=True, bounded=False)
        self.check(name, replace(batch, region=torch.zeros(1, 5, 6, dtype=torch.bool)), logits)

    def test_a_mask_without_a_label(self, name: str) -> None:
        if learns(name, False):
            return
        logits, batch = made((1, 4, 5, 6), masked=True, bounded=False)
        self.check(name, replace(batch, mask=torch.full((1, 5, 6), 255)), logits)

    def test_no_mask(self, name: str) -> None:
        if learns(name, False):
            return
        logits, batch = made((1, 4, 5, 6), masked=False, bounded=False)
        self.check(name, batch, logits)
