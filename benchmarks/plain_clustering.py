"""The published feature clustering written the obvious way: float32, channels first, as printed.

Kim, Kanezaki and Tanaka (2020), equations 1 to 5. It is the baseline of the other benchmarks and
is not made slow: it uses the library's own fused layers and losses.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainNetwork(nn.Module):
    """Blocks of convolution, ReLU, batch normalization; then a 1x1 convolution, normalized."""

    def __init__(self, channels: int = 3, width: int = 100, blocks: int = 2) -> None:
        super().__init__()
        inputs = [channels] + [width] * (blocks - 1)
        self.convolutions = nn.ModuleList(nn.Conv2d(c, width, 3, padding=1) for c in inputs)
        self.normalizations = nn.ModuleList(nn.BatchNorm2d(width) for _ in inputs)
        self.classifier = nn.Conv2d(width, width, 1)
        self.classifier_normalization = nn.BatchNorm2d(width)

    def forward(self, image: Tensor) -> Tensor:
        for convolution, normalization in zip(self.convolutions, self.normalizations, strict=True):
            image = normalization(functional.relu(convolution(image)))
        return self.classifier_normalization(self.classifier(image))


def plain_objective(response: Tensor, similarity: float = 1.0, continuity: float = 5.0) -> Tensor:
    """Cross-entropy against the argmax, and L1 norms of the differences of neighbors."""
    _, channels, height, width = response.shape
    pixels = response[0].permute(1, 2, 0).reshape(-1, channels)
    target = pixels.argmax(dim=1)
    grid = pixels.reshape(height, width, channels)
    vertical = grid[1:] - grid[:-1]
    horizontal = grid[:, 1:] - grid[:, :-1]
    smooth_y = functional.l1_loss(vertical, torch.zeros_like(vertical))
    smooth_x = functional.l1_loss(horizontal, torch.zeros_like(horizontal))
    return similarity * functional.cross_entropy(pixels, target) + continuity * (
        smooth_y + smooth_x
    )


def plain_iterations(image: Tensor, iterations: int, *, minimum: int = 3) -> Tensor:
    """Labels (H, W) after so many iterations, or as soon as few components remain."""
    network = PlainNetwork(image.shape[1])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    labels = torch.empty(0)
    for _ in range(iterations):
        optimizer.zero_grad()
        response = network(image)
        labels = response[0].argmax(dim=0)
        if len(labels.unique()) <= minimum:
            break
        plain_objective(response).backward()
        optimizer.step()
    return labels
