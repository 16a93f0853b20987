from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor

from segmint.errors import InputError
from segmint.methods.deepg import OneImageOptions
from segmint.objectives import Batch, mixture_parameters, varying_mixture_loss
from segmint.solvers.mixture_network import MixtureNetworkFit, fit_mixture_network
from segmint.solvers.mixture_settings import MixtureSettings

QUICK = OneImageOptions(
    features=4,
    levels=2,
    continuity_weight=0.0,
    learning_rate=1e-2,
    tol=1e-4,
    min_epochs=5,
    max_epochs=60,
)


def disc(size: int = 40) -> tuple[Batch, Tensor]:
    """Two shades and noise in a round region, and the truth (H, W)."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    truth = ((y - 18) ** 2 + (x - 22) ** 2 < 60).long()
    region = (y - 20) ** 2 + (x - 20) ** 2 < 200
    image = truth + 0.3 * torch.randn(2, size, size, generator=generator)
    return Batch(image=image[None], region=region[None]), truth


def fit(
    batch: Batch,
    arguments: dict[str, object] | None = None,
    *,
    varying: bool = True,
    lam: float = 0.0,
    **changes: object,
) -> MixtureNetworkFit:
    options = replace(QUICK, **changes)
    settings = MixtureSettings(options=options, classes=2, varying=varying, lam=lam)
    return fit_mixture_network(batch, settings, **(arguments or {}))


def agreement(found: MixtureNetworkFit, batch: Batch, truth: Tensor) -> float:
    """Share of the region's pixels that are right, components in the better order."""
    right = (found.probabilities.argmax(dim=0) == truth)[batch.region[0]].float().mean()
    return float(max(right, 1 - right))


@pytest.mark.parametrize("varying", [False, True])
def test_finds_two_shades(varying: bool) -> None:
    batch, truth = disc()
    found = fit(batch, varying=varying)
    assert agreement(found, batch, truth) > 0.95
    assert found.history[-1]["nll"] < found.history[0]["nll"] - 0.1


def test_nll_is_that_of_the_probabilities() -> None:
    batch, _ = disc()
    found = fit(batch, varying=False)
    parameters = mixture_parameters(found.probabilities[None], batch.image, batch.region)
    weights, means, variances = (each[0].double().numpy() for each in parameters)
    pixels = batch.image[0][:, batch.region[0]].double().numpy()
    densities = norm.logpdf(pixels[None], means[..., None], variances[..., None] ** 0.5).sum(axis=1)
    expected = -logsumexp(densities, axis=0, b=weights[:, None]).mean()
    assert found.nll == pytest.approx(expected, rel=1e-4)


def test_probabilities_stand_where_the_image_does() -> None:
    batch, _ = disc()
    for full_frame in (False, True):
        probabilities = fit(batch, full_frame=full_frame, max_epochs=2).probabilities
        assert probabilities.shape == (2, 40, 40)
        assert probabilities.dtype == torch.float32
        sums = probabilities.sum(dim=0)
        torch.testing.assert_close(sums, batch.region[0].float())


def test_sees_the_region_alone_unless_told_otherwise() -> None:
    batch, _ = disc(64)
    far = replace(batch, image=batch.image.clone())
    far.image[..., 50:, :] = 9
    first, second = (fit(each, max_epochs=3) for each in (batch, far))
    assert torch.equal(first.probabilities, second.probabilities)
    whole = fit(far, full_frame=True, max_epochs=3)
    assert not torch.allclose(whole.probabilities, first.probabilities, atol=1e-3)


