"""Feature clustering on one image: reduce, learn, enlarge, merge."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError, UsageError
from segmint.images.normalization import normalize
from segmint.methods.method import Outcome, Task
from segmint.metrics import adjusted_rand_index
from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.storage import save_network
from segmint.objectives.batch import IGNORE_INDEX, Batch
from segmint.objectives.objective import Objective
from segmint.regions.component_tree import component_tree
from segmint.regions.hierarchy import RegionHierarchy
from segmint.solvers.descent import Step, descend

if TYPE_CHECKING:
    from segmint.methods.clustering import ClusteringOptions

ENLARGED_ELEMENTS = 16 * 1024 * 1024
"""Elements of the response that are enlarged at a time, so that memory does not grow with it."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What one start ended with."""

    response: Tensor
    """(K, h, w) float32 at the working size."""
    network: ClusteringNetwork
    objective: float
    history: tuple[dict[str, float], ...]


def cluster_image(
    image: NDArray[np.float32], options: ClusteringOptions, task: Task
) -> Outcome:
    """Segment one image (H, W, C) by the network that fits it."""
    channels = image.shape[-1]
    if options.channels not in (None, channels):
        raise InputError(
            f"image has {channels} channels and --n-channels is {options.channels}: "
            "leave the option out or give an image with that many channels"
        )
    device = choose_device(task.device)
    batch, ids = _working_batch(image, options, task, device)
    fits = [_fit(batch, ids, options, task, seed) for seed in _seeds(task.seed, options.restarts)]
    best = min(fits, key=lambda fit: fit.objective)
    if task.save_model is not None:
        save_network(Path(task.save_model), best.network)

    response = best.response[: len(ids)] if len(ids) else best.response
    leaves, alive = _enlarged_labels(response, image.shape[:2], task.region)
    hierarchy = _hierarchy(leaves, response[alive], options)
    labels = hierarchy.labels
    if task.scribbles is not None:
        labels = _with_scribbles(labels, np.asarray(ids)[alive], hierarchy.assignment, task)
    return Outcome(
        labels=labels,
        hierarchy=hierarchy if task.scribbles is None else None,
        probabilities=lambda: _probabilities(response[alive], hierarchy, image.shape[:2]),
        history=best.history,
        notes=_notes(fits, batch, image.shape[:2]),
    )


def objective_of(options: ClusteringOptions, *, scribbles: bool) -> Objective:
    """The weighted terms that the options ask for."""
    terms = [
        f"{options.similarity_weight}*similarity",
        f"{options.continuity_weight}*continuity(x={options.continuity_x}, "
        f"y={options.continuity_y}, edge_sharpness={options.edge_sharpness})",
    ]
    if scribbles:
        terms.append(f"{options.scribble_weight}*scribble")
    if options.max_area_weight:
        terms.append(f"{options.max_area_weight}*max_area")
    if options.min_area_weight:
        terms.append(f"{options.min_area_weight}*min_area")
    return Objective(" + ".join(terms))


def to_input(image: NDArray[np.float32], device: torch.device) -> Tensor:
    """(H, W, C) as a channels-last tensor (1, C, H, W)."""
    tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return tensor.to(device).contiguous(memory_format=torch.channels_last)


def count_present(labels: Tensor, components: int) -> int:
    """How many components occur, counted where the labels are."""
    return int((torch.bincount(labels.flatten(), minlength=components) > 0).sum())


def _fit(batch: Batch, ids: list[int], options: ClusteringOptions, task: Task, seed: int) -> Fit:
    components = max(options.max_components, len(ids))
    wanted = max(options.min_components, options.components or 1, len(ids))
    network = ClusteringNetwork(
        in_channels=batch.image.shape[1],
        classes=components,
        features=options.features,
        blocks=options.blocks,
        seed=seed,
    ).to(batch.image.device)
    watch = _Watch(wanted, options, task, batch)
    descend(
        network,
        objective_of(options, scribbles=bool(ids)),
        itertools.repeat(batch),
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        momentum=options.momentum,
        dtype=choose_dtype(task.precision, batch.image.device),  # type: ignore[arg-type]
        after=watch,
    )
    return Fit(
        response=watch.response[0].float(),
        network=network,
        objective=watch.history[-1]["objective"],
        history=tuple(watch.history),
    )


