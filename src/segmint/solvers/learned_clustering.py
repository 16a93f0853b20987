"""A clustering network that was learned on many images, applied to others of any size."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from segmint.errors import UsageError
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.images.window import Window
from segmint.inference.scene_answer import InTiles, SceneAnswer
from segmint.inference.tiling import Tiling
from segmint.methods.clustering import FolderClusteringOptions
from segmint.networks.clustering import ClusteringNetwork
from segmint.solvers.clustering import prepare, respond
from segmint.solvers.clustering_scene import answer_of, prepare_of
from segmint.solvers.frozen_statistics import freeze_statistics
from segmint.solvers.reduction import to_input
from segmint.solvers.scene_sample import SceneSample
from segmint.solvers.slice_answers import SliceAnswers


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedClustering:
    """A network, and what its channels stand for."""

    network: ClusteringNetwork
    """On the device where it computes."""
    numbers: NDArray[np.int32]
    """(q,) component of each channel of its response, -1 for channels that won no pixel."""
    options: FolderClusteringOptions
    dtype: torch.dtype
    """Of its arithmetic."""

    def labels(self, pixels: NDArray[np.float32]) -> NDArray[np.int32]:
        """Components (H, W) of an image (H, W, C) in 0..1, normalized as in learning."""
        alive = np.flatnonzero(self.numbers >= 0)
        device = self.network.classifier.weight.device
        seen = to_input(prepare(pixels, self.options), device)
        response = respond(self.network, seen, self.dtype)[alive]
        found: NDArray[np.int32] = self.numbers[alive][response.argmax(dim=0).cpu().numpy()]
        return found

    def of_scene(self, scene: Scene, tiling: Tiling, *, seed: int) -> SceneAnswer:
        """Components of a scene; what is measured on an image is measured on a sample of it.

        Args:
            scene: with the channels it learned on.
            tiling: how it is cut.
            seed: of the sample.
        """
        unit = examined(ScenePixels(scene=scene))

        def answered(sample: SceneSample | None) -> SceneAnswer:
            see = prepare_of(sample, unit, self.options)
            network = self.network
            if sample is not None and network.statistics != "running":
                network = copy.deepcopy(network)
                device = network.classifier.weight.device
                seen = see(sample.pixels, sample.counts)
                freeze_statistics(network, to_input(seen, device))
            return answer_of(
                network,
                self.numbers,
                see,
                region=None,
                dtype=self.dtype,
                limit=tiling.resolved_limit(),
                tile=tiling.tile,
            )

        measures_nothing = self.options.normalization == "none"
        if measures_nothing and self.network.statistics == "running":
            return _ComponentsAlone(answered(None))
        return _ComponentsAlone(SliceAnswers(scene, answered, seed=seed))


class _ComponentsAlone:
    """An answer without probabilities, as runs of components answer images."""

    def __init__(self, answer: SceneAnswer) -> None:
        self._answer = answer
        self.classes, self.block, self.notes = answer.classes, answer.block, answer.notes

    @property
    def tile(self) -> int | None:
        """Side of what is computed at once, where it is known."""
        return self._answer.tile if isinstance(self._answer, InTiles) else None

    def keep_tile(self, tile: int) -> None:
        """Compute in tiles of that side from now on, as another process did."""
        if isinstance(self._answer, InTiles):
            self._answer.keep_tile(tile)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.integer[Any]]:
        """(h, w), 0 to K - 1."""
        return self._answer.labels(scene, window, plane)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """There are none.

        Raises:
            UsageError: always.
        """
        raise UsageError("run of clustering has no probabilities: leave out --probabilities")
