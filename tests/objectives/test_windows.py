from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.objectives import windows
from segmint.objectives.windows import window_scatter


def made(pairs: int = 3, height: int = 9, width: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    prediction = torch.rand(pairs, height, width, generator=generator, dtype=torch.float64)
    return prediction, (prediction + prediction.roll(1, 2) > 1).double()


def stacked_scatter(prediction: Tensor, truth: Tensor, radius: int, valid: Tensor | None) -> Tensor:
    """Every window in a row, one pair at a time, by the library's covariance."""
    scatters = []
    for pair in range(len(prediction)):
        maps = torch.stack([prediction[pair], truth[pair]])[:, None]
        rows = torch.nn.functional.unfold(maps, radius).flatten(0, 1)
        if valid is not None:
            rows = rows[:, valid[pair].flatten()]
        scatters.append(rows.cov(correction=0) * rows.shape[1])
    return torch.stack(scatters)


@pytest.mark.parametrize("floats", [1, 300, 2000, 10**6])
@pytest.mark.parametrize("bounded", [False, True])
@pytest.mark.parametrize("radius", [2, 3])
def test_is_the_covariance_of_all_windows(
    monkeypatch: pytest.MonkeyPatch, floats: int, bounded: bool, radius: int
) -> None:
    monkeypatch.setattr(windows, "FLOATS_AT_ONCE", floats)
    prediction, truth = made()
    prediction.requires_grad_()
    sides = (3, 10 - radius, 9 - radius)
    valid = torch.rand(sides, generator=torch.Generator().manual_seed(1)) < 0.6
    kept = valid if bounded else None
    found = window_scatter(prediction, truth, radius, kept)
    expected = stacked_scatter(prediction, truth, radius, kept)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    weights = torch.rand(found.shape, generator=torch.Generator().manual_seed(2)).double()
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), prediction),
        torch.autograd.grad((expected * weights).sum(), prediction),
    )


def test_far_from_zero_loses_no_digits() -> None:
    prediction, truth = made()
    expected = window_scatter(prediction, truth, 3)
    found = window_scatter(prediction + 1e6, truth - 1e6, 3)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_single_precision_is_summed_in_double() -> None:
    prediction, truth = made()
    found = window_scatter(prediction.float(), truth.float(), 3)
    expected = window_scatter(prediction.float().double(), truth, 3)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


def test_one_window_varies_not_at_all() -> None:
    prediction, truth = made(1, 3, 3)
    assert not window_scatter(prediction, truth, 3).abs().gt(1e-14).any()
