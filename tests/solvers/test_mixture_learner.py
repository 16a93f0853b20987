from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.methods.deepg import PUBLISHED, DeepMixtureOptions, ManyImagesOptions, OneImageOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives import Batch, mixture_loss, prior_means_loss
from segmint.solvers.mixture_learner import MixtureLearner, settled
from segmint.solvers.mixture_settings import MixtureSettings

SETTINGS = MixtureSettings(
    options=DeepMixtureOptions(learning_rate=1e-3, weight_decay=0.1, gradient_clip=0.1),
    varying=False,
    classes=3,
    lam=0.5,
)


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        image=torch.randn(2, 2, 16, 24, generator=generator),
        region=torch.rand(2, 16, 24, generator=generator) < 0.6,
        prior_means=torch.randn(3, 2, generator=generator),
    )


def small() -> UNet:
    return UNet(in_channels=2, classes=3, features=4, levels=2)


def loss_of(network: UNet, given: Batch) -> Tensor:
    logits = network(given.image)
    known = prior_means_loss(logits, given.image, given.prior_means, given.region)
    return mixture_loss(logits, given.image, given.region) + 0.5 * known


def test_steps_are_those_of_plain_adamw() -> None:
    given, network = batch(), small()
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.AdamW(
        plain.parameters(), lr=1e-3, weight_decay=0.1, fused=False, foreach=False
    )
    learner = MixtureLearner(network, SETTINGS, dtype=torch.float32)
    for _ in range(4):
        optimizer.zero_grad()
        expected = loss_of(plain, given)
        expected.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 0.1)
        optimizer.step()
        _, total, row = learner.measure(given)
        learner.step(total)
        torch.testing.assert_close(total, expected, rtol=1e-4, atol=1e-5)
        assert row["objective"] == pytest.approx(float(expected.detach()), rel=1e-4)
        assert row["nll"] + row["prior_means"] == pytest.approx(row["objective"], rel=1e-5)
    torch.testing.assert_close(
        dict(network.named_parameters()), dict(plain.named_parameters()), rtol=1e-2, atol=1e-4
    )


def test_learning_rate_of_nothing_changes_nothing() -> None:
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learner = MixtureLearner(network, SETTINGS, dtype=torch.float32)
    learner.use_learning_rate(0.0)
    learner.step(learner.measure(batch())[1])
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)


def test_teaching_lowers_the_surprise_inside_the_region() -> None:
    given, network = batch(), small()
    targets = (3 * given.image[:, :1] * torch.tensor([1.0, -1, 0])[:, None, None]).softmax(dim=1)
    learner = MixtureLearner(network, SETTINGS, dtype=torch.float32)
    learner.use_learning_rate(1e-2)

    def surprise() -> float:
        values = functional.cross_entropy(network(given.image), targets, reduction="none")
        return float(values[given.region].mean().detach())

    first = surprise()
    for _ in range(30):
        learner.teach(given, targets)
    assert surprise() < 0.8 * first


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], False),
        ([3.0], False),
        ([3.0, 3.0, 3.0], False),
        ([3.0, 2.0, 1.5, 1.4999], True),
        ([3.0, 2.0, 1.5, 1.4], False),
        ([3.0, 2.0, 1.5, 1.5001], True),
        ([6.0, 5.0, 4.0, 3.0, 2.0, 1.0], True),
    ],
)
def test_settled(values: list[float], expected: bool) -> None:
    options = DeepMixtureOptions(min_epochs=3, max_epochs=6, tol=1e-3)
    settings = MixtureSettings(options=options, classes=4)
    assert settled([{"nll": value} for value in values], settings) == expected


def test_objectives() -> None:
    published = OneImageOptions(**PUBLISHED)
    assert MixtureSettings(options=published, classes=4).objective().names == ("varying_mixture",)
    smooth = DeepMixtureOptions(continuity_weight=0.25)
    settings = MixtureSettings(options=smooth, classes=4, varying=False, lam=2.0)
    assert settings.objective().names == ("mixture", "prior_means", "continuity")
    assert settings.objective().weights == (1.0, 2.0, 0.25)


def test_published_settings() -> None:
    one, many = OneImageOptions(**PUBLISHED), ManyImagesOptions()
    assert (one.learning_rate, one.weight_decay, one.gradient_clip) == (1e-4, 1e-3, 12)
    assert (one.tol, one.min_epochs, one.max_epochs, one.lam) == (1e-3, 10, 200, 0)
    assert (one.start, one.full_frame, one.features, one.levels) == ("random", True, 32, 4)
    assert one.continuity_weight == many.continuity_weight == 0
    assert (many.learning_rate, many.weight_decay, many.gradient_clip) == (1e-3, 1e-3, 12)
    assert (many.tol, many.min_epochs, many.max_epochs) == (5e-3, 10, 100)
    assert (many.decay_power, many.batch_size, many.augmentation) == (0.9, 4, "full")
