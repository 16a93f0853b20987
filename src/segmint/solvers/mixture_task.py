"""A Gaussian mixture of many images, as the training loop steps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from segmint.methods.deepg import DeepMixtureOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.objectives.precision import full_precision
from segmint.solvers.learning_task import LearningTask, Row
from segmint.solvers.mixture_learner import settled
from segmint.solvers.mixture_settings import MixtureSettings

NLL = "nll"
"""Name of the negative log-likelihood in rows."""


class MixtureTask(LearningTask):
    """One U-Net whose probabilities maximize the likelihood of the pixels.

    Args:
        network: maps images (N, C, H, W) to logits (N, K, H, W).
        settings: the objective, and when it has settled.
    """

    def __init__(self, network: UNet, settings: MixtureSettings[DeepMixtureOptions]) -> None:
        super().__init__()
        self.network = network
        self.objective = settings.objective()
        self._settings = settings

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective of the logits; its first part is the negative log-likelihood."""
        logits = self.network(batch.image)
        with full_precision(batch.image):
            total = self.objective(logits, batch)
        likelihood, *further = self.objective.names
        values = self.objective.values
        return total, {NLL: values[likelihood], **{name: values[name] for name in further}}

    def explain(self, batch: Batch) -> None:
        """Name the terms of the objective that are not finite.

        Raises:
            InputError: when there are some.
        """
        total, _ = self.loss(batch)
        if not bool(total.isfinite()):
            self.objective.blame(batch)

    def networks(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {"network": self.network}

    def enough(self, history: Sequence[Row]) -> bool:
        """Whether the mean likelihood of an epoch is nearly that of the one before."""
        return settled([dict(row) for row in history], self._settings)
