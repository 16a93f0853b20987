"""A Gaussian mixture on one image, its probabilities from a network that fits that image.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024): deepG with one mixture for the whole image, deepSVG with weights that vary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.methods.deepg import OneImageOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.solvers.mixture_learner import MixtureLearner, new_network, settled
from segmint.solvers.mixture_settings import MixtureSettings

Window = tuple[slice, slice]
Observe = Callable[[int, Tensor], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class MixtureNetworkFit:
    """What learning on one image ended with."""

    probabilities: Tensor
    """(K, H, W) float32, 0 outside the region."""
    network: UNet
    history: tuple[dict[str, float], ...]
    """A row an epoch, from before its step: iteration, objective, nll, further weighted terms."""
    epochs: int
    nll: float
    """Negative log-likelihood of the probabilities in nats a pixel."""


def fit_mixture_network(
    batch: Batch,
    settings: MixtureSettings[OneImageOptions],
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    start: UNet | None = None,
    targets: Tensor | None = None,
    target_epochs: int = 5,
    observe: Observe | None = None,
) -> MixtureNetworkFit:
    """Learn a network and a mixture on one image.

    Args:
        batch: one image (1, C, H, W), its region and prior means if there are any; learning runs
            on the device that holds it.
        settings: how to learn.
        seed: of the initial weights.
        dtype: arithmetic of the network; statistics and objective stay in float32.
        start: a network to go on from, left as it is; with it nothing is taught first.
        targets: (1, K, H, W) probabilities that a new network is taught first.
        target_epochs: of that teaching; after many the network knows the noise in them, too.
        observe: called with the epoch and labels (H, W) int16, 0 outside the window looked at.

    Raises:
        InputError: when no pixel counts, or the objective is no number.
    """
    if batch.region is not None and not bool(batch.region.any()):
        raise InputError("the region holds no pixel: give one that holds some of the image")
    window = _window(batch, settings.options)
    inside = _cut(batch, window)
    channels = batch.image.shape[1]
    network = new_network(channels, settings, seed) if start is None else copy.deepcopy(start)
    learner = MixtureLearner(network.to(batch.image.device), settings, dtype=dtype)
    if targets is not None and start is None:
        for _ in range(target_epochs):
            learner.teach(inside, targets[(..., *window)])

    def watch(epoch: int) -> None:
        if observe is not None:
            observe(epoch, _placed(learner.objective.labels[0], window, batch))

    logits, history = _descend(learner, inside, settings, watch)
    probabilities = _placed(logits.float().softmax(dim=1)[0], window, batch)
    if batch.region is not None:
        probabilities *= batch.region
    return MixtureNetworkFit(
        probabilities=probabilities,
        network=network,
        history=tuple(history),
        epochs=len(history),
        nll=history[-1]["nll"],
    )


def _descend(
    learner: MixtureLearner,
    batch: Batch,
    settings: MixtureSettings[OneImageOptions],
    watch: Callable[[int], None],
) -> tuple[Tensor, list[dict[str, float]]]:
    """Logits of the final weights, which the last row describes, and a row an epoch."""
    history: list[dict[str, float]] = []
    while True:
        logits, total, row = learner.measure(batch)
        history.append({"iteration": len(history) + 1, **row})
        watch(len(history))
        if settled(history, settings):
            return logits, history
        learner.step(total)


def _window(batch: Batch, options: OneImageOptions) -> Window:
    """Rows and columns that are looked at: all, or those of the region and a margin."""
    height, width = batch.image.shape[-2:]
    if batch.region is None or options.full_frame:
        return slice(0, height), slice(0, width)
    inside, step = batch.region[0], 2**options.levels
    return _span(inside.any(dim=1), step), _span(inside.any(dim=0), step)


def _span(inside: Tensor, step: int) -> slice:
    """From a step before the first marked place to one after the last, in whole steps."""
    places = inside.nonzero()
    first, length = int(places.min()), int(places.max() - places.min()) + 1
    size = min(length + -length % step + 2 * step, len(inside))
    first = min(max(first - (size - length) // 2, 0), len(inside) - size)
    return slice(first, first + size)


def _cut(batch: Batch, window: Window) -> Batch:
    image = batch.image[(..., *window)].contiguous(memory_format=torch.channels_last)
    region = None if batch.region is None else batch.region[(..., *window)]
    return replace(batch, image=image, region=region, mask=None)


def _placed(values: Tensor, window: Window, batch: Batch) -> Tensor:
    """Values (..., h, w) of the window where they belong in the image, 0 elsewhere."""
    whole = values.new_zeros(*values.shape[:-2], *batch.image.shape[-2:])
    whole[(..., *window)] = values
    return whole
