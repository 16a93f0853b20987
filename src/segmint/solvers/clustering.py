"""Feature clustering on one image: reduce, learn, enlarge, merge."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError, UsageError
from segmint.images.normalization import normalize
from segmint.methods.method import Outcome, Task
from segmint.metrics import adjusted_rand_index
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.factored import FactoredResponse
from segmint.networks.storage import save_network
from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective
from segmint.regions.component_tree import component_tree
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.superpixels import small_superpixels
from segmint.solvers.descent import Step, arithmetic, descend
from segmint.solvers.enlargement import (
    Enlarged,
    FullResponse,
    Snapped,
    labels_of,
    probabilities_of,
)
from segmint.solvers.reduction import working_batch

if TYPE_CHECKING:
    from segmint.methods.clustering import ClusteringOptions, FeatureClusteringOptions


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What one start ended with."""

    response: Tensor
    """(K, h, w) float32 at the working size."""
    network: ClusteringNetwork
    objective: float
    history: tuple[dict[str, float], ...]


def cluster_image(image: NDArray[np.float32], options: ClusteringOptions, task: Task) -> Outcome:
    """Segment one image (H, W, C) by the network that fits it."""
    check_channels(image.shape[-1], options)
    prepared = prepare(image, options, task.region)
    device = choose_device(task.device)
    batch, ids = working_batch(prepared, task, options.working_pixels, device)
    if len(ids) and options.components not in (None, len(ids)):
        raise UsageError(
            f"--components is {options.components}, but the scribbles hold {len(ids)} ids and each "
            "becomes one component: leave --components out or scribble as many areas"
        )
    fits = fit_starts(batch, len(ids), options, task)
    best = min(fits, key=lambda fit: fit.objective)
    if task.save_model is not None:
        save_network(Path(task.save_model), best.network)

    # With scribbles only their components may be chosen, so that objects come out whole.
    channels = best.response[: len(ids)] if len(ids) else best.response
    # Scribbled pixels keep their ids, so no scribbled component can be lost.
    wanted = 1 if len(ids) else max(options.components or 1, options.min_components)
    response, labels = _enlarged(channels, image, options, task, wanted)
    history, notes = best.history, (*_size(batch, image.shape), *agreement(fits, batch))
    if task.scribbles is not None:
        named = np.append(ids, np.int32(-1))[labels]
        return Outcome(
            labels=np.where(task.scribbles >= 0, task.scribbles, named),
            probabilities=lambda: probabilities_of(response, np.arange(len(ids), dtype=np.int32)),
            history=history,
            notes=notes,
        )
    hierarchy, channel_components = merged(labels, channels, options)
    return Outcome(
        labels=hierarchy.labels,
        hierarchy=hierarchy,
        probabilities=lambda: probabilities_of(response, channel_components),
        history=history,
        notes=notes,
    )


def check_channels(channels: int, options: FeatureClusteringOptions) -> None:
    """Refuse an image of another number of channels than was announced."""
    if options.expected_channels not in (None, channels):
        raise InputError(
            f"image has {channels} channels and --n-channels is {options.expected_channels}: "
            "leave the option out or give an image with that many channels"
        )


