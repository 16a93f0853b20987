"""A mask with unlabelled pixels: each term sees the pixels meant for it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.objectives import Batch, Objective, cross_entropy_loss, mixture_loss
from segmint.solvers.clustering import objective_of

HEIGHT, WIDTH = 8, 10


@pytest.fixture
def logits() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 4, HEIGHT, WIDTH, generator=generator).requires_grad_()


@pytest.fixture
def batch() -> Batch:
    """Labels in the left half, none in the right."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(4, (1, HEIGHT, WIDTH), generator=generator)
    mask[..., WIDTH // 2 :] = 255
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=generator)
    return Batch(image=image, mask=mask, prior_means=torch.rand(4, 3, generator=generator))


def touched(text: str, logits: Tensor, batch: Batch) -> Tensor:
    """(W,) columns in which some pixel has a gradient."""
    (gradient,) = torch.autograd.grad(Objective(text)(logits, batch), logits)
    return gradient.ne(0).any(dim=1).any(dim=1)[0]


@pytest.mark.parametrize(
    "term",
    ["cross_entropy", "bce", "focal", "dice", "jaccard", "tversky", "lovasz", "scribble"],
)
def test_supervised_terms_see_labelled_pixels(term: str, logits: Tensor, batch: Batch) -> None:
    columns = touched(term, logits, batch)
    assert columns[: WIDTH // 2].all()
    assert not columns[WIDTH // 2 :].any()


@pytest.mark.parametrize("term", ["similarity", "mixture", "varying_mixture", "prior_means"])
def test_label_free_terms_see_the_others(term: str, logits: Tensor, batch: Batch) -> None:
    columns = touched(term, logits, batch)
    assert not columns[: WIDTH // 2].any()
    assert columns[WIDTH // 2 :].all()


@pytest.mark.parametrize("expression", ["continuity", "continuity(edge_sharpness=1)"])
def test_continuity_sees_pairs_with_an_unlabelled_pixel(
    expression: str, logits: Tensor, batch: Batch
) -> None:
    columns = touched(expression, logits, batch)
    assert not columns[: WIDTH // 2 - 1].any()
    assert columns[WIDTH // 2 - 1 :].all()


def test_continuity_everywhere(logits: Tensor, batch: Batch) -> None:
    everywhere = Objective("continuity(everywhere=true)")
    without = Batch(image=batch.image)
    assert touched("continuity(everywhere=true)", logits, batch).all()
    torch.testing.assert_close(everywhere(logits, batch), Objective("continuity")(logits, without))


@pytest.mark.parametrize("bounded", [False, True])
def test_continuity_by_a_plain_loop(logits: Tensor, batch: Batch, bounded: bool) -> None:
    assert batch.mask is not None
    region = torch.ones(1, HEIGHT, WIDTH, dtype=torch.bool)
    if bounded:
        region[0, 2:4, 3:8] = False
    batch = Batch(image=batch.image, mask=batch.mask, region=region if bounded else None)
    pairs: dict[str, list[Tensor]] = {"x": [], "y": []}
    for row in range(HEIGHT):
        for column in range(WIDTH):
            for axis, other in (("x", (row, column + 1)), ("y", (row + 1, column))):
                if other[0] == HEIGHT or other[1] == WIDTH:
                    continue
                two = [(row, column), other]
                inside = all(bool(region[(0, *at)]) for at in two)
                if inside and any(int(batch.mask[(0, *at)]) == 255 for at in two):
                    difference = logits[(0, slice(None), *other)] - logits[0, :, row, column]
                    pairs[axis].append(difference.abs().mean())
    expected = sum(torch.stack(values).mean() for values in pairs.values())
    torch.testing.assert_close(Objective("continuity")(logits, batch), expected)


def test_the_sum_is_that_of_the_terms(logits: Tensor, batch: Batch) -> None:
    objective = Objective("cross_entropy + 0.1*continuity")
    total = objective(logits, batch)
    assert batch.mask is not None
    supervised = cross_entropy_loss(logits, batch.mask)
    smooth = 0.1 * objective.terms[1](logits, batch)
    torch.testing.assert_close(total, supervised + smooth)
    torch.testing.assert_close(
        torch.autograd.grad(total, logits), torch.autograd.grad(supervised + smooth, logits)
    )
    assert objective.parts == pytest.approx(
        {"cross_entropy": float(supervised.detach()), "continuity": float(smooth.detach())}
    )


def test_mixtures_count_unlabelled_pixels(logits: Tensor, batch: Batch) -> None:
    where = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    where[..., WIDTH // 2 :] = True
    torch.testing.assert_close(
        Objective("mixture")(logits, batch), mixture_loss(logits, batch.image, where)
    )


def test_a_fully_labelled_mask_leaves_label_free_terms_nothing(
    logits: Tensor, batch: Batch
) -> None:
    assert batch.mask is not None
    full = Batch(image=batch.image, mask=batch.mask.clamp(max=3), prior_means=batch.prior_means)
    for term in ("similarity", "continuity", "mixture", "varying_mixture", "prior_means"):
        value = Objective(term)(logits, full)
        assert float(value.detach()) == 0
        assert not torch.autograd.grad(value, logits)[0].any()


def test_clustering_keeps_all_pairs() -> None:
    from segmint.methods.clustering import ClusteringOptions

    assert "everywhere=true" in str(objective_of(ClusteringOptions(), scribble_weight=0.5))