def test_region_everywhere() -> None:
    batch, truth = disc()
    found = fit(replace(batch, region=None))
    torch.testing.assert_close(found.probabilities.sum(dim=0), torch.ones(40, 40))
    assert agreement(found, batch, truth) > 0.95


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (17, 3)])
def test_small_images(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    found = fit(Batch(image=image), max_epochs=3)
    assert torch.isfinite(found.probabilities).all()


def test_one_pixel_of_region() -> None:
    batch, _ = disc()
    region = torch.zeros_like(batch.region)
    region[0, 39, 0] = True
    found = fit(replace(batch, region=region), max_epochs=3)
    assert found.probabilities.sum() == pytest.approx(1)


def test_history_and_observer() -> None:
    batch, _ = disc()
    seen = []
    found = fit(
        replace(batch, prior_means=torch.tensor([[0.0, 0.0], [1.0, 1.0]])),
        {"observe": lambda epoch, labels: seen.append((epoch, labels))},
        lam=0.5,
        continuity_weight=0.1,
        max_epochs=4,
    )
    assert found.epochs == len(found.history) == 4
    assert [row["iteration"] for row in found.history] == [1, 2, 3, 4]
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4]
    for row in found.history:
        parts = row["nll"] + row["prior_means"] + row["continuity"]
        assert row["objective"] == pytest.approx(parts, rel=1e-5)
    inside = batch.region[0]
    last = found.probabilities.argmax(dim=0)
    assert torch.equal(seen[-1][1][inside].long(), last[inside])


def test_stops_when_the_likelihood_settles() -> None:
    batch, _ = disc()
    history = fit(batch, tol=0.05, min_epochs=5).history
    changes = [abs(b["nll"] - a["nll"]) for a, b in pairwise(history)]
    assert 5 < len(history) < 60
    assert changes[-1] < 0.05
    assert all(change >= 0.05 for change in changes[4:-1])


def test_prior_means_name_the_components() -> None:
    batch, truth = disc()
    for order in (0, 1):
        means = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
        means = means.flip(0) if order else means
        found = fit(replace(batch, prior_means=means), lam=1.0)
        labels = found.probabilities.argmax(dim=0)
        right = (labels == (1 - truth if order else truth))[batch.region[0]]
        assert right.float().mean() > 0.95


def test_targets_are_taught_first() -> None:
    batch, truth = disc()
    targets = torch.stack((truth, 1 - truth)).float()[None]
    found = fit(batch, {"targets": targets, "target_epochs": 30}, max_epochs=1)
    labels = found.probabilities.argmax(dim=0)
    assert (labels == 1 - truth)[batch.region[0]].float().mean() > 0.95


def test_goes_on_from_a_network_and_leaves_it() -> None:
    batch, _ = disc()
    first = fit(batch, max_epochs=15)
    before = {name: value.clone() for name, value in first.network.state_dict().items()}
    again = fit(batch, {"start": first.network}, max_epochs=3)
    assert again.history[0]["nll"] == pytest.approx(first.nll, rel=1e-4)
    torch.testing.assert_close(dict(first.network.state_dict()), before, rtol=0, atol=0)


def test_a_network_to_go_on_from_is_not_taught() -> None:
    batch, truth = disc()
    start = fit(batch, max_epochs=5).network
    targets = torch.stack((truth, 1 - truth)).float()[None]
    plain = fit(batch, {"start": start}, max_epochs=3)
    given = fit(batch, {"start": start, "targets": targets}, max_epochs=3)
    assert torch.equal(plain.probabilities, given.probabilities)


def test_same_seed_same_result() -> None:
    batch, _ = disc()
    first, again, other = (fit(batch, {"seed": seed}, max_epochs=5) for seed in (3, 3, 4))
    assert torch.equal(first.probabilities, again.probabilities)
    assert not torch.equal(first.probabilities, other.probabilities)


def test_half_precision_comes_as_far() -> None:
    batch, truth = disc()
    found = fit(batch, {"dtype": torch.bfloat16})
    assert agreement(found, batch, truth) > 0.95
    loss = varying_mixture_loss(found.probabilities.clamp(min=1e-9).log()[None], *inputs(batch))
    assert found.nll == pytest.approx(float(loss), rel=1e-3)


def inputs(batch: Batch) -> tuple[Tensor, Tensor]:
    return batch.image, batch.region


@pytest.mark.parametrize("clip", [0.0, 1e-6])
def test_gradient_clip(clip: float) -> None:
    batch, _ = disc()
    assert fit(batch, gradient_clip=clip, max_epochs=5).nll < 5


def test_region_without_a_pixel() -> None:
    batch, _ = disc()
    with pytest.raises(InputError, match="holds no pixel"):
        fit(replace(batch, region=torch.zeros_like(batch.region)))


def test_values_that_are_no_numbers() -> None:
    batch, _ = disc()
    batch.image[..., 20, 20] = torch.nan
    with pytest.raises(InputError, match="finite"):
        fit(batch)
