"""Learn the coefficients of the hybrid method from BSDS500 train and val.

Run as ``python benchmarks/learn_merge_weights.py BSDS500/data``; the folder holds ``images`` and
``groundTruth``, each with ``train`` and ``val``. Three sets of numbers are printed, to be copied
into ``boundaries.py`` (cue weights), ``agglomeration.py`` (feature weights) and ``cutting.py``
(weights and threshold of the cut). The test images are never read.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import binary_dilation
from skimage.io import imread
from sklearn.linear_model import LogisticRegression

from segmint.regions.agglomeration import agglomerate
from segmint.regions.boundaries import boundary_cues
from segmint.regions.color import lab_image
from segmint.regions.cues import cue_channels
from segmint.regions.cutting import CutWeights, chosen_cut
from segmint.regions.hybrid import working_leaves
from segmint.regions.merge_tree import MergeTree
from segmint.regions.region_graph import RegionGraph, grouped, pair_features

Floats = NDArray[np.float64]

PIXELS_AN_IMAGE = 6000
"""Random pixels for the cue weights."""
PAIRS_A_ROUND = 60
"""Of a round of joining, this many pairs are kept for learning, and at least a fifth of them."""
AREA_POWER = 0.5
"""A pair counts with its smaller area to this power: between pairs alike and pixels alike."""
LEARNING_ROUNDS = 2
"""After the pairs of leaves alone, how often those met while joining are added."""


@dataclass(frozen=True, eq=False)
class Example:
    """One photo with its annotations."""

    image: NDArray[np.float32]
    annotations: list[NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of regions to learn from."""

    features: Floats
    apart: Floats
    """Part of the annotators who have the two regions in different segments."""
    weights: Floats


@dataclass(frozen=True, eq=False)
class Logistic:
    """Log odds = features @ weights + intercept."""

    weights: Floats
    intercept: float

    def __call__(self, graph: RegionGraph) -> Floats:
        """Probability of a boundary for each pair of a graph."""
        return 1 / (1 + np.exp(-(pair_features(graph) @ self.weights + self.intercept)))


def examples(folder: Path, part: str) -> list[Example]:
    """The photos of ``train`` or ``val`` in the order of their names."""
    found = []
    for path in sorted((folder / "images" / part).glob("*.jpg")):
        cells = loadmat(folder / "groundTruth" / part / f"{path.stem}.mat")["groundTruth"][0]
        maps = [cell["Segmentation"][0, 0] for cell in cells]
        annotations = [np.unique(m, return_inverse=True)[1].reshape(m.shape) for m in maps]
        found.append(Example(imread(path).astype(np.float32) / 255, annotations))
    return found


