"""deepG and deepSVG on many images: one network, learned once and applied to any image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.devices import choose_device, choose_dtype
from segmint.errors import UsageError
from segmint.images import Image
from segmint.methods.deepg import ManyImagesOptions
from segmint.methods.method import Outcome, Task
from segmint.methods.mixture_options import DEFAULT_COMPONENTS
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.objectives.mixture import mixture_loss, varying_mixture_loss
from segmint.solvers.deep_mixture import Floats, batch_of, mixture_of, probable_outcome
from segmint.solvers.mixture_data import (
    AS_IN_MU_DATA,
    BY_FIRST_CHANNEL,
    MixtureData,
    mixture_data,
)
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.mixture_training import segment_with_network


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """A network, and what its channels stand for."""

    network: UNet
    order: NDArray[np.int64]
    """The channel that becomes each component."""
    described: str
    """What the components are ordered by."""
    names: tuple[str, ...]
    """Of the components, where they are known classes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ManyImages:
    """Images to learn one network from, and how."""

    settings: MixtureSettings[ManyImagesOptions]
    data: Sequence[MixtureData]
    """Of each image, all with the same known means."""
    names: Sequence[str]
    """Of the images."""

    @classmethod
    def of(cls, images: Sequence[Image], options: ManyImagesOptions, *, varying: bool) -> Self:
        """Images as a recipe takes them.

        Args:
            images: all with the same channels; the regions of prepared files bound what is seen.
            options: of the recipe.
            varying: let the weights vary over the image (deepSVG).

        Raises:
            UsageError: for a number of components that needs one image, or a weight without means.
        """
        data = _described(images, options)
        return cls(
            settings=_settings(options, varying=varying, data=data[0]),
            data=data,
            names=[str(image.source) for image in images],
        )

    def batches(self) -> list[Batch]:
        """One for each image and slice."""
        return [
            replace(batch, names=(name,))
            for name, data in zip(self.names, self.data, strict=True)
            for batch in _batches(data, torch.device("cpu"))
        ]

    def learned(self, network: UNet, *, device: str, precision: str) -> Learned:
        """A network that has learned from them, with what its channels stand for."""
        known, place = self.data[0].known, choose_device(device)
        if self.settings.lam > 0:
            order = np.arange(self.settings.classes)
        else:
            order = _order(network.to(place), self.data, choose_dtype(precision, place))
        return Learned(
            network=network,
            order=order,
            described=BY_FIRST_CHANNEL if known is None else AS_IN_MU_DATA,
            names=() if known is None else known.names,
        )


def predicted(
    learned: Learned,
    image: Image,
    region: NDArray[np.bool_] | None,
    options: ManyImagesOptions,
    *,
    varying: bool,
    dtype: torch.dtype,
) -> Outcome:
    """What a learned network says of an image, with the likelihood of that.

    Args:
        learned: the network, on the device where it shall compute.
        image: with the channels it learned on.
        region: (H, W) or (D, H, W), where to look.
        options: of the recipe that it was learned by; only the normalization counts.
        varying: as in learning.
        dtype: arithmetic of the network.
    """
    data = mixture_data(image.pixels, replace(options, mu_data=None), _task(image, region))
    pixels = data.normalized()
    planes = [
        segment_with_network(learned.network, batch.image, batch.region, dtype).cpu()
        for batch in _batches(data, next(learned.network.parameters()).device)
    ]
    found = torch.stack(planes, dim=1)[torch.from_numpy(learned.order)]
    probabilities: Floats = (found if image.is_stack else found[:, 0]).numpy()
    nll = _likelihood(pixels, probabilities, data.whole_region(), varying=varying)
    outcome = probable_outcome(
        data, pixels, probabilities, history=({"iteration": 0, "nll": nll},), notes=()
    )
    names = dict(enumerate(learned.names))
    assert outcome.mixture is not None
    return replace(
        outcome,
        order=learned.described,
        names=names,
        mixture=replace(outcome.mixture, names=names),
    )


def _task(image: Image, region: NDArray[np.bool_] | None = None) -> Task:
    return Task(image=image, region=image.region if region is None else region)


def _described(images: Sequence[Image], options: ManyImagesOptions) -> list[MixtureData]:
    """Every image, with the known means of the first, so that their file is read once."""
    first = mixture_data(images[0].pixels, options, _task(images[0]))
    further = replace(options, mu_data=None)
    return [first] + [
        replace(mixture_data(image.pixels, further, _task(image)), known=first.known)
        for image in images[1:]
    ]


def _settings(
    options: ManyImagesOptions, *, varying: bool, data: MixtureData
) -> MixtureSettings[ManyImagesOptions]:
    if options.components == "auto":
        raise UsageError(
            "--components auto looks at one image: give the number, or known means by --mu-data"
        )
    known = data.known
    classes = int(options.components or DEFAULT_COMPONENTS) if known is None else len(known.names)
    lam = options.lam
    if lam is None:
        lam = 0.0 if known is None else 1.0
    if lam > 0 and known is None:
        raise UsageError(
            f"--lam is {lam:g}, but there are no means to draw to: give --mu-data, which "
            "'segmint data prepare' writes, or --lam 0"
        )
    return MixtureSettings(options=options, classes=classes, varying=varying, lam=lam)


def _batches(data: MixtureData, place: torch.device) -> Iterator[Batch]:
    """One for each slice."""
    pixels, region = data.normalized(), data.whole_region()
    if pixels.ndim == 3:
        pixels, region = pixels[np.newaxis], region[np.newaxis]
    for plane, where in zip(pixels, region, strict=True):
        yield batch_of(data, plane, where, place)


def _order(
    network: UNet, described: Sequence[MixtureData], dtype: torch.dtype
) -> NDArray[np.int64]:
    """The channel that becomes each component, by its means over all images."""
    device = next(network.parameters()).device
    values, probabilities = [], []
    for data in described:
        for batch in _batches(data, device):
            assert batch.region is not None
            found = segment_with_network(network, batch.image, batch.region, dtype)
            where = batch.region[0]
            values.append(_rows(batch.image[0], where))
            probabilities.append(_rows(found, where))
    mixture = mixture_of(np.concatenate(values), np.concatenate(probabilities))
    return described[0].matched(mixture)


def _rows(channels: Tensor, where: Tensor) -> Floats:
    """(N, C) of (C, H, W) where marked."""
    rows: Floats = channels[:, where].T.cpu().numpy()
    return rows


def _likelihood(
    pixels: Floats, probabilities: Floats, region: NDArray[np.bool_], *, varying: bool
) -> float:
    """Negative log-likelihood in nats a pixel, of all pixels of an image or volume together."""
    values = torch.from_numpy(np.ascontiguousarray(pixels[region].T))[None, :, None]
    shares = torch.from_numpy(np.ascontiguousarray(probabilities[:, region]))[None, :, None]
    logits = shares.clamp(min=torch.finfo(torch.float32).tiny).log()
    loss = varying_mixture_loss if varying else mixture_loss
    return float(loss(logits, values))
