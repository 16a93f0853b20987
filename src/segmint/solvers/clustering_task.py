"""Feature clustering of many images, as the training loop steps it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from segmint.networks.clustering import ClusteringNetwork
from segmint.networks.factored import FactoredResponse
from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective
from segmint.objectives.precision import full_precision
from segmint.solvers.learning_task import LearningTask, Row

COMPONENTS = "components"
"""Name of the score."""


class ClusteringTask(LearningTask):
    """One network that learns to agree with itself, until few components remain.

    Its validation, over the images it learns from, counts the components that are left, the score
    ``components``. The weights worth keeping are those of the last epoch with enough of them, or
    those of the start where no epoch had; they are part of a checkpoint.

    Args:
        network: what learns.
        objective: without labels.
        wanted: components that are enough; learning ends when no more remain.
    """

    def __init__(self, network: ClusteringNetwork, objective: Objective, *, wanted: int) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.kept = copy.deepcopy(network).requires_grad_(False)
        """The network with the weights worth keeping."""
        for idle in (network.classifier.bias, network.normalizations[-1].bias):
            # Constants that the last normalization takes away again: their gradient is 0, or none.
            cast(nn.Parameter, idle).requires_grad_(False)
        self._wanted = wanted
        self._counts: Tensor
        channels = len(network.classifier_normalization.bias)
        self.register_buffer("_counts", torch.zeros(channels, dtype=torch.int64), persistent=False)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective of the response."""
        response = self.network.respond(batch.image)
        with full_precision(batch.image):
            total = self.objective(response, batch)
        return total, dict(self.objective.values)

    def explain(self, batch: Batch) -> None:
        """Name the terms of the objective that are not finite.

        Raises:
            InputError: when there are some.
        """
        total, _ = self.loss(batch)
        if not bool(total.isfinite()):
            self.objective.blame(batch)

    def networks(self) -> Mapping[str, nn.Module]:
        """The network with the weights worth keeping."""
        return {"network": self.kept}

    def start_validation(self) -> None:
        """Forget how many pixels each channel wins."""
        self._counts.zero_()

    def validate(self, batch: Batch) -> None:
        """Count the pixels that each channel wins."""
        labels = written_out(self.network.respond(batch.image)).argmax(dim=1)
        self._counts += torch.bincount(labels.flatten(), minlength=len(self._counts))

    def scores(self) -> dict[str, float]:
        """How many channels win a pixel; where that is enough, the weights are kept."""
        present = int(self._counts.count_nonzero())
        if present >= self._wanted:
            self.kept.load_state_dict(self.network.state_dict())
        return {COMPONENTS: float(present)}

    def enough(self, history: Sequence[Row]) -> bool:
        """Whether no more components than wanted are left."""
        return history[-1][f"val_{COMPONENTS}"] <= self._wanted


def written_out(response: Tensor | FactoredResponse) -> Tensor:
    """A response (N, K, H, W) that may come factored."""
    return response.dense() if isinstance(response, FactoredResponse) else response
