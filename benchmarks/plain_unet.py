"""The study's U-Net and a step of its training, written the obvious way: float32, NCHW."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainBlock(nn.Sequential):
    """Twice convolution, batch normalization and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class PlainUNet(nn.Module):
    """Four levels, 32 first features."""

    def __init__(self, in_channels: int = 3, classes: int = 21) -> None:
        super().__init__()
        widths = [32, 64, 128, 256, 512]
        pairs = zip([in_channels, *widths], widths, strict=False)
        self.down = nn.ModuleList(PlainBlock(*pair) for pair in pairs)
        self.up = nn.ModuleList(
            nn.ModuleList([nn.ConvTranspose2d(2 * w, w, 2, stride=2), PlainBlock(2 * w, w)])
            for w in widths[-2::-1]
        )
        self.head = nn.Conv2d(32, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        across = []
        for level, block in enumerate(self.down):
            image = block(functional.max_pool2d(image, 2) if level else image)
            across.append(image)
        image = across.pop()
        for enlarge, block in self.up:
            image = block(torch.cat([enlarge(image), across.pop()], dim=1))
        return self.head(image)


class PlainStep:
    """Forward, cross-entropy, backward, Adam."""

    def __init__(self, network: nn.Module, image: Tensor, mask: Tensor) -> None:
        self.network, self.image, self.mask = network, image, mask
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def __call__(self) -> float:
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(self.image), self.mask)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())
