"""The original U-Net against the same network in Keras: 2 images of 256x256 pixels, 1 channel.

Keras (``keras_unet.py``) works in a process of its own under an interpreter that has TensorFlow;
both have two threads and work in turn. First the same weights must give the same answer, then
steps of training and predictions are timed.

    python3 -m venv keras && keras/bin/pip install tensorflow-cpu
    python benchmarks/bench_keras.py --keras-python keras/bin/python
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from keras_unet import IMAGES, SIZE
from measuring import machine, peak_memory, ratio, spread
from segmint.devices import choose_dtype
from segmint.networks import build

THREADS = 2
STEPS_PER_EPOCH = 300
LIMITS = {torch.float32: 1e-4, torch.bfloat16: 3e-2}
"""Of the greatest difference of a probability."""


class Keras:
    """The worker under another interpreter."""

    def __init__(self, interpreter: str) -> None:
        command = [interpreter, str(Path(__file__).with_name("keras_unet.py")), str(THREADS)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.version = self._line()
        if not self.version.startswith("TensorFlow"):
            raise SystemExit(
                f"{interpreter} has no TensorFlow that starts: make an environment with "
                "'pip install tensorflow-cpu' and name its interpreter with --keras-python"
            )

    def order(self, *words: str) -> str:
        """Have something done and get the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return self._line()

    def leave(self) -> int:
        """End; peak memory in MiB."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return int(self._line()) // 1024

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class Ours:
    """Our network, its batch and its optimizer, in an arithmetic."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.network = build("unet-original", in_channels=1, classes=1)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4, fused=True)
        generator = torch.Generator().manual_seed(0)
        self.image = torch.rand(IMAGES, 1, SIZE, SIZE, generator=generator)
        self.mask = (torch.rand(self.image.shape, generator=generator) < 0.5).float()

    def respond(self, image: Tensor) -> Tensor:
        """Logits (N, 1, H, W)."""
        low = self.dtype != torch.float32
        with torch.autocast("cpu", dtype=self.dtype if low else None, enabled=low):
            logits: Tensor = self.network(image)
        return logits.float()

    def train(self) -> None:
        """A step."""
        self.network.train()
        self.optimizer.zero_grad()
        logits = self.respond(self.image)
        functional.binary_cross_entropy_with_logits(logits, self.mask).backward()
        self.optimizer.step()

    def predict(self) -> Tensor:
        """Probabilities of the batch."""
        self.network.eval()
        with torch.inference_mode():
            return self.respond(self.image).sigmoid()


def check(keras: Keras, ours: Ours, folder: Path) -> None:
    """Print how far answers of the same weights are apart; leave when it is too far."""
    np.savez(folder / "weights.npz", *layers_in_order(ours.network))
    np.save(folder / "image.npy", ours.image.permute(0, 2, 3, 1).numpy())
    keras.order("load", str(folder / "weights.npz"))
    keras.order("answer", str(folder / "image.npy"), str(folder / "answer.npy"))
    expected = np.load(folder / "answer.npy", allow_pickle=False)
    difference = np.abs(ours.predict().permute(0, 2, 3, 1).numpy() - expected).max()
    spread_of_answers = expected.max() - expected.min()
    print(f"{ours.dtype}: probabilities ({spread_of_answers:.2f} wide) differ by {difference:.1e}")
    if difference > LIMITS[ours.dtype]:
        raise SystemExit(f"more than {LIMITS[ours.dtype]}: not the same network")


def layers_in_order(network: nn.Module) -> list[np.ndarray]:
    """Kernels as Keras lays them out, (height, width, in, out), and biases."""
    arrays = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            arrays.append(module.weight.detach().permute(2, 3, 1, 0).numpy())
            arrays.append(module.bias.detach().numpy())
    return arrays


def compare(keras: Keras, ours: Ours, order: str, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of Keras and of ours, in turn, after two rounds that do not count."""
    work: Callable[[], object] = ours.train if order == "train" else ours.predict
    theirs, mine = [], []
    for _ in range(runs + 2):
        theirs.append(float(keras.order(order)))
        start = time.perf_counter()
        work()
        mine.append(time.perf_counter() - start)
    return theirs[2:], mine[2:]


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras-python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    keras = Keras(arguments.keras_python)
    print(f"{machine()}, {keras.version}")
    dtypes = dict.fromkeys((torch.float32, choose_dtype("auto", torch.device("cpu"))))
    with tempfile.TemporaryDirectory() as folder:
        for dtype in dtypes:
            check(keras, Ours(dtype), Path(folder))
    before, ours = peak_memory(), Ours(dtype)
    for order in ("train", "predict"):
        theirs, mine = compare(keras, ours, order, arguments.runs)
        print(f"{order}: Keras {spread(theirs)}, ours {spread(mine)}: {ratio(theirs, mine):.2f}x")
        if order == "train":
            epoch = STEPS_PER_EPOCH * float(np.median(theirs))
            print(
                f"an epoch of {STEPS_PER_EPOCH} steps in Keras, from {len(theirs)}: {epoch:.0f} s"
            )
    print(f"peak memory: Keras {keras.leave()} MiB, ours {peak_memory() - before} MiB more")


if __name__ == "__main__":
    main()
