"""deepG and deepSVG on one image of 160x160 pixels, three channels, four components.

Ours against the published loop written the obvious way (``plain_deepg.py``): first that loss and
gradient agree from the same weights, then an epoch at the published settings in turn, then how soon
each comes to the likelihood at which the plain run stops.

Run: ``python benchmarks/bench_deepg.py``; with ``epoch`` only the first two parts.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import torch
from torch import Tensor

from measuring import in_turn, machine, ratio, spread
from plain_deepg import PlainEpoch, PlainUNet, plain_fit, plain_loss
from segmint.methods.deepg import PUBLISHED, OneImageOptions
from segmint.mixtures import GaussianMixture
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives import Batch
from segmint.solvers.mixture_learner import MixtureLearner
from segmint.solvers.mixture_network import fit_mixture_network
from segmint.solvers.mixture_settings import MixtureSettings

SIZE = 160
COMPONENTS = 4
NAMES = {False: "deepG", True: "deepSVG"}
PARTS = {"first": "0", "second": "2", "normalization": "3"}


def heart() -> Batch:
    """A made-up heart, standardized, and where it is.

    Blood, muscle around it, and in the muscle an edema with a scar inside; the channels differ in
    what they show. A slow drift and noise lie over everything.
    """
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIZE) - 80.0, torch.arange(SIZE) - 78.0, indexing="ij")
    distance, angle = torch.hypot(y, 0.92 * x), torch.atan2(y, x)
    wave = 3 * torch.sin(3 * angle) + 2 * torch.cos(5 * angle)
    region = distance < 55 + wave
    labels = (distance > 34 + 0.7 * wave).long()
    edema = (labels == 1) & (angle.abs() < 0.9)
    scar = edema & (angle.abs() < 0.5) & (distance < 48)
    labels[edema], labels[scar] = 2, 3
    shades = torch.tensor([[1.2, 0.2, 1.5], [0.0, 0.0, 0.0], [0.4, 1.3, 0.3], [1.9, 1.0, 0.4]])
    coarse = torch.rand(1, 3, 9, 9, generator=generator) * 2 - 0.5
    around = torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic")[0]
    image = torch.where(region, shades[labels].permute(2, 0, 1), around)
    noise = torch.randn(3, SIZE, SIZE, generator=generator)
    image = image + 0.25 * noise + 0.3 * torch.sin(x / 50 + y / 70)
    image = (image - image.mean(dim=(1, 2), keepdim=True)) / image.std(dim=(1, 2), keepdim=True)
    return Batch(image=image[None], region=region[None])


def channels_last(batch: Batch) -> Batch:
    """The batch as the solvers hold it."""
    return replace(batch, image=batch.image.contiguous(memory_format=torch.channels_last))


def twins() -> tuple[PlainUNet, UNet]:
    """The same initial weights in both."""
    torch.manual_seed(0)
    plain, ours = PlainUNet(classes=COMPONENTS), UNet(classes=COMPONENTS)
    state = plain.state_dict()
    weights = {name: state[plain_name(name)] for name, _ in ours.named_parameters()}
    ours.load_state_dict(weights, strict=False)
    return plain, ours


def plain_name(name: str) -> str:
    """The name that a weight of ours has in the plain network."""
    return ".".join(PARTS.get(part, part) for part in name.split("."))


def agreement(dtype: torch.dtype, *, varying: bool) -> tuple[float, float]:
    """Relative difference of loss and gradient from the same weights.

    Where a value rounds to the other side of a leaky ReLU or another pixel wins a maximum, a
    gradient jumps: from float64 the plain loop in float32 is up to 6e-4 away, and ours up to 1e-3.
    """
    plain, ours = twins()
    batch = heart()
    expected = plain_loss(plain(batch.image), batch.image, batch.region, varying=varying)
    expected.backward()
    learner = learner_of(ours, dtype, varying=varying)
    _, found, _ = learner.measure(channels_last(batch))
    found.backward()
    theirs = dict(plain.named_parameters())
    left = torch.cat([theirs[plain_name(n)].grad.flatten() for n, _ in ours.named_parameters()])
    right = torch.cat([weight.grad.flatten() for weight in ours.parameters()])
    return (
        abs(float((found - expected).detach() / expected.detach())),
        float((left - right).norm() / left.norm()),
    )


def learner_of(network: UNet, dtype: torch.dtype, *, varying: bool) -> MixtureLearner:
    """The published settings."""
    return MixtureLearner(network, settings_of(OneImageOptions(**PUBLISHED), varying), dtype=dtype)


def settings_of(options: OneImageOptions, varying: bool) -> MixtureSettings[OneImageOptions]:
    """For the made-up heart, of which no means are known."""
    return MixtureSettings(options=options, classes=COMPONENTS, varying=varying)


def show_agreement() -> None:
    """Print how far loss and gradient are apart; leave when it is too far."""
    for varying in (False, True):
        for dtype, limits in ((torch.float32, (1e-5, 5e-3)), (torch.bfloat16, (1e-2, 0.3))):
            found = agreement(dtype, varying=varying)
            print(f"{NAMES[varying]}, {dtype}: loss differs by {found[0]:.1e}, ", end="")
            print(f"gradient by {found[1]:.1e}")
            if any(each > limit for each, limit in zip(found, limits, strict=True)):
                raise SystemExit(f"more than {limits}: not the same objective")


def show_epochs() -> None:
    """Print seconds of an epoch at the published settings, all ways in turn."""
    batch = heart()
    for varying in (False, True):
        plain, _ = twins()
        works = [PlainEpoch(plain, batch.image, batch.region, varying=varying)]
        for dtype in (torch.float32, torch.bfloat16):
            learner = learner_of(UNet(classes=COMPONENTS), dtype, varying=varying)
            whole = channels_last(batch)
            works.append(lambda a=learner, b=whole: a.step(a.measure(b)[1]))
        seconds = in_turn(*works, runs=9)
        for name, taken in zip(("plain", "float32", "bfloat16"), seconds, strict=True):
            gain = ratio(seconds[0], taken)
            print(f"{NAMES[varying]} epoch, {name}: {spread(taken)}, {gain:.2f} times as fast")


def targets(batch: Batch) -> Tensor:
    """(1, K, H, W) probabilities of a mixture without a network."""
    inside = batch.region[0]
    values = batch.image[0][:, inside].T.numpy()
    found = GaussianMixture(COMPONENTS, seed=0).fit(values).predict_proba(values)
    placed = torch.zeros(1, COMPONENTS, SIZE, SIZE)
    placed[0][:, inside] = torch.from_numpy(found).float().T
    return placed


def reach(settings: MixtureSettings[OneImageOptions], goal: float) -> str:
    """How many epochs and seconds ours takes to a likelihood, starting costs included."""
    batch = heart()
    moments: list[float] = []
    start = time.perf_counter()
    fit = fit_mixture_network(
        batch,
        settings,
        dtype=torch.bfloat16,
        targets=targets(batch) if settings.options.start == "em" else None,
        observe=lambda *_: moments.append(time.perf_counter() - start),
    )
    values = [row["nll"] for row in fit.history]
    end = f"stops after {fit.epochs} epochs, {moments[-1]:.1f} s, at {fit.nll:.3f}"
    for epoch, value in enumerate(values):
        if value <= goal:
            return f"there after {epoch + 1} epochs, {moments[epoch]:.1f} s; {end}"
    return f"never there; {end}"


def show_fits() -> None:
    """Print when the plain run stops, and when ours comes as far."""
    batch = heart()
    default = OneImageOptions()
    ways = {
        "default": default,
        "published settings": OneImageOptions(**PUBLISHED),
        "default without crop": replace(default, full_frame=True),
        "default from EM": replace(default, start="em"),
        "default, learning rate 1e-3": replace(default, learning_rate=1e-3),
        "default without continuity": replace(default, continuity_weight=0.0),
    }
    for varying in (False, True):
        plain, _ = twins()
        start = time.perf_counter()
        losses = plain_fit(PlainEpoch(plain, batch.image, batch.region, varying=varying))
        seconds = time.perf_counter() - start
        print(f"{NAMES[varying]}, plain: {len(losses)} epochs, {seconds:.1f} s to {losses[-1]:.3f}")
        for name, options in ways.items():
            found = reach(settings_of(options, varying), losses[-1])
            print(f"{NAMES[varying]}, {name}: {found}", flush=True)


def main() -> None:
    """Print every figure."""
    torch.set_num_threads(2)
    print(machine())
    share = float(heart().region.float().mean())
    print(f"{share:.0%} of the pixels are in the region")
    show_agreement()
    show_epochs()
    if "epoch" not in sys.argv[1:]:
        show_fits()


if __name__ == "__main__":
    main()
