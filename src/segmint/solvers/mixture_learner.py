"""A network with its optimizer and its mixture, taken forward a batch at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from segmint.errors import InputError
from segmint.methods.deepg import DeepMixtureOptions
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.solvers.descent import arithmetic
from segmint.solvers.mixture_settings import MixtureSettings


class MixtureLearner:
    """AdamW on the weights of a network.

    Args:
        network: changed in place.
        settings: objective, learning rate, weight decay and clipping.
        dtype: arithmetic of the network; statistics and objective stay in float32.
    """

    def __init__(
        self,
        network: UNet,
        settings: MixtureSettings[DeepMixtureOptions],
        *,
        dtype: torch.dtype,
    ) -> None:
        self.network = network
        self.objective = settings.objective()
        self._options = settings.options
        self._dtype = dtype
        self._weights = [(weight, _rows(weight.detach())) for weight in network.parameters()]
        self._optimizer = torch.optim.AdamW(
            [rows for _, rows in self._weights],
            lr=self._options.learning_rate,
            weight_decay=self._options.weight_decay,
            fused=True,
        )

    def use_learning_rate(self, learning_rate: float) -> None:
        """From now on take steps of this size."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate

    def respond(self, image: Tensor) -> Tensor:
        """Logits of images (N, C, H, W)."""
        with arithmetic(self._dtype, image.device):
            logits: Tensor = self.network(image)
        return logits

    def measure(self, batch: Batch) -> tuple[Tensor, Tensor, dict[str, float]]:
        """Logits, objective, and what a row of the history says of them.

        Raises:
            InputError: when the objective is no number.
        """
        logits = self.respond(batch.image)
        total = self.objective(logits, batch)
        row = {"objective": float(total.detach()), **self.objective.parts}
        row["nll"] = row.pop(self.objective.names[0])
        if not math.isfinite(row["objective"]):
            raise InputError(
                f"the objective is {row['objective']}: check that the image holds finite values, "
                "or lower the learning rate"
            )
        return logits.detach(), total, row

    def step(self, total: Tensor) -> None:
        """Change the weights down the clipped gradient."""
        self.network.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        for weight, rows in self._weights:
            rows.grad = None if weight.grad is None else _rows(weight.grad)
        if self._options.gradient_clip:
            clip_grad_norm_(self.network.parameters(), self._options.gradient_clip)
        self._optimizer.step()

    def teach(self, batch: Batch, targets: Tensor) -> None:
        """A step of cross-entropy against probabilities (N, K, H, W) inside the region."""
        logits = self.respond(batch.image).float()
        surprise = functional.cross_entropy(logits, targets.float(), reduction="none")
        self.step(surprise.mean() if batch.region is None else surprise[batch.region].mean())


def new_network(channels: int, settings: MixtureSettings[DeepMixtureOptions], seed: int) -> UNet:
    """A network with random weights for images of so many channels."""
    return UNet(
        in_channels=channels,
        classes=settings.classes,
        features=settings.options.features,
        levels=settings.options.levels,
        seed=seed,
    )


def settled(history: list[dict[str, float]], settings: MixtureSettings[DeepMixtureOptions]) -> bool:
    """Whether the rows, one an epoch, are enough: as many as allowed, or nearly constant."""
    epochs, options = len(history), settings.options
    if epochs >= options.max_epochs:
        return True
    if epochs <= max(options.min_epochs, 1):
        return False
    return abs(history[-1]["nll"] - history[-2]["nll"]) < options.tol


def _rows(weight: Tensor) -> Tensor:
    """The same numbers in the order in which they lie in memory.

    The fused optimizer copies every channels-last tensor there and back, a twentieth of an epoch.
    """
    return weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight
