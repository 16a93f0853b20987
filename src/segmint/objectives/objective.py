"""Objectives: weighted sums of terms, written as one line of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol, cast

import torch
from torch import Tensor, nn

from segmint.errors import UsageError
from segmint.networks.factored import FactoredResponse
from segmint.objectives import terms
from segmint.objectives.batch import Batch
from segmint.objectives.blame import not_finite
from segmint.objectives.expression import WeightedTerm, parse, written
from segmint.objectives.precision import full_precision
from segmint.objectives.streamed_weights import StreamedWeights
from segmint.objectives.streaming import streamed_objective
from segmint.objectives.term_options import checked_options

SYMMETRIC = frozenset({"rmi"})
"""Terms that are the same for probabilities p and 1 - p, so that they cannot stand alone."""


class Objective(nn.Module):
    """A weighted sum of terms.

    A pixel with a label feeds the supervised terms, a pixel without one the label-free terms. Terms
    that can be computed in one pass over the response are computed so, with the same value and
    gradient as one by one.

    Args:
        expression: terms joined by ``+``, each ``name``, ``weight*name`` or
            ``weight*name(option=value, ...)``, a value being a number, a word or a list of them in
            brackets; or a mapping from each name to its weight, or to a mapping of ``weight`` and
            options.

    Raises:
        UsageError: for an unknown term or option, a value that does not fit, an objective that is
            the same for a prediction and its opposite, or text that is not an objective.

    Example:
        >>> Objective("similarity + 5*continuity(x=1, y=0.5)").weights
        (1.0, 5.0)
        >>> str(Objective({"bce": 0.5, "rmi": {"weight": 0.5, "radius": 5}}))
        '0.5*bce + 0.5*rmi(radius=5)'
    """

    def __init__(self, expression: str | Mapping[str, Any]) -> None:
        super().__init__()
        asked = parse(expression)
        self.expression = written(asked)
        """Text that makes the same objective."""
        self.names = tuple(term.name for term in asked)
        self.weights = tuple(term.weight for term in asked)
        self.terms = nn.ModuleList(_build(term) for term in asked)
        _check_anchor(asked, self.terms)
        self.values: dict[str, Tensor] = {}
        """Weighted value of each term at the last call, scalars without gradient."""
        self._labels: Tensor | None = None
        self._response: tuple[Tensor, ...] = ()
        self._streamed = _combine(self.terms, self.weights)

    def __str__(self) -> str:
        return self.expression

    def forward(self, logits: Tensor | FactoredResponse, batch: Batch) -> Tensor:
        """The scalar objective of logits (N, K, H, W), written out or factored.

        Nothing here makes the host wait for the device, unless a term does.
        """
        alone = [n for n, term in enumerate(self.terms) if not self._streams(term)]
        if alone and isinstance(logits, FactoredResponse):
            logits = logits.expanded()
        self._response, self._labels = _detached(logits), None
        values: dict[str, Tensor] = {}
        totals = []
        with full_precision(self._response[0]):
            if self._streamed is not None:
                total, found = streamed_objective(logits, batch, self._streamed)
                values, self._labels = found.values, found.labels
                totals.append(total)
            for number in alone:
                name = self.names[number]
                total = self.weights[number] * self.terms[number](logits, batch)
                values[name] = values[name] + total.detach() if name in values else total.detach()
                totals.append(total)
        zero = torch.zeros((), device=self._response[0].device)
        self.values = {name: values.get(name, zero) for name in self.names}
        return sum(totals[1:], start=totals[0])

    @property
    def parts(self) -> dict[str, float]:
        """Weighted value of each term at the last call, as numbers."""
        return {name: float(value) for name, value in self.values.items()}

    @property
    def labels(self) -> Tensor:
        """(N, H, W) int16 channel of the largest logit at the last call."""
        if self._labels is None and self._response:
            self._labels = self._response[0].argmax(dim=1).to(torch.int16)
        return torch.empty(0, dtype=torch.int16) if self._labels is None else self._labels

    def blame(self, batch: Batch) -> NoReturn:
        """Say why the objective was no number at the last call, for the batch of that call.

        Raises:
            InputError: with the terms that are not finite, the images, whether their pixels or
                logits already were not, and what to do.
        """
        raise not_finite(self.values, self._response, batch)

    def _streams(self, term: nn.Module) -> bool:
        return self._streamed is not None and hasattr(term, "streamed")


class _Streamable(Protocol):
    def streamed(self, weight: float) -> StreamedWeights: ...


def _detached(logits: Tensor | FactoredResponse) -> tuple[Tensor, ...]:
    if isinstance(logits, FactoredResponse):
        return logits.features.detach(), logits.weight.detach(), logits.bias.detach()
    return (logits.detach(),)


def _build(asked: WeightedTerm) -> nn.Module:
    factory: Any = terms.load(asked.name)
    given = {name: value for name, value in asked.options.items() if not _is_forcing(asked, name)}
    options = checked_options(asked.name, factory, given)
    try:
        return cast(nn.Module, factory(**options))
    except UsageError as error:
        raise UsageError(f"term {asked.name!r}: {_without_dashes(str(error))}") from error


def _without_dashes(message: str) -> str:
    """A message about flags of the command line, for options in text."""
    return re.sub(r"--([a-z][a-z-]*)", lambda flag: flag[1].replace("-", "_"), message)


def _check_anchor(asked: Iterable[WeightedTerm], modules: nn.ModuleList) -> None:
    """Refuse an objective that cannot tell a prediction from its opposite."""
    symmetric = [term for term in asked if term.name in SYMMETRIC and term.weight != 0]
    anchored = any(
        term.name not in SYMMETRIC and term.weight > 0 and getattr(module, "supervised", False)
        for term, module in zip(asked, modules, strict=True)
    )
    for term in symmetric:
        if not anchored and term.options.get("forced") is not True:
            raise UsageError(
                f"{term.name} is the same for probabilities p and 1 - p, so it needs an anchor: "
                f"add bce or cross_entropy, as in '0.5*bce + 0.5*{term.name}', or write "
                f"'{term.name}(forced=true)' to have it alone"
            )


def _is_forcing(asked: WeightedTerm, option: str) -> bool:
    return asked.name in SYMMETRIC and option == "forced"


def _combine(modules: Iterable[nn.Module], weights: tuple[float, ...]) -> StreamedWeights | None:
    """The terms that can be streamed as one pass, or None when there are none or they differ."""
    combined: dict[str, Any] = {}
    streamable = False
    for module, weight in zip(modules, weights, strict=True):
        if not hasattr(module, "streamed"):
            continue
        streamable = True
        for name, value in vars(cast(_Streamable, module).streamed(weight)).items():
            if not value:
                continue
            if name in combined:
                return None
            combined[name] = value
    return StreamedWeights(**combined) if streamable else None
