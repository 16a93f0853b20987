"""x"""
from __future__ import annotations
import torch
from torch import Tensor
from segmint.objectives import Batch

SIZE = 160


def heart() -> Batch:
    """A made-up heart of 160x160 pixels and three channels, standardized, and where it is.

    Blood pool, muscle around it, and in the muscle an edema with a scar inside; channels differ in
    what they show. Textures, a slow drift and noise lie over everything.
    """
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIZE) - 80.0, torch.arange(SIZE) - 78.0, indexing="ij")
    distance, angle = torch.hypot(y, 0.92 * x), torch.atan2(y, x)
    wave = 3 * torch.sin(3 * angle) + 2 * torch.cos(5 * angle)
    region = distance < 58 + wave
    labels = (distance > 34 + 0.7 * wave).long()
    edema = (labels == 1) & (angle.abs() < 0.9)
    scar = edema & (angle.abs() < 0.5) & (distance < 48)
    labels[edema], labels[scar] = 2, 3
    shades = torch.tensor([[1.2, 0.2, 1.5], [0.0, 0.0, 0.0], [0.4, 1.3, 0.3], [1.9, 1.0, 0.4]])
    surroundings = torch.rand(1, 3, 9, 9, generator=generator) * 2 - 0.5
    surroundings = torch.nn.functional.interpolate(surroundings, size=(SIZE, SIZE), mode="bicubic")
    image = torch.where(region, shades[labels].permute(2, 0, 1), surroundings[0])
    noise = torch.randn(3, SIZE, SIZE, generator=generator)
    image = image + 0.25 * noise + 0.3 * torch.sin(x / 50 + y / 70)
    image = (image - image.mean(dim=(1, 2), keepdim=True)) / image.std(dim=(1, 2), keepdim=True)
    return Batch(image=image[None], region=region[None])
