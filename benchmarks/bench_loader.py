"""Images a second of the training loader, and whether it or the network limits training.

Files are JPEG photos of 500x375 with PNG masks. Ours against the obvious pipeline
(``plain_loader.py``) with as many worker processes: first that both resize alike, then images a
second in turn, then a training step with a batch at hand against one with the loader.

Run: ``python benchmarks/bench_loader.py``; name parts of it (``loader``, ``step``) to run less.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from measuring import in_turn, machine, ratio
from pictures import photo
from plain_loader import plain_batches
from segmint.datasets.cache import cache_sentence
from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.training_batches import TrainingBatches
from segmint.datasets.transform_options import TransformOptions
from segmint.devices import choose_dtype
from segmint.networks import build
from segmint.objectives.batch import Batch

NETWORK = "unet"
PHOTOS, CLASSES, CROP, BATCH = 64, 21, 224, 8
BATCHES = 12
"""Taken in a row, for one measurement; two a worker may be ready beforehand."""
STEPS = 2
"""Taken in a row, for one measurement."""
SETS = {
    "study": TransformOptions(resize=234, crop=CROP, augmentation="none", normalization="imagenet"),
    "isbi": TransformOptions(resize=234, crop=CROP, augmentation="isbi", normalization="imagenet"),
    "strong": TransformOptions(crop=CROP, augmentation="strong", normalization="imagenet"),
}


def stored_labels(stored: NDArray[np.uint8], _: Path) -> NDArray[np.uint8]:
    """The masks hold classes as they are."""
    return stored


def write_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Photos with masks: pieces of a mosaic of photos, masks of blobs as large as things are."""
    mosaic = photo(2000, 1500)
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(PHOTOS):
        left, top = (int(rng.integers(most)) for most in (1500, 1125))
        image = mosaic.crop((left, top, left + 500, top + 375))
        coarse = Image.fromarray(rng.integers(0, 255, (6, 8), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((500, 375), Image.Resampling.BICUBIC))
        mask = Image.fromarray((smooth // 13).astype(np.uint8))
        pairs.append((folder / f"{number}.jpg", folder / f"{number}.png"))
        image.save(pairs[-1][0], quality=92)
        mask.save(pairs[-1][1])
    return pairs


def dataset_of(pairs: list[tuple[Path, Path]]) -> Dataset:
    """The files as our loader takes them."""
    return Dataset(
        name="photos",
        root=pairs[0][0].parent,
        split="train",
        classes=tuple(f"class {number}" for number in range(CLASSES)),
        palette=np.zeros((CLASSES, 3), np.uint8),
        pairs=tuple(Pair(image=image, mask=mask, name=image.stem) for image, mask in pairs),
        read=PairReader(labels=stored_labels, channels=3),
    )


def our_batches(dataset: Dataset, name: str, workers: int, *, cache: bool) -> Iterator[Batch]:
    """Our loader with the settings of a set."""
    preprocessing = Preprocessing.measured(dataset, SETS[name])
    source = TrainingBatches(
        dataset, SETS[name], preprocessing, batch_size=BATCH, seed=0, workers=workers, cache=cache
    )
    return iter(source.batches(0))


def check_equality(dataset: Dataset) -> None:
    """Leave when torchvision makes other pixels of a photo that is resized."""
    from torchvision.transforms import InterpolationMode, v2

    preprocessing = Preprocessing.measured(dataset, SETS["study"])
    for sample in dataset[:8]:
        found = preprocessing.resized(sample)
        image = v2.Resize(234)(torch.from_numpy(sample.image.copy()).permute(2, 0, 1))
        nearest = v2.Resize(234, InterpolationMode.NEAREST_EXACT)
        mask = nearest(torch.from_numpy(sample.mask.copy())[None])[0]
        same = np.array_equal(found.image, image.permute(1, 2, 0)), np.array_equal(found.mask, mask)
        if not all(same):
            raise SystemExit(f"{sample.name}: image and mask the same as torchvision's: {same}")
    print("resized images and masks are those of torchvision, pixel for pixel")


def taking(stream: Iterator[object]) -> Callable[[], None]:
    """What takes some batches from a stream that runs."""

    def take() -> None:
        for _ in islice(stream, BATCHES):
            pass

    return take


def show_loader(pairs: list[tuple[Path, Path]]) -> None:
    """Print images a second of both loaders."""
    dataset = dataset_of(pairs)
    # As in a worker process. With more, torchvision's many small steps in the main process wait
    # for each other, which would not be fair to compare with.
    torch.set_num_threads(1)
    for name in SETS:
        for workers in (0, 1, 2):
            streams = {
                "plain": plain_batches(pairs, name, crop=CROP, batch_size=BATCH, workers=workers),
                "ours": our_batches(dataset, name, workers, cache=False),
                "ours, cached": our_batches(dataset, name, workers, cache=True),
            }
            seconds = in_turn(*map(taking, streams.values()), runs=3)
            figures = [
                f"{way} {rate(taken):.0f} ({ratio(seconds[0], taken):.1f}x)"
                for way, taken in zip(streams, seconds, strict=True)
            ]
            print(f"{name}, {workers} workers, images/s: {', '.join(figures)}", flush=True)
            for stream in streams.values():
                stream.close()


def rate(seconds: list[float]) -> float:
    """Images a second."""
    return BATCHES * BATCH / statistics.median(seconds)


class Steps:
    """A plain training step of a network in the precision that suits the processor."""

    def __init__(self, name: str) -> None:
        self.network = build(name, in_channels=3, classes=CLASSES)
        self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.network.parameters())
        self.dtype = choose_dtype("auto", torch.device("cpu"))

    def take(self, batch: Batch) -> None:
        """Learn from a batch."""
        half = self.dtype != torch.float32
        with torch.autocast("cpu", dtype=self.dtype if half else torch.bfloat16, enabled=half):
            logits = self.network(batch.image)
        loss = functional.cross_entropy(logits.float(), batch.mask, ignore_index=255)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def learning(self, stream: Iterator[Batch]) -> Callable[[], None]:
        """What learns from the next batches of a stream."""

        def learn() -> None:
            for batch in islice(stream, STEPS):
                self.take(batch)

        return learn


def show_steps(pairs: list[tuple[Path, Path]]) -> None:
    """Print what a step takes with a batch at hand, and with each loader."""
    dataset = dataset_of(pairs)
    torch.set_num_threads(os.cpu_count() or 1)
    steps = Steps(NETWORK)
    (at_hand,) = islice(our_batches(dataset, "strong", 0, cache=False), 1)
    for kind in ("study", "strong"):
        streams: dict[str, Iterator[Batch]] = {"batch at hand": iter(lambda: at_hand, None)}
        for workers in (0, 1):
            for cache in (False, True):
                way = f"{workers} workers{', cached' if cache else ''}"
                streams[way] = our_batches(dataset, kind, workers, cache=cache)
        streams["plain, 0 workers"] = (
            Batch(image=image, mask=mask)
            for image, mask in plain_batches(pairs, kind, crop=CROP, batch_size=BATCH, workers=0)
        )
        seconds = in_turn(*map(steps.learning, streams.values()), runs=7)
        for way, taken in zip(streams, seconds, strict=True):
            step = statistics.median(taken) / STEPS
            more = ratio(taken, seconds[0]) - 1
            print(
                f"{NETWORK}, {kind}, {way}: {step:.3f} s a step, {BATCH / step:.0f} images/s, "
                f"{more:+.1%}",
                flush=True,
            )


def main() -> None:
    """Print every figure."""
    print(machine())
    parts = sys.argv[1:] or ["loader", "step"]
    with tempfile.TemporaryDirectory() as folder:
        pairs = write_pairs(Path(folder))
        dataset = dataset_of(pairs)
        check_equality(dataset)
        print(f"cache: {cache_sentence(dataset, SETS['study'])}")
        if "loader" in parts:
            show_loader(pairs)
        if "step" in parts:
            show_steps(pairs)


if __name__ == "__main__":
    main()
