"""What the predictions of several peers for some pixels say of each other.

With z the logits of a peer and T the temperature, its prediction is p = softmax(z / T). The
gradient in z / T of KL(q || p) is p - q: one subtraction while both are at hand, so that it is
made with the value, and the exponentials are taken once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from segmint.objectives.mutual_chunks import Chunk
from segmint.objectives.precision import sum_type

Mode = Literal["ensemble", "pairwise"]
Gate = Literal["none", "surer", "right"]


class Rules(NamedTuple):
    """Who teaches whom, and how."""

    teachers: Sequence[Sequence[int]]
    temperature: float
    mode: Mode
    gate: Gate
    ignore_index: int


class Sums(NamedTuple):
    """Sums over the pixels that count, in nats at the temperature."""

    losses: Tensor
    """(P,) divergence of the teachers from each peer, where the gate is open."""
    divergences: Tensor
    """(P, P) KL of row and column."""
    agreeing: Tensor
    """Scalar: pixels for which all peers choose the same class."""


class Predictions(NamedTuple):
    """Of one side (M, K, L), or of several in a row."""

    probabilities: Tensor
    logarithms: Tensor

    def of(self, peer: int) -> Predictions:
        """That of one peer."""
        return Predictions(self.probabilities[peer], self.logarithms[peer])


def compare(chunk: Chunk, rules: Rules, dtype: torch.dtype) -> Sums:
    """Sums over a chunk, whose slopes get the gradients of ``losses`` in the divided logits.

    Args:
        chunk: pixels of all peers.
        rules: who teaches whom.
        dtype: to compute in, float32 or float64.
    """
    peers = _predictions(chunk.logits, rules.temperature, dtype)
    counts = None if chunk.counts is None else chunk.counts.to(dtype)
    divergences = _divergences(peers)
    losses = [
        _teach(student, peers, divergences, chunk._replace(counts=counts), rules)
        for student in range(len(peers.logarithms))
    ]
    classes = first_largest(peers.logarithms)
    agreeing = (classes == classes[0]).all(dim=0).to(dtype)
    return Sums(torch.stack(losses), _total(divergences, counts), _total(agreeing, counts))


def first_largest(values: Tensor) -> Tensor:
    """Index along the last dimension but one of the first largest value, as a float.

    Several times as fast on a CPU as ``argmax`` is there.

    Example:
        >>> first_largest(torch.tensor([[1.0], [3.0], [3.0]])).tolist()
        [1.0]
    """
    classes = values.shape[-2]
    ranks = torch.arange(classes, 0, -1, dtype=values.dtype, device=values.device)
    # Comparing into floats is vectorized, comparing into booleans is not.
    is_largest = torch.empty_like(values)
    torch.eq(values, values.amax(dim=-2, keepdim=True), out=is_largest)
    return classes - is_largest.mul_(ranks.unsqueeze(1)).amax(dim=-2)


def _predictions(logits: Sequence[Tensor], temperature: float, dtype: torch.dtype) -> Predictions:
    """(P, M, K, L), from logits in any strides."""
    first = logits[0]
    room = torch.empty((len(logits), *first.shape), dtype=dtype, device=first.device)
    for place, own in zip(room, logits, strict=True):
        torch.div(own.to(dtype), temperature, out=place)
    logarithms = room.log_softmax(dim=-2)
    return Predictions(torch.exp(logarithms, out=room), logarithms)


def _divergences(peers: Predictions) -> Tensor:
    """KL of each peer and each other, (P, P, M, L); on the diagonal 0, or NaN where a peer is."""
    probabilities, logarithms = peers
    count, images, _, length = logarithms.shape
    divergences = logarithms.new_empty((count, count, images, length))
    for peer in range(count):
        divergences[peer, peer] = 0 * probabilities[peer].amax(dim=-2)
    for one, other in combinations(range(count), 2):
        # A sum of differences, not a difference of sums: exactly 0 for equal peers.
        difference = logarithms[one] - logarithms[other]
        divergences[one, other] = (difference * probabilities[one]).sum(dim=-2)
        divergences[other, one] = -difference.mul_(probabilities[other]).sum(dim=-2)
    return divergences


def _teach(
    student: int, peers: Predictions, divergences: Tensor, chunk: Chunk, rules: Rules
) -> Tensor:
    """The summed loss of one student; its gradient goes to the chunk."""
    own, place = peers.of(student), chunk.slopes[student]
    sides = list(_sides(student, peers, divergences, rules))
    losses, slope = torch.zeros_like(divergences[0, 0]), None
    for side, divergence in sides:
        weights = _weights(side, own, chunk, rules)
        losses += divergence if weights is None else divergence * weights
        if place is not None:
            pull = own.probabilities - side.probabilities
            pull = pull if weights is None else pull.mul_(weights.unsqueeze(-2))
            slope = pull if slope is None else slope.add_(pull)
    if place is not None and slope is not None:
        slope = slope if len(sides) == 1 else slope.div_(len(sides))
        # To the type first: changing type and strides at once takes twice as long.
        place.copy_(slope.to(place.dtype))
    return _total(losses) / max(len(sides), 1)


def _sides(
    student: int, peers: Predictions, divergences: Tensor, rules: Rules
) -> Iterator[tuple[Predictions, Tensor]]:
    """What draws a student, each with its divergence (M, L) from the student."""
    teachers = rules.teachers[student]
    if rules.mode == "pairwise" or len(teachers) <= 1:
        yield from ((peers.of(teacher), divergences[teacher, student]) for teacher in teachers)
        return
    mean = _mean(peers, teachers)
    difference = mean.logarithms - peers.logarithms[student]
    yield mean, difference.mul_(mean.probabilities).sum(dim=-2)


def _mean(peers: Predictions, members: Sequence[int]) -> Predictions:
    total = peers.probabilities[members[0]].clone()
    for member in members[1:]:
        total += peers.probabilities[member]
    probabilities = total.div_(len(members))
    # Where it is 0 the logarithm is multiplied by 0, and has to be finite for that.
    least = torch.finfo(probabilities.dtype).tiny
    return Predictions(probabilities, probabilities.clamp(min=least).log_())


def _weights(side: Predictions, own: Predictions, chunk: Chunk, rules: Rules) -> Tensor | None:
    """(M, L): 1 where the side teaches and the pixel counts, else 0; None is 1 everywhere."""
    if rules.gate == "none":
        return chunk.counts
    if rules.gate == "surer":
        is_open = side.logarithms.amax(dim=-2) > own.logarithms.amax(dim=-2)
    else:
        assert chunk.labels is not None
        is_open = first_largest(side.logarithms) == chunk.labels
        is_open &= chunk.labels != rules.ignore_index
    weights = is_open.to(own.logarithms.dtype)
    return weights if chunk.counts is None else weights * chunk.counts


def _total(pixels: Tensor, counts: Tensor | None = None) -> Tensor:
    """Sum over images and pixels; NaN is not hidden by a pixel's not counting."""
    weighted = pixels if counts is None else pixels * counts
    return weighted.sum(dim=(-2, -1), dtype=sum_type(pixels.device))
