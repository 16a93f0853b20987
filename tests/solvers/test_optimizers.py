from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from segmint.solvers.optimizer_options import OPTIMIZERS, OptimizerOptions
from segmint.solvers.optimizers import WeightOptimizer


def network(memory_format: torch.memory_format = torch.channels_last) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(1)
        made = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(5, 4, 2), nn.Conv2d(4, 2, 1))
    return made.to(memory_format=memory_format)


def image(seed: int) -> Tensor:
    return torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(seed))


def plain(made: nn.Module, options: OptimizerOptions) -> torch.optim.Optimizer:
    how = {"lr": options.learning_rate, "weight_decay": options.decay, "foreach": False}
    if options.optimizer == "sgd":
        return torch.optim.SGD(made.parameters(), momentum=options.momentum, **how)
    kind = torch.optim.Adam if options.optimizer == "adam" else torch.optim.AdamW
    return kind(made.parameters(), **how)


@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_is_the_plain_optimizer(name: str, memory_format: torch.memory_format, clip: float) -> None:
    options = OptimizerOptions(
        optimizer=name, learning_rate=0.01, weight_decay=0.1, gradient_clip=clip
    )
    ours = network(memory_format)
    theirs = copy.deepcopy(ours)
    optimizer = WeightOptimizer([{"params": list(ours.parameters())}], options)
    expected = plain(theirs, options)
    for step in range(5):
        optimizer.forget_gradients()
        expected.zero_grad()
        ours(image(step)).square().mean().backward()
        theirs(image(step)).square().mean().backward()
        gradients = [weight.grad.flatten() for weight in theirs.parameters()]
        torch.testing.assert_close(optimizer.take_gradients(), torch.cat(gradients).norm())
        if clip:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        optimizer.optimizer.step()
        expected.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_goes_on_bit_for_bit(name: str) -> None:
    options = OptimizerOptions(optimizer=name)
    whole = network()
    optimizer = WeightOptimizer([{"params": list(whole.parameters())}], options)
    for number in range(6):
        if number == 3:
            part = copy.deepcopy(whole)
            further = WeightOptimizer([{"params": list(part.parameters())}], options)
            further.restore({key: value.clone() for key, value in optimizer.state().items()})
        step(optimizer, whole, number)
        if number >= 3:
            step(further, part, number)
    torch.testing.assert_close(part.state_dict(), whole.state_dict(), rtol=0, atol=0)


def step(optimizer: WeightOptimizer, made: nn.Module, seed: int) -> None:
    optimizer.forget_gradients()
    made(image(seed)).square().mean().backward()
    optimizer.take_gradients()
    optimizer.optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_skips_where_it_is_told(name: str) -> None:
    made = network()
    optimizer = WeightOptimizer(
        [{"params": list(made.parameters())}], OptimizerOptions(optimizer=name)
    )
    step(optimizer, made, 0)
    before = copy.deepcopy(made.state_dict())
    optimizer.skip_where(torch.ones(()))
    step(optimizer, made, 1)
    torch.testing.assert_close(made.state_dict(), before, rtol=0, atol=0)
    optimizer.skip_where(torch.zeros(()))
    step(optimizer, made, 2)
    assert not torch.equal(made[0].weight, before["0.weight"])


def test_weights_without_gradient_stay() -> None:
    made = network()
    made[2].requires_grad_(False)
    made.further = nn.Linear(2, 2)  # no part of the forward pass
    before = copy.deepcopy(made.state_dict())
    optimizer = WeightOptimizer([{"params": list(made.parameters())}], OptimizerOptions())
    optimizer.forget_gradients()
    made[2](made[1](made[0](image(0)))).square().mean().backward()
    optimizer.take_gradients()
    optimizer.optimizer.step()
    after = made.state_dict()
    for name in ("2.weight", "further.weight"):
        assert torch.equal(after[name], before[name])
    assert not torch.equal(after["0.weight"], before["0.weight"])


