"""Region mutual information against the obvious float64 code: time and memory of a step.

Run: ``python benchmarks/bench_rmi.py`` (two minutes), or with ``time`` or ``memory`` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from measuring import in_turn, machine, peak_memory, ratio, run_alone, spread
from plain_rmi import plain_rmi
from segmint.objectives.rmi import rmi_loss

CLASSES = 21
RUNS = 5
CLOSE_VALUE, CLOSE_GRADIENT = 1e-6, 1e-5


class Case(NamedTuple):
    """What is computed."""

    images: int
    side: int
    present: int
    pooling: str
    pool_size: int

    def title(self) -> str:
        """For a person."""
        pooling = f"{self.pooling} pooling {self.pool_size}" if self.pool_size > 1 else "no pooling"
        size = f"{self.images} x {CLASSES} x {self.side} x {self.side}"
        return f"{size}, {pooling}, {self.present} classes an image"


CASES = (
    Case(2, 224, 4, "none", 1),
    Case(2, 224, CLASSES, "none", 1),
    Case(4, 512, 4, "average", 4),
    Case(4, 512, CLASSES, "average", 4),
)

Loss = Callable[..., Tensor]


def published_value(logits: Tensor, mask: Tensor, **options: Any) -> Tensor:
    """The value of the obvious code."""
    return rmi_loss(logits, mask, normalization="paper", **options)


LOSSES: dict[str, Loss] = {"plain": plain_rmi, "paper": published_value, "window": rmi_loss}


def step(loss: Loss, case: Case) -> Callable[[], tuple[Tensor, Tensor]]:
    """A forward and a backward pass on made-up logits and a mask of blocks."""
    generator = torch.Generator().manual_seed(0)
    sides = (case.images, case.side, case.side)
    rough = torch.rand(case.images, case.present, 14, 14, generator=generator)
    places = functional.interpolate(rough, sides[1:], mode="nearest").argmax(dim=1)
    classes = torch.rand(case.images, CLASSES, generator=generator).argsort(dim=1)
    mask = classes.gather(1, places.flatten(1)).view(sides)
    logits = torch.randn(case.images, CLASSES, *sides[1:], generator=generator)
    logits.scatter_add_(1, mask[:, None], torch.full((case.images, 1, *sides[1:]), 3.0))
    logits.requires_grad_()

    def work() -> tuple[Tensor, Tensor]:
        value = loss(logits, mask, pooling=case.pooling, pool_size=case.pool_size)
        return value.detach(), torch.autograd.grad(value, logits)[0]

    return work


def times() -> None:
    """Seconds of a forward and a backward pass, in turn."""
    for case in CASES:
        works = {name: step(loss, case) for name, loss in LOSSES.items()}
        apart = differences(works["plain"](), works["paper"]())
        plain, paper, window = in_turn(*works.values(), runs=RUNS)
        print(
            f"{case.title()}: plain {spread(plain)}, paper {spread(paper)}, "
            f"{ratio(plain, paper):.1f} times faster, window {spread(window)}, "
            f"{ratio(plain, window):.1f} times faster, values within {apart[0]:.0e} and "
            f"gradients within {apart[1]:.0e}",
            flush=True,
        )


def differences(
    expected: tuple[Tensor, Tensor], found: tuple[Tensor, Tensor]
) -> tuple[float, float]:
    """Of values and of gradients, as shares; refused when they are not the same."""
    value, gradient = (
        float((ours - theirs).norm() / theirs.norm())
        for ours, theirs in zip(found, expected, strict=True)
    )
    if not (value <= CLOSE_VALUE and gradient <= CLOSE_GRADIENT):
        raise SystemExit(f"results differ: values by {value:.1e}, gradients by {gradient:.1e}")
    return value, gradient


def memory() -> None:
    """What a forward and a backward pass add to a process, each in one of its own."""
    for number, case in enumerate(CASES):
        added = {name: int(run_alone(__file__, "alone", name, str(number))[0]) for name in LOSSES}
        shares = ", ".join(
            f"{name} {added[name]} MiB ({added[name] / added['plain']:.2f})" for name in LOSSES
        )
        print(f"{case.title()}: memory added, {shares}", flush=True)


def alone(name: str, number: str) -> None:
    """Print the MiB that one forward and backward pass adds."""
    step(LOSSES[name], Case(1, 32, 4, "none", 1))()
    work = step(LOSSES[name], CASES[int(number)])
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    work()
    print(peak_memory() - before)


PARTS = {"time": times, "memory": memory}


def main() -> None:
    """Run the parts that are named, or all."""
    print(machine())
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        alone(*sys.argv[2:])
    else:
        main()
