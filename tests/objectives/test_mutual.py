from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segmint.objectives import MutualLosses, mutual_losses

Mode = Literal["ensemble", "pairwise"]
Gate = Literal["none", "surer", "right"]
MODES: tuple[Mode, ...] = ("ensemble", "pairwise")
GATES: tuple[Gate, ...] = ("none", "surer", "right")
SHAPE = (2, 4, 3, 5)


def made(
    peers: int = 3,
    shape: tuple[int, ...] = SHAPE,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(peers, *shape, generator=generator, dtype=torch.float64)
    return [peer.to(dtype) for peer in logits]


def all_others(peers: int) -> list[list[int]]:
    return [[other for other in range(peers) if other != peer] for peer in range(peers)]


def known_pixels(shape: tuple[int, ...] = SHAPE) -> tuple[Tensor, Tensor]:
    """Pixels that count, and labels of some."""
    generator = torch.Generator().manual_seed(7)
    images, classes, height, width = shape
    where = torch.rand(images, height, width, generator=generator) < 0.7
    mask = torch.randint(classes, (images, height, width), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.2] = 255
    return where, mask


def log_softmax(numbers: Sequence[float], temperature: float) -> list[float]:
    divided = [number / temperature for number in numbers]
    largest = max(divided)
    total = math.log(sum(math.exp(number - largest) for number in divided))
    return [number - largest - total for number in divided]


def mean_of(rows: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def kl(q: Sequence[float], log_p: Sequence[float]) -> float:
    return sum(a * (math.log(a) - b) for a, b in zip(q, log_p, strict=True) if a > 0)


def is_open(gate: Gate, q: Sequence[float], p: Sequence[float], label: int) -> bool:
    return {"none": True, "surer": max(q) > max(p), "right": q.index(max(q)) == label}[gate]


def by_hand(
    logits: Sequence[Tensor],
    teachers: Sequence[Sequence[int]],
    *,
    where: Tensor,
    mask: Tensor,
    temperature: float = 1.0,
    mode: Mode = "ensemble",
    gate: Gate = "none",
) -> tuple[list[float], list[Tensor]]:
    """Losses and gradients, pixel by pixel in the numbers of Python."""
    places = [tuple(place) for place in where.nonzero().tolist()]
    losses = [0.0] * len(logits)
    gradients = [torch.zeros_like(peer) for peer in logits]
    for n, y, x in places:
        log_p = [log_softmax(peer[n, :, y, x].tolist(), temperature) for peer in logits]
        p = [[math.exp(number) for number in row] for row in log_p]
        for student, names in enumerate(teachers):
            rows = [p[name] for name in names]
            sides = [mean_of(rows)] if mode == "ensemble" and rows else rows
            for q in sides:
                if is_open(gate, q, p[student], int(mask[n, y, x])):
                    share = 1 / len(places) / len(sides)
                    losses[student] += temperature**2 * share * kl(q, log_p[student])
                    gradients[student][n, :, y, x] += torch.tensor(
                        [temperature * share * (a - b) for a, b in zip(p[student], q, strict=True)],
                        dtype=torch.float64,
                    )
    return losses, gradients


def learned(
    logits: Sequence[Tensor], teachers: Sequence[Sequence[int]], **options: Any
) -> tuple[MutualLosses, list[Tensor]]:
    """The answer, and the gradient of each loss in its peer's logits."""
    leaves = [peer.detach().requires_grad_() for peer in logits]
    found = mutual_losses(leaves, teachers, **options)
    gradients = [
        torch.autograd.grad(loss, leaf)[0] for loss, leaf in zip(found.losses, leaves, strict=True)
    ]
    return found._replace(losses=[loss.detach() for loss in found.losses]), gradients


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("peers", [2, 3, 4])
def test_pixel_by_pixel(mode: Mode, gate: Gate, temperature: float, peers: int) -> None:
    logits, (where, mask) = made(peers), known_pixels()
    options: dict[str, Any] = {
        "where": where, "mask": mask, "temperature": temperature, "mode": mode, "gate": gate
    }  # fmt: skip
    expected, expected_gradients = by_hand(logits, all_others(peers), **options)
    found, gradients = learned(logits, all_others(peers), **options)
    assert [float(loss) for loss in found.losses] == pytest.approx(expected, rel=1e-10)
    torch.testing.assert_close(gradients, expected_gradients, rtol=1e-9, atol=1e-12)
    if gate != "none":
        ungated = learned(logits, all_others(peers), **options | {"gate": "none"})[0]
        assert all(0 < a < b for a, b in zip(found.losses, ungated.losses, strict=True))


def test_two_classes_in_closed_form() -> None:
    """p = (4/5, 1/5) and q = (1/2, 1/2)."""
    one = torch.tensor([math.log(4), 0.0], dtype=torch.float64).reshape(1, 2, 1, 1)
    found, gradients = learned([one, torch.zeros_like(one)], [[1], [0]])
    assert [float(loss) for loss in found.losses] == pytest.approx(
        [math.log(5 / 4), 0.8 * math.log(1.6) + 0.2 * math.log(0.4)], rel=1e-12
    )
    torch.testing.assert_close(gradients[0].flatten().tolist(), [0.3, -0.3])
    torch.testing.assert_close(gradients[1].flatten().tolist(), [-0.3, 0.3])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gate", GATES)
def test_gradient_by_differences(mode: Mode, gate: Gate) -> None:
    logits, (where, mask) = made(3, (1, 3, 2, 3)), known_pixels((1, 3, 2, 3))
    for peer in range(3):

        def loss(values: Tensor, peer: int = peer) -> Tensor:
            peers = [*logits[:peer], values, *logits[peer + 1 :]]
            return mutual_losses(
                peers, all_others(3), where=where, mask=mask, temperature=1.7, mode=mode, gate=gate
            ).losses[peer]

        assert torch.autograd.gradcheck(loss, (logits[peer].clone().requires_grad_(),))


def test_nothing_flows_into_the_teachers() -> None:
    leaves = [peer.requires_grad_() for peer in made(3)]
    found = mutual_losses(leaves, all_others(3))
    torch.autograd.backward(found.losses[1])
    assert [leaf.grad is None for leaf in leaves] == [True, False, True]
    # Each loss has a graph of its own, so that peers may go backward one by one.
    torch.autograd.backward(found.losses[0])
    assert not found.divergences.requires_grad
    assert not found.agreement.requires_grad


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("peers", [2, 3])
def test_identical_peers_have_nothing_to_learn(mode: Mode, peers: int) -> None:
    logits = made(1) * peers
    found, gradients = learned(logits, all_others(peers), mode=mode)
    assert [float(loss) for loss in found.losses] == pytest.approx([0] * peers, abs=1e-15)
    assert not any(gradient.any() for gradient in gradients)
    assert not found.divergences.any()
    assert float(found.agreement) == 1
    if peers == 2:
        assert not any(found.losses)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_peers_changes_nothing(mode: Mode, gate: Gate, order: Sequence[int]) -> None:
    logits, (where, mask) = made(3, dtype=torch.float32), known_pixels()
    options: dict[str, Any] = {"where": where, "mask": mask, "mode": mode, "gate": gate}
    found, gradients = learned(logits, all_others(3), **options)
    moved, moved_gradients = learned([logits[peer] for peer in order], all_others(3), **options)
    for place, peer in enumerate(order):
        assert torch.equal(moved.losses[place], found.losses[peer])
        assert torch.equal(moved_gradients[place], gradients[peer])
    at = torch.tensor(order)
    assert torch.equal(moved.divergences, found.divergences[at][:, at])
    assert torch.equal(moved.agreement, found.agreement)


def test_modes_differ_by_a_constant() -> None:
    """Without a gate the gradient is the same; the values differ by the mean of KL(p_k || q)."""
    logits, temperature = made(4), 1.5
    ensemble, gradients = learned(logits, all_others(4), temperature=temperature)
    pairwise, others = learned(logits, all_others(4), temperature=temperature, mode="pairwise")
    torch.testing.assert_close(others, gradients, rtol=1e-10, atol=1e-15)
    p = torch.stack([(peer / temperature).softmax(dim=1) for peer in logits])
    for student, teachers in enumerate(all_others(4)):
        q = p[teachers].mean(dim=0)
        torch.testing.assert_close(
            gradients[student], temperature * (p[student] - q) / q[:, 0].numel()
        )
        spread = (p[teachers] * (p[teachers] / q).log()).sum(dim=2).mean()
        torch.testing.assert_close(
            pairwise.losses[student] - ensemble.losses[student], temperature**2 * spread
        )


def test_divergences_and_agreement() -> None:
    logits, (where, mask) = made(3), known_pixels()
    found = mutual_losses(
        logits, [[], [2], []], where=where, mask=mask, temperature=3, gate="right"
    )
    p = torch.stack([(peer / 3).softmax(dim=1) for peer in logits])
    for one in range(3):
        for other in range(3):
            maps = (p[one] * (p[one] / p[other]).log()).sum(dim=1)
            torch.testing.assert_close(found.divergences[one, other], maps[where].mean())
    assert not found.divergences.diagonal().any()
    classes = torch.stack(logits).argmax(dim=2)
    same = (classes[0] == classes[1]) & (classes[1] == classes[2])
    torch.testing.assert_close(found.agreement, same[where].double().mean())
    assert 0 < float(found.agreement) < 1


def test_one_teacher_of_all() -> None:
    logits = made(3)
    teachers = [[], [0], [0]]
    leaves = [peer.requires_grad_() for peer in logits]
    found = mutual_losses(leaves, teachers, temperature=2)
    torch.autograd.backward(found.losses)
    assert float(found.losses[0].detach()) == 0
    assert leaves[0].grad is not None
    assert not leaves[0].grad.any()
    for student in (1, 2):
        torch.testing.assert_close(
            found.losses[student].detach(), 4 * found.divergences[0, student]
        )


def test_a_teacher_that_needs_no_gradient() -> None:
    logits = made(2)
    found = mutual_losses([logits[0], logits[1].requires_grad_()], [[1], [0]])
    assert [loss.requires_grad for loss in found.losses] == [False, True]
    torch.testing.assert_close(found.losses[0], found.divergences[1, 0])


def test_without_gradients_the_values_are_the_same() -> None:
    expected, _ = learned(made(2), [[1], [0]])
    with torch.no_grad():
        found = mutual_losses([peer.requires_grad_() for peer in made(2)], [[1], [0]])
    assert not any(loss.requires_grad for loss in found.losses)
    assert found.losses == expected.losses


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gate", GATES)
def test_no_pixel_counts(mode: Mode, gate: Gate) -> None:
    where, mask = known_pixels()
    found, gradients = learned(
        made(3), all_others(3), where=torch.zeros_like(where), mask=mask, mode=mode, gate=gate
    )
    assert not any(found.losses)
    assert not any(gradient.any() for gradient in gradients)
    assert not found.divergences.any()
    assert float(found.agreement) == 0


def test_a_batch_without_pixels() -> None:
    found, gradients = learned(made(2, (0, 4, 3, 5)), [[1], [0]])
    assert not any(found.losses)
    assert [gradient.shape for gradient in gradients] == [(0, 4, 3, 5)] * 2


def test_the_divisor_is_all_pixels_that_count() -> None:
    logits, (where, mask) = made(2), known_pixels()
    mask[:] = 255
    mask[0, 0, 0] = logits[1].argmax(dim=1)[0, 0, 0]
    where[0, 0, 0] = True
    found = mutual_losses(logits, [[1], [0]], where=where, mask=mask, gate="right")
    p, q = logits[0][0, :, 0, 0].softmax(dim=0), logits[1][0, :, 0, 0].softmax(dim=0)
    torch.testing.assert_close(found.losses[0], (q * (q / p).log()).sum() / where.sum())


def test_a_label_to_ignore_that_is_a_class() -> None:
    logits = made(2)
    mask = logits[1].argmax(dim=1)
    found = mutual_losses(logits, [[1], []], mask=mask, gate="right", ignore_index=2)
    expected = mutual_losses(logits, [[1], []], mask=mask.masked_fill(mask == 2, 255), gate="right")
    assert found.losses[0] == expected.losses[0]
    assert found.losses[0] < mutual_losses(logits, [[1], []]).losses[0]


@pytest.mark.parametrize("mask_type", [torch.uint8, torch.int16, torch.int64])
def test_mask_of_any_integers(mask_type: torch.dtype) -> None:
    logits, (_, mask) = made(2, dtype=torch.float32), known_pixels()
    expected = mutual_losses(logits, [[1], [0]], mask=mask, gate="right").losses
    assert (
        mutual_losses(logits, [[1], [0]], mask=mask.to(mask_type), gate="right").losses == expected
    )


@settings(max_examples=60)
@given(
    peers=st.integers(2, 4),
    scale=st.sampled_from([0.01, 1.0, 100.0]),
    temperature=st.floats(0.1, 10),
    mode=st.sampled_from(MODES),
    gate=st.sampled_from(GATES),
    seed=st.integers(0, 1000),
)
def test_never_below_zero(
    peers: int, scale: float, temperature: float, mode: Mode, gate: Gate, seed: int
) -> None:
    logits, (where, mask) = [scale * peer for peer in made(peers, seed=seed)], known_pixels()
    found, gradients = learned(
        logits,
        all_others(peers),
        where=where,
        mask=mask,
        temperature=temperature,
        mode=mode,
        gate=gate,
    )
    assert all(float(loss) >= -1e-12 for loss in found.losses)
    assert (found.divergences >= -1e-12).all()
    assert 0 <= float(found.agreement) <= 1
    for gradient in gradients:
        # Softmax does not see a constant, so that the gradient has none.
        torch.testing.assert_close(gradient.sum(dim=1), torch.zeros_like(where, dtype=torch.double))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("peers", [2, 3])
def test_peaked_logits_stay_finite(mode: Mode, peers: int) -> None:
    logits = [100 * peer for peer in made(peers, dtype=torch.float32)]
    found, gradients = learned(logits, all_others(peers), mode=mode)
    expected, _ = by_hand(
        [peer.double() for peer in logits],
        all_others(peers),
        where=torch.ones(SHAPE[0], *SHAPE[2:], dtype=torch.bool),
        mask=known_pixels()[1],
        mode=mode,
    )
    assert [float(loss) for loss in found.losses] == pytest.approx(expected, rel=1e-5)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert found.divergences.isfinite().all()


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("counts", [True, False])
def test_what_is_no_number_is_named(gate: Gate, counts: bool) -> None:
    logits, (where, mask) = made(3), known_pixels()
    where[0, 0, 0] = counts
    logits[1][0, 2, 0, 0] = math.nan
    found = mutual_losses(logits, [[1], [2], []], where=where, mask=mask, gate=gate)
    assert [bool(loss.isnan()) for loss in found.losses] == [True, True, False]
    assert found.divergences.isnan().tolist() == [
        [False, True, False], [True, True, True], [False, True, False]
    ]  # fmt: skip


def test_float32_is_close_to_float64() -> None:
    logits = made(3, (2, 21, 30, 40))
    expected, expected_gradients = learned(logits, all_others(3))
    found, gradients = learned([peer.float() for peer in logits], all_others(3))
    torch.testing.assert_close(
        [loss.double() for loss in found.losses], expected.losses, rtol=1e-6, atol=0
    )
    for gradient, exact in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient.double(), exact, rtol=1e-4, atol=1e-9)


def test_logits_are_left_alone() -> None:
    logits = made(3)
    before = [peer.clone() for peer in logits]
    learned(logits, all_others(3), temperature=2)
    assert all(torch.equal(one, other) for one, other in zip(logits, before, strict=True))


def test_backward_twice_is_the_same() -> None:
    leaf, other = made(2)
    (loss, _) = mutual_losses([leaf.requires_grad_(), other], [[1], []]).losses
    (first,) = torch.autograd.grad(loss, leaf, retain_graph=True)
    (second,) = torch.autograd.grad(3 * loss, leaf)
    torch.testing.assert_close(second, 3 * first)


def test_autocast_changes_nothing() -> None:
    logits = made(3, dtype=torch.float32)
    expected, expected_gradients = learned(logits, all_others(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, gradients = learned(logits, all_others(3))
    assert found.losses == expected.losses
    assert all(torch.equal(*pair) for pair in zip(gradients, expected_gradients, strict=True))
