"""Mutual learning: networks that learn from each other's predictions of the same pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple, cast, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from segmint.errors import InputError, UsageError
from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.mutual_chunks import chunks, dense
from segmint.objectives.mutual_steps import Gate, Mode, Rules, Sums, compare
from segmint.objectives.precision import full_precision, nothing, sum_type

COLDEST, HOTTEST = 1e-3, 1e6
"""Temperatures whose square float32 holds, and logits divided by them."""


class MutualLosses(NamedTuple):
    """What P peers learn from each other, and how far apart they are."""

    losses: list[Tensor]
    """P scalars; loss i has a gradient in the logits of peer i alone."""
    divergences: Tensor
    """(P, P): mean over pixels of KL(peer i || peer j) in nats, without gradient. On the diagonal
    0, or NaN for a peer whose own logits hold NaN."""
    agreement: Tensor
    """Scalar: share of the pixels for which all peers choose the same class, 0 to 1."""


def mutual_losses(
    logits: Sequence[Tensor],
    teachers: Sequence[Sequence[int]],
    *,
    where: Tensor | None = None,
    mask: Tensor | None = None,
    temperature: float = 1.0,
    mode: Mode = "ensemble",
    gate: Gate = "none",
    ignore_index: int = IGNORE_INDEX,
) -> MutualLosses:
    """Divergence of each peer's prediction from those of its teachers (Zhang et al. 2018).

    With ``p_i = softmax(z_i / T)`` and q the mean of the p of peer i's teachers, its loss is
    ``T^2 KL(q || p_i)``, summed over classes and averaged over pixels (their equations 5 to 8; T as
    in Hinton et al. 2015); pairwise it is the mean over teachers k of ``T^2 KL(p_k || p_i)``.
    Nothing flows back into the teachers. Without a gate both have the same gradient,
    ``T (p_i - q)`` a pixel: they differ by the mean over k of ``T^2 KL(p_k || q)``.

    Args:
        logits: of P peers, each (N, K, H, W) of any floating type and memory layout.
        teachers: for each peer the numbers, from 0, of those that teach it; it may have none.
        where: (N, H, W) boolean, the pixels that count; None counts all.
        mask: (N, H, W) integers, labels or ``ignore_index``; of use to the gate "right" alone.
        temperature: T, 0.001 to 1000000; divides all logits.
        mode: "ensemble" or "pairwise".
        gate: "none"; "surer", only pixels where the largest probability of the teaching side is
            larger than the peer's; "right", only pixels where its likeliest class is the label. The
            mean is still one over all pixels that count.
        ignore_index: label of the pixels without a label.

    Returns:
        Losses, divergences (without T^2 and gate) and agreement, all 0 when no pixel counts. A peer
        without teachers has the loss 0 with a gradient of 0. NaN in a peer's logits gives NaN in
        its loss and in those of the peers that it teaches, at pixels that do not count, too.

    Raises:
        InputError: when the shapes do not fit.
        UsageError: for fewer than two peers, teachers that are none, or options out of range.

    Example:
        >>> sure = torch.tensor([4.0, 0.0]).log().clamp(min=0).reshape(1, 2, 1, 1)
        >>> found = mutual_losses([sure, torch.zeros(1, 2, 1, 1)], [[1], [0]])
        >>> [round(float(loss), 4) for loss in found.losses]  # ln(5/4) and 0.8 ln 1.6 + 0.2 ln 0.4
        [0.2231, 0.1927]
    """
    rules = Rules(teachers, temperature, mode, gate, ignore_index)
    _check_peers(logits)
    _check_rules(rules, len(logits))
    _check_pixels(where, mask, logits[0], gate)
    learns = [
        torch.is_grad_enabled() and peer.requires_grad and len(taught_by) > 0
        for peer, taught_by in zip(logits, teachers, strict=True)
    ]
    with full_precision(logits[0]), torch.no_grad():
        sums, slopes = _sums(logits, learns, where, mask if gate == "right" else None, rules)
        share = 1 / _count(where, logits[0], sums.losses.dtype).clamp(min=1)
        losses, divergences, agreement, factor = (
            number.to(_precision(logits))
            for number in (
                sums.losses * share * temperature**2,
                sums.divergences * share,
                sums.agreeing * share,
                share * temperature,
            )
        )
    attached = [
        _attached(peer, loss, slope, factor)
        for peer, loss, slope in zip(logits, losses, slopes, strict=True)
    ]
    return MutualLosses(attached, divergences, agreement)


class _Learned(torch.autograd.Function):
    """A value whose gradient, but for a factor, is known already."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, loss: Tensor, slope: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(slope, factor)
        return loss.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        slope, factor = ctx.saved_tensors
        return _scaled(slope, upstream * factor), None, None, None