def fit(features: Floats, target: Floats, weights: Floats) -> Logistic:
    """Logistic regression on probabilities, by counting each row once as 1 and once as 0."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scaled = (features - mean) / spread
    model = LogisticRegression(max_iter=1000)
    model.fit(
        np.concatenate([scaled, scaled]),
        np.repeat([1, 0], len(target)),
        sample_weight=np.concatenate([weights * target, weights * (1 - target)]) + 1e-9,
    )
    raw = model.coef_[0] / spread
    return Logistic(raw, float(model.intercept_[0] - raw @ mean))


def drawn_boundaries(annotation: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Pixels within one pixel of where an annotator drew a boundary."""
    edges = np.zeros(annotation.shape, bool)
    across, down = annotation[:, 1:] != annotation[:, :-1], annotation[1:] != annotation[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    found: NDArray[np.bool_] = binary_dilation(edges)
    return found


def learn_cue_weights(photos: Sequence[Example]) -> Floats:
    """Weights (4, 3) of the histogram gradients, negative ones set to zero."""
    rng = np.random.default_rng(0)
    features, targets = [], []
    for photo in photos:
        lab = lab_image(photo.image, np.ones(photo.image.shape[:2], bool))
        cues = boundary_cues(cue_channels(lab, 0)).reshape(12, -1)
        drawn = np.mean([drawn_boundaries(each) for each in photo.annotations], axis=0)
        pixels = rng.choice(drawn.size, PIXELS_AN_IMAGE, replace=False)
        features.append(cues[:, pixels].T)
        targets.append(drawn.ravel()[pixels])
    target = np.concatenate(targets)
    model = fit(np.concatenate(features).astype(np.float64), target, np.ones(len(target)))
    return np.maximum(model.weights, 0).reshape(4, 3)


def leaf_counts(leaves: NDArray[np.int32], annotations: Sequence[NDArray[np.intp]]) -> list[Floats]:
    """Pixels of every leaf in every segment, (leaves, segments), for each annotator."""
    counts = []
    for annotation in annotations:
        segments = int(annotation.max()) + 1
        size = (int(leaves.max()) + 1) * segments
        table = np.bincount((leaves * segments + annotation).ravel(), minlength=size)
        counts.append(table.reshape(-1, segments).astype(np.float64))
    return counts


def part_apart(graph: RegionGraph, counts: Sequence[Floats]) -> Floats:
    """Part of the annotators whose main segment differs between the two regions of each pair."""
    votes = np.zeros(len(graph.pairs))
    for table in counts:
        main = grouped(graph.members, len(graph.areas), table)[0].argmax(axis=1)
        votes += main[graph.pairs[:, 0]] != main[graph.pairs[:, 1]]
    return votes / len(counts)


def observed_pairs(graph: RegionGraph, counts: Sequence[Floats]) -> Pairs:
    """All pairs of a graph as examples."""
    smaller = graph.areas[graph.pairs].min(axis=1)
    return Pairs(pair_features(graph), part_apart(graph, counts), smaller**AREA_POWER)


def pairs_met(
    graph: RegionGraph, counts: Sequence[Floats], model: Logistic, rng: np.random.Generator
) -> list[Pairs]:
    """A sample of the pairs that are looked at while the regions of a graph are joined."""
    met = []

    def probability(current: RegionGraph) -> Floats:
        pairs = observed_pairs(current, counts)
        kept = rng.random(len(pairs.apart)) < max(0.2, PAIRS_A_ROUND / len(pairs.apart))
        met.append(Pairs(pairs.features[kept], pairs.apart[kept], pairs.weights[kept]))
        return model(current)

    agglomerate(graph, probability)
    return met


def learn_feature_weights(
    graphs: Sequence[RegionGraph], counts: Sequence[Sequence[Floats]]
) -> Logistic:
    """Weights of the pair features, learned on the pairs that joining meets."""
    rng = np.random.default_rng(0)
    examples_of_leaves = [observed_pairs(*pair) for pair in zip(graphs, counts, strict=True)]
    model = fit_pairs(examples_of_leaves)
    for _ in range(LEARNING_ROUNDS):
        met = [pairs_met(*pair, model, rng) for pair in zip(graphs, counts, strict=True)]
        model = fit_pairs([*examples_of_leaves, *itertools.chain.from_iterable(met)])
    return model


def fit_pairs(pool: Sequence[Pairs]) -> Logistic:
    """Logistic regression on weighted pairs."""
    weights = np.concatenate([pairs.weights for pairs in pool])
    return fit(
        np.concatenate([pairs.features for pairs in pool]),
        np.concatenate([pairs.apart for pairs in pool]),
        weights / weights.mean(),
    )


def best_overlaps(
    counts: Sequence[Floats], labels: NDArray[np.int32]
) -> list[tuple[Floats, Floats]]:
    """Area and best IoU of each segment, for each annotator, of a partition of the leaves."""
    found = []
    for table in counts:
        shared = grouped(labels.astype(np.intp), int(labels.max()) + 1, table)[0]
        unions = shared.sum(axis=0) + shared.sum(axis=1, keepdims=True) - shared
        found.append((shared.sum(axis=0), (shared / unions).max(axis=0)))
    return found


def cut_scores(
    trees: Sequence[MergeTree],
    graphs: Sequence[RegionGraph],
    counts: Sequence[Sequence[Floats]],
    weights: CutWeights,
) -> dict[str, float]:
    """Mean best overlap of all, of the finest and of the coarsest annotations, and covering."""
    overlaps: dict[str, list[Floats]] = {"all": [], "fine": [], "coarse": []}
    coverings = []
    for tree, graph, tables in zip(trees, graphs, counts, strict=True):
        found = best_overlaps(tables, chosen_cut(tree, graph.areas, weights=weights))
        sizes = [len(areas) for areas, _ in found]
        overlaps["all"] += [best for _, best in found]
        overlaps["fine"].append(found[int(np.argmax(sizes))][1])
        overlaps["coarse"].append(found[int(np.argmin(sizes))][1])
        coverings.append(np.mean([(areas * best).sum() / areas.sum() for areas, best in found]))
    scores = {name: float(np.concatenate(values).mean()) for name, values in overlaps.items()}
    return scores | {"covering": float(np.mean(coverings))}


def learn_cut_weights(score: Callable[[CutWeights], float], trials: int = 300) -> CutWeights:
    """Random search with a shrinking step around the best weights so far."""
    rng = np.random.default_rng(0)
    best = CutWeights()
    best_score = score(best)
    for trial in range(trials):
        step = 0.3 * (1 - trial / trials) + 0.03
        values = np.array(astuple(best)) + step * rng.normal(size=3) * (0.5, 0.5, 2.0)
        candidate = CutWeights(*values.tolist())
        candidate_score = score(candidate)
        if candidate_score > best_score:
            best, best_score = candidate, candidate_score
    return best


TARGETS = {"all": 0.37, "fine": 0.33, "coarse": 0.43, "covering": 0.55}
"""What the cut is tuned towards; its worst shortfall counts most."""


def balanced(scores: dict[str, float]) -> float:
    """The mean ratio of the scores to the targets and the smallest one, half each."""
    ratios = [scores[name] / target for name, target in TARGETS.items()]
    return float(0.5 * np.mean(ratios) + 0.5 * np.min(ratios))


def main() -> None:
    """Learn everything in order and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds images/ and groundTruth/")
    photos = [
        each for part in ("train", "val") for each in examples(parser.parse_args().folder, part)
    ]
    print("cue weights\n", np.round(learn_cue_weights(photos), 3))

    graphs, counts = [], []
    for photo in photos:
        mask = np.ones(photo.image.shape[:2], bool)
        leaves, graph, _ = working_leaves(photo.image, mask, np.full(mask.shape, -1, np.int32), 0)
        graphs.append(graph)
        counts.append(leaf_counts(leaves, photo.annotations))
    model = learn_feature_weights(graphs, counts)
    print("feature weights\n", np.round(model.weights, 3), round(model.intercept, 3))

    trees = [agglomerate(graph, model) for graph in graphs]
    weights = learn_cut_weights(lambda cut: balanced(cut_scores(trees, graphs, counts, cut)))
    print("cut", weights, cut_scores(trees, graphs, counts, weights))


if __name__ == "__main__":
    main()
