"""The study's step of mutual learning written the obvious way: float32, NCHW, peer after peer.

For each peer in its turn: both peers' forward passes, the loss with the other's logits detached,
the backward pass and Adam, and a forward pass for the scores that the study prints of every step.
That makes six forward and two backward passes. ``PlainMutualStep(..., frugal=True)`` keeps no graph
where no gradient is needed.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional


def plain_loss(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy, and the divergence summed over classes and averaged over pixels."""
    divergence = functional.kl_div(
        functional.log_softmax(logits, dim=1), functional.softmax(target, dim=1), reduction="none"
    )
    return functional.cross_entropy(logits, mask) + divergence.sum(dim=1).mean()


class PlainMutualStep:
    """Two peers, each changed in its turn."""

    def __init__(
        self,
        peers: tuple[nn.Module, nn.Module],
        image: Tensor,
        mask: Tensor,
        *,
        frugal: bool = False,
    ) -> None:
        self.peers, self.image, self.mask = peers, image, mask
        self.frugal = frugal
        self.optimizers = [torch.optim.Adam(peer.parameters(), lr=1e-3) for peer in peers]

    def __call__(self) -> float:
        right = 0.0
        for number, optimizer in enumerate(self.optimizers):
            own, other = self.peers[number], self.peers[1 - number]
            optimizer.zero_grad()
            logits = own(self.image)
            with torch.no_grad() if self.frugal else nullcontext():
                target = other(self.image)
            loss = plain_loss(logits, target.detach(), self.mask)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                right += float((own(self.image).argmax(dim=1) == self.mask).float().mean())
        return right / 2
