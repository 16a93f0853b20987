"""The original U-Net in Keras, as its users write and run it: float32, compile, train_on_batch.

``bench_keras.py`` starts this file under an interpreter that has TensorFlow, and gives it one order
a line: ``load FILE``, ``answer IMAGES ANSWER``, ``train``, ``predict``. It answers with one line,
for the last two with seconds. Without TensorFlow it says ``absent`` and leaves.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

IMAGES, SIZE = 2, 256


def unet(features: int = 64, dropout: float = 0.5) -> Any:
    """Blocks of two 3x3 convolutions, repeated pixels and a 2x2 convolution on the way up."""
    from keras import Input, Model, layers

    def convolution(maps: Any, count: int, size: int) -> Any:
        chosen = {"activation": "relu", "padding": "same", "kernel_initializer": "he_normal"}
        return layers.Conv2D(count, size, **chosen)(maps)

    def block(maps: Any, count: int) -> Any:
        return convolution(convolution(maps, count, 3), count, 3)

    image = Input((SIZE, SIZE, 1))
    maps, across = image, []
    for level in range(5):
        maps = layers.MaxPooling2D(2)(maps) if level else maps
        maps = block(maps, features * 2**level)
        maps = layers.Dropout(dropout)(maps) if level >= 3 else maps
        across.append(maps)
    maps = across.pop()
    for level in (3, 2, 1, 0):
        maps = convolution(layers.UpSampling2D(2)(maps), features * 2**level, 2)
        maps = block(layers.concatenate([maps, across.pop()]), features * 2**level)
    return Model(image, layers.Conv2D(1, 1, activation="sigmoid")(maps))


class Worker:
    """A compiled network and the batch that it learns."""

    def __init__(self) -> None:
        import keras

        self.network = unet()
        self.network.compile(optimizer=keras.optimizers.Adam(1e-4), loss="binary_crossentropy")
        generator = np.random.default_rng(0)
        shape = (IMAGES, SIZE, SIZE, 1)
        self.image = generator.random(shape, dtype=np.float32)
        self.mask = generator.integers(0, 2, shape).astype(np.float32)

    def load(self, weights: str) -> str:
        """Take weights from a file that lists them in the order of the layers."""
        with np.load(weights, allow_pickle=False) as file:
            self.network.set_weights([file[name] for name in file.files])
        return "loaded"

    def answer(self, images: str, answer: str) -> str:
        """Write what the network says of images (N, H, W, 1)."""
        np.save(answer, self.network.predict_on_batch(np.load(images, allow_pickle=False)))
        return "answered"

    def train(self) -> str:
        """Seconds of a step of training."""
        return seconds_of(lambda: self.network.train_on_batch(self.image, self.mask))

    def predict(self) -> str:
        """Seconds of a prediction."""
        return seconds_of(lambda: self.network.predict_on_batch(self.image))


def seconds_of(work: Any) -> str:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return str(time.perf_counter() - start)


def main(threads: int) -> None:
    """Follow orders until there are no more."""
    if importlib.util.find_spec("tensorflow") is None:
        print("absent", flush=True)
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    worker = Worker()
    print(f"TensorFlow {tensorflow.__version__}", flush=True)
    for line in sys.stdin:
        order, *names = line.split()
        print(getattr(worker, order)(*names), flush=True)
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
