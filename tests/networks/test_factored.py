from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.networks import factored
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.factored import FactoredResponse, moments


def random_tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 5, 7, 9), (2, 3, 4, 1), (1, 4, 1, 1), (1, 1, 6, 5)])
@pytest.mark.parametrize("chunk", [3, 10_000])
def test_moments(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], chunk: int) -> None:
    monkeypatch.setattr(factored, "CHUNK_PIXELS", chunk)
    features = (random_tensor(*shape) + 2).requires_grad_()
    rows = features.movedim(1, -1).flatten(0, 2)
    centered = rows - rows.mean(dim=0)
    expected = rows.mean(dim=0), centered.T @ centered / len(rows)
    found = moments(features)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    upstream = [random_tensor(*value.shape, seed=1) for value in expected]
    torch.testing.assert_close(
        torch.autograd.grad(found, features, upstream),
        torch.autograd.grad(expected, features, upstream),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(("statistics", "images"), [("image", 1), ("batch", 1), ("batch", 3)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_network_responds_as_it_maps(statistics: str, images: int, blocks: int) -> None:
    network = ClusteringNetwork(features=6, classes=5, blocks=blocks, statistics=statistics, seed=3)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "normalization" in name:
                parameter += 0.3 * random_tensor(*parameter.shape, seed=len(name))
    image, upstream = random_tensor(images, 3, 9, 8), random_tensor(images, 5, 9, 8, seed=1)
    response = network.respond(image)
    assert isinstance(response, FactoredResponse)
    found, expected = response.expanded(), network(image)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    names = [name for name, _ in network.named_parameters()]
    mine, theirs = (
        torch.autograd.grad((value * upstream).sum(), list(network.parameters()), allow_unused=True)
        for value in (found, expected)
    )
    largest = max(float(gradient.abs().max()) for gradient in theirs)
    for name, gradient, reference in zip(names, mine, theirs, strict=True):
        gradient = torch.zeros_like(reference) if gradient is None else gradient
        torch.testing.assert_close(
            gradient,
            reference,
            rtol=2e-3,
            atol=1e-4 * largest,
            msg=lambda text, n=name: f"{n}: {text}",
        )


@pytest.mark.parametrize(("statistics", "images"), [("image", 2), ("running", 1)])
def test_written_out_where_no_one_map_serves(statistics: str, images: int) -> None:
    network = ClusteringNetwork(features=6, classes=5, statistics=statistics)
    image = random_tensor(images, 3, 9, 8)
    response = network.respond(image)
    assert isinstance(response, Tensor)
    torch.testing.assert_close(response, network(image), rtol=0, atol=0)


@pytest.mark.parametrize("offset", [0.0, 1.0, 4.0])
def test_moments_of_half_precision(offset: float) -> None:
    features = (random_tensor(1, 4, 40, 48).abs() + offset).bfloat16()
    rows = features.double().movedim(1, -1).flatten(0, 2)
    mean, covariance = moments(features)
    torch.testing.assert_close(mean.double(), rows.mean(dim=0), rtol=1e-2, atol=0)
    expected = torch.cov(rows.T, correction=0)
    torch.testing.assert_close(covariance.double(), expected, rtol=2e-2, atol=2e-2)
