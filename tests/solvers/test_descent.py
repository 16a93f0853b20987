from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.clustering import ClusteringNetwork
from segmint.objectives import Batch, Objective
from segmint.solvers.descent import Step, descend


@pytest.fixture
def image(picture: object) -> Tensor:
    return torch.as_tensor(picture).permute(2, 0, 1)[None].float() / 255


def plain_network(network: ClusteringNetwork) -> nn.Sequential:
    """The published network of torch's own layers, with the same weights."""
    layers: list[nn.Module] = []
    for convolution in network.convolutions:
        channels, features = convolution.in_channels, convolution.out_channels
        copied = nn.Conv2d(channels, features, kernel_size=3, padding=1)
        copied.load_state_dict(convolution.state_dict())
        layers += [copied, nn.ReLU(), nn.BatchNorm2d(features)]
    classifier = nn.Conv2d(network.classifier.in_channels, network.classifier.out_channels, 1)
    classifier.load_state_dict(network.classifier.state_dict())
    return nn.Sequential(*layers, classifier, nn.BatchNorm2d(classifier.out_channels)).train()


def plain_loop(network: nn.Module, image: Tensor, *, iterations: int) -> list[tuple[float, Tensor]]:
    """The published loop: similarity and twice the continuity, SGD of 0.1 and 0.9."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    seen = []
    for _ in range(iterations):
        optimizer.zero_grad()
        response = network(image)
        labels = response.argmax(dim=1)
        along_y = response[:, :, 1:] - response[:, :, :-1]
        along_x = response[..., 1:] - response[..., :-1]
        loss = functional.cross_entropy(response, labels) + 2 * (
            functional.l1_loss(along_y, torch.zeros_like(along_y))
            + functional.l1_loss(along_x, torch.zeros_like(along_x))
        )
        seen.append((float(loss.detach()), labels))
        loss.backward()
        optimizer.step()
    return seen


def run(network: nn.Module, image: Tensor, **options: object) -> list[Step]:
    seen: list[Step] = []

    def after(step: Step) -> bool:
        seen.append(step)
        return len(seen) == options.get("stop_at")

    descend(
        network,
        Objective("similarity + 2*continuity"),
        itertools.repeat(Batch(image=image)),
        iterations=options.get("iterations", 5),
        learning_rate=0.1,
        momentum=0.9,
        dtype=options.get("dtype", torch.float32),
        after=after,
    )
    return seen


@pytest.mark.parametrize("blocks", [1, 2])
def test_is_the_published_loop(image: Tensor, blocks: int) -> None:
    network = ClusteringNetwork(features=8, classes=12, blocks=blocks, seed=1)
    expected = plain_loop(plain_network(network), image, iterations=6)
    steps = run(network, image.contiguous(memory_format=torch.channels_last), iterations=6)
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    for step, (loss, labels) in zip(steps, expected, strict=True):
        assert step.objective == pytest.approx(loss, rel=1e-4)
        assert step.labels.tolist() == labels.tolist()


def test_bfloat16_stays_near(image: Tensor) -> None:
    exact = run(ClusteringNetwork(features=8, classes=12), image)
    coarse = run(ClusteringNetwork(features=8, classes=12), image, dtype=torch.bfloat16)
    assert coarse[-1].objective == pytest.approx(exact[-1].objective, rel=0.1)


def test_stops_when_told_and_leaves_the_weights_of_that_response(image: Tensor) -> None:
    network = ClusteringNetwork(features=8, classes=12)
    steps = run(network, image, stop_at=3)
    assert len(steps) == 3
    assert network(image).argmax(dim=1).tolist() == steps[-1].labels.tolist()


def test_stops_with_the_last_batch(image: Tensor) -> None:
    seen = []
    descend(
        ClusteringNetwork(features=4, classes=5),
        Objective("similarity"),
        [Batch(image=image)] * 2,
        iterations=10,
        learning_rate=0.1,
        momentum=0.0,
        dtype=torch.float32,
        after=lambda step: bool(seen.append(step)),
    )
    assert len(seen) == 2


def test_objective_falls(image: Tensor) -> None:
    steps = run(ClusteringNetwork(features=8, classes=12), image, iterations=10)
    assert steps[-1].objective < 0.8 * steps[0].objective
