from __future__ import annotations

import math

import torch
from torch import Tensor

from segmint.objectives.rmi_determinant import cholesky_with_jitter, unexplained_log_determinant


def scatters(count: int = 4, size: int = 3, samples: int = 20) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(count, 2 * size, samples, generator=generator, dtype=torch.float64)
    return rows @ rows.mT


def test_is_the_determinant_of_what_is_left() -> None:
    joint, epsilon = scatters(), 0.1
    identity = epsilon * torch.eye(3, dtype=torch.float64)
    spp, spy, syy = joint[:, :3, :3], joint[:, :3, 3:], joint[:, 3:, 3:]
    left = syy - spy.mT @ torch.linalg.solve(spp + identity, spy) + identity
    torch.testing.assert_close(
        unexplained_log_determinant(joint, epsilon), torch.logdet(left), rtol=1e-12, atol=0
    )


def test_gradient_by_differences() -> None:
    joint = scatters().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda values: unexplained_log_determinant(values + values.mT, 0.1), (joint,)
    )


def test_nothing_left_of_large_scatters() -> None:
    rows = torch.randn(1, 9, 1000, generator=torch.Generator().manual_seed(0)).double()
    both = 1e3 * torch.cat([rows, rows], dim=1)
    # M is about epsilon, beside a scatter of 1e9 that says nothing more.
    found = unexplained_log_determinant(both @ both.mT, 5e-4).item()
    assert abs(found - 9 * math.log(2 * 5e-4)) < 1e-2


def test_ladder_raises_only_what_fails() -> None:
    definite = scatters(1)
    vector = torch.arange(1.0, 7.0, dtype=torch.float64)
    singular = (vector[:, None] * vector)[None] - 1e-9 * torch.eye(6, dtype=torch.float64)
    matrices = torch.cat([definite, singular]).requires_grad_()
    factors = cholesky_with_jitter(matrices)
    torch.testing.assert_close(factors[:1], torch.linalg.cholesky(definite), rtol=0, atol=0)
    torch.testing.assert_close(factors @ factors.mT, matrices, rtol=0, atol=1e-6)
    (gradient,) = torch.autograd.grad(factors.diagonal(dim1=1, dim2=2).log().sum(), matrices)
    assert torch.isfinite(gradient).all()


def test_what_is_no_number_stays_so() -> None:
    matrices = scatters(3)
    matrices[1, 0, 0] = math.nan
    found = unexplained_log_determinant(matrices, 0.1)
    assert found.isnan().tolist() == [False, True, False]
