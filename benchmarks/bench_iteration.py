"""One iteration of feature clustering at 481x321, 100 features, 100 components, 2 blocks.

Ours and the plain loop in turn; value and gradient are checked equal first, peak memory is taken
in processes of their own. Run: ``python benchmarks/bench_iteration.py``.
"""

from __future__ import annotations

import sys

import torch

from measuring import in_turn, machine, peak_memory, ratio, run_alone, spread
from plain_clustering import PlainNetwork, plain_objective
from segmint.networks.clustering import ClusteringNetwork
from segmint.objectives import Batch, Objective
from segmint.solvers.descent import arithmetic

HEIGHT, WIDTH = 321, 481
OBJECTIVE = "similarity + 5*continuity"


def picture() -> torch.Tensor:
    """A photo-like image: smooth shapes with a little noise."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 12, 18, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(HEIGHT, WIDTH), mode="bicubic")
    return (smooth + 0.05 * torch.rand(1, 3, HEIGHT, WIDTH, generator=generator)).clamp(0, 1)


def twins() -> tuple[PlainNetwork, ClusteringNetwork]:
    """The same initial weights in both."""
    torch.manual_seed(0)
    plain, ours = PlainNetwork(), ClusteringNetwork()
    state = {k: v for k, v in plain.state_dict().items() if k in ours.state_dict()}
    ours.load_state_dict(state, strict=False)
    return plain, ours


class Ours:
    """An iteration of ours."""

    def __init__(self, network: ClusteringNetwork, dtype: torch.dtype) -> None:
        self.network, self.dtype = network, dtype
        image = picture().contiguous(memory_format=torch.channels_last)
        self.batch = Batch(image=image)
        self.objective = Objective(OBJECTIVE)
        self.optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)

    def __call__(self) -> float:
        with arithmetic(self.dtype, torch.device("cpu")):
            response = self.network.respond(self.batch.image)
        total = self.objective(response, self.batch)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        return float(total.detach())


class Plain:
    """An iteration of the plain loop."""

    def __init__(self, network: PlainNetwork) -> None:
        self.network, self.image = network, picture()
        self.optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)

    def __call__(self) -> float:
        self.optimizer.zero_grad()
        total = plain_objective(self.network(self.image))
        total.backward()
        self.optimizer.step()
        return float(total.detach())


def response_agreement(dtype: torch.dtype) -> tuple[float, float]:
    """Relative difference of value and gradient of the objective on the same response."""
    torch.manual_seed(1)
    response = torch.randn(1, 100, HEIGHT, WIDTH).to(dtype)
    plain = response.float().clone().requires_grad_()
    value = plain_objective(plain)
    value.backward()
    ours = response.contiguous(memory_format=torch.channels_last).requires_grad_()
    streamed = Objective(OBJECTIVE)(ours, Batch(image=torch.zeros(1, 3, HEIGHT, WIDTH)))
    streamed.backward()
    difference = (ours.grad.float() - plain.grad).norm() / plain.grad.norm()
    return abs(float((streamed - value).detach() / value.detach())), float(difference)


def network_agreement(dtype: torch.dtype) -> tuple[float, float]:
    """Relative difference of value and gradient of a whole iteration from the same weights.

    In float32 the plain loop itself is about 6e-5 away from the gradient in float64.
    """
    plain, ours = twins()
    first = plain_objective(plain(picture()))
    first.backward()
    work = Ours(ours, dtype)
    with arithmetic(dtype, torch.device("cpu")):
        response = ours.respond(work.batch.image)
    second = work.objective(response, work.batch)
    second.backward()
    # A bias that a later normalization takes away has no gradient but rounding: left out.
    names = [n for n, p in ours.named_parameters() if p.grad is not None]
    names = [name for name in names if not ("convolutions" in name and "bias" in name)]
    left = torch.cat([dict(plain.named_parameters())[n].grad.flatten() for n in names])
    right = torch.cat([dict(ours.named_parameters())[n].grad.flatten() for n in names])
    return (
        abs(float((second - first).detach() / first.detach())),
        float((left - right).norm() / left.norm()),
    )


def memory(which: str) -> None:
    """Print how much an iteration adds to the resident memory, in MiB."""
    plain, ours = twins()
    works = {
        "plain": lambda: Plain(plain),
        "float32": lambda: Ours(ours, torch.float32),
        "bfloat16": lambda: Ours(ours, torch.bfloat16),
    }
    work = works[which]()
    before = peak_memory()
    work()
    work()
    print(peak_memory() - before)


def main() -> None:
    """Print every figure."""
    print(machine())
    checks = (
        ("objective of one response", response_agreement, torch.float32, 1e-5),
        ("objective of one response", response_agreement, torch.bfloat16, 2e-2),
        ("iteration from the same weights", network_agreement, torch.float32, 1e-4),
        ("iteration from the same weights", network_agreement, torch.bfloat16, 2e-2),
    )
    for name, agreement, dtype, limit in checks:
        value, gradient = agreement(dtype)
        print(f"{name}, {dtype}: value differs by {value:.1e}, gradient by {gradient:.1e}")
        if max(value, gradient) > limit:
            raise SystemExit(f"more than {limit}: not the same objective")
    plain, ours = twins()
    _, single = twins()
    works = (Plain(plain), Ours(single, torch.float32), Ours(ours, torch.bfloat16))
    seconds = in_turn(*works, runs=7)
    for name, taken in zip(("plain", "float32", "bfloat16"), seconds, strict=True):
        printed, _, _ = run_alone(__file__, name)
        gain = ratio(seconds[0], taken)
        print(f"{name}: {spread(taken)}, {gain:.2f} times the plain speed, {printed.strip()} MiB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(sys.argv[1])
    else:
        main()
