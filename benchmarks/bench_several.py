"""Images of one size that go through a network together, against one by one.

Networks learn a step on made-up pictures, are opened as runs, and answer images in memory with
``Run.segment_several``: all alone, and in batches. First is checked that images are answered alike,
to the last bit, in batches of other images, and how far probabilities are from those of the image
alone. The processor computes with one thread; on a GPU nothing was measured yet.

Run: ``python benchmarks/bench_several.py [--device cuda] [--count 64] [--together 4 16]``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow

from measuring import in_turn, machine, ratio, spread
from pictures import photo

NETWORKS = {"unet": {"features": 16, "levels": 4}, "smp:unet/resnet18": {}}
SIZES = ((64, 64), (256, 256), (321, 481))
PRECISIONS = ("float32", "auto")
SIDE = 128


def learn(folder: Path, network: str) -> Path:
    """A run after one step; what it says does not matter here."""
    import segmint

    pixels = np.asarray(photo(4 * SIDE, SIDE))
    for number in range(4):
        image = pixels[:, number * SIDE : (number + 1) * SIDE]
        mask = image.astype(np.uint16).sum(axis=2) // 192  # four shades are the classes
        for what, array in (("images", image), ("masks", mask.astype(np.uint8))):
            place = folder / "data" / "train" / what / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(array).save(place)
    options = {"network": network, "steps": 1, "batch_size": 2, "crop": 64, "resize": 0}
    options |= NETWORKS[network]
    segmint.train("unet", folder / "data", out=folder / "run", device="cpu", **options)
    return folder / "run"


def crops(count: int, height: int, width: int) -> list[object]:
    """Images of a size, all different."""
    from segmint.images import Image

    pixels, generator = np.asarray(photo(1024, 1024)), np.random.default_rng(0)
    corners = zip(
        generator.integers(0, 1024 - height, count),
        generator.integers(0, 1024 - width, count),
        strict=True,
    )
    return [
        Image.from_array(np.ascontiguousarray(pixels[top : top + height, left : left + width]))
        for top, left in corners
    ]


def check(run: object, images: Sequence[object], together: int) -> float:
    """Greatest difference of probabilities from those of the image alone.

    Raises:
        AssertionError: when an image is answered otherwise beside other images.
    """
    few = images[: 2 * together]
    found = run.segment_several(few, together=together)
    turned = run.segment_several(few[::-1], together=together)[::-1]
    last = run.segment_several(few[-1:], together=together)[0]
    for one, other in [*zip(found, turned, strict=True), (found[-1], last)]:
        assert np.array_equal(one.probabilities, other.probabilities)
    alone = run.segment_several(few, together=1)
    return max(
        float(np.abs(one.probabilities - other.probabilities).max())
        for one, other in zip(found, alone, strict=True)
    )


def measure(run: object, images: Sequence[object], together: Sequence[int], rounds: int) -> None:
    """Print the times of all images, alone and in batches of each number."""
    differences = [check(run, images, count) for count in together]
    works = [partial(run.segment_several, images, together=count) for count in (1, *together)]
    alone, *batched = in_turn(*works, runs=rounds)
    print(f"  alone: {spread(alone)}", flush=True)
    for count, seconds, difference in zip(together, batched, differences, strict=True):
        print(
            f"  {count} together: {spread(seconds)}, {ratio(alone, seconds):.2f} times the speed; "
            f"probabilities differ by {difference:.1e}",
            flush=True,
        )


def main() -> None:
    """Measure all networks, sizes and precisions."""
    from segmint.recipes.run import Run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--together", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{machine()}, 1 thread, {chosen.count} images, {chosen.rounds} rounds in turn")
    for network in chosen.networks:
        with tempfile.TemporaryDirectory() as folder:
            path = learn(Path(folder), network)
            for precision in PRECISIONS:
                run = Run(path, device=chosen.device, precision=precision)
                for height, width in SIZES:
                    images = crops(chosen.count, height, width)
                    count = run.at_once(images[0])
                    print(f"{network}, {run.arithmetic}, {width}x{height}, at_once {count}:")
                    measure(run, images, chosen.together, chosen.rounds)


if __name__ == "__main__":
    main()