def _attached(peer: Tensor, loss: Tensor, slope: Tensor | None, factor: Tensor) -> Tensor:
    """The loss, with its gradient in the peer's logits."""
    if slope is None:
        return nothing(peer) + loss.detach()
    return cast(Tensor, _Learned.apply(peer, loss, slope, factor))  # type: ignore[no-untyped-call]


def _sums(
    logits: Sequence[Tensor],
    learns: Sequence[bool],
    where: Tensor | None,
    labels: Tensor | None,
    rules: Rules,
) -> tuple[Sums, list[Tensor | None]]:
    """Sums over all pixels, and gradients in the divided logits for those that learn."""
    peers = [dense(peer) for peer in logits]
    slopes = [
        torch.empty_like(peer) if learning else None
        for peer, learning in zip(peers, learns, strict=True)
    ]
    total = _no_sums(peers)
    for chunk in chunks(peers, slopes, where, labels):
        found = compare(chunk, rules, _precision(peers))
        total = Sums(*(one + other for one, other in zip(total, found, strict=True)))
    return total, slopes


def _no_sums(peers: Sequence[Tensor]) -> Sums:
    zero = torch.zeros((), dtype=sum_type(peers[0].device), device=peers[0].device)
    count = len(peers)
    return Sums(zero.expand(count), zero.expand(count, count), zero)


def _count(where: Tensor | None, peer: Tensor, dtype: torch.dtype) -> Tensor:
    """How many pixels count."""
    if where is not None:
        return where.sum().to(dtype)
    return torch.full((), peer[:, :1].numel(), dtype=dtype, device=peer.device)


def _scaled(slope: Tensor, factor: Tensor) -> Tensor:
    """The product in the slope's type; a factor too small for half precision is not rounded."""
    if slope.device.type == "cpu":
        return slope * factor  # A single number is taken as it is there, without wide copies.
    return (slope * factor.reshape(1)).to(slope.dtype)


def _precision(logits: Sequence[Tensor]) -> torch.dtype:
    """Float64 if any peer has that, else float32."""
    return reduce(torch.promote_types, (peer.dtype for peer in logits), torch.float32)


def _check_peers(logits: Sequence[Tensor]) -> None:
    if len(logits) < 2:
        raise UsageError(
            f"mutual learning compares two peers or more, received {len(logits)}: give the logits "
            "of each peer"
        )
    for number, peer in enumerate(logits):
        if peer.ndim != 4 or not peer.shape[1] or not peer.is_floating_point():
            raise InputError(
                f"the logits of peer {number} have the shape {tuple(peer.shape)} and the type "
                f"{peer.dtype}, accepted is (N, K, H, W) of a floating type, K being 1 or more"
            )
        if peer.shape != logits[0].shape:
            raise InputError(
                f"the logits of peer 0 have the shape {tuple(logits[0].shape)} and those of peer "
                f"{number} {tuple(peer.shape)}: bring all peers to the same classes and size"
            )


def _check_rules(rules: Rules, peers: int) -> None:
    if not COLDEST <= rules.temperature <= HOTTEST:
        raise UsageError(
            f"temperature is {rules.temperature}, accepted is a number from {COLDEST:g} to "
            f"{HOTTEST:g}"
        )
    for name, value, known in (("mode", rules.mode, Mode), ("gate", rules.gate, Gate)):
        if value not in get_args(known):
            raise UsageError(f"{name} is {value!r}, accepted are {', '.join(get_args(known))}")
    if len(rules.teachers) != peers:
        raise UsageError(
            f"teachers has {len(rules.teachers)} entries, but there are {peers} peers: list the "
            "teachers of each peer"
        )
    for student, teachers in enumerate(rules.teachers):
        for number, teacher in enumerate(teachers):
            is_other = hasattr(teacher, "__index__") and 0 <= teacher < peers
            if not is_other or teacher in (student, *teachers[:number]):
                raise UsageError(
                    f"teacher {teacher} of peer {student} is no other peer: accepted are 0 to "
                    f"{peers - 1} but {student}, each once"
                )


def _check_pixels(where: Tensor | None, mask: Tensor | None, peer: Tensor, gate: Gate) -> None:
    if gate == "right" and mask is None:
        raise UsageError("gate is 'right', which is known from labels: give the mask, too")
    for name, pixels in (("where", where), ("mask", mask)):
        if pixels is not None and pixels.shape != (len(peer), *peer.shape[2:]):
            raise InputError(
                f"{name} has the shape {tuple(pixels.shape)} and the logits {tuple(peer.shape)}, "
                "accepted are (N, H, W) and (N, K, H, W) of the same N, H and W"
            )
    if where is not None and where.dtype != torch.bool:
        raise InputError(f"where is of the type {where.dtype}, accepted is torch.bool")
    if mask is not None and (mask.is_floating_point() or mask.is_complex()):
        raise InputError(f"mask is of the type {mask.dtype}, accepted are integers")