def prepare(
    image: NDArray[np.float32],
    options: FeatureClusteringOptions,
    region: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """The image in the color space and normalization that the options ask for."""
    return normalize(in_color_space(image, options), options.normalization, region)


def in_color_space(
    image: NDArray[np.float32], options: FeatureClusteringOptions
) -> NDArray[np.float32]:
    """The image (H, W, C) in the color space that the options ask for."""
    if options.color_space == "rgb" or image.shape[-1] != 3:
        return image
    from skimage.color import rgb2lab

    # Lightness runs to 100; by 50 the channels vary about as much as those of RGB in 0..1.
    return np.asarray(rgb2lab(image).astype(np.float32) / np.float32(50))


def objective_of(options: FeatureClusteringOptions, *, scribble_weight: float = 0.0) -> Objective:
    """The weighted terms that the options ask for."""
    terms = [
        f"{options.similarity_weight}*similarity",
        f"{options.continuity_weight}*continuity(x={options.continuity_x}, "
        f"y={options.continuity_y}, edge_sharpness={options.edge_sharpness}, everywhere=true)",
    ]
    further = {
        "scribble": scribble_weight,
        "max_area": options.max_area_weight,
        "min_area": options.min_area_weight,
    }
    terms += [f"{weight}*{name}" for name, weight in further.items() if weight]
    return Objective(" + ".join(terms))


def fit_starts(batch: Batch, scribbled: int, options: ClusteringOptions, task: Task) -> list[Fit]:
    """Learn a network on one image from each start, of which the first is watched."""
    unwatched = replace(task, observe=None)
    return [
        fit_batch(batch, scribbled, options, task if start == 0 else unwatched, seed)
        for start, seed in enumerate(_seeds(task.seed, options.restarts))
    ]


def fit_batch(
    batch: Batch, scribbled: int, options: ClusteringOptions, task: Task, seed: int
) -> Fit:
    """Learn a network on one image from one start."""
    network = ClusteringNetwork(
        in_channels=batch.image.shape[1],
        classes=max(options.max_components, scribbled),
        features=options.features,
        blocks=options.blocks,
        seed=seed,
    ).to(batch.image.device)
    wanted = max(options.min_components, options.components or 1, scribbled)
    watch = _Watch(network, wanted, options, task, batch)
    dtype = choose_dtype(task.precision, batch.image.device)
    descend(
        network,
        objective_of(options, scribble_weight=options.scribble_weight if scribbled else 0.0),
        itertools.repeat(batch),
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        momentum=options.momentum,
        dtype=dtype,
        after=watch,
    )
    network.load_state_dict(watch.weights)
    return Fit(
        response=respond(network, batch.image, dtype),
        network=network,
        objective=watch.history[-1]["objective"],
        history=tuple(watch.history),
    )


@torch.no_grad()
def respond(network: ClusteringNetwork, image: Tensor, dtype: torch.dtype) -> Tensor:
    """Response (K, H, W) float32 of one image (1, C, H, W)."""
    with arithmetic(dtype, image.device):
        response = network.respond(image)
    dense = response.dense() if isinstance(response, FactoredResponse) else response
    return dense[0].float()


class _Watch:
    """Keeps the last weights with enough components and ends the descent in time."""

    def __init__(
        self,
        network: ClusteringNetwork,
        wanted: int,
        options: ClusteringOptions,
        task: Task,
        batch: Batch,
    ) -> None:
        self.history: list[dict[str, float]] = []
        self.weights: dict[str, Tensor] = {}
        self._network = network
        self._wanted = wanted
        self._last = options.iterations
        self._stable_fraction = options.stable_fraction
        self._observe = task.observe
        self._region = batch.region
        self._labels: Tensor | None = None

    def __call__(self, step: Step) -> bool:
        labels = step.labels if self._region is None else step.labels[self._region]
        present = int((torch.bincount(labels.flatten()) > 0).sum())
        if self.history and present < self._wanted:
            return True
        self.weights = {k: v.detach().clone() for k, v in self._network.state_dict().items()}
        row = {"iteration": step.number, "objective": step.objective, **step.parts}
        self.history.append({**row, "components": present})
        if self._observe is not None:
            self._observe(step.number, step.labels[0].to(torch.int32).cpu().numpy())
        stable = self._is_stable(labels)
        self._labels = labels
        return present == self._wanted or stable or step.number == self._last

    def _is_stable(self, labels: Tensor) -> bool:
        if self._stable_fraction == 0 or self._labels is None:
            return False
        changed = (labels != self._labels).float().mean()
        return float(changed) < self._stable_fraction


def _enlarged(
    channels: Tensor,
    image: NDArray[np.float32],
    options: ClusteringOptions,
    task: Task,
    wanted: int,
) -> tuple[FullResponse, NDArray[np.int32]]:
    """The response and the labels at full size, with at least the wanted number if there are.

    Superpixels and smooth enlargement may each lose a small component. Where too few are left the
    next plainer way is taken; the last one loses none.
    """
    size = (image.shape[0], image.shape[1])
    smooth = Enlarged(channels, size)
    ways: list[Callable[[], FullResponse]] = [lambda: smooth]
    ways.append(lambda: Enlarged(channels, size, smooth=False))
    if options.superpixel_scale:
        superpixels = small_superpixels(image, scale=options.superpixel_scale)
        ways.insert(0, lambda: Snapped(smooth, superpixels))
    for way in ways:
        response = way()
        labels = labels_of(response)
        if task.region is not None:
            labels[~task.region] = -1
        if np.count_nonzero(np.bincount(labels[labels >= 0])) >= wanted:
            break
    return response, labels


def merged(
    labels: NDArray[np.int32], channels: Tensor, options: ClusteringOptions
) -> tuple[RegionHierarchy, NDArray[np.int32]]:
    """The surviving components with their merge tree, and the component of each channel."""
    counts = np.bincount(labels[labels >= 0], minlength=len(channels))
    alive = np.flatnonzero(counts)
    leaf_of = np.full(len(channels) + 1, -1, np.int32)
    leaf_of[alive] = np.arange(len(alive), dtype=np.int32)
    leaves = leaf_of[labels]
    tree = component_tree(leaves, _mean_responses(leaves, channels[alive]))
    hierarchy = RegionHierarchy(
        leaves=leaves, tree=tree, assignment=np.arange(tree.leaves, dtype=np.int32)
    )
    if options.components is not None:
        hierarchy = hierarchy.with_components(options.components)
    return hierarchy, np.append(hierarchy.assignment, np.int32(-1))[leaf_of[:-1]]


def _mean_responses(leaves: NDArray[np.int32], channels: Tensor) -> NDArray[np.float64]:
    """(leaves, K) mean response of each leaf, measured at the working size."""
    _, height, width = channels.shape
    rows = np.arange(height) * leaves.shape[0] // height
    columns = np.arange(width) * leaves.shape[1] // width
    labels = torch.from_numpy(leaves[np.ix_(rows, columns)].astype(np.int64)).flatten()
    inside = labels >= 0
    values = channels.flatten(1).T.cpu()[inside]
    sums = torch.zeros(len(channels), len(channels)).index_add_(0, labels[inside], values)
    counts = torch.bincount(labels[inside], minlength=len(channels)).clamp(min=1)
    means: NDArray[np.float64] = (sums / counts[:, None]).double().numpy()
    return means


def _seeds(seed: int, count: int) -> list[int]:
    """The first start uses the seed itself, so that restarts only ever add to it."""
    further = np.random.SeedSequence(seed).generate_state(max(count - 1, 0))
    return [seed, *(int(state) for state in further)]


def _size(batch: Batch, shape: tuple[int, ...]) -> tuple[str, ...]:
    height, width = batch.image.shape[-2:]
    if (height, width) == tuple(shape[:2]):
        return ()
    return (f"learned at {width}x{height} of {shape[1]}x{shape[0]} pixels",)


def agreement(fits: list[Fit], batch: Batch) -> tuple[str, ...]:
    """A note on several starts: their mean adjusted Rand index, inside the region."""
    if len(fits) == 1:
        return ()
    maps = [fit.response.argmax(dim=0) for fit in fits]
    if batch.region is not None:
        maps = [labels[batch.region[0]][None] for labels in maps]
    labels = [labels.cpu().numpy() for labels in maps]
    pairs = itertools.combinations(labels, 2)
    mean = np.mean([adjusted_rand_index(*pair, ignore_index=None) for pair in pairs])
    return (f"agreement of {len(fits)} starts: ARI {mean:.3f}",)
