from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from segmint.networks.factored import FactoredResponse
from segmint.objectives import Batch, Objective, streaming
from segmint.objectives.streamed_weights import StreamedWeights
from segmint.objectives.streaming import streamed_objective

TERMS = (
    "similarity",
    "2*continuity",
    "0.5*continuity(x=0.3, y=2)",
    "3*continuity(edge_sharpness=1.5)",
    "2*continuity(everywhere=true)",
    "0.7*scribble",
    "1.5*max_area",
    "0.8*min_area",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    shape: tuple[int, int, int, int]
    seed: int = 0
    expression: str = " + ".join(["similarity", "2*continuity", "scribble", "max_area"])
    masked: bool = False
    bounded: bool = False
    chunk: int = 1


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sides = st.integers(1, 6)
    continuity = draw(st.sampled_from([0, 1, 2, 3, 4]))
    chosen = draw(st.lists(st.sampled_from([0, 5, 6, 7]), unique=True))
    expressions = [TERMS[index] for index in chosen]
    if continuity or not expressions:
        expressions.append(TERMS[max(continuity, 1)])
    return Case(
        shape=(draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(sides), draw(sides)),
        seed=draw(st.integers(0, 10_000)),
        expression=" + ".join(expressions),
        masked=draw(st.booleans()),
        bounded=draw(st.booleans()),
        chunk=draw(st.sampled_from([1, 7, 30, 1000])),
    )


def made(case: Case) -> tuple[Tensor, Batch]:
    """A response without ties, and a batch."""
    generator = torch.Generator().manual_seed(case.seed)
    images, components, height, width = case.shape
    # Distinct multiples of 1/64 are exact in bfloat16 too, so that no rounding makes a tie.
    count = images * components * height * width
    logits = (torch.randperm(count, generator=generator) - count // 2) / 64
    mask = torch.randint(components, (images, height, width), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.6] = 255
    region = torch.rand(mask.shape, generator=generator) < 0.7
    image = torch.rand(images, 3, height, width, generator=generator)
    batch = Batch(
        image=image, mask=mask if case.masked else None, region=region if case.bounded else None
    )
    return logits.reshape(case.shape), batch


def summed(objective: Objective, logits: Tensor, batch: Batch) -> Tensor:
    """The terms one by one, with autograd's gradient."""
    values = [
        weight * term(logits, batch)
        for weight, term in zip(objective.weights, objective.terms, strict=True)
    ]
    return torch.stack(values).sum()


def value_and_gradient(total: Tensor, logits: Tensor) -> tuple[float, Tensor]:
    return float(total.detach()), torch.autograd.grad(total, logits)[0]


@settings(max_examples=250)
@given(cases())
@example(Case(shape=(1, 3, 1, 6), masked=True, bounded=True))
@example(Case(shape=(2, 3, 6, 1), masked=True, bounded=True))
@example(Case(shape=(2, 1, 1, 1)))
def test_is_the_sum_of_the_terms(case: Case) -> None:
    logits, batch = made(case)
    objective = Objective(case.expression)
    leaf = logits.clone().requires_grad_()
    expected, expected_gradient = value_and_gradient(summed(objective, leaf, batch), leaf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "CHUNK_ELEMENTS", case.chunk)
        found, gradient = value_and_gradient(objective(leaf, batch), leaf)
        coarse = logits.bfloat16().requires_grad_()
        coarse_found, coarse_gradient = value_and_gradient(objective(coarse, batch), coarse)
    assert objective._streamed is not None
    scale = float(expected_gradient.abs().max())
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-5 * scale + 1e-8)
    assert coarse_gradient.dtype == torch.bfloat16
    assert coarse_found == pytest.approx(expected, rel=2e-2, abs=1e-6)
    torch.testing.assert_close(
        coarse_gradient.float(), expected_gradient, rtol=2e-2, atol=2e-2 * scale + 1e-8
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_changes_nothing(layout: torch.memory_format) -> None:
    logits, batch = made(Case(shape=(2, 4, 5, 6)))
    objective = Objective("similarity + continuity")
    expected = objective(logits, batch)
    torch.testing.assert_close(objective(logits.contiguous(memory_format=layout), batch), expected)


def test_terms_that_stream_do_so_beside_others() -> None:
    logits, batch = made(Case(shape=(2, 4, 5, 6), masked=True, bounded=True))
    objective = Objective("0.5*bce + similarity + 2*continuity + dice")
    leaf = logits.requires_grad_()
    expected, expected_gradient = value_and_gradient(summed(objective, leaf, batch), leaf)
    found, gradient = value_and_gradient(objective(leaf, batch), leaf)
    assert objective._streamed == StreamedWeights(
        similarity=1.0,
        continuity_x=2.0,
        continuity_y=2.0,
        neighbor_weights=objective._streamed.neighbor_weights,
    )
    assert found == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(gradient, expected_gradient)
    assert list(objective.parts) == ["bce", "similarity", "continuity", "dice"]


def test_loss_scale_saves_small_gradients() -> None:
    logits, batch = made(Case(shape=(1, 4, 5, 6)))
    objective = Objective("1e-6*similarity + 1e-6*continuity")
    half, scale = logits.half().requires_grad_(), 2.0**16
    (scaled,) = torch.autograd.grad(scale * objective(half, batch), half)
    single = half.detach().float().requires_grad_()
    (expected,) = torch.autograd.grad(objective(single, batch), single)
    torch.testing.assert_close(scaled.float() / scale, expected, rtol=2e-3, atol=1e-12)


def test_upstream_gradient_is_a_factor() -> None:
    logits, batch = made(Case(shape=(1, 4, 5, 6)))
    logits.requires_grad_()
    objective = Objective("similarity + continuity + max_area")
    (once,) = torch.autograd.grad(objective(logits, batch), logits)
    (thrice,) = torch.autograd.grad(3 * objective(logits, batch), logits)
    torch.testing.assert_close(thrice, 3 * once)


@settings(max_examples=100)
@given(cases())
def test_factored_response_is_the_same_written_out(case: Case) -> None:
    _, batch = made(case)
    generator = torch.Generator().manual_seed(case.seed)
    images, components, height, width = case.shape
    tensors = [
        torch.randn(shape, generator=generator).requires_grad_()
        for shape in ((images, 3, height, width), (components, 3), (components,))
    ]
    factored = FactoredResponse(features=tensors[0], weight=tensors[1], bias=tensors[2])
    objective = Objective(case.expression)
    dense = torch.einsum("nphw,kp->nkhw", tensors[0], tensors[1]) + tensors[2][:, None, None]
    torch.testing.assert_close(factored.dense(), dense.detach())
    torch.testing.assert_close(factored.expanded(), dense)
    expected = summed(objective, dense, batch)
    expected_gradients = torch.autograd.grad(expected, tensors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "CHUNK_ELEMENTS", case.chunk)
        found = objective(factored, batch)
        gradients = torch.autograd.grad(found, tensors)
    assert objective.labels.tolist() == dense.argmax(dim=1).tolist()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        scale = float(expected_gradient.abs().max())
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-4 * scale + 1e-6)


def test_at_a_tie_the_gradient_is_that_of_the_terms() -> None:
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    batch = Batch(image=torch.zeros(1, 1, 2, 2))
    objective = Objective("similarity + continuity")
    (expected,) = torch.autograd.grad(summed(objective, logits, batch), logits)
    (found,) = torch.autograd.grad(objective(logits, batch), logits)
    torch.testing.assert_close(found, expected)


def test_parts_sum_to_the_total() -> None:
    logits, batch = made(Case(shape=(1, 4, 5, 6), masked=True))
    weights = StreamedWeights(similarity=1.0, continuity_x=2.0, scribble=0.5, max_area=1.0)
    total, found = streamed_objective(logits, batch, weights)
    assert float(sum(found.values.values())) == pytest.approx(float(total), rel=1e-6)


def test_labels_are_those_of_the_response() -> None:
    logits, batch = made(Case(shape=(2, 4, 5, 6), masked=True))
    _, found = streamed_objective(logits, batch, StreamedWeights(similarity=1.0))
    assert found.labels.tolist() == logits.argmax(dim=1).tolist()


def test_response_is_left_alone() -> None:
    logits, batch = made(Case(shape=(1, 4, 5, 6), masked=True, bounded=True))
    before = logits.clone()
    Objective(" + ".join([TERMS[0], TERMS[3], *TERMS[5:]]))(logits.requires_grad_(), batch)
    torch.testing.assert_close(logits.detach(), before, rtol=0, atol=0)


def test_float64_keeps_its_precision() -> None:
    logits, batch = made(Case(shape=(1, 3, 3, 4), masked=True))
    weights = StreamedWeights(similarity=1.0, continuity_x=2.0, scribble=0.5, max_area=1.0)
    assert torch.autograd.gradcheck(
        lambda values: streamed_objective(values, batch, weights)[0],
        (logits.double().requires_grad_(),),
    )


def test_region_without_a_pixel() -> None:
    logits, batch = made(Case(shape=(1, 3, 3, 4)))
    batch = replace(batch, region=torch.zeros(1, 3, 4, dtype=torch.bool))
    total, gradient = value_and_gradient(
        Objective("similarity + continuity + max_area + min_area")(logits.requires_grad_(), batch),
        logits,
    )
    assert total == 0
    assert not gradient.any()
