"""Feature clustering on a scene: learned on a mosaic of tiles, applied everywhere alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segmint.devices import choose_device, choose_dtype
from segmint.images.normalization import ChannelMap, channel_map
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.clustering import ClusteringOptions, FeatureClusteringOptions
from segmint.methods.method import Task
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.deployed import deployed
from segmint.networks.normalization import Normalization
from segmint.networks.reach import Reach
from segmint.networks.storage import save_network
from segmint.objectives.batch import Batch
from segmint.solvers.clustering import (
    agreement,
    check_channels,
    fit_starts,
    in_color_space,
    merged,
)
from segmint.solvers.frozen_statistics import folded, freeze_statistics, scale_and_shift
from segmint.solvers.network_answer import NetworkAnswer, Prepare
from segmint.solvers.reduction import to_input
from segmint.solvers.scene_sample import SceneSample, mosaic

if TYPE_CHECKING:
    from segmint.images.unit_range import UnitRange
    from segmint.inference.memory_limit import MemoryLimit

TILES = 16
TIMES_WORKING_PIXELS = 6
"""The mosaic holds more than one image is learned at, for it stands for a whole scene."""
_MAPS = 4
"""Feature maps that the memory holds at a time when the network answers."""


def cluster_scene(scene: Scene, options: ClusteringOptions, task: Task) -> SceneOutcome:
    """What segments a scene, or a stack, by the network that fits a sample of it.

    Superpixels, at whose borders components end in smaller images, are left out: they depend on
    all of an image.
    """
    check_channels(scene.channels, options)
    pixels = ScenePixels(scene=scene, region=task.scene_region)
    unit = examined(pixels)
    sample = mosaic(pixels, most=_most_pixels(options), tiles=TILES, seed=task.seed)
    prepare = prepare_of(sample, unit, options)
    device = choose_device(task.device)
    batch = _batch(sample, prepare, device)
    fits = fit_starts(batch, 0, options, task)
    best = min(fits, key=lambda fit: fit.objective)
    network = best.network
    freeze_statistics(network, batch.image)
    if task.save_model is not None:
        save_network(Path(task.save_model), network)
    answer = answer_of(
        network,
        _components(network, batch, options),
        prepare,
        region=task.scene_region,
        dtype=choose_dtype(task.precision, device),
        limit=task.limit,
    )
    return SceneOutcome(
        answer=answer,
        likeliest=False,
        history=best.history,
        notes=(f"learned on {sample.said}", *agreement(fits, batch), *_left_out(options)),
    )


def prepare_of(
    sample: SceneSample | None, unit: UnitRange, options: FeatureClusteringOptions
) -> Prepare:
    """What the network sees of pixels: color space and normalization, 0 where they do not count.

    Args:
        sample: what the normalization is measured on; None for one that measures nothing.
        unit: how values come to lie in 0..1.
        options: of the color space and the normalization.
    """
    prepare = _Prepared(unit=unit, options=options)
    if sample is None:
        return prepare
    inside = prepare.colors(sample.inside()[np.newaxis])[0]
    return replace(prepare, mapping=channel_map(inside, options.normalization))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    unit: UnitRange
    options: FeatureClusteringOptions
    mapping: ChannelMap | None = None
    """The normalization."""

    def colors(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        return in_color_space(self.unit(pixels), self.options)

    def __call__(
        self, pixels: NDArray[Any], counts: NDArray[np.bool_] | None
    ) -> NDArray[np.float32]:
        colors = self.colors(pixels)
        prepared = colors if self.mapping is None else self.mapping(colors)
        return prepared if counts is None else np.where(counts[..., np.newaxis], prepared, 0)


def answer_of(
    network: ClusteringNetwork,
    components: NDArray[np.int32],
    prepare: Prepare,
    *,
    region: Scene | None,
    dtype: torch.dtype,
    limit: MemoryLimit | None,
    tile: int | None = None,
) -> NetworkAnswer:
    """Answers of a network whose statistics are frozen.

    Args:
        network: on the device where it shall compute.
        components: (q,) id of each channel of its response, -1 for channels that cannot win.
        prepare: what it sees of pixels.
        region: of the scene.
        dtype: of its arithmetic.
        limit: of the memory.
        tile: height and width of tiles at most; None is what fits.

    Raises:
        UsageError: when not even the smallest tile fits into the limit.
    """
    channels = np.flatnonzero(components >= 0)
    return NetworkAnswer(
        deployed(_Answering(network, channels), dtype),
        components[channels],
        prepare,
        region=region,
        reach=Reach(step=1, least=1, halo=len(network.convolutions)),
        device=network.classifier.weight.device,
        bytes_per_pixel=_MAPS * network.classifier.in_channels * dtype.itemsize,
        limit=limit,
        tile=tile,
    )


def _most_pixels(options: ClusteringOptions) -> int:
    default = ClusteringOptions().working_pixels
    return TIMES_WORKING_PIXELS * (options.working_pixels or default)


def _left_out(options: ClusteringOptions) -> tuple[str, ...]:
    """What the options ask for that a scene does not allow."""
    notes = []
    if options.superpixel_scale:
        notes.append(
            "components do not end at the borders of superpixels, which depend on all of an image"
        )
    if not options.working_pixels:
        notes.append("learning at full size takes all of an image: a sample was taken instead")
    return tuple(notes)


def _batch(sample: SceneSample, prepare: Prepare, device: torch.device) -> Batch:
    counts = sample.counts
    return Batch(
        image=to_input(prepare(sample.pixels, counts), device),
        region=None if counts is None else torch.from_numpy(counts)[None].to(device),
    )


def _components(
    network: ClusteringNetwork, batch: Batch, options: ClusteringOptions
) -> NDArray[np.int32]:
    """(q,) component of each channel of the response that wins anywhere in the sample, else -1.

    What else the others might have won goes to the best of these.
    """
    with torch.no_grad():
        response = network(batch.image)[0]
    labels = response.argmax(dim=0).to(torch.int32).cpu().numpy()
    if batch.region is not None:
        labels[~batch.region[0].cpu().numpy()] = -1
    return merged(labels, response, options)[1]


class _Answering(nn.Module):
    """A frozen network with some channels of its response alone.

    All that follows the last ReLU is affine in each pixel, so it becomes one 1x1 convolution.
    """

    def __init__(self, network: ClusteringNetwork, channels: NDArray[np.int64]) -> None:
        super().__init__()
        self.configuration = network.configuration
        between = list(network.normalizations)[:-1]
        layers: list[nn.Module] = []
        for index, convolution in enumerate(network.convolutions):
            if index:
                layers.append(between[index - 1])
            layers += [convolution, nn.ReLU(inplace=True)]
        self.layers = folded(nn.Sequential(*layers, _last_layer(network, channels)))

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, channels, H, W) of images (N, C, H, W)."""
        logits: Tensor = self.layers(image)
        return logits


def _last_layer(network: ClusteringNetwork, channels: NDArray[np.int64]) -> nn.Conv2d:
    """Normalization, classifier and normalization in one."""
    kept = torch.from_numpy(channels).to(network.classifier.weight.device)
    scale, shift = scale_and_shift(cast(Normalization, network.normalizations[-1]))
    weight = network.classifier.weight.double().flatten(1)[kept]
    bias = cast(Tensor, network.classifier.bias).double()[kept] + weight @ shift
    final_scale, final_shift = (
        each[kept] for each in scale_and_shift(network.classifier_normalization)
    )
    layer = nn.Conv2d(weight.shape[1], len(kept), kernel_size=1)
    layer.weight = nn.Parameter((weight * scale * final_scale[:, None]).float()[..., None, None])
    layer.bias = nn.Parameter((bias * final_scale + final_shift).float())
    return layer
