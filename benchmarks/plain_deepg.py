"""The published deep Gaussian mixtures written the obvious way: float32, channels first, loops.

Schwab, Mayr and Haltmeier (2024). It is the baseline of ``bench_deepg.py`` and is not made slow: it
uses the library's own fused layers. Loops run over components and channels, densities are
multiplied as they stand with 1e-10 inside the logarithm, as in the published code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainBlock(nn.Sequential):
    """Two convolutions, the second normalized."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.InstanceNorm2d(outputs, affine=True),
            nn.LeakyReLU(0.01),
        )


class PlainUNet(nn.Module):
    """Four levels down and up, 32 features at first."""

    def __init__(self, channels: int = 3, classes: int = 4) -> None:
        super().__init__()
        widths = [32, 64, 128, 256, 512]
        inputs = [channels, *widths]
        self.down = nn.ModuleList(PlainBlock(inputs[i], widths[i]) for i in range(5))
        self.links = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in widths[-2::-1])
        self.up = nn.ModuleList(PlainBlock(2 * w, w) for w in widths[-2::-1])
        self.head = nn.Conv2d(32, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        across = []
        for level, block in enumerate(self.down):
            image = block(functional.max_pool2d(image, 2) if level else image)
            across.append(image)
        image = across.pop()
        for link, block in zip(self.links, self.up, strict=True):
            raised = link(functional.interpolate(image, scale_factor=2, mode="nearest"))
            image = block(torch.cat([raised, across.pop()], dim=1))
        return self.head(image)


def plain_loss(logits: Tensor, image: Tensor, region: Tensor, *, varying: bool) -> Tensor:
    """Negative log-likelihood, by loops over images, components and channels."""
    gamma = torch.softmax(logits, dim=1)
    total = torch.zeros(())
    for b in range(len(image)):
        inside = region[b]
        likelihood = torch.zeros(int(inside.sum()))
        for k in range(gamma.shape[1]):
            share = gamma[b, k][inside]
            density = torch.ones_like(share)
            for m in range(image.shape[1]):
                x = image[b, m][inside]
                mean = (share * x).sum() / share.sum()
                variance = (share * (x - mean) ** 2).sum() / share.sum() + 1e-10
                scale = 1 / torch.sqrt(2 * math.pi * variance)
                density = density * scale * torch.exp(-((x - mean) ** 2) / (2 * variance))
            likelihood = likelihood + (share if varying else share.mean()) * density
        total = total - torch.log(likelihood + 1e-10).mean()
    return total / len(image)


class PlainEpoch:
    """One epoch on one image: forward, loss, backward, clip, step."""

    def __init__(self, network: nn.Module, image: Tensor, region: Tensor, *, varying: bool) -> None:
        self.network, self.image, self.region, self.varying = network, image, region, varying
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=1e-3)

    def __call__(self) -> float:
        self.optimizer.zero_grad()
        loss = plain_loss(self.network(self.image), self.image, self.region, varying=self.varying)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
        self.optimizer.step()
        return float(loss.detach())


def plain_fit(epoch: PlainEpoch, *, epochs: int = 200, tol: float = 1e-3) -> list[float]:
    """The loss of every epoch until it changes by less than the tolerance after ten epochs."""
    losses: list[float] = []
    for number in range(1, epochs + 1):
        losses.append(epoch())
        if number > 10 and abs(losses[-1] - losses[-2]) < tol:
            break
    return losses
