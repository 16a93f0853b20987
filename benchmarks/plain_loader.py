"""The obvious training loader: Pillow, torchvision's v2 transforms, torch's DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from segmint.torchvision_operators import declare_operators

declare_operators()
from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import InterpolationMode, v2  # noqa: E402

FILL = {tv_tensors.Image: 0, tv_tensors.Mask: 255}
LINEAR = InterpolationMode.BILINEAR
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def transforms(name: str, crop: int) -> v2.Compose:
    """The same steps as ours, one transform after the other."""
    study = [v2.Resize(234), v2.RandomCrop(crop)]
    steps = {
        "study": study,
        "isbi": [
            v2.Resize(234),
            v2.RandomAffine(0.2, (0.05, 0.05), (0.95, 1.05), 0.05, LINEAR, FILL),
            v2.RandomHorizontalFlip(),
            v2.RandomCrop(crop),
        ],
        "strong": [
            v2.ScaleJitter((375, 500), (0.5, 2.0)),
            v2.RandomRotation(10, LINEAR, fill=FILL),
            v2.RandomHorizontalFlip(),
            v2.RandomCrop(crop, pad_if_needed=True, fill=FILL),
            v2.ColorJitter(0.3, 0.3, 0.1),
            v2.RandomApply([v2.GaussianBlur(5, (0.4, 1.2))], 0.2),
        ],
    }
    kinds = {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64, "others": None}
    ending = [v2.ToDtype(kinds, scale=True), v2.Normalize(MEAN, DEVIATION)]
    return v2.Compose([*steps[name], *ending])


class PlainFiles(Dataset):
    """Pairs of image and mask, decoded and augmented when asked for."""

    def __init__(self, pairs: Sequence[tuple[Path, Path]], name: str, crop: int) -> None:
        self.pairs, self.transforms = pairs, transforms(name, crop)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = self.pairs[index]
        pixels = tv_tensors.Image(Image.open(image).convert("RGB"))
        moved, labels = self.transforms(pixels, tv_tensors.Mask(Image.open(mask)))
        return moved, labels[0]


def plain_batches(
    pairs: Sequence[tuple[Path, Path]], name: str, *, crop: int, batch_size: int, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end."""
    loader = DataLoader(
        PlainFiles(pairs, name, crop),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader
