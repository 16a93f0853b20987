"""What exporting the study's U-Net is worth: an image of 512x512 pixels, 21 classes, two threads.

The plain float32 network (``plain_unet.py``) against ours in float32 and bfloat16 and against files
of ONNX in float32 and int8: first that probabilities agree from the same weights, then one image in
turn. Run: ``python benchmarks/bench_export.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from measuring import in_turn, machine, ratio, spread
from plain_unet import PlainUNet
from segmint.datasets.preprocessing import Preprocessing
from segmint.inference.export_module import ExportModule
from segmint.inference.member import Member
from segmint.inference.onnx_file import OnnxFile
from segmint.inference.onnx_member import answering
from segmint.inference.onnx_session import OnnxSession
from segmint.inference.quantized_member import quantized_member
from segmint.networks import build

SIZE, CLASSES, RUNS = 512, 21, 5
PREPROCESSING = Preprocessing(mean=(0.5,) * 3, deviation=(0.25,) * 3)
LIMITS = {"ours float32": 1e-4, "bfloat16": 0.05, "onnx float32": 1e-4, "onnx int8": 0.1}
"""Of the largest difference of probabilities."""

Work = Callable[[], NDArray[np.float32]]


def picture(seed: int) -> NDArray[np.uint8]:
    """Smooth colors with a little noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 9, generator=generator)
    smooth = functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic")
    noisy = smooth + 0.05 * torch.rand(1, 3, SIZE, SIZE, generator=generator)
    pixels: NDArray[np.uint8] = (noisy.clamp(0, 1) * 255).byte()[0].permute(1, 2, 0).numpy()
    return pixels


def twins() -> tuple[PlainUNet, nn.Module]:
    """The same weights in both, as sure of their answers as networks that have learned."""
    torch.manual_seed(0)
    plain, ours = PlainUNet(classes=CLASSES), build("unet", classes=CLASSES)
    with torch.no_grad():
        plain.head.weight *= 30
        for seed in range(3):
            plain(PREPROCESSING.tensor(picture(seed)))
    values = plain.state_dict().values()
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    return plain.eval(), ours.eval()


def member(network: nn.Module, dtype: torch.dtype) -> Member:
    """As a run predicts."""
    return Member.of(
        network,
        preprocessing=PREPROCESSING,
        activation="softmax",
        device=torch.device("cpu"),
        dtype=dtype,
        name="unet",
    )


def works() -> dict[str, Work]:
    """Probabilities (1, K, H, W) of the same image, by name."""
    plain, ours = twins()
    image = PREPROCESSING.tensor(picture(9))
    planar = image.contiguous()
    exact, short = member(ours, torch.float32), member(ours, torch.bfloat16)
    module = ExportModule([ours], preprocessing=PREPROCESSING, activation="softmax")
    onnx = answering(OnnxSession(OnnxFile.of(module).model, name="unet"), "probabilities")
    quick = quantized_member(
        ours,
        preprocessing=PREPROCESSING,
        activation="softmax",
        images=[picture(seed) for seed in range(3)],
        name="unet",
    )

    def plainly() -> NDArray[np.float32]:
        with torch.inference_mode():
            return plain(planar).softmax(dim=1).numpy()

    return {
        "plain": plainly,
        "ours float32": lambda: exact.respond(image).softmax(dim=1).numpy(),
        "bfloat16": lambda: short.respond(image).softmax(dim=1).numpy(),
        "onnx float32": lambda: onnx(planar).numpy(),
        "onnx int8": lambda: quick.respond(planar).softmax(dim=1).numpy(),
    }


def main() -> None:
    """Print every figure."""
    print(machine())
    torch.set_num_threads(2)
    made = works()
    expected = made["plain"]()
    for name, limit in LIMITS.items():
        found = made[name]()
        difference = float(np.abs(found - expected).max())
        equal = float((found.argmax(axis=1) == expected.argmax(axis=1)).mean())
        print(f"{name}: probabilities differ by {difference:.1e}, {100 * equal:.2f} % equal labels")
        if not difference <= limit:
            raise SystemExit(f"more than {limit}: not the same network")
    seconds = in_turn(*made.values(), runs=RUNS)
    for name, taken in zip(made, seconds, strict=True):
        print(f"{name}: {spread(taken)}, {ratio(seconds[0], taken):.2f} times the plain speed")


if __name__ == "__main__":
    main()
