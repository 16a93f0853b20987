"""Gaussian mixtures on many images: one network, the same components in all of them.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024), section on multiple images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from segmint.devices import choose_device
from segmint.errors import InputError
from segmint.methods.deepg import ManyImagesOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.solvers.augmentation import Augmentation
from segmint.solvers.descent import arithmetic
from segmint.solvers.image_batches import ImageBatches, with_region
from segmint.solvers.mixture_learner import new_network
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.mixture_task import MixtureTask
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training import Fitted, fit
from segmint.solvers.training_options import LoopOptions, TrainingOptions

if TYPE_CHECKING:
    from segmint.solvers.watcher import Watcher


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureTraining:
    """What learning on many images ended with."""

    network: UNet
    fitted: Fitted
    """Its rows have the part ``nll``, then further weighted terms."""


def train_mixture_network(
    images: Sequence[Batch],
    settings: MixtureSettings[ManyImagesOptions],
    loop: LoopOptions,
    *,
    folder: Path,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    watch: Watcher | None = None,
) -> MixtureTraining:
    """Learn one network on many images.

    Args:
        images: one (1, C, H, W) each with its region, all with the same C and prior means; sizes
            may differ. Images of one size are batched together.
        settings: how to learn.
        loop: of the training.
        folder: of the run.
        seed: of the weights, the order of images and their deformations.
        device: where to compute.
        precision: of the network's arithmetic.
        resume: go on from the last checkpoint, where there is one.
        watch: told of each step and epoch.

    Raises:
        InputError: when there is no image with a pixel that counts, learning leads to no numbers,
            or a checkpoint cannot be gone on from.
    """
    counted = [with_region(image) for image in images]
    counted = [image for image in counted if image.region is not None and bool(image.region.any())]
    if not counted:
        raise InputError("no image has a pixel to learn from: give images whose regions hold some")
    options = settings.options
    network = new_network(counted[0].image.shape[1], settings, seed)
    source = ImageBatches(
        counted,
        batch_size=options.batch_size,
        seed=seed,
        place=choose_device(device),
        change=_augmented if options.augmentation == "full" else None,
    )
    fitted = fit(
        MixtureTask(network, settings),
        source,
        optimizer=_optimizer(options),
        training=TrainingOptions(epochs=options.max_epochs, **loop.resolved()),
        folder=folder,
        seed=seed,
        device=device,
        precision=precision,
        resume=resume,
        watch=watch,
    )
    return MixtureTraining(network=network, fitted=fitted)


@torch.no_grad()
def segment_with_network(
    network: UNet, image: Tensor, region: Tensor | None, dtype: torch.dtype
) -> Tensor:
    """Probabilities (K, H, W) float32 of one image (1, C, H, W), 0 outside its region (1, H, W)."""
    with arithmetic(dtype, image.device):
        logits = network(image)
    probabilities: Tensor = logits.float().softmax(dim=1)[0]
    return probabilities if region is None else probabilities * region


def _optimizer(options: ManyImagesOptions) -> OptimizerOptions:
    return OptimizerOptions(
        optimizer="adamw",
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        gradient_clip=options.gradient_clip,
        schedule="poly",
        decay_power=options.decay_power,
        decay_every="epoch",
    )


def _augmented(batch: Batch, generator: torch.Generator) -> Batch:
    assert batch.region is not None
    image, region = Augmentation()(batch.image, batch.region, generator)
    return replace(batch, image=image, region=region)
