"""Feature clustering on many images: one network, the same components in all of them.

Kim, Kanezaki and Tanaka (2020), section IV-D, "reference images".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
from segmint.solvers.clustering import objective_of, respond
from segmint.solvers.descent import Step, arithmetic, descend
from segmint.solvers.reduction import resized, to_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from segmint.methods.clustering import FolderClusteringOptions


@dataclass(frozen=True, kw_only=True)
class FolderFit:
    """A learned network and the stable number of each of its components."""

    network: ClusteringNetwork
    numbers: NDArray[np.int32]
    """(K,) component that each channel belongs to, -1 for channels that won no pixel."""
    history: tuple[dict[str, float], ...]


def cluster_folder(
    images: Iterable[NDArray[np.float32]],
    options: FolderClusteringOptions,
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    report: Callable[[int, float], None] | None = None,
) -> FolderFit:
    """Learn one network on many images.

    Args:
        images: prepared (H, W, C) each, all with the same C; sizes may differ. Taken one by one.
        options: of the recipe.
        seed: of weights and of the order of images.
        device: where to compute.
        precision: of the network's arithmetic.
        report: called after each step with its number and objective.
    """
    place = choose_device(device)
    dtype = choose_dtype(precision, place)
    tensors = [_sized(to_input(image, place), options.image_size) for image in images]
    network = ClusteringNetwork(
        in_channels=tensors[0].shape[1],
        classes=options.max_components,
        features=options.features,
        blocks=options.blocks,
        statistics="image" if options.statistics == "image" else "batch",
        seed=seed,
    ).to(place)
    per_epoch = sum(1 for _ in _epoch(tensors, options.batch_size, np.random.default_rng(seed)))
    wanted = max(options.min_components, options.components or 1)
    history: list[dict[str, float]] = []
    kept: dict[str, Tensor] = {}

    def after(step: Step) -> bool:
        history.append({"iteration": step.number, "objective": step.objective, **step.parts})
        if report is not None:
            report(step.number, step.objective)
        if step.number > 1 and step.number % per_epoch:
            return False
        present = int(np.count_nonzero(_counts(network, tensors, dtype)))
        history[-1]["components"] = present
        if kept and present < wanted:
            return True
        kept.update({k: v.detach().clone() for k, v in network.state_dict().items()})
        return present == wanted

    descend(
        network,
        objective_of(options),
        _batches(tensors, options.batch_size, seed),
        iterations=options.epochs * per_epoch,
        learning_rate=options.learning_rate,
        momentum=options.momentum,
        dtype=dtype,
        after=after,
    )
    network.load_state_dict(kept)
    if options.statistics == "running":
        freeze_statistics(network, tensors, dtype)
    return FolderFit(
        network=network,
        numbers=_numbers(network, tensors, options, dtype),
        history=tuple(history),
    )


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


def _sized(tensor: Tensor, side: int) -> Tensor:
    return tensor if side == 0 else resized(tensor, (side, side))


def _batches(tensors: Sequence[Tensor], size: int, seed: int) -> Iterator[Batch]:
    generator = np.random.default_rng(seed)
    while True:
        for indices in _epoch(tensors, size, generator):
            stacked = torch.cat([tensors[index] for index in indices])
            yield Batch(image=stacked.contiguous(memory_format=torch.channels_last))


def _epoch(
    tensors: Sequence[Tensor], size: int, generator: np.random.Generator
) -> Iterator[list[int]]:
    """Every image once, in batches of images of one size, in random order."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index in generator.permutation(len(tensors)).tolist():
        groups.setdefault(tuple(tensors[index].shape), []).append(index)
    batches = [
        group[start : start + size]
        for group in groups.values()
        for start in range(0, len(group), size)
    ]
    for position in generator.permutation(len(batches)).tolist():
        yield batches[position]


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
