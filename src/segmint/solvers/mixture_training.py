"""Gaussian mixtures on many images: one network, the same components in all of them.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024), section on multiple images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError
from segmint.methods.deepg import ManyImagesOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.solvers.augmentation import Augmentation
from segmint.solvers.descent import arithmetic
from segmint.solvers.mixture_learner import MixtureLearner, new_network, settled
from segmint.solvers.mixture_settings import MixtureSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureTraining:
    """What learning on many images ended with."""

    network: UNet
    history: tuple[dict[str, float], ...]
    """A row an epoch, means over its images: iteration, objective, nll, further weighted terms."""


def train_mixture_network(
    images: Sequence[Batch],
    settings: MixtureSettings[ManyImagesOptions],
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    report: Callable[[int, float], None] | None = None,
) -> MixtureTraining:
    """Learn one network on many images.

    Args:
        images: one (1, C, H, W) each with its region, all with the same C and prior means; sizes
            may differ. Images of one size are batched together.
        settings: how to learn.
        seed: of the weights, the order of images and their deformations.
        device: where to compute.
        precision: of the network's arithmetic.
        report: called after each epoch with its number and mean objective.

    Raises:
        InputError: when there is no image with a pixel that counts, or the objective is no number.
    """
    place = choose_device(device)
    counted = [image for image in images if image.region is None or bool(image.region.any())]
    if not counted:
        raise InputError("no image has a pixel to learn from: give images whose regions hold some")
    options = settings.options
    network = new_network(counted[0].image.shape[1], settings, seed).to(place)
    learner = MixtureLearner(network, settings, dtype=choose_dtype(precision, place))
    generator = torch.Generator().manual_seed(seed)
    history: list[dict[str, float]] = []
    while not settled(history, settings):
        left = 1 - len(history) / options.max_epochs
        learner.use_learning_rate(options.learning_rate * left**options.decay_power)
        row = _epoch(learner, counted, options, generator, place)
        history.append({"iteration": len(history) + 1, **row})
        if report is not None:
            report(len(history), row["objective"])
    return MixtureTraining(network=network, history=tuple(history))


@torch.no_grad()
def segment_with_network(
    network: UNet, image: Tensor, region: Tensor | None, dtype: torch.dtype
) -> Tensor:
    """Probabilities (K, H, W) float32 of one image (1, C, H, W), 0 outside its region (1, H, W)."""
    with arithmetic(dtype, image.device):
        logits = network(image)
    probabilities: Tensor = logits.float().softmax(dim=1)[0]
    return probabilities if region is None else probabilities * region


def _epoch(
    learner: MixtureLearner,
    images: Sequence[Batch],
    options: ManyImagesOptions,
    generator: torch.Generator,
    place: torch.device,
) -> dict[str, float]:
    """Every image once; the mean row, weighted by images."""
    sums: dict[str, float] = {}
    for chosen in _batches(images, options.batch_size, generator):
        batch = _stacked(chosen, place)
        if options.augmentation == "full":
            batch = _augmented(batch, generator)
        _, total, row = learner.measure(batch)
        learner.step(total)
        for name, value in row.items():
            sums[name] = sums.get(name, 0.0) + value * len(chosen) / len(images)
    return sums


def _batches(
    images: Sequence[Batch], size: int, generator: torch.Generator
) -> Iterator[list[Batch]]:
    """Every image once, in random order, in batches of images of one size."""
    groups: dict[torch.Size, list[Batch]] = {}
    for index in torch.randperm(len(images), generator=generator).tolist():
        groups.setdefault(images[index].image.shape, []).append(images[index])
    batches = [
        group[start : start + size]
        for group in groups.values()
        for start in range(0, len(group), size)
    ]
    for position in torch.randperm(len(batches), generator=generator).tolist():
        yield batches[position]


def _stacked(images: Sequence[Batch], place: torch.device) -> Batch:
    means = images[0].prior_means
    return Batch(
        image=torch.cat([image.image for image in images]).to(place),
        region=torch.cat([_region(image) for image in images]).to(place),
        prior_means=None if means is None else means.to(place),
    )


def _region(image: Batch) -> Tensor:
    if image.region is not None:
        return image.region
    return torch.ones_like(image.image[:, 0], dtype=torch.bool)


def _augmented(batch: Batch, generator: torch.Generator) -> Batch:
    assert batch.region is not None
    image, region = Augmentation()(batch.image, batch.region, generator)
    return Batch(image=image, region=region, prior_means=batch.prior_means)
