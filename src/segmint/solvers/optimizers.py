"""Optimizers that work on weights in the order in which they lie in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from segmint.solvers.optimizer_options import OptimizerOptions


class WeightOptimizer:
    """A fused optimizer of the weights of networks, and what is done to gradients before it.

    Such optimizers copy every channels-last weight into rows and back at each step. Here they
    get views that are rows already, of the same memory.

    Args:
        groups: parameters, as the task tells them; a group may bring its own ``lr``. What does not
            learn is left out, so that a group may be empty.
        options: rule, learning rate, weight decay and clipping.
    """

    def __init__(self, groups: Sequence[Mapping[str, Any]], options: OptimizerOptions) -> None:
        self._clip = options.gradient_clip
        self._groups = [_with_rows(group["params"]) for group in groups]
        self.norms: dict[int, Tensor] = {}
        """Of the gradients that were taken last, by the number of their group; before clipping."""
        rows = [
            {**group, "params": [row for _, row in weights]}
            for group, weights in zip(groups, self._groups, strict=True)
        ]
        self.optimizer = _built(rows, options)
        self._rates = [group["lr"] for group in self.optimizer.param_groups]

    def use_rate(self, factor: float) -> float:
        """Let the next step take this share of every learning rate; the first group's is told."""
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        return float(self._rates[0] * factor)

    def forget_gradients(self) -> None:
        """Begin to gather gradients anew; those so far take no memory any more."""
        for weights in self._groups:
            for weight, row in weights:
                weight.grad = row.grad = None

    def take_gradients(self) -> Tensor:
        """Clip the gathered gradients, each group by its own norm, and hand them to the optimizer.

        Returns:
            The norm of all before that, a scalar on their device; NaN or infinite where one is.
        """
        self.norms = {}
        for number, weights in enumerate(self._groups):
            gradients = _take(weights)
            if gradients:
                self.norms[number] = norm = get_total_norm(gradients)
                if self._clip:
                    clip_grads_with_norm_([row for _, row in weights], self._clip, norm)
        found = list(self.norms.values())
        return found[0] if len(found) == 1 else get_total_norm(found)

    def spoilt(self, norms: Mapping[int, Tensor]) -> list[nn.Parameter]:
        """The parameters of the groups whose :attr:`norms` are no numbers."""
        return [
            weight
            for number, norm in norms.items()
            if not bool(norm.isfinite())
            for weight, _ in self._groups[number]
        ]

    def skip_where(self, unusable: Tensor) -> None:
        """Let the next step change nothing where a scalar is 1, without waiting for its value."""
        self.optimizer.found_inf = unusable  # type: ignore[attr-defined]

    def state(self) -> dict[str, Tensor]:
        """Everything the optimizer remembers, by ``number of the weight.name``."""
        state = self.optimizer.state_dict()["state"]
        return {
            f"{number}.{name}": value
            for number, values in state.items()
            for name, value in values.items()
            if isinstance(value, Tensor)
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Remember what :meth:`state` told."""
        found: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            number, _, name = key.partition(".")
            found.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": found, "param_groups": groups})


def _built(groups: list[dict[str, Any]], options: OptimizerOptions) -> torch.optim.Optimizer:
    common: dict[str, Any] = {
        "lr": options.learning_rate,
        "weight_decay": options.decay,
    }
    if options.optimizer == "sgd":
        names = ("momentum_buffer",) if options.momentum else ()
        momentum = options.momentum
        return _remembering(torch.optim.SGD(groups, momentum=momentum, fused=True, **common), names)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    kind = kinds[options.optimizer]
    return _remembering(kind(groups, fused=True, **common), ("step", "exp_avg", "exp_avg_sq"))


def _remembering(descent: torch.optim.Optimizer, names: Sequence[str]) -> torch.optim.Optimizer:
    """The optimizer with what it remembers of each weight from the start, all of it 0.

    Made in the first step it would lie where the response of the network was, so that the next
    one found no room there; and fused SGD fails where a weight gets its first gradient later.
    """
    for group in descent.param_groups:
        for weight in group["params"]:
            descent.state[weight] = {
                name: _none_yet(weight) if name == "step" else torch.zeros_like(weight)
                for name in names
            }
    return descent


def _none_yet(weight: Tensor) -> Tensor:
    """A count of steps where a fused optimizer wants it."""
    return torch.zeros((), dtype=torch.float32, device=weight.device)


def _with_rows(weights: Iterable[nn.Parameter]) -> list[tuple[nn.Parameter, Tensor]]:
    """The weights that learn, each with a view of it that is a row in memory."""
    return [
        (weight, weight.detach().permute(_order(weight)))
        for weight in weights
        if weight.requires_grad
    ]


def _take(weights: Iterable[tuple[nn.Parameter, Tensor]]) -> list[Tensor]:
    """Give the rows the gradients of their weights; those that there are."""
    for weight, row in weights:
        row.grad = None if weight.grad is None else weight.grad.permute(_order(weight))
    return [row.grad for _, row in weights if row.grad is not None]


def _order(weight: Tensor) -> tuple[int, ...]:
    """The axes of a weight from the slowest to the fastest in memory."""
    strides = weight.stride()
    return tuple(sorted(range(weight.ndim), key=lambda axis: (-strides[axis], axis)))