class _Watch:
    """Keeps the last response with enough components and ends the descent in time."""

    response: Tensor

    def __init__(self, wanted: int, options: ClusteringOptions, task: Task, batch: Batch) -> None:
        self.history: list[dict[str, float]] = []
        self._wanted = wanted
        self._options = options
        self._task = task
        self._region = batch.region
        self._labels: Tensor | None = None

    def __call__(self, step: Step) -> bool:
        labels = step.response.argmax(dim=1)
        inside = labels if self._region is None else labels[self._region]
        present = count_present(inside, step.response.shape[1])
        if self.history and present < self._wanted:
            return True
        self.response = step.response
        self.history.append(
            {
                "iteration": step.number,
                "objective": step.objective,
                **step.parts,
                "components": present,
            }
        )
        if self._task.observe is not None:
            self._task.observe(step.number, labels[0].to(torch.int32).cpu().numpy())
        stable = self._is_stable(inside)
        self._labels = inside
        return present == self._wanted or stable

    def _is_stable(self, labels: Tensor) -> bool:
        if self._options.stable_fraction == 0 or self._labels is None:
            return False
        changed = (labels != self._labels).float().mean()
        return float(changed) < self._options.stable_fraction


def _working_batch(
    image: NDArray[np.float32], options: ClusteringOptions, task: Task, device: torch.device
) -> tuple[Batch, list[int]]:
    """The image at its working size, and the scribbled ids in the order of their components."""
    normalized = normalize(image, options.normalization, task.region)
    if task.region is not None:
        normalized[~task.region] = 0
    full = to_input(normalized, device)
    size = working_size(image.shape[:2], options.working_pixels)
    reduced = full
    if size != image.shape[:2]:
        reduced = functional.interpolate(full, size=size, mode="bilinear", antialias=True)
    region = None
    if task.region is not None:
        region = _reduced_where(task.region, size)
    mask, ids = None, []
    if task.scribbles is not None:
        mask, ids = _reduced_scribbles(task.scribbles, size)
    return (
        Batch(
            image=reduced.contiguous(memory_format=torch.channels_last),
            mask=None if mask is None else torch.from_numpy(mask)[None].to(device),
            region=None if region is None else torch.from_numpy(region)[None].to(device),
        ),
        ids,
    )


def working_size(shape: tuple[int, ...], pixels: int) -> tuple[int, int]:
    """Height and width of about so many pixels in the same proportions; never enlarged."""
    height, width = shape[:2]
    if pixels == 0 or height * width <= pixels:
        return height, width
    scale = (pixels / (height * width)) ** 0.5
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _places(where: NDArray[np.bool_], size: tuple[int, int]) -> tuple[NDArray[np.intp], ...]:
    """Where the marked pixels fall in a map of another size, so that thin marks survive."""
    rows, columns = np.nonzero(where)
    return rows * size[0] // where.shape[0], columns * size[1] // where.shape[1]


def _reduced_where(where: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    reduced = np.zeros(size, np.bool_)
    reduced[_places(where, size)] = True
    return reduced


def _reduced_scribbles(
    scribbles: NDArray[np.int32], size: tuple[int, int]
) -> tuple[NDArray[np.int64], list[int]]:
    marked = scribbles >= 0
    ids, components = np.unique(scribbles[marked], return_inverse=True)
    if len(ids) > IGNORE_INDEX:
        raise UsageError(f"scribbles hold {len(ids)} ids, accepted are at most {IGNORE_INDEX}")
    reduced = np.full(size, IGNORE_INDEX, np.int64)
    reduced[_places(marked, size)] = components
    return reduced, ids.tolist()


def _enlarged_labels(
    response: Tensor, shape: tuple[int, ...], region: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Labels 0, 1, ... at full size, and the channel of each; rows are enlarged a few at a time."""
    labels = np.empty(shape[:2], np.int32)
    for rows, enlarged in _enlarged_rows(response, shape):
        labels[rows] = enlarged.argmax(dim=0).to(torch.int32).cpu().numpy()
    if region is not None:
        labels[~region] = -1
    alive = np.flatnonzero(np.bincount(labels[labels >= 0], minlength=len(response)))
    compact = np.full(len(response) + 1, -1, np.int32)
    compact[alive] = np.arange(len(alive), dtype=np.int32)
    return compact[labels], alive


def _enlarged_rows(
    response: Tensor, shape: tuple[int, ...]
) -> Iterator[tuple[slice, Tensor]]:
    """Bilinearly enlarged rows (K, rows, W) of a response (K, h, w), a few at a time."""
    components, height, width = response.shape
    target_height, target_width = shape[:2]
    step = max(ENLARGED_ELEMENTS // (components * target_width), 1)
    for start in range(0, target_height, step):
        rows = slice(start, min(start + step, target_height))
        if (height, width) == (target_height, target_width):
            yield rows, response[:, rows]
            continue
        at = torch.arange(rows.start, rows.stop, device=response.device)
        source = ((at + 0.5) * (height / target_height) - 0.5).clamp(0, height - 1)
        above = source.floor().long()
        below = (above + 1).clamp(max=height - 1)
        share = (source - above)[None, :, None]
        mixed = torch.lerp(response[:, above], response[:, below], share)
        # The height already fits, so this only enlarges the width.
        yield (
            rows,
            functional.interpolate(mixed[None], size=(len(at), target_width), mode="bilinear")[0],
        )


def _hierarchy(
    leaves: NDArray[np.int32], response: Tensor, options: ClusteringOptions
) -> RegionHierarchy:
    """The surviving components, the tree that joins them and the cut that was asked for."""
    means = _mean_responses(leaves, response)
    tree = component_tree(leaves, means)
    everything = RegionHierarchy(
        leaves=leaves, tree=tree, assignment=np.arange(tree.leaves, dtype=np.int32)
    )
    if options.components is None:
        return everything
    return everything.with_components(options.components)


def _mean_responses(leaves: NDArray[np.int32], response: Tensor) -> NDArray[np.float64]:
    """(leaves, K) mean response of each component, measured at the working size."""
    components, height, width = response.shape
    rows = np.arange(height) * leaves.shape[0] // height
    columns = np.arange(width) * leaves.shape[1] // width
    labels = torch.from_numpy(leaves[np.ix_(rows, columns)].astype(np.int64)).flatten()
    values = response.reshape(components, -1).T.cpu()[labels >= 0]
    labels = labels[labels >= 0]
    sums = torch.zeros(components, components).index_add_(0, labels, values)
    counts = torch.bincount(labels, minlength=components).clamp(min=1)
    means: NDArray[np.float64] = (sums / counts[:, None]).double().numpy()
    return means


def _with_scribbles(
    labels: NDArray[np.int32],
    ids: NDArray[np.int64],
    assignment: NDArray[np.int32],
    task: Task,
) -> NDArray[np.int32]:
    """Components renamed to the ids of their scribbles; scribbled pixels keep theirs."""
    assert task.scribbles is not None
    names = np.full(int(assignment.max()) + 2, -1, np.int32)
    names[assignment] = ids
    named = names[labels]
    marked = task.scribbles >= 0
    named[marked] = task.scribbles[marked]
    return named


def _probabilities(
    response: Tensor, hierarchy: RegionHierarchy, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """(K, H, W) softmax of the response, summed over the leaves of each component."""
    assignment = torch.from_numpy(hierarchy.assignment.astype(np.int64)).to(response.device)
    components = int(assignment.max()) + 1
    probabilities = np.empty((components, *shape[:2]), np.float32)
    for rows, enlarged in _enlarged_rows(response, shape):
        summed = torch.zeros(components, *enlarged.shape[1:], device=response.device)
        summed.index_add_(0, assignment, enlarged.softmax(dim=0))
        probabilities[:, rows] = summed.cpu().numpy()
    return probabilities


def _seeds(seed: int, count: int) -> list[int]:
    """The first start uses the seed itself, so that restarts only ever add to it."""
    further = np.random.SeedSequence(seed).generate_state(max(count - 1, 0))
    return [seed, *(int(state) for state in further)]


def _notes(fits: list[Fit], batch: Batch, shape: tuple[int, ...]) -> tuple[str, ...]:
    notes = []
    height, width = batch.image.shape[-2:]
    if (height, width) != tuple(shape[:2]):
        notes.append(f"learned at {width}x{height} of {shape[1]}x{shape[0]} pixels")
    if len(fits) > 1:
        notes.append(f"agreement of {len(fits)} starts: ARI {_agreement(fits):.3f}")
    return tuple(notes)


def _agreement(fits: list[Fit]) -> float:
    """Mean adjusted Rand index over all pairs of starts."""
    labels = [fit.response.argmax(dim=0).cpu().numpy() for fit in fits]
    pairs = itertools.combinations(labels, 2)
    return float(np.mean([adjusted_rand_index(*pair, ignore_index=None) for pair in pairs]))
