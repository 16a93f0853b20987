"""deepG and deepSVG on a scene: a U-Net fitted to a mosaic of tiles, applied everywhere alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from segmint.devices import choose_device, choose_dtype
from segmint.errors import UsageError
from segmint.images.image import Image
from segmint.images.normalization import ChannelMap
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.deepg import OneImageOptions
from segmint.methods.method import Task
from segmint.networks.deployed import deployed
from segmint.networks.reach import Reach
from segmint.networks.storage import save_network
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.solvers.deep_mixture import NETWORK_NAME, Floats, SliceFits, batch_of, mixture_of
from segmint.solvers.expectation_maximization import chosen_components
from segmint.solvers.frozen_statistics import folded, freeze_statistics
from segmint.solvers.mixture_data import MixtureData, mixture_data
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.network_answer import NetworkAnswer, Prepare
from segmint.solvers.scene_sample import SceneSample, mosaic

MOSAIC_PIXELS = 1 << 18
"""About a second an epoch on two cores."""
TILES = 9
_MAPS = 6
"""Feature maps of full size that the memory holds at a time when the network answers."""


def deep_mixture_of_scene(
    scene: Scene, options: OneImageOptions, task: Task, *, varying: bool
) -> SceneOutcome:
    """What segments a scene, or all slices of a stack, by a U-Net fitted to a sample of it.

    Args:
        scene: as stored.
        options: of the method.
        task: with the region of the scene.
        varying: let the weights vary over the image (deepSVG).

    Raises:
        UsageError: for an axis other than the slices of a stack.
    """
    if scene.depth is not None and options.axis != "slices":
        raise UsageError(
            f"--axis is {options.axis}, but a stack that is read window by window is cut into its "
            "slices alone: leave --axis out"
        )
    pixels = ScenePixels(scene=scene, region=task.scene_region)
    if scene.dtype.kind == "f":
        examined(pixels)
    sample = mosaic(pixels, most=MOSAIC_PIXELS, tiles=TILES, seed=task.seed)
    data = _data(sample, scene, options, task)
    prepare = prepare_of(data)
    seen, region = data.normalized(), data.whole_region()
    components, notes = chosen_components(seen[region], data, task)
    settings = MixtureSettings(
        options=options, classes=components, varying=varying, lam=options.lam
    )
    fits = SliceFits(data, settings, replace(task, observe=None))
    fits.add(seen, region)
    network = fits.network
    assert network is not None  # a slice was fitted
    if task.save_model is not None:
        save_network(Path(task.save_model), network, name=NETWORK_NAME)
    device = choose_device(task.device)
    batch = batch_of(data, seen, region, device)
    freeze_statistics(network, batch.image)
    probabilities = _probabilities(network, batch.image)[:, region]
    order = fits.order(seen[region], probabilities.T)
    answer = answer_of(
        network,
        np.argsort(order),
        prepare,
        region=task.scene_region,
        dtype=choose_dtype(task.precision, device),
        limit=task.limit,
    )
    return SceneOutcome(
        answer=answer,
        order=data.order,
        names=data.names(),
        mixture=data.table(mixture_of(seen[region], probabilities[order].T)),
        history=fits.history([0]),
        notes=(f"learned on {sample.said}", *notes, *fits.notes()),
    )


def prepare_of(data: MixtureData) -> Prepare:
    """Normalized pixels, 0 where they do not count, as :meth:`MixtureData.normalized` has them."""
    return _Normalized(data.map_of(data.inside()))


@dataclass(frozen=True, eq=False)
class _Normalized:
    mapping: ChannelMap

    def __call__(self, pixels: NDArray[Any], counts: NDArray[np.bool_] | None) -> Floats:
        if counts is None:
            return self.mapping(pixels)
        inside = counts[..., np.newaxis]
        return np.where(inside, self.mapping(np.where(inside, pixels, 0)), np.float32(0))


def answer_of(
    network: UNet,
    components: NDArray[np.integer[Any]],
    prepare: Prepare,
    *,
    region: Scene | None,
    dtype: torch.dtype,
    limit: MemoryLimit | None,
    tile: int | None = None,
) -> NetworkAnswer:
    """Answers of a network whose statistics are frozen; it is changed in place.

    Args:
        network: on the device where it shall compute.
        components: (K,) id of each channel of its logits.
        prepare: what it sees of pixels.
        region: of the scene.
        dtype: of its arithmetic.
        limit: of the memory.
        tile: height and width of tiles at most; None is what fits.

    Raises:
        UsageError: when not even the smallest tile fits into the limit.
    """
    size = network.configuration
    return NetworkAnswer(
        deployed(folded(network), dtype),
        components,
        prepare,
        region=region,
        reach=reach_of(size["levels"]),
        device=next(network.parameters()).device,
        bytes_per_pixel=_MAPS * size["features"] * dtype.itemsize,
        limit=limit,
        tile=tile,
    )


def _data(sample: SceneSample, scene: Scene, options: OneImageOptions, task: Task) -> MixtureData:
    """The mosaic as mixtures see an image."""
    image = Image(pixels=sample.pixels, channel_names=scene.channel_names)
    return mixture_data(sample.pixels, options, replace(task, image=image, region=sample.counts))


@torch.no_grad()
def _probabilities(network: UNet, image: torch.Tensor) -> Floats:
    """(K, H, W) of the frozen network."""
    probabilities: Floats = network(image)[0].float().softmax(dim=0).cpu().numpy()
    return probabilities


def reach_of(levels: int) -> Reach:
    """How far a U-Net of so many levels looks, or a little further.

    On the way from an answer down to the coarsest level, halving and the two 3x3 convolutions of
    each block reach at most 4 pixels of a level beyond a cell. On the way back to the image n such
    pixels become ``2 n + 2``, so that 4 of the coarsest become ``6 * 2**levels - 2``.

    Example:
        >>> reach_of(4).step, reach_of(4).halo
        (16, 96)
    """
    step = 2**levels
    return Reach(step=step, least=step, halo=6 * step)
