"""Feature clustering on many images: one network, the same components in all of them.

Kim, Kanezaki and Tanaka (2020), section IV-D, "reference images".
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmint.devices import choose_device, choose_dtype
from segmint.errors import UsageError
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.normalization import Normalization
from segmint.objectives.batch import Batch
from segmint.regions.component_tree import component_tree
from segmint.regions.ordering import order_by_area
from segmint.solvers.checkpoints import FOLDER as CHECKPOINTS
from segmint.solvers.clustering import objective_of, respond
from segmint.solvers.clustering_task import ClusteringTask
from segmint.solvers.descent import arithmetic
from segmint.solvers.image_batches import EachImage, ImageBatches
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.reduction import resized
from segmint.solvers.training import Fitted, fit
from segmint.solvers.training_options import LoopOptions, TrainingOptions

if TYPE_CHECKING:
    from segmint.methods.clustering import FolderClusteringOptions
    from segmint.solvers.watcher import Watcher


@dataclass(frozen=True, kw_only=True)
class FolderFit:
    """A learned network and the stable number of each of its components."""

    network: ClusteringNetwork
    numbers: NDArray[np.int32]
    """(K,) component that each channel belongs to, -1 for channels that won no pixel."""
    fitted: Fitted


def cluster_folder(
    images: Iterable[Batch],
    options: FolderClusteringOptions,
    loop: LoopOptions,
    *,
    folder: Path,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    watch: Watcher | None = None,
) -> FolderFit:
    """Learn one network on many images.

    Args:
        images: one (1, C, H, W) each, prepared, all with the same C; sizes may differ.
            Taken one by one.
        options: of the recipe.
        loop: of the training.
        folder: of the run.
        seed: of weights and of the order of images.
        device: where to compute.
        precision: of the network's arithmetic.
        resume: go on from the last checkpoint, where there is one.
        watch: told of each step and epoch.

    Raises:
        UsageError: when fewer components remain than were asked for.
        InputError: when learning leads to no numbers, or a checkpoint cannot be gone on from.
    """
    place = choose_device(device)
    sized = [_sized(image, options.image_size, place) for image in images]
    task = ClusteringTask(
        _new_network(sized[0].image.shape[1], options, seed),
        objective_of(options),
        wanted=max(options.min_components, options.components or 1),
    )
    fitted = fit(
        task,
        ImageBatches(sized, batch_size=options.batch_size, seed=seed, place=place),
        validation=EachImage(images=sized),
        optimizer=OptimizerOptions(
            optimizer="sgd",
            learning_rate=options.learning_rate,
            momentum=options.momentum,
            schedule="constant",
        ),
        training=TrainingOptions(epochs=options.epochs, **loop.resolved()),
        folder=folder,
        seed=seed,
        device=device,
        precision=precision,
        resume=resume,
        watch=watch,
    )
    network, tensors = task.kept.to(place), [image.image for image in sized]
    dtype = choose_dtype(precision, place)
    if options.statistics == "running":
        freeze_statistics(network, tensors, dtype)
    try:
        numbers = _numbers(network, tensors, options, dtype)
    except UsageError:
        shutil.rmtree(folder / CHECKPOINTS)  # it would end so however often it went on
        raise
    return FolderFit(network=network, numbers=numbers, fitted=fitted)


@torch.no_grad()
def freeze_statistics(
    network: ClusteringNetwork, tensors: Sequence[Tensor], dtype: torch.dtype
) -> None:
    """Measure every normalization over all images, one after the other, and use that from now on.

    A later normalization sees what the frozen earlier ones let through, so the stored statistics
    are exactly those of the data set under the final weights, not a trace of training.
    """
    for module in network.modules():
        if isinstance(module, Normalization):
            _measure(network, module, tensors, dtype)
            module.statistics = "running"


def _measure(
    network: ClusteringNetwork,
    module: Normalization,
    tensors: Sequence[Tensor],
    dtype: torch.dtype,
) -> None:
    sums = torch.zeros(2, len(module.bias), dtype=torch.float64)
    count = 0

    def collect(_: object, inputs: tuple[Tensor, ...]) -> None:
        nonlocal count
        values = inputs[0].float().movedim(1, 0).flatten(1).cpu().double()
        sums[0] += values.sum(dim=1)
        sums[1] += (values**2).sum(dim=1)
        count += values.shape[1]

    hook = module.register_forward_pre_hook(collect)
    for tensor in tensors:
        with arithmetic(dtype, tensor.device):
            network(tensor)
    hook.remove()
    mean = sums[0] / count
    module.running_mean.copy_(mean)
    module.running_variance.copy_(sums[1] / count - mean**2)


def _new_network(channels: int, options: FolderClusteringOptions, seed: int) -> ClusteringNetwork:
    return ClusteringNetwork(
        in_channels=channels,
        classes=options.max_components,
        features=options.features,
        blocks=options.blocks,
        statistics="image" if options.statistics == "image" else "batch",
        seed=seed,
    )


def _sized(image: Batch, side: int, place: torch.device) -> Batch:
    tensor = image.image.to(place)
    return replace(image, image=resized(tensor, (side, side)) if side else tensor)


def _counts(
    network: ClusteringNetwork, tensors: Sequence[Tensor], dtype: torch.dtype
) -> NDArray[np.int64]:
    """Pixels that each channel wins over all images."""
    channels = len(network.classifier_normalization.bias)
    counts = np.zeros(channels, np.int64)
    for tensor in tensors:
        labels = respond(network, tensor, dtype).argmax(dim=0)
        counts += torch.bincount(labels.flatten(), minlength=channels).cpu().numpy()
    return counts


def _numbers(
    network: ClusteringNetwork,
    tensors: Sequence[Tensor],
    options: FolderClusteringOptions,
    dtype: torch.dtype,
) -> NDArray[np.int32]:
    """Components by area over all images, merged to the number that was asked for."""
    alive = np.flatnonzero(_counts(network, tensors, dtype))
    wanted = options.components
    if wanted is not None and wanted > len(alive):
        raise UsageError(
            f"--components is {wanted}, but {len(alive)} remain after training: "
            f"ask for {len(alive)} or fewer, or lower --continuity-weight"
        )
    labels, features = _labels_and_features(network, tensors, alive, dtype)
    assignment = component_tree(labels, features).cut(wanted or len(alive))
    _, former = order_by_area(assignment[labels[labels >= 0]])
    rank = np.empty(len(former), np.int32)
    rank[former] = np.arange(len(former), dtype=np.int32)
    numbers = np.full(len(network.classifier_normalization.bias), -1, np.int32)
    numbers[alive] = rank[assignment]
    return numbers


def _labels_and_features(
    network: ClusteringNetwork,
    tensors: Sequence[Tensor],
    alive: NDArray[np.intp],
    dtype: torch.dtype,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """All label maps below one another, a row of -1 between them, and mean responses."""
    width = max(tensor.shape[-1] for tensor in tensors)
    sums, counts = torch.zeros(len(alive), len(alive)), torch.zeros(len(alive))
    maps = []
    for tensor in tensors:
        response = respond(network, tensor, dtype)[alive]
        labels = response.argmax(dim=0)
        flat = labels.flatten().cpu()
        sums.index_add_(0, flat, response.flatten(1).T.cpu())
        counts += torch.bincount(flat, minlength=len(alive))
        padded = functional.pad(labels, (0, width - labels.shape[1], 0, 1), value=-1)
        maps.append(padded.to(torch.int32).cpu().numpy())
    means: NDArray[np.float64] = (sums / counts.clamp(min=1)[:, None]).double().numpy()
    return np.concatenate(maps), means
