"""Forward and backward of the supervised terms on 8 x 21 x 224 x 224 logits.

Each against the obvious code on a float32 copy: the functions of torch, and the losses of
segmentation-models-pytorch. Value and gradient are checked equal first; then the two take turns.
Run: ``python benchmarks/bench_objectives.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from measuring import in_turn, machine, ratio, spread
from segmint.objectives import Batch, Objective
from segmint.objectives.continuity import continuity_loss, neighbor_weights
from segmint.torchvision_operators import declare_operators

IMAGES, CLASSES, SIDE, IGNORED = 8, 21, 224, 255
Loss = Callable[[Tensor, Batch], Tensor]


def plain_losses() -> dict[str, Loss]:
    """The obvious code of each term."""
    declare_operators()
    import segmentation_models_pytorch.losses as smp

    def of(name: str, **options: Any) -> Loss:
        loss = getattr(smp, name)("multiclass", ignore_index=IGNORED, **options)
        return lambda logits, batch: loss(logits.float(), batch.mask)

    return {
        "cross_entropy": plain_cross_entropy,
        "bce": plain_bce,
        "focal": of("FocalLoss"),
        "dice": of("DiceLoss"),
        "jaccard": of("JaccardLoss"),
        "tversky(alpha=0.3, beta=0.7)": of("TverskyLoss", alpha=0.3, beta=0.7),
        "lovasz": of("LovaszLoss"),
        "cross_entropy + 0.1*continuity": lambda logits, batch: (
            plain_cross_entropy(logits, batch)
            + 0.1 * continuity_loss(logits, weights=neighbor_weights(batch))
        ),
    }


def plain_cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    """By the function of torch."""
    return functional.cross_entropy(logits.float(), batch.mask, ignore_index=IGNORED)


def plain_bce(logits: Tensor, batch: Batch) -> Tensor:
    """By the function of torch, against a one-hot mask."""
    known = batch.mask != IGNORED
    onehot = functional.one_hot(batch.mask.masked_fill(~known, 0), CLASSES).movedim(-1, 1).float()
    values = functional.binary_cross_entropy_with_logits(logits.float(), onehot, reduction="none")
    return (values * known.unsqueeze(1)).sum() / known.sum()


def made(dtype: torch.dtype, layout: torch.memory_format) -> tuple[Tensor, Batch]:
    """Logits and a mask whose last tenth of rows has no label."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(IMAGES, CLASSES, SIDE, SIDE, generator=generator)
    coarse = torch.randint(CLASSES, (IMAGES, 1, 8, 8), generator=generator)
    mask = functional.interpolate(coarse.float(), size=(SIDE, SIDE)).long()[:, 0]
    mask[:, -SIDE // 10 :] = IGNORED
    logits = logits.to(dtype).contiguous(memory_format=layout).requires_grad_()
    return logits, Batch(image=torch.zeros(IMAGES, 1, SIDE, SIDE), mask=mask)


def step(loss: Loss, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Value and gradient."""
    value = loss(logits, batch)
    return value.detach(), torch.autograd.grad(value, logits)[0]


def main() -> None:
    """Print every figure."""
    print(machine(), f"{torch.get_num_threads()} threads", sep=", ")
    for dtype, limit in ((torch.float32, 1e-3), (torch.bfloat16, 1e-2)):
        for layout in (torch.contiguous_format, torch.channels_last):
            logits, batch = made(dtype, layout)
            print(f"{dtype}, {layout}")
            for name, plain in plain_losses().items():
                report(name, plain, Objective(name), logits, batch, limit)


def report(name: str, plain: Loss, ours: Loss, logits: Tensor, batch: Batch, limit: float) -> None:
    """Print one term."""
    (value, expected), (found, gradient) = step(plain, logits, batch), step(ours, logits, batch)
    distance = (gradient.float() - expected.float()).norm() / expected.float().norm()
    off = max(float(abs(found - value) / value), float(distance))
    if off > limit:
        raise SystemExit(f"{name} differs by {off:.1e}: not the same loss")
    seconds = in_turn(lambda: step(plain, logits, batch), lambda: step(ours, logits, batch), runs=5)
    print(
        f"  {name}: {spread(seconds[0])} plain, {spread(seconds[1])} ours, "
        f"{ratio(*seconds):.1f} times faster, differs by {off:.0e}"
    )


if __name__ == "__main__":
    main()
