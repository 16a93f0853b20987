"""Objectives: weighted sums of terms, written as one line of text."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from segmint.errors import UsageError, nearest
from segmint.networks.factored import FactoredResponse
from segmint.objectives import terms
from segmint.objectives.batch import Batch
from segmint.objectives.streamed_weights import StreamedWeights
from segmint.objectives.streaming import streamed_objective

_TERM = re.compile(r"(?:(?P<weight>[^*()]+)\*)?(?P<name>[a-z_]\w*)(?:\((?P<arguments>[^()]*)\))?")


class Objective(nn.Module):
    """A weighted sum of terms.

    Terms that can be computed in one pass over the response are computed so, with the same value
    and gradient as one by one.

    Args:
        expression: terms joined by ``+``, each ``name``, ``weight*name`` or
            ``weight*name(option=number, ...)``.

    Raises:
        UsageError: for an unknown term, an unknown option or text that is not an objective.

    Example:
        >>> Objective("similarity + 5*continuity(x=1, y=0.5)").weights
        (1.0, 5.0)
    """

    def __init__(self, expression: str) -> None:
        super().__init__()
        parsed = [_parse(text) for text in _split(expression)]
        self.names = tuple(name for _, name, _ in parsed)
        self.weights = tuple(weight for weight, _, _ in parsed)
        self.terms = nn.ModuleList(_build(name, arguments) for _, name, arguments in parsed)
        self.parts: dict[str, float] = {}
        """Weighted value of each term at the last call."""
        self.labels = torch.empty(0, dtype=torch.int16)
        """(N, H, W) channel of the largest logit at the last call."""
        self._streamed = _combine(self.terms, self.weights)

    def forward(self, logits: Tensor | FactoredResponse, batch: Batch) -> Tensor:
        """The scalar objective of logits (N, K, H, W), written out or factored."""
        if self._streamed is not None:
            total, found = streamed_objective(logits, batch, self._streamed)
            self.parts = {name: found.parts.get(name, 0.0) for name in self.names}
            self.labels = found.labels
            return total
        if isinstance(logits, FactoredResponse):
            logits = logits.expanded()
        self.labels = logits.detach().argmax(dim=1).to(torch.int16)
        values = [
            weight * term(logits, batch)
            for weight, term in zip(self.weights, self.terms, strict=True)
        ]
        self.parts = {}
        for name, value in zip(self.names, values, strict=True):
            self.parts[name] = self.parts.get(name, 0.0) + float(value.detach())
        return cast(Tensor, sum(values[1:], start=values[0]))


class _Streamable(Protocol):
    def streamed(self, weight: float) -> StreamedWeights: ...


def _split(expression: str) -> list[str]:
    texts = [re.sub(r"\s+", "", text) for text in re.split(r"(?<![\d.][eE])\+", expression)]
    if not all(texts):
        raise UsageError(
            f"objective {expression!r} has an empty term: write it like 'similarity + 5*continuity'"
        )
    return texts


def _parse(text: str) -> tuple[float, str, dict[str, float]]:
    match = _TERM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"term {text!r} is not 'name', 'weight*name' or 'weight*name(option=number)'"
        )
    weight = _number(match["weight"], text) if match["weight"] else 1.0
    arguments: dict[str, float] = {}
    for argument in filter(None, (match["arguments"] or "").split(",")):
        name, _, value = argument.partition("=")
        if name in arguments:
            raise UsageError(f"term {text!r} gives {name} twice: give it once")
        arguments[name] = _number(value, text)
    return weight, match["name"], arguments


def _number(text: str, term: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} in term {term!r} is not a number") from error
    if not math.isfinite(number):
        raise UsageError(f"{text!r} in term {term!r} is not a finite number")
    return number


def _build(name: str, arguments: dict[str, float]) -> nn.Module:
    factory: Any = terms.load(name)
    parameters = inspect.signature(factory).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for argument in arguments:
        if argument not in known:
            accepted = nearest(argument, known) if known else "it has no options"
            raise UsageError(f"term {name!r} does not take {argument}: {accepted}")
    return cast(nn.Module, factory(**arguments))


def _combine(modules: nn.ModuleList, weights: tuple[float, ...]) -> StreamedWeights | None:
    """The terms as one streamed pass, or None when one of them cannot or they differ."""
    if not all(hasattr(module, "streamed") for module in modules):
        return None
    combined: dict[str, Any] = {}
    for module, weight in zip(modules, weights, strict=True):
        for name, value in vars(cast(_Streamable, module).streamed(weight)).items():
            if not value:
                continue
            if name in combined:
                return None
            combined[name] = value
    return StreamedWeights(**combined)
