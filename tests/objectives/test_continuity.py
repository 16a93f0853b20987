from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.objectives import Batch, continuity_loss
from segmint.objectives.continuity import Continuity, neighbor_weights


def random_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_published_values(published_response: Tensor) -> None:
    # torch.nn.L1Loss of the published code (Kim et al.), run on the same response.
    along_y = continuity_loss(published_response, x=0.0)
    along_x = continuity_loss(published_response, y=0.0)
    assert float(along_y) == pytest.approx(0.6155350804328918, rel=1e-6)
    assert float(along_x) == pytest.approx(0.18778416514396667, rel=1e-6)


def test_is_the_l1_loss_of_differences() -> None:
    logits = random_tensor(2, 3, 4, 5)
    along_x = logits[..., 1:] - logits[..., :-1]
    along_y = logits[..., 1:, :] - logits[..., :-1, :]
    expected = 0.5 * functional.l1_loss(along_x, torch.zeros_like(along_x))
    expected = expected + 2 * functional.l1_loss(along_y, torch.zeros_like(along_y))
    torch.testing.assert_close(continuity_loss(logits, x=0.5, y=2.0), expected)


@pytest.mark.parametrize("shape", [(1, 3, 1, 5), (1, 3, 5, 1), (1, 3, 1, 1)])
def test_an_axis_of_one_pixel_adds_nothing(shape: tuple[int, ...]) -> None:
    logits = random_tensor(*shape).requires_grad_()
    found = continuity_loss(logits)
    expected = sum(
        float(difference.abs().mean())
        for difference in (logits.detach().diff(dim=-1), logits.detach().diff(dim=-2))
        if difference.numel()
    )
    assert float(found.detach()) == pytest.approx(expected)
    found.backward()
    assert torch.isfinite(logits.grad).all()


def test_gradient_by_differences() -> None:
    logits = random_tensor(1, 2, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: continuity_loss(values, x=0.7), (logits,))


def test_without_region_and_sharpness_all_pairs_weigh_alike() -> None:
    assert neighbor_weights(Batch(image=random_tensor(1, 3, 4, 5))) == (None, None)


def test_even_weights_are_no_weights() -> None:
    batch = Batch(image=random_tensor(2, 3, 4, 5), region=torch.ones(2, 4, 5, dtype=torch.bool))
    logits = random_tensor(2, 6, 4, 5, seed=1)
    torch.testing.assert_close(
        continuity_loss(logits, weights=neighbor_weights(batch)), continuity_loss(logits)
    )


def test_region_by_a_plain_loop() -> None:
    logits, region = random_tensor(1, 3, 4, 5), random_tensor(1, 4, 5, seed=2) > -0.5
    batch = Batch(image=torch.zeros(1, 1, 4, 5), region=region)
    horizontal, vertical = [], []
    for row in range(4):
        for column in range(5):
            here = logits[0, :, row, column]
            if column < 4 and region[0, row, column] and region[0, row, column + 1]:
                horizontal.append((logits[0, :, row, column + 1] - here).abs().mean())
            if row < 3 and region[0, row, column] and region[0, row + 1, column]:
                vertical.append((logits[0, :, row + 1, column] - here).abs().mean())
    expected = torch.stack(horizontal).mean() + 3 * torch.stack(vertical).mean()
    torch.testing.assert_close(Continuity(y=3)(logits, batch), expected)


def test_sharpness_spares_the_edges_of_the_image() -> None:
    image = torch.zeros(1, 1, 40, 48)
    image[..., 24:] = 1
    horizontal, vertical = neighbor_weights(Batch(image=image), edge_sharpness=2.0)
    deviation = float(image.std())
    pairs = 40 * 47
    assert horizontal is not None
    assert vertical is not None
    assert horizontal[0, :, 23].unique().tolist() == pytest.approx(
        [math.exp(-2 / deviation) / pairs], rel=5e-3
    )
    assert horizontal[0, :, :23].unique().tolist() == pytest.approx([1 / pairs])
    assert horizontal[0, :, 24:].unique().tolist() == pytest.approx([1 / pairs])
    assert vertical.sum() == pytest.approx(1)


@pytest.mark.parametrize("edge_sharpness", [0.0, 1.0])
def test_one_pixel(edge_sharpness: float) -> None:
    batch = Batch(image=torch.ones(1, 1, 1, 1), region=torch.ones(1, 1, 1, dtype=torch.bool))
    term = Continuity(edge_sharpness=edge_sharpness)
    assert float(term(torch.ones(1, 3, 1, 1), batch)) == 0


def test_region_of_everything_changes_nothing_however_sharp() -> None:
    image = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    whole = torch.ones(1, 5, 6, dtype=torch.bool)
    for without, within in zip(
        neighbor_weights(Batch(image=image), 60.0),
        neighbor_weights(Batch(image=image, region=whole), 60.0),
        strict=True,
    ):
        torch.testing.assert_close(without, within)