@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_learn_as_if_each_were_alone(name: str, clip: float) -> None:
    options = OptimizerOptions(optimizer=name, learning_rate=0.01, gradient_clip=clip)
    rates, scales = (0.01, 0.3), (1e-3, 5.0)  # the second network alone is clipped
    ours = [network(), network(torch.contiguous_format)]
    theirs = copy.deepcopy(ours)
    optimizer = WeightOptimizer(
        [{"params": one.parameters(), "lr": rate} for one, rate in zip(ours, rates, strict=True)],
        options,
    )
    expected = [
        plain(one, dataclasses.replace(options, learning_rate=rate))
        for one, rate in zip(theirs, rates, strict=True)
    ]
    for step in range(4):
        optimizer.forget_gradients()
        for number, scale in enumerate(scales):
            expected[number].zero_grad()
            for one in (ours[number], theirs[number]):
                (scale * one(image(step + number)).square().mean()).backward()
        norm = optimizer.take_gradients()
        norms = [nn.utils.clip_grad_norm_(one.parameters(), clip or math.inf) for one in theirs]
        assert norms[0] < 0.2 < norms[1]
        torch.testing.assert_close(optimizer.norms, dict(enumerate(norms)))
        torch.testing.assert_close(norm, torch.stack(norms).norm())
        for descent in (optimizer.optimizer, *expected):
            descent.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_group_may_be_frozen_or_get_no_gradient(name: str, clip: float) -> None:
    frozen, learning, unused = (network() for _ in range(3))
    frozen.requires_grad_(False)
    before = copy.deepcopy([frozen.state_dict(), unused.state_dict()])
    alone = copy.deepcopy(learning)
    options = OptimizerOptions(optimizer=name, gradient_clip=clip)
    groups = [{"params": list(one.parameters())} for one in (frozen, learning, unused)]
    optimizer = WeightOptimizer(groups, options)
    by_itself = WeightOptimizer([{"params": list(alone.parameters())}], options)
    for number in range(4):
        if number == 2:
            state = {key: value.clone() for key, value in optimizer.state().items()}
            optimizer = WeightOptimizer(groups, options)
            optimizer.restore(state)
        assert optimizer.use_rate(0.5) == by_itself.use_rate(0.5)
        step(optimizer, learning, number)
        step(by_itself, alone, number)
        assert list(optimizer.norms) == [1]
    torch.testing.assert_close(learning.state_dict(), alone.state_dict(), rtol=0, atol=0)
    assert not torch.equal(learning[0].weight, frozen[0].weight)
    torch.testing.assert_close([frozen.state_dict(), unused.state_dict()], before, rtol=0, atol=0)


@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("spoilt", [math.nan, math.inf])
def test_tells_the_group_whose_gradient_is_no_number(spoilt: float, clip: float) -> None:
    weights = [nn.Parameter(torch.ones(2)) for _ in range(3)]
    optimizer = WeightOptimizer(
        [{"params": [weight]} for weight in weights], OptimizerOptions(gradient_clip=clip)
    )
    assert float(optimizer.take_gradients()) == 0
    assert optimizer.spoilt(optimizer.norms) == []
    for weight, value in zip(weights, (1.0, spoilt, 2.0), strict=True):
        weight.grad = torch.full((2,), value)
    assert not optimizer.take_gradients().isfinite()
    (found,) = optimizer.spoilt(optimizer.norms)
    assert found is weights[1]
    assert bool(weights[2].grad.isfinite().all())


def test_rates_are_shares_of_each_groups_own() -> None:
    first, second = (nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = WeightOptimizer(
        [{"params": [first]}, {"params": [second], "lr": 0.4}],
        OptimizerOptions(learning_rate=0.1),
    )
    assert optimizer.use_rate(0.5) == pytest.approx(0.05)
    assert [group["lr"] for group in optimizer.optimizer.param_groups] == [0.05, 0.2]
    optimizer.use_rate(1.0)
    assert [group["lr"] for group in optimizer.optimizer.param_groups] == [0.1, 0.4]
