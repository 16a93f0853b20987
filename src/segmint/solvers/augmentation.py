"""Random deformations of images and their regions together, and noise.

The kinds are those of Schwab, Mayr and Haltmeier (2024). All movements of a pixel are added up
before the image is sampled, so it is interpolated once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Elastic deformation, rotation, scaling and flips, then noise; each image on its own.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> image, region = torch.rand(2, 3, 16, 16), torch.ones(2, 16, 16, dtype=torch.bool)
        >>> moved, where = Augmentation()(image, region, generator)
        >>> moved.shape == image.shape, where.dtype
        (True, torch.bool)
    """

    rotation: float = 15.0
    """Degrees, at most, either way."""
    least_scale: float = 0.85
    """Below 1 the image grows smaller."""
    greatest_scale: float = 1.25
    flip_probability: float = 0.5
    """Of each of the two axes."""
    elastic_strength: float = 175.0
    """Pixels, at most, that even noise of -1 to 1 is multiplied by once it is smooth."""
    least_smoothness: float = 10.0
    """Pixels, deviation of the Gaussian that smooths the noise."""
    greatest_smoothness: float = 13.0
    noise: float = 0.1
    """Greatest standard deviation of what is added to the channels."""
    noise_probability: float = 0.15

    def __call__(
        self, image: Tensor, region: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Moved images (N, C, H, W) and regions (N, H, W) of the same sizes.

        Args:
            image: interpolated linearly; beyond its border the border goes on.
            region: boolean, moved alike; nothing beyond the border belongs to it.
            generator: of the processor.
        """
        count, _, height, width = image.shape
        places = [self._places(height, width, generator) for _ in range(count)]
        grid = torch.stack(places).to(image)
        moved = functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
        inside = functional.grid_sample(
            region[:, None].to(image.dtype), grid, mode="nearest", align_corners=False
        )
        return moved + self._noise_like(image, generator), inside[:, 0] > 0.5

    def _places(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """Where each pixel comes from, (H, W, 2) as x and y from -1 to 1."""
        y = torch.arange(height) - (height - 1) / 2
        x = torch.arange(width) - (width - 1) / 2
        places = torch.stack(torch.meshgrid(y, x, indexing="ij"))
        places = torch.einsum("ij,jhw->ihw", self._turn(generator), places)
        places = places + self._elastic(height, width, generator)
        return torch.stack((places[1] * 2 / width, places[0] * 2 / height), dim=-1)

    def _turn(self, generator: torch.Generator) -> Tensor:
        """(2, 2) rotation, scale and flips, from the new place to the old, rows first."""
        angle = math.radians(_between(-self.rotation, self.rotation, generator))
        scale = _between(self.least_scale, self.greatest_scale, generator)
        flips = 1 - 2 * (torch.rand(2, generator=generator) < self.flip_probability).float()
        sine, cosine = math.sin(angle), math.cos(angle)
        return torch.tensor([[cosine, -sine], [sine, cosine]]) * flips / scale

    def _elastic(self, height: int, width: int, generator: torch.Generator) -> Tensor:
        """(2, H, W) smooth random displacements in pixels (Simard et al. 2003)."""
        smoothness = _between(self.least_smoothness, self.greatest_smoothness, generator)
        strength = _between(0.0, self.elastic_strength, generator)
        noise = 2 * torch.rand(2, 1, height, width, generator=generator) - 1
        reach = math.ceil(3 * smoothness)
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / smoothness) ** 2)
        weights = weights / weights.sum()
        noise = functional.conv2d(noise, weights.reshape(1, 1, -1, 1), padding=(reach, 0))
        noise = functional.conv2d(noise, weights.reshape(1, 1, 1, -1), padding=(0, reach))
        return strength * noise[:, 0]

    def _noise_like(self, image: Tensor, generator: torch.Generator) -> Tensor:
        chosen = torch.rand(len(image), generator=generator) < self.noise_probability
        deviations = torch.rand(len(image), generator=generator) * self.noise * chosen
        noise = torch.randn(image.shape, generator=generator) * deviations.reshape(-1, 1, 1, 1)
        return noise.to(image.device, image.dtype)


def _between(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
